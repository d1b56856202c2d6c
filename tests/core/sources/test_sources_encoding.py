import pytest

from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.core.sources import Reading
from aquilamed.core.sources.encoding import encoding_of, first_bad_byte

ZH = "高血压病人可以口服党参吗？"
TRADITIONAL = "患者主訴為發熱與咳嗽，醫師於檢查後診斷為肺炎，並說明治療的方法以及用藥。" * 20


@pytest.mark.parametrize(("encoding", "found"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("gb18030", "gb18030"), ("utf-16", "utf-16"), ("utf-32", "utf-32")])
def test_chinese_in_every_usual_encoding_is_found_and_read_back(tmp_path, encoding, found):
    path = tmp_path / "一.txt"
    path.write_text(ZH, encoding=encoding)
    assert encoding_of(path) == found
    assert path.read_text(encoding=encoding_of(path)) == ZH


def test_the_first_bad_byte_is_counted_from_the_start_of_the_file_across_chunks(tmp_path):
    path = tmp_path / "big.txt"
    path.write_bytes("药".encode() * 700_000 + b"\xff" + b"tail")
    assert first_bad_byte(path, "utf-8") == 2_100_000
    path.write_bytes("药".encode() * 700_000 + "药".encode()[:2])
    assert first_bad_byte(path, "utf-8") == 2_100_000


def test_a_utf8_file_cut_in_a_character_is_refused_not_read_as_gb18030(tmp_path):
    path = tmp_path / "cut.txt"
    path.write_bytes(ZH.encode()[:-1])
    with pytest.raises(RecordError, match=r"cut\.txt: UTF-8 up to byte 36, where it is damaged"):
        encoding_of(path)


def test_big5_decodes_as_gb18030_without_an_error_and_is_refused_all_the_same(tmp_path):
    path = tmp_path / "繁.txt"
    path.write_text(TRADITIONAL, encoding="big5")
    assert first_bad_byte(path, "gb18030") == -1
    with pytest.raises(RecordError, match="does not look like Chinese; declare encoding="):
        encoding_of(path)
    assert encoding_of(path, "big5") == "big5"
    path.write_text(TRADITIONAL, encoding="gb18030")
    assert encoding_of(path) == "gb18030"


def test_neither_encoding_names_the_byte_and_what_to_do(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes(b"caf\xe9 au lait")
    with pytest.raises(RecordError, match=r"latin\.txt: not UTF-8 \(byte 3, line 1\) nor GB18030 \(byte 3\); save it as UTF-8 or declare encoding="):
        encoding_of(path)
    with pytest.raises(RecordError, match="byte 3 is not ascii"):
        encoding_of(path, "ascii")


def test_utf16_without_a_mark_is_refused(tmp_path):
    path = tmp_path / "16.txt"
    path.write_text("fever and cough", encoding="utf-16-le")
    with pytest.raises(RecordError, match="full of NUL bytes"):
        encoding_of(path)


def test_an_unknown_encoding_name_is_a_config_error():
    with pytest.raises(ConfigError, match="no such encoding"):
        Reading(format="txt", encoding="utf-9")
