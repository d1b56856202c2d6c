"""The order of the options, lm-eval's form, and what was read for it: by hand, and against plain passes of a tiny model."""

import dataclasses
import json

import pytest
import tiny
import torch

from aquilamed.core import tables
from aquilamed.core.errors import ConfigError
from aquilamed.core.records import make
from aquilamed.engine.local import Local
from aquilamed.evals import choice, harness, judge, options, order, results, score
from aquilamed.evals.options import Shown
from aquilamed.models import folders

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def gemma(tmp_path_factory):
    return folders.load(tiny.make(tmp_path_factory.mktemp("gemma")), device="cpu")


def question(stem, options, answers, **more):
    return make("questions", {"stem": stem, "options": options, "answers": answers, "context": "", "subject": "", "source": "t", "license": "CC0-1.0", **more})


QUESTIONS = [
    question("发热三天，首先应做什么？", ["测体温", "手术", "不处理", "输血"], [0]),
    question("Which vitamin prevents scurvy?", ["A", "C", "D"], [1]),
    question("１岁患儿腹泻，首选？", ["补液", "抗生素"], [0]),
]
SHOTS = [question(f"例题{i}：正常体温约多少度？", ["37", "4" + str(i)], [0]) for i in range(6)] + [question(f"Example {i}: which one is a drug?", ["aspirin", f"stone {i}"], [0]) for i in range(6)]


def ask(model, asked=QUESTIONS, **style):
    style = {"form": "plain", "readings": ("letter", "letter-averaged"), "max_tokens": 2000, **style}
    return choice.score_choices(model, asked, choice.Style(**style), SHOTS)


def test_rotations_by_hand():
    assert order.orders(3, 0) == order.orders(3, 9) == [[0, 1, 2], [1, 2, 0], [2, 0, 1]]
    assert order.orders(4, 2) == [[0, 1, 2, 3], [2, 3, 0, 1]] and order.orders(4, 1) == [[0, 1, 2, 3]]
    turned = order.turned({"options": ["甲", "乙", "丙"], "answers": [0, 2], "lang": "zh"}, [1, 2, 0])
    assert (turned["options"], turned["answers"]) == (["乙", "丙", "甲"], [1, 2])


def test_every_option_stands_at_every_place_once():
    for n in range(2, 8):
        assert all(sorted(places) == list(range(n)) for places in zip(*order.orders(n, 0), strict=True))


ALWAYS_A = {"answers": [1], "orders": [[0, 1], [1, 0]], "logp": [[-1.0, -2.0], [-1.0, -2.0]]}
"""Takes the first place whatever stands there, by as much each time: settles on nothing."""
KNOWS = {"answers": [1], "orders": [[0, 1], [1, 0]], "logp": [[-2.0, -1.5], [-0.5, -3.0]]}
LEANS = {"answers": [1], "orders": [[0, 1], [1, 0]], "logp": [[-1.0, -1.2], [-0.5, -3.0]]}
"""Its first answer is A, its mean over both orders B: (-1.2 - 0.5) / 2 against (-1.0 - 3.0) / 2."""


def test_the_averaged_answer_by_hand():
    assert order.averaged(LEANS) == pytest.approx([-2.0, -0.85])
    assert [judge.judge("letter-averaged", raw) for raw in (ALWAYS_A, KNOWS, LEANS)] == [(None, 0.0), ("B", 1.0), ("B", 1.0)]
    assert judge.judge("letter", {"answers": [1], "logp": LEANS["logp"][0]}) == ("A", 0.0)


def test_bias_by_hand():
    assert order.bias([KNOWS]) == {"changed": 0.0, "picked": {"A": 0.5, "B": 0.5}, "right": {"A": 0.5, "B": 0.5}, "accuracy": {"A": 1.0, "B": 1.0}}
    found = order.bias([ALWAYS_A, KNOWS, LEANS, {**ALWAYS_A, "logp": [[-1.0, -1.0], [-1.0, -2.0]]}])
    assert found["changed"] == 0.75                                    # all but KNOWS; two equal letters are another answer than A
    assert found["picked"] == {"A": 0.75, "B": 0.125}                  # of eight: A A, B A, A A, none A
    assert found["right"] == {"A": 0.5, "B": 0.5} and found["accuracy"] == {"A": 1.0, "B": 0.25}


def test_each_order_is_asked_as_a_question_of_its_own(gemma):
    """The log-probabilities of a rotation are those of the question with its options so turned; the given order's are the letter reading's."""
    for form in ("plain", "chat"):
        found = {(a.id, a.reading): a for a in ask(gemma, form=form, n_shots=2).answers}
        for q in QUESTIONS:
            raw = found[q["id"], "letter-averaged"].raw
            assert raw["orders"] == order.orders(len(q["options"]), 0) and raw["logp"][0] == found[q["id"], "letter"].raw["logp"]
            for turn, logp in zip(raw["orders"], raw["logp"], strict=True):
                alone = ask(gemma, [order.turned(q, turn)], form=form, n_shots=2, readings=("letter",)).answers[0]
                assert logp == pytest.approx(alone.raw["logp"], abs=1e-4)


def test_averages_do_not_depend_on_the_order_the_options_are_given_in(gemma):
    for q in QUESTIONS:
        turn = order.orders(len(q["options"]), 0)[1]
        one, other = (ask(gemma, [asked], readings=("letter-averaged",)).answers[0] for asked in (q, order.turned(q, turn)))
        there = order.averaged(other.raw)
        assert order.averaged(one.raw) == pytest.approx([there[turn.index(option)] for option in range(len(turn))], abs=1e-4)


def test_worked_examples_of_a_question_s_own(gemma):
    prompts = {a.id: a.prompt for a in ask(gemma, n_shots=2, readings=("letter",), shots_by="question").answers}
    again = {a.id: a.prompt for q in QUESTIONS for a in ask(gemma, [q], n_shots=2, readings=("letter",), shots_by="question").answers}
    assert prompts == again                                            # neither the other questions nor their order tell
    many = [question(f"第{i}题：体温多少度为发热？", ["36", "38"], [1]) for i in range(12)]
    heads = lambda by: {a.prompt.rsplit("\n\n", 1)[0] for a in ask(gemma, many, n_shots=2, readings=("letter",), shots_by=by).answers}  # noqa: E731
    assert len(heads("subject")) == 1 and len(heads("question")) > 6


def test_tokens_read_are_counted(gemma):
    """Six questions and their rotations after shared examples: what is read is the least there is but for a few short beginnings read again."""
    many = [question(f"第{i}题：体温多少度为发热？", ["36", "38", "39"], [1]) for i in range(6)]
    tokens = ask(gemma, many, n_shots=2).tokens
    apart = sum(ask(gemma, [q], n_shots=2, readings=("letter",)).tokens["read"] for q in many) * 3
    assert tokens["least"] <= tokens["read"] < 1.1 * tokens["least"] < apart / 3


def test_a_reading_asks_for_no_more_than_it_needs():
    put = options.Put(question=QUESTIONS[0], shown=Shown("", (1, 2)), letters=((3,), (4,)), texts=((5, 6), (7,)), cue=Shown("", (1,)), bare=Shown("", (1, 9)))
    assert [name for name, _ in put.branches(("letter",))] == ["letter"] and put.longest(("letter",)) == 3
    assert [name for name, _ in dataclasses.replace(put, question={**QUESTIONS[0], "answers": [0, 1]}).branches(judge.CHOICE_READINGS)] == ["reply"]
    assert [name for name, _ in put.branches(judge.CHOICE_READINGS)] == ["reply", "letter", "text", "prior", "bare"] and put.longest(("text",)) == 4


def test_lm_eval_s_prompts():
    vessel = {"stem": "Which vessel? ", "options": ["aorta", "vein"], "context": "", "subject": "college_medicine_test"}
    listed = "A. aorta\nB. vein\nAnswer:"
    assert harness.put({**vessel, "source": "medqa_us_test"}) == (f"Question: Which vessel? \n{listed}", [" A", " B"])
    assert harness.put({**vessel, "source": "medmcqa_dev"}) == (f"Question: Which vessel? \nChoices:\n{listed}", [" A", " B"])
    assert harness.put({**vessel, "source": "mmlu_test"})[0].endswith(f"about college medicine.\n\nWhich vessel?\n{listed}")
    assert harness.put({**vessel, "source": "pubmedqa_test", "context": "We saw.", "options": ["yes", "no"]}) == ("Abstract: We saw.\nQuestion: Which vessel? \nAnswer:", [" yes", " no"])
    assert harness.put({**vessel, "source": "cmexam_val"}) is None
    assert judge.judge("harness", {"logp": [-2.0, -1.0, -1.0], "answers": [1]}) == ("B", 1.0)      # the first of equal ones, as there


def test_tasks_that_lm_eval_lacks_have_no_such_reading(gemma):
    asked = [QUESTIONS[1], {**QUESTIONS[1], "id": "other", "source": "medqa_x"}]
    found = ask(gemma, asked, readings=("letter", "harness"))
    assert sorted((a.id, a.reading) for a in found.answers if a.reading == "harness") == [("other", "harness")]


def test_the_stage_reports_order_and_tokens_and_replays(gemma, tmp_path):
    marked = [{**q, "meta": {"scored": "1"}, "source": "exam"} for q in QUESTIONS]
    tables.scatter(tmp_path / "benchmarks", "questions", tables.from_rows("questions", marked))
    (tmp_path / "out").mkdir()
    config = score.Config(readings=("letter", "letter-averaged"), sample_tokens=0, rotations=2)
    counts = score.run(config, {"model": gemma.folder, "benchmarks": tmp_path / "benchmarks"}, tmp_path / "out", Local(1))
    stored = json.loads((tmp_path / "out/results.json").read_text(encoding="utf-8"))
    assert results.replay(tmp_path / "out") == stored
    by_reading = {r["reading"]: r for r in stored["results"]}
    assert by_reading["letter"]["order"] is None and set(by_reading["letter-averaged"]["order"]) == {"changed", "picked", "right", "accuracy"}
    assert counts.notes["task_tokens"]["exam"]["read"] >= counts.notes["task_tokens"]["exam"]["least"] > 0
    for wrong in ({"rotations": -1}, {"shots_by": "set"}):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            score.Config(**wrong)
