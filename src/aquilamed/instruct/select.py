"""Selection: conversations above a score, with turns that belong together, up to a number. paper 2.2.1

Thresholds are quantiles of the scores found, or fixed values; what is dropped is kept apart with its reason.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from aquilamed.core import chance, near, tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.text import number

VERSION = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    drop_score_share: float = 0.1
    """Share, 0..1, of conversations dropped from the low end of the score, within each language and kind. paper 2.2.1 (threshold open)"""
    max_relevance: float = 1.0
    """Dialogues above this are dropped: their history misleads. paper 2.2.1: r > 1"""
    min_relevance: float = 0.05
    """Dialogues below this are dropped: their turns repeat each other. paper 2.2.1 (threshold open)"""
    drop_high_relevance_share: float = 0.0
    """Share, 0..1, of the dialogues with a relevance that is dropped from its high end, within each language; beside the fixed limit. paper 2.2.1 (threshold open)"""
    drop_low_relevance_share: float = 0.0
    """The same from the low end. Within languages, since how much a history helps depends on how the tokenizer cuts a language. ours"""
    max_records: int = 0
    """Most conversations kept, drawn by chance of their ids; 0 keeps all. paper 2.2.3: 320,000"""
    seed: int = 1
    """Of that draw."""

    def __post_init__(self):
        check(0 <= self.drop_score_share < 1, f"drop_score_share={self.drop_score_share}: expected a share, 0..1")
        shares = (self.drop_high_relevance_share, self.drop_low_relevance_share)
        check(min(shares) >= 0 and sum(shares) < 1, f"drop_high_relevance_share={shares[0]}, drop_low_relevance_share={shares[1]}: expected shares, 0..1, together below 1")
        check(self.max_records >= 0, f"max_records={self.max_records}: expected 0 or more")
        check(0 <= self.min_relevance < self.max_relevance, f"min_relevance={self.min_relevance}, max_relevance={self.max_relevance}: expected 0 <= min < max")


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Sift `inputs["conversations"]`; reasons: low_score, unrelated_turns, redundant_turns, over_cap.

    Raises:
        ConfigError: a conversation has no score; name the scoring step's output as the input.
    """
    kind = "conversations"
    limits, kept = _limits(config, inputs[kind])
    drawn = sorted(kept, key=lambda i: (chance.share(config.seed, i), i))[:config.max_records or None]
    chosen = set(drawn)

    def sieve(table: pa.Table) -> tuple:
        rows = tables.to_rows(table)
        why = [limits.reason(row) or (None if row["id"] in chosen else "over_cap") for row in rows]
        masks = {name: [w == name for w in why] for name in (*NEARNESS, "over_cap")}
        detail = pa.array([f"score {row['meta'].get('score')}, relevance {row['meta'].get('relevance')}" for row in rows], pa.string())
        details = {name: detail for name in masks}
        close = near.nearest(table, masks, {name: np.array([limits.nearness(row)[name] for row in rows]) for name in NEARNESS}, details)
        return *tables.sift(table, masks, details), {}, close
    counts = tables.sift_all(engine, inputs[kind], kind, sieve, out)
    return dataclasses.replace(counts, notes=limits.notes())


NEARNESS = ("unrelated_turns", "redundant_turns", "low_score")
"""Reasons with a limit, in the order in which they are asked about."""


@dataclasses.dataclass(frozen=True)
class Limits:
    """From which figures on a conversation goes."""

    score: Mapping[tuple[str, str], float]
    """(language, kind) -> lowest score kept."""
    relevance: Mapping[str, tuple[float, float]]
    """Language -> lowest and highest relevance kept."""

    def nearness(self, row: dict) -> dict[str, float]:
        """Reason -> the row's figure as a share of its limit, above 1 past it; 0 where it has none."""
        found = row["meta"].get("relevance")
        low, high = self.relevance[row["lang"]] if found else (0.0, np.inf)
        relevance, score = float(found or 1), float(row["meta"]["score"])
        return {"unrelated_turns": relevance / high, "redundant_turns": low / max(relevance, 1e-9), "low_score": self.score[row["lang"], row["kind"]] / max(score, 1e-9)}

    def reason(self, row: dict) -> str | None:
        return next((name for name, share in self.nearness(row).items() if share > 1), None)

    def notes(self) -> dict:
        return {"score_limits": {" ".join(cell): round(value, 3) for cell, value in sorted(self.score.items())},
                "relevance_limits": {lang: [round(value, 4) for value in ends] for lang, ends in sorted(self.relevance.items())}}


def _limits(config: Config, folder: Path) -> tuple[Limits, list[str]]:
    """The limits, and the ids that pass them all."""
    rows = [{k: row[k] for k in ("id", "lang", "kind", "meta")} for row in tables.rows(folder, "conversations")]
    scores: dict[tuple[str, str], list[float]] = defaultdict(list)
    relevances: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        check("score" in row["meta"], f"{folder}: record {row['id']} has no score; let this step read from instruct.score")
        scores[row["lang"], row["kind"]].append(_number(folder, row, "score"))
        if row["meta"].get("relevance"):
            relevances[row["lang"]].append(_number(folder, row, "relevance"))
    limits = Limits({cell: float(np.quantile(values, config.drop_score_share)) for cell, values in scores.items()},
                    {lang: _ends(config, values) for lang, values in relevances.items()})
    return limits, [row["id"] for row in rows if not limits.reason(row)]


def _number(folder: Path, row: dict, key: str) -> float:
    value = number(row["meta"][key])
    check(value is not None, f"{folder}: record {row['id']}: meta {key}={row['meta'][key]!r} is no number; give what the data carry another name, and let this step read from instruct.{key}")
    return value


def _ends(config: Config, values: list[float]) -> tuple[float, float]:
    """The narrower of the fixed limits and of the shares to be dropped."""
    low = float(np.quantile(values, config.drop_low_relevance_share)) if config.drop_low_relevance_share else 0.0
    high = float(np.quantile(values, 1 - config.drop_high_relevance_share)) if config.drop_high_relevance_share else np.inf
    return max(low, config.min_relevance), min(high, config.max_relevance)
