"""Drops the records that contain a benchmark item, and certifies what was looked for and found. paper 2.1.1 (title only)

Width, case, script (traditional or simplified), spacing and punctuation make no difference. `certificate.json` names the benchmarks with their
digests, how they were searched for, and the recall on leaks that the step plants itself; `leaks.json` names the items that were found.
"""

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa

from aquilamed.core import manifest, near, tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.hygiene import planting, searcher, windows
from aquilamed.hygiene.certificate import CERTIFICATE, LEAKS
from aquilamed.hygiene.searcher import Limits, Searcher
from aquilamed.hygiene.texts import texts_of

VERSION = 5
CASES = "cases"
"""Where a benchmarks step keeps its cases."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """When a record counts as contaminated."""

    kind: Literal["documents", "conversations", "preferences"] = "documents"
    """Record kind; the whole text of a record is searched."""
    coverage: float = 0.5
    """Share, (0, 1], of the tokens of an item's stem, or of its context, that a record must cover with windows of 8 Han characters or 5 words
    standing close together; at least 13 characters or 8 words of it. ours: the paper names no method; half a stem is a leak"""
    least_han: int = 10
    """Fewest Han characters of a stem that can stand for its item alone; a shorter one counts with all options, with its answer behind, or as
    a question. ours: at 6, `舌胖大有齿痕` condemns records"""
    least_words: int = 7
    """The same in words of alphabetic script. ours: at 4, `The anterior pituitary gland:` condemns records"""
    n_planted: int = 200
    """Items planted in each disguise to measure recall, fewer where there are fewer. ours"""
    seed: int = 0
    """Draws the planted items."""

    def __post_init__(self):
        check(0 < self.coverage <= 1, f"decontaminate: coverage={self.coverage}: expected a share above 0 and up to 1")
        check(min(self.least_han, self.least_words) >= 1, f"decontaminate: least_...={min(self.least_han, self.least_words)}: expected 1 or more")
        check(self.n_planted >= 0, f"decontaminate: n_planted={self.n_planted}: expected 0 or more")


def searcher_of(questions: list[dict], config: Config) -> Searcher:
    return Searcher(questions, Limits(coverage=config.coverage, least_han=config.least_han, least_words=config.least_words))


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Sift `inputs[config.kind]` against the questions and cases of `inputs["benchmarks"]`.

    Reason `benchmark`; detail: `source:id`, the share of the stem or context that is there, and the item's twins in another language.
    """
    found = searcher_of(items(inputs["benchmarks"]), config)

    def sieve(table: pa.Table) -> tuple[pa.Table, pa.Table, dict, pa.Table]:
        hits, closest = found.compare(texts_of(config.kind, table))
        details = pa.array([hit and found.detail(hit) for hit in hits], pa.string())
        rules = {"benchmark": details.is_valid()}
        told = pa.array([hit and f"{found.name(hit.item)} {hit.share:.2f} of the least" for hit in closest], pa.string())
        close = near.nearest(table, rules, {"benchmark": np.array([hit.share if hit else 0.0 for hit in closest])}, {"benchmark": told})
        return *tables.sift(table, rules, {"benchmark": details}), {}, close

    counts = tables.sift_all(engine, inputs[config.kind], config.kind, sieve, out)
    planted = recall(found, config)
    manifest.write_json(out / CERTIFICATE, certificate(found, config, counts, planted))
    leaked = leaks(found, config.kind, out)
    manifest.write_json(out / LEAKS, leaked)
    return dataclasses.replace(counts, notes={
        "n_items": len(found.questions), "planted": planted["n"], "planted_recall": planted["recall"],
        "planted_by_disguise": {change: hits["recall"] for change, hits in planted["by_change"].items()},
        "items_not_searchable": len(found.unsearchable()), "items_found": len(leaked)})


def leaks(found: Searcher, kind: str, out: Path) -> list[dict]:
    """Every item that a dropped record contains: how many records do, of which sets, and the largest share of it in one."""
    shares: dict[int, float] = {}
    holders: dict[int, Counter[str]] = {}
    for path in sorted((out / "dropped").glob(f"{kind}-*.parquet")):
        table = tables.load(path)
        for items, source in zip(found.contained(texts_of(kind, table)), table["source"].to_pylist(), strict=True):
            for item, share in items.items():
                shares[item] = max(share, shares.get(item, 0.0))
                holders.setdefault(item, Counter())[source] += 1
    return [{"source": found.questions[item]["source"], "id": found.questions[item]["id"], "share": round(share, 4), "records": dict(sorted(holders[item].items()))}
            for item, share in sorted(shares.items())]


def items(folder: Path) -> list[dict]:
    """The questions of a benchmarks step, and its cases as such: the first question is a case's stem and the whole conversation, with the reference answers, its context.

    The users' words alone would not do: in a copy the answers stand between them, and a short question says little by itself.
    """
    cases = tables.rows(folder / CASES, "conversations") if (folder / CASES).is_dir() else ()
    return [*tables.rows(folder, "questions"), *map(_as_question, cases)]


def _as_question(case: dict) -> dict:
    stem = next(message["content"] for message in case["messages"] if message["role"] == "user")
    whole = "\n".join(message["content"] for message in case["messages"]).strip()
    return {**case, "stem": stem, "context": "" if whole == stem.strip() else whole, "options": [], "answers": [], "subject": ""}


def certificate(found: Searcher, config: Config, counts: Counts, planted: dict) -> dict:
    """What was searched for, how, and with what result; JSON values."""
    return {
        "benchmarks": benchmarks(found), "counts": counts.as_json(), "planted": planted,
        "not_searchable": [found.name(number) for number in found.unsearchable()],
        "method": {
            "version": VERSION, "coverage": config.coverage, "han_window": windows.HAN_WINDOW, "word_window": windows.WORD_WINDOW,
            "fewest_han": searcher.FEWEST_HAN, "fewest_words": searcher.FEWEST_WORDS, "least_han": config.least_han, "least_words": config.least_words,
            "shortest_han": windows.SHORT_HAN, "shortest_words": windows.SHORT_WORDS, "ignores": ["width", "case", "script", "spacing", "punctuation"]},
    }


def benchmarks(found: Searcher) -> list[dict]:
    """One entry a source: how many items, the digest of their ids, how many of them can't be searched for."""
    ids: dict[str, list[str]] = {}
    for question in found.questions:
        ids.setdefault(question["source"], []).append(question["id"])
    lost = [found.questions[number]["source"] for number in found.unsearchable()]
    return [{"source": source, "n": len(some), "digest": hashlib.sha256("\n".join(some).encode()).hexdigest(), "not_searchable": lost.count(source)}
            for source, some in sorted(ids.items())]


def recall(found: Searcher, config: Config) -> dict:
    """How many planted leaks of searchable items are found, in all, by disguise and by language; a share is 1 where nothing was planted."""
    lost = set(found.unsearchable())
    leaks = planting.plant([question for number, question in enumerate(found.questions) if number not in lost], config.n_planted, config.seed)
    hits = found.search(pa.array([leak.text for leak in leaks], pa.string()))
    by_change: dict[str, dict[str, list[bool]]] = {}
    for leak, hit in zip(leaks, hits, strict=True):
        by_change.setdefault(leak.change, {}).setdefault(leak.question["lang"], []).append(hit is not None)
    shown = {change: {**_share([hit for some in langs.values() for hit in some]), "by_lang": {lang: _share(some) for lang, some in sorted(langs.items())}}
             for change, langs in sorted(by_change.items())}
    total = _share([hit is not None for hit in hits])
    return {**total, "by_change": shown}


def _share(hits: list[bool]) -> dict:
    return {"n": len(hits), "found": sum(hits), "recall": round(sum(hits) / len(hits), 4) if hits else 1.0}
