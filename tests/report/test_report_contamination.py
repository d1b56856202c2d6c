"""What the page says of gates and of contamination, with figures made by hand."""

import re

import fake_run

from aquilamed.core.counts import Counts
from aquilamed.report import contamination, limits, runs

ONE = Counts(n_in=1, n_out=1)


def words(text) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_a_gates_figures_and_what_was_allowed(tmp_path):
    asked = [{"task": "bpb-general", "lang": "zh", "reading": "bits", "n": 30, "delta": 0.041, "delta_low": 0.038, "delta_high": 0.045, "limit": "passed", "allowed": 0.03},
             {"task": "exam", "lang": "en", "reading": "letter", "n": 40, "delta": -0.05, "delta_low": -0.12, "delta_high": 0.02, "limit": "doubtful", "allowed": 0.025},
             {"task": "exam", "lang": "all", "reading": "letter", "n": 0, "delta": None, "delta_low": None, "delta_high": None, "limit": "kept", "allowed": 0.02}]
    fake_run.Maker(tmp_path / "r").step("gate-sft", "evals.gate", Counts(n_in=3, n_out=3, notes={"limits": asked}))
    shown = limits.show(runs.load(tmp_path / "r"))
    for wanted in ("01 gate-sft bpb-general bits zh 30 +0.041 +0.038 – +0.045 0.030 passed", "exam letter en 40 −5.0 −12.0 – +2.0 2.5 % passed, not beyond doubt", "all 0 – 2.0 % kept", "上限"):
        assert wanted in words(shown)
    assert '<span class="lost">passed</span>' in shown


def split(stage, **more):
    empty = {f"{name}{end}": None for name in ("found", "rest", "apart", "gain_found", "gain_rest", "gain_apart") for end in ("", "_low", "_high")}
    return {"stage": stage, "task": "exam", "lang": "zh", "reading": "letter", "n_found": 0, "n_rest": 40, "visible": None, **empty} | more


def test_both_tables_of_contamination(tmp_path):
    maker = fake_run.Maker(tmp_path / "r")
    far = {"found": 0.9, "found_low": 0.6, "found_high": 0.98, "rest": 0.4, "rest_low": 0.26, "rest_high": 0.55, "apart": 0.5, "apart_low": 0.17, "apart_high": 0.66,
           "gain_apart": 0.425, "gain_apart_low": 0.05, "gain_apart_high": 0.7, "n_found": 10, "visible": 0.4321}
    maker.step("overlap", "evals.overlap", ONE, files={"overlap.json": {"items": [], "rows": [split("base", rest=0.4, rest_low=0.26, rest_high=0.55), split("sft", **far),
                                                                                                       *(split(stage, lang="en", n_rest=1234) for stage in ("base", "sft"))]}})
    rows = [{"task": "exam", "lang": "zh", "n": 40, "beaten": 0.71, "low": 0.6, "high": 0.82, "likeliest": 9, "chance": 2.0, "lead": 1.25},
            {"task": "exam", "lang": "en", "n": 40, "beaten": 0.52, "low": 0.43, "high": 0.61, "likeliest": 2, "chance": 2.0, "lead": -0.1}]
    maker.step("memorised", "evals.memorised", ONE, files={"memorised.json": {"against": "reference", "rows": rows}})
    shown = contamination.show(runs.load(tmp_path / "r"))
    for wanted in ("exam letter zh base 0 40 – 40.0 % 26–55 – – –", "exam letter zh sft 10 40 90.0 % 60–98 40.0 % 26–55 +50.0 +17 – +66 43.2 +42.5 +5 – +70",
                   "Of these no item was found 以下各项无一题被发现 : exam en letter (1,234)", "02 memorised exam zh 40 71.0 % 60–82 9 2.0 +1.25", "exam en 40 52.0 % 43–61 2 2.0 −0.10", "数据污染"):
        assert wanted in words(shown), words(shown)
    assert shown.count('class="lost"') == 3         # both differences of the stage, and the order that is known; no more


def test_a_run_without_them_says_nothing(tmp_path):
    fake_run.Maker(tmp_path / "r").step("base", "models.prepare", ONE)
    run = runs.load(tmp_path / "r")
    assert contamination.show(run) == "" == limits.show(run)
