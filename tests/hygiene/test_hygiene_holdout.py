"""No prompt, question or conversation stands on both sides of a split."""

import random

import pytest

from aquilamed.core import tables
from aquilamed.core.text import content_id
from aquilamed.engine.local import Local
from aquilamed.hygiene import holdout

WORDS = {"zh": [*"高血压糖尿病头痛发热咳嗽胸闷腹泻失眠水肿贫血皮疹心悸眩晕便秘关节肾肝胃肺脑骨眼耳"],
         "en": [f"{a}{b} " for a in ("hyper", "hypo", "cardio", "neuro", "gastro", "derma") for b in ("tension", "pathy", "itis", "algia", "emia", "osis")]}


def said(chance, lang, n=30):
    return "".join(chance.choices(WORDS[lang], k=n))


def pairs(chance, n):
    """Pairs whose answers have nothing in common, many of them about a prompt, a question or a conversation that others are about."""
    prompts = [(lang, [{"role": "user", "content": said(chance, lang)}]) for lang in ("zh", "en") for _ in range(8)]
    prompts += [(lang, [*turns, {"role": "assistant", "content": said(chance, lang)}, {"role": "user", "content": said(chance, lang)}]) for lang, turns in chance.sample(prompts, 6)]
    for _ in range(n):
        lang, prompt = chance.choice(prompts)
        meta = {}
        if chance.random() < 0.4:
            prompt, meta = [{"role": "user", "content": said(chance, lang)}], {chance.choice(["question", "conversation"]): f"{chance.randrange(12)}"}
        if chance.random() < 0.2:
            prompt = [{"role": "system", "content": said(chance, "en")}, *prompt]
        yield {"prompt": prompt, "chosen": said(chance, lang), "rejected": said(chance, lang), "kind": "subjective", "source": "s", "license": "MIT", "lang": lang, "meta": meta}


def names(row):
    """What must not stand on both sides, told apart from the code under test: the user's words so far, and what the pair was made from."""
    turns = [message["content"] for message in row["prompt"] if message["role"] != "system"]
    return {content_id(*turns[:k]) for k in range(1, len(turns) + 1, 2)} | set(row["meta"].items())


def split(tmp_path, rows, seed, n_shards, name):
    table = tables.from_rows("preferences", rows)
    for number in range(n_shards):
        tables.write(tmp_path / name / "preferences" / tables.part(number), table.take(list(range(number, len(table), n_shards))))
    out = tmp_path / f"{name}-out"
    counts = holdout.run(holdout.Config(kind="preferences", share=0.4, seed=seed), {"preferences": tmp_path / name}, out, Local(1))
    assert counts.n_in == counts.n_out == len(rows)
    return [list(tables.rows(out / side, "preferences")) for side in ("preferences", "heldout")]


@pytest.mark.parametrize("seed", range(12))
def test_no_prompt_question_or_conversation_stands_on_both_sides(tmp_path, seed):
    rows = [*pairs(random.Random(seed), 80)]
    train, held = split(tmp_path, rows, seed, 1 + seed % 3, "a")
    assert train and held
    assert not set().union(*map(names, train)) & set().union(*map(names, held))
    again = split(tmp_path, random.Random(seed).sample(rows, len(rows)), seed, 4 - seed % 3, "b")
    assert [{row["id"] for row in side} for side in again] == [{row["id"] for row in side} for side in (train, held)]


def test_a_greeting_joins_no_conversations_and_equal_questions_do(tmp_path):
    def talk(*contents):
        return {"kind": "multi", "source": "s", "license": "MIT", "messages": [{"role": ("user", "assistant")[k % 2], "content": content} for k, content in enumerate(contents)]}
    chance = random.Random(1)
    greeted = [talk("你好，医生", "您好，请说", said(chance, "zh"), said(chance, "zh")) for _ in range(60)]
    asked = [talk("高血压患者每天应当吃多少盐才合适？", said(chance, "zh")) for _ in range(20)]
    tables.scatter(tmp_path / "in", "conversations", tables.from_rows("conversations", greeted + asked))
    counts = holdout.run(holdout.Config(kind="conversations", share=0.5), {"conversations": tmp_path / "in"}, tmp_path / "out", Local(1))
    assert counts.notes["n_clusters"] == 61


def test_a_share_that_takes_no_cluster_is_told(tmp_path):
    chance = random.Random(1)
    talks = [{"kind": "single", "source": "s", "license": "MIT", "messages": [{"role": "user", "content": "高血压患者每天应当吃多少盐才合适？"}, {"role": "assistant", "content": said(chance, "zh")}]} for _ in range(30)]
    tables.scatter(tmp_path / "in", "conversations", tables.from_rows("conversations", talks))
    told = [holdout.run(holdout.Config(kind="conversations", share=share), {"conversations": tmp_path / "in"}, tmp_path / f"out{share}", Local(1)).notes.get("warnings") for share in (1e-6, 1, 0)]
    assert told[0][0].startswith("nothing is held out: the 30 records make 1 clusters") and told[1:] == [None, None]
