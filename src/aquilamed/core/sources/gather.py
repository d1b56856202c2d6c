"""Sources -> shards of one kind of record, with every row accounted for."""

import dataclasses
import functools
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from aquilamed.core import tables
from aquilamed.core.config import check, nearest
from aquilamed.core.counts import Counts
from aquilamed.core.errors import RecordError
from aquilamed.core.records import SCHEMAS, make
from aquilamed.core.sources import files
from aquilamed.core.sources.harvest import Harvest, Job, OnBadRow, harvest
from aquilamed.core.sources.mapping import Source

STEP = "step:"
RAW = pa.schema([(name, pa.string()) for name in ("source", "file", "row", "reason", "detail", "raw")])
"""Columns of `dropped/raw-00000.parquet`: rows of which no record could be formed."""


def gather(kind: str, sources: Sequence[Source], out: Path, engine, *, on_bad_row: OnBadRow = "stop", max_chars: int = 0) -> Counts:
    """Read `sources` into `out/<kind>`; what is dropped goes to `out/dropped`. Nothing is written before all is read.

    Documents longer than `max_chars` (0: no limit) are cut into pieces, each counted as a row.

    Raises:
        RecordError: a file can't be read or is empty, a source has no rows or, with `on_bad_row="stop"`, a row does not fit; file, row and key are named.
        ConfigError: a source has no files.
    """
    work = functools.partial(harvest, kind=kind, on_bad_row=on_bad_row, max_chars=max_chars)
    found = engine.map(work, jobs(sources))
    for source in sources:
        if not any(one.n_rows for one in found if one.job.source.name == source.name):
            raise RecordError(f"source {source.name!r}: {source.path}: holds no {source.format} rows; check format= and records=, or leave it out")
    kept = pa.concat_tables([SCHEMAS[kind].empty_table(), *itertools.chain.from_iterable(one.kept for one in found)])
    if not len(kept):
        raise RecordError(f"no {kind} came out of {', '.join(source.name for source in sources)}: {_reasons(found)}")
    tables.scatter(out, kind, kept)
    _write_dropped(out, kind, found)
    dropped = Counter(row["reason"] for one in found for row in (*one.dropped, *one.raw))
    return Counts(n_in=sum(one.n_rows for one in found), n_out=len(kept), dropped=dropped,
                  langs=Counter(kept["lang"].to_pylist()), notes=_notes(sources, found))


def jobs(sources: Sequence[Source]) -> list[Job]:
    """Every file of `sources`."""
    names = [source.name for source in sources]
    twice = sorted({name for name in names if names.count(name) > 1})
    check(not twice, f"two sources are called {', '.join(twice)}; give each its own name")
    return [Job(source=source, path=path, name=name) for source in sources
            for path, name in ([(Path(source.path), str(source.path))] if source.format == "hub" else files.find(source.path, source))]


def check_sources(sources: Sequence[Source], kind: str) -> None:
    """Refuse sources whose mapping is of another kind: for a stage's `__post_init__`."""
    check(isinstance(sources, tuple) and bool(sources), "sources: expected a tuple of at least one Source; a comma is missing, perhaps")
    for source in sources:
        check(isinstance(source, Source), f"sources: {source!r} is no Source")
        check(source.mapping.kind == kind, f"source {source.name!r}: its mapping makes {source.mapping.kind}, this step imports {kind}")


def placed(sources: Sequence[Source], inputs: Mapping[str, Path]) -> list[Source]:
    """`sources` with `step:INPUT/PATH` made a path in that input's folder.

    Raises:
        ConfigError: the step has no such input.
    """
    made = []
    for source in sources:
        name, _, rest = str(source.path).removeprefix(STEP).partition("/")
        if str(source.path).startswith(STEP):
            check(name in inputs, f"source {source.name!r}: path {source.path!r}: the step has no input {name!r}{nearest(name, inputs)}")
            source = dataclasses.replace(source, path=inputs[name] / rest)
        made.append(source)
    return made


def outside(sources: Sequence[Source]) -> list[Path]:
    """The files and folders outside the run that `sources` read: for a stage's `files`.

    Raises:
        ConfigError: a source has no files.
    """
    found: list[Path] = []
    for source in sources:
        if source.format != "hub" and not str(source.path).startswith(STEP):
            inside = [path for path, _ in files.find(source.path, source)]
            found += [Path(source.path)] if Path(source.path).is_dir() else inside
        found += [skip.listing for skip in source.skip if skip.listing]
    for path in found:
        check(path.exists(), f"{path}: not there; a source of this step reads it")
    return list(dict.fromkeys(found))


def _write_dropped(out: Path, kind: str, found: Sequence[Harvest]) -> None:
    """Records that were dropped by id, then source, file and row; rows that became none by source, file and row."""
    dropped = sorted((row for one in found for row in one.dropped), key=lambda row: (row["source"], row["meta"]["file"], int(row["meta"]["row"])))
    tables.write_dropped_rows(out, kind, [make(kind, row) for row in dropped])
    raw = sorted((row for one in found for row in one.raw), key=lambda row: (row["source"], row["file"], int(row["row"])))
    if raw:
        tables.write(out / "dropped" / "raw-00000.parquet", pa.Table.from_pylist(raw, schema=RAW))


def _reasons(found: Sequence[Harvest]) -> str:
    rows = [row for one in found for row in (*one.dropped, *one.raw)]
    reasons = Counter(row["reason"] for row in rows)
    return f"all {len(rows)} rows were dropped ({', '.join(f'{r} {n}' for r, n in reasons.most_common())}); e.g. {rows[0]['detail']}"


def _notes(sources: Sequence[Source], found: Sequence[Harvest]) -> dict:
    rows, encodings = Counter(), {source.name: Counter() for source in sources}
    for one in found:
        rows[one.job.source.name] += one.n_rows
        encodings[one.job.source.name][one.encoding] += 1
    return {
        "rows": dict(sorted(rows.items())), "licenses": {source.name: source.license for source in sorted(sources, key=lambda s: s.name)},
        "encodings": {name: dict(sorted(counts.items())) for name, counts in sorted(encodings.items())},
        "repairs": dict(sorted(sum((one.repairs for one in found), Counter()).items())),
        "files_without_rows": sorted(f"{one.job.source.name}/{one.job.name}" for one in found if not one.n_rows),
        "newlines_normalised": sum(one.n_cleaned for one in found),
    }
