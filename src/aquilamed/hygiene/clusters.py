"""Clusters of near-equal records over shards: five passes with only files between them.

1. each shard: the keys of its rows in every band, sorted; 2. each band, in ranges of keys: pairs of rows with an equal key;
3. each shard: shingles and rank of the rows that stand in a pair; 4. blocks of pairs: their similarity; 5. connected components.
In memory at once: a shard or KEYS_AT_ONCE keys a worker, and about 500 bytes for each row that stands in a pair (benchmarks/dedup.py measures it).
"""

import dataclasses
import hashlib
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aquilamed.core import tables
from aquilamed.hygiene import minhash
from aquilamed.hygiene.texts import texts_of

KEYS_AT_ONCE = 1 << 21
"""Keys that a job of the second pass holds."""
PAIRS_AT_ONCE = 20_000
"""Pairs that a job of the fourth pass compares."""
BEST_FIRST = (("quality", "descending"), ("chars", "descending"), ("id", "ascending"), ("origin", "ascending"))
SMALLEST_ID_FIRST = (("id", "ascending"), ("chars", "descending"), ("origin", "ascending"))


@dataclasses.dataclass(frozen=True)
class Shard:
    """A file of records and where the keys of its rows are or will be: `keys`, `rows` (both [band, row], by key), `ids` ([row])."""

    path: Path
    index: Path
    start: int
    """Number of its first row; rows are counted through all shards."""
    n: int
    """Its rows."""
    is_seen: bool = False
    """Its keys are there already, its records stay, and pairs within such shards are left out."""

    def file(self, name: str) -> Path:
        return self.index / f"{name}-{self.path.stem}.npy"


@dataclasses.dataclass(frozen=True)
class Clusters:
    """The rows that share a cluster with another one, ascending; every other row is alone."""

    rows: np.ndarray
    keeper: np.ndarray
    """The row that stays in the cluster of each."""
    facts: pa.Table
    """id, quality, chars, twin (hash of the folded characters), origin (digest of the whole row, where its id is not the only one) of each."""
    is_exact: np.ndarray
    """True for a row whose id a better row of its cluster has too."""
    near: pa.Table
    """row, similarity, other (the id) of rows that stand in a pair below the threshold, ascending; the likest other of each."""

    def of(self, first: int, n: int) -> tuple[np.ndarray, np.ndarray]:
        """(place in `rows`, row minus `first`) of the rows first .. first + n that are in a cluster."""
        places = np.arange(*np.searchsorted(self.rows, (first, first + n)))
        return places, self.rows[places] - first


def shards_of(source: Path, kind: str, index: Path, start: int = 0, *, is_seen: bool = False) -> list[Shard]:
    """The shards of a folder, their rows counted from `start`."""
    made = []
    for path in tables.shards(source, kind):
        made.append(Shard(path=path, index=index, start=start, n=pq.read_metadata(path).num_rows, is_seen=is_seen))
        start += made[-1].n
    return made


Kin = Callable[[pa.Table], list[list[str]]]
"""The names of each row of a table: rows that share one are in one cluster, however unlike their texts are."""


def find(engine, shards: Sequence[Shard], kind: str, likeness: minhash.Likeness, passes: Path, order=BEST_FIRST, kin: Kin | None = None) -> Clusters:
    """The clusters of the records in `shards`; the first of each by `order` stays, those of seen shards before all.

    `passes` is a folder for files between the passes; what a killed try has left there is used.
    """
    passes.mkdir(parents=True, exist_ok=True)
    engine.map(lambda shard: _index(shard, kind, likeness), [shard for shard in shards if not shard.is_seen])
    n_seen = sum(shard.n for shard in shards if shard.is_seen)
    equal, alike = _pairs(engine, shards, likeness, passes, n_seen)
    akin = _akin(engine, shards, kin) if kin else np.empty(0, np.int64)
    ends = np.r_[equal, alike, akin]
    rows = np.unique(np.r_[ends >> 32, ends & 0xFFFFFFFF])
    facts = _facts(engine, shards, kind, passes, rows, np.unique(np.r_[equal >> 32, equal & 0xFFFFFFFF]))
    similarity = _similarities(engine, shards, passes, rows, alike)
    linked = np.r_[equal, akin, alike[similarity >= likeness.threshold]]
    return _settled(rows, facts.append_column("is_seen", pa.array(rows < n_seen)), linked, _nearest(alike, similarity, likeness.threshold, rows, facts), order)


def _index(shard: Shard, kind: str, likeness: minhash.Likeness) -> None:
    """Write the sorted keys of a shard."""
    if shard.file("ids").exists():
        return
    table = tables.load(shard.path)
    keys = minhash.band_keys(texts_of(kind, table), likeness.n_rows)
    order = np.argsort(keys, axis=1)
    tables.write_array(shard.file("rows"), order.astype(np.uint32))
    tables.write_array(shard.file("keys"), np.take_along_axis(keys, order, axis=1))
    tables.write_array(shard.file("ids"), np.array([int(i[:16], 16) for i in table["id"].to_pylist()], np.uint64))


def _pairs(engine, shards: Sequence[Shard], likeness: minhash.Likeness, passes: Path, n_seen: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of rows with equal ids, and of rows with an equal key in some band."""
    n_ranges = max(1, -(-sum(shard.n for shard in shards) // KEYS_AT_ONCE))
    edges = [(k << 64) // n_ranges for k in range(n_ranges + 1)]
    jobs = [(band, edges[k], edges[k + 1] - 1) for band in range(-1, likeness.n_bands) for k in range(n_ranges)]

    def one(job: tuple[int, int, int]) -> Path:
        path = passes / f"pairs-{job[0] + 1:02d}-{job[1]:016x}.npy"
        if not path.exists():
            tables.write_array(path, _pairs_of(shards, *job, n_seen))
        return path
    found = engine.map(one, jobs)
    return _union(found[:n_ranges]), _union(found[n_ranges:])


def _akin(engine, shards: Sequence[Shard], kin: Kin) -> np.ndarray:
    """Pairs of rows that share a name: of each name's rows enough to join them all."""
    def one(shard: Shard) -> tuple[np.ndarray, np.ndarray]:
        names = kin(tables.load(shard.path))
        keys = [int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()) for some in names for name in some]
        return np.array(keys, np.uint64), np.repeat(np.arange(shard.start, shard.start + shard.n), [len(some) for some in names])
    keys, rows = (np.concatenate(parts) for parts in zip(*engine.map(one, list(shards)), strict=True))
    return minhash.candidates(keys, rows, rows)


def _union(paths: Sequence[Path]) -> np.ndarray:
    """The distinct pairs of all files, ascending; most stand in many of them, so they are joined file by file."""
    pairs = np.empty(0, np.int64)
    for path in paths:
        pairs = np.union1d(pairs, np.load(path))
    return pairs


def _pairs_of(shards: Sequence[Shard], band: int, low: int, high: int, n_seen: int) -> np.ndarray:
    """The pairs of one band whose key is low .. high; band -1 is the ids."""
    parts = [_within(shard, band, low, high) for shard in shards]
    keys, rows = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(keys, kind="stable")
    ranked = keys[order]
    equal = ranked[1:] == ranked[:-1]
    chosen = order[(np.r_[False, equal] | np.r_[equal, False])[:len(order)]]
    ids = np.concatenate([np.load(shard.file("ids"), mmap_mode="r")[inside] for shard, inside in _by_shard(shards, np.sort(rows[chosen]))]
                         or [np.empty(0, np.uint64)])
    pairs = minhash.candidates(keys[chosen], rows[chosen], ids[np.argsort(np.argsort(rows[chosen]))])
    return pairs[(pairs & 0xFFFFFFFF) >= n_seen]


def _within(shard: Shard, band: int, low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
    """(keys, rows) of a shard whose key in `band` is low .. high."""
    if band < 0:
        keys = np.load(shard.file("ids"), mmap_mode="r")
        rows = np.flatnonzero((keys >= np.uint64(low)) & (keys <= np.uint64(high)))
        return keys[rows], rows + shard.start
    keys, rows = (np.load(shard.file(name), mmap_mode="r")[band] for name in ("keys", "rows"))
    begin, end = np.searchsorted(keys, np.uint64(low), "left"), np.searchsorted(keys, np.uint64(high), "right")
    return np.array(keys[begin:end]), rows[begin:end].astype(np.int64) + shard.start


def _by_shard(shards: Sequence[Shard], ascending: np.ndarray):
    """(shard, row numbers within it) for the rows `ascending`, shards without any left out."""
    bounds = [*np.searchsorted(ascending, [shard.start for shard in shards]), len(ascending)]
    for shard, (begin, end) in zip(shards, itertools.pairwise(bounds), strict=True):
        if begin < end:
            yield shard, ascending[begin:end] - shard.start


def _facts(engine, shards: Sequence[Shard], kind: str, passes: Path, rows: np.ndarray, again: np.ndarray) -> pa.Table:
    """What the rows are ranked by, in their order; their shingles are written. `again`: the rows that share their id."""
    jobs = [(shard, inside, np.isin(inside + shard.start, again)) for shard, inside in _by_shard(shards, rows)]
    found = engine.map(lambda job: _facts_of(*job, kind, passes), jobs)
    empty = pa.table({"id": pa.array([], pa.string()), "quality": pa.array([], pa.float64()), "chars": pa.array([], pa.int32()),
                      "twin": pa.array([], pa.uint64()), "origin": pa.array([], pa.binary())})
    return pa.concat_tables([empty, *found]).combine_chunks()


def _facts_of(shard: Shard, inside: np.ndarray, is_again: np.ndarray, kind: str, passes: Path) -> pa.Table:
    table = tables.load(shard.path).take(pa.array(inside))
    texts = texts_of(kind, table)
    shingles, offsets = minhash.shingle_sets(texts)
    tables.write_array(passes / f"shingles-{shard.start}.npy", shingles)
    tables.write_array(passes / f"offsets-{shard.start}.npy", offsets)
    twins, chars = minhash.spellings(texts)
    return pa.table({"id": table["id"].combine_chunks(), "quality": _qualities(table), "chars": chars, "twin": twins, "origin": _origins(table, texts, is_again)})


def _qualities(table: pa.Table) -> pa.Array:
    """`meta["quality"]` as a number, -1 where there is none."""
    said = pc.map_lookup(table["meta"], pa.scalar("quality"), "first").combine_chunks()
    is_number = pc.match_substring_regex(said, r"^[0-9]+(\.[0-9]+)?$")
    return pc.fill_null(pc.if_else(is_number, said, None).cast(pa.float64()), -1.0)


def _origins(table: pa.Table, texts: pa.Array, is_again: np.ndarray) -> pa.Array:
    """A digest of each whole row `is_again`, so that between rows of equal id the choice does not depend on their order."""
    chosen = pa.array(is_again)
    columns = [texts.filter(chosen), *(table[name].filter(chosen) for name in ("lang", "source", "license", "meta"))]
    found = [hashlib.blake2b(repr(row).encode(), digest_size=16).digest() for row in zip(*(column.to_pylist() for column in columns), strict=True)]
    return pc.replace_with_mask(pa.array([b""] * len(table), pa.binary()), chosen, pa.array(found, pa.binary()))


def _similarities(engine, shards: Sequence[Shard], passes: Path, rows: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """The similarity of each pair, block by block."""
    blocks = [pairs[k:k + PAIRS_AT_ONCE] for k in range(0, len(pairs), PAIRS_AT_ONCE)]
    placed = {shard.start: np.searchsorted(rows, shard.start) for shard in shards}

    def one(block: np.ndarray) -> np.ndarray:
        ends_of = np.c_[block >> 32, block & 0xFFFFFFFF]
        wanted, places = np.unique(ends_of, return_inverse=True)
        parts = [_shingles(passes, shard, np.searchsorted(rows, inside + shard.start) - placed[shard.start]) for shard, inside in _by_shard(shards, wanted)]
        offsets = np.cumsum(np.concatenate([[0], *(sizes for _, sizes in parts)]))
        return minhash.similarities(places.reshape(-1, 2), np.concatenate([shingles for shingles, _ in parts]), offsets)
    return np.concatenate([np.empty(0), *engine.map(one, blocks)])


def _shingles(passes: Path, shard: Shard, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(shingles, how many of each) of the rows at `places` among those written for a shard."""
    found = np.load(passes / f"shingles-{shard.start}.npy", mmap_mode="r")
    offsets = np.load(passes / f"offsets-{shard.start}.npy")
    sizes = offsets[places + 1] - offsets[places]
    at = np.repeat(offsets[places] - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
    return found[at], sizes


def _nearest(pairs: np.ndarray, similarity: np.ndarray, threshold: float, rows: np.ndarray, facts: pa.Table) -> pa.Table:
    """The rows in pairs below the threshold, each with the other that it is likest, of equal ones the smallest id."""
    below = similarity < threshold
    ends = np.c_[pairs[below] >> 32, pairs[below] & 0xFFFFFFFF]
    other = facts["id"].take(pa.array(np.searchsorted(rows, ends[:, ::-1].T.ravel())))
    near = pa.table({"row": ends.T.ravel(), "similarity": np.tile(similarity[below], 2), "other": other})
    near = near.take(pc.sort_indices(near, [("row", "ascending"), ("similarity", "descending"), ("other", "ascending")]))
    row = near["row"].to_numpy()
    return near.filter(pa.array(np.r_[True, row[1:] != row[:-1]][:len(row)])).combine_chunks()


def _settled(rows: np.ndarray, facts: pa.Table, linked: np.ndarray, near: pa.Table, order) -> Clusters:
    """Which row of each component stays."""
    ends = np.searchsorted(rows, np.c_[linked >> 32, linked & 0xFFFFFFFF])
    root = minhash.components(len(rows), ends)
    ranked = pc.sort_indices(facts, sort_keys=[("is_seen", "descending"), *order]).to_numpy().astype(np.int64)
    rank = np.argsort(ranked)
    best = np.full(len(rows), len(rows))
    np.minimum.at(best, root, rank)
    keeper = ranked[best[root]] if len(rows) else root
    code = pc.dictionary_encode(facts["id"].combine_chunks()).indices.to_numpy()
    first = np.full(len(rows), len(rows))
    np.minimum.at(first, code, rank)
    in_cluster = np.bincount(root, minlength=len(rows))[root] > 1
    chosen = np.flatnonzero(in_cluster)
    return Clusters(rows=rows[chosen], keeper=rows[keeper[chosen]], facts=facts.take(pa.array(chosen)), is_exact=(first[code] != rank)[chosen], near=near)
