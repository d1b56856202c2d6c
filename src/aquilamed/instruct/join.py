"""Several sets of conversations as one; the same conversation from two sets is kept once. paper 2.2.1: six sources"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from aquilamed.core import union
from aquilamed.core.counts import Counts

VERSION = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    pass


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write the union of all inputs' conversations; dropped: `exact_duplicate`."""
    return union.join(engine, out, "conversations", inputs.values())
