"""Drops the records that contain a benchmark item, and certifies what was looked for and found. paper 2.1.1 (title only)

Width, case, script (traditional or simplified), spacing and punctuation make no difference. `certificate.json` names the benchmarks with their digests and
the recall on leaks that the step plants itself.
"""

import dataclasses
import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa

from aquilamed.core import manifest, tables, text
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.hygiene import planting, windows
from aquilamed.hygiene.alphabet import simplified
from aquilamed.hygiene.texts import texts_of

VERSION = 2
CERTIFICATE = "certificate.json"
_TOKEN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\W\d_\u3400-\u9fff]+|\d+")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """When a record counts as contaminated."""

    kind: Literal["documents", "conversations", "preferences"] = "documents"
    """Record kind; the whole text of a record is searched."""
    coverage: float = 0.5
    """Share of an item's windows (13 Han characters or 8 words of its stem, or of its context) that a record must contain,
    (0, 1]. ours: the paper names no method"""
    least_han: int = 10
    """Fewest Han characters of a stem that can stand for its item alone; below, stem and all options must occur.
    ours: at 6, `舌胖大有齿痕` condemns records"""
    least_words: int = 7
    """The same in words of alphabetic script. ours: at 4, `The anterior pituitary gland:` condemns records"""
    least_han_open: int = 6
    """Fewest Han characters of the stem of an item without options; a shorter one can't be searched for. ours"""
    least_words_open: int = 4
    """The same in words of alphabetic script. ours"""
    n_planted: int = 200
    """Most items planted to measure recall. ours"""
    seed: int = 0
    """Draws the planted items."""

    def __post_init__(self):
        check(0 < self.coverage <= 1, f"decontaminate: coverage={self.coverage}: expected a share above 0 and up to 1")
        least = (self.least_han, self.least_words, self.least_han_open, self.least_words_open)
        check(min(least) >= 1, f"decontaminate: least_...={min(least)}: expected 1 or more")
        check(self.n_planted >= 0, f"decontaminate: n_planted={self.n_planted}: expected 0 or more")


class Searcher:
    """Finds benchmark items in texts; made once, used by every shard."""

    def __init__(self, questions: list[dict], config: Config):
        self.questions = sorted(questions, key=lambda question: (question["source"], question["id"]))
        self.coverage = config.coverage
        units = [(number, part) for number, question in enumerate(self.questions)
                 for part in ("stem", "context") if (question[part] or "").strip()]
        self.owner = np.array([number for number, _ in units], np.int64)
        self.is_stem = np.array([part == "stem" for _, part in units], bool)
        words = pa.array([self.questions[number][part] for number, part in units], pa.string())
        least = np.array([(config.least_han, config.least_words) if self.questions[number]["options"]
                          else (config.least_han_open, config.least_words_open) for number, _ in units], np.int64).reshape(-1, 2)
        self.index = windows.build(words, self.is_stem, least)

    def search(self, texts: pa.Array) -> list[str | None]:
        """For each text the `source:id` of the item it covers most, or None."""
        rows, units, shares = windows.cover(texts, self.index, self.coverage)
        best: list[tuple[float, int] | None] = [None] * len(texts)
        tokens: dict[int, str] = {}
        for row, unit, share in zip(rows.tolist(), units.tolist(), shares.tolist(), strict=True):
            if self.index.is_weak[unit]:
                tokens[row] = tokens.get(row) or spelled(texts[row].as_py())
                if not self.has_options(tokens[row], unit):
                    continue
            candidate = (-share, int(self.owner[unit]))
            best[row] = min(best[row] or candidate, candidate)
        return [None if found is None else self.name(found[1]) for found in best]

    def has_options(self, spelled_text: str, unit: int) -> bool:
        """Whether every option of the unit's item stands in the text; False for an item without options, and for a weak context."""
        options = self.questions[self.owner[unit]]["options"]
        return bool(options) and bool(self.is_stem[unit]) and all(spelled(option) in spelled_text for option in options)

    def name(self, number: int) -> str:
        return f"{self.questions[number]['source']}:{self.questions[number]['id']}"

    def unsearchable(self) -> Counter:
        """Source -> items that can't be found: nothing strong in them and no options."""
        strong = set(self.owner[~self.index.is_weak].tolist())
        return Counter(question["source"] for number, question in enumerate(self.questions)
                       if number not in strong and not question["options"])


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Sift `inputs[config.kind]` against the questions of `inputs["benchmarks"]`; reason `benchmark`, detail `source:id`."""
    searcher = Searcher(list(tables.rows(inputs["benchmarks"], "questions")), config)

    def sieve(table: pa.Table) -> tuple[pa.Table, pa.Table]:
        found = pa.array(searcher.search(texts_of(config.kind, table)), pa.string())
        return tables.sift(table, {"benchmark": found.is_valid()}, {"benchmark": found})

    counts = tables.sift_all(engine, inputs[config.kind], config.kind, sieve, out)
    planted = recall(searcher, config)
    certificate = {
        "benchmarks": benchmarks(searcher), "counts": counts.as_json(), "planted": planted,
        "method": {"coverage": config.coverage, "han_window": windows.HAN_WINDOW, "word_window": windows.WORD_WINDOW,
                   "least_han": config.least_han, "least_words": config.least_words, "least_han_open": config.least_han_open,
                   "least_words_open": config.least_words_open, "ignores": ["width", "case", "script", "spacing", "punctuation"]},
    }
    manifest.write_json(out / CERTIFICATE, certificate)
    return dataclasses.replace(counts, notes={
        "n_items": len(searcher.questions), "planted": planted["n"], "planted_recall": planted["recall"],
        "items_not_searchable": sum(searcher.unsearchable().values())})


def benchmarks(searcher: Searcher) -> list[dict]:
    """One entry a source: how many items, the digest of their ids, how many of them can't be searched for."""
    ids: dict[str, list[str]] = {}
    for question in searcher.questions:
        ids.setdefault(question["source"], []).append(question["id"])
    lost = searcher.unsearchable()
    return [{"source": source, "n": len(found), "digest": hashlib.sha256("\n".join(found).encode()).hexdigest(), "not_searchable": lost[source]}
            for source, found in sorted(ids.items())]


def recall(searcher: Searcher, config: Config) -> dict:
    """How many planted leaks are found, in all and by disguise; a share is 1 where nothing was planted."""
    planted = planting.plant(searcher.questions, config.n_planted, config.seed)
    found = searcher.search(pa.array([made for _, _, made in planted], pa.string()))
    by_change: dict[str, list[int]] = {}
    for (_, change, _), item in zip(planted, found, strict=True):
        by_change.setdefault(change, []).append(item is not None)
    total = sum(item is not None for item in found)
    return {"n": len(planted), "found": total, "recall": round(total / len(planted), 4) if planted else 1.0,
            "by_change": {change: {"n": len(hits), "found": sum(hits)} for change, hits in sorted(by_change.items())}}


def spelled(words: str) -> str:
    """The tokens of `words`, folded in width, case and script, each between blanks."""
    return f" {' '.join(_TOKEN.findall(simplified(text.fold(words))))} "
