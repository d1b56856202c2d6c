"""What the stages that read users' files share; each says its kind of record."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.sources.gather import check_sources, gather, outside, placed
from aquilamed.core.sources.mapping import Source


@dataclasses.dataclass(frozen=True, kw_only=True)
class Importing:
    """Which files, what their fields mean, and what to do with rows that do not fit."""

    KIND: ClassVar[str]
    """Kind of record that the stage imports."""
    sources: tuple[Source, ...]
    """Sources whose mapping makes records of that kind."""
    on_bad_row: Literal["stop", "drop"] = "stop"
    """stop: a row that does not fit its mapping ends the import before anything is written; drop: it is dropped as
    `bad_row` with its raw text. ours: a wrong mapping must not pass for dirty data"""

    def __post_init__(self):
        check_sources(self.sources, self.KIND)
        check(self.on_bad_row in ("stop", "drop"), f"on_bad_row={self.on_bad_row}: expected stop or drop")


def files(config: Importing) -> list[Path]:
    """The files and folders outside the run that are read."""
    return outside(config.sources)


def run(config: Importing, inputs: Mapping[str, Path], out: Path, engine, *, max_chars: int = 0) -> Counts:
    """Files -> records of `config.KIND`; paths like `step:clinic/web.jsonl` are files of the input `clinic`."""
    return gather(config.KIND, placed(config.sources, inputs), out, engine, on_bad_row=config.on_bad_row, max_chars=max_chars)
