"""Deita selection scores: s = c * q for each turn, c the instruction's complexity, q the answer's quality. paper 2.2.1

A dialogue's score is the mean over its turns. The scorer is `models.surface`; its 1..6 scales are Deita's.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from aquilamed.core import tables
from aquilamed.core.counts import Counts
from aquilamed.models import surface

VERSION = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    backend: str = "surface"
    """Who scores: `surface`, from the text alone. ours: a first scorer; the paper uses Deita's models"""


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write every conversation with `meta["score"]`; nothing is dropped here (`instruct.select` does)."""
    def scored(table: pa.Table) -> tuple[pa.Table, pa.Table]:
        rows = tables.to_rows(table)
        for row in rows:
            row["meta"] = {**row["meta"], "score": f"{score(row['messages']):.3f}"}
        empty = table.slice(0, 0)
        for field in tables.REASONS:
            empty = empty.append_column(field, pa.nulls(0, pa.string()))
        return tables.from_rows("conversations", rows), empty
    counts = tables.sift_all(engine, inputs["conversations"], "conversations", scored, out)
    values = [float(row["meta"]["score"]) for row in tables.rows(out, "conversations")]
    shape = np.quantile(values, [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1]).round(3).tolist() if values else []
    return dataclasses.replace(counts, notes={"score_quantiles": shape})


def score(messages: list[dict]) -> float:
    """Mean of c * q over the turns, 1..36."""
    pairs = [(asked["content"], said["content"]) for asked, said in zip(messages, messages[1:], strict=False)
             if (asked["role"], said["role"]) == ("user", "assistant")]
    return sum(surface.complexity(asked) * surface.quality(asked, said) for asked, said in pairs) / max(len(pairs), 1)
