"""Reads users' files into exam questions to train on (benchmarks are read by `evals.benchmarks`)."""

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
    """Sources with a `Questions` mapping. paper 2.2.1: CMB-Exam's training part"""
    on_bad_row: Literal["stop", "drop"] = "stop"
    """stop: a row that does not fit its mapping ends the import before anything is written; drop: it is dropped as
    `bad_row` with its raw text. ours: a wrong mapping must not pass for dirty data"""

    def __post_init__(self):
        check_sources(self.sources, "questions")
        check(self.on_bad_row in ("stop", "drop"), f"on_bad_row={self.on_bad_row}: expected stop or drop")


def files(config: Config) -> list[Path]:
    """The files and folders outside the run that are read."""
    return outside(config.sources)


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Files -> `questions`; paths like `step:clinic/exam.jsonl` are files of the input `clinic`."""
    return gather("questions", placed(config.sources, inputs), out, engine, on_bad_row=config.on_bad_row)
