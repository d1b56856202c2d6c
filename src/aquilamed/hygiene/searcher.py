"""Finds benchmark items in texts.

A stem or a context that is long enough counts by the share of it that a text covers. A short stem, or a formula that many items share
(`Which of the following is true?`), means an item only together with more of it: its options in any order, its answer right behind or, where it
is no formula, the question mark that ends it there too.
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from aquilamed.core import near
from aquilamed.core import text as texts
from aquilamed.hygiene import windows
from aquilamed.hygiene.alphabet import simplified

FEWEST_HAN, FEWEST_WORDS = 13, 8
"""A text must cover at least so many tokens of a unit, or all of it."""
NEAR = 400
"""Characters around a short stem in which its options must stand, beyond twice the printed item's length."""
_TOKEN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\W\d_\u3400-\u9fff]+|\d+")
_ASKS = re.compile(r"[?？][\s\"'”’)）]*$")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limits:
    """From where on a text contains an item."""

    coverage: float
    """Share, (0, 1], of the tokens of a stem or context that a text must cover."""
    least_han: int
    """Fewest Han characters of a stem that can stand for its item alone."""
    least_words: int
    """The same in words."""


class Hit(NamedTuple):
    """An item that a text contains."""

    share: float
    """Of the stem or context, 0..1."""
    item: int
    """Its place among the searcher's questions."""


class Searcher:
    """Finds benchmark items in texts; made once, used by every shard."""

    def __init__(self, questions: list[dict], limits: Limits):
        self.questions = sorted(questions, key=lambda question: (question["source"], question["id"]))
        units = [(number, part) for number, question in enumerate(self.questions)
                 for part in ("stem", "context") if (question[part] or "").strip()]
        self.owner = np.array([number for number, _ in units], np.int64)
        self.is_stem = np.array([part == "stem" for _, part in units], bool)
        _, items = np.unique([question["id"] for question in self.questions], return_inverse=True)
        self.index = windows.build(pa.array([self.questions[number][part] for number, part in units], pa.string()), items[self.owner])
        self.is_weak, self.needed = self._needed(limits)
        self.mentioned = np.where(self.is_weak, self.needed, np.ceil(near.LEAST * self.needed).astype(np.int64))
        self.twins = self._twins()

    def _needed(self, limits: Limits) -> tuple[np.ndarray, np.ndarray]:
        """Whether each unit needs more of its item, and the tokens of it that a text must cover; never where it is too short."""
        index = self.index
        fewest = np.minimum(index.sizes, np.where(index.is_han, FEWEST_HAN, FEWEST_WORDS))
        wanted = np.maximum(np.ceil(limits.coverage * index.sizes - 1e-9).astype(np.int64), fewest)
        is_short = index.sizes < np.where(index.is_han, limits.least_han, limits.least_words)
        is_formula = index.is_formula & (index.sizes < 2 * np.where(index.is_han, FEWEST_HAN, FEWEST_WORDS))
        is_weak = is_short | is_formula | (index.coverable < wanted)
        too_short = (index.sizes < np.where(index.is_han, windows.SHORT_HAN, windows.SHORT_WORDS)) | (is_weak & ~self.is_stem)
        needed = np.where(is_weak, np.maximum(index.coverable, 1), wanted)
        return is_weak, np.where(too_short, np.iinfo(np.int64).max, needed)

    def _twins(self) -> dict[int, list[int]]:
        """Item -> the same in another language, by `meta["twin"]`."""
        groups: dict[tuple[str, str], list[int]] = {}
        for number, question in enumerate(self.questions):
            if twin := (question["meta"] or {}).get("twin"):
                groups.setdefault((question["source"], twin), []).append(number)
        return {one: [other for other in group if self.questions[other]["lang"] != self.questions[one]["lang"]] for group in groups.values() for one in group}

    def search(self, words: pa.Array) -> list[Hit | None]:
        """For each text the item it contains most of, or None."""
        return self.compare(words)[0]

    def compare(self, words: pa.Array) -> tuple[list[Hit | None], list[Hit | None]]:
        """For each text the item it contains most of, or None; and the item that it is nearest to containing, whose share is of what it must cover.

        Nearest are items that can stand alone, from `core.near.LEAST` of what a text must cover of them.
        """
        best: list[Hit | None] = [None] * len(words)
        closest: list[Hit | None] = [None] * len(words)
        for row, hit, contains in self._mentions(words):
            _keep(best if contains else closest, row, hit)
        return best, closest

    def contained(self, words: pa.Array) -> list[dict[int, float]]:
        """For each text every item that it contains -> the share of it."""
        found: list[dict[int, float]] = [{} for _ in range(len(words))]
        for row, hit, contains in self._mentions(words):
            if contains:
                found[row][hit.item] = max(hit.share, found[row].get(hit.item, 0.0))
        return found

    def _mentions(self, words: pa.Array) -> Iterator[tuple[int, Hit, bool]]:
        """(text, item, whether the text contains it) of every item that a text comes near; the share of one that it does not contain is of what it must cover."""
        folded: dict[int, str] = {}
        for row, unit, covered in windows.cover(words, self.index, self.mentioned).tolist():
            item, needed = int(self.owner[unit]), int(self.needed[unit])
            if covered < needed:
                yield row, Hit(covered / needed, item), False
                continue
            share = covered / int(self.index.sizes[unit])
            if self.is_weak[unit]:
                folded[row] = folded.get(row) or simplified(texts.fold(words[row].as_py()))
                if not self._means(folded[row], item, bool(self.index.is_formula[unit])):
                    continue
                share = 1.0
            yield row, Hit(share, item), True

    def _means(self, folded: str, item: int, is_formula: bool) -> bool:
        """Whether a text with a short stem in it contains more of its item."""
        question = self.questions[item]
        spelled_text, stem = spelled(folded), spelled(question["stem"])
        options = [spelled(option) for option in question["options"]]
        answers = [spelled(question["options"][place]) for place in question["answers"]]
        reach = 2 * (len(stem) + sum(map(len, options))) + NEAR
        at = spelled_text.find(stem)
        while at >= 0:
            end = at + len(stem)
            around = spelled_text[max(0, at - reach):end + reach]
            if options and all(option in around for option in options):
                return True
            if any(len(answer.split()) > 1 and spelled_text.startswith(answer, end - 1) for answer in answers):
                return True
            at = spelled_text.find(stem, at + 1)
        return not is_formula and bool(_ASKS.search(question["stem"])) and _is_asked(stem, folded)

    def name(self, number: int) -> str:
        return f"{self.questions[number]['source']}:{self.questions[number]['id']}"

    def detail(self, hit: Hit) -> str:
        """`exam:ID 0.83`, and its twins."""
        return " ".join([self.name(hit.item), f"{hit.share:.2f}", *(f"twin {self.name(other)}" for other in self.twins.get(hit.item, ()))])

    def unsearchable(self) -> list[int]:
        """Items of which no part is long enough to be searched for."""
        found = set(self.owner[self.needed < np.iinfo(np.int64).max].tolist())
        return [number for number in range(len(self.questions)) if number not in found]

    def sources(self) -> Counter:
        """Source -> its items."""
        return Counter(question["source"] for question in self.questions)


def _keep(best: list[Hit | None], row: int, hit: Hit) -> None:
    """Of two hits the larger share stays, of equal ones the first item."""
    if best[row] is None or (-hit.share, hit.item) < (-best[row].share, best[row].item):
        best[row] = hit


def spelled(words: str) -> str:
    """The tokens of `words`, folded in width, case and script, each between blanks."""
    return f" {' '.join(_TOKEN.findall(simplified(texts.fold(words))))} "


def _is_asked(stem: str, folded: str) -> bool:
    """Whether the tokens of a stem stand in a text with a question mark behind."""
    return bool(re.search(r"[\W_]*".join(map(re.escape, stem.split())) + r"[^\w?]*\?", folded))
