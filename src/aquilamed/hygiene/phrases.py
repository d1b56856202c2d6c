"""Finds many phrases in many texts at once. A phrase is a run of tokens, and all of them together cost one pass.

Tokens are those of the kernels, so width, case, script and spacing make no difference and English words match whole. Symbols, blanks and
quotes between tokens are passed over (`六·合·彩`, `limited-time`); a comma, a colon, a bracket or the end of a sentence is not.
A number in a phrase stands for any number, unless it is made to stand for itself.
"""

import dataclasses
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numba import njit

from aquilamed.hygiene.alphabet import CLAUSE_END, DIGIT, HAN, IGNORED, LETTER, SENTENCE_END, N_TABLED, SPACE, marks, table
from aquilamed.hygiene.kernels import SPREAD, buffers_of, classify, decode, longest, mix, table_size

HARMLESS = "harmless"
"""Label of phrases that shield what stands inside them: `直播带教` is no `直播`."""
_INNER, _HARMLESS = -2, -1
_MOST_LABELS = 62
_FIRSTS = 1 << 15
_NUMBER = np.uint64(0xD1B54A32D192ED03)
_ROOT = np.uint64(0x2545F4914F6CDD1D)
_CHOICE = re.compile(r"\{([^{}]*)\}")


@dataclasses.dataclass(frozen=True)
class Phrases:
    """Phrases under labels, made for search."""

    labels: tuple[str, ...]
    keys: np.ndarray
    """Open-addressed hashes of every beginning of every phrase; 0 is a free place."""
    values: np.ndarray
    """Number of the label where a phrase ends there, -1 a harmless one, -2 inside."""
    firsts: np.ndarray
    """Whether some phrase's first token may have these low bits of the hash: small enough for the nearest cache."""
    any_number: bool
    """Whether a number in a phrase stands for any number; else for itself, which only `find` can do."""


class Hits(NamedTuple):
    """What was found; one row a text, one column a label."""

    n: np.ndarray
    """Phrases found."""
    covered: np.ndarray
    """Characters, blanks left out, of the sentences with such a phrase."""
    ink: np.ndarray
    """Characters of each text, blanks left out."""


class Found(NamedTuple):
    """Phrases where they stand, in order of text and place; none overlaps another."""

    text: np.ndarray
    label: np.ndarray
    sentence: np.ndarray
    """Number of the sentence, in its text, in which the phrase begins."""


def compiled(phrases: Mapping[str, Sequence[str]], *, most_labels: int = _MOST_LABELS, any_number: bool = True) -> Phrases:
    """`phrases` by label; `{a|b}` in one stands for both. Of labels that share a phrase the last one has it. Only `find` can have more than 62 labels.

    Raises:
        ValueError: there are more labels than `most_labels`, a phrase has no token, has an end of a clause between two, or a choice left open.
    """
    labels = tuple(label for label in phrases if label != HARMLESS)
    if len(labels) > most_labels:
        raise ValueError(f"{len(labels)} labels: expected at most {most_labels}")
    number_of = {HARMLESS: _HARMLESS, **{label: number for number, label in enumerate(labels)}}
    said = [(number_of[label], one) for label, found in phrases.items() for phrase in found for one in expanded(phrase)]
    paths, ends, clauses = _paths(buffers_of(pa.array([one for _, one in said], pa.string())), (table(), marks()), any_number)
    values: dict[int, int] = {}
    firsts = np.zeros(_FIRSTS, np.bool_)
    for (number, one), start, end, n_clauses in zip(said, ends[:-1], ends[1:], clauses, strict=True):
        if start == end or n_clauses > 1 or set(one) & set("{}"):
            raise ValueError(f"{one!r}: expected letters, digits or Han characters within one clause, and closed {{a|b}}")
        path = paths[start:end].tolist()
        for inner in path[:-1]:
            values.setdefault(inner, _INNER)
        values[path[-1]] = number
        firsts[path[0] & _FIRSTS - 1] = True
    keys, slots = _placed(np.array(list(values), np.uint64), np.array(list(values.values()), np.int32))
    return Phrases(labels=labels, keys=keys, values=slots, firsts=firsts, any_number=any_number)


def expanded(phrase: str) -> list[str]:
    """Every choice of every `{a|b}` in `phrase`."""
    parts = _CHOICE.split(phrase)
    return ["".join(found) for found in itertools.product(*(part.split("|") if k % 2 else [part] for k, part in enumerate(parts)))]


def search(texts: pa.Array | pa.ChunkedArray, phrases: Phrases) -> Hits:
    """The phrases in every text. None overlaps a harmless one that began before it or with it and is as long."""
    return Hits(*_search(buffers_of(texts), (table(), marks()), (phrases.keys, phrases.values, phrases.firsts), len(phrases.labels)))


def find(texts: pa.Array | pa.ChunkedArray, phrases: Phrases) -> Found:
    """Every phrase of every text, from left to right the longest; what stands inside a harmless one is passed over."""
    return Found(*_find(buffers_of(texts), (table(), marks()), (phrases.keys, phrases.values, phrases.firsts), phrases.any_number).T)


@njit(nogil=True, cache=True, inline="always")
def _step(key, token, kind):
    """Hash of a beginning that is one token longer."""
    return mix(key * _ROOT + (_NUMBER if kind == DIGIT else token)) | np.uint64(1)


@njit(nogil=True, cache=True)
def _paths(texts, tables, any_number):
    """The hashes of every beginning of every text, where each text's end, and in how many clauses its tokens stand."""
    data, offsets = texts
    n_texts, size = len(offsets) - 1, longest(offsets)
    tokens, kinds, clauses = np.empty(size, np.uint64), np.empty(size, np.uint32), np.empty(size, np.int64)
    sentences, ink, spread = np.empty(size, np.int64), np.empty(size, np.int64), np.zeros(n_texts, np.int64)
    paths, ends, to = np.empty(offsets[n_texts] + 1, np.uint64), np.zeros(n_texts + 1, np.int64), 0
    for k in range(n_texts):
        n, _ = _read(data, (offsets[k], offsets[k + 1]), tables, (tokens, kinds, clauses), (sentences, ink))
        if not any_number:
            kinds[:n] = LETTER
        key = np.uint64(0)
        for place in range(n):
            key = _step(key, tokens[place], kinds[place])
            paths[to + place] = key
        spread[k] = clauses[n - 1] - clauses[0] + 1 if n else 0
        to += n
        ends[k + 1] = to
    return paths, ends, spread


@njit(nogil=True, cache=True)
def _placed(found, numbers):
    size = 2 * table_size(len(found))
    keys, values, mask = np.zeros(size, np.uint64), np.zeros(size, np.int32), np.uint64(size - 1)
    for k in range(len(found)):
        place = (found[k] >> np.uint64(20)) & mask
        while keys[place] != 0:
            place = (place + np.uint64(1)) & mask
        keys[place], values[place] = found[k], numbers[k]
    return keys, values


@njit(nogil=True, cache=True)
def _search(texts, tables, phrases, n_labels):
    data, offsets = texts
    n_texts, size = len(offsets) - 1, longest(offsets)
    tokens, kinds = np.empty(size, np.uint64), np.empty(size, np.uint32)
    clauses, sentences = np.empty(size, np.int64), np.empty(size, np.int64)
    ink, flags = np.empty(size, np.int64), np.zeros(size, np.int64)
    n_hits, covered, total = np.zeros((n_texts, n_labels), np.int64), np.zeros((n_texts, n_labels), np.int64), np.zeros(n_texts, np.int64)
    for k in range(n_texts):
        n, n_sentences = _read(data, (offsets[k], offsets[k + 1]), tables, (tokens, kinds, clauses), (sentences, ink))
        _match((tokens, kinds, clauses), n, phrases, (sentences, flags), n_hits[k])
        for sentence in range(n_sentences):
            total[k] += ink[sentence]
            for label in range(n_labels if flags[sentence] else 0):
                covered[k, label] += ink[sentence] * (flags[sentence] >> label & 1)
            flags[sentence] = 0
    return n_hits, covered, total


@njit(nogil=True, cache=True)
def _read(data, span, tables, found, sentence_of):
    """(tokens, sentences) of one text: hash, kind, clause and sentence of each token, and the ink of each sentence."""
    alphabet, marked = tables
    tokens, kinds, clauses = found
    sentences, ink = sentence_of
    at, before, n, clause, sentence, token, chars = span[0], np.uint32(SPACE), 0, 0, 0, np.uint64(0), 0
    while at < span[1]:
        code, at = decode(data, at)
        kind, char = classify(code, alphabet)
        if kind == IGNORED:
            continue
        chars += kind != SPACE
        if kind == HAN or kind == LETTER or kind == DIGIT:
            if kind == HAN or kind != before:
                token, kinds[n], clauses[n], sentences[n] = np.uint64(kind), kind, clause, sentence
                n += 1
            token = (token ^ np.uint64(char)) * SPREAD
            tokens[n - 1] = token
        elif code != 32:
            end = marked[code] & (CLAUSE_END | SENTENCE_END) if code < N_TABLED else 0
            ends = end == SENTENCE_END or (code == 46 and (at == span[1] or data[at] <= 32))
            clause += ends or end == CLAUSE_END
            if ends:
                ink[sentence] = chars
                sentence, chars = sentence + 1, 0
        before = kind
    ink[sentence] = chars
    return n, sentence + 1


@njit(nogil=True, cache=True)
def _find(texts, tables, phrases, any_number):
    data, offsets = texts
    size = longest(offsets)
    tokens, kinds, clauses = np.empty(size, np.uint64), np.empty(size, np.uint32), np.empty(size, np.int64)
    sentences, ink = np.empty(size, np.int64), np.empty(size, np.int64)
    found, to = np.empty((1024, 3), np.int64), 0
    for k in range(len(offsets) - 1):
        n, _ = _read(data, (offsets[k], offsets[k + 1]), tables, (tokens, kinds, clauses), (sentences, ink))
        if not any_number:
            kinds[:n] = LETTER
        at = 0
        while at < n:
            end, label = _longest_at((tokens, kinds, clauses), n, phrases, at)
            if label >= 0:
                if to == len(found):
                    found = np.concatenate((found, np.empty_like(found)))
                found[to, 0], found[to, 1], found[to, 2] = k, label, sentences[at]
                to += 1
            at = max(end, at + 1)
    return found[:to]


@njit(nogil=True, cache=True)
def _match(found, n, phrases, sentence_of, n_hits):
    """Count the longest phrase that begins at each token, and flag its sentence."""
    sentences, flags = sentence_of
    shield = 0
    for start in range(n):
        end, label = _longest_at(found, n, phrases, start)
        if label == _HARMLESS:
            shield = max(shield, end)
        elif label >= 0 and end > shield:
            n_hits[label] += 1
            flags[sentences[start]] |= 1 << label


@njit(nogil=True, cache=True)
def _longest_at(found, n, phrases, start):
    """(end, label) of the longest phrase that begins at a token; (0, _INNER) if none does."""
    tokens, kinds, clauses = found
    keys, values, firsts = phrases
    mask = np.uint64(len(keys) - 1)
    key, end, label, at = np.uint64(0), 0, _INNER, start
    if not firsts[_step(key, tokens[start], kinds[start]) & np.uint64(_FIRSTS - 1)]:
        return end, label
    while at < n and clauses[at] == clauses[start]:
        key = _step(key, tokens[at], kinds[at])
        place = (key >> np.uint64(20)) & mask
        while keys[place] != 0 and keys[place] != key:
            place = (place + np.uint64(1)) & mask
        if keys[place] == 0:
            break
        at += 1
        if values[place] != _INNER:
            end, label = at, values[place]
    return end, label
