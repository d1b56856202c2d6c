import json

import pytest

from aquilamed.instruct import importing
from aquilamed.core import tables
from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.core.sources import Pair, Questions, Source
from aquilamed.engine.local import Local
from aquilamed.pipeline import Recipe, Step, run

MAPPING = Pair(prompt=("问",), answer="答")
ROW = {"问": "感冒？", "答": "多喝水\r\n"}


def source(path, mapping=MAPPING, **options):
    return Source(name="mine", path=path, format="jsonl", mapping=mapping, license="CC0-1.0", **options)


def test_a_recipe_imports_a_users_gb18030_file_and_redoes_it_when_the_file_changes(tmp_path):
    path = tmp_path / "我的.jsonl"
    path.write_text(json.dumps(ROW, ensure_ascii=False), encoding="gb18030")
    step = Step(name="mine", stage="instruct.importing", config=importing.Config(sources=(source(path),)))
    said = []
    for _ in range(2):
        run(Recipe(name="r", steps=(step,)), tmp_path / "runs", Local(1), said.append)
    assert said[1].startswith("01-mine: 1 in, 1 out") and said[2] == "01-mine: up to date"
    made, = tables.rows(tmp_path / "runs/r/01-mine", "conversations")
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
    with pytest.raises(ConfigError, match="source 'mine': its mapping makes questions, this step imports conversations"):
        importing.Config(sources=(source("x", Questions()),))
    with pytest.raises(ConfigError, match="expected a tuple of at least one Source"):
        importing.Config(sources=source("x"))
    with pytest.raises(ConfigError, match="expected stop or drop"):
        importing.Config(sources=(source("x"),), on_bad_row="skip")
    with pytest.raises(ConfigError, match="absent.jsonl: no such file or folder"):
        importing.files(importing.Config(sources=(source(tmp_path / "absent.jsonl"),)))
