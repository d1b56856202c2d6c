"""Training takes what was searched for benchmark items, however it was reshaped since, and nothing else unless told to."""

import json

import pytest

from aquilamed import cli, pipeline
from aquilamed.core import manifest, tables
from aquilamed.core.errors import RecordError, Uncertified
from aquilamed.core.sources import Pair, Questions, Source
from aquilamed.engine.local import Local
from aquilamed.evals import benchmarks
from aquilamed.hygiene import certificate, decontaminate, dedup, holdout
from aquilamed.instruct import importing, join
from aquilamed.pipeline import Recipe, Step

KIND = "conversations"
TALKS = [("高血压怎么办？", "低盐饮食，规律服药。"), ("What helps against flu?", "Rest and drink enough."), ("糖尿病能吃水果吗？", "可以，注意分量和时间。"), ("Is asthma curable?", "It can be controlled.")]
EXAM = [{"question": "上消化道出血可单纯表现为呕血或黑便，也可两者兼有，这取决于", "options": ["原发病", "出血部位"], "answer": "B"},
        {"question": "Which drug is the first choice for an acute attack of gout in adults?", "options": ["Colchicine", "Insulin"], "answer": "A"}]


def source(path, name, mapping):
    return Source(name=name, path=path, format="jsonl", license="MIT", mapping=mapping)


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A run in which one set of conversations was searched and another was not."""
    monkeypatch.chdir(tmp_path)
    for name, talks in (("a", TALKS[:2]), ("b", TALKS[2:])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps({"instruction": q, "output": a}, ensure_ascii=False) + "\n" for q, a in talks), encoding="utf-8")
    (tmp_path / "exam.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in EXAM), encoding="utf-8")
    (tmp_path / "other.jsonl").write_text(json.dumps({**EXAM[1], "question": "Which vessel carries blood from the heart to the lungs in man?"}) + "\n", encoding="utf-8")
    tests = {name: benchmarks.Config(sources=(source(tmp_path / f"{name}.jsonl", name, Questions()),)) for name in ("exam", "other")}
    raw = {name: importing.Config(sources=(source(tmp_path / f"{name}.jsonl", name, Pair()),)) for name in ("a", "b")}
    clean = decontaminate.Config(kind=KIND)
    recipe = Recipe(name="r", steps=(
        *(Step(name=name, stage="evals.benchmarks", config=config) for name, config in tests.items()),
        *(Step(name=name, stage="instruct.importing", config=config) for name, config in raw.items()),
        Step(name="clean-a", stage="hygiene.decontaminate", config=clean, inputs={KIND: "a", "benchmarks": "exam"}),
        Step(name="clean-b", stage="hygiene.decontaminate", config=clean, inputs={KIND: "b", "benchmarks": "other"}),
        Step(name="clean-both", stage="hygiene.decontaminate", config=clean, inputs={KIND: "clean-b", "benchmarks": "exam"}),
        Step(name="once", stage="hygiene.dedup", config=dedup.Config(kind=KIND), inputs={KIND: "clean-a"}),
        Step(name="split", stage="hygiene.holdout", config=holdout.Config(kind=KIND, share=0.5), inputs={KIND: "once"}),
        Step(name="mixed", stage="instruct.join", config=join.Config(), inputs={"one": "clean-a", "two": "b"}),
        Step(name="differing", stage="instruct.join", config=join.Config(), inputs={"one": "clean-a", "two": "clean-b"}),
        Step(name="joined", stage="instruct.join", config=join.Config(), inputs={"one": "split", "two": "clean-both"}),
        Step(name="from-outside", stage="hygiene.dedup", config=dedup.Config(kind=KIND), inputs={KIND: f"path:{tmp_path}/runs/r/05-clean-a"}),
    ))
    pipeline.run(recipe, tmp_path / "runs", Local(1), lambda line: None)
    return {step.name: folder for step, folder in recipe.numbered(tmp_path / "runs")}


def test_a_certificate_follows_the_records_through_sifting_splitting_and_joining(made):
    digest = json.loads((made["clean-a"] / "certificate.json").read_text(encoding="utf-8"))["benchmarks"][0]["digest"]
    for name in ("clean-a", "once", "split", "joined", "from-outside"):
        assert certificate.notes(made[name], KIND, allow=False) == {"certified": {"exam": {"n": 2, "digest": digest}}}, name
    assert certificate.covered(made["split"] / "heldout") == certificate.covered(made["split"])


@pytest.mark.parametrize(("name", "says"), [
    ("b", r"04-b \(instruct.importing\) brings in records that were not searched for benchmark items"),
    ("mixed", "04-b .* brings in records that were not searched"),
    ("differing", "searched for different benchmarks: exam; other"),
])
def test_what_was_not_searched_is_refused_or_recorded(made, name, says):
    with pytest.raises(Uncertified, match=f"{says}(.|\n)*--allow-uncertified"):
        certificate.notes(made[name], KIND, allow=False)
    assert set(certificate.notes(made[name], KIND, allow=True)) == {"uncertified"}


def test_a_folder_that_no_step_made_and_a_parent_that_is_gone(made, tmp_path):
    tables.scatter(tmp_path / "raw", KIND, tables.read(made["a"], KIND))
    with pytest.raises(Uncertified, match="raw: made by no step"):
        certificate.notes(tmp_path / "raw", KIND, allow=False)
    made["clean-a"].rename(tmp_path / "elsewhere")
    with pytest.raises(Uncertified, match="08-once: what its input 'conversations' was is not there any more"):
        certificate.notes(made["once"], KIND, allow=False)


def test_a_changed_file_is_refused_even_where_anything_else_is_allowed(made):
    shard = made["split"] / KIND / tables.part(0)
    tables.write(shard, tables.read(made["b"], KIND))
    with pytest.raises(RecordError, match="part-00000.parquet: changed since its step made it; make 09-split again"):
        certificate.notes(made["split"], KIND, allow=True)


def test_the_command_line_sets_it_on_every_training_step(made, tmp_path, capsys):
    (tmp_path / "train.py").write_text(f'''
from aquilamed.models import prepare
from aquilamed.pipeline import Recipe, Step
from aquilamed.train import sft
from aquilamed.train.settings import Optim
def recipe():
    return Recipe(name="t", steps=(Step(name="base", stage="models.prepare", config=prepare.Config(source="random:gemma3_text", license="Apache-2.0")),
        Step(name="sft", stage="train.sft", config=sft.Config(optim=Optim(lr=1e-3, batch=2, length=128)), inputs={{"model": "base", "conversations": "path:{made["b"]}"}})))
''')
    assert cli.main(["run", str(tmp_path / "train.py")]) == 2
    assert "not searched for benchmark items" in capsys.readouterr().err
    assert cli.main(["run", str(tmp_path / "train.py"), "--allow-uncertified"]) == 0
    notes = manifest.read(tmp_path / "runs/t/02-sft")
    assert notes["config"]["allow_uncertified"] is True and "not searched" in notes["notes"]["uncertified"]
