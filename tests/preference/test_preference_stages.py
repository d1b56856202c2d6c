"""Objective and subjective pairs."""

import pytest
import tiny

from aquilamed.core import tables
from aquilamed.engine.local import Local
from aquilamed.preference import objective, subjective
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
    assert by_prompt["哪些是慢性病？"] == ("高血压", "流感")
    listed = next(pair for pair in pairs if "A. cardiology" in pair["prompt"][0]["content"])
    assert (listed["chosen"], listed["rejected"]) == ("B. respiratory medicine", "A. cardiology")
    assert counts.dropped == {"no_wrong_option": 1} and counts.n_in == counts.n_out + 1


def test_the_wrong_option_belongs_to_the_question_not_to_the_order(tmp_path):
    _, one = run(tmp_path, objective.Config(max_pairs=3), QUESTIONS, "a")
    counts, two = run(tmp_path, objective.Config(max_pairs=3), QUESTIONS[::-1], "b")
    assert one == two and len(one) == 3 and counts.dropped["over_cap"] == 2


@pytest.mark.parametrize(("answer", "reason"), [
    ("", "empty"), ("？？", "empty"), ("应限制钠盐，规律监测血压，并在医生指导下服药。", "too_similar"),
    ("不知道", ""), ("应限制食盐摄入量，坚持每天运动，按时测量血压并记录，在专科医生的指导下长期规律服药，定期复查。" * 1, "reference_not_better")])
def test_a_pair_that_teaches_nothing_is_dropped_with_its_reason(answer, reason):
    row = {"messages": [{"role": "user", "content": "高血压怎么办？"}, {"role": "assistant", "content": "应限制钠盐，规律监测血压，并在医生指导下服药。"}]}
    contest = subjective.by_surface(subjective.fit(Contest(row=row, answer=answer), subjective.Config(n_conversations=1)))
    assert (contest.reason, contest.winner) == (reason, "" if reason else "reference")


def test_sampled_answers_make_counted_pairs(tmp_path):
    tiny.make(tmp_path / "m" / "model")
    rows = [{**ORIGIN, "kind": "single", "messages": [{"role": "user", "content": f"头痛{i}天 headache?"}, {"role": "assistant", "content": "注意休息，多喝水，必要时就诊。"}]} for i in range(6)]
    tables.scatter(tmp_path / "in", "conversations", tables.from_rows("conversations", rows))
    given = {"model": tmp_path / "m", "conversations": tmp_path / "in"}
    config = subjective.Config(n_conversations=4, max_new_tokens=6)
    counts = subjective.run(config, given, tmp_path / "a", Local(1))
    again = subjective.run(config, given, tmp_path / "b", Local(1))
    pairs = list(tables.rows(tmp_path / "a", "preferences"))
    assert counts.notes == {"conversations_available": 6, "writer": "sampled", "judge": "surface"} and pairs
    assert all((pair["meta"]["writer"], pair["meta"]["judge"], pair["meta"]["winner"]) == ("sampled", "surface", "reference") for pair in pairs)
    assert counts.n_in == 4 == counts.n_out + sum(counts.dropped.values()) and counts == again
    assert [p.read_bytes() for p in tables.shards(tmp_path / "a", "preferences")] == [p.read_bytes() for p in tables.shards(tmp_path / "b", "preferences")]
