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


class Lexicon(NamedTuple):
    """The phrases of a lexicon, a label a line."""

    phrases: phrases.Phrases
    kinds: tuple[str, ...]
    """Label -> kind."""
    per_1000: np.ndarray
    """Label -> hits in 1,000 characters from which it counts; 0: from the first hit."""


@functools.cache
def load(lexicon: Path = LEXICON) -> Lexicon:
    """The lexicon, ready for search.

    Raises:
        ConfigError: the file can't be read, or a line is not of the form of `LEXICON`; it is named.
    """
    try:
        lines = lexicon.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"lexicon {lexicon}: can't be read as UTF-8 text ({error}); give the path of a file with lines such as "
                          '{"kind": "violence", "per_1000": 0, "zh": [], "en": []}') from error
    found, kinds, limits = {}, [], []
    for number, line in enumerate(lines, start=1):
        kind, per_1000, said = _entry(lexicon, number, line)
        if kind == phrases.HARMLESS:
            found[kind] = [*found.get(kind, ()), *said]
        elif said:
            found[f"{number}"], _ = said, kinds.append(kind)
            limits.append(per_1000)
    if not kinds:
        raise ConfigError(f"lexicon {lexicon}: holds no words; a file without any would let everything pass")
    return Lexicon(phrases=phrases.compiled(found), kinds=tuple(kinds), per_1000=np.array(limits, float))


def kinds_of(texts: pa.Array, lexicon: Path = LEXICON) -> pa.Array:
    """The first kind of unsafe words in each text, in alphabetical order of kinds; null where there are none."""
    words = load(lexicon)
    hits = phrases.search(texts, words.phrases)
    ink = np.maximum(hits.ink, 1)[:, None]
    counts = np.where(words.per_1000 > 0, (hits.n >= 2) & (hits.n * 1000 >= words.per_1000 * ink), hits.n >= 1)
    kinds = pa.nulls(len(texts), pa.string())
    for label in sorted(range(len(words.kinds)), key=lambda label: words.kinds[label], reverse=True):
        if counts[:, label].any():
            kinds = pc.if_else(pa.array(counts[:, label]), pa.scalar(words.kinds[label]), kinds)
    return kinds


def _entry(lexicon: Path, number: int, line: str) -> tuple[str, float, list[str]]:
    """(kind, per_1000, phrases) of one line, each phrase checked."""
    try:
        entry = json.loads(line)
        kind, per_1000, said = entry["kind"], float(entry.get("per_1000", 0)), [*entry["zh"], *entry["en"]]
        phrases.compiled({str(kind): said})
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ConfigError(f'lexicon {lexicon.name}, line {number}: expected {{"kind", "per_1000", "zh": [...], "en": [...]}} ({error})') from error
    if not isinstance(kind, str) or not per_1000 >= 0:
        raise ConfigError(f"lexicon {lexicon.name}, line {number}: kind must be text and per_1000 0 or more")
    return kind, per_1000, said
