"""Recipes: made once, never silently reused, continued after a kill; the command line's answers and exit codes."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aquilamed import cli, pipeline
from aquilamed.core import manifest, tables
from aquilamed.core.errors import ConfigError, StaleOutput
from aquilamed.engine.local import Local
from aquilamed.instruct import safety, score, select
from aquilamed.pipeline import Recipe, Step

ORIGIN = {"kind": "single", "source": "t", "license": "Apache-2.0"}
RECIPE = """
from pathlib import Path
from aquilamed.instruct import score, select
from aquilamed.pipeline import Recipe, Step
def recipe():
    return Recipe(name="t", steps=(
        Step(name="scored", stage="instruct.score", config=score.Config(), inputs={"conversations": "path:RAW"}, paper="2.2.1"),
        Step(name="selected", stage="instruct.select", config=select.Config(), inputs={"conversations": "scored"}, paper="2.2.1"),
    ))
"""


BROKEN = (
    ("keyword", "score.Config()", "score.Config(bakend='surface')"), ("range", "select.Config()", "select.Config(drop_score_share=7)"), ("empty", "def recipe", "def recipes"),
    ("lookup", "def recipe():", "def recipe(found={}['nosuch']):"), ("input", 'inputs={"conversations": "scored"}', 'inputs={"conversation": "scored"}'),
    ("stage", "instruct.select", "instruct.selekt"), ("outside", 'name="scored"', 'name="../scored"'))
"""Name of a recipe -> what is mistaken in it."""


@pytest.fixture
def raw(tmp_path) -> Path:
    talks = [(f"头痛{i}天怎么办？", "先量体温并多喝水，仍发热应就诊检查血常规。"[:4 + 2 * i]) for i in range(10)] + [(f"What helps against a {w} cough?", f"Rest, and {w} tea.") for w in ("dry", "wet", "long")]
    rows = [{**ORIGIN, "messages": [{"role": "user", "content": q}, {"role": "assistant", "content": a}]} for q, a in talks]
    tables.scatter(tmp_path / "raw", "conversations", tables.from_rows("conversations", rows))
    (tmp_path / "recipe.py").write_text(RECIPE.replace("RAW", str(tmp_path / "raw")), encoding="utf-8")
    return tmp_path


def run(home: Path, recipe: Recipe, **settings) -> list[str]:
    lines: list[str] = []
    pipeline.run(recipe, home / "runs", Local(2), lines.append, **settings)
    return [line for line in lines if not line.endswith("…")]


def test_made_once_then_up_to_date(raw):
    recipe = pipeline.load(raw / "recipe.py")
    first = run(raw, recipe)
    assert first[0].startswith("01-scored: 13 in, 13 out") and first[1].startswith("02-selected: 13 in, 12 out, dropped 1 (low_score 1)")
    assert run(raw, recipe) == ["01-scored: up to date", "02-selected: up to date"]


def test_a_changed_setting_is_refused_then_replaced_with_the_old_kept(raw):
    recipe = pipeline.load(raw / "recipe.py")
    run(raw, recipe)
    changed = recipe.with_settings(["selected.drop_score_share=0"])
    with pytest.raises(StaleOutput, match="config.drop_score_share: 0.1 -> 0"):
        run(raw, changed)
    assert run(raw, changed, replace=True)[1].startswith("02-selected: 13 in, 13 out")
    assert (raw / "runs/t/02-selected.old-1/manifest.json").exists()


def test_workers_change_no_byte(raw):
    recipe = pipeline.load(raw / "recipe.py")
    digests = []
    for workers, home in ((1, "one"), (3, "three")):
        pipeline.run(recipe, raw / home, Local(workers), lambda line: None)
        digests.append([manifest.read(folder)["digest"] for _, folder in recipe.numbered(raw / home)])
    assert digests[0] == digests[1]


def test_a_killed_step_is_made_again_with_the_same_digest(raw, monkeypatch):
    recipe = pipeline.load(raw / "recipe.py")
    run(raw, recipe)
    wanted = manifest.read(raw / "runs/t/02-selected")["digest"]
    honest = tables.save

    def killed(*given):
        honest(*given)
        raise KeyboardInterrupt
    monkeypatch.setattr(tables, "save", killed)
    other = raw / "again"
    with pytest.raises(KeyboardInterrupt):
        pipeline.run(recipe, other, Local(1), lambda line: None)
    assert not (other / "t/01-scored/manifest.json").exists() and (other / "t/01-scored/identity.json").exists()
    monkeypatch.setattr(tables, "save", honest)
    pipeline.run(recipe, other, Local(1), lambda line: None)
    assert manifest.read(other / "t/02-selected")["digest"] == wanted


@pytest.mark.parametrize(("change", "says"), [
    ({"inputs": {"conversations": "scoerd"}}, "no earlier step makes; did you mean 'scored'"), ({"name": "scored"}, "stands twice")])
def test_a_recipe_that_cannot_run_is_refused_before_anything_runs(change, says):
    first = Step(name="scored", stage="instruct.score", config=score.Config(), inputs={"conversations": "path:x"})
    with pytest.raises(ConfigError, match=says):
        Recipe(name="t", steps=(first, Step(**{"name": "selected", "stage": "instruct.select", "config": select.Config(), **change})))


@pytest.mark.parametrize(("arguments", "says"), [
    (["run", "none.py"], "none.py: no such recipe file"),
    (["run", "recipe.py", "--set", "selected.drop_score_shar=1"], "did you mean 'drop_score_share'"),
    (["run", "recipe.py", "--set", "select.x=1"], "did you mean 'selected'"),
    (["run", "recipe.py", "--set", "nonsense"], "expected step.field=value"),
    (["run", "recipe.py", "--to", "selectd"], "did you mean 'selected'"),
    (["run", "broken.py"], "broken.py: SyntaxError"),
    (["run", "missing.py"], "not there, or its step has not finished"),
    (["run", "keyword.py"], "keyword.py, line 7: TypeError: Config.__init__() got an unexpected keyword argument 'bakend', in: Step(name=\"scored\""),
    (["run", "range.py"], "range.py, line 8: drop_score_share=7: expected a share"),
    (["run", "empty.py"], "empty.py: needs a function recipe()"),
    (["run", "lookup.py"], "lookup.py, line 5: KeyError: 'nosuch'"),
    (["run", "input.py"], "step 'selected': its stage needs an input 'conversations'; did you mean 'conversation'?"),
    (["run", "outside.py"], "'../scored': a recipe's and a step's name become a folder's"),
    (["run", "comma.py"], "'Step' object is not iterable; is a comma missing after the only one of a list?"),
    (["run", "recipe.py", "--home", "recipe.py"], "not a folder (recipe.py"),
    (["show", "raw", "-n", "-1"], "-n -1: expected 0 or more"),
    (["show", "unfinished"], "unfinished: the step is not finished; run the same command again"),
    (["run", "stage.py"], "step 'selected': there is no stage 'instruct.selekt'"),
    (["run", "recipe.py", "--set", "scored.backend=remote", "--set", "scored.judge.max_chars=0"], "--set scored.backend=remote --set scored.judge.max_chars=0: step 'scored': judge: max_chars=0"),
    (["show", "runs/none"], "not there"),
    (["show", "raw", "--dropped"], "raw: holds no table; give one of: conversations"),
    (["chat", "raw", "你好"], "not a whole Hugging Face model folder, it lacks config.json"),
])
def test_a_users_mistake_is_told_in_one_message_and_exits_with_2(raw, monkeypatch, capsys, arguments, says):
    monkeypatch.chdir(raw)
    (raw / "broken.py").write_text("def recipe(:")
    (raw / "comma.py").write_text("from aquilamed.instruct import score\nfrom aquilamed.pipeline import Recipe, Step\ndef recipe():\n    return Recipe(name='t', steps=(Step(name='a', stage='instruct.score', config=score.Config())))\n")
    (raw / "unfinished").mkdir()
    (raw / "unfinished/identity.json").write_text("{}")
    (raw / "missing.py").write_text(RECIPE.replace("RAW", "nowhere"))
    for name, old, new in BROKEN:
        (raw / f"{name}.py").write_text(RECIPE.replace("RAW", str(raw / "raw")).replace(old, new, 1))
    assert cli.main(arguments) == 2
    told = capsys.readouterr().err
    assert says in told and "Traceback" not in told and told.startswith("aquilamed: ")


def test_a_stage_or_file_that_is_missing_is_told_before_any_step_runs(raw):
    first = Step(name="scored", stage="instruct.score", config=score.Config(), inputs={"conversations": f"path:{raw / 'raw'}"})
    for stage, config, says in (("instruct.selekt", select.Config(), "no stage"), ("instruct.safety", safety.Config(lexicon=Path("none.jsonl")), "none.jsonl")):
        recipe = Recipe(name="t", steps=(first, Step(name="second", stage=stage, config=config, inputs={"conversations": "scored"})))
        with pytest.raises(ConfigError, match=says):
            run(raw, recipe)
        assert not (raw / "runs/t").exists()


def test_settings_of_a_step_are_given_in_any_order(raw):
    given = ["scored.backend=remote", "scored.judge.endpoint.base_url=http://127.0.0.1:9/v1", "scored.judge.endpoint.model=m"]
    made = [pipeline.load(raw / "recipe.py").with_settings(some).steps[0].config for some in (given, given[::-1])]
    assert made[0] == made[1] and made[0].judge.endpoint.model == "m"


def test_a_reader_that_goes_away_gets_no_traceback(raw):
    gone = subprocess.run(f"{sys.executable} -m aquilamed plan recipe.py | true", shell=True, cwd=raw, capture_output=True, text=True, check=True)
    assert not gone.stderr


def test_no_disk_space_is_told_and_nothing_is_sealed(raw, monkeypatch, capsys):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", "part-00000.parquet")
    monkeypatch.chdir(raw)
    monkeypatch.setattr(tables, "save", full)
    assert cli.main(["run", "recipe.py"]) == 2
    assert "no disk space left (part-00000.parquet)" in capsys.readouterr().err
    assert not list((raw / "runs").rglob("manifest.json"))


def test_plan_tells_state_and_settings(raw, monkeypatch, capsys):
    monkeypatch.chdir(raw)
    assert cli.main(["plan", "recipe.py", "--json"]) == 0
    assert [row["state"] for row in json.loads(capsys.readouterr().out)] == ["to make", "to make"]
    run(raw, pipeline.load(raw / "recipe.py"))
    assert cli.main(["plan", "recipe.py", "--set", "selected.drop_score_share=0.5"]) == 0
    told = capsys.readouterr().out
    assert "done" in told and "stale" in told and "config.drop_score_share: 0.1 -> 0.5" in told
    assert cli.main(["plan", "recipe.py", "--set", "scored.backend=deita", "--json"]) == 0
    assert [(row["state"], row["awaits"]) for row in json.loads(capsys.readouterr().out)] == [("stale", []), ("done", ["01-scored"])]
    assert cli.main(["plan", "recipe.py", "--set", "scored.backend=deita"]) == 0 and "; made from an earlier 01-scored" in capsys.readouterr().out
    assert cli.main(["plan", "recipe.py", "--to", "scored", "--json"]) == 0 and [row["folder"] for row in json.loads(capsys.readouterr().out)] == ["01-scored"]


def test_show_tells_rows_and_why_rows_were_dropped(raw, monkeypatch, capsys):
    monkeypatch.chdir(raw)
    run(raw, pipeline.load(raw / "recipe.py"))
    assert cli.main(["show", "runs/t/02-selected", "-n", "2"]) == 0
    told = capsys.readouterr().out
    assert "in 13 = out 12 + dropped 1" in told and told.count("[user]") == 2
    assert cli.main(["show", "runs/t/02-selected", "--dropped"]) == 0
    told = capsys.readouterr().out
    assert "low_score: 1" in told and "detail: score" in told


def test_help_is_light_and_fast():
    code = "import sys; from aquilamed.cli import parser; parser().format_help(); print([m for m in ('torch','transformers','pyarrow','numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": "src"}, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_steps_line_tells_its_warnings():
    body = {"counts": {"in": 3, "out": 2, "dropped": {"over_budget": 1}}, "seconds": 1.2, "notes": {"warnings": ["medical en: 76 of 300 tokens"]}}
    assert pipeline.summary(body) == "3 in, 2 out, dropped 1 (over_budget 1), 1 s\n  warning: medical en: 76 of 300 tokens"
