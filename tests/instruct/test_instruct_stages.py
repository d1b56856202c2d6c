"""Scores, context relevance, selection and exam conversations."""

import numpy as np
import pytest
import tiny
import torch

from aquilamed.core import tables, union
from aquilamed.core.errors import ConfigError
from aquilamed.engine.local import Local
from aquilamed.instruct import exam, join, relevance, select
from aquilamed.models import folders, surface
from aquilamed.tree import pack
from aquilamed.tree.score import nll

ORIGIN = {"source": "t", "license": "Apache-2.0", "kind": "single"}


def talk(*turns, **fields):
    roles = ("user", "assistant") * len(turns)
    return {**ORIGIN, "messages": [{"role": role, "content": turn} for role, turn in zip(roles, turns, strict=False)], **fields}


def save(folder, rows):
    tables.scatter(folder, "conversations", tables.from_rows("conversations", rows))
    return {"conversations": folder}


@pytest.mark.parametrize(("better", "worse"), [
    ("高血压患者应限制钠盐，规律监测血压，并在医生指导下服药。", "不知道"),
    ("Limit salt, measure your blood pressure often and take your medicine as told.", "No idea"),
    ("先休息，多喝水，体温超过38.5度可用退热药。", "先休息先休息先休息先休息先休息先休息先休息先休息"),
    ("Rest, drink water, and see a doctor if the fever lasts.", "Rest, drink water. Click here and call now for a discount at our clinic!!"),
])
def test_a_full_answer_scores_above_a_poor_one(better, worse):
    asked = "高血压怎么办？ What should I do about hypertension and fever?"
    assert surface.quality(asked, better) > surface.quality(asked, worse) >= 1
    assert 1 <= surface.complexity("头痛") < surface.complexity("我今年45岁，血压150/95，已服药3周：还需要做哪些检查？") <= 6


def test_relevance_by_hand():
    a = np.array
    losses = [a([]), a([]), a([1.0, 3.0]), a([2.0]), a([4.0, 4.0]), a([1.0])]
    assert relevance.ratios(losses) == [0.5, 2.0]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return folders.load(tiny.make(tmp_path_factory.mktemp("m"), "gemma3_text"))


def test_one_tree_gives_what_separate_passes_give(model):
    messages = talk("发热三天", "多喝水。", "还咳嗽 cough", "See a doctor.", "谢谢", "祝早日康复。")["messages"]
    tree = relevance.turn_tree(model.tokenizer, messages)
    together = nll(model.network, [tree])[0]
    for number in (2, 3):
        path = np.concatenate([part.ids for part in tree[:number + 1]])
        alone = np.concatenate([tree[0].ids, tree[number].ids])
        assert np.array_equal(tree[number].ids, tree[number + 2].ids)
        for ids, losses in ((path, together[number]), (alone, together[number + 2])):
            with torch.no_grad():
                logp = model.network(torch.tensor(ids[None].astype(np.int64))).logits[0].log_softmax(-1)
            n = len(tree[number].ids)
            wanted = [-logp[t - 1, ids[t]].item() for t in range(len(ids) - n, len(ids))]
            np.testing.assert_allclose(losses, wanted, atol=1e-4)


def test_only_dialogues_with_history_get_a_relevance(model, tmp_path):
    tiny.make(tmp_path / "m" / "model")
    given = save(tmp_path / "in", [talk("头痛", "休息。"), talk("Cough?", "Rest.", "And fever?", "See a doctor.", kind="multi")])
    counts = relevance.run(relevance.Config(), {**given, "model": tmp_path / "m"}, tmp_path / "out", Local(1))
    found = {row["kind"]: "relevance" in row["meta"] for row in tables.rows(tmp_path / "out", "conversations")}
    assert found == {"single": False, "multi": True} and counts.notes["dialogues_scored"] == 1 and len(counts.notes["relevance_quantiles"]["en"]) == 7
    halved = relevance.run(relevance.Config(cpu_weights="bfloat16"), {**given, "model": tmp_path / "m"}, tmp_path / "half", Local(1)).notes["relevance_quantiles"]["en"]
    assert halved != (exact := counts.notes["relevance_quantiles"]["en"]) and halved == pytest.approx(exact, abs=0.02)
    tiny.make(tmp_path / "other" / "model", seed=1)
    again = relevance.run(relevance.Config(), {**given, "model": tmp_path / "other"}, tmp_path / "out", Local(1))
    assert again == counts                                                   # what a killed run has written is not scored again


def test_selection_names_its_reasons(tmp_path):
    scores = [5.0, 1.0, 6.0, 7.0, 8.0, 9.0]
    meta = [{"score": str(s)} for s in scores]
    meta[3]["relevance"], meta[4]["relevance"] = "1.2", "0.01"
    save(tmp_path / "in", [talk(f"问题{i}", "答。", meta=m) for i, m in enumerate(meta)])
    config = select.Config(drop_score_share=0.2, max_records=2)
    counts = select.run(config, {"conversations": tmp_path / "in"}, tmp_path / "out", Local(1))
    assert counts.dropped == {"low_score": 1, "unrelated_turns": 1, "redundant_turns": 1, "over_cap": 1} and counts.n_out == 2
    with pytest.raises(ConfigError, match="has no score"):
        select.run(config, save(tmp_path / "bare", [talk("头痛", "休息。")]), tmp_path / "none", Local(1))


def test_relevance_is_cut_at_quantiles_within_each_language(tmp_path):
    spread = {"zh": np.linspace(0.6, 0.95, 20), "en": np.linspace(0.3, 0.65, 20)}
    rows = [talk(f"{'第' if lang == 'zh' else 'No '}{k}", "好。" if lang == "zh" else "Yes.", lang=lang, kind="multi", meta={"score": "5", "relevance": f"{value:.4f}"})
            for lang, values in spread.items() for k, value in enumerate(values)]
    given = save(tmp_path / "in", rows)
    config = select.Config(drop_score_share=0.0, drop_high_relevance_share=0.1, drop_low_relevance_share=0.2)
    counts = select.run(config, given, tmp_path / "out", Local(1))
    assert counts.dropped == {"unrelated_turns": 4, "redundant_turns": 8}
    for lang, values in spread.items():
        kept = [float(row["meta"]["relevance"]) for row in tables.rows(tmp_path / "out", "conversations") if row["lang"] == lang]
        assert sorted(kept) == pytest.approx(values[4:18], abs=1e-4)
        assert counts.notes["relevance_limits"][lang] == pytest.approx([np.quantile(values, 0.2), np.quantile(values, 0.9)], abs=2e-4)
    fixed = select.run(select.Config(drop_score_share=0.0, drop_high_relevance_share=0.1, max_relevance=0.7), given, tmp_path / "fixed", Local(1))
    assert fixed.notes["relevance_limits"] == {"zh": [0.05, 0.7], "en": [0.05, pytest.approx(np.quantile(spread["en"], 0.9), abs=2e-4)]}    # the narrower of both
    near = [(row["reason"], row["meta"]["relevance"]) for row in tables.rows(tmp_path / "out" / "near", "conversations") if row["lang"] == "zh"]
    assert ("unrelated_turns", f"{spread['zh'][17]:.4f}") in near and ("redundant_turns", f"{spread['zh'][4]:.4f}") in near
    with pytest.raises(ConfigError, match="together below 1"):
        select.Config(drop_high_relevance_share=0.5, drop_low_relevance_share=0.5)


@pytest.mark.parametrize(("lang", "stem", "options", "said"), [
    ("zh", "高血压看哪个科？", ["骨科", "心内科", "眼科", "儿科"], ["B. 心内科", "心内科"]),
    ("en", "Which clinic treats asthma?", ["cardiology", "dermatology", "dentistry", "respiratory medicine"], ["D. respiratory medicine", "respiratory medicine"])])
def test_an_exam_question_becomes_conversations(lang, stem, options, said):
    answer = options.index(said[1])
    question = {"id": "q", "stem": stem, "options": options, "answers": [answer], "context": "", "lang": lang, "source": "t", "license": "x", "meta": {}}
    made = exam.conversations(question, exam.Config())
    assert [row["messages"][1]["content"] for row in made] == said
    assert all(option in made[0]["messages"][0]["content"] for option in options) and made[1]["messages"][0]["content"] == stem
    assert [row["messages"][1]["content"] for row in exam.conversations(question, exam.Config(answer="text", bare=False))] == [said[1]]


def test_joined_sets_keep_a_conversation_once(tmp_path):
    shared = talk("头痛怎么办？", "注意休息。")
    one, two = save(tmp_path / "a", [shared, talk("咳嗽", "喝水。")]), save(tmp_path / "b", [{**shared, "source": "u"}, talk("Fever?", "Rest.")])
    counts = join.run(join.Config(), {"a": one["conversations"], "b": two["conversations"]}, tmp_path / "out", Local(1))
    assert counts.as_json() == {"in": 4, "out": 3, "dropped": {"exact_duplicate": 1}}


def test_a_cap_draws_by_chance_and_counts_the_rest(tmp_path):
    rows = [talk(f"头痛{i}天", "休息。") for i in range(6)]
    one, two = save(tmp_path / "a", rows)["conversations"], save(tmp_path / "b", rows[::-1])["conversations"]
    counts = union.join(Local(1), tmp_path / "x", "conversations", [one, two], most=2, seed=1)
    assert counts.as_json() == {"in": 12, "out": 2, "dropped": {"exact_duplicate": 6, "over_cap": 4}}
    union.join(Local(1), tmp_path / "y", "conversations", [two], most=2, seed=1)
    assert tables.read(tmp_path / "x", "conversations") == tables.read(tmp_path / "y", "conversations")
