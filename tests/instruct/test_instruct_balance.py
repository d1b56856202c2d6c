"""Near questions go, and caps hold, in order of score and whatever the shards and workers."""

from collections import Counter

import numpy as np
import pytest
from test_instruct_stages import talk

from aquilamed.core import tables
from aquilamed.core.errors import ConfigError
from aquilamed.engine.local import Local
from aquilamed.hygiene import minhash
from aquilamed.instruct import balance, diverse


def scored(asked, score, **meta):
    lang = meta.pop("lang", None)
    return talk(asked, f"答复 {score}", meta={"score": str(score), **{k: v for k, v in meta.items() if v}}, **({"lang": lang} if lang else {}))


def runs(stage, config, rows, tmp_path):
    """(kept, dropped, counts), equal for one shard and many, one worker and three."""
    made = []
    for number, (shard_bytes, workers) in enumerate(((1 << 30, 1), (4000, 3))):
        folder, out = tmp_path / f"in{number}", tmp_path / f"out{number}"
        tables.scatter(folder, "conversations", tables.from_rows("conversations", rows), shard_bytes=shard_bytes)
        counts = stage.run(config, {"conversations": folder}, out, Local(workers))
        dropped = list(tables.rows(out / "dropped", "conversations")) if (out / "dropped").is_dir() else []
        made.append((list(tables.rows(out, "conversations")), dropped, counts))
    assert len(tables.shards(tmp_path / "in1", "conversations")) > 4 or len(rows) < 40
    assert made[0] == made[1]
    return made[0]


def varied(seed, n):
    """Questions in both languages, many of them near copies of others."""
    rng, words = np.random.default_rng(seed), [f"w{k}" for k in range(400)]
    bases = [[words[k] for k in rng.integers(0, 400, rng.integers(6, 40))] for _ in range(n // 6)]
    bases += [[chr(0x4e00 + k) for k in rng.integers(0, 900, rng.integers(6, 60))] for _ in range(n // 6)]
    texts = []
    for _ in range(n):
        base = list(bases[rng.integers(len(bases))])
        for _ in range(rng.integers(0, 6)):
            base[rng.integers(len(base))] = base[rng.integers(len(base))]
        texts.append(("" if ord(base[0][0]) > 0x4e00 else " ").join(base))
    return texts


@pytest.mark.parametrize("seed", range(3))
def test_diversity_is_the_greedy_walk_by_hand(seed, tmp_path):
    rng, threshold = np.random.default_rng(seed), 0.5
    rows = list({row["messages"][0]["content"]: row for row in (scored(text, int(rng.integers(1, 9))) for text in varied(seed, 300))}.values())
    kept, dropped, counts = runs(diverse, diverse.Config(threshold=threshold), rows, tmp_path)
    ranked = sorted([*kept, *dropped], key=lambda row: (-float(row["meta"]["score"]), row["id"]))
    shingles, offsets = minhash.shingle_sets(diverse.questions(tables.from_rows("conversations", [{k: row[k] for k in kept[0]} for row in ranked])))
    sets = [set(shingles[a:b].tolist()) for a, b in zip(offsets, offsets[1:], strict=False)]
    chosen, wanted = [], {}
    for k, row in enumerate(ranked):
        likest = max(((len(sets[k] & sets[j]) / len(sets[k] | sets[j]), -j) for j in chosen), default=(0.0, 0))
        if likest[0] < threshold:
            chosen.append(k)
        else:
            wanted[row["id"]] = likest[0]
    found = {row["id"]: row["detail"].split() for row in dropped}
    assert set(found) == set(wanted) and counts.dropped == {"near_instruction": len(wanted)} and len(wanted) > 50
    stays = {row["id"]: float(row["meta"]["score"]) for row in kept}
    for row in dropped:
        assert stays[found[row["id"]][0]] >= float(row["meta"]["score"]) and float(found[row["id"]][1]) == pytest.approx(wanted[row["id"]], abs=6e-4)


def test_only_what_the_user_says_is_compared(tmp_path):
    asked = "我最近总是头痛，晚上睡不好，请问应该吃什么药？"
    rows = [scored(asked, 5), scored(asked.replace("请问", "请問"), 4), scored("高血压患者可以喝咖啡吗？会不会有危险", 1), scored("ok", 2), scored("no", 3)]
    kept, dropped, _ = runs(diverse, diverse.Config(), rows, tmp_path)
    assert [row["meta"]["score"] for row in dropped] == ["4"] and len(kept) == 4
    with pytest.raises(ConfigError, match="has no score"):
        runs(diverse, diverse.Config(), [talk("头痛", "休息")], tmp_path / "x")


def many(seed=0, n=400):
    rng = np.random.default_rng(seed)
    return [scored(f"问题 {k}", int(rng.integers(1, 30)), department="aaaabbcd "[int(rng.integers(0, 9))].strip(), lang="zh" if rng.random() < 0.7 else "en",
                   disease=f"d{min(int(rng.integers(0, 60)), 20)}" if rng.random() < 0.8 else "") for k in range(n)]


@pytest.mark.parametrize(("config", "holds"), [
    (balance.Config(department=30), lambda c, n: max(v for k, v in c["department"].items() if k) == 30),
    (balance.Config(department=0.2), lambda c, n: max(v for k, v in c["department"].items() if k) <= np.ceil(0.2 * n)),
    (balance.Config(disease=0.05, unlabelled=0.3), lambda c, n: max(v for k, v in c["disease"].items() if k) <= np.ceil(0.05 * n) and c["disease"][None] <= np.ceil(0.3 * n)),
    (balance.Config(languages={"zh": 0.86, "en": 0.14}), lambda c, n: abs(c["lang"]["zh"] / n - 0.86) < 0.004),
    (balance.Config(department=0.3, disease=10, languages={"zh": 0.5, "en": 0.5}), lambda c, n: abs(c["lang"]["zh"] - c["lang"]["en"]) <= 1 and max(v for k, v in c["disease"].items() if k) <= 10),
])
@pytest.mark.parametrize("seed", range(3))
def test_caps_hold_and_the_best_stay(config, holds, seed, tmp_path):
    rows = many(seed)
    kept, dropped, counts = runs(balance, config, rows, tmp_path)
    found = {"lang": Counter(row["lang"] for row in kept), **{kind: Counter(row["meta"].get(kind) for row in kept) for kind in ("department", "disease")}}
    assert holds(found, len(kept)) and counts.n_in == 400 and sum(counts.dropped.values()) == len(dropped) > 0
    if len(counts.dropped) == 1:         # whoever was left out of a bin is no better than all who stayed in it
        least = {name: min(float(row["meta"]["score"]) for row in kept if name in (row["lang"], row["meta"].get("department"))) for name in {row["detail"] for row in dropped}} \
            if "over_disease" not in counts.dropped else {}
        assert all(float(row["meta"]["score"]) <= least.get(row["detail"], 99) for row in dropped)


def test_nothing_is_capped_unasked_and_impossible_caps_are_named(tmp_path):
    assert runs(balance, balance.Config(), many(), tmp_path / "a")[2].n_out == 400
    with pytest.raises(ConfigError, match="of 400 conversations with 4 departments .* fewer than 20 would stay"):
        runs(balance, balance.Config(department=0.1, unlabelled=0.1), many(), tmp_path / "b")
    for wrong in ({"department": 1.5}, {"disease": -1}, {"languages": {"zh": 0.5}}, {"languages": {"zh": 1.0}}):
        with pytest.raises(ConfigError, match="balance:"):
            balance.Config(**wrong)
