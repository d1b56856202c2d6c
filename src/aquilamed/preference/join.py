"""Several sets of pairs as one; the same pair from two sets is kept once. paper 2.3.2: subjective and objective together"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from aquilamed.core import union
from aquilamed.core.config import check
from aquilamed.core.counts import Counts

VERSION = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    max_pairs: int = 0
    """Most pairs kept, drawn by chance of their ids; 0 keeps all. paper 2.3.2: 12,727"""
    seed: int = 1
    """Of that draw."""

    def __post_init__(self):
        check(self.max_pairs >= 0, f"max_pairs={self.max_pairs}: expected 0 or more")


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write the union of all inputs' preferences; dropped: `exact_duplicate`, `over_cap`."""
    return union.join(engine, out, "preferences", inputs.values(), most=config.max_pairs, seed=config.seed)
