"""Reads users' files into documents. Text is never changed but for newlines made \\n and NUL removed; long ones are cut."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.sources import Source
from aquilamed.core.sources.gather import check_sources, gather, outside, placed

VERSION = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Which files, what their fields mean, and what to do with rows that do not fit."""

    sources: tuple[Source, ...]
    """Sources with a `Documents` mapping. paper 2.1.1 names a general corpus without labels; which is open"""
    on_bad_row: Literal["stop", "drop"] = "stop"
    """stop: a row that does not fit its mapping ends the import before anything is written; drop: it is dropped as
    `bad_row` with its raw text. ours: a wrong mapping must not pass for dirty data"""
    max_chars: int = 20_000
    """Characters, 0 or from 200: longer documents are cut at paragraph ends into about equal pieces of at most this length;
    0 leaves them whole. ours: filters judge a passage, not a book of 700,000 characters"""

    def __post_init__(self):
        check_sources(self.sources, "documents")
        check(self.on_bad_row in ("stop", "drop"), f"on_bad_row={self.on_bad_row}: expected stop or drop")
        check(self.max_chars == 0 or self.max_chars >= 200, f"max_chars={self.max_chars}: expected 0 (no limit) or 200 and more")


def files(config: Config) -> list[Path]:
    """The files and folders outside the run that are read."""
    return outside(config.sources)


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Files -> `documents`; paths like `step:clinic/web.jsonl` are files of the input `clinic`."""
    return gather("documents", placed(config.sources, inputs), out, engine, on_bad_row=config.on_bad_row, max_chars=config.max_chars)
