"""Drops exact and near duplicates; of each cluster the longest text stays, then the smallest id. paper 2.2.1

Three passes over the shards with only files between them: band keys; shingles of the candidates; the sifting.
"""

import dataclasses
import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.core import tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.engine.local import Local
from aquilamed.hygiene import minhash
from aquilamed.hygiene.kernels import folded
from aquilamed.hygiene.texts import texts_of

VERSION = 2

LONGEST_FIRST = (("chars", "descending"), ("id", "ascending"), ("origin", "ascending"))
SMALLEST_ID_FIRST = (("id", "ascending"), ("chars", "descending"), ("origin", "ascending"))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Which records count as the same."""

    kind: Literal["documents", "conversations", "preferences"] = "documents"
    """Record kind; the whole text of a record is compared."""
    threshold: float = 0.8
    """Least Jaccard similarity of 5-gram shingles at which two records are near duplicates, (0, 1]. ours: the usual value; the paper names none"""

    def __post_init__(self):
        check(0 < self.threshold <= 1, f"dedup: threshold={self.threshold}: expected a share above 0 and up to 1")


@dataclasses.dataclass(frozen=True)
class Groups:
    """The clusters of a folder's records; a row number counts through all shards."""

    ids: pa.Array
    """The id of every row."""
    keeper: np.ndarray
    """The row that stays in the cluster of each row."""
    repeats: np.ndarray
    """True for a row whose id a better row has too."""
    starts: np.ndarray
    """The first row number of each shard, and one past the last."""


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Sift `inputs[config.kind]`; reasons `exact_duplicate` and `near_duplicate`, detail the id that stays."""
    source = inputs[config.kind]
    groups = group(engine, source, config.kind, minhash.Likeness(config.threshold), out / "passes")

    def one(job: tuple[int, Path]) -> Counts:
        number, path = job
        numbers = np.arange(groups.starts[number], groups.starts[number + 1])
        keeper, repeats = groups.keeper[numbers], groups.repeats[numbers]
        kept_id = groups.ids.take(pa.array(keeper))
        rules = {"exact_duplicate": repeats, "near_duplicate": keeper != numbers}
        kept, dropped = tables.sift(tables.load(path), rules, dict.fromkeys(rules, kept_id))
        return tables.save(out, config.kind, number, kept, dropped)

    counts = Counts.total(engine.map(one, list(enumerate(tables.shards(source, config.kind)))))
    return dataclasses.replace(counts, notes=_notes(groups))


def clusters(texts: pa.Array | list[str], ids: pa.Array | list[str], threshold: float) -> np.ndarray:
    """The content cluster of each text, named by the smallest id in it; for splits that must not share content."""
    texts, ids = (x if isinstance(x, pa.Array | pa.ChunkedArray) else pa.array(x, pa.string()) for x in (texts, ids))
    likeness = minhash.Likeness(threshold)
    named, position = np.unique(np.array(ids.to_pylist(), object), return_inverse=True)
    first = np.full(len(named), len(ids))
    np.minimum.at(first, position, np.arange(len(ids)))
    texts = texts.take(pa.array(first))
    keys = minhash.band_keys(texts, likeness.n_rows)
    root = minhash.link(Local(1), lambda band: keys[band], lambda wanted: minhash.shingle_sets(texts.take(pa.array(wanted))),
                        len(named), likeness)
    return named[root][position]


def group(engine, source: Path, kind: str, likeness: minhash.Likeness, passes: Path, order=LONGEST_FIRST) -> Groups:
    """The clusters of the records in `source`; the first of each by `order` stays. `passes` is a folder of its own, removed at the end."""
    passes.mkdir(parents=True, exist_ok=True)
    paths = tables.shards(source, kind)
    parts = engine.map(lambda job: _index(job, kind, likeness, passes), list(enumerate(paths)))
    catalogue = pa.concat_tables(parts).combine_chunks()
    starts = np.cumsum([0, *map(len, parts)])
    ranked = pc.sort_indices(catalogue, sort_keys=list(order)).to_numpy().astype(np.int64)
    code = pc.dictionary_encode(catalogue["id"].combine_chunks()).indices.to_numpy()
    _, best, position = np.unique(code[ranked], return_index=True, return_inverse=True)
    firsts = np.sort(best)
    rows = ranked[firsts]
    keys = [passes / f"keys-{number}.npy" for number in range(len(paths))]
    root = minhash.link(
        engine, lambda band: np.concatenate([np.load(path, mmap_mode="r")[band] for path in keys])[rows],
        lambda wanted: _gather(engine, paths, kind, starts, rows[wanted]), len(rows), likeness)
    shutil.rmtree(passes)
    keeper, repeats = np.empty(len(ranked), np.int64), np.ones(len(ranked), bool)
    keeper[ranked] = rows[root][np.searchsorted(firsts, best[position])]
    repeats[rows] = False
    return Groups(ids=catalogue["id"].combine_chunks(), keeper=keeper, repeats=repeats, starts=starts)


def _index(job: tuple[int, Path], kind: str, likeness: minhash.Likeness, passes: Path) -> pa.Table:
    """Write the band keys of a shard; return what its rows are ranked by: blanks make no text longer."""
    number, path = job
    table = tables.load(path)
    texts = texts_of(kind, table)
    np.save(passes / f"keys-{number}.npy", minhash.band_keys(texts, likeness.n_rows))
    return pa.table({"id": table["id"], "chars": pc.utf8_length(pc.replace_substring(folded(texts), " ", "")), "origin": _origins(table, texts)})


def _origins(table: pa.Table, texts: pa.Array) -> pa.Array:
    """A digest of each whole row, so that between rows of equal id the choice does not depend on their order."""
    columns = zip(texts.to_pylist(), *(table[name].to_pylist() for name in ("lang", "source", "license", "meta")), strict=True)
    return pa.array([hashlib.blake2b(repr(row).encode(), digest_size=16).digest() for row in columns], pa.binary())


def _gather(engine, paths: list[Path], kind: str, starts: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(shingles, offsets) of the rows with these numbers, in their order."""
    ascending = np.sort(rows)
    bounds = np.searchsorted(ascending, starts)

    def one(number: int) -> tuple[np.ndarray, np.ndarray]:
        inside = ascending[bounds[number]:bounds[number + 1]] - starts[number]
        return minhash.shingle_sets(texts_of(kind, tables.load(paths[number])).take(pa.array(inside)))

    found = engine.map(one, [number for number in range(len(paths)) if bounds[number] < bounds[number + 1]])
    shingles = np.concatenate([np.empty(0, np.uint32), *(part for part, _ in found)])
    sizes = np.concatenate([np.empty(0, np.int64), *(np.diff(offsets) for _, offsets in found)])
    return _reorder(shingles, sizes, np.searchsorted(ascending, rows))


def _reorder(shingles: np.ndarray, sizes: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    starts = np.cumsum(np.r_[0, sizes])[:-1][order]
    offsets = np.cumsum(np.r_[0, sizes[order]])
    places = np.repeat(starts - offsets[:-1], sizes[order]) + np.arange(offsets[-1])
    return shingles[places], offsets


def _notes(groups: Groups) -> dict:
    sizes = np.bincount(groups.keeper, minlength=1)
    return {"n_clusters": int((sizes > 1).sum()), "largest_cluster": int(sizes.max())}
