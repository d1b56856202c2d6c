"""What a filter nearly dropped: of each shard the kept rows that came closest to a limit. For the report; no later step reads it."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MOST = 10
"""Rows of a reason and a language in one shard; the report merges the shards and shows the nearest."""
LEAST = 0.5
"""A kept row below half of the limit was not near."""
COLUMNS = [pa.field("reason", pa.string()), pa.field("detail", pa.string()), pa.field("nearness", pa.float64())]


def of_limit(values: np.ndarray, limit: float) -> np.ndarray:
    """`values` as shares of the limit that they must not pass; 0 where the limit is 0."""
    return np.asarray(values, float) / limit if limit else np.zeros(len(values))


def nearest(table: pa.Table, rules: Mapping[str, object], nearness: Mapping[str, np.ndarray], details: Mapping[str, object] | None = None) -> pa.Table:
    """The rows of `table` that no rule drops and that are nearest to being dropped, with `reason`, `detail` and `nearness`.

    `rules` and `details` are those of `tables.sift`; `nearness` maps some of the reasons to a number per row, 1 at the limit. Of each reason and
    language at most `MOST` rows stay, the nearest first, of equal ones the smallest id: they depend on the rows alone.
    """
    kept = ~np.logical_or.reduce([np.asarray(mask, bool) for mask in rules.values()]) if rules else np.ones(len(table), bool)
    found = []
    for reason, share in nearness.items():
        places = pa.array(_places(table, np.flatnonzero(kept & (share >= LEAST) & (share <= 1)), share), pa.int64())
        told = pc.cast(pc.take(_array((details or {}).get(reason), len(table)), places), pa.string())
        found.append(table.take(places).append_column(COLUMNS[0], pa.array([reason] * len(places), pa.string()))
                     .append_column(COLUMNS[1], told).append_column(COLUMNS[2], pa.array(share, pa.float64()).take(places)))
    empty = pa.schema([*table.schema, *COLUMNS]).empty_table()
    return pa.concat_tables([empty, *found])


def of_kept(kept: pa.Table, rules: Mapping[str, object], nearness: Mapping[str, np.ndarray], details: Mapping[str, object] | None = None) -> pa.Table:
    """As `nearest`, of the rows as they go on: `kept` are those that `rules` left of the table that the numbers and details are about, in its order.

    For steps that change what they keep: what is masked in a record stays masked here.
    """
    stays = ~np.logical_or.reduce([np.asarray(mask, bool) for mask in rules.values()]) if rules else np.ones(len(kept), bool)
    told = {reason: _array(detail, len(stays)).filter(pa.array(stays)) for reason, detail in (details or {}).items()}
    return nearest(kept, {}, {reason: np.asarray(share, float)[stays] for reason, share in nearness.items()}, told)


def _places(table: pa.Table, close: np.ndarray, share: np.ndarray) -> list[int]:
    """Of the rows `close` the first `MOST` of each language, in the order of languages, nearness and id."""
    ids, langs = (table[name].take(pa.array(close, pa.int64())).to_pylist() for name in ("id", "lang"))
    seen: Counter = Counter()
    places = []
    for lang, _, _, place in sorted(zip(langs, (-share[close]).tolist(), ids, close.tolist(), strict=True)):
        seen[lang] += 1
        places += [place] if seen[lang] <= MOST else []
    return places


def _array(detail: object, n: int) -> pa.Array | pa.ChunkedArray:
    if detail is None:
        return pa.nulls(n, pa.string())
    return detail if isinstance(detail, pa.Array | pa.ChunkedArray) else pa.array(detail, pa.string())
