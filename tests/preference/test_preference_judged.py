"""Subjective pairs by a remote doctor and a remote judge: a real server that answers as an honest, a biased and a useless one would."""

import dataclasses
import itertools
import json

import pytest
import tiny
from chat_server import completion, served

from aquilamed.core import tables
from aquilamed.core.config import canonical_json
from aquilamed.core.errors import ConfigError, ModelUnavailable
from aquilamed.engine.local import Local
from aquilamed.models import comparing
from aquilamed.models.remote import Endpoint, Reply
from aquilamed.preference import judged, subjective

ASKED = {"zh": "第{k}问：我是张伟，手机13812345678，血压160/95mmHg怎么办？", "en": "Question {k}: my phone is (415) 555-0132, my blood pressure is 160/95 mmHg, what now?"}
SAID = {"zh": "请限制钠盐{grade}，规律监测血压，必要时到心内科就诊。", "en": "Cut down on salt {grade}, measure your pressure every day and see a cardiologist if it stays high."}
WRITTEN = {"zh": "张先生您好{grade}，先不要着急，建议连测一周血压并记录，再由医生决定是否用药；出现胸痛立即拨打120。",
           "en": "Please don't worry {grade}: keep a diary of one week, then let a doctor decide on drugs; with chest pain call an ambulance at once."}
SECRETS = ("13812345678", "555-0132", "张伟")
N = 12


def grades(k):
    """How good the reference and the written answer of conversation `k` are."""
    return [(3, 1), (1, 3), (2, 2)][k % 3]


def conversations():
    for k, lang in itertools.product(range(N), ("zh", "en")):
        history = [{"role": "user", "content": "你好" if lang == "zh" else "Hello"}, {"role": "assistant", "content": "请讲。" if lang == "zh" else "Go on."}] * (k % 2)
        yield {"source": "t", "license": "Apache-2.0", "kind": "multi" if k % 2 else "single", "lang": lang, "messages": [
            *history, {"role": "user", "content": ASKED[lang].format(k=k)}, {"role": "assistant", "content": SAID[lang].format(grade="+" * grades(k)[0])}]}


def verdict(said):
    return json.dumps(dict.fromkeys((*comparing.CRITERIA, "better"), said))


def honest(shown):
    first, second = (part.count("+") for part in shown.split("<answer_B>"))
    return verdict("A" if first > second else "B" if second > first else "tie")


def clinic(judge):
    """A doctor whose answer is as good as `grades` says, and `judge(what is shown)` on the same server."""
    def answer(body, _):
        told, *_, last = (message["content"] for message in body["messages"])
        lang = "zh" if "医生" in told else "en"
        assert not any(secret in json.dumps(body, ensure_ascii=False) for secret in SECRETS) and "160/95" in last
        if "response_format" in body:
            return 200, judge(last)
        k = int("".join(filter(str.isdigit, last.split("：" if lang == "zh" else ":")[0])))
        return 200, completion(WRITTEN[lang].format(grade="+" * grades(k)[1]), finish="length" if k == 9 else "stop")
    return answer


def run(tmp_path, url, name="out", **settings):
    tables.scatter(tmp_path / "in", "conversations", tables.from_rows("conversations", conversations()))
    server = Endpoint(base_url=url, model="strong", cache=str(tmp_path / "cache"), prompt_price=1.0, reply_price=2.0)
    config = subjective.Config(**{"n_conversations": 2 * N, "writer": server, "judge": server, **settings})
    counts = subjective.run(config, {"conversations": tmp_path / "in"}, tmp_path / name, Local(1))
    dropped = list(tables.rows(tmp_path / name / "dropped", "preferences")) if counts.dropped else []
    assert counts.n_in == 2 * N == counts.n_out + sum(counts.dropped.values()) and len(dropped) == sum(counts.dropped.values())
    return counts, list(tables.rows(tmp_path / name, "preferences")), dropped


def test_an_honest_judge_makes_pairs_whoever_wins(tmp_path):
    with served(clinic(honest)) as (url, seen):
        counts, pairs, dropped = run(tmp_path, url)
        assert counts.dropped == {"tie": 8, "cut": 2} and len(seen) == 2 * N + 2 * (2 * N - 2)
        for pair in pairs:
            assert pair["chosen"].count("+") == 3 and pair["rejected"].count("+") == 1
            wrote = pair["chosen"] if pair["meta"]["winner"] == "answer" else pair["rejected"]
            assert ("不要着急" in wrote or "don't worry" in wrote) and pair["meta"]["judge"] == pair["meta"]["writer"] == "strong"
            assert pair["meta"]["criteria"].split() == [f"{key}={pair['meta']['winner']}" for key in comparing.CRITERIA]
            assert "[电话1]" in pair["prompt"][-1]["content"] or "[PHONE_1]" in pair["prompt"][-1]["content"]     # what was judged is what is kept
        notes = counts.notes
        assert {key: value for key, value in notes["verdicts"]["all"].items() if not key.endswith("_bias")} == {"n": 22, "agreement": 1.0, "verdicts": 28, "first_wins": 0.5, "pairs": 14, "reference_wins": round(6 / 14, 4), "longer_wins": round(8 / 14, 4)}
        assert set(notes["verdicts"]) == {"zh", "en", "all"} and notes["verdicts"]["zh"]["n"] == 11 and notes["masked"]["phone"] == 2 * N and "masked" in notes["sent"] and not notes["warnings"]
        assert notes["asked"]["writer"]["requests"] == 2 * N and notes["asked"]["judge"]["requests"] == 44 and notes["asked"]["judge"]["paid"]["cost"] == (7 + 3 * 2) * len(seen) / 1e6
        asked = len(seen)
        run(tmp_path, url, "again")
        assert len(seen) == asked                                             # nothing is paid twice, and the bytes are the same
    for first in tables.shards(tmp_path / "out", "preferences"):
        assert first.read_bytes() == (tmp_path / "again" / "preferences" / first.name).read_bytes()
    assert {row["detail"] for row in dropped if row["reason"] == "tie"} == {"tie / tie"}


def test_a_judge_that_likes_the_first_makes_no_pair_and_is_found_out(tmp_path):
    with served(clinic(lambda _: verdict("A"))) as (url, _):
        counts, pairs, dropped = run(tmp_path, url)
    assert not pairs and counts.dropped == {"orders_disagree": 22, "cut": 2}
    found = counts.notes["verdicts"]["all"]
    assert (found["agreement"], found["first_wins"], found["pairs"], found["longer_wins"]) == (0.0, 1.0, 0, None)
    assert {row["detail"] for row in dropped} == {"reference / answer", None}
    assert counts.notes["warnings"] == ["all: the judge said the same in both orders in 0% of 22 contests, and 100% of its verdicts went to the answer shown first"]


@pytest.mark.parametrize("said", ["我觉得两个回答都不错。", verdict("A")[:-9], '{"better": "A"}', verdict("first"), ""])
def test_what_a_judge_mumbles_is_counted_never_guessed(tmp_path, said):
    with served(clinic(lambda _: said)) as (url, _):
        counts, pairs, _ = run(tmp_path, url)
    assert not pairs and counts.dropped == {"unparsed": 22, "cut": 2} and counts.notes["verdicts"]["all"]["n"] == 0


def test_a_step_that_a_budget_stopped_goes_on_once_it_is_raised(tmp_path):
    with served(clinic(honest)) as (url, seen):
        server = Endpoint(base_url=url, model="strong", cache=str(tmp_path / "cache"), budget_tokens=2_500)
        with pytest.raises(ModelUnavailable, match="budget_tokens=2500 .* are spent.* of (24|44) requests are still to be answered"):
            run(tmp_path, url, writer=server, judge=server)
        asked = len(seen)
        raised = dataclasses.replace(server, budget_tokens=100_000)
        counts, pairs, _ = run(tmp_path, url, writer=raised, judge=raised)
        assert 0 < asked < len(seen) == 2 * N + 44 and len(pairs) == 14 and counts.notes["asked"]["judge"]["paid"] == {"prompt_tokens": 7 * len(seen), "reply_tokens": 3 * len(seen)}
    assert canonical_json(subjective.Config(n_conversations=1, judge=server)) == canonical_json(subjective.Config(n_conversations=1, judge=raised))


def test_a_writer_that_only_thinks_is_counted_and_makes_no_pair(tmp_path):
    row = {"lang": "zh", "messages": [{"role": "user", "content": "头痛怎么办？"}, {"role": "assistant", "content": "先休息。"}]}
    with served(lambda body, number: (200, completion("<think>先想想\n"))) as (url, _):
        [contest], _ = judged.written(Endpoint(base_url=url, model="strong", cache=str(tmp_path / "cache")), [judged.Contest(row=row)])
    assert (contest.answer, contest.reason) == ("", "empty")


def test_every_two_verdicts_settle_as_by_hand():
    row = {"lang": "en", "messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": "long enough"}]}
    by_hand = {("A", "B"): "reference", ("B", "A"): "answer", ("tie", "tie"): "tie"}
    settled = []
    for one, two in itertools.product([*comparing.SIDES, None], repeat=2):
        replies = [Reply(text=verdict(said) if said else "x") for said in (one, two)]
        settled.append(judged._settled(judged.Contest(row=row, answer="short"), *replies))
        expected = "unparsed" if None in (one, two) else by_hand.get((one, two), "orders_disagree")
        assert expected in (settled[-1].winner, settled[-1].reason) and bool(settled[-1].winner) != bool(settled[-1].reason)
        assert judged._settled(judged.Contest(row=row), Reply(text=None), replies[1]).reason == "judge_refused"
    found = judged.statistics(settled)["all"]
    assert {key: value for key, value in found.items() if not key.endswith("_bias")} == {"n": 9, "agreement": round(3 / 9, 4), "verdicts": 12, "first_wins": 0.5, "pairs": 2, "reference_wins": 0.5, "longer_wins": 0.5}
    assert found["position_bias"]["value"] == found["length_bias"]["value"] == 0


def test_the_models_own_answer_goes_to_a_judge_masked(tmp_path, monkeypatch):
    tiny.make(tmp_path / "m" / "model")
    monkeypatch.setattr(subjective, "sample", lambda model, rows, config: [(f"Call me on 415-555-0132, {row['id'][:4]}, and rest.", "") for row in rows])
    with served(clinic(honest)) as (url, seen):
        tables.scatter(tmp_path / "in", "conversations", tables.from_rows("conversations", conversations()))
        config = subjective.Config(n_conversations=6, judge=Endpoint(base_url=url, model="strong", cache=str(tmp_path / "cache")))
        counts = subjective.run(config, {"conversations": tmp_path / "in", "model": tmp_path / "m"}, tmp_path / "out", Local(1))
    assert len(seen) == 12 and counts.n_out == 6 and counts.notes["writer"] == "sampled" and counts.notes["judge"] == "strong" and "writer" not in counts.notes["asked"]
    with pytest.raises(ConfigError, match="a remote writer needs a judge"):
        subjective.Config(n_conversations=1, writer=config.judge)
