"""Plain texts to count tokens in: files, folders, or the documents that a step made."""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from aquilamed.core import tables
from aquilamed.core.config import check

SUFFIXES = {".txt", ".md", ".csv", ".tsv", ".json", ".jsonl", ".xml"}


def read_texts(paths: Iterable[Path]) -> Iterator[str]:
    """The texts in the files, in the order of their names; of structured files every string but the keys; of a step's folder its documents.

    Raises:
        ConfigError: nothing of that name, or a folder without texts.
    """
    for path in paths:
        if (path / "documents").is_dir():
            yield from (row["text"] for row in tables.rows(path, "documents"))
            continue
        files = sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES) if path.is_dir() else [path]
        check(bool(files), f"{path}: holds no {' '.join(sorted(SUFFIXES))}, and is no finished step that made documents")
        for file in files:
            check(file.is_file(), f"{file}: no such file or folder of texts")
            data = file.read_bytes()
            try:
                text = data.decode("utf-8-sig")
            except UnicodeDecodeError:
                text = data.decode("gb18030", "replace")
            yield from strings_of(text, file.suffix)


def strings_of(text: str, suffix: str) -> Iterator[str]:
    """The strings in a file of that kind."""
    if suffix == ".json" and not text.lstrip().startswith(("[", "{")):
        suffix = ".tsv"
    if suffix == ".json":
        try:
            yield from _leaves(json.loads(text))
            return
        except json.JSONDecodeError:
            suffix = ".jsonl"
    if suffix == ".jsonl":
        for line in text.splitlines():
            yield from _leaves(json.loads(line)) if line.strip() else ()
    elif suffix == ".csv":
        for row in csv.reader(text.splitlines(keepends=True)):
            yield from row
    elif suffix == ".tsv":
        yield from re.split(r"[\t\n]", text)
    else:
        yield re.sub(r"<[^<>]*>", " ", text) if suffix == ".xml" else text


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _leaves(part)
