"""What is counted in a text, in one pass over Arrow's own buffers, outside the interpreter lock.

A token is one Han character, one run of letters or one run of digits, folded in width, case and script: `5mg`, `5 mg` and
`５ＭＧ` are the same two tokens, `高血壓` and `高血压` the same three, and no Chinese segmenter is needed.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numba import njit

from aquilamed.hygiene.alphabet import (
    DIGIT, GARBLED, GBK_TRACE, HAN, IGNORED, LATIN_LEAD, LATIN_TRAIL, LETTER, N_TABLED, PAUSE, PUNCTUATION, QUOTE_LEAD, QUOTE_TRAIL, SPACE, SYMBOL, marks, table,
)

GRAM = 10
"""Tokens in the n-gram whose repeats are counted."""
SHORT_GRAM = 3
"""Tokens in the n-gram whose commonest is counted."""
_ROOT = np.uint64(0x5851F42D4C957F2D)
SPREAD = np.uint64(0x9E3779B97F4A7C15)


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
    latin_traces: np.ndarray
    """Pairs of characters that UTF-8 read as Latin-1 or Windows-1252 is made of."""
    gbk_traces: np.ndarray
    """Characters that UTF-8 read as GBK is made of."""
    odd_pauses: np.ndarray
    """Commas, stops, colons and the like of Chinese that follow one another: `，。`."""
    tokens: np.ndarray
    lines: np.ndarray
    longest_digit_run: np.ndarray
    repeated_gram_share: np.ndarray
    """Share, 0..1, of the 10-token n-grams that stood earlier in the text; 0 where there are none."""
    repeated_line_share: np.ndarray
    """Share, 0..1, of the characters other than spaces in lines that stood earlier in the text."""
    top_gram_share: np.ndarray
    """Share, 0..1, of the tokens that the text's commonest 3-gram makes up; 0 where every one stands once."""


_N_COUNTED = Stats._fields.index("repeated_gram_share")
_LATIN, _GBK, _PAUSES, _TOKENS, _LINES, _DIGIT_RUN = (
    Stats._fields.index(name) for name in ("latin_traces", "gbk_traces", "odd_pauses", "tokens", "lines", "longest_digit_run"))
_COLUMN_OF_CLASS = np.zeros(8, np.int64)
for _kind, _name in ((HAN, "han"), (LETTER, "letters"), (DIGIT, "digits"), (PUNCTUATION, "punctuation"),
                     (SYMBOL, "symbols"), (SPACE, "spaces"), (GARBLED, "garbled")):
    _COLUMN_OF_CLASS[_kind] = Stats._fields.index(_name)


def stats(texts: pa.Array | pa.ChunkedArray) -> Stats:
    """The statistics of every text."""
    counted, shares = _stats(buffers_of(texts), (table(), marks(), _COLUMN_OF_CLASS))
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
            hashes[n - 1] = mix((hashes[n - 1] ^ np.uint64(char)) * SPREAD)
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
    return mix(prefix[start + length] - prefix[start] * powers[length] + np.uint64(length) * SPREAD)


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
def _stats(texts, tables):
    data, offsets = texts
    n_texts, size = len(offsets) - 1, longest(offsets)
    tokens, lines, ink = np.empty(size, np.uint64), np.empty(size + 1, np.uint64), np.empty(size + 1, np.int64)
    prefix, powers = np.empty(size + 1, np.uint64), powers_of_root(GRAM)
    seen, n_seen = np.empty(table_size(size), np.uint64), np.empty(table_size(size), np.int32)
    counted, shares = np.zeros((n_texts, _N_COUNTED), np.int64), np.zeros((n_texts, 3))
    for k in range(n_texts):
        row = counted[k]
        _scan(data, (offsets[k], offsets[k + 1]), tables, row, (tokens, lines, ink))
        accumulate(tokens, row[_TOKENS], prefix)
        shares[k, 0] = _repeated_grams(prefix, row[_TOKENS], powers, seen)
        if row[_LINES] > 1:
            shares[k, 1] = _repeated_lines(lines, ink, row[_LINES], seen)
        shares[k, 2] = _top_gram(prefix, row[_TOKENS], powers, (seen, n_seen))
    return counted, shares


@njit(nogil=True, cache=True)
def _scan(data, span, tables, row, found):
    """Everything that is counted, in one pass: into `row` the numbers, into `found` the hash of every token and the hash and ink of every line."""
    alphabet, marked, column_of_class = tables
    tokens, lines, ink = found
    at, before, lead, n, n_lines, token, digit_run = span[0], np.uint32(SPACE), np.uint8(0), 0, 0, np.uint64(0), 0
    line, chars, n_chars, longest_run = np.uint64(0), 0, 0, 0
    while at < span[1]:
        code, at = decode(data, at)
        kind, char = classify(code, alphabet)
        n_chars += 1
        if kind == IGNORED:
            continue
        row[column_of_class[kind]] += 1
        digit_run = digit_run + 1 if kind == DIGIT else 0
        longest_run = max(longest_run, digit_run)
        if kind == HAN or kind == LETTER or kind == DIGIT:
            if kind == HAN or kind != before:
                token = np.uint64(kind)
                n += 1
            token = (token ^ np.uint64(char)) * SPREAD
            tokens[n - 1] = token
        if kind != SPACE:
            line = (line ^ np.uint64(char)) * SPREAD
            chars += 1
        elif code == 10:
            lines[n_lines], ink[n_lines] = line, chars
            line, chars, n_lines = np.uint64(0), 0, n_lines + 1
        if code >= 0x80:
            mark = marked[code] if code < N_TABLED else np.uint8(0)
            row[_GBK] += (mark & GBK_TRACE) != 0
            row[_LATIN] += (lead & LATIN_LEAD != 0 and mark & LATIN_TRAIL != 0) or (lead & QUOTE_LEAD != 0 and mark & QUOTE_TRAIL != 0)
            row[_PAUSES] += (lead & mark & PAUSE) != 0
            lead = mark
        else:
            lead = np.uint8(0)
        before = kind
    lines[n_lines], ink[n_lines] = line, chars
    row[0], row[_TOKENS], row[_LINES], row[_DIGIT_RUN] = n_chars, n, n_lines + 1, longest_run


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
def _repeated_lines(lines, ink, n_lines, seen):
    size = table_size(n_lines)
    seen[:size] = 0
    total, repeated = 0, 0
    for line in range(n_lines):
        total += ink[line]
        if ink[line] and insert(seen, np.uint64(size - 1), mix(lines[line])):
            repeated += ink[line]
    return repeated / max(total, 1)


@njit(nogil=True, cache=True)
def _top_gram(prefix, n_tokens, powers, counter):
    """Share of the tokens in the commonest 3-gram."""
    n = n_tokens - SHORT_GRAM + 1
    if n <= 1:
        return 0.0
    keys, counts = counter
    size, top = table_size(n), 1
    keys[:size] = 0
    mask = np.uint64(size - 1)
    for start in range(n):
        key = window(prefix, start, SHORT_GRAM, powers) | np.uint64(1)
        place = (key >> np.uint64(20)) & mask
        while keys[place] != 0 and keys[place] != key:
            place = (place + np.uint64(1)) & mask
        counts[place] = counts[place] + 1 if keys[place] == key else 1
        keys[place] = key
        top = max(top, counts[place])
    return SHORT_GRAM * top / n_tokens if top > 1 else 0.0


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
