"""Splits records into training and held-out ones by content cluster: no near-copy stands on both sides. ours; paper 2.2.2 holds out 10 %

Conversations and pairs that answer the same words, that were made from one question or from one conversation, are one cluster, however unlike their answers are.
"""

import dataclasses
import functools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.core import chance, manifest, tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.text import content_id
from aquilamed.hygiene import clusters
from aquilamed.hygiene.minhash import Likeness
from aquilamed.hygiene.texts import texts_of

VERSION = 3
MADE_FROM = ("question", "conversation", "rejected_conversation")
"""Keys of meta that name what a record was made from."""
GREETING = 16
"""Characters up to which the beginning of a longer prompt is no sign of one conversation (`你好，医生`). ours"""
HELDOUT = "heldout"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """How much is held out of each cell; a cell is a domain (of documents) or a kind (of other records) in a language."""

    kind: Literal["documents", "conversations", "preferences"] = "documents"
    """Record kind; the whole text of a record is compared."""
    share: float = 0.02
    """Share, 0..1, of the clusters that are held out. ours"""
    max_chars: int = 400_000
    """Most characters held out of a cell; a cluster that would pass it stays in training. ours: enough for a narrow interval"""
    threshold: float = 0.4
    """Jaccard similarity from which two documents are one cluster, (0, 1]. ours: looser than deduplication, so that rewordings stay together"""
    seed: int = 0
    """Chooses the clusters."""

    def __post_init__(self):
        check(0 <= self.share <= 1, f"holdout: share={self.share}: expected a share, 0..1")
        check(self.max_chars >= 0, f"holdout: max_chars={self.max_chars}: expected 0 or more")
        check(0 < self.threshold <= 1, f"holdout: threshold={self.threshold}: expected a share above 0 and up to 1")


@dataclasses.dataclass(frozen=True)
class Drawn:
    """The rows of a shard whose cluster may be held out by chance; a cluster is named by its smallest id, its root."""

    share: list[float]
    """The chance of the root's id."""
    root_id: list[str]
    root: list[int]
    cell: list[str]
    """The cell of the row itself; that of the root decides."""
    row: list[int]
    chars: list[int]


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write `<kind>/` and `heldout/` from `inputs[config.kind]`; both count as out."""
    kind, passes = config.kind, out / manifest.PASSES
    shards = clusters.shards_of(inputs[kind], kind, passes / "index")
    found = clusters.find(engine, shards, kind, Likeness(config.threshold), passes, clusters.SMALLEST_ID_FIRST, kin=functools.partial(kin, kind) if kind != "documents" else None)
    chosen = choose(config, engine.map(lambda shard: _drawn(config, found, shard), shards))

    def one(job: tuple[int, clusters.Shard]) -> tuple[Counts, dict]:
        number, shard = job
        table = tables.load(shard.path)
        held = np.isin(_roots(found, shard)[0], chosen)
        tables.write(out / kind / tables.part(number), table.filter(pa.array(~held)))
        tables.write(out / HELDOUT / tables.part(number), table.filter(pa.array(held)))
        return Counts(n_in=len(table), n_out=len(table), langs=tables.langs(table)), _sides(kind, table, held)

    done = engine.map(one, list(enumerate(shards)))
    n_clusters = sum(shard.n for shard in shards) - len(found.rows) + len(np.unique(found.keeper))
    return dataclasses.replace(Counts.total(counts for counts, _ in done), notes=_notes(config, [sides for _, sides in done], n_clusters))


def kin(kind: str, table: pa.Table) -> list[list[str]]:
    """What each record has in common with those that must stay on its side: its prompt and each earlier question with all before it, and what it was made from."""
    return [[*asked(row["prompt"] if kind == "preferences" else row["messages"][:-1]), *(f"made from {value}" for key in MADE_FROM if (value := row["meta"].get(key)))]
            for row in tables.to_rows(table)]


def asked(prompt: list[dict]) -> list[str]:
    """A name for the words of `prompt` up to each of the user's turns; earlier ones of no more than a greeting are left out."""
    ends = [k for k, message in enumerate(prompt, start=1) if message["role"] == "user"]
    texts = [[message["content"] for message in prompt[:end] if message["role"] != "system"] for end in ends]
    return [content_id(*some) for some, end in zip(texts, ends, strict=True) if end == ends[-1] or sum(map(len, some)) > GREETING]


def choose(config: Config, parts: Iterable[Drawn]) -> np.ndarray:
    """The roots of the clusters held out: whole clusters, by the chance of the root's id, up to `max_chars` a cell."""
    chars: Counter = Counter()
    cells, order = {}, {}
    for part in parts:
        for share, root_id, root, cell, row, n in zip(part.share, part.root_id, part.root, part.cell, part.row, part.chars, strict=True):
            chars[root] += n
            order[root] = (share, root_id)
            if row == root:
                cells[root] = cell
    taken: defaultdict[str, int] = defaultdict(int)
    chosen = []
    for root in sorted(order, key=lambda root: order[root]):
        if taken[cells[root]] + chars[root] <= config.max_chars:
            taken[cells[root]] += chars[root]
            chosen.append(root)
    return np.array(chosen, np.int64)


def _roots(found: clusters.Clusters, shard: clusters.Shard) -> tuple[np.ndarray, dict[int, str]]:
    """The root of each row of a shard, and the ids of roots that are not the row itself."""
    places, inside = found.of(shard.start, shard.n)
    roots = np.arange(shard.start, shard.start + shard.n)
    roots[inside] = found.keeper[places]
    ids = found.facts["id"].take(pa.array(np.searchsorted(found.rows, found.keeper[places]))).to_pylist()
    return roots, dict(zip(found.keeper[places].tolist(), ids, strict=True))


def _drawn(config: Config, found: clusters.Clusters, shard: clusters.Shard) -> Drawn:
    table = tables.load(shard.path)
    roots, names = _roots(found, shard)
    root_ids = [names.get(root) or own for root, own in zip(roots.tolist(), table["id"].to_pylist(), strict=True)]
    shares = np.array([chance.share(config.seed, root_id) for root_id in root_ids])
    rows = np.flatnonzero(shares < config.share)
    kept = table.take(pa.array(rows))
    return Drawn(share=shares[rows].tolist(), root_id=[root_ids[row] for row in rows], root=roots[rows].tolist(), cell=_cells(config.kind, kept),
                 row=(rows + shard.start).tolist(), chars=_chars(config.kind, kept).tolist())


def _cells(kind: str, table: pa.Table) -> list[str]:
    found = pc.map_lookup(table["meta"], pa.scalar("domain"), "first") if kind == "documents" else table["kind"]
    return [f"{domain or 'unmarked'} {lang}" for domain, lang in zip(found.to_pylist(), table["lang"].to_pylist(), strict=True)]


def _chars(kind: str, table: pa.Table) -> np.ndarray:
    return pc.utf8_length(texts_of(kind, table)).to_numpy(zero_copy_only=False)


def _sides(kind: str, table: pa.Table, held: np.ndarray) -> dict[str, Counter]:
    """Side -> (cell, figure) -> sum."""
    sides = {"train": Counter(), HELDOUT: Counter()}
    for is_held, cell, chars in zip(held.tolist(), _cells(kind, table), _chars(kind, table).tolist(), strict=True):
        side = sides[HELDOUT if is_held else "train"]
        side[cell, "records"] += 1
        side[cell, "chars"] += chars
    return sides


def _notes(config: Config, parts: list[dict[str, Counter]], n_clusters: int) -> dict:
    cells: dict[str, dict] = {"train": {}, HELDOUT: {}}
    for name, side in cells.items():
        for (cell, figure), n in sorted(sum((part[name] for part in parts), Counter()).items()):
            side.setdefault(cell, {})[figure] = n
    n_records = {name: sum(figures["records"] for figures in side.values()) for name, side in cells.items()}
    bare = config.share and config.max_chars and n_records["train"] and not n_records[HELDOUT]
    told = f"nothing is held out: the {n_records['train']:,} records make {n_clusters:,} clusters of texts alike, and a share of {config.share:g} by chance took none; raise share, or threshold"
    return {"n_train": n_records["train"], "n_heldout": n_records[HELDOUT], "n_clusters": n_clusters, "cells": cells, **({"warnings": [told]} if bare else {})}
