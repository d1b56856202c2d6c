"""Several sets of conversations as one; the same conversation from two sets is kept once. paper 2.2.1: six sources"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from aquilamed.core import union
from aquilamed.core.config import check, nearest
from aquilamed.core.counts import Counts

VERSION = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """How much of each."""

    shares: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Input -> its share of the whole, (0, 1), drawn by chance of ids: `{"safe": 0.01}`. An input that has too few is taken whole; nothing is ever
    repeated. Inputs that are not named are taken whole. ours: a small set is mixed in on purpose, not by its size"""
    seed: int = 1
    """Of that draw."""

    def __post_init__(self):
        check(all(0 < share < 1 for share in self.shares.values()) and sum(self.shares.values()) < 1, f"join: shares={dict(self.shares)}: expected shares above 0 that sum to less than 1")


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write the union of all inputs' conversations; dropped: `exact_duplicate`, `over_share`.

    Raises:
        ConfigError: a share is of no input.
    """
    for name in config.shares:
        check(name in inputs, f"join: shares: {name!r} is no input{nearest(name, inputs)}")
    check(len(config.shares) < len(inputs), "join: shares: one input must have none, for the others are shares of the whole with it")
    for name in config.shares:
        same = [other for other in inputs if other != name and inputs[other] == inputs[name]]
        check(not same, f"join: shares: {name!r} and {', '.join(same)} are the same folder; name it once")
    shares = {inputs[name]: share for name, share in config.shares.items()}
    return union.join(engine, out, "conversations", inputs.values(), shares=shares, seed=config.seed)
