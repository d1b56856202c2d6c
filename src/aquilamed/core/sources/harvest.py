"""One file of a source -> records, and what is dropped of it."""

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pyarrow as pa

from aquilamed.core import tables
from aquilamed.core.errors import RecordError
from aquilamed.core.sources import fields, files
from aquilamed.core.sources.encoding import encoding_of
from aquilamed.core.sources.fields import Misfit
from aquilamed.core.sources.mapping import Source
from aquilamed.core.sources.outcome import Outcome

OnBadRow = Literal["stop", "drop"]
BATCH = 10_000
_ENDS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"[。！？!?][」』”’）)]*|\.\s"), re.compile(r"[，、；,;]|\s"))
"""Where a text may be cut, best first: after a blank line, a line, a sentence, a part of one."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """One file of a source: the unit of work."""

    source: Source
    path: Path
    name: str
    """Its path below the source's folder: what records carry."""


@dataclasses.dataclass(kw_only=True)
class Harvest:
    """What one file gave."""

    job: Job
    encoding: str
    kept: list[pa.Table] = dataclasses.field(default_factory=list)
    dropped: list[dict] = dataclasses.field(default_factory=list)
    raw: list[dict] = dataclasses.field(default_factory=list)
    repairs: Counter = dataclasses.field(default_factory=Counter)
    n_rows: int = 0
    n_cleaned: int = 0


def harvest(job: Job, *, kind: str, on_bad_row: OnBadRow, max_chars: int) -> Harvest:
    """Read one file. Pure and picklable."""
    source = job.source
    encoding = encoding_of(job.path, source.encoding) if source.format in files.TEXT else source.format
    found, waiting = Harvest(job=job, encoding=encoding), []
    for number, raw in files.attempt(job.path, source, encoding):
        try:
            row = fields.cleaned(_whole(raw))
            outcome = judge(source, row | {"_stem": job.path.stem})
        except Misfit as error:
            _must_go_on(job, number, error, on_bad_row)
            _set_aside(found, number, raw, "bad_row", str(error))
            continue
        found.n_cleaned += row is not raw
        if outcome.record is None:
            _set_aside(found, number, raw, outcome.reason, outcome.detail)
            continue
        waiting += _sort_out(found, kind, number, outcome, max_chars)
        if len(waiting) >= BATCH:
            found.kept.append(tables.from_rows(kind, waiting))
            waiting = []
    if not found.n_rows and source.format != "hub" and not job.path.stat().st_size:
        raise RecordError(f"{job.path}: an empty file; was it written whole? Fetch it again or take it out of source {source.name!r}")
    found.kept.append(tables.from_rows(kind, waiting))
    return found


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


def _set_aside(found: Harvest, number: int, raw: dict | files.Broken, reason: str, detail: str) -> None:
    spelled = raw.raw if isinstance(raw, files.Broken) else json.dumps(raw, ensure_ascii=False, default=str)
    row = {"source": found.job.source.name, "file": found.job.name, "row": str(number), "reason": reason, "detail": detail, "raw": spelled}
    found.raw.append({key: value.encode("utf-8", "backslashreplace").decode() for key, value in row.items()})
    found.n_rows += 1


def _sort_out(found: Harvest, kind: str, number: int, outcome: Outcome, max_chars: int) -> list[dict]:
    """The records of one row that are kept; the others are noted in `found`."""
    source = found.job.source
    origin = {"source": source.name, "license": source.license, "lang": source.lang}
    meta = {"file": found.job.name, "row": str(number), **outcome.record["meta"]}
    if outcome.repaired:
        meta["repaired"] = " ".join(outcome.repaired)
        found.repairs.update(outcome.repaired)
    rows = [{**outcome.record, **origin, "meta": meta}]
    if kind == "documents":
        rows = _pieces(rows[0], max_chars)
    found.n_rows += len(rows)
    if outcome.reason:
        found.dropped += [{**row, "reason": outcome.reason, "detail": outcome.detail} for row in rows]
        return []
    return rows


def _pieces(row: dict, max_chars: int) -> list[dict]:
    texts = cut(row["text"], max_chars)
    if len(texts) == 1:
        return [row]
    return [{**row, "text": text, "meta": {**row["meta"], "piece": f"{number}/{len(texts)}"}} for number, text in enumerate(texts, start=1)]
