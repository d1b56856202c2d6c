"""What is counted in a text, in one pass over Arrow's own buffers, outside the interpreter lock.

A token is one Han character, one run of letters or one run of digits, folded in width, case and script: `5mg`, `5 mg` and
`５ＭＧ` are the same two tokens, `高血壓` and `高血压` the same three, and no Chinese segmenter is needed.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numba import njit

from aquilamed.hygiene.alphabet import DIGIT, GARBLED, HAN, IGNORED, LETTER, N_TABLED, PUNCTUATION, SPACE, SYMBOL, table

GRAM = 10
"""Tokens in the n-gram whose repeats are counted."""
_ROOT = np.uint64(0x5851F42D4C957F2D)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


class Stats(NamedTuple):
    """One array each, a number per text."""

    chars: np.ndarray
    han: np.ndarray
    letters: np.ndarray
    digits: np.ndarray
    punctuation: np.ndarray
    symbols: np.ndarray
    spaces: np.ndarray
    garbled: np.ndarray
    """Replacement, private-use and control characters."""
    tokens: np.ndarray
    lines: np.ndarray
    longest_digit_run: np.ndarray
    repeated_gram_share: np.ndarray
    """Share, 0..1, of the 10-token n-grams that stood earlier in the text; 0 where there are none."""
    repeated_line_share: np.ndarray
    """Share, 0..1, of the characters other than spaces in lines that stood earlier in the text."""


_N_COUNTED = Stats._fields.index("repeated_gram_share")
_TOKENS, _LINES, _DIGIT_RUN = (Stats._fields.index(name) for name in ("tokens", "lines", "longest_digit_run"))
_COLUMN_OF_CLASS = np.zeros(8, np.int64)
for _kind, _name in ((HAN, "han"), (LETTER, "letters"), (DIGIT, "digits"), (PUNCTUATION, "punctuation"),
                     (SYMBOL, "symbols"), (SPACE, "spaces"), (GARBLED, "garbled")):
    _COLUMN_OF_CLASS[_kind] = Stats._fields.index(_name)


def stats(texts: pa.Array | pa.ChunkedArray) -> Stats:
    """The statistics of every text."""
    counted, shares = _stats(buffers_of(texts), table(), _COLUMN_OF_CLASS)
    return Stats(*counted.T, *shares.T)


def folded(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Every text as `core.text.fold` makes it, in simplified characters: for comparison only."""
    data, offsets = _fold(buffers_of(texts), table())
    return pa.LargeStringArray.from_buffers(len(texts), pa.py_buffer(offsets), pa.py_buffer(data))


def buffers_of(texts: pa.Array | pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """(bytes, offsets) of a string array, uncopied but for the offsets; null counts as empty."""
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks() if texts.num_chunks != 1 else texts.chunk(0)
    texts = texts.fill_null("") if texts.null_count else texts
    width = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    _, offsets, data = texts.buffers()
    if not len(texts) or data is None or not data.size:
        return np.frombuffer(b"\0", np.uint8), np.zeros(len(texts) + 1, np.int64)
    return np.frombuffer(data, np.uint8), np.frombuffer(offsets, width)[texts.offset:texts.offset + len(texts) + 1].astype(np.int64)


@njit(nogil=True, cache=True, inline="always")
def mix(x):
    """A 64-bit number with every input bit spread over every output bit."""
    x ^= x >> np.uint64(33)
    x *= np.uint64(0xFF51AFD7ED558CCD)
    x ^= x >> np.uint64(33)
    x *= np.uint64(0xC4CEB9FE1A85EC53)
    return x ^ (x >> np.uint64(33))


@njit(nogil=True, cache=True, inline="always")
def decode(data, at):
    """(code point, position after it) of the UTF-8 character at `at`."""
    first = np.uint32(data[at])
    if first < 0x80:
        return first, at + 1
    low = np.uint32(data[at + 1] & 63)
    if first < 0xE0:
        return np.uint32((first & 31) << 6 | low), at + 2
    third = np.uint32(data[at + 2] & 63)
    if first < 0xF0:
        return np.uint32((first & 15) << 12 | low << 6 | third), at + 3
    return np.uint32((first & 7) << 18 | low << 12 | third << 6 | np.uint32(data[at + 3] & 63)), at + 4


@njit(nogil=True, cache=True, inline="always")
def classify(code, alphabet):
    """(class, folded code point)."""
    if code < N_TABLED:
        entry = alphabet[code]
        return entry >> np.uint32(16), entry & np.uint32(0xFFFF)
    if 0x20000 <= code <= 0x2FA1F:
        return np.uint32(HAN), code
    if code >= 0xF0000:
        return np.uint32(GARBLED), code
    return np.uint32(SYMBOL), code


@njit(nogil=True, cache=True)
def tokenise(data, span, alphabet, hashes, kinds):
    """Hash and class of every token of data[span[0]:span[1]] into `hashes`, `kinds`; how many there are."""
    n, at, before = 0, span[0], np.uint32(SPACE)
    while at < span[1]:
        code, at = decode(data, at)
        kind, char = classify(code, alphabet)
        if kind == IGNORED:
            continue
        if kind == HAN or ((kind == LETTER or kind == DIGIT) and kind != before):
            hashes[n] = np.uint64(kind)
            kinds[n] = kind
            n += 1
        if kind == HAN or kind == LETTER or kind == DIGIT:
            hashes[n - 1] = mix((hashes[n - 1] ^ np.uint64(char)) * _SPREAD)
        before = kind
    return n


@njit(nogil=True, cache=True)
def powers_of_root(n):
    """_ROOT ** 0 .. _ROOT ** n."""
    powers = np.empty(n + 1, np.uint64)
    powers[0] = 1
    for k in range(n):
        powers[k + 1] = powers[k] * _ROOT
    return powers


@njit(nogil=True, cache=True)
def accumulate(hashes, n, prefix):
    """prefix[k] = polynomial hash of the first k tokens, so that any window's hash is a subtraction."""
    prefix[0] = 0
    for k in range(n):
        prefix[k + 1] = prefix[k] * _ROOT + hashes[k]


@njit(nogil=True, cache=True, inline="always")
def window(prefix, start, length, powers):
    """Hash of the tokens start .. start + length."""
    return mix(prefix[start + length] - prefix[start] * powers[length] + np.uint64(length) * _SPREAD)


@njit(nogil=True, cache=True)
def longest(offsets):
    """Bytes of the longest text, plus one: no text has more characters or tokens."""
    size = 1
    for k in range(len(offsets) - 1):
        size = max(size, offsets[k + 1] - offsets[k] + 1)
    return size


@njit(nogil=True, cache=True)
def insert(seen, mask, key):
    """Add `key` to an open-addressed set; True if it was there. 0 marks a free place."""
    key |= np.uint64(1)
    place = (key >> np.uint64(20)) & mask
    while seen[place] != 0 and seen[place] != key:
        place = (place + np.uint64(1)) & mask
    was_there = seen[place] == key
    seen[place] = key
    return was_there


@njit(nogil=True, cache=True)
def table_size(n):
    """A power of two with room for `n` keys, at most half full."""
    size = 16
    while size < 2 * n:
        size <<= 1
    return size


@njit(nogil=True, cache=True)
def _stats(texts, alphabet, column_of_class):
    data, offsets = texts
    n_texts, size = len(offsets) - 1, longest(offsets)
    hashes, prefix, kinds = np.empty(size, np.uint64), np.empty(size + 1, np.uint64), np.empty(size, np.uint32)
    seen, powers = np.empty(table_size(size), np.uint64), powers_of_root(GRAM)
    counted = np.zeros((n_texts, _N_COUNTED), np.int64)
    shares = np.zeros((n_texts, 2))
    for k in range(n_texts):
        span = (offsets[k], offsets[k + 1])
        _count_characters(data, span, alphabet, column_of_class, counted[k])
        n = tokenise(data, span, alphabet, hashes, kinds)
        counted[k, _TOKENS] = n
        accumulate(hashes, n, prefix)
        shares[k, 0] = _repeated_grams(prefix, n, powers, seen)
        if counted[k, _LINES] > 1:
            shares[k, 1] = _repeated_lines(data, span, alphabet, counted[k, _LINES], seen)
    return counted, shares


@njit(nogil=True, cache=True)
def _count_characters(data, span, alphabet, column_of_class, row):
    at, digit_run = span[0], 0
    row[_LINES] = 1
    while at < span[1]:
        code, at = decode(data, at)
        kind, _ = classify(code, alphabet)
        row[0] += 1
        if kind != IGNORED:
            row[column_of_class[kind]] += 1
        row[_LINES] += code == 10
        digit_run = digit_run + 1 if kind == DIGIT else 0
        row[_DIGIT_RUN] = max(row[_DIGIT_RUN], digit_run)


@njit(nogil=True, cache=True)
def _repeated_grams(prefix, n_tokens, powers, seen):
    n = n_tokens - GRAM + 1
    if n <= 1:
        return 0.0
    size = table_size(n)
    seen[:size] = 0
    repeated = 0
    for start in range(n):
        repeated += insert(seen, np.uint64(size - 1), window(prefix, start, GRAM, powers))
    return repeated / n


@njit(nogil=True, cache=True)
def _repeated_lines(data, span, alphabet, n_lines, seen):
    size = table_size(n_lines)
    seen[:size] = 0
    at, total, repeated, length, key = span[0], 0, 0, 0, np.uint64(0)
    while at <= span[1]:
        ended = at == span[1]
        code = np.uint32(10)
        if not ended:
            code, at = decode(data, at)
        kind, char = classify(code, alphabet)
        if kind != SPACE and kind != IGNORED:
            key = mix((key ^ np.uint64(char)) * _SPREAD)
            length += 1
        if code == 10:
            total += length
            if length and insert(seen, np.uint64(size - 1), key):
                repeated += length
            length, key = 0, np.uint64(0)
        if ended:
            break
    return repeated / max(total, 1)


@njit(nogil=True, cache=True)
def _fold(texts, alphabet):
    data, offsets = texts
    n = len(offsets) - 1
    out, ends, to = np.empty(offsets[n] - offsets[0] + 1, np.uint8), np.zeros(n + 1, np.int64), 0
    for k in range(n):
        at, begin, blank = offsets[k], to, False
        while at < offsets[k + 1]:
            code, after = decode(data, at)
            kind, char = classify(code, alphabet)
            if kind == SPACE:
                blank = to > begin
            else:
                if blank:
                    out[to] = 32
                    to, blank = to + 1, False
                to = _encode(char, out, to)
            at = after
        ends[k + 1] = to
    return out[:to], ends


@njit(nogil=True, cache=True, inline="always")
def _encode(code, out, to):
    if code < 0x80:
        out[to] = code
        return to + 1
    if code < 0x800:
        out[to], out[to + 1] = 0xC0 | code >> 6, 0x80 | code & 63
        return to + 2
    if code < 0x10000:
        out[to], out[to + 1], out[to + 2] = 0xE0 | code >> 12, 0x80 | code >> 6 & 63, 0x80 | code & 63
        return to + 3
    out[to], out[to + 1] = 0xF0 | code >> 18, 0x80 | code >> 12 & 63
    out[to + 2], out[to + 3] = 0x80 | code >> 6 & 63, 0x80 | code & 63
    return to + 4
