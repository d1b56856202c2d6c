"""How much of what was planted a dedup found, and how much it dropped that it should not have."""

import dataclasses
from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aquilamed.core import tables

SAME = 0.8
"""From this true similarity on only one of two documents may stay."""
BUCKETS = (0.8, 0.85, 0.9, 0.95, 1.0)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Shares of what should have happened."""

    recall: dict[str, float]
    """Language, or `zh scattered`, `en 0.80-0.85` -> share of the true pairs of which one or both are gone."""
    n_pairs: dict[str, int]
    precision: dict[str, float]
    """Language -> share of the dropped documents that have a member of their family at SAME or above, kept or not."""
    n_dropped: dict[str, int]


def names_of(folder: Path) -> set[str]:
    """`meta["row"]` of every document in `folder`."""
    columns = [pq.read_table(path, columns=["meta"])["meta"] for path in tables.shards(folder, "documents")]
    return {name for column in columns for name in pc.map_lookup(column, pa.scalar("row"), "first").to_pylist()}


def judge(corpus: Path, kept: set[str]) -> Verdict:
    """Of the documents of a planted corpus those called `kept` stayed."""
    pairs = pq.read_table(corpus / "pairs.parquet").to_pylist()
    found, wanted, closest = defaultdict(int), defaultdict(int), defaultdict(float)
    for pair in pairs:
        for end in ("a", "b"):
            closest[pair[end]] = max(closest[pair[end]], pair["jaccard"])
        if pair["jaccard"] >= SAME:
            is_found = pair["a"] not in kept or pair["b"] not in kept
            for key in (pair["lang"], f"{pair['lang']} {pair['edit']}", f"{pair['lang']} {bucket_of(pair['jaccard'])}"):
                wanted[key] += 1
                found[key] += is_found
    dropped, right = defaultdict(int), defaultdict(int)
    for name in names_of(corpus) - kept:
        lang = name.removeprefix("s")[:2]
        dropped[lang] += 1
        right[lang] += closest[name] >= SAME
    return Verdict(recall={key: found[key] / n for key, n in sorted(wanted.items())}, n_pairs=dict(sorted(wanted.items())),
                   precision={lang: right[lang] / max(1, dropped[lang]) for lang in ("zh", "en")}, n_dropped=dict(dropped))


def bucket_of(jaccard: float) -> str:
    """`0.80-0.85`; what is equal has a bucket of its own."""
    low = max(edge for edge in BUCKETS if edge <= jaccard)
    return "1.00" if low == 1 else f"{low:.2f}-{low + 0.05:.2f}"
