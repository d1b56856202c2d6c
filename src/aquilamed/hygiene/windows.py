"""Which benchmark items a text contains: hash sets of token windows over Arrow buffers.

An item has up to two units, its stem and its context; a unit's windows are 13 Han characters or 8 words long, or as long
as the unit where that is shorter. A unit too short or too formulaic to mean one item (`Which of the following is true?`)
counts only together with every option.
"""

import dataclasses

import numpy as np
import pyarrow as pa
from numba import njit

from aquilamed.hygiene.alphabet import HAN, table
from aquilamed.hygiene.kernels import (
    accumulate, buffers_of, longest, powers_of_root, table_size, tokenise, window,
)

HAN_WINDOW, WORD_WINDOW = 13, 8
FORMULA_ITEMS = 3
"""A short stem whose every window stands in at least so many items is a formula."""


@dataclasses.dataclass(frozen=True)
class Index:
    """The windows of all units, made for look-up."""

    keys: np.ndarray
    """Open-addressed window hashes; 0 is a free place."""
    slots: np.ndarray
    """Place in `keys` -> number of the window."""
    starts: np.ndarray
    """Number of the window -> where its units begin in `units`."""
    units: np.ndarray
    n_windows: np.ndarray
    """Unit -> number of its distinct windows."""
    lengths: np.ndarray
    """The window lengths in use, ascending."""
    is_weak: np.ndarray
    """Unit -> whether it counts only together with every option."""


def build(texts: pa.Array, is_stem: np.ndarray, least: np.ndarray) -> Index:
    """The index of the units `texts`; least[unit] = fewest (Han characters, words) with which it can stand alone."""
    hashes, owners, sizes, lengths = _windows(buffers_of(texts), table())
    pairs = np.unique(np.rec.fromarrays([hashes, owners], names="key,unit"))
    keys, first = np.unique(pairs["key"], return_index=True)
    n_items = np.diff(np.r_[first, len(pairs)])
    places = np.searchsorted(keys, pairs["key"])
    n_rare = np.bincount(pairs["unit"], n_items[places] < FORMULA_ITEMS, minlength=len(texts))
    is_han = lengths >> 8 == 1
    is_short = sizes < np.where(is_han, least[:, 0], least[:, 1])
    is_formula = is_stem & (n_rare == 0) & (sizes < 2 * np.where(is_han, HAN_WINDOW, WORD_WINDOW))
    in_use = np.unique(lengths[sizes > 0] & 0xFF)
    table_keys, slots = _hashed(keys)
    return Index(
        keys=table_keys, slots=slots, starts=np.r_[first, len(pairs)].astype(np.int64), units=pairs["unit"].astype(np.int64),
        n_windows=np.bincount(pairs["unit"], minlength=len(texts)), lengths=in_use, is_weak=is_short | is_formula)


def cover(texts: pa.Array, index: Index, coverage: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(row, unit, share) wherever a text has at least `coverage` of a unit's windows (a weak unit: all of them)."""
    needed = np.where(index.is_weak, index.n_windows, np.ceil(coverage * index.n_windows - 1e-9)).astype(np.int64)
    found = _cover(buffers_of(texts), table(), (index.keys, index.slots, index.starts, index.units), index.lengths, np.maximum(needed, 1))
    rows, units, n = found.T
    return rows, units, n / np.maximum(index.n_windows[units], 1)


@njit(nogil=True, cache=True)
def _windows(texts, alphabet):
    """(hash, unit) of every window; tokens of each unit; and its window's length, plus 256 where it is Han."""
    data, offsets = texts
    n, size = len(offsets) - 1, longest(offsets)
    tokens, prefix, kinds = np.empty(size, np.uint64), np.empty(size + 1, np.uint64), np.empty(size, np.uint32)
    hashes, owners, to = np.empty(offsets[n] - offsets[0] + 1, np.uint64), np.empty(offsets[n] - offsets[0] + 1, np.int64), 0
    sizes, lengths, powers = np.zeros(n, np.int64), np.zeros(n, np.int64), powers_of_root(max(HAN_WINDOW, WORD_WINDOW))
    for k in range(n):
        m = tokenise(data, (offsets[k], offsets[k + 1]), alphabet, tokens, kinds)
        accumulate(tokens, m, prefix)
        is_han = 2 * np.sum(kinds[:m] == HAN) > m
        length = min(m, HAN_WINDOW if is_han else WORD_WINDOW)
        sizes[k], lengths[k] = m, length + 256 * is_han
        for start in range(m - length + 1 if m else 0):
            hashes[to], owners[to] = window(prefix, start, length, powers) | np.uint64(1), k
            to += 1
    return hashes[:to], owners[:to], sizes, lengths


@njit(nogil=True, cache=True)
def _hashed(keys):
    size = table_size(len(keys))
    table_keys, slots, mask = np.zeros(size, np.uint64), np.zeros(size, np.int64), np.uint64(size - 1)
    for number in range(len(keys)):
        place = (keys[number] >> np.uint64(20)) & mask
        while table_keys[place] != 0:
            place = (place + np.uint64(1)) & mask
        table_keys[place], slots[place] = keys[number], number
    return table_keys, slots


@njit(nogil=True, cache=True, inline="always")
def _number_of(key, keys, slots):
    mask = np.uint64(len(keys) - 1)
    place = (key >> np.uint64(20)) & mask
    while keys[place] != 0:
        if keys[place] == key:
            return slots[place]
        place = (place + np.uint64(1)) & mask
    return -1


@njit(nogil=True, cache=True)
def _cover(texts, alphabet, index, lengths, needed):
    data, offsets = texts
    size = longest(offsets)
    tokens, prefix, kinds = np.empty(size, np.uint64), np.empty(size + 1, np.uint64), np.empty(size, np.uint32)
    matched, powers = np.empty(size * len(lengths), np.int64), powers_of_root(HAN_WINDOW)
    last_row, n_found, touched = np.full(len(index[2]), -1, np.int64), np.zeros(len(needed), np.int64), np.empty(len(needed), np.int64)
    out, n_out = np.empty((64, 3), np.int64), 0
    for row in range(len(offsets) - 1):
        n = tokenise(data, (offsets[row], offsets[row + 1]), alphabet, tokens, kinds)
        accumulate(tokens, n, prefix)
        m = _matches(prefix, n, lengths, powers, index, matched)
        n_touched = _tally(matched[:m], row, index, last_row, n_found, touched)
        for unit in touched[:n_touched]:
            hits, n_found[unit] = n_found[unit], 0
            if hits < needed[unit]:
                continue
            if n_out == len(out):
                out = np.concatenate((out, np.empty_like(out)))
            out[n_out, 0], out[n_out, 1], out[n_out, 2] = row, unit, hits
            n_out += 1
    return out[:n_out]


@njit(nogil=True, cache=True)
def _matches(prefix, n, lengths, powers, index, matched):
    """The numbers of the indexed windows of one text, into `matched`; how many."""
    m = 0
    for length in lengths:
        for start in range(n - length + 1):
            number = _number_of(window(prefix, start, length, powers) | np.uint64(1), index[0], index[1])
            if number >= 0:
                matched[m] = number
                m += 1
    return m


@njit(nogil=True, cache=True)
def _tally(matched, row, index, last_row, n_found, touched):
    """Count each window once a row for every unit that has it; the units met are in `touched`, their number is returned."""
    n_touched = 0
    for number in matched:
        if last_row[number] == row:
            continue
        last_row[number] = row
        for unit in index[3][index[2][number]:index[2][number + 1]]:
            if n_found[unit] == 0:
                touched[n_touched] = unit
                n_touched += 1
            n_found[unit] += 1
    return n_touched
