"""What a filter nearly dropped: by hand, and the same whatever the order."""

import numpy as np
import pyarrow as pa

from aquilamed.core import near, tables


def _table(langs):
    return tables.from_rows("documents", [{"id": f"{k:032x}", "text": f"t{k}", "lang": lang, "source": "s", "license": "MIT"} for k, lang in enumerate(langs)])


def test_nearest_by_hand():
    table = _table(["zh", "zh", "en", "zh", "en", "zh"])
    share = np.array([0.9, 1.2, 0.4, 0.95, 0.6, 0.95])
    found = near.nearest(table, {"symbols": share > 1}, {"symbols": share}, {"symbols": pa.array([f"{s}" for s in share])})
    # 1 is dropped, 2 lies below half of the limit; 3 and 5 are equally near: the smaller id stands first
    assert [(row["text"], row["reason"], row["detail"], row["nearness"]) for row in found.to_pylist()] == [
        ("t4", "symbols", "0.6", 0.6), ("t3", "symbols", "0.95", 0.95), ("t5", "symbols", "0.95", 0.95), ("t0", "symbols", "0.9", 0.9)]
    assert found.schema.names == [*table.schema.names, "reason", "detail", "nearness"]


def test_at_most_ten_of_a_reason_and_language_in_any_order_and_none_that_another_rule_drops():
    table = _table(["zh", "en"] * 30)
    share = np.linspace(0.5, 1.0, 60)
    masks = {"symbols": share > 1, "too_short": np.arange(60) == 58}
    found = near.nearest(table, masks, {"symbols": share, "too_short": np.zeros(60)})
    assert sorted(found["text"].to_pylist()) == sorted([f"t{k}" for k in range(59, 39, -2)] + [f"t{k}" for k in range(56, 36, -2)])
    order = np.random.default_rng(0).permutation(60)
    again = near.nearest(table.take(pa.array(order)), {name: mask[order] for name, mask in masks.items()}, {"symbols": share[order]})
    assert again.equals(found)


def test_a_limit_of_zero_has_nothing_near_it():
    assert near.of_limit(np.array([0.0, 0.1]), 0).tolist() == [0, 0] and near.of_limit(np.array([0.1]), 0.2).tolist() == [0.5]
    empty = near.nearest(_table([]), {"a": np.zeros(0, bool)}, {"a": np.zeros(0)})
    assert len(empty) == 0 and "nearness" in empty.schema.names
