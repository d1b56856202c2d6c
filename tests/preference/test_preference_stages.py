"""Objective and subjective pairs."""

import json
import random
from pathlib import Path

import pytest
import tiny

from aquilamed.clinic import facts
from aquilamed.core import manifest, tables
from aquilamed.core.counts import Counts
from aquilamed.core.errors import ConfigError
from aquilamed.engine.local import Local
from aquilamed.preference import faults, objective, sentences, subjective
from aquilamed.preference.judged import Contest

ORIGIN = {"source": "t", "license": "Apache-2.0"}


def question(stem, options, answers, lang):
    return {**ORIGIN, "stem": stem, "options": options, "answers": answers, "context": "", "subject": "", "lang": lang, "meta": {}}


QUESTIONS = [
    question("高血压看哪个科？", ["骨科", "心内科", "眼科"], [1], "zh"),
    question("Which clinic treats asthma?", ["cardiology", "respiratory medicine"], [1], "en"),
    question("以下哪些是症状？", ["头痛", "发热"], [0, 1], "zh"),
    question("哪些是慢性病？", ["流感", "高血压", "糖尿病"], [1, 2], "zh"),
]


def run(tmp_path, config, rows=QUESTIONS, out="out"):
    tables.scatter(tmp_path / f"in-{out}", "questions", tables.from_rows("questions", rows))
    counts = objective.run(config, {"questions": tmp_path / f"in-{out}"}, tmp_path / out, Local(1))
    return counts, list(tables.rows(tmp_path / out, "preferences"))


def test_the_true_option_is_chosen_over_a_wrong_one(tmp_path):
    counts, pairs = run(tmp_path, objective.Config())
    by_prompt = {pair["prompt"][0]["content"]: (pair["chosen"], pair["rejected"]) for pair in pairs}
    assert by_prompt["Which clinic treats asthma?"] == ("respiratory medicine", "cardiology")
    chosen, rejected = by_prompt["高血压看哪个科？"]
    assert chosen == "心内科" and rejected in ("骨科", "眼科")
    chosen, rejected = by_prompt["哪些是慢性病？"]
    assert chosen == "高血压\n糖尿病" and rejected in ("流感\n高血压", "流感\n糖尿病")
    chosen, rejected = next((pair["chosen"], pair["rejected"]) for pair in pairs if "B. 高血压\nC. 糖尿病" in pair["prompt"][0]["content"])
    assert chosen == "B、C" and rejected in ("A、B", "A、C")
    assert [pair["chosen"] for pair in pairs if pair["prompt"][0]["content"] == "Which clinic treats asthma?\nAnswer in one sentence."][0] in {
        frame.format("respiratory medicine") for frame in sentences.FRAMES["en"]}
    listed = next(pair for pair in pairs if "A. cardiology" in pair["prompt"][0]["content"])
    assert (listed["chosen"], listed["rejected"]) == ("B. respiratory medicine", "A. cardiology")
    assert counts.dropped == {"no_wrong_option": 1} and counts.n_in == counts.n_out + 1


def test_the_wrong_option_belongs_to_the_question_not_to_the_order(tmp_path):
    _, one = run(tmp_path, objective.Config(max_pairs=3), QUESTIONS, "a")
    counts, two = run(tmp_path, objective.Config(max_pairs=3), QUESTIONS[::-1], "b")
    assert one == two and len(one) == 3 and counts.dropped["over_cap"] == 6


def generated(n, seed=0):
    """Questions in both languages with one or several right options, some of them parts of others or ending in a stop."""
    chance = random.Random(seed)
    named = [(fact["zh"], fact["en"]) for fact in facts.load().conditions]
    for number in range(n):
        lang = ("zh", "en")[number % 2]
        names = [pair[number % 2] for pair in chance.sample(named, chance.randint(2, 6))]
        names = list(dict.fromkeys([*names, chance.choice(names) + ("危象", " crisis")[number % 2]]))
        options = [name + chance.choice(["", "", "。" if lang == "zh" else "."]) for name in names]
        yield question(f"第{number}题，以下何者正确？" if lang == "zh" else f"Question {number}: which of these is right?", options,
                       sorted(chance.sample(range(len(options)), chance.randint(1, len(options) - 1))), lang)


def test_every_form_keeps_to_the_key_and_a_swap_is_seen(tmp_path):
    rows = [*generated(400)]
    counts, pairs = run(tmp_path, objective.Config(), rows)
    assert counts.n_out == 1200 and counts.notes["forms"] == {"letter": 400, "sentence": 400, "text": 400}
    frames = set()
    for pair in pairs:
        assert faults.of(pair) == ("", "") and pair["chosen"] != pair["rejected"]
        assert faults.of({**pair, "chosen": pair["rejected"], "rejected": pair["chosen"]})[0] == "worse_by_check"
        if pair["meta"]["form"] == "sentence":
            ends = [(frame, *frame.split("{}")) for frame in sentences.FRAMES[pair["lang"]]]
            shared = [frame for frame, head, tail in ends if all(answer.startswith(head) and answer.endswith(tail) for answer in (pair["chosen"], pair["rejected"]))]
            assert len(shared) == 1 and "。。" not in pair["chosen"] and ".." not in pair["chosen"]
            frames |= set(shared)
    assert frames == {frame for some in sentences.FRAMES.values() for frame in some}
    of_question = {pair["meta"]["question"] for pair in pairs}
    assert len(of_question) == 400 and all(len(json.loads(pair["meta"]["key"])["wrong"]) == 1 for pair in pairs)


def test_benchmark_questions_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="holds benchmark questions .*training questions"):
        run(tmp_path, objective.Config(), [{**QUESTIONS[0], "meta": {"scored": "0"}}])
    identity = manifest.Identity(stage="evals.benchmarks", version=1, config={}, inputs={})
    for part in (Path(), Path("shots")):
        folder = tmp_path / "benchmarks"
        tables.scatter(folder / part, "questions", tables.from_rows("questions", QUESTIONS))
        manifest.seal(folder, identity, Counts(n_in=0, n_out=0), step="benchmarks", paper="3.1", seconds=0.0, provenance={})
        with pytest.raises(ConfigError, match=r"benchmark questions \(evals\.benchmarks\)"):
            objective.run(objective.Config(), {"questions": folder / part}, tmp_path / "out", Local(1))


@pytest.mark.parametrize(("answer", "reason"), [
    ("", "empty"), ("？？", "empty"), ("应限制钠盐，规律监测血压，并在医生指导下服药。", "too_similar"),
    ("不知道", ""), ("应限制食盐摄入量，坚持每天运动，按时测量血压并记录，在专科医生的指导下长期规律服药，定期复查。" * 1, "reference_not_better")])
def test_a_pair_that_teaches_nothing_is_dropped_with_its_reason(answer, reason):
    row = {"messages": [{"role": "user", "content": "高血压怎么办？"}, {"role": "assistant", "content": "应限制钠盐，规律监测血压，并在医生指导下服药。"}]}
    contest = subjective.by_surface(subjective.fit(Contest(row=row, answer=answer), subjective.Config(n_conversations=1)))
    assert (contest.reason, contest.winner) == (reason, "" if reason else "reference")


def test_sampled_answers_make_counted_pairs(tmp_path):
    tiny.make(tmp_path / "m" / "model", spread=0.1)                          # so even a choice that half of its answers end within 60 tokens
    rows = [{**ORIGIN, "kind": "single", "messages": [{"role": "user", "content": f"头痛{i}天 headache?"}, {"role": "assistant", "content": "注意休息，多喝水，必要时就诊。"}]} for i in range(20)]
    tables.scatter(tmp_path / "in", "conversations", tables.from_rows("conversations", rows))
    given = {"model": tmp_path / "m", "conversations": tmp_path / "in"}
    config = subjective.Config(n_conversations=16, max_new_tokens=60)
    counts = subjective.run(config, given, tmp_path / "a", Local(1))
    again = subjective.run(config, given, tmp_path / "b", Local(1))
    pairs = list(tables.rows(tmp_path / "a", "preferences"))
    assert counts.notes == {"conversations_available": 20, "writer": "sampled", "judge": "surface"} and pairs
    assert all((pair["meta"]["writer"], pair["meta"]["judge"], pair["meta"]["winner"]) == ("sampled", "surface", "reference") for pair in pairs)
    assert counts.n_in == 16 == counts.n_out + sum(counts.dropped.values()) and counts == again
    short = subjective.run(subjective.Config(n_conversations=16, max_new_tokens=2), given, tmp_path / "c", Local(1))
    assert 0 < counts.dropped["cut"] < short.dropped["cut"]                  # an answer that has not ended makes no pair
    assert [p.read_bytes() for p in tables.shards(tmp_path / "a", "preferences")] == [p.read_bytes() for p in tables.shards(tmp_path / "b", "preferences")]
