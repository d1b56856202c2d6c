"""Complexity times quality by four scorers: each against what can be worked out without it."""

import itertools
import json
import re

import numpy as np
import pytest
import tiny
import torch
from chat_server import served

from aquilamed.core import ranks, tables
from aquilamed.core.errors import ConfigError, ModelUnavailable, RecordError
from aquilamed.core.sources import known
from aquilamed.engine.local import Local
from aquilamed.instruct import distil, importing, rating, score
from aquilamed.models import deita, folders, surface
from aquilamed.models.remote import Endpoint, Reply


def talk(*turns, **fields):
    roles = ("user", "assistant") * len(turns)
    return {"source": "t", "license": "MIT", "kind": "multi" if len(turns) > 2 else "single",
            "messages": [{"role": role, "content": turn} for role, turn in zip(roles, turns, strict=False)], **fields}


def run(tmp_path, rows, name="out", inputs=(), **settings):
    if rows is not None:
        tables.scatter(tmp_path / "in", "conversations", tables.from_rows("conversations", rows))
    counts = score.run(score.Config(**settings), {"conversations": tmp_path / "in", **dict(inputs)}, tmp_path / name, Local(2))
    return counts, list(tables.rows(tmp_path / name, "conversations"))


def test_a_dialogues_score_is_the_mean_over_its_turns(tmp_path):
    one, two = ("头痛怎么办？", "注意休息。"), ("How long does influenza last?", "About one week; see a doctor if it gets worse.")
    counts, (row,) = run(tmp_path, [talk(*one, *two)])
    c, q = zip(*((surface.complexity(asked), surface.quality(asked, said)) for asked, said in (one, two)), strict=True)
    meta = row["meta"]
    assert float(meta["score"]) == pytest.approx((c[0] * q[0] + c[1] * q[1]) / 2, abs=1e-3)
    assert (float(meta["complexity"]), float(meta["answer_quality"]), meta["scorer"]) == (pytest.approx(sum(c) / 2, abs=1e-3), pytest.approx(sum(q) / 2, abs=1e-3), "surface")
    assert meta["turn_scores"] == f"{c[0]:.3f}*{q[0]:.3f} {c[1]:.3f}*{q[1]:.3f}" and counts.notes["turns_scored"] == 2


@pytest.mark.parametrize("architecture", ["llama", "qwen2"])
def test_deitas_scores_are_the_expected_values_of_plain_forward_passes(architecture, tmp_path):
    hard, good = (tiny.make(tmp_path / name, architecture, seed=seed) for seed, name in enumerate(("c", "q")))
    turns = [("发热三天，{怎么办}？", "多喝水。"), ("What is 38.5 °C in Fahrenheit?", "101.3 {instruction} {output}"), ("发热三天，{怎么办}？", "就诊。"), ("x" * 900, "y")]
    found = deita.ratings(str(hard), str(good), turns, 600)
    assert found[3] is None and len({q for _, q in found[:3]}) == 3
    for (asked, said), own in zip(turns[:3], found[:3], strict=True):
        prompts = (f"You are a helpful assistant. Please identify the complexity score of the following user query. \n##Query: {asked}  \n##Complexity: ",
                   f"You are a helpful assistant. Please identify the quality score of the Response corresponding to the Question. \n #Question#:\n{asked}\n#Response#:\n{said} \n##Quality: ")
        for folder, prompt, value in zip((hard, good), prompts, own, strict=True):
            model = folders.load(folder)
            with torch.no_grad():
                logits = model.network(torch.tensor([model.tokenizer(prompt)["input_ids"]])).logits[0, -1]
            shares = logits[[model.tokenizer(str(k), add_special_tokens=False)["input_ids"][-1] for k in range(1, 7)]].softmax(0)
            assert value == pytest.approx(float(shares @ torch.arange(1.0, 7.0)), abs=1e-3)


def test_deita_by_the_stage_counts_what_is_too_long(tmp_path):
    model = str(tiny.make(tmp_path / "m", "llama"))
    settings = {"backend": "deita", "deita": score.Deita(complexity=model, quality=model, max_tokens=600)}
    assert score.files(score.Config(**settings)) == [tmp_path / "m"]
    counts, rows = run(tmp_path, [talk("头痛", "休息。"), talk("Cough?", "Rest.", "x" * 900, "y"), talk("z" * 900, "y")], **settings)
    assert counts.dropped == {"too_long": 1} and counts.notes["turns_scored"] == 2 and counts.notes["turns_too_long"] == 2
    assert re.fullmatch(r"\d\.\d{3}\*\d\.\d{3} -", next(row for row in rows if row["lang"] == "en")["meta"]["turn_scores"])
    with pytest.raises(ModelUnavailable, match="a hub id would read owner/name"):
        deita.ratings(str(tmp_path / "none"), model, [("a", "b")], 600)


def test_a_model_asked_twice_scores_what_it_agrees_on(tmp_path):
    said = {"甲": (3, 4), "乙": (2, 5), "丙": None, "Fever": (6, 6), "Long": (1, 1)}

    def answer(body, _):
        told, shown = (message["content"] for message in body["messages"])
        name = re.search(r"<user>\n(甲|乙|丙|Fever|Long)", shown)[1]
        first = told.index("complexity") < told.index("quality")
        assert ("只输出" in told) == (name in "甲乙丙") and "13812345678" not in shown
        if said[name] is None:
            return 200, "很好"
        return 200, json.dumps({"complexity": said[name][0 if first else 1], "quality": 4})

    with served(answer) as (url, seen):
        judge = rating.Judge(endpoint=Endpoint(base_url=url, model="m", cache=str(tmp_path / "cache")), max_chars=60)
        rows = [talk("甲问，电话13812345678", "答。"), talk("乙问", "答。", "甲又问", "答。"), talk("乙三问", "答。"), talk("丙问", "答。"), talk("Fever?", "Rest."), talk("Long" * 40, "No.")]
        counts, kept = run(tmp_path, rows, backend="remote", judge=judge)
        assert counts.dropped == {"scores_disagree": 1, "unparsed": 1, "too_long": 1} and counts.notes["asked"]["requests"] == len(seen) == 12
        assert (counts.notes["turns_scored"], counts.notes["turns_scores_disagree"], counts.notes["turns_unparsed"]) == (3, 2, 1)
        found = {row["messages"][0]["content"][:2]: row["meta"] for row in kept}
        assert (found["甲问"]["turn_scores"], found["乙问"]["turn_scores"], found["Fe"]["score"]) == ("3.500*4.000", "- 3.500*4.000", "24.000")
        run(tmp_path, None, "again", backend="remote", judge=judge)
        assert len(seen) == 12                                               # answered by the cache
    assert "13812345678" in next(row for row in kept if row["messages"][0]["content"][0] == "甲")["messages"][0]["content"]


@pytest.mark.parametrize(("reply", "meant"), [
    ('{"complexity": 3, "quality": 6}', (3, 6)), ('<think>…</think>```json\n{"quality": 1, "complexity": 2}\n```', (2, 1)), ('{"complexity": 0, "quality": 6}', None), ('{"complexity": 3.5, "quality": 6}', None),
    ('{"complexity": true, "quality": 6}', None), ('{"complexity": 3}', None), ('{"complexity": 3, "quality": 6, "sure": 1}', None), ("3 6", None), ("", None)])
def test_a_rating_is_read_or_not_at_all(reply, meant):
    assert rating.read(reply) == meant


def test_both_wordings_name_the_scales_in_opposite_order_and_refusals_have_no_score():
    for lang, turn in (("zh", ("问", "答", "zh")), ("en", ("Q", "A", "en"))):
        orders = [re.findall(r"complexity|quality", rating.question(turn, wording)[0]["content"]) for wording in (0, 1)]
        assert orders == [["complexity", "quality"] * 2, ["quality", "complexity"] * 2], lang
    replies = [Reply(text='{"complexity": 2, "quality": 4}'), Reply(text='{"quality": 5, "complexity": 3}'), Reply(text='{"complexity": 4, "quality": 4}'), Reply(text=None)]
    judge = rating.Judge()
    assert [rating.settled(judge, *pair) for pair in ((replies[0], replies[1]), (replies[0], replies[2]), (replies[0], replies[3]))] == [(2.5, 4.5), "scores_disagree", "refused"]


@pytest.fixture
def real(shared_data, tmp_path):
    sources = known.conversations(shared_data)
    importing.run(importing.Config(sources=tuple(sources[name] for name in ("cmtmedqa", "mts_dialog"))), {}, tmp_path / "real", Local(1))
    return tmp_path / "real"


def test_regressors_learn_a_scorer_from_a_sample_of_real_dialogues(real, tmp_path):
    sample = tmp_path / "sample"
    tables.scatter(sample, "conversations", tables.from_rows("conversations", itertools.islice(tables.rows(real, "conversations"), 600)))
    score.run(score.Config(), {"conversations": sample}, tmp_path / "teacher", Local(1))
    (tmp_path / "in").symlink_to(sample)
    counts, rows = run(tmp_path, None, inputs={"teacher": tmp_path / "teacher"}, backend="distilled")
    for lang in ("zh", "en"):
        unseen = {name: found[lang] for name, found in counts.notes["unseen"].items()}
        assert unseen["complexity"]["spearman"] > 0.8 and unseen["score"]["spearman"] > 0.7 and unseen["score"]["n"] > 50, unseen
    assert counts.n_out == 600 and all(1 <= float(row["meta"]["complexity"]) <= 6 and row["meta"]["scorer"] == "distilled" for row in rows)
    tables.scatter(tmp_path / "reversed", "conversations", tables.read(tmp_path / "teacher", "conversations").take(np.arange(600)[::-1].copy()))
    again, _ = run(tmp_path, None, "again", {"teacher": tmp_path / "reversed"}, backend="distilled")
    assert again.notes == counts.notes and tables.read(tmp_path / "again", "conversations") == tables.read(tmp_path / "out", "conversations")


def test_a_second_scorer_keeps_the_first_ones_score_and_tells_how_far_they_agree(tmp_path):
    model = str(tiny.make(tmp_path / "m", "llama"))
    rows = [talk(f"{'头痛' * k}？", "休息，" * (9 - k)) for k in range(1, 9)] + [talk("Cough? " * k, "Rest. " * k) for k in range(1, 6)]
    _, before = run(tmp_path, rows, "first")
    counts, after = run(tmp_path, None, "second", {"conversations": tmp_path / "first"}, backend="deita", deita=score.Deita(complexity=model, quality=model))
    old = {row["id"]: row["meta"]["score"] for row in before}
    assert all(row["meta"]["score_surface"] == old[row["id"]] and row["meta"]["scorer"] == "deita" for row in after)
    for lang, n in (("zh", 8), ("en", 5)):
        pairs = [(float(row["meta"]["score"]), float(row["meta"]["score_surface"])) for row in after if row["lang"] == lang]
        assert counts.notes["agreement"]["surface"][lang] == {"spearman": ranks.spearman(*np.array(pairs).T), "n": n}
    twice, _ = run(tmp_path, None, "third", {"conversations": tmp_path / "first"})
    assert "agreement" not in twice.notes                                    # the same scorer again
    back, rows = run(tmp_path, None, "fourth", {"conversations": tmp_path / "second"})
    assert set(back.notes["agreement"]) == {"deita"} and {row["meta"]["score"] for row in rows} == set(old.values())


def test_refusals_say_what_to_do(tmp_path):
    for settings, message in (({"backend": "gpt"}, "expected one of surface, deita"), ({"backend": "remote"}, "set base_url and model")):
        with pytest.raises(ConfigError, match=message):
            score.Config(**settings)
    with pytest.raises(ConfigError, match="needs the input teacher"):
        run(tmp_path, [talk("头痛", "休息。")], backend="distilled")
    with pytest.raises(RecordError, match="has no meta\\['turn_scores'\\]; let the input `teacher`"):
        run(tmp_path, None, inputs={"teacher": tmp_path / "in"}, backend="distilled")
    score.run(score.Config(), {"conversations": tmp_path / "in"}, tmp_path / "few", Local(1))
    with pytest.raises(RecordError, match="at least 20 each are needed"):
        distil.learn(distil.Lesson(), tmp_path / "few")
