"""Every question and case that any stage will be scored on, in one place: what evaluation asks and decontamination searches for.

Both read this step's output, so no benchmark can be scored without the training text having been searched for it.
"""

import dataclasses
import shutil
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from aquilamed.core import tables
from aquilamed.core.chance import share
from aquilamed.core.config import check, nearest
from aquilamed.core.counts import Counts
from aquilamed.core.sources import gather
from aquilamed.core.sources.harvest import OnBadRow
from aquilamed.core.sources.mapping import Source

VERSION = 1
SHOTS, CASES = "shots", "cases"
SCORED = "scored"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    sources: tuple[Source, ...] = ()
    """The benchmarks; a source's name is its task's name. Empty only where there are `cases`. paper 3.1"""
    shots: Mapping[str, Source] = dataclasses.field(default_factory=dict)
    """Benchmark -> where its worked examples come from; what is scored never becomes one. paper 3.1: 3-shot"""
    cases: tuple[Source, ...] = ()
    """Sources with a `Case` mapping: dialogues whose answers are judged. paper 3.2"""
    taken: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Source of cases -> how many of them are benchmarks at all, drawn by seed; the others are dropped as `not_taken`. For a set that is trained on, too: what is taken here is what decontamination
    finds there. ours: the stand-ins of `recipes/real_small.py`"""
    limit: int = 0
    """Questions of each source that are scored, drawn by seed; 0 for all. All are searched for. ours: time"""
    limits: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Source -> its own `limit`."""
    on_bad_row: OnBadRow = "stop"
    """What a row that does not fit its mapping does: `stop`, or `drop` and count it."""
    seed: int = 0
    """Of the draw."""

    def __post_init__(self):
        if self.sources or not self.cases:
            gather.check_sources(self.sources, "questions")
        names = [source.name for source in (*self.sources, *self.cases)]
        if self.cases:
            gather.check_sources(self.cases, "conversations")
        if self.shots:
            gather.check_sources(tuple(self.shots.values()), "questions")
        for name in (*self.shots, *self.limits):
            check(name in names, f"shots or limits name {name!r}, which is no benchmark of this step{nearest(name, names)}")
        for name, n in self.taken.items():
            check(name in [source.name for source in self.cases] and n > 0, f"taken: {name}={n}: expected the name of a source of cases and 1 or more")
        for name, limit in {"limit": self.limit, **self.limits}.items():
            check(limit >= 0, f"limits: {name}={limit}: expected 0 or more")


def files(config: Config) -> list[Path]:
    """The benchmarks' files."""
    return gather.outside((*config.sources, *config.shots.values(), *config.cases))


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write `questions` (all of them; `meta["scored"]` is 1 for those to be asked, else 0) and, from `shots`, `shots/questions`, from `cases`, `cases/conversations`, marked in the same way.

    Dropped besides what the import drops: `duplicate` within a source; of the shots, `scored`; of the cases, `not_taken`.
    """
    if not config.sources:
        tables.scatter(out, "questions", tables.from_rows("questions", []))
        return _cases(config, inputs, out, engine)
    counts = _questions(config, inputs, out, engine)
    return counts + _cases(config, inputs, out, engine) if config.cases else counts


def _questions(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Import the questions and their worked examples."""
    read = gather.gather("questions", gather.placed(config.sources, inputs), out, engine, on_bad_row=config.on_bad_row)
    table = tables.read(out, "questions")
    kept, dropped = tables.sift(table, {"duplicate": _repeated(table)})
    marked = _marked(kept, config)
    counts = _replace(out, "questions", marked, dropped, read)
    return counts + _shots(config, inputs, out, engine, marked) if config.shots else counts


def _marked(table: pa.Table, config: Config, kind: str = "questions") -> pa.Table:
    """`table` with `scored` in each row's meta: per source, as many as its limit says, by chance of their ids."""
    rows = tables.to_rows(table)
    by_source: dict[str, list[dict]] = defaultdict(list)
    for row in rows:
        by_source[row["source"]].append(row)
    for source, some in by_source.items():
        limit = config.limits.get(source, config.limit) or len(some)
        drawn = {row["id"] for row in sorted(some, key=lambda row: (share(config.seed, row["id"]), row["id"]))[:limit]}
        for row in some:
            row["meta"][SCORED] = str(int(row["id"] in drawn))
    return tables.from_rows(kind, rows)


def _cases(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Import the cases; of a source named in `taken` only so many."""
    folder = out / CASES
    read = gather.gather("conversations", gather.placed(config.cases, inputs), folder, engine, on_bad_row=config.on_bad_row)
    table = tables.read(folder, "conversations")
    once, twice = tables.sift(table, {"duplicate": _repeated(table)})
    kept, rest = tables.sift(once, {"not_taken": _left(once, config)})
    counts = _replace(folder, "conversations", _marked(kept, config, "conversations"), pa.concat_tables([twice, rest]), read)
    return dataclasses.replace(counts, notes={CASES: counts.notes})


def _left(table: pa.Table, config: Config) -> list[bool]:
    """True for a case that chance leaves out of those `taken` of its source."""
    keyed = [(source, share(config.seed, id), id) for id, source in zip(table["id"].to_pylist(), table["source"].to_pylist(), strict=True)]
    drawn = {key for source, n in config.taken.items() for key in sorted(key for key in keyed if key[0] == source)[:n]}
    return [key[0] in config.taken and key not in drawn for key in keyed]


def _shots(config: Config, inputs: Mapping[str, Path], out: Path, engine, questions: pa.Table) -> Counts:
    """Import the worked examples, each under its benchmark's name, without any that is scored in whichever benchmark."""
    folder = out / SHOTS
    named = [dataclasses.replace(source, name=task) for task, source in config.shots.items()]
    read = gather.gather("questions", gather.placed(named, inputs), folder, engine, on_bad_row=config.on_bad_row)
    scored = {row["id"] for row in tables.to_rows(questions) if row["meta"][SCORED] == "1"}
    table = tables.read(folder, "questions")
    rules = {"duplicate": _repeated(table), "scored": [id in scored for id in table["id"].to_pylist()]}
    kept, dropped = tables.sift(table, rules)
    counts = _replace(folder, "questions", kept, dropped, read)
    return dataclasses.replace(counts, notes={SHOTS: counts.notes})


def _replace(folder: Path, kind: str, kept: pa.Table, dropped: pa.Table, read: Counts) -> Counts:
    """Write `kept` in place of what was imported; add what was dropped since."""
    shutil.rmtree(folder / kind)
    tables.scatter(folder, kind, kept)
    if len(dropped):
        tables.write(folder / "dropped" / f"{kind}-sifted.parquet", dropped)
    per_source = Counter(kept["source"].to_pylist())
    scored = Counter(row["source"] for row in tables.to_rows(kept) if row["meta"].get(SCORED) == "1")
    return Counts(n_in=read.n_in, n_out=len(kept), dropped=read.dropped + Counter(dropped["reason"].to_pylist()),
                  langs=Counter(kept["lang"].to_pylist()),
                  notes={**read.notes, kind: dict(sorted(per_source.items())), "scored": dict(sorted(scored.items()))})


def _repeated(table: pa.Table) -> list[bool]:
    """True for a question that stands before in the same source."""
    seen: set[tuple[str, str]] = set()
    found = []
    for key in zip(table["id"].to_pylist(), table["source"].to_pylist(), strict=True):
        found.append(key in seen)
        seen.add(key)
    return found
