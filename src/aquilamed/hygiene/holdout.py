"""Splits records into training and held-out ones by content cluster: no near-copy stands on both sides. ours; paper 2.2.2 holds out 10 %"""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.core import chance, manifest, tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.hygiene import clusters
from aquilamed.hygiene.minhash import Likeness
from aquilamed.hygiene.texts import texts_of

VERSION = 2
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


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write `<kind>/` and `heldout/` from `inputs[config.kind]`; both count as out."""
    kind, passes = config.kind, out / manifest.PASSES
    shards = clusters.shards_of(inputs[kind], kind, passes / "index")
    found = clusters.find(engine, shards, kind, Likeness(config.threshold), passes, clusters.SMALLEST_ID_FIRST)
    parts = engine.map(lambda shard: _cells(kind, tables.load(shard.path)), shards)
    cells = [cell for _, part in parts for cell in part]
    keeper = np.arange(len(cells))
    keeper[found.rows] = found.keeper
    ids = pa.chunked_array([part for part, _ in parts])
    is_heldout = np.isin(keeper, choose(config, keeper, ids, cells))

    def one(job: tuple[int, clusters.Shard]) -> Counts:
        number, shard = job
        table, held = tables.load(shard.path), pa.array(is_heldout[shard.start:shard.start + shard.n])
        tables.write(out / kind / tables.part(number), table.filter(pc.invert(held)))
        tables.write(out / HELDOUT / tables.part(number), table.filter(held))
        return Counts(n_in=len(table), n_out=len(table), langs=tables.langs(table))

    return dataclasses.replace(Counts.total(engine.map(one, list(enumerate(shards)))), notes=_notes(keeper, is_heldout, cells))


def choose(config: Config, keeper: np.ndarray, ids: pa.ChunkedArray, cells: list[tuple[str, int]]) -> list[int]:
    """The clusters held out, by the row of their smallest id: whole, by the chance of that id, up to `max_chars` a cell.

    `cells` holds the cell and the characters of every row; a cluster belongs to the cell of its smallest id.
    """
    chars: Counter = Counter()
    for root, (_, n) in zip(keeper.tolist(), cells, strict=True):
        chars[root] += n
    drawn = sorted((chance.share(config.seed, ids[root].as_py()), ids[root].as_py(), root) for root in chars)
    taken: defaultdict[str, int] = defaultdict(int)
    chosen = []
    for share, _, root in drawn:
        cell = cells[root][0]
        if share < config.share and taken[cell] + chars[root] <= config.max_chars:
            taken[cell] += chars[root]
            chosen.append(root)
    return chosen


def _cells(kind: str, table: pa.Table) -> tuple[pa.Array, list[tuple[str, int]]]:
    """The ids of a shard, and the cell and the characters of each row."""
    domains = tables.meta_of(table, "domain") if kind == "documents" else table["kind"].to_pylist()
    langs, chars = table["lang"].to_pylist(), pc.utf8_length(texts_of(kind, table)).to_pylist()
    return table["id"].combine_chunks(), [(f"{domain or 'unmarked'} {lang}", n) for domain, lang, n in zip(domains, langs, chars, strict=True)]


def _notes(keeper: np.ndarray, is_heldout: np.ndarray, cells: list[tuple[str, int]]) -> dict:
    sides: dict[str, dict] = {"train": {}, HELDOUT: {}}
    for held, (cell, chars) in zip(is_heldout.tolist(), cells, strict=True):
        figures = sides[HELDOUT if held else "train"].setdefault(cell, {"records": 0, "chars": 0})
        figures["records"] += 1
        figures["chars"] += chars
    return {"n_train": int((~is_heldout).sum()), "n_heldout": int(is_heldout.sum()), "n_clusters": len(np.unique(keeper)), "cells": sides}
