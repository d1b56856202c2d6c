"""Words by which an answer does harm: violence, bias, sexual, self-harm, quackery. The list beside this file is ours (Apache-2.0); another can be given.

A line: {"reason", "license", "together": [[phrases], ...]}. It counts where one sentence holds a phrase of each group and no phrase of the lines whose
reason is `warned` (`不要相信`, `is a myth`). Phrases as in `hygiene.phrases`, both languages mixed, Chinese in either script.
"""

import functools
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from aquilamed.core.errors import ConfigError
from aquilamed.hygiene import phrases

LEXICON = Path(__file__).with_name("harm_words.jsonl")
WARNED = "warned"
REASONS = ("self_harm", "violence", "bias", "sexual", "quackery")


class Line(NamedTuple):
    """One line of a lexicon."""

    reason: str
    license: str
    together: list[list[str]]


class Lexicon(NamedTuple):
    """All lines, ready for search."""

    lines: list[Line]
    phrases: phrases.Phrases
    groups: list[set[tuple[int, int]]]
    """Label -> the (line, group) that its phrase stands in."""

    @property
    def licenses(self) -> list[str]:
        return sorted({line.license for line in self.lines})


class Harm(NamedTuple):
    """What stands in a text."""

    reason: str
    words: str
    """A phrase of each group, as the lexicon writes them."""


@functools.cache
def load(lexicon: Path = LEXICON) -> Lexicon:
    """The lexicon.

    Raises:
        ConfigError: the file can't be read or holds no words, or a line has another form; it is named.
    """
    try:
        texts = lexicon.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"lexicon {lexicon}: can't be read as UTF-8 text ({error}); its lines are described in docs/formats.md") from error
    lines = [_line(lexicon, number, text) for number, text in enumerate(texts, start=1) if text.strip()]
    if all(line.reason == WARNED for line in lines):
        raise ConfigError(f"lexicon {lexicon}: holds no words; a file without any would let everything pass")
    stands: dict[str, set[tuple[int, int]]] = {}
    for number, line in enumerate(lines):
        for group, words in enumerate(line.together):
            for one in (one for phrase in words for one in phrases.expanded(phrase)):
                stands.setdefault(one, set()).add((number, group))
    made = phrases.compiled({phrase: [phrase] for phrase in stands}, most_labels=len(stands))
    return Lexicon(lines=lines, phrases=made, groups=[stands[label] for label in made.labels])


def search(texts: pa.Array, words: Lexicon) -> dict[int, list[Harm]]:
    """Text -> what harm stands in it, each reason once, in order of place; texts without any are left out."""
    found = phrases.find(texts, words.phrases)
    warns = np.array([all(words.lines[line].reason == WARNED for line, _ in groups) for groups in words.groups], bool)
    looked = np.isin(found.text, found.text[~warns[found.label]])
    said: dict[tuple[int, int], list[int]] = {}
    for text, label, sentence in np.c_[found.text, found.label, found.sentence][looked].tolist():
        said.setdefault((text, sentence), []).append(label)
    harms: dict[int, dict[str, Harm]] = {}
    for (text, _), labels in said.items():
        for harm in _of_sentence(labels, words):
            harms.setdefault(text, {}).setdefault(harm.reason, harm)
    return {text: list(reasons.values()) for text, reasons in harms.items()}


def _of_sentence(labels: list[int], words: Lexicon) -> list[Harm]:
    first: dict[int, dict[int, int]] = {}
    for label in labels:
        for line, group in words.groups[label]:
            first.setdefault(line, {}).setdefault(group, label)
    if any(words.lines[line].reason == WARNED for line in first):
        return []
    whole = {line: found for line, found in first.items() if len(found) == len(words.lines[line].together)}
    return [Harm(words.lines[line].reason, " + ".join(words.phrases.labels[label] for _, label in sorted(found.items()))) for line, found in sorted(whole.items())]


def _line(lexicon: Path, number: int, text: str) -> Line:
    where = f"lexicon {lexicon.name}, line {number}"
    try:
        row = json.loads(text)
        line = Line(row["reason"], row["license"], [list(group) for group in row["together"]])
        said = [phrase for group in line.together for phrase in group]
        phrases.compiled({"": said})
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ConfigError(f'{where}: expected {{"reason", "license", "together": [["phrase", ...], ...]}} ({error})') from error
    if line.reason not in (*REASONS, WARNED) or not line.license or not line.together or not all(line.together):
        raise ConfigError(f"{where}: reason should be one of {', '.join((*REASONS, WARNED))}, license not empty, and every group hold phrases")
    return line
