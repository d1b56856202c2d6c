"""Near-duplicate candidates by locality-sensitive hashing, and their confirmation on the shingles themselves.

A shingle is 5 Han characters where Han is more than half of the tokens, else 5 words. A text of fewer tokens is one
shingle of all of them, and a text without any is one shingle of its characters: such texts meet only their equals.
"""

import dataclasses
import numpy as np
import pyarrow as pa
from numba import njit

from aquilamed.hygiene.alphabet import HAN, IGNORED, SPACE, table
from aquilamed.hygiene.kernels import accumulate, buffers_of, classify, decode, longest, mix, powers_of_root, tokenise, window

WORD_GRAM, HAN_GRAM = 5, 5
N_HASHES = 120
SENSITIVITY = 0.9
"""Least chance with which two texts exactly at the threshold become candidates."""


@dataclasses.dataclass(frozen=True)
class Likeness:
    """How alike two texts must be, and the bands that find such pairs."""

    threshold: float
    """Least Jaccard similarity of the shingle sets, 0..1."""

    @property
    def n_rows(self) -> int:
        """Hashes in a band: the most that still find a pair at the threshold with chance SENSITIVITY: 6 for 0.8, 3 for 0.4."""
        chances = {rows: 1 - (1 - self.threshold**rows) ** (N_HASHES // rows) for rows in (6, 5, 4, 3, 2)}
        return next((rows for rows, chance in chances.items() if chance >= SENSITIVITY), 1)

    @property
    def n_bands(self) -> int:
        return N_HASHES // self.n_rows


def band_keys(texts: pa.Array, n_rows: int) -> np.ndarray:
    """keys[band, text]: texts that agree in one band are candidates. Bands of `n_rows` of the 120 hashes."""
    multiply, add = _permutations()
    signatures = _signatures(buffers_of(texts), table(), multiply, add)
    return _bands(signatures, n_rows)


def candidates(keys: np.ndarray, rows: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Rows with equal keys as `low << 32 | high`: of each kind every row with the first and with the one before it, by their `order`.

    All pairs would be quadratic in a page that stands a thousand times. `keys`, `rows`, `order` are parallel.
    """
    ranked = np.lexsort((order, keys))
    keys, rows = keys[ranked], rows[ranked]
    is_first = np.r_[True, keys[1:] != keys[:-1]][:len(keys)]
    starts, same = np.flatnonzero(is_first), np.flatnonzero(~is_first)
    first = starts[np.searchsorted(starts, same, "right") - 1]
    pairs = np.r_[np.c_[rows[first], rows[same]], np.c_[rows[same - 1], rows[same]]].astype(np.int64)
    return np.unique(pairs.min(axis=1, initial=2**62) << 32 | pairs.max(axis=1, initial=0))


def spellings(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """(hash, number) of the characters of each text, folded, blanks left out: equal for equal content."""
    return _spellings(buffers_of(texts), table())


def shingle_sets(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """(shingles, offsets): the sorted distinct shingles of each text, as 32-bit hashes."""
    return _shingle_sets(buffers_of(texts), table())


@njit(nogil=True, cache=True)
def similarities(pairs, shingles, offsets):
    """The Jaccard similarity, 0..1, of the shingle sets of each pair."""
    found = np.zeros(len(pairs))
    for k in range(len(pairs)):
        i, j = offsets[pairs[k, 0]], offsets[pairs[k, 1]]
        end_i, end_j = offsets[pairs[k, 0] + 1], offsets[pairs[k, 1] + 1]
        total, common = end_i - i + end_j - j, 0
        while i < end_i and j < end_j:
            a, b = shingles[i], shingles[j]
            common += a == b
            i += a <= b
            j += b <= a
        found[k] = common / (total - common)
    return found


@njit(nogil=True, cache=True)
def components(n, pairs):
    """root[k]: the smallest member of k's connected component."""
    root = np.arange(n)
    for k in range(len(pairs)):
        ends = (_root_of(root, pairs[k, 0]), _root_of(root, pairs[k, 1]))
        root[max(ends)] = min(ends)
    for k in range(n):
        root[k] = _root_of(root, k)
    return root


@njit(nogil=True, cache=True)
def _root_of(root, k):
    while root[k] != k:
        root[k] = root[root[k]]
        k = root[k]
    return k


def _permutations() -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(20240618)
    return chance.integers(0, 2**31, N_HASHES, np.uint32) * np.uint32(2) + np.uint32(1), chance.integers(0, 2**32, N_HASHES, np.uint32)


@njit(nogil=True, cache=True)
def _shingles(data, span, alphabet, tokens, kinds, prefix):
    """The shingles of one text over `tokens`, in place; how many."""
    n = tokenise(data, span, alphabet, tokens, kinds)
    if n == 0:
        tokens[0], _ = _of_characters(data, span, alphabet)
        return 1
    accumulate(tokens, n, prefix)
    length = HAN_GRAM if 2 * np.sum(kinds[:n] == HAN) > n else WORD_GRAM
    length = min(n, length)
    powers = powers_of_root(length)
    for start in range(n - length + 1):
        tokens[start] = window(prefix, start, length, powers)
    return n - length + 1


@njit(nogil=True, cache=True)
def _of_characters(data, span, alphabet):
    """(hash, number) of the folded characters other than blanks."""
    key, n, at = np.uint64(0), 0, span[0]
    while at < span[1]:
        code, at = decode(data, at)
        kind, char = classify(code, alphabet)
        if kind != SPACE and kind != IGNORED:
            key = mix(key + np.uint64(char) + np.uint64(1))
            n += 1
    return key, n


@njit(nogil=True, cache=True)
def _spellings(texts, alphabet):
    data, offsets = texts
    keys, chars = np.empty(len(offsets) - 1, np.uint64), np.empty(len(offsets) - 1, np.int32)
    for k in range(len(offsets) - 1):
        keys[k], chars[k] = _of_characters(data, (offsets[k], offsets[k + 1]), alphabet)
    return keys, chars


@njit(nogil=True, cache=True)
def _signatures(texts, alphabet, multiply, add):
    data, offsets = texts
    size = longest(offsets)
    tokens, prefix, kinds = np.empty(size, np.uint64), np.empty(size + 1, np.uint64), np.empty(size, np.uint32)
    least = np.full((len(offsets) - 1, len(add)), np.uint32(0xFFFFFFFF), np.uint32)
    for k in range(len(offsets) - 1):
        row = least[k]
        for s in range(_shingles(data, (offsets[k], offsets[k + 1]), alphabet, tokens, kinds, prefix)):
            shingle = np.uint32(tokens[s] & np.uint64(0xFFFFFFFF))
            for h in range(len(add)):
                row[h] = min(row[h], np.uint32(shingle * multiply[h] + add[h]))
    return least


@njit(nogil=True, cache=True)
def _bands(signatures, n_rows):
    n, n_bands = len(signatures), signatures.shape[1] // n_rows
    keys = np.empty((n_bands, n), np.uint64)
    for k in range(n):
        for band in range(n_bands):
            key = np.uint64(band)
            for row in range(band * n_rows, (band + 1) * n_rows):
                key = mix(key + np.uint64(signatures[k, row]) + np.uint64(1))
            keys[band, k] = key
    return keys


@njit(nogil=True, cache=True)
def _shingle_sets(texts, alphabet):
    data, offsets = texts
    n, size = len(offsets) - 1, longest(offsets)
    tokens, prefix, kinds = np.empty(size, np.uint64), np.empty(size + 1, np.uint64), np.empty(size, np.uint32)
    out, ends, to = np.empty(offsets[n] - offsets[0] + n, np.uint32), np.zeros(n + 1, np.int64), 0
    for k in range(n):
        m = _shingles(data, (offsets[k], offsets[k + 1]), alphabet, tokens, kinds, prefix)
        ranked = np.sort((tokens[:m] & np.uint64(0xFFFFFFFF)).astype(np.uint32))
        for s in range(m):
            if s == 0 or ranked[s] != ranked[s - 1]:
                out[to] = ranked[s]
                to += 1
        ends[k + 1] = to
    return out[:to], ends
