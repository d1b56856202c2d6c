"""Splits records into training and held-out ones by content cluster: no near-copy stands on both sides. ours; paper 2.2.2 holds out 10 %"""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.core import chance, tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.hygiene import dedup
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
    kind = config.kind
    source = inputs[kind]
    groups = dedup.group(engine, source, kind, Likeness(config.threshold), out / "passes", dedup.SMALLEST_ID_FIRST)
    paths = list(enumerate(tables.shards(source, kind)))
    cells = [cell for part in engine.map(lambda job: _cells(kind, tables.load(job[1])), paths) for cell in part]
    chosen = choose(config, groups.keeper, groups.ids, cells)
    is_heldout = np.isin(groups.keeper, chosen)

    def one(job: tuple[int, Path]) -> Counts:
        number, path = job
        table, held = tables.load(path), pa.array(is_heldout[groups.starts[number]:groups.starts[number + 1]])
        tables.write(out / kind / tables.part(number), table.filter(pc.invert(held)))
        tables.write(out / HELDOUT / tables.part(number), table.filter(held))
        return Counts(n_in=len(table), n_out=len(table), langs=tables.langs(table))

    return dataclasses.replace(Counts.total(engine.map(one, paths)), notes=_notes(groups, is_heldout, cells))


def choose(config: Config, keeper: np.ndarray, ids: pa.Array, cells: list[tuple[str, int]]) -> list[int]:
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


def _cells(kind: str, table: pa.Table) -> list[tuple[str, int]]:
    domains = tables.meta_of(table, "domain") if kind == "documents" else table["kind"].to_pylist()
    langs, chars = table["lang"].to_pylist(), pc.utf8_length(texts_of(kind, table)).to_pylist()
    return [(f"{domain or 'unmarked'} {lang}", n) for domain, lang, n in zip(domains, langs, chars, strict=True)]


def _notes(groups: dedup.Groups, is_heldout: np.ndarray, cells: list[tuple[str, int]]) -> dict:
    sides: dict[str, dict] = {"train": {}, HELDOUT: {}}
    for held, (cell, chars) in zip(is_heldout.tolist(), cells, strict=True):
        figures = sides[HELDOUT if held else "train"].setdefault(cell, {"records": 0, "chars": 0})
        figures["records"] += 1
        figures["chars"] += chars
    return {"n_train": int((~is_heldout).sum()), "n_heldout": int(is_heldout.sum()), "n_clusters": len(np.unique(groups.keeper)), "cells": sides}
