"""Hashed n-grams of a text: Han characters by one to three, words by one and two, and how long words begin and end; the input of both linear models.

Beginnings and ends carry what words of one trade share (`cardio…`, `…itis`), so that one source's words help to judge another's.
"""

import numpy as np
import pyarrow as pa
from numba import njit
from scipy.sparse import csr_matrix

from aquilamed.hygiene.alphabet import HAN, IGNORED, LETTER, SPACE, table
from aquilamed.hygiene.kernels import SPREAD, accumulate, buffers_of, classify, decode, longest, mix, powers_of_root, stats, tokenise, window

ENDS = (4, 5)
"""Letters of a word's beginning and of its end that count beside the word, where it is longer than that by two."""
_BEGIN, _END = np.uint64(0x100), np.uint64(0x200)
SHAPE = ("log_chars", "han", "letters", "digits", "punctuation", "symbols", "spaces", "garbled",
         "repeated_grams", "repeated_lines", "log_line_length")
"""What `shape` gives, in order."""


def hashed(texts: pa.Array | pa.ChunkedArray, bits: int) -> csr_matrix:
    """One row a text, 2**bits columns: 1 + ln(count) of every n-gram, each row of length 1."""
    starts, columns, values = _features(buffers_of(texts), table(), np.uint64(64 - bits))
    return csr_matrix((values, columns, starts), shape=(len(texts), 1 << bits))


def rarity(columns: csr_matrix) -> np.ndarray:
    """Inverse document frequency of every column, ln((1 + texts) / (1 + texts with it)) + 1; float32."""
    with_it = np.bincount(columns.indices, minlength=columns.shape[1])
    return (np.log((1 + columns.shape[0]) / (1 + with_it)) + 1).astype(np.float32)


def weighed(columns: csr_matrix, weights: np.ndarray) -> csr_matrix:
    """Every column times its weight, each row of length 1 again; rows don't depend on one another."""
    values = columns.data * weights[columns.indices]
    filled = np.flatnonzero(np.diff(columns.indptr))
    lengths = np.ones(columns.shape[0], np.float32)
    if len(filled):
        lengths[filled] = np.sqrt(np.add.reduceat(np.square(values), columns.indptr[filled]))
    return csr_matrix((values / np.repeat(lengths, np.diff(columns.indptr)), columns.indices, columns.indptr), shape=columns.shape)


def shape(texts: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """One row a text, a column for every name in `SHAPE`: shares of the characters, and logarithms of lengths."""
    found = stats(texts)
    chars = np.maximum(found.chars, 1)
    shares = [column / chars for column in (found.han, found.letters, found.digits, found.punctuation, found.symbols, found.spaces, found.garbled)]
    return np.column_stack([np.log(chars), *shares, found.repeated_gram_share, found.repeated_line_share, np.log(chars / found.lines + 1)])


@njit(nogil=True, cache=True)
def _features(texts, alphabet, shift):
    data, offsets = texts
    n_texts, size, powers = len(offsets) - 1, longest(offsets), powers_of_root(3)
    tokens, prefix, kinds = np.empty(size, np.uint64), np.empty(size + 1, np.uint64), np.empty(size, np.uint32)
    starts, found = np.zeros(n_texts + 1, np.int64), np.empty(3 * size, np.int32)
    columns, values, to = np.empty(1024, np.int32), np.empty(1024, np.float32), 0
    word = np.empty(size + 1, np.uint32)
    for k in range(n_texts):
        n = tokenise(data, (offsets[k], offsets[k + 1]), alphabet, tokens, kinds)
        accumulate(tokens, n, prefix)
        m = _grams(prefix, kinds, n, powers, shift, found)
        m = _ends(data, (offsets[k], offsets[k + 1]), alphabet, (word, shift), found, m)
        ranked = np.sort(found[:m])
        while to + m > len(columns):
            columns, values = np.concatenate((columns, np.empty_like(columns))), np.concatenate((values, np.empty_like(values)))
        to = _weigh(ranked, columns, values, to)
        starts[k + 1] = to
    return starts, columns[:to].copy(), values[:to].copy()


@njit(nogil=True, cache=True)
def _grams(prefix, kinds, n, powers, shift, found):
    m = 0
    for start in range(n):
        for length in range(1, 4):
            if start + length > n or (length == 3 and not (kinds[start] == HAN and kinds[start + 1] == HAN and kinds[start + 2] == HAN)):
                break
            found[m] = window(prefix, start, length, powers) >> shift
            m += 1
    return m


@njit(nogil=True, cache=True)
def _ends(data, span, alphabet, state, found, m):
    """Append the columns of the beginnings and ends of every long word; how many columns there are then."""
    word, shift = state
    length, at = 0, span[0]
    while at <= span[1]:
        kind, char = np.uint32(SPACE), np.uint32(0)
        if at < span[1]:
            code, at = decode(data, at)
            kind, char = classify(code, alphabet)
        else:
            at += 1
        if kind == LETTER:
            word[length] = char
            length += 1
        elif kind != IGNORED:
            for some in ENDS:
                if length >= some + 2:
                    found[m] = _piece(word, 0, some, _BEGIN) >> shift
                    found[m + 1] = _piece(word, length - some, some, _END) >> shift
                    m += 2
            length = 0
    return m


@njit(nogil=True, cache=True, inline="always")
def _piece(word, start, length, salt):
    hashed = salt
    for k in range(length):
        hashed = mix((hashed ^ np.uint64(word[start + k])) * SPREAD)
    return hashed


@njit(nogil=True, cache=True)
def _weigh(ranked, columns, values, to):
    """Write the distinct columns of one text and their weights; where the next text begins."""
    begin, squares, k = to, 0.0, 0
    while k < len(ranked):
        same = k
        while k < len(ranked) and ranked[k] == ranked[same]:
            k += 1
        weight = 1 + np.log(k - same)
        columns[to], values[to] = ranked[same], weight
        squares += weight * weight
        to += 1
    for place in range(begin, to):
        values[place] /= np.sqrt(squares)
    return to
