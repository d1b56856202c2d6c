import json

import pytest

from aquilamed.corpus import importing
from aquilamed.core import tables
from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.core.sources import Documents, Questions, Source
from aquilamed.engine.local import Local
from aquilamed.pipeline import Recipe, Step, run

MAPPING = Documents(text=("正文",))
ROW = {"正文": "感冒\r\n多喝水"}


def source(path, mapping=MAPPING, **options):
    return Source(name="mine", path=path, format="jsonl", mapping=mapping, license="CC0-1.0", **options)


def test_a_recipe_imports_a_users_gb18030_file_and_redoes_it_when_the_file_changes(tmp_path):
    path = tmp_path / "我的.jsonl"
    path.write_text(json.dumps(ROW, ensure_ascii=False), encoding="gb18030")
    step = Step(name="mine", stage="corpus.importing", config=importing.Config(sources=(source(path),)))
    said = []
    for _ in range(2):
        run(Recipe(name="r", steps=(step,)), tmp_path / "runs", Local(1), said.append)
    assert said[1].startswith("01-mine: 1 in, 1 out") and said[2] == "01-mine: up to date"
    made, = tables.rows(tmp_path / "runs/r/01-mine", "documents")
    assert (made["lang"], made["source"], made["meta"]) == ("zh", "mine", {"file": "我的.jsonl", "row": "1"})
    path.write_text(json.dumps(ROW, ensure_ascii=False) + "\n" + json.dumps(ROW), encoding="gb18030")
    with pytest.raises(ConfigError.__base__, match="inputs.file:我的.jsonl"):
        run(Recipe(name="r", steps=(step,)), tmp_path / "runs", Local(1), said.append)


def test_files_of_an_earlier_step_are_read_from_the_input_folder(tmp_path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made/a.jsonl").write_text(json.dumps(ROW) + '\n{"x": 1}\n', encoding="utf-8")
    config = importing.Config(sources=(source("step:clinic/a.jsonl"),), on_bad_row="drop")
    assert importing.files(config) == []
    counts = importing.run(config, {"clinic": tmp_path / "made"}, tmp_path / "out", Local(1))
    assert counts.as_json() == {"in": 2, "out": 1, "dropped": {"bad_row": 1}}
    with pytest.raises(RecordError, match=r"a\.jsonl, row 2: no key"):
        importing.run(importing.Config(sources=config.sources), {"clinic": tmp_path / "made"}, tmp_path / "out2", Local(1))


def test_config_refuses_what_can_not_be_meant(tmp_path):
    with pytest.raises(ConfigError, match="source 'mine': its mapping makes questions, this step imports documents"):
        importing.Config(sources=(source("x", Questions()),))
    with pytest.raises(ConfigError, match="expected a tuple of at least one Source"):
        importing.Config(sources=source("x"))
    with pytest.raises(ConfigError, match="expected stop or drop"):
        importing.Config(sources=(source("x"),), on_bad_row="skip")
    with pytest.raises(ConfigError, match="absent.jsonl: no such file or folder"):
        importing.files(importing.Config(sources=(source(tmp_path / "absent.jsonl"),)))


def test_long_documents_are_cut_and_a_senseless_limit_is_refused(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"正文": "发热。" * 100}), encoding="utf-8")
    assert importing.run(importing.Config(sources=(source(path),), max_chars=200), {}, tmp_path / "out", Local(1)).n_in == 2
    with pytest.raises(ConfigError, match="max_chars=10: expected 0"):
        importing.Config(sources=(source(path),), max_chars=10)


def test_files_of_one_name_in_two_folders_are_both_part_of_the_identity(tmp_path):
    from aquilamed.pipeline import identity_of
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "train.jsonl").write_text(json.dumps(ROW), encoding="utf-8")
    sources = tuple(Source(name=name, path=tmp_path / name / "train.jsonl", format="jsonl", mapping=MAPPING, license="MIT") for name in ("a", "b"))
    step = Step(name="mine", stage="corpus.importing", config=importing.Config(sources=sources))
    before = identity_of(Recipe(name="r", steps=(step,)), step, tmp_path)
    for name in ("a", "b"):
        (tmp_path / name / "train.jsonl").write_text(json.dumps({"正文": f"新 {name}"}), encoding="utf-8")
        after = identity_of(Recipe(name="r", steps=(step,)), step, tmp_path)
        assert after.fingerprint != before.fingerprint
        before = after
