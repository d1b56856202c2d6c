"""Several sets of pairs as one; the same pair from two sets is kept once. paper 2.3.2: subjective and objective together"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from aquilamed.core import tables
from aquilamed.core.counts import Counts

VERSION = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    pass


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write the union of all inputs' preferences; dropped: `exact_duplicate`."""
    return tables.join(out, "preferences", inputs.values())
