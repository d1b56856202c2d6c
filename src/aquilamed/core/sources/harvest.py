"""Files of a source -> records, and what is dropped of them, on disk as they are read."""

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from aquilamed.core import tables
from aquilamed.core.errors import RecordError
from aquilamed.core.records import make
from aquilamed.core.runs import Runs
from aquilamed.core.sources import fields, files
from aquilamed.core.sources.encoding import encoding_of
from aquilamed.core.sources.fields import Misfit
from aquilamed.core.sources.lines import WHOLE, Span, unpacking
from aquilamed.core.sources.mapping import Source
from aquilamed.core.sources.outcome import Outcome
from aquilamed.core.sources.remote import Remote

OnBadRow = Literal["stop", "drop"]
BATCH = 10_000
RAW = pa.schema([(name, pa.string()) for name in ("source", "file", "row", "reason", "detail", "raw")])
"""Columns of `dropped/raw-00000.parquet`: rows of which no record could be formed."""
_ENDS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"[。！？!?][」』”’）)]*|\.\s"), re.compile(r"[，、；,;]|\s"))
"""Where a text may be cut, best first: after a blank line, a line, a sentence, a part of one."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """One file of a source, or a part of a large one."""

    source: Source
    path: Path
    name: str
    """Its path below the source's folder: what records carry."""
    span: Span = WHOLE
    """What of it is read."""
    encoding: str = ""
    """Where it is known already."""
    remote: Remote | None = None
    """Where it is to be fetched from; `path` is then its name alone."""


@dataclasses.dataclass(kw_only=True)
class Harvest:
    """What one file gave, in figures; JSON values."""

    source: str
    name: str
    encoding: str
    is_first: bool = True
    """Whether it begins its file."""
    n_rows: int = 0
    n_cleaned: int = 0
    repairs: Counter = dataclasses.field(default_factory=Counter)
    dropped: Counter = dataclasses.field(default_factory=Counter)
    example: str = ""
    """What is wrong with the first row that was dropped."""


class Bins:
    """What a job reads, on its way to disk: kept and dropped records as runs, rows of which none could be formed as they come."""

    def __init__(self, kind: str, stem: Path):
        self.kind, self.stem = kind, stem
        self.kept, self.dropped = Runs(stem, "kept"), Runs(stem, "dropped")
        self.raw: list[dict] = []
        self.raw_file: pq.ParquetWriter | None = None
        self.waiting: list[dict] = []
        self.gone: list[dict] = []
        self.langs: Counter = Counter()

    def keep(self, rows: list[dict]) -> None:
        self.waiting += rows
        if len(self.waiting) >= BATCH:
            self._empty()

    def drop(self, rows: list[dict]) -> None:
        self.gone += rows
        if len(self.gone) >= BATCH:
            self._empty()

    def close(self) -> dict:
        """Write what is left; the run files with their weights, and the languages of what is kept; JSON values."""
        self._empty()
        if self.raw_file:
            self.raw_file.close()
        return {"kept": self.kept.close(), "dropped": self.dropped.close(), "langs": self.langs}

    def set_aside(self, row: dict) -> None:
        self.raw.append(row)
        if len(self.raw) >= BATCH:
            self._empty()

    def _empty(self) -> None:
        kept = tables.from_rows(self.kind, self.waiting)
        self.langs += tables.langs(kept)
        self.kept.add(kept)
        self.dropped.add(tables.dropped_rows(self.kind, [make(self.kind, row) for row in self.gone]))
        self.waiting, self.gone = [], []
        if self.raw:
            self.stem.parent.mkdir(parents=True, exist_ok=True)
            self.raw_file = self.raw_file or pq.ParquetWriter(raw_of(self.stem), RAW, compression="zstd")
            self.raw_file.write_table(pa.Table.from_pylist(self.raw, schema=RAW))
            self.raw = []


def raw_of(stem: Path) -> Path:
    """Where the rows of which no record could be formed wait."""
    return stem.with_name(f"{stem.name}-raw.parquet")


def harvest(jobs: Sequence[Job], bins: Bins, *, on_bad_row: OnBadRow, max_chars: int) -> list[Harvest]:
    """Read files into `bins`; figures of each.

    Raises:
        RecordError: a file can't be read or is empty or, with `on_bad_row="stop"`, a row does not fit; file, row and key are named.
    """
    return [_one(job, bins, on_bad_row, max_chars) for job in jobs]


def _one(job: Job, bins: Bins, on_bad_row: OnBadRow, max_chars: int) -> Harvest:
    source = job.source
    encoding = job.encoding or encoding_for(job.path, source)
    found = Harvest(source=source.name, name=job.name, encoding=encoding, is_first=job.span[0] == 0)
    for number, raw in files.attempt(job.path, source, encoding, job.span):
        if isinstance(raw, files.Broken) and raw.reason:
            bins.set_aside(_set_aside(found, number, raw, raw.reason, raw.detail))
            continue
        try:
            row = fields.cleaned(_whole(raw))
            outcome = judge(source, row | {"_stem": job.path.stem, "_folder": job.name.partition("/")[0]})
        except Misfit as error:
            _must_go_on(job, number, error, on_bad_row)
            bins.set_aside(_set_aside(found, number, raw, "bad_row", str(error)))
            continue
        found.n_cleaned += row is not raw
        if outcome.record is None:
            bins.set_aside(_set_aside(found, number, raw, outcome.reason, outcome.detail))
            continue
        _sort_out(found, bins, number, outcome, source=source, max_chars=max_chars)
    if not found.n_rows and source.format != "hub" and not job.path.stat().st_size:
        raise RecordError(f"{job.path}: an empty file; was it written whole? Fetch it again or take it out of source {source.name!r}")
    return found


def encoding_for(path: Path, source: Source) -> str:
    """The encoding of a text file, else the format."""
    with unpacking(path):
        return encoding_of(path, source.encoding) if source.format in files.TEXT else source.format


def judge(source: Source, row: Mapping) -> Outcome:
    """The record in `row`, or why it is left out.

    Raises:
        Misfit: the row does not fit the mapping.
    """
    for skip in source.skip:
        if detail := skip.detail(row):
            try:
                record = source.mapping.outcome(row).record
            except Misfit:
                record = None
            return Outcome(record=record, reason=f"skipped:{skip.why}", detail=detail)
    return source.mapping.outcome(row)


def cut(text: str, max_chars: int) -> list[str]:
    """`text` in about equal pieces of at most `max_chars`, cut after a paragraph, else a line, a sentence, a comma or blank, anywhere.

    The pieces joined are the text.
    """
    pieces = []
    while max_chars and len(text) > max_chars:
        n_left = -(-len(text) // max_chars)
        goal = min(max_chars, -(-len(text) // n_left) * 11 // 10)
        ends = (max((match.end() for match in mark.finditer(text, goal // 2, goal)), default=0) for mark in _ENDS)
        end = next(filter(None, ends), goal)
        pieces.append(text[:end])
        text = text[end:]
    return [*pieces, text]


def _whole(raw: dict | files.Broken) -> dict:
    if isinstance(raw, files.Broken):
        raise Misfit(raw.detail)
    return raw


def _must_go_on(job: Job, number: int, error: Misfit, on_bad_row: OnBadRow) -> None:
    if on_bad_row == "stop":
        raise RecordError(f"{job.path}, row {number}: {error}; mend the row or the mapping of source {job.source.name!r}, "
                          "or set on_bad_row='drop' to leave such rows out") from error


def _set_aside(found: Harvest, number: int, raw: dict | files.Broken, reason: str, detail: str) -> dict:
    """A row of which no record can be formed, as RAW has it."""
    spelled = raw.raw if isinstance(raw, files.Broken) else json.dumps(raw, ensure_ascii=False, default=str)
    row = {"source": found.source, "file": found.name, "row": str(number), "reason": reason, "detail": detail, "raw": spelled}
    _note(found, reason, detail, 1)
    return {key: value.encode("utf-8", "backslashreplace").decode() for key, value in row.items()}


def _sort_out(found: Harvest, bins: Bins, number: int, outcome: Outcome, *, source: Source, max_chars: int) -> None:
    """The records of one row, to where they belong."""
    origin = {"source": source.name, "license": source.license, "lang": source.lang}
    meta = {"file": found.name, "row": str(number), **outcome.record["meta"]}
    if outcome.repaired:
        meta["repaired"] = " ".join(outcome.repaired)
        found.repairs.update(outcome.repaired)
    rows = [{**outcome.record, **origin, "meta": meta}]
    if bins.kind == "documents":
        rows = _pieces(rows[0], max_chars)
    if outcome.reason:
        _note(found, outcome.reason, outcome.detail, len(rows))
        bins.drop([{**row, "reason": outcome.reason, "detail": outcome.detail} for row in rows])
    else:
        found.n_rows += len(rows)
        bins.keep(rows)


def _note(found: Harvest, reason: str, detail: str, n: int) -> None:
    found.n_rows += n
    found.dropped[reason] += n
    found.example = found.example or detail


def _pieces(row: dict, max_chars: int) -> list[dict]:
    texts = cut(row["text"], max_chars)
    if len(texts) == 1:
        return [row]
    return [{**row, "text": text, "meta": {**row["meta"], "piece": f"{number}/{len(texts)}"}} for number, text in enumerate(texts, start=1)]
