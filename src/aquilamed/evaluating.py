"""`aquilamed eval`: a small recipe made from the command line, so that manifests, locks, and going on after a kill are those of every run."""

import dataclasses
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from aquilamed import pipeline
from aquilamed.core import manifest
from aquilamed.core.config import check
from aquilamed.core.errors import ConfigError, StaleOutput
from aquilamed.core.sources import Documents, Source
from aquilamed.evals import benchmarks, catalogue, judge
from aquilamed.evals.catalogue import Entry
from aquilamed.models.remote import Endpoint
from aquilamed.pipeline import Recipe, Step

ALL = "all"
ASKED = "asked.json"
BPB = "bpb-"
SCORE = "score"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the command line asks for."""

    model: str = ""
    """A Hugging Face folder, a training step's folder or a hub id; empty where an endpoint is asked."""
    endpoint: Endpoint = Endpoint()
    tasks: tuple[str, ...] = (ALL,)
    """Names of the catalogue, or `all`."""
    data: str = catalogue.HUB
    """The folder that holds the tasks' files, or `hf://datasets`."""
    limit: int = 0
    """Questions a task, drawn by seed; 0 for all."""
    shots: int = -1
    """Worked examples; -1: as many as the catalogue says, none where there are no files of them."""
    readings: tuple[str, ...] = ()
    """Empty: those of the catalogue, or `generated` alone behind an endpoint."""
    form: str = "plain"
    max_tokens: int = 4096
    reply_tokens: int = 48
    seed: int = 0

    def __post_init__(self):
        check(bool(self.model) != bool(self.endpoint.base_url), "name a model, or an endpoint with --endpoint URL --name MODEL: one of the two")
        check(self.limit >= 0, f"--limit {self.limit}: expected 0 or more")
        check(-1 <= self.shots <= 16, f"--shots {self.shots}: expected 0..16")
        check(not self.is_remote or set(self.readings) <= {judge.GENERATED},
              f"--readings {' '.join(self.readings)}: an endpoint gives no log-probabilities of options that it did not choose; leave --readings out, or give generated")

    @property
    def is_remote(self) -> bool:
        return bool(self.endpoint.base_url)

    @property
    def name(self) -> str:
        """What the run's folder is called: the model's last name."""
        path = Path(self.endpoint.model if self.is_remote else self.model.partition(":")[2] or self.model)
        last = path.parent.name if path.name == "model" else path.name
        return "eval-" + (re.sub(r"[^\w.-]+", "-", last).strip("-.") or "model")


@dataclasses.dataclass(frozen=True)
class Chosen:
    """A task whose files are there."""

    entry: Entry
    source: Source
    shots: Source | None


def choose(wanted: Wanted) -> tuple[list[Chosen], list[dict]]:
    """The tasks to ask, and `{"task", "why"}` of those that `all` leaves out.

    Raises:
        ConfigError: no such task; the files of a task that was named are not there; or there are none of any.
    """
    everything = ALL in wanted.tasks
    check(not everything or len(wanted.tasks) == 1, "--tasks all stands alone")
    chosen, left = [], []
    for entry in catalogue.named(catalogue.CATALOGUE if everything else wanted.tasks):
        try:
            chosen.append(_chosen(entry, wanted))
        except ConfigError as error:
            if not everything:
                raise
            left.append({"task": entry.name, "why": str(error).removeprefix(f"task {entry.name!r}: ")})
    check(bool(chosen), f"--data {wanted.data}: holds the files of no task; `aquilamed eval --list` shows where each is published")
    return chosen, left


def _chosen(entry: Entry, wanted: Wanted) -> Chosen:
    check(entry.kind == "choice" or not wanted.is_remote, f"task {entry.name!r}: bits per byte need log-probabilities, which an endpoint does not give")
    source = entry.source(wanted.data)
    shots = entry.shots(wanted.data) if entry.kind == "choice" and wanted.shots else None
    check(shots is not None or wanted.shots < 1 or entry.kind != "choice",
          f"task {entry.name!r}: --shots {wanted.shots}, but there are no files of worked examples for it; give --shots 0, or leave --shots out to use what there is")
    return Chosen(entry, source, shots)


def shots_of(chosen: Sequence[Chosen], wanted: Wanted) -> dict[str, int]:
    """Task -> worked examples before each of its questions."""
    return {one.entry.name: (one.entry.n_shots if wanted.shots < 0 else wanted.shots) if one.shots else 0 for one in chosen if one.entry.kind == "choice"}


def recipe(wanted: Wanted, chosen: Sequence[Chosen], name: str, model: Path | None) -> Recipe:
    """The run: the questions and texts, then the model on them."""
    exams, texts = ([one for one in chosen if one.entry.kind == kind] for kind in ("choice", "documents"))
    steps, inputs = [], {} if wanted.is_remote else {"model": f"path:{model}"}
    if exams:
        config = benchmarks.Config(sources=tuple(one.source for one in exams), shots={one.entry.name: one.shots for one in exams if one.shots}, seed=wanted.seed)
        steps.append(Step(name="benchmarks", stage="evals.benchmarks", config=config, paper="3.1"))
        inputs["benchmarks"] = "benchmarks"
    if texts:
        steps.append(Step(name="texts", stage="corpus.importing", config=_texts(texts)))
        inputs["heldout"] = "texts"
    stage, config = _endpoint(wanted, chosen) if wanted.is_remote else _score(wanted, chosen)
    return Recipe(name=name, steps=(*steps, Step(name=SCORE, stage=stage, config=config, inputs=inputs, paper="3")))


def _texts(texts: Sequence[Chosen]):
    """Each text is a domain of its own, so that the task `bpb-` and its domain is the catalogue's name."""
    from aquilamed.corpus import importing
    sources = []
    for one in texts:
        mapping: Documents = one.source.mapping
        sources.append(dataclasses.replace(one.source, mapping=dataclasses.replace(mapping, meta={**mapping.meta, "domain": "=" + one.entry.name.removeprefix(BPB)})))
    return importing.Config(sources=tuple(sources))


def _score(wanted: Wanted, chosen: Sequence[Chosen]) -> tuple[str, object]:
    from aquilamed.evals import score
    wished = {reading for one in chosen for reading in one.entry.readings}
    readings = wanted.readings or tuple(reading for reading in judge.CHOICE_READINGS if reading in wished)
    return "evals.score", score.Config(limit=wanted.limit, form=wanted.form, readings=readings, shots=shots_of(chosen, wanted), max_tokens=wanted.max_tokens,
                                       reply_tokens=wanted.reply_tokens, sample_tokens=0, seed=wanted.seed)


def _endpoint(wanted: Wanted, chosen: Sequence[Chosen]) -> tuple[str, object]:
    from aquilamed.evals import endpoint
    return "evals.endpoint", endpoint.Config(endpoint=wanted.endpoint, limit=wanted.limit, shots=shots_of(chosen, wanted), seed=wanted.seed)


def evaluate(wanted: Wanted, out: Path, engine, say: Callable[[str], None], *, replace: bool = False) -> Path:
    """Make what is not made yet in the run folder `out`, with its pages; return it.

    Raises:
        ModelUnavailable, ConfigError: no such model, task or file.
        StaleOutput: `out` holds an evaluation of something else.
    """
    chosen, left = choose(wanted)
    model = None if wanted.is_remote else _located(wanted.model, out)
    for one in left:
        say(f"left out: {one['task']}: {one['why']}")
    bare = [one.entry.name for one in chosen if one.entry.kind == "choice" and one.entry.n_shots and not one.shots and wanted.shots < 0]
    if bare:
        say(f"no worked examples (0-shot), for there are no files of them: {', '.join(bare)}")
    try:
        pipeline.run(recipe(wanted, chosen, out.name, model), out.parent, engine, say, replace=replace)
    except StaleOutput as error:
        raise StaleOutput(str(error).rpartition("\n")[0] + "\nEvaluate anew with --replace, or name another folder with --out.") from error
    asked = {"model": wanted.endpoint.model if wanted.is_remote else wanted.model, "endpoint": wanted.endpoint.base_url, "data": wanted.data, "n_shots": shots_of(chosen, wanted), "left_out": left}
    manifest.write_json(out / ASKED, asked)
    return out


def _located(name: str, scratch: Path) -> Path:
    """The model's folder, or its step's, so that it is known before anything is read that it is there and whole."""
    from aquilamed.models import folders, prepare
    found = prepare.find(prepare.Config(source=name, license="unknown"), scratch)
    folders.locate(found)
    return found


def asked_of(out: Path) -> Mapping:
    """What `evaluate` noted in the run folder, empty where it is another recipe's."""
    path = out / ASKED
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def listing(data: str) -> list[dict]:
    """The catalogue, a row a task; with a folder as `data`, whether its files and worked examples are there."""
    rows = []
    for entry in catalogue.CATALOGUE.values():
        row = {"task": entry.name, "lang": entry.lang, "title": entry.title[entry.lang], "kind": entry.kind, "n": entry.expected, "split": entry.split, "hub": entry.hub, "license": entry.license}
        rows.append(row | ({"there": _is_there(entry, data), "n_shots": entry.n_shots if entry.shots(data) else 0} if data != catalogue.HUB else {"n_shots": entry.n_shots}))
    return rows


def _is_there(entry: Entry, data: str) -> bool:
    try:
        return bool(entry.source(data))
    except ConfigError:
        return False
