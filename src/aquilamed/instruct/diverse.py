"""Drops conversations whose questions are much like those of a better one: Deita's filter, from the best score down. paper 2.2.1

Alike is the Jaccard similarity of 5-grams of all that the user says: of Han characters, or of words. Nothing is missed: two sets that are alike enough
share one of the rarest grams of both, so each question is compared with those alone that stay and have one of its rarest. In memory: the grams, about
20 bytes each.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit

from aquilamed.core import manifest, tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.hygiene import minhash
from aquilamed.hygiene.minhash import similarities
from aquilamed.instruct import ranking

VERSION = 1
KIND = ranking.KIND
_COUNTED = 1 << 22
"""Counters of shingles; two that share one only make an order a little less good."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """How near is too near."""

    threshold: float = 0.75
    """Jaccard similarity, (0, 1], from which a question is too much like one that stays. paper 2.2.1 names Deita, whose distance is of embeddings; ours: of
    5-grams, without a model, and as high as this because questions of one form about two diseases reach 0.7 (docs/decisions.md)"""

    def __post_init__(self):
        check(0 < self.threshold <= 1, f"diverse: threshold={self.threshold}: expected a share above 0 and up to 1")


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Sift `inputs["conversations"]` in order of score, then id; reason: near_instruction, detail: the likest that stays and how alike.

    Raises:
        ConfigError: a conversation has no score; name the scoring step's output as the input.
    """
    rank, _ = ranking.ranked(inputs[KIND])
    paths = tables.shards(inputs[KIND], KIND)
    stems = [out / manifest.PASSES / f"grams-{number:05d}" for number in range(len(paths))]
    engine.map(lambda job: _read(*job), list(zip(paths, stems, strict=True)))
    shingles, offsets = _joined(stems)
    neighbour, alike = walk(rank.order, shingles, offsets, rarest_first(shingles, offsets), config.threshold)

    def one(job: tuple[int, Path]) -> Counts:
        number, path = job
        start, end = rank.starts[number:number + 2]
        near = neighbour[start:end]
        told = [f"{rank.ids[other].as_py()} {share:.3f}" if other >= 0 else None for other, share in zip(near.tolist(), alike[start:end].tolist(), strict=True)]
        rules, details = {"near_instruction": near >= 0}, {"near_instruction": pa.array(told, pa.string())}
        return tables.saved(out, KIND, number) or tables.save(out, KIND, number, *tables.sift(tables.load(path), rules, details))
    return Counts.total(engine.map(one, list(enumerate(paths))))


@njit(nogil=True, cache=True)
def rarest_first(shingles, offsets):
    """The shingles of each row, rare ones first: in one order for all rows, by how often their low bits come."""
    counts, ranked = np.zeros(_COUNTED, np.int64), shingles.copy()
    for shingle in shingles:
        counts[shingle & np.uint32(_COUNTED - 1)] += 1
    for row in range(len(offsets) - 1):
        here = ranked[offsets[row]:offsets[row + 1]]
        keys = np.empty(len(here), np.uint64)
        for k in range(len(here)):
            keys[k] = np.uint64(counts[here[k] & np.uint32(_COUNTED - 1)]) << np.uint64(32) | np.uint64(here[k])
        keys.sort()
        for k in range(len(here)):
            here[k] = np.uint32(keys[k] & np.uint64(0xFFFFFFFF))
    return ranked


@njit(nogil=True, cache=True)
def walk(order, shingles, offsets, ranked, threshold):
    """(the kept row that each row is likest to, -1 where it is itself kept; how alike), keeping rows in `order`."""
    n, size, n_entries = len(offsets) - 1, np.int64(16), 0
    while size < len(shingles):
        size <<= 1
    heads, following = np.full(size, -1, np.int64), np.empty(len(shingles), np.int64)
    row_of, seen = np.empty(len(shingles), np.int32), np.full(n, -1, np.int64)
    neighbour, alike, pair = np.full(n, -1, np.int64), np.zeros(n), np.empty((1, 2), np.int64)
    for row in order:
        length = offsets[row + 1] - offsets[row]
        needed = np.int64(np.ceil(threshold * length - 1e-9))
        rare = ranked[offsets[row]:offsets[row] + length - needed + 1]       # one of these is among another's, if they are alike enough
        pair[0, 0] = row
        for shingle in rare:
            entry = heads[np.int64(shingle) * 0x9E3779B1 & (size - 1)]
            while entry >= 0:
                other = row_of[entry]
                size_of = offsets[other + 1] - offsets[other]
                if seen[other] != row and threshold * length <= size_of + 1e-9 and threshold * size_of <= length + 1e-9:
                    seen[other], pair[0, 1] = row, other
                    share = similarities(pair, shingles, offsets)[0]
                    if share >= threshold and share > alike[row]:
                        neighbour[row], alike[row] = other, share
                entry = following[entry]
        if neighbour[row] < 0:
            for shingle in rare:
                place = np.int64(shingle) * 0x9E3779B1 & (size - 1)
                following[n_entries], row_of[n_entries], heads[place] = heads[place], row, n_entries
                n_entries += 1
    return neighbour, alike


def questions(table: pa.Table) -> pa.Array:
    """All that the user says in each conversation."""
    messages = table["messages"].combine_chunks()
    said = messages.flatten()
    is_user = pc.equal(pc.struct_field(said, "role"), "user")
    n_before = np.r_[0, np.cumsum(is_user.to_numpy(zero_copy_only=False))].astype(np.int32)
    ends = np.r_[0, np.cumsum(pc.list_value_length(messages).to_numpy())]
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(n_before[ends]), pc.struct_field(said, "content").filter(is_user)), "\n")


def _read(path: Path, stem: Path) -> None:
    """Write the shingles of a shard's questions."""
    for name, array in zip(("shingles", "offsets"), minhash.shingle_sets(questions(tables.load(path))), strict=True):
        tables.write_array(stem.with_name(f"{stem.name}-{name}.npy"), array)


def _joined(stems: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    shingles, offsets = ([np.load(stem.with_name(f"{stem.name}-{name}.npy")) for stem in stems] for name in ("shingles", "offsets"))
    starts = np.cumsum([0, *map(len, shingles)])
    moved = [part[:-1] + start for part, start in zip(offsets, starts, strict=False)]
    return np.concatenate(shingles), np.r_[np.concatenate(moved), starts[-1]]
