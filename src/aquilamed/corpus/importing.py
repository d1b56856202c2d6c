"""Reads users' files into documents. Text is never changed but for newlines made \\n and NUL removed; long ones are cut."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.sources import importing
from aquilamed.core.sources.importing import Importing, files

__all__ = ["VERSION", "Config", "files", "run"]
VERSION = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Importing):
    """Sources with a `Documents` mapping. paper 2.1.1 names a general corpus without labels; which is open"""

    KIND = "documents"
    max_chars: int = 20_000
    """Characters, 0 or from 200: longer documents are cut at paragraph ends into about equal pieces of at most this length;
    0 leaves them whole. ours: filters judge a passage, not a book of 700,000 characters"""

    def __post_init__(self):
        super().__post_init__()
        check(self.max_chars == 0 or self.max_chars >= 200, f"max_chars={self.max_chars}: expected 0 (no limit) or 200 and more")


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Files -> `documents`; paths like `step:clinic/web.jsonl` are files of the input `clinic`."""
    return importing.run(config, inputs, out, engine, max_chars=config.max_chars)
