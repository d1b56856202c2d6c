"""Which of equal and nearly equal records stays, however they are ordered, cut into shards and worked on."""

import csv
import random

import numpy as np
import pyarrow as pa
import pytest

from aquilamed.core import tables
from aquilamed.core.errors import ConfigError
from aquilamed.engine.local import Local
from aquilamed.hygiene import dedup

ZH = "高血压是指安静状态下动脉血压持续高于正常的慢性病，早期多没有明显症状，常在体检时发现，应当长期随访并限盐。"
EN = ("Hypertension is a chronic condition in which the resting arterial blood pressure stays above normal, often without any "
      "obvious early symptoms, and it is usually found at a routine check before it has done harm to the heart.")


def _documents(texts, source="s"):
    return tables.from_rows("documents", [{"text": t, "source": source, "license": "MIT", "meta": {"row": str(k)}} for k, t in enumerate(texts)])


def _cut(folder, table, n_shards):
    for number in range(n_shards):
        tables.write(folder / "documents" / tables.part(number), table.take(pa.array(range(number, len(table), n_shards))))


@pytest.mark.parametrize(("text", "longer"), [(ZH, ZH + "完。"), (EN, EN + " The end.")], ids=["zh", "en"])
def test_the_longest_stays_and_is_named(tmp_path, text, longer):
    table = _documents([text, longer, text.replace("，", ", ").upper(), "另一篇完全不同的短文，谈的是天气和出行。"])
    tables.scatter(tmp_path / "in", "documents", table)
    counts = dedup.run(dedup.Config(), {"documents": tmp_path / "in"}, tmp_path / "out", Local(1))
    kept = tables.read(tmp_path / "out", "documents")["text"].to_pylist()
    dropped = tables.read(tmp_path / "out" / "dropped", "documents").to_pylist()
    assert sorted(kept) == sorted([longer, "另一篇完全不同的短文，谈的是天气和出行。"])
    assert sum(counts.dropped.values()) == 2 and {row["detail"] for row in dropped} == {table["id"][1].as_py()}
    assert counts.notes == {"n_clusters": 1, "largest_cluster": 3}


def test_full_width_copies_are_exact_duplicates(tmp_path):
    wide = EN.translate({c: c + 0xFEE0 for c in range(0x21, 0x7F)})
    tables.scatter(tmp_path / "in", "documents", _documents([EN, wide, ZH, ZH.replace("，", "， ")]))
    counts = dedup.run(dedup.Config(), {"documents": tmp_path / "in"}, tmp_path / "out", Local(1))
    assert counts.dropped == {"exact_duplicate": 2} and counts.n_out == 2


def test_twins_in_traditional_and_simplified_script_are_one(tmp_path):
    twin = "高血壓是指安靜狀態下動脈血壓持續高於正常的慢性病，早期多沒有明顯症狀，常在體檢時發現，應當長期隨訪並限鹽。"
    tables.scatter(tmp_path / "in", "documents", _documents([ZH, twin, twin[:-3], EN]))
    counts = dedup.run(dedup.Config(), {"documents": tmp_path / "in"}, tmp_path / "out", Local(1))
    assert counts.dropped == {"script_twin": 1, "near_duplicate": 1}


def test_the_best_by_quality_stays_before_the_longest(tmp_path):
    table = tables.with_meta(_documents([ZH, ZH + "完。", ZH + "（全文完）"]), quality=["4.50", "3.00", "未评"])
    tables.scatter(tmp_path / "in", "documents", table)
    dedup.run(dedup.Config(), {"documents": tmp_path / "in"}, tmp_path / "out", Local(1))
    assert tables.read(tmp_path / "out", "documents")["text"].to_pylist() == [ZH]


@pytest.mark.parametrize("change", [lambda text: text, lambda text: text + "完。", lambda text: text + " The end."], ids=["equal", "zh", "en"])
def test_new_data_are_compared_with_the_index_of_what_stayed(tmp_path, change):
    tables.scatter(tmp_path / "old", "documents", _documents([ZH, EN, ZH + "完。"]))
    tables.scatter(tmp_path / "new", "documents", _documents([change(ZH + "完。"), change(EN), "这一篇是新的，谈的是儿童用药的剂量与间隔。"]))
    dedup.run(dedup.Config(index=True), {"documents": tmp_path / "old"}, tmp_path / "first", Local(1))
    counts = dedup.run(dedup.Config(), {"documents": tmp_path / "new", "seen": tmp_path / "first"}, tmp_path / "second", Local(2))
    assert counts.n_in == 3 and tables.read(tmp_path / "second", "documents")["text"].to_pylist() == ["这一篇是新的，谈的是儿童用药的剂量与间隔。"]
    stayed = set(tables.read(tmp_path / "first", "documents")["id"].to_pylist())
    assert {row["detail"] for row in tables.read(tmp_path / "second/dropped", "documents").to_pylist()} <= stayed


def test_an_index_that_is_absent_or_of_other_settings_is_refused(tmp_path):
    tables.scatter(tmp_path / "old", "documents", _documents([ZH]))
    dedup.run(dedup.Config(), {"documents": tmp_path / "old"}, tmp_path / "plain", Local(1))
    dedup.run(dedup.Config(index=True, threshold=0.4), {"documents": tmp_path / "old"}, tmp_path / "loose", Local(1))
    for name, says in (("plain", "no index to compare with; make that step with index=True"), ("loose", "'rows_per_band': 3.*use equal settings")):
        with pytest.raises(ConfigError, match=says):
            dedup.run(dedup.Config(), {"documents": tmp_path / "old", "seen": tmp_path / name}, tmp_path / "out", Local(1))


def test_shards_order_and_workers_change_nothing(tmp_path, shared_data):
    with (shared_data / "instruct/toyhom_internal_medicine.csv").open(encoding="gb18030", newline="") as file:
        texts = [row["answer"] for row, _ in zip(csv.DictReader(file), range(1500), strict=False)]
    rng = random.Random(0)
    texts += [text[:k] + "请注意" + text[k:] for text in rng.sample(texts, 300) for k in [rng.randrange(len(text) + 1)]] + texts[:100]
    table = _documents(texts)
    results = []
    for n_shards, workers, seed in ((1, 1, 0), (4, 2, 1), (3, 1, 2)):
        order = random.Random(seed).sample(range(len(table)), len(table))
        home = tmp_path / f"{n_shards}-{workers}"
        _cut(home / "in", table.take(pa.array(order)), n_shards)
        counts = dedup.run(dedup.Config(), {"documents": home / "in"}, home / "out", Local(workers))
        kept = tables.read(home / "out", "documents").to_pylist()
        dropped = tables.read(home / "out" / "dropped", "documents").to_pylist()
        results.append((counts, sorted(map(repr, kept)), sorted(map(repr, dropped))))
    assert results[0] == results[1] == results[2]
    assert results[0][0].dropped["near_duplicate"] > 150 and results[0][0].dropped["exact_duplicate"] >= 100


def test_scattered_input_gives_equal_bytes(tmp_path):
    texts = [f"{ZH}第{k // 2}条补充说明，编号{k // 2}，内容各不相同{'。' * (k % 2)}" for k in range(40)]
    for name, order, workers in (("a", range(40), 1), ("b", range(39, -1, -1), 2)):
        tables.scatter(tmp_path / name, "documents", _documents(texts).take(pa.array(order)), shard_bytes=4000)
        dedup.run(dedup.Config(threshold=0.95), {"documents": tmp_path / name}, tmp_path / f"{name}-out", Local(workers))
    files = [sorted((p.relative_to(root), p.read_bytes()) for p in root.rglob("*.parquet")) for root in (tmp_path / "a-out", tmp_path / "b-out")]
    assert len(files[0]) > 2 and files[0] == files[1]


def test_conversations_are_compared_whole(tmp_path):
    def talk(question, answer):
        messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        return {"messages": messages, "kind": "single", "source": "s", "license": "MIT"}
    rows = [talk("高血压怎么办", ZH), talk("高血压怎么办呢", ZH), talk("高血压怎么办", "请到医院心内科就诊，做动态血压监测后再决定是否用药。")]
    tables.scatter(tmp_path / "in", "conversations", tables.from_rows("conversations", rows))
    counts = dedup.run(dedup.Config(kind="conversations"), {"conversations": tmp_path / "in"}, tmp_path / "out", Local(1))
    assert (counts.n_out, counts.dropped) == (2, {"near_duplicate": 1})


def test_clusters_take_the_smallest_id_and_ignore_order():
    texts, ids = [ZH, EN, ZH + "完。", "别的内容，与前面都没有关系。"], ["c", "b", "a", "d"]
    assert dedup.clusters(texts, ids, 0.4).tolist() == ["a", "b", "a", "d"]
    back = dedup.clusters(texts[::-1], ids[::-1], 0.4)
    assert np.array_equal(back[::-1], dedup.clusters(texts, ids, 0.4))
    assert dedup.clusters([], [], 0.4).tolist() == []


def test_a_loose_threshold_joins_what_a_tight_one_keeps_apart():
    half = ZH[:25] + "低钠饮食、规律运动、戒烟限酒同样重要，家中自测可帮助判断。"
    assert len(set(dedup.clusters([ZH, half], ["a", "b"], 0.8))) == 2
    assert len(set(dedup.clusters([ZH, half], ["a", "b"], 0.2))) == 1


def test_refusal_names_the_setting():
    with pytest.raises(ConfigError, match="threshold=0: expected a share above 0"):
        dedup.Config(threshold=0)
