"""Seeds labelled twice: by a model behind a real server that answers by the clinic's truth, or by labels that the data carry."""

import json

import pytest
from chat_server import served

from aquilamed.clinic import facts, write
from aquilamed.core import tables
from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.corpus import agreement, asking, label
from aquilamed.engine.local import Local
from aquilamed.hygiene import identifiers
from aquilamed.models.remote import Endpoint


def _documents(rows):
    return tables.from_rows("documents", [{"text": text, "source": "s", "license": "MIT", "meta": meta} for text, meta in rows])


@pytest.fixture(scope="module")
def seeds():
    found = write.generate(write.Config(n_conditions=6, n_drugs=3, n_general=12, n_seeds=24), facts.load())["seeds.jsonl"]
    return list({row["text"]: row for row in found}.values())


def _run(tmp_path, rows, name="out", **settings):
    tables.scatter(tmp_path / "in", "documents", _documents(rows))
    return label.run(label.Config(**settings), {"documents": tmp_path / "in"}, tmp_path / name, Local(1))


def test_a_model_labels_by_the_clinics_truth(tmp_path, seeds):
    by_text = {identifiers.mask([row["text"]], row["lang"])[0][0]: row for row in seeds}
    swayed = next(text for text, row in by_text.items() if row["lang"] == "zh" and row["label"] == "medical")
    mute = next(text for text, row in by_text.items() if row["lang"] == "en" and row["label"] == "general")

    def answer(body, _):
        told, shown = (message["content"] for message in body["messages"])
        text = shown.removeprefix("<document>\n").removesuffix("\n</document>")
        assert ("只输出" in told) == (by_text[text]["lang"] == "zh")       # the question is in the document's language
        said = ["medical", "general"][told.index('"medical"') > told.index('"general"')] if text == swayed else by_text[text]["label"]
        return 200, "I think it is general." if text == mute else f'<think>医？</think>\n```json\n{{"label": "{said}"}}\n```'

    with served(answer) as (url, seen):
        endpoint = Endpoint(base_url=url, model="truthful", cache=str(tmp_path / "cache"))
        rows = [(row["text"], {"truth": row["label"]}) for row in seeds]
        counts = _run(tmp_path, rows, endpoint=endpoint, max_chars=100_000)
        assert counts.dropped == {"labels_disagree": 1, "unparsed": 1} and counts.n_out == len(seeds) - 2
        assert len(seen) == 2 * len(seeds) and counts.notes["asked"]["requests"] == 2 * len(seeds)
        kept = list(tables.rows(tmp_path / "out", "documents"))
        assert all(row["meta"]["label"] == row["meta"]["truth"] == row["meta"]["label_2"] for row in kept)
        assert counts.notes["agreement"]["all"]["n"] == len(seeds) - 1 and counts.notes["agreement"]["en"] == {"agreement": 1.0, "kappa": 1.0, "n": sum(r["lang"] == "en" for r in seeds) - 1}
        again = _run(tmp_path, rows, "again", endpoint=endpoint, max_chars=100_000)
        assert len(seen) == 2 * len(seeds) and again.notes["asked"]["cached"] == 2 * len(seeds)
    assert {row["text"] for row in kept} <= {row["text"] for row in seeds}     # masked for the question alone


def test_identifiers_are_masked_before_anything_is_sent(tmp_path):
    with served(lambda *_: (200, '{"label": "medical"}')) as (url, seen):
        counts = _run(tmp_path, [("患者的手机：13812345678，邮箱 li.ming@example.com。血压 150/95 mmHg。", {})], endpoint=Endpoint(base_url=url, model="m", cache=str(tmp_path / "cache")))
    sent = json.dumps([body for _, body, _ in seen], ensure_ascii=False)
    assert counts.n_out == 1 and "13812345678" not in sent and "li.ming" not in sent and "150/95 mmHg" in sent
    assert "13812345678" in next(tables.rows(tmp_path / "out", "documents"))["text"]


def test_scores_two_apart_are_dropped_and_the_mean_kept(tmp_path, seeds):
    said = {"甲": (5, 6), "乙": (2, 4), "丙": (1, 1)}

    def answer(body, _):
        told, shown = (message["content"] for message in body["messages"])
        first = told.index("advertising") < told.index("spliced")
        score = said[shown.split("\n")[1][0]][0 if first else 1]
        return 200, json.dumps({"score": score, "faults": ["spliced", "advertising"] if score == 1 and first else ["spliced"] if score == 1 else []})

    with served(answer) as (url, _):
        counts = _run(tmp_path, [(f"{name}文。", {}) for name in said], ask="quality", endpoint=Endpoint(base_url=url, model="m", cache=str(tmp_path / "cache")))
    assert counts.dropped == {"scores_disagree": 1} and counts.n_out == 2
    metas = {row["text"][0]: row["meta"] for row in tables.rows(tmp_path / "out", "documents")}
    assert (metas["甲"]["quality"], metas["甲"]["faults"], metas["丙"]["quality"], metas["丙"]["faults"]) == ("5.5", "", "1", "spliced")
    dropped, = tables.rows(tmp_path / "out" / "dropped", "documents")
    assert dropped["detail"] == "2  / 4 "
    assert counts.notes["agreement"]["all"]["agreement"] == 0.3333


def test_what_an_earlier_reading_said_does_not_count(tmp_path):
    rows = [("甲文。", {"label_1": "medical", "label_2": "general"}), ("乙文。", {"label_2": "general"})]
    with served(lambda body, _: (200, "not a label" if "乙" in str(body) else "medical")) as (url, _):
        counts = _run(tmp_path, rows, endpoint=Endpoint(base_url=url, model="m", cache=str(tmp_path / "cache")))
    left = {row["text"][0]: row["meta"] for folder in (tmp_path / "out", tmp_path / "out/dropped") if folder.is_dir() for row in tables.rows(folder, "documents")}
    assert counts.n_in == 2 and not {"label_1", "label_2"} & set(left["乙"]) and left["甲"].get("label_2") in ("medical", None)


def test_given_labels_need_no_endpoint_and_no_network(tmp_path):
    rows = [("甲", {"a": "medical", "b": "medical"}), ("乙", {"a": "medical", "b": "general"})]
    counts = _run(tmp_path, rows, given=("a", "b"))
    assert counts.dropped == {"labels_disagree": 1} and next(tables.rows(tmp_path / "out", "documents"))["meta"]["label"] == "medical" and "asked" not in counts.notes
    scored = [("Doc", {"q1": "4.5", "q2": "3", "faults_1": "spliced,advertising", "faults_2": "advertising"})]
    tables.scatter(tmp_path / "graded", "documents", _documents(scored))
    label.run(label.Config(ask="quality", given=("q1", "q2")), {"documents": tmp_path / "graded"}, tmp_path / "g", Local(1))
    meta = next(tables.rows(tmp_path / "g", "documents"))["meta"]
    assert (meta["quality"], meta["faults"]) == ("3.75", "advertising")


def test_kappa_by_hand():
    # 19 equal of 25; by chance 0.6 * 0.6 + 0.4 * 0.4 = 0.52
    first, second = ["m"] * 15 + ["g"] * 10, ["m"] * 12 + ["g"] * 3 + ["g"] * 7 + ["m"] * 3
    assert [first.count("m"), second.count("m")] == [15, 15]
    found = agreement.agreement(first, second)
    assert (found["agreement"], found["n"]) == (0.76, 25) and found["kappa"] == round((0.76 - 0.52) / 0.48, 4)
    assert agreement.agreement([], []) == {"agreement": 0.0, "kappa": 0.0, "n": 0} and agreement.agreement(["m"], ["m"])["kappa"] == 1.0


@pytest.mark.parametrize(("reply", "meant"), [
    ('{"label": "medical"}', "medical"), ("```json\n{\"label\": \"general\"}\n```", "general"), ("general", "general"), ('<think>好</think>{"label":"medical"}', "medical"),
    ("medical or general", None), ('{"label": "medicine"}', None), ('{"label": "medical", "sure": false}', None), ("医学", None), ("", None), ("[1]", None)])
def test_a_domain_is_read_or_not_at_all(reply, meant):
    assert asking.read_domain(reply) == meant


@pytest.mark.parametrize(("reply", "meant"), [
    ('{"score": 6, "faults": []}', (6.0, frozenset())), ('{"faults": ["spliced"], "score": 0}', (0.0, frozenset({"spliced"}))), ('{"score": 7, "faults": []}', None),
    ('{"score": true}', None), ('{"score": 5.5}', None), ('{"score": 3, "faults": ["boring"]}', None), ("6", None), ("Score: 6", None)])
def test_a_score_is_read_or_not_at_all(reply, meant):
    assert asking.read_quality(reply) == meant


def test_long_texts_show_their_end_too():
    assert asking.excerpt("a" * 300 + "b" * 300, 200) == "a" * 150 + "\n[…]\n" + "b" * 50 and asking.excerpt("短", 200) == "短"


def test_refusals_say_what_to_do(tmp_path):
    with pytest.raises(RecordError, match="has no meta\\['label_1'\\]; name the keys .* or configure an endpoint"):
        _run(tmp_path, [("甲", {})])
    with pytest.raises(RecordError, match="faults 'dull': expected 0..6 and faults out of advertising"):
        tables.scatter(tmp_path / "q", "documents", _documents([("甲", {"label_1": "3", "label_2": "3", "faults_1": "dull"})]))
        label.run(label.Config(ask="quality"), {"documents": tmp_path / "q"}, tmp_path / "x", Local(1))
    with pytest.raises(ConfigError, match="max_chars=3"):
        label.Config(max_chars=3)
