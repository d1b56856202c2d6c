"""The four stages that read users' files: one behaviour, four kinds of record."""

import importlib
import json

import pytest

from aquilamed.core import tables
from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.core.sources import Documents, Pair, Preferences, Questions, Source
from aquilamed.engine.local import Local
from aquilamed.pipeline import Recipe, Step, identity_of, run

ROW = {"问": "感冒\r\n怎么办？", "好": "多喝水", "坏": "忍", "选": {"A": "休息", "B": "熬夜"}, "正": "A"}
STAGES = {
    "corpus.importing": ("documents", Documents(text=("问",))),
    "instruct.importing": ("conversations", Pair(prompt=("问",), answer="好")),
    "instruct.questions": ("questions", Questions(stem="问", options=("选",), answer="正")),
    "preference.importing": ("preferences", Preferences(prompt=Pair(prompt=("问",), answer=""), chosen="好", rejected="坏")),
}
each_stage = pytest.mark.parametrize(("stage", "kind", "mapping"), [(stage, *made) for stage, made in STAGES.items()], ids=list(STAGES))


def source(path, mapping, name="mine"):
    return Source(name=name, path=path, format="jsonl", mapping=mapping, license="CC0-1.0")


def config_of(stage, **settings):
    return importlib.import_module(f"aquilamed.{stage}").Config(**settings)


@each_stage
def test_a_recipe_imports_a_users_gb18030_file_and_redoes_it_when_the_file_changes(tmp_path, stage, kind, mapping):
    path = tmp_path / "我的.jsonl"
    path.write_text(json.dumps(ROW, ensure_ascii=False), encoding="gb18030")
    step = Step(name="mine", stage=stage, config=config_of(stage, sources=(source(path, mapping),)))
    said = []
    for _ in range(2):
        run(Recipe(name="r", steps=(step,)), tmp_path / "runs", Local(1), said.append)
    assert said[1].startswith("01-mine: 1 in, 1 out") and said[2] == "01-mine: up to date"
    made, = tables.rows(tmp_path / "runs/r/01-mine", kind)
    assert (made["lang"], made["source"]) == ("zh", "mine") and {"file": "我的.jsonl", "row": "1"}.items() <= made["meta"].items()
    assert "感冒\\n怎么办" in json.dumps(made, ensure_ascii=False)
    path.write_text(json.dumps(ROW, ensure_ascii=False) + "\n" + json.dumps(ROW), encoding="gb18030")
    with pytest.raises(ConfigError.__base__, match="inputs.file:我的.jsonl"):
        run(Recipe(name="r", steps=(step,)), tmp_path / "runs", Local(1), said.append)


@each_stage
def test_files_of_an_earlier_step_are_read_from_the_input_folder(tmp_path, stage, kind, mapping):
    module = importlib.import_module(f"aquilamed.{stage}")
    (tmp_path / "made").mkdir()
    (tmp_path / "made/a.jsonl").write_text(json.dumps(ROW) + '\n{"x": 1}\n', encoding="utf-8")
    config = config_of(stage, sources=(source("step:clinic/a.jsonl", mapping),), on_bad_row="drop")
    assert module.files(config) == []
    counts = module.run(config, {"clinic": tmp_path / "made"}, tmp_path / "out", Local(1))
    assert counts.as_json() == {"in": 2, "out": 1, "dropped": {"bad_row": 1}}
    with pytest.raises(RecordError, match=r"a\.jsonl, row 2: no key"):
        module.run(config_of(stage, sources=config.sources), {"clinic": tmp_path / "made"}, tmp_path / "out2", Local(1))


@each_stage
def test_config_refuses_what_can_not_be_meant(tmp_path, stage, kind, mapping):
    other = Questions() if kind == "documents" else Documents()
    with pytest.raises(ConfigError, match=f"source 'mine': its mapping makes {other.kind}, this step imports {kind}"):
        config_of(stage, sources=(source("x", other),))
    with pytest.raises(ConfigError, match="expected a tuple of at least one Source"):
        config_of(stage, sources=source("x", mapping))
    with pytest.raises(ConfigError, match="expected stop or drop"):
        config_of(stage, sources=(source("x", mapping),), on_bad_row="skip")
    with pytest.raises(ConfigError, match="absent.jsonl: no such file or folder"):
        importlib.import_module(f"aquilamed.{stage}").files(config_of(stage, sources=(source(tmp_path / "absent.jsonl", mapping),)))


def test_long_documents_are_cut_and_a_senseless_limit_is_refused(tmp_path):
    module, mapping = importlib.import_module("aquilamed.corpus.importing"), Documents(text=("正文",))
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"正文": "发热。" * 100}), encoding="utf-8")
    assert module.run(module.Config(sources=(source(path, mapping),), max_chars=200), {}, tmp_path / "out", Local(1)).n_in == 2
    with pytest.raises(ConfigError, match="max_chars=10: expected 0"):
        module.Config(sources=(source(path, mapping),), max_chars=10)


def test_files_of_one_name_in_two_folders_are_both_part_of_the_identity(tmp_path):
    def identity():
        return identity_of(Recipe(name="r", steps=(step,)), step, tmp_path).fingerprint

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "train.jsonl").write_text(json.dumps(ROW), encoding="utf-8")
    sources = tuple(source(tmp_path / name / "train.jsonl", Documents(text=("问",)), name) for name in ("a", "b"))
    step = Step(name="mine", stage="corpus.importing", config=config_of("corpus.importing", sources=sources))
    seen = {identity()}
    for name in ("a", "b"):
        (tmp_path / name / "train.jsonl").write_text(json.dumps({"问": f"新 {name}"}), encoding="utf-8")
        seen.add(identity())
    assert len(seen) == 3
