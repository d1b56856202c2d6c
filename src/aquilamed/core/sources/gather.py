"""Sources -> shards of one kind of record, with every row accounted for."""

import contextlib
import dataclasses
import functools
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from aquilamed.core import manifest, tables
from aquilamed.core.config import check, nearest
from aquilamed.core.counts import Counts
from aquilamed.core.errors import RecordError
from aquilamed.core.sources import files, lines, remote
from aquilamed.core.sources.harvest import RAW, Bins, Harvest, Job, OnBadRow, encoding_for, harvest, raw_of
from aquilamed.core.sources.mapping import Source
from aquilamed.core.sources.questions import Questions

STEP, PACKAGE = "step:", "package:"
LOAD_BYTES = 64 << 20
"""Files are read together until they have so many bytes."""
PART_BYTES = 256 << 20
"""A jsonl file that is larger is read in ranges of about so many bytes."""
WORK = f"{manifest.PASSES}/import"


def gather(kind: str, sources: Sequence[Source], out: Path, engine, *, on_bad_row: OnBadRow = "stop", max_chars: int = 0) -> Counts:
    """Read `sources` into `out/<kind>`; what is dropped goes to `out/dropped`. Nothing of either is written before all is read.

    What is read waits on disk, so it may be larger than memory; a killed import goes on with the files it has not read.
    Documents longer than `max_chars` (0: no limit) are cut into pieces, each counted as a row.

    Raises:
        RecordError: a file can't be read or is empty, a source has no rows or other than it must have or, with `on_bad_row="stop"`, a row does not fit; file, row and key are named.
        ConfigError: a source has no files.
    """
    work = functools.partial(_read, kind=kind, on_bad_row=on_bad_row, max_chars=max_chars, folder=out / WORK)
    found = loads(jobs(sources))
    done = engine.map(work, list(enumerate(found)), holds_lock=len(found) > len(sources))
    found = [one for load in done for one in load["found"]]
    for source in sources:
        if not any(one.n_rows for one in found if one.source == source.name):
            raise RecordError(f"source {source.name!r}: {source.path}: holds no {source.format} rows; check format= and records=, or leave it out")
    warnings = _arrival(sources, found) if not max_chars else []
    for source in sources:
        own = [one for one in found if one.source == source.name]
        if sum(one.n_rows for one in own) == sum(one.dropped.total() for one in own):
            reasons = sum((one.dropped for one in own), Counter())
            warnings.append(f"source {source.name!r}: all of its {reasons.total():,} rows were dropped ({', '.join(f'{reason} {n:,}' for reason, n in reasons.most_common())})")
    dropped = sum((one.dropped for one in found), Counter())
    n_in = sum(one.n_rows for one in found)
    if n_in == dropped.total():
        raise RecordError(f"no {kind} came out of {', '.join(source.name for source in sources)}: {_reasons(found)}")
    for name, place in (("kept", lambda number: out / kind / tables.part(number)), ("dropped", lambda number: out / "dropped" / f"{kind}-{number:05d}.parquet")):
        runs = [(Path(path), weight) for load in done for path, weight in load[name]]
        if runs:
            tables.merge(engine, [path for path, _ in runs], sum(weight for _, weight in runs), place)
    _write_raw(out, [load["stem"] for load in done])
    langs = sum((Counter(load["langs"]) for load in done), Counter())
    shutil.rmtree(out / manifest.PASSES)        # all of it: nothing may pass for work to go on with once the shards are changed
    notes = {**_notes(sources, found), **({"warnings": warnings} if warnings else {})}
    return Counts(n_in=n_in, n_out=n_in - dropped.total(), dropped=dropped, langs=langs, notes=notes)


def _read(job: tuple[int, Sequence[Job]], *, kind: str, on_bad_row: OnBadRow, max_chars: int, folder: Path) -> dict:
    """Read the files of one load; JSON values, kept beside the runs so that a killed import need not read them again."""
    number, load = job
    stem = folder / f"{number:06d}"
    told = stem.with_suffix(".json")
    if not told.exists():
        bins = Bins(kind, stem)
        with _fetched(load, folder / f"fetched-{number:06d}") as here:
            found = harvest(here, bins, on_bad_row=on_bad_row, max_chars=max_chars)
        made = {**bins.close(), "stem": str(stem), "found": [vars(one) for one in found]}
        folder.mkdir(parents=True, exist_ok=True)
        manifest.write_json(told, made)
    made = json.loads(told.read_text(encoding="utf-8"))
    found = [Harvest(**{**one, "repairs": Counter(one["repairs"]), "dropped": Counter(one["dropped"])}) for one in made["found"]]
    return {**made, "found": found}


@contextlib.contextmanager
def _fetched(load: Sequence[Job], folder: Path) -> Iterator[Sequence[Job]]:
    """The files of a load on this machine; what is fetched for it is removed at the end, and errors name the object.

    A load is fetched whole: it is one object, or several small ones.
    """
    paths = {one: remote.fetch(one, folder) for job in load if (one := job.remote)}
    try:
        yield [dataclasses.replace(job, path=paths[job.remote]) if job.remote else job for job in load]
    except RecordError as error:
        told = str(error)
        for one, path in paths.items():
            told = told.replace(str(path), one.url)
        raise RecordError(told) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def loads(found: Sequence[Job]) -> list[tuple[Job, ...]]:
    """`found` in order, in groups of one source and about LOAD_BYTES: a million small files are not a million jobs."""
    groups: list[list[Job]] = []
    size, before = 0, None
    for job in found:
        if not groups or job.source is not before or size >= LOAD_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(job)
        size, before = size + _bytes(job), job.source
    return [tuple(group) for group in groups]


def jobs(sources: Sequence[Source]) -> list[Job]:
    """Every file of `sources`."""
    names = [source.name for source in sources]
    twice = sorted({name for name in names if names.count(name) > 1})
    check(not twice, f"two sources are called {', '.join(twice)}; give each its own name")
    return [job for source in sources for job in _jobs(source)]


def _jobs(source: Source) -> list[Job]:
    source = _bundled(source)
    if remote.is_remote(source.path):
        return [Job(source=source, path=Path(one.name), name=one.name, remote=one) for one in remote.listing(str(source.path), lambda name: files.fits(name, source))]
    return [job for path, name in ([(Path(source.path), str(source.path))] if source.format == "hub" else files.find(source.path, source))
            for job in _parts(source, path, name)]


def _bytes(job: Job) -> int:
    if job.remote:
        return job.remote.size
    begin, end, _ = job.span
    return end - begin if end >= 0 else job.path.stat().st_size if job.path.is_file() else LOAD_BYTES


def _parts(source: Source, path: Path, name: str) -> list[Job]:
    """A file as one job, or a large jsonl file in ranges."""
    if source.format != "jsonl" or path.stat().st_size <= PART_BYTES:
        return [Job(source=source, path=path, name=name)]
    encoding = encoding_for(path, source)
    ranges = [lines.WHOLE] if encoding.startswith(("utf-16", "utf-32")) else lines.spans(path, PART_BYTES)
    return [Job(source=source, path=path, name=name, span=span, encoding=encoding) for span in ranges]


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


def _bundled(source: Source) -> Source:
    """`package:PATH` as the file beside this package's modules. A run's identity holds it as it is, for the package may lie elsewhere tomorrow."""
    inside = str(source.path).startswith(PACKAGE)
    return dataclasses.replace(source, path=Path(__file__).resolve().parents[2] / str(source.path).removeprefix(PACKAGE)) if inside else source


def outside(sources: Sequence[Source]) -> list[Path | remote.Remote]:
    """The files, folders and objects outside the run that `sources` read: for a stage's `files`.

    Raises:
        ConfigError: a source has no files.
    """
    found: list[Path | remote.Remote] = []
    for source in map(_bundled, sources):
        if remote.is_remote(source.path):
            found += remote.listing(str(source.path), lambda name, source=source: files.fits(name, source))
        elif source.format != "hub" and not str(source.path).startswith(STEP):
            inside = [path for path, _ in files.find(source.path, source)]
            found += [Path(source.path)] if Path(source.path).is_dir() else inside
        found += [skip.listing for skip in source.skip if skip.listing]
        found += _answers(source)
    for path in found:
        check(isinstance(path, remote.Remote) or path.exists(), f"{path}: not there; a source of this step reads it")
    return list(dict.fromkeys(found))


def _answers(source: Source) -> list[Path | remote.Remote]:
    """The file of answers that a source of questions is read with, if one is."""
    path = source.mapping.answers_in if isinstance(source.mapping, Questions) else ""
    if not path:
        return []
    return remote.listing(str(path), lambda name: True) if remote.is_remote(path) else [Path(path)]


def _write_raw(out: Path, stems: Sequence[str]) -> None:
    """Rows of which no record was formed, by source, file and row, in one file; a load in memory at a time."""
    found = [pq.ParquetFile(raw_of(Path(stem))) for stem in stems if raw_of(Path(stem)).exists()]
    if not found:
        return
    ranked = sorted(found, key=lambda file: file.read_row_group(0, columns=["source"])["source"][0].as_py())
    tables.write_stream(out / "dropped" / "raw-00000.parquet", RAW, (batch for file in ranked for batch in file.iter_batches()))


def _arrival(sources: Sequence[Source], found: Sequence[Harvest]) -> list[str]:
    """A line for each source that has other than the expected number of rows.

    Raises:
        RecordError: it is to stop for that.
    """
    lines = []
    for source in (source for source in sources if source.expected):
        n = sum(one.n_rows for one in found if one.source == source.name)
        if n == source.expected:
            continue
        lines.append(f"source {source.name!r}: {n:,} rows, {source.expected:,} expected: was it fetched whole, or published anew?")
        if source.differs == "stop":
            raise RecordError(f"{lines[-1]} Set expected= to what it should be, or differs='warn'")
    return lines


def _reasons(found: Sequence[Harvest]) -> str:
    reasons = sum((one.dropped for one in found), Counter())
    example = next(one.example for one in found if one.example)
    return f"all {reasons.total()} rows were dropped ({', '.join(f'{r} {n}' for r, n in reasons.most_common())}); e.g. {example}"


def _notes(sources: Sequence[Source], found: Sequence[Harvest]) -> dict:
    rows, read, encodings = Counter(), Counter(), {source.name: Counter() for source in sources}
    for one in found:
        rows[one.source] += one.n_rows
        encodings[one.source][one.encoding] += one.is_first
        read[one.source, one.name] += one.n_rows
    return {
        "rows": dict(sorted(rows.items())), "licenses": {source.name: source.license for source in sorted(sources, key=lambda s: s.name)},
        "encodings": {name: dict(sorted(counts.items())) for name, counts in sorted(encodings.items())},
        "repairs": dict(sorted(sum((one.repairs for one in found), Counter()).items())),
        "files_without_rows": sorted(f"{source}/{name}" for (source, name), n in read.items() if not n),
        "newlines_normalised": sum(one.n_cleaned for one in found),
    }
