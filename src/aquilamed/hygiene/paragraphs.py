"""The paragraphs (lines) of a column of texts, each with a hash that width, case, script and blanks don't change."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numba import njit

from aquilamed.hygiene.alphabet import DIGIT, HAN, IGNORED, LETTER, SPACE, table
from aquilamed.hygiene.kernels import buffers_of, classify, decode, mix

_SPREAD = np.uint64(0x9E3779B97F4A7C15)


class Paragraphs(NamedTuple):
    """One array each, a number per paragraph, in order of the texts."""

    owner: np.ndarray
    """Row of its text."""
    begin: np.ndarray
    """Its first byte in the column's buffer."""
    end: np.ndarray
    """The byte after its last; a line's end is no part of it."""
    key: np.ndarray
    chars: np.ndarray
    """Characters other than blanks."""
    tokens: np.ndarray
    """Han characters, words and numbers."""


def paragraphs(texts: pa.Array | pa.ChunkedArray) -> Paragraphs:
    """Every line of every text; a text of n line ends has n + 1."""
    data, offsets = buffers_of(texts)
    n = len(offsets) - 1 + int(np.count_nonzero(data[offsets[0]:offsets[-1]] == 10))
    return Paragraphs(*_paragraphs((data, offsets), table(), n))


@njit(nogil=True, cache=True)
def _paragraphs(texts, alphabet, n):
    data, offsets = texts
    owner, begin, end = np.empty(n, np.int32), np.empty(n, np.int64), np.empty(n, np.int64)
    keys, chars, tokens = np.empty(n, np.uint64), np.empty(n, np.int32), np.empty(n, np.int32)
    line = 0
    for k in range(len(offsets) - 1):
        at, ended = offsets[k], False
        while not ended:
            owner[line], begin[line] = k, at
            keys[line], chars[line], tokens[line], end[line] = _line(data, at, offsets[k + 1], alphabet)
            at, ended = end[line] + 1, end[line] == offsets[k + 1]
            line += 1
    return owner, begin, end, keys, chars, tokens


@njit(nogil=True, cache=True)
def _line(data, at, stop, alphabet):
    """(hash, characters other than blanks, tokens, end) of the line that begins at `at`."""
    key, n_chars, n_tokens, before = np.uint64(0), 0, 0, np.uint32(SPACE)
    while at < stop and data[at] != 10:
        code, at = decode(data, at)
        kind, char = classify(code, alphabet)
        if kind == IGNORED:
            continue
        if kind != SPACE:
            key = mix((key ^ np.uint64(char)) * _SPREAD)
            n_chars += 1
        n_tokens += kind == HAN or ((kind == LETTER or kind == DIGIT) and kind != before)
        before = kind
    return key, n_chars, n_tokens, at
