"""Votes: the store keeps what was said, comparisons become pairs by majority whichever way round they were shown, kappa is the textbooks'."""

import dataclasses
import json
import random
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from aquilamed import pipeline
from aquilamed.core import ballots, tables
from aquilamed.core.ballots import Ballot
from aquilamed.core.config import ConfigError
from aquilamed.core.errors import RecordError, StaleOutput
from aquilamed.core.kappa import kappa
from aquilamed.engine.local import Local
from aquilamed.hygiene import screen
from aquilamed.pipeline import Recipe, Step
from aquilamed.preference import agreement, votes

PARTS = ("患者：", "头痛，", "发热 38.5℃", "😀", "\n", "'; DROP TABLE ballots; --", "\"", "\\", "\\u0000", "Ｆｕｌｌ", "臺灣", " ", "{}", "%s", ":x", "A", "é")


def ballot(rater: str, verdict: str, number: int = 1, *, answers: tuple[str, str] = ("多喝水，注意休息。", "建议到医院做血常规检查。"), at: int = 0, **more) -> Ballot:
    return Ballot(**{"rater": rater, "cast_at": f"2026-11-{1 + at:02d}T08:00:00+08:00", "prompt": [{"role": "user", "content": f"发烧{number}天了怎么办？"}], "answer_a": answers[0], "answer_b": answers[1],
                     "verdict": verdict, "model_a": "sft", "model_b": "dpo", **more})


def turned(one: Ballot) -> Ballot:
    """The same ballot of a page that showed the answers the other way round."""
    other = {"a": "b", "b": "a"}
    return dataclasses.replace(one, answer_a=one.answer_b, answer_b=one.answer_a, model_a=one.model_b, model_b=one.model_a, verdict=other.get(one.verdict, one.verdict),
                               aspects={name: other.get(said, said) for name, said in one.aspects.items()})


def stored(folder: Path, cast: list[Ballot], name: str = "votes.sqlite") -> str:
    store = str(folder / name)
    ballots.append(ballots.opened(store), cast)
    return store


def made(folder: Path, cast: list[Ballot], **settings) -> tuple:
    """(counts, pairs) of the stage."""
    store = stored(folder, cast)
    counts = votes.run(votes.Config(store=store, license="CC-BY-4.0", **settings), {}, folder / "out", Local(1))
    return counts, sorted(tables.rows(folder / "out", "preferences"), key=lambda row: row["prompt"][0]["content"])


def test_kappa_by_hand():
    assert kappa(np.array([[20, 5], [10, 15]])) == pytest.approx(0.4)        # 0.7 agree; by chance 0.5 · 0.6 + 0.5 · 0.4 = 0.5
    assert kappa(np.array([[10, 0], [0, 10]])) == 1 and kappa(np.array([[0, 10], [10, 0]])) == -1
    assert kappa(np.array([[7, 0], [0, 0]])) is None and kappa(np.zeros((2, 2))) is None
    assert agreement.fleiss(np.array([[2, 0], [1, 1], [0, 2], [1, 1]])) == pytest.approx(0)        # half of the pairs agree; by chance too
    assert agreement.fleiss(np.array([[3, 0], [2, 1]])) == pytest.approx((2 / 3 - 26 / 36) / (1 - 26 / 36))        # pairs: 1 and 1/3; shares 5/6 and 1/6
    assert agreement.fleiss(np.array([[3, 0], [2, 0]])) is None


def test_fleiss_of_the_table_in_his_paper():
    table = ["0 0 0 0 14", "0 2 6 4 2", "0 0 3 5 6", "0 3 9 2 0", "2 2 8 1 1", "7 7 0 0 0", "3 2 6 3 0", "2 5 3 2 2", "6 5 2 1 0", "0 2 2 3 7"]
    assert agreement.fleiss(np.array([line.split() for line in table], float)) == pytest.approx(0.210, abs=5e-4)


@pytest.mark.filterwarnings("ignore")
def test_cohen_is_that_of_scikit_learn():
    chance = random.Random(2)
    for _ in range(60):
        n = chance.randint(1, 40)
        one, other = ([chance.choice(votes.VERDICTS[:chance.randint(1, 4)]) for _ in range(n)] for _ in range(2))
        found = agreement.of([{"r1": a, "r2": b} for a, b in zip(one, other, strict=True)], votes.VERDICTS, seed=1, key="all")
        wanted = cohen_kappa_score(one, other)
        assert (found["kappa"] is None and np.isnan(wanted)) or found["kappa"] == pytest.approx(wanted, abs=1e-4)


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    rng, held = np.random.default_rng(4), 0
    for trial in range(40):
        first = rng.integers(0, 2, 120)
        second = np.where(rng.random(120) < 0.2, 1 - first, first)        # kappa 0.6: 0.8 agree, 0.5 by chance
        said = [{"r1": votes.VERDICTS[a], "r2": votes.VERDICTS[b]} for a, b in zip(first, second, strict=True)]
        found = agreement.of(said, votes.VERDICTS, seed=trial, key="all")
        held += found["low"] <= 0.6 <= found["high"]
    assert held >= 34


def test_the_store_gives_back_what_was_cast(tmp_path):
    chance = random.Random(7)
    def text() -> str:
        return "x" + "".join(chance.choices(PARTS, k=6))
    cast = [Ballot(rater=f"r{k % 5}", cast_at=f"2026-11-30T10:{k % 60:02d}:00+08:00", prompt=[{"role": "system", "content": text()}, {"role": "user", "content": text()}], answer_a=text(), answer_b=text(),
                   verdict=chance.choice(ballots.VERDICTS), model_a=text(), aspects={text(): "tie"}, reason=text()) for k in range(150)]
    (tmp_path / "votes.jsonl").write_text("\n".join(json.dumps(dataclasses.asdict(one), ensure_ascii=chance.random() < 0.5) for one in cast) + "\n", encoding="utf-8")
    store = stored(tmp_path, cast[:100])
    ballots.append(ballots.opened(store), cast[100:])
    assert ballots.read(store) == cast == ballots.read(str(tmp_path / "votes.jsonl"))
    assert ballots.digest(ballots.read(store)) == ballots.digest(cast) != ballots.digest(cast[:-1])
    assert cast[0].cast_at == "2026-11-30T02:00:00.000000+00:00"
    assert ballots.read(store, "2026-11-30T10:01:00+08:00") == [one for one in cast if one.cast_at < "2026-11-30T02:01"]


def test_many_pages_may_cast_at_once(tmp_path):
    store = str(tmp_path / "deep" / "votes.sqlite")
    def cast(rater: str) -> None:
        database = ballots.opened(store)
        for number in range(15):
            ballots.append(database, [ballot(rater, "a", number)])
    threads = [threading.Thread(target=cast, args=(f"r{k}",)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(one.rater for one in ballots.read(store)) == {f"r{k}": 15 for k in range(4)}


@pytest.mark.parametrize(("field", "value"), [
    ("rater", "张三"), ("rater", "li@example.org"), ("rater", ""), ("cast_at", "yesterday"), ("cast_at", "2026-11-30T10:00:00"), ("verdict", "A"), ("prompt", []), ("prompt", "发烧怎么办"),
    ("prompt", [{"role": "user", "content": 3}]), ("prompt", [{"role": "assistant", "content": "x"}]), ("answer_a", " "), ("answer_b", None), ("aspects", {"fluency": "both_bad"}), ("reason", "a\0b"), ("answer_a", "\ud800"),
])
def test_what_is_no_ballot_is_refused(field, value):
    with pytest.raises(RecordError, match=f"^{field}: "):
        ballot("r1", "a", **{field: value}) if field not in ("rater", "verdict") else ballot(**{"rater": "r1", "verdict": "a", field: value})


def test_stores_that_cannot_be_read_are_named(tmp_path):
    (tmp_path / "bad.jsonl").write_text(json.dumps(dataclasses.asdict(ballot("r1", "a"))) + '\n{"rater": "r1", "winner": "a"}\n', encoding="utf-8")
    with pytest.raises(RecordError, match=r"bad.jsonl, line 2: row: unknown keys winner"):
        ballots.read(str(tmp_path / "bad.jsonl"))
    (tmp_path / "bad.jsonl").write_text('{"rater": "r1"', encoding="utf-8")
    with pytest.raises(RecordError, match=r"bad.jsonl, line 1"):
        ballots.read(str(tmp_path / "bad.jsonl"))
    with pytest.raises(ConfigError, match="JSON lines are only read"):
        ballots.opened(str(tmp_path / "new.jsonl"))
    with pytest.raises(ConfigError, match="not there"):
        ballots.read(str(tmp_path / "none.sqlite"))
    (tmp_path / "text.sqlite").write_text("no database " * 100, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"text.sqlite: can't be used as a database of ballots"):
        ballots.read(str(tmp_path / "text.sqlite"))
    with pytest.raises(ConfigError, match="no database URL"):
        ballots.read("nosuch://host/name")
    for url in ("postgresql://me:secret@host/votes", "postgresql://host/votes?user=me&password=secret"):
        with pytest.raises(ConfigError, match="holds a password") as told:
            votes.Config(store=url, license="unknown")
        assert "secret" not in str(told.value)


@pytest.mark.parametrize(("field", "value"), [("min_raters", 0), ("majority", 0.4), ("majority", 1.0), ("until", "2026-11-30"), ("license", "")])
def test_settings_that_cannot_be_meant_are_refused(field, value):
    with pytest.raises(ConfigError, match=field):
        votes.Config(**{"store": "votes.sqlite", "license": "unknown", field: value})


def test_each_way_a_comparison_can_end(tmp_path):
    cast = [
        *(ballot(rater, said, 1) for rater, said in (("r1", "a"), ("r2", "a"), ("r3", "b"))),                              # a wins, 2 of 3
        turned(ballot("r1", "b", 2)), ballot("r2", "b", 2), ballot("r3", "tie", 2),                                       # b wins, once shown first
        *(ballot(rater, said, 3) for rater, said in (("r1", "tie"), ("r2", "tie"), ("r3", "a"))), *(ballot(rater, "both_bad", 4) for rater in ("r1", "r2")),
        ballot("r1", "a", 5), ballot("r2", "b", 5), ballot("r1", "a", 6), *(ballot(rater, "a", 7, answers=("一样。", "一样。")) for rater in ("r1", "r2")),
        ballot("r2", "b", 8), ballot("r1", "a", 8, at=1), ballot("r1", "b", 8, at=9), ballot("r1", "a", 8, at=2),             # r1's last word is b
    ]
    counts, pairs = made(tmp_path, cast, min_raters=2)
    assert (counts.n_in, counts.n_out, dict(counts.dropped)) == (8, 3, {"tie": 1, "both_bad": 1, "split": 1, "too_few_raters": 1, "identical": 1})
    assert counts.notes["ballots"] == len(cast) and counts.notes["superseded"] == 2 and counts.notes["raters"] == 3 and counts.langs == {"zh": 3}
    told = [(row["prompt"][0]["content"], row["chosen"], row["meta"]["votes"], row["meta"]["chosen_model"], row["meta"]["rejected_model"]) for row in pairs]
    drink, doctor = "多喝水，注意休息。", "建议到医院做血常规检查。"
    assert told == [("发烧1天了怎么办？", drink, "2:0:1:0", "sft", "dpo"), ("发烧2天了怎么办？", doctor, "2:1:0:0", "dpo", "sft"), ("发烧8天了怎么办？", doctor, "2:0:0:0", "dpo", "sft")]
    assert {row["kind"] for row in pairs} == {"vote"} and {row["license"] for row in pairs} == {"CC-BY-4.0"}
    dropped = tables.load(tmp_path / "out" / "dropped" / "preferences-00000.parquet").to_pylist()
    assert {row["reason"]: row["detail"] for row in dropped}["split"] in ("first 1, second 1",) and len(dropped) == 5


def test_neither_the_order_of_ballots_nor_the_side_an_answer_is_shown_on_matters(tmp_path):
    chance = random.Random(11)
    cast = [ballot(f"r{rater}", chance.choice(ballots.VERDICTS), number, at=(rater + number) % 25, aspects={"fluency": chance.choice(ballots.ASPECT_VERDICTS)}, answers=(f"答{number}", f"Answer {number}"))
            for number in range(30) for rater in range(4) if chance.random() < 0.8]
    first, pairs = made(tmp_path / "one", cast)
    for trial in range(3):
        mixed = [turned(one) if chance.random() < 0.5 else one for one in chance.sample(cast, len(cast))]
        counts, others = made(tmp_path / str(trial), mixed)
        assert others == pairs and (counts.n_in, counts.dropped) == (first.n_in, first.dropped) and counts.n_in == counts.n_out + counts.dropped.total()
        assert len(cast) > 80 and {**counts.notes, "shown_first_won": 0} == {**first.notes, "shown_first_won": 0}
    assert len(pairs) > 3 and all(sum(map(int, row["meta"]["aspect_fluency"].split(":"))) == int(row["meta"]["raters"]) for row in pairs)


def test_who_votes_at_random_is_named_and_the_languages_are_told_apart(tmp_path):
    chance, cast = random.Random(3), []
    for number in range(80):
        answers = (f"第{number}种建议。", f"另有{number}种说法。") if number % 2 else (f"Advice {number}, as usual.", f"Words {number}, once more.")
        prompt = [{"role": "user", "content": f"第{number}问" if number % 2 else f"Question {number}, please?"}]
        truth = chance.choice(("a", "b"))
        for rater in ("careful", "steady", "sound"):
            cast.append(ballot(rater, truth if chance.random() < 0.9 else "tie", number, answers=answers, prompt=prompt))
        cast.append(ballot("dice", chance.choice(("a", "b")), number, answers=answers, prompt=prompt))
    counts, _ = made(tmp_path, cast)
    assert counts.notes["no_better_than_chance"] == ["dice"] and "dice" in counts.notes["warnings"][0]
    found = counts.notes["agreement"]
    assert sorted(found) == ["all", "en", "zh"] and found["zh"]["comparisons"] == found["en"]["comparisons"] == 40 and found["all"]["method"] == "fleiss"
    assert found["all"]["low"] < found["all"]["kappa"] < found["all"]["high"] and counts.notes["agreement_by_rater"]["careful"]["low"] > 0.2
    two, _ = made(tmp_path / "two", [one for one in cast if one.rater in ("careful", "steady")])
    assert two.notes["agreement"]["zh"]["method"] == "cohen" and two.notes["no_better_than_chance"] == []


def test_pages_that_favour_the_first_place_show_it(tmp_path):
    cast = [ballot("r1", "a" if number % 10 else "b", number) for number in range(40)]
    counts, _ = made(tmp_path, [turned(one) if number % 2 else one for number, one in enumerate(cast)])
    assert counts.notes["shown_first_won"]["n"] == 40 and counts.notes["shown_first_won"]["share"] == pytest.approx(0.5, abs=0.1)
    counts, _ = made(tmp_path / "biased", cast)
    assert counts.notes["shown_first_won"]["low"] > 0.5


def test_a_store_that_has_grown_is_another_store_unless_the_recipe_says_until_when(tmp_path):
    store = stored(tmp_path, [ballot("r1", "a", 1, answers=("我叫王小明，电话13812345678。", "好的。")), ballot("r1", "b", 2)])

    def recipe(until: str) -> Recipe:
        return Recipe(name="v", steps=(
            Step(name="votes", stage="preference.votes", config=votes.Config(store=store, license="unknown", until=until)),
            Step(name="safe", stage="hygiene.screen", config=screen.Config(kind="preferences", identifiers="mask"), inputs={"preferences": "votes"})))
    lines: list[str] = []
    for until in ("", "2026-11-20T00:00:00+00:00"):
        pipeline.run(recipe(until), tmp_path / f"runs{until[:4]}", Local(1), lines.append)
    ballots.append(ballots.opened(store), [ballot("r2", "b", 2, at=25)])
    pipeline.run(recipe("2026-11-20T00:00:00+00:00"), tmp_path / "runs2026", Local(1), lines.append)
    assert lines[-2:] == ["01-votes: up to date", "02-safe: up to date"]
    with pytest.raises(StaleOutput, match="file:ballots"):
        pipeline.run(recipe(""), tmp_path / "runs", Local(1), lines.append)
    assert "13812345678" not in json.dumps(list(tables.rows(tmp_path / "runs" / "v" / "02-safe", "preferences")), ensure_ascii=False)


def test_the_table_can_be_made_in_postgresql():
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.schema import CreateTable
    made_of = str(CreateTable(ballots.table()).compile(dialect=postgresql.dialect()))
    assert "id SERIAL NOT NULL" in made_of and "prompt JSON NOT NULL" in made_of and made_of.count("TEXT NOT NULL") == 5


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00"])
def test_a_time_outside_the_calendar_is_named(text):
    with pytest.raises(RecordError, match="is before the year 1 or after 9999 in UTC"):
        ballots.utc(text)
