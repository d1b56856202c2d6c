"""What data may carry that nobody expects, and settings that mean nothing: said in one line, or passed over; never another error."""

import math

import pytest
from chat_server import served
from test_instruct_stages import save, talk

from aquilamed.core import tables, text
from aquilamed.core.errors import ConfigError, ModelUnavailable, RecordError
from aquilamed.core.sources import Questions, Turns, fields
from aquilamed.core.sources.cases import Case
from aquilamed.engine.local import Local
from aquilamed.instruct import balance, distil, dosing, join, safety, score, select
from aquilamed.models import remote
from aquilamed.preference import join as pairs
from aquilamed.preference import objective, subjective
from aquilamed.release import census


def run(stage, folder, rows, name="out", **settings):
    return stage.run(stage.Config(**settings), save(folder / "in", rows), folder / name, Local(1))


@pytest.mark.parametrize(("said", "value"), [("3.5", 3.5), ("-1e-3", -0.001), ("", None), (None, None), ("A", None), ("NaN", None), ("inf", None), ("1" * 400, None)])
def test_what_is_a_number(said, value):
    assert text.number(said) == value
    table = tables.from_rows("conversations", [talk("问", "答", meta={} if said is None else {"x": said})])
    assert tables.meta_number(table, "x").to_pylist() == [value]


@pytest.mark.parametrize("value", ["A", "NaN", "高"])
def test_a_score_of_the_data_that_is_no_number_is_named(tmp_path, value):
    with pytest.raises(ConfigError, match=f"meta score='{value}' is no number"):
        run(select, tmp_path, [talk("问一", "答", meta={"score": value})])
    run(score, tmp_path, [talk("问二", "答", meta={"relevance": value, "scorer": "gpt-4", "score_deita": value})], "scored")
    with pytest.raises(ConfigError, match=f"meta relevance='{value}' is no number.*instruct.relevance"):
        select.run(select.Config(), {"conversations": tmp_path / "scored"}, tmp_path / "selected", Local(1))
    table = tables.from_rows("conversations", [talk("问三", "答", meta={"score": value, "quality": "2.5", "complexity": ""})])
    assert census._scores(table, frozenset({"score", "quality", "complexity"})) == {("quality", "zh"): [2.5]}


@pytest.mark.parametrize("told", ["x", "3*", "3*4 5*6", ""])
def test_a_teachers_scores_are_one_pair_a_turn(tmp_path, told):
    save(tmp_path / "teacher", [talk("问", "答", meta={"turn_scores": told})])
    with pytest.raises(RecordError, match=r"meta\['turn_scores'\]=.*for each of its 1 turns"):
        list(distil._scored(tmp_path / "teacher"))


def test_a_number_without_end_is_no_dose(tmp_path):
    assert run(safety, tmp_path, [talk("布洛芬怎么吃？", "布洛芬每次" + "1" * 5000 + "片。")]).dropped == {"dangerous_dosing": 1}
    assert not dosing.search(tables.from_rows("conversations", [talk("问", "布洛芬每次一片。")])["messages"].combine_chunks().flatten().field("content"), 1.5)


def test_an_endpoint_that_has_answered_may_refuse_all_of_a_shard(tmp_path):
    with served(lambda body, _: (400, {}) if "过滤" in str(body) else (200, '{"harm": []}')) as (url, _):
        endpoint = remote.Endpoint(base_url=url, model="m", wait=0.0, tries=1, cache=str(tmp_path / "cache"))
        with pytest.raises(ModelUnavailable, match="every request was refused"):
            run(safety, tmp_path / "first", [talk("过滤", "好。")], endpoint=endpoint)
        assert run(safety, tmp_path / "fine", [talk("头痛", "休息。")], endpoint=endpoint).n_out == 1
        assert run(safety, tmp_path / "then", [talk("过滤", "好。")], endpoint=endpoint).dropped == {"unjudged": 1}


def test_more_options_than_letters_are_a_misfit_however_they_are_written():
    for mapping, options in ((Questions(stem="s", options=("o",), answer="a", answer_as="label"), {str(k): f"选{k}" for k in range(30)}),
                             (Questions(stem="s", options=("o",), answer="a", answer_as="index0"), [f"选{k}" for k in range(30)])):
        with pytest.raises(fields.Misfit, match="30 options; more than 26"):
            mapping.outcome({"s": "高血压？", "o": options, "a": "28"})


@pytest.mark.parametrize("name", ["others", "criteria", "every_turn", "rule", "judged", "tags", "subject", "scored"])
def test_a_case_may_not_name_what_it_writes_itself(name):
    with pytest.raises(ConfigError, match=f"Case: meta: {name} is written by the import itself"):
        Case(turns=Turns(), judged="grades", meta={name: "x"})


@pytest.mark.parametrize(("made", "said"), [
    (lambda: select.Config(max_records=-1), "max_records=-1"), (lambda: pairs.Config(max_pairs=-1), "max_pairs=-1"), (lambda: objective.Config(max_pairs=-1), "max_pairs=-1"),
    (lambda: balance.Config(department=math.nan), "department=nan"), (lambda: balance.Config(unlabelled=math.inf), "unlabelled=inf"),
    (lambda: subjective.Config(n_conversations=1, max_new_tokens=0), "max_new_tokens=0"), (lambda: subjective.Config(n_conversations=1, temperature=-1.0), "temperature=-1.0")])
def test_settings_that_mean_nothing_are_refused(made, said):
    with pytest.raises(ConfigError, match=said):
        made()


def test_one_folder_can_t_be_a_share_of_itself(tmp_path):
    folder = save(tmp_path / "in", [talk(f"问{k}", "答") for k in range(4)])["conversations"]
    with pytest.raises(ConfigError, match="'a' and b are the same folder"):
        join.run(join.Config(shares={"a": 0.5}), {"a": folder, "b": folder}, tmp_path / "out", Local(1))
