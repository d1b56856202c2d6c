"""Wrong readings are undone exactly, or not at all; the stage marks what it changed and drops nothing."""

import json

import pyarrow as pa
import pytest

from aquilamed.core import tables
from aquilamed.corpus import mojibake, repair, rules
from aquilamed.engine.local import Local

ZH = "高血压是指安静状态下动脉血压持续高于正常的慢性病，早期多没有明显症状。成人每次服用5毫克，每日一次，服药两周后复查。"
TRADITIONAL = "高血壓是指安靜狀態下動脈血壓持續高於正常的慢性病，早期多沒有明顯症狀，應當長期隨訪。"
EN = "The patient’s “resting” blood pressure — 140/90 mmHg — stays above normal; don’t stop naïvely at 37 °C. See the café’s menu…"


def _as_latin(data: bytes) -> str:
    """Windows-1252, the five bytes that it leaves undefined as Latin-1: what browsers do."""
    return "".join(byte.decode("latin-1") if byte in (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d") else byte.decode("cp1252") for byte in (bytes([b]) for b in data))


READINGS = {
    "utf-8 read as latin-1": lambda text: text.encode().decode("latin-1"), "utf-8 as 1252": lambda text: _as_latin(text.encode()),
    "twice": lambda text: _as_latin(_as_latin(text.encode()).encode()), "three times": lambda text: _as_latin(_as_latin(_as_latin(text.encode()).encode()).encode()),
    "gbk as latin": lambda text: text.encode("gbk").decode("latin-1"), "gbk as 1252": lambda text: _as_latin(text.encode("gbk")),
}


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("text", [ZH, TRADITIONAL, EN.replace("ï", "i").replace("é", "e"), f"## {ZH}\n\n- 5 mg\n\n{ZH}"], ids=["zh", "traditional", "en", "lines"])
def test_every_wrong_reading_is_undone_exactly(text, reading):
    broken = READINGS[reading](text)
    assert broken != text and mojibake.suspects(pa.array([broken])).to_pylist() == [True]
    assert mojibake.repaired(broken)[0] == text


def test_utf8_read_as_gbk_is_undone_where_no_byte_was_lost():
    # 6 Han characters are 18 bytes, 9 pairs; of 7 the last byte is lost
    whole = "医生建议服药"
    broken = whole.encode().decode("gb18030")
    assert len(broken) == 9 and mojibake.repaired(broken + "\n5 mg") == (whole + "\n5 mg", "utf-8 read as gbk")
    cut = "医生建议服药。".encode().decode("gb18030", "replace")
    assert cut.endswith("\ufffd") and mojibake.repaired(cut) == (cut, "")
    assert mojibake.repaired("don鈥檛 stop; the patient鈥檚 dose") == ("don’t stop; the patient’s dose", "utf-8 read as gbk")


def test_the_byte_80_that_browsers_read_as_a_euro_sign():
    # 患者应服药治疗两周: E6 82 A3 E8 80 85 ...: pairs but for the 80, which can't begin one
    data = "患者应服药治疗两周".encode()
    assert data[4] == 0x80
    assert mojibake.repaired(data[:4].decode("gb18030") + "€" + data[5:].decode("gb18030")) == ("患者应服药治疗两周", "utf-8 read as gbk")


def test_how_it_was_read_is_told():
    assert mojibake.repaired("Itâ€™s")[1] == "utf-8 read as latin-1" and mojibake.repaired(READINGS["gbk as latin"](ZH))[1] == "gbk read as latin-1"
    assert mojibake.repaired(READINGS["twice"](EN))[1] == "utf-8 read as latin-1, utf-8 read as latin-1"


@pytest.mark.parametrize("text", [
    ZH, TRADITIONAL, EN, "", "茅根与隆起，茅 5 g", "Müller, Å. & Ñandú: Ærøskøbing 25 °C ±2 µg", "CAFÉ® naïve façade ½ × ¼", "联通", "È É Ê", "São Paulo não é à toa", "高血圧についての文章です",
    "鈥 is a rare character", "Â alone", "ÖÐ and ÖÜ"])
def test_what_is_right_stays(text):
    assert mojibake.repaired(text) == (text, "")


def test_what_is_only_partly_proven_stays_whole():
    broken = "Itâ€™s fine, but this â€ was cut \ufffd"
    assert mojibake.repaired(broken) == (broken, "")


def test_the_stage_marks_what_it_changed_and_drops_nothing(tmp_path):
    broken = READINGS["utf-8 read as latin-1"](ZH)
    texts = [EN, broken, TRADITIONAL, "Itâ€™s " + EN, "lost \ufffd â€"]
    rows = tables.from_rows("documents", [{"text": text, "source": "s", "license": "MIT", "meta": {"row": str(k)}} for k, text in enumerate(texts)])
    tables.scatter(tmp_path / "in", "documents", rows)
    counts = repair.run(repair.Config(), {"documents": tmp_path / "in"}, tmp_path / "out", Local(1))
    assert (counts.n_in, counts.n_out, counts.dropped) == (5, 5, {}) and not (tmp_path / "out/dropped").exists()
    assert counts.notes == {"repaired utf-8 read as latin-1": 2}
    before, after = ({row["meta"]["row"]: row for row in tables.rows(tmp_path / name, "documents")} for name in ("in", "out"))
    assert {k for k in before if before[k] != after[k]} == {"1", "3"}
    assert after["1"] == {**before["1"], "text": ZH, "lang": "zh", "id": tables.from_rows("documents", [{"text": ZH, "source": "s", "license": "MIT"}])["id"][0].as_py(),
                          "meta": {"row": "1", "repaired": "utf-8 read as latin-1", "repaired_from": before["1"]["id"]}}
    assert before["1"]["lang"] != "zh" and after["3"]["text"] == "It’s " + EN


def test_order_and_shards_change_nothing():
    texts = [EN, READINGS["twice"](ZH), ZH, READINGS["gbk as latin"](ZH), "plain"] * 3
    table = tables.from_rows("documents", [{"text": text, "source": "s", "license": "MIT"} for text in texts])
    whole, dropped, counted = repair.sieve(table)
    parts = [repair.sieve(table.slice(at, 4)) for at in range(0, len(table), 4)]
    assert whole.to_pylist() == [row for part, _, _ in parts for row in part.to_pylist()] and len(dropped) == 0
    assert counted == sum((found for _, _, found in parts), type(counted)()) and counted.total() == 6


def test_repaired_text_passes_the_rules_and_lost_text_does_not():
    good, lost = READINGS["utf-8 as 1252"](ZH), ZH.encode().decode("gb18030", "replace")
    table = tables.from_rows("documents", [{"text": text, "source": "s", "license": "MIT"} for text in (good, lost)])
    assert rules.sieve(rules.Config(), table)[1]["reason"].to_pylist() == ["garbled", "garbled"]
    kept, dropped, *_ = rules.sieve(rules.Config(), repair.sieve(table)[0])
    assert kept["text"].to_pylist() == [ZH] and dropped["text"].to_pylist() == [lost]


def test_real_text_is_left_alone_and_real_text_spoiled_comes_back(shared_data):
    folder = shared_data / "pretrain"
    drcd = json.loads((folder / "zh_general/drcd_dev_traditional.json").read_text(encoding="utf-8"))["data"]
    book = (folder / "zh_medical/tcm_ancient_books/483-伤寒论类方.txt").read_text(encoding="gb18030")
    pages = [json.loads(line)["text"] for line in (folder / "en_general/c4_demo.jsonl").read_text(encoding="utf-8").splitlines()]
    texts = [p["context"] for article in drcd for p in article["paragraphs"]][:300] + [book[at:at + 1500] for at in range(0, len(book), 1500)] + pages
    assert [text for text in texts if mojibake.repaired(text)[1]] == []
    spoiled = [text for text in texts[:320] if not text.isascii()]
    right = [mojibake.repaired(_as_latin(text.encode()))[0] == text for text in spoiled]
    assert sum(right) >= 0.99 * len(right)
