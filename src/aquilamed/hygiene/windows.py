"""Which benchmark units a text contains: hashed token windows over Arrow buffers.

A unit is the stem or the context of an item. Its windows are 8 tokens long where most of it is Han, else 5 words; those of a shorter unit
are 4 characters or 3 words, and what is shorter still has none. A text covers a token of a unit if a window with that token stands in it; only windows that stand close to one another
in the text are counted together, so that a long book does not gather a stem from all over.
"""

import dataclasses

import numpy as np
import pyarrow as pa
from numba import njit

from aquilamed.hygiene.alphabet import HAN, table
from aquilamed.hygiene.kernels import accumulate, buffers_of, longest, powers_of_root, table_size, tokenise, window

HAN_WINDOW, WORD_WINDOW = 8, 5
SHORT_HAN, SHORT_WORDS = 4, 3
"""Windows of units that are shorter than a window; a unit of fewer tokens can't be searched for."""
COMMON = 20
"""A window that stands in more units is left out of the index, unless a unit has no other."""
FORMULA_ITEMS = 3
SLACK = 20
"""Tokens by which the windows of a unit may lie apart in a text beyond twice the unit's length."""
_BITS = 22
"""Of the bitmap that is asked before the table."""


@dataclasses.dataclass(frozen=True)
class Index:
    """The windows of all units, made for look-up."""

    bitmap: np.ndarray
    """2**_BITS bits: whether a window with such a hash may be there."""
    keys: np.ndarray
    """Open-addressed window hashes; 0 is a free place."""
    slots: np.ndarray
    """Place in `keys` -> number of the window."""
    starts: np.ndarray
    """Number of the window -> where its postings begin."""
    units: np.ndarray
    """Posting -> unit."""
    offsets: np.ndarray
    """Posting -> the window's place in the unit, in tokens."""
    sizes: np.ndarray
    """Unit -> its tokens."""
    lengths: np.ndarray
    """Unit -> tokens of its windows."""
    is_han: np.ndarray
    """Unit -> whether most of its tokens are Han."""
    is_formula: np.ndarray
    """Unit -> whether each of its windows stands in FORMULA_ITEMS items or more."""
    coverable: np.ndarray
    """Unit -> tokens in windows that are indexed."""
    han_lengths: np.ndarray
    """The lengths of windows that begin with a Han character, ascending."""
    other_lengths: np.ndarray
    """The lengths of windows that begin with another token."""


def build(texts: pa.Array, items: np.ndarray) -> Index:
    """The index of the units `texts`; items[unit] is equal for units of one item, whatever lists it stands in."""
    hashes, units, offsets, firsts, sizes, lengths, is_han = _windows(buffers_of(texts), table())
    keys, code = np.unique(hashes, return_inverse=True)
    pairs = np.unique(np.c_[code, items[units]], axis=0)
    n_units = np.bincount(pairs[:, 0], minlength=len(keys))
    n_rare = np.bincount(units, n_units[code] < FORMULA_ITEMS, minlength=len(texts))
    kept = (n_units[code] <= COMMON) | _rarest(code, units, n_units, len(sizes))
    order = np.lexsort((offsets[kept], units[kept], code[kept]))
    hashes, units, offsets, firsts = (column[kept][order] for column in (hashes, units, offsets, firsts))
    keys, first = np.unique(hashes, return_index=True)
    bitmap, table_keys, slots = _hashed(keys)
    return Index(
        bitmap=bitmap, keys=table_keys, slots=slots, starts=np.r_[first, len(hashes)].astype(np.int64), units=units, offsets=offsets,
        sizes=sizes, lengths=lengths, is_han=is_han, is_formula=(n_rare == 0) & (sizes > 0), coverable=_coverable(units, offsets, lengths, sizes),
        han_lengths=np.unique(lengths[units[firsts]]), other_lengths=np.unique(lengths[units[~firsts]]))


def cover(texts: pa.Array, index: Index, needed: np.ndarray) -> np.ndarray:
    """(row, unit, covered tokens) wherever a text covers at least `needed[unit]` tokens of a unit; shape (n, 3)."""
    parts = (index.bitmap, index.keys, index.slots, index.starts, index.units, index.offsets)
    return _cover(buffers_of(texts), table(), parts, (index.sizes, index.lengths, needed), (index.han_lengths, index.other_lengths))


def _rarest(code: np.ndarray, units: np.ndarray, n_units: np.ndarray, n: int) -> np.ndarray:
    """True for the rarest window (the first of several) of each unit that has none that is rare enough."""
    least = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(least, units, n_units[code])
    candidate = np.flatnonzero((n_units[code] == least[units]) & (least[units] > COMMON))
    _, first = np.unique(units[candidate], return_index=True)
    chosen = np.zeros(len(code), bool)
    chosen[candidate[first]] = True
    return chosen


@njit(nogil=True, cache=True)
def _coverable(units, offsets, lengths, sizes):
    starts = np.zeros(len(sizes) + 1, np.int64)
    for unit in range(len(sizes)):
        starts[unit + 1] = starts[unit] + sizes[unit]
    marked = np.zeros(starts[-1], np.bool_)
    for k in range(len(units)):
        begin = starts[units[k]] + offsets[k]
        marked[begin:begin + lengths[units[k]]] = True
    found = np.zeros(len(sizes), np.int64)
    for unit in range(len(sizes)):
        found[unit] = marked[starts[unit]:starts[unit + 1]].sum()
    return found


@njit(nogil=True, cache=True)
def _windows(texts, alphabet):
    """(hash, unit, offset, whether it begins with Han) of every window; tokens, window length and Han of each unit."""
    data, offsets = texts
    n, size = len(offsets) - 1, longest(offsets)
    tokens, prefix, kinds = np.empty(size, np.uint64), np.empty(size + 1, np.uint64), np.empty(size, np.uint32)
    most = offsets[n] - offsets[0] + 1
    hashes, owners, at, firsts, to = np.empty(most, np.uint64), np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.bool_), 0
    sizes, lengths, han, powers = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.bool_), powers_of_root(HAN_WINDOW)
    for k in range(n):
        m = tokenise(data, (offsets[k], offsets[k + 1]), alphabet, tokens, kinds)
        accumulate(tokens, m, prefix)
        sizes[k], han[k] = m, 2 * np.sum(kinds[:m] == HAN) > m
        whole, short = (HAN_WINDOW, SHORT_HAN) if han[k] else (WORD_WINDOW, SHORT_WORDS)
        lengths[k] = whole if m >= whole else short
        for start in range(m - lengths[k] + 1):
            hashes[to], owners[to] = window(prefix, start, lengths[k], powers) | np.uint64(1), k
            at[to], firsts[to] = start, kinds[start] == HAN
            to += 1
    return hashes[:to], owners[:to], at[:to], firsts[:to], sizes, lengths, han


@njit(nogil=True, cache=True)
def _hashed(keys):
    size = table_size(len(keys))
    table_keys, slots, mask = np.zeros(size, np.uint64), np.zeros(size, np.int64), np.uint64(size - 1)
    bitmap = np.zeros(1 << (_BITS - 3), np.uint8)
    for number in range(len(keys)):
        place = (keys[number] >> np.uint64(20)) & mask
        while table_keys[place] != 0:
            place = (place + np.uint64(1)) & mask
        table_keys[place], slots[place] = keys[number], number
        bit = keys[number] >> np.uint64(64 - _BITS)
        bitmap[bit >> np.uint64(3)] |= np.uint8(1 << (bit & np.uint64(7)))
    return bitmap, table_keys, slots


@njit(nogil=True, cache=True, inline="always")
def _number_of(key, bitmap, keys, slots):
    """The number of the window with this hash, -1 where there is none."""
    bit = key >> np.uint64(64 - _BITS)
    if not bitmap[bit >> np.uint64(3)] >> (bit & np.uint64(7)) & 1:
        return -1
    mask = np.uint64(len(keys) - 1)
    place = (key >> np.uint64(20)) & mask
    while keys[place] != 0:
        if keys[place] == key:
            return slots[place]
        place = (place + np.uint64(1)) & mask
    return -1


@njit(nogil=True, cache=True)
def _cover(texts, alphabet, index, about, lengths):
    data, offsets = texts
    size = longest(offsets)
    tokens, prefix, kinds = np.empty(size, np.uint64), np.empty(size + 1, np.uint64), np.empty(size, np.uint32)
    powers, marks = powers_of_root(HAN_WINDOW), np.zeros(about[0].max() if len(about[0]) else 1, np.int64)
    hits = np.empty((256, 3), np.int64)
    out, n_out = np.empty((64, 3), np.int64), 0
    for row in range(len(offsets) - 1):
        n = tokenise(data, (offsets[row], offsets[row + 1]), alphabet, tokens, kinds)
        accumulate(tokens, n, prefix)
        hits, n_hits = _hits(prefix, kinds, n, (powers, *lengths), index, hits)
        if not n_hits:
            continue
        order = np.argsort(hits[:n_hits, 0], kind="mergesort")
        begin = 0
        while begin < n_hits:
            unit, end = hits[order[begin], 0], begin + 1
            while end < n_hits and hits[order[end], 0] == unit:
                end += 1
            if (end - begin) * about[1][unit] >= about[2][unit]:
                covered = _covered(hits, order[begin:end], about[0][unit], about[1][unit], marks)
                if covered >= about[2][unit]:
                    if n_out == len(out):
                        out = np.concatenate((out, np.empty_like(out)))
                    out[n_out, 0], out[n_out, 1], out[n_out, 2] = row, unit, covered
                    n_out += 1
            begin = end
    return out[:n_out]


@njit(nogil=True, cache=True)
def _hits(prefix, kinds, n, steps, index, hits):
    """(unit, position, offset) of every posting of every indexed window of one text; and how many."""
    bitmap, keys, slots, starts, units, offsets = index
    m = 0
    for start in range(n):
        for length in (steps[1] if kinds[start] == HAN else steps[2]):
            if start + length > n:
                break
            number = _number_of(window(prefix, start, length, steps[0]) | np.uint64(1), bitmap, keys, slots)
            if number < 0:
                continue
            for posting in range(starts[number], starts[number + 1]):
                if m == len(hits):
                    hits = np.concatenate((hits, np.empty_like(hits)))
                hits[m, 0], hits[m, 1], hits[m, 2] = units[posting], start, offsets[posting]
                m += 1
    return hits, m


@njit(nogil=True, cache=True)
def _covered(hits, chosen, size, length, marks):
    """The most tokens of a unit that windows within one stretch of the text cover; `chosen` are its hits by position."""
    best, stretch, begun = 0, 2 * size + SLACK, -1
    for first in range(len(chosen)):
        position = hits[chosen[first], 1]
        if begun >= 0 and position < begun + stretch // 4:
            continue
        begun, covered = position, 0
        marks[:size] = 0
        for k in chosen[first:]:
            if hits[k, 1] - position > stretch:
                break
            for place in range(hits[k, 2], hits[k, 2] + length):
                covered += marks[place] == 0
                marks[place] = 1
        best = max(best, covered)
    return best
