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
from aquilamed.evals import benchmarks, catalogue, dialogue, judge
from aquilamed.evals.catalogue import Entry
from aquilamed.models.remote import Endpoint
from aquilamed.pipeline import Recipe, Step

ALL = "all"
ASKED = "asked.json"
BPB = "bpb-"
CASES = 20
"""Dialogues a task and language, unless other is said: a model writes hundreds of tokens for each, and no laptop should be busy for hours unasked. ours"""
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
    """Questions a task and language, drawn by seed; 0 for all."""
    cases: int = -1
    """Dialogues a task and language, drawn by seed; 0 for all, -1: `limit`, or `CASES` where that is 0."""
    shots: int = -1
    """Worked examples; -1: as many as the catalogue says, none where there are no files of them."""
    readings: tuple[str, ...] = ()
    """Empty: those of the catalogue, or `generated` alone behind an endpoint."""
    form: str = "plain"
    max_tokens: int = 4096
    reply_tokens: int = 48
    answer_tokens: int = 256
    """Most new tokens of an answer in a dialogue."""
    judge: Endpoint = Endpoint()
    """Who judges the dialogues; without an address nobody."""
    seed: int = 0

    def __post_init__(self):
        check(bool(self.model) != bool(self.endpoint.base_url), "name a model, or an endpoint with --endpoint URL --name MODEL: one of the two")
        check(self.limit >= 0, f"--limit {self.limit}: expected 0 or more")
        check(self.cases >= -1, f"--cases {self.cases}: expected 0 or more")
        check(self.answer_tokens >= 1, f"--answer-tokens {self.answer_tokens}: expected 1 or more")
        check(-1 <= self.shots <= 16, f"--shots {self.shots}: expected 0..16")
        check(not self.is_remote or set(self.readings) <= {judge.GENERATED},
              f"--readings {' '.join(self.readings)}: an endpoint gives no log-probabilities of options that it did not choose; leave --readings out, or give generated")

    @property
    def is_remote(self) -> bool:
        return bool(self.endpoint.base_url)

    @property
    def dialogues(self) -> dialogue.Settings:
        return dialogue.Settings(judge=self.judge, limit=(self.limit or CASES) if self.cases < 0 else self.cases, answer_tokens=self.answer_tokens)

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
    check(not wanted.judge.base_url or any(one.entry.kind == "dialogue" for one in chosen), f"--judge {wanted.judge.base_url}: none of the tasks is a dialogue; name one (`aquilamed eval --list`), or leave --judge out")
    return chosen, left


def _chosen(entry: Entry, wanted: Wanted) -> Chosen:
    check(entry.kind != "documents" or not wanted.is_remote, f"task {entry.name!r}: bits per byte need log-probabilities, which an endpoint does not give")
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
    exams, texts, talks = ([one for one in chosen if one.entry.kind == kind] for kind in ("choice", "documents", "dialogue"))
    steps, inputs = [], {} if wanted.is_remote else {"model": f"path:{model}"}
    if exams or talks:
        steps.append(Step(name="benchmarks", stage="evals.benchmarks", config=_benchmarks(exams, talks), paper="3.1"))
        inputs |= {"benchmarks": "benchmarks", **({"cases": "benchmarks"} if talks else {})}
    if texts:
        steps.append(Step(name="texts", stage="corpus.importing", config=_texts(texts)))
        inputs["heldout"] = "texts"
    stage, config = _endpoint(wanted, chosen) if wanted.is_remote else _score(wanted, chosen)
    return Recipe(name=name, steps=(*steps, Step(name=SCORE, stage=stage, config=config, inputs=inputs, paper="3")))


def _benchmarks(exams: Sequence[Chosen], talks: Sequence[Chosen]) -> benchmarks.Config:
    """Without the seed of the command: what is `taken` is the same in every evaluation, for it is what was kept out of training."""
    return benchmarks.Config(sources=tuple(one.source for one in exams), shots={one.entry.name: one.shots for one in exams if one.shots},
                             cases=tuple(one.source for one in talks), taken={one.entry.name: one.entry.taken for one in talks if one.entry.taken})


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
                                       reply_tokens=wanted.reply_tokens, sample_tokens=0, dialogues=wanted.dialogues, versions=_versions(chosen), seed=wanted.seed)


def _endpoint(wanted: Wanted, chosen: Sequence[Chosen]) -> tuple[str, object]:
    from aquilamed.evals import endpoint
    return "evals.endpoint", endpoint.Config(endpoint=wanted.endpoint, limit=wanted.limit, shots=shots_of(chosen, wanted), dialogues=wanted.dialogues, versions=_versions(chosen), seed=wanted.seed)


def _versions(chosen: Sequence[Chosen]) -> dict[str, int]:
    return {one.entry.name: one.entry.version for one in chosen}


def evaluate(wanted: Wanted, out: Path, engine, say: Callable[[str], None], *, replace: bool = False) -> Path:
    """Make what is not made yet in the run folder `out`, with its pages; return it.

    Raises:
        ModelUnavailable, ConfigError: no such model, task or file.
        StaleOutput: `out` holds an evaluation of something else.
    """
    chosen, left = choose(wanted)
    model = None if wanted.is_remote else _located(wanted.model, out)
    if model and any(one.entry.kind == "dialogue" for one in chosen):
        chosen, left = _talking(wanted, chosen, left, model)
    for line in _remarks(wanted, chosen, left):
        say(line)
    try:
        pipeline.run(recipe(wanted, chosen, out.name, model), out.parent, engine, say, replace=replace)
    except StaleOutput as error:
        raise StaleOutput(str(error).rpartition("\n")[0] + "\nEvaluate anew with --replace, or name another folder with --out.") from error
    asked = {"model": wanted.endpoint.model if wanted.is_remote else wanted.model, "endpoint": wanted.endpoint.base_url, "data": wanted.data, "n_shots": shots_of(chosen, wanted), "left_out": left,
             "dialogues": [one.entry.name for one in chosen if one.entry.kind == "dialogue"], "judge": wanted.judge.model}
    manifest.write_json(out / ASKED, asked)
    return out


def _talking(wanted: Wanted, chosen: Sequence[Chosen], left: Sequence[dict], model: Path) -> tuple[list[Chosen], list[dict]]:
    """`chosen` and `left`, where `all` leaves out the dialogues of a model that has no chat template.

    Raises:
        ConfigError: a dialogue was named, or nothing is left.
    """
    from aquilamed.models import folders
    if folders.has_template(model):
        return list(chosen), list(left)
    talks, others = ([one for one in chosen if (one.entry.kind == "dialogue") is is_talk] for is_talk in (True, False))
    why = f"{wanted.model} has no chat template, which a dialogue needs; name a step of models.prepare or a training step"
    check(ALL in wanted.tasks, f"task {talks[0].entry.name!r}: {why}")
    check(bool(others), f"--data {wanted.data}: holds the files of no task but dialogues, and {why}; `aquilamed eval --list` shows where each task is published")
    return others, [*left, *({"task": one.entry.name, "why": why} for one in talks)]


def _remarks(wanted: Wanted, chosen: Sequence[Chosen], left: Sequence[dict]) -> list[str]:
    """What is told before anything is asked."""
    told = [f"left out: {one['task']}: {one['why']}" for one in left]
    bare = [one.entry.name for one in chosen if one.entry.kind == "choice" and one.entry.n_shots and not one.shots and wanted.shots < 0]
    told += [f"no worked examples (0-shot), for there are no files of them: {', '.join(bare)}"] * bool(bare)
    talks, most = [one.entry.name for one in chosen if one.entry.kind == "dialogue"], wanted.dialogues.limit
    if talks and most and wanted.cases < 0 and not wanted.limit:
        told.append(f"at most {most} dialogues a task and language (--cases N for more, 0 for all): {', '.join(talks)}")
    if talks and not wanted.judge.base_url:
        told.append("no judge (--judge URL --judge-name MODEL): dialogues are answered and their answers kept, but scored only by whether they ended by themselves and, where a case names one, by rule")
    return told


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
        row = {"task": entry.name, "lang": entry.lang, "title": entry.title.get(entry.lang, entry.title["en"]), "kind": entry.kind, "n": entry.taken or entry.expected, "split": entry.split, "hub": entry.hub, "license": entry.license}
        rows.append(row | ({"there": _is_there(entry, data), "n_shots": entry.n_shots if entry.shots(data) else 0} if data != catalogue.HUB else {"n_shots": entry.n_shots}))
    return rows


def _is_there(entry: Entry, data: str) -> bool:
    try:
        return bool(entry.source(data))
    except ConfigError:
        return False
