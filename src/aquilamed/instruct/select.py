"""Selection: conversations above a score, with turns that belong together, up to a number. paper 2.2.1

Thresholds are quantiles of the scores found, or fixed values; what is dropped is kept apart with its reason.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from aquilamed.core import chance, tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts

VERSION = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    drop_score_share: float = 0.1
    """Share, 0..1, of conversations dropped from the low end of the score, within each language and kind. paper 2.2.1 (threshold open)"""
    max_relevance: float = 1.0
    """Dialogues above this are dropped: their history misleads. paper 2.2.1: r > 1"""
    min_relevance: float = 0.05
    """Dialogues below this are dropped: their turns repeat each other. paper 2.2.1 (threshold open)"""
    max_records: int = 0
    """Most conversations kept, drawn by chance of their ids; 0 keeps all. paper 2.2.3: 320,000"""
    seed: int = 1
    """Of that draw."""

    def __post_init__(self):
        check(0 <= self.drop_score_share < 1, f"drop_score_share={self.drop_score_share}: expected a share, 0..1")
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

    def sieve(table: pa.Table) -> tuple[pa.Table, pa.Table]:
        rows = tables.to_rows(table)
        why = [_reason(row, limits, config) or (None if row["id"] in chosen else "over_cap") for row in rows]
        masks = {name: [w == name for w in why] for name in ("unrelated_turns", "redundant_turns", "low_score", "over_cap")}
        detail = pa.array([f"score {row['meta'].get('score')}, relevance {row['meta'].get('relevance')}" for row in rows], pa.string())
        return tables.sift(table, masks, {name: detail for name in masks})
    counts = tables.sift_all(engine, inputs[kind], kind, sieve, out)
    return dataclasses.replace(counts, notes={"score_limits": {" ".join(cell): round(v, 3) for cell, v in sorted(limits.items())}})


def _limits(config: Config, folder: Path) -> tuple[dict[tuple[str, str], float], list[str]]:
    """(language, kind) -> lowest score kept, and the ids that pass every limit."""
    rows = [{k: row[k] for k in ("id", "lang", "kind", "meta")} for row in tables.rows(folder, "conversations")]
    cells: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        check("score" in row["meta"], f"{folder}: record {row['id']} has no score; let this step read from instruct.score")
        cells.setdefault((row["lang"], row["kind"]), []).append(float(row["meta"]["score"]))
    limits = {cell: float(np.quantile(values, config.drop_score_share)) for cell, values in cells.items()}
    return limits, [row["id"] for row in rows if not _reason(row, limits, config)]


def _reason(row: dict, limits: dict, config: Config) -> str | None:
    relevance = row["meta"].get("relevance")
    if relevance and float(relevance) > config.max_relevance:
        return "unrelated_turns"
    if relevance and float(relevance) < config.min_relevance:
        return "redundant_turns"
    return "low_score" if float(row["meta"]["score"]) < limits[row["lang"], row["kind"]] else None
