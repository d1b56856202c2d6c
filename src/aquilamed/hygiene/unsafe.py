"""Unsafe words: pornography, violence, hate, gambling, drugs and the like, from the lexicon beside this file. paper 2.1.1, 2.2.1

The lexicon is ours (Apache-2.0, as the package); another one can be given in its place. What medicine itself speaks of (genitals, abuse,
suicide and its prevention, anaesthetics, names of drugs) is in it only together with what makes it an offer or an instruction.
"""

import functools
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.core.errors import ConfigError
from aquilamed.hygiene import phrases

LEXICON = Path(__file__).with_name("unsafe_words.jsonl")
"""A line: {"kind", "per_1000", "zh": [...], "en": [...]}. `per_1000` 0: any one phrase condemns a text; above: so many in 1,000 characters
other than blanks, at least two. Phrases as in `hygiene.phrases`, Chinese in either script; the kind `harmless` shields what stands inside its phrases."""


def chosen(lexicon: Path) -> Path:
    """The given lexicon, or ours where none is given."""
    return lexicon if lexicon.name else LEXICON


class Entry(NamedTuple):
    """One line of a lexicon."""

    kind: str
    per_1000: float
    phrases: list[str]

    @property
    def label(self) -> str:
        """What lines that are counted together share."""
        return self.kind if self.kind == phrases.HARMLESS else f"{self.kind}/{self.per_1000:g}"


class Lexicon(NamedTuple):
    """The phrases of a lexicon; a label is a kind with one density."""

    phrases: phrases.Phrases
    kinds: tuple[str, ...]
    """Label -> kind."""
    per_1000: np.ndarray
    """Label -> hits in 1,000 characters from which it counts; 0: from the first hit."""


@functools.cache
def load(lexicon: Path = LEXICON) -> Lexicon:
    """The lexicon, ready for search.

    Raises:
        ConfigError: as `entries`.
    """
    said: dict[str, list[str]] = {}
    limits: dict[str, tuple[str, float]] = {}
    for entry in entries(lexicon):
        said[entry.label] = [*said.get(entry.label, ()), *entry.phrases]
        limits[entry.label] = entry.kind, entry.per_1000
    found = phrases.compiled(said)
    return Lexicon(phrases=found, kinds=tuple(limits[label][0] for label in found.labels), per_1000=np.array([limits[label][1] for label in found.labels]))


def entries(lexicon: Path) -> list[Entry]:
    """The lines of the lexicon that hold phrases.

    Raises:
        ConfigError: the file can't be read or holds no words, or a line is not of the form of `LEXICON`; it is named.
    """
    try:
        lines = lexicon.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"lexicon {lexicon}: can't be read as UTF-8 text ({error}); give the path of a file with lines such as "
                          '{"kind": "violence", "per_1000": 0, "zh": [], "en": []}') from error
    found = [_entry(lexicon, number, line) for number, line in enumerate(lines, start=1)]
    if not any(entry.phrases for entry in found if entry.kind != phrases.HARMLESS):
        raise ConfigError(f"lexicon {lexicon}: holds no words; a file without any would let everything pass")
    return [entry for entry in found if entry.phrases]


def kinds_of(texts: pa.Array, lexicon: Path = LEXICON) -> pa.Array:
    """The first kind of unsafe words in each text, in alphabetical order of kinds; null where there are none."""
    return inspect(texts, lexicon)[0]


def inspect(texts: pa.Array, lexicon: Path = LEXICON) -> tuple[pa.Array, np.ndarray, pa.Array]:
    """(as `kinds_of`, how near each text without unsafe words is to the limit of a kind, 0..1, and that kind).

    Near are texts with some of the words that count only in number or density: the share of what is needed that is there.
    """
    words = load(lexicon)
    hits = phrases.search(texts, words.phrases)
    limits = np.where(words.per_1000 > 0, np.maximum(2, words.per_1000 * np.maximum(hits.ink, 1)[:, None] / 1000), 1)
    shares = hits.n / limits
    kinds, near = pa.nulls(len(texts), pa.string()), pa.nulls(len(texts), pa.string())
    for label in sorted(range(len(words.kinds)), key=lambda label: words.kinds[label], reverse=True):
        if (shares[:, label] >= 1).any():
            kinds = pc.if_else(pa.array(shares[:, label] >= 1), pa.scalar(words.kinds[label]), kinds)
    nearness = np.where(shares < 1, shares, 0).max(axis=1, initial=0)
    if nearness.any():
        near = pa.array(words.kinds, pa.string()).take(pa.array(np.where(shares < 1, shares, 0).argmax(axis=1)))
    return kinds, nearness, near


def _entry(lexicon: Path, number: int, line: str) -> Entry:
    """One line, each of its phrases checked."""
    try:
        entry = json.loads(line)
        kind, per_1000, said = entry["kind"], float(entry.get("per_1000", 0)), [*entry["zh"], *entry["en"]]
        phrases.compiled({str(kind): said})
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ConfigError(f'lexicon {lexicon.name}, line {number}: expected {{"kind", "per_1000", "zh": [...], "en": [...]}} ({error})') from error
    if not isinstance(kind, str) or not per_1000 >= 0:
        raise ConfigError(f"lexicon {lexicon.name}, line {number}: kind must be text and per_1000 0 or more")
    return Entry(kind=kind, per_1000=per_1000, phrases=said)
