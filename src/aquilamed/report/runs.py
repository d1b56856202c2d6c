"""A run folder as the report sees it: its finished steps, in order, and what each of them noted."""

import dataclasses
import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path

from aquilamed.core import manifest
from aquilamed.core.errors import ConfigError
from aquilamed.core.manifest import Made

FOLDER = re.compile(r"(\d+)-(.+?)(\.old-\d+)?")
GROUPS = {
    "corpus": ("Corpus", "语料"), "instruct": ("Instructions", "指令"), "preference": ("Preferences", "偏好"),
    "train": ("Training", "训练"), "evals": ("Evaluation", "评测"), "other": ("Other", "其他"),
}
"""Part of the pipeline -> its names."""
OF_STAGE = {"corpus": "corpus", "clinic": "corpus", "instruct": "instruct", "preference": "preference", "train": "train", "models": "train", "evals": "evals"}
OF_KIND = {"documents": "corpus", "conversations": "instruct", "preferences": "preference", "questions": "evals"}
USED = frozenset({"model", "seeds", "teacher", "benchmarks", "reference"})
"""Inputs that a step looks at without passing their records on."""


@dataclasses.dataclass(frozen=True)
class Step(Made):
    """A finished step of a run."""

    number: int

    @property
    def label(self) -> str:
        return f"{self.number:02d} {self.name}"

    @property
    def notes(self) -> dict:
        return self.body.get("notes") or {}

    @property
    def config(self) -> dict:
        return self.body.get("config") or {}

    @property
    def langs(self) -> dict[str, int]:
        return self.body.get("lang_counts") or {}

    @property
    def group(self) -> str:
        """The part of the pipeline it belongs to; hygiene and release go where their records do."""
        layer = self.stage.partition(".")[0]
        return OF_KIND.get(self.config.get("kind", "documents"), "other") if layer in ("hygiene", "release") else OF_STAGE.get(layer, "other")

    @property
    def carries(self) -> frozenset[str]:
        """Names of the inputs whose records this step passes on or drops."""
        if self.stage in ("evals.ledger", "evals.gate", "evals.overlap"):
            return frozenset()
        used = {"model", "reference", "cases"} if self.stage in ("evals.score", "evals.endpoint") else USED
        return frozenset(self.body["inputs"]) - used


@dataclasses.dataclass(frozen=True)
class Run:
    """All that is finished in a run folder."""

    folder: Path
    steps: tuple[Step, ...]
    unfinished: tuple[str, ...]
    """Folders that were begun and not finished."""
    outdated: tuple[str, ...]
    """Folders that a newer one with the same number or name replaces."""

    @property
    def name(self) -> str:
        return self.folder.resolve().name

    @property
    def is_evaluation(self) -> bool:
        """Whether `aquilamed eval` made it, which has no recipe file."""
        return (self.folder / "asked.json").is_file()

    @functools.cached_property
    def by_digest(self) -> dict[str, Step]:
        return {step.body["digest"]: step for step in self.steps}

    def of(self, *stages: str) -> list[Step]:
        """The steps of these stages, in order."""
        return [step for step in self.steps if step.stage in stages]

    def sources(self, step: Step) -> Iterator[tuple[str, Step]]:
        """(input name, earlier step) of every input that another step of the run made."""
        for name, digest in step.body["inputs"].items():
            if digest in self.by_digest:
                yield name, self.by_digest[digest]

    @functools.cached_property
    def ledger_step(self) -> Step | None:
        """The newest step of evals.ledger."""
        found = [step for step in self.of("evals.ledger") if (step.folder / "ledger.json").is_file()]
        return max(found, key=lambda step: (_time(step.body), step.number), default=None)

    @functools.cached_property
    def ledger(self) -> list[dict]:
        """The ledger's rows; none where there is no ledger yet."""
        return read_json(self.ledger_step.folder / "ledger.json") if self.ledger_step else []

    def scored(self) -> list[tuple[str, Step]]:
        """(stage of training, its step of evals.score), in the ledger's order, then the rest by number."""
        named = self.in_ledger()
        seen = {step.name for _, step in named}
        return named + [(step.name, step) for step in self.of("evals.score", "evals.endpoint") if step.name not in seen]

    def in_ledger(self) -> list[tuple[str, Step]]:
        """(stage of training, its step of evals.score) of those that the ledger compares; none where there is no ledger."""
        inputs = dict(self.sources(self.ledger_step)) if self.ledger_step else {}
        return [(name, inputs[name]) for name in self.ledger_step.config.get("order", ()) if name in inputs] if self.ledger_step else []

    def shown(self) -> list[tuple[str, Step]]:
        """Those of the ledger or, before there is one, all that are scored: panels that only guard the training are no stages to look into."""
        return self.in_ledger() or self.scored()


def load(folder: Path) -> Run:
    """The run in `folder`.

    Raises:
        ConfigError: it holds no finished step.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; give a run's folder: runs/<recipe>")
    finished, unfinished = [], []
    for path in sorted(folder.iterdir()):
        match = FOLDER.fullmatch(path.name)
        if match and not match[3] and path.is_dir():
            body = manifest.read(path)
            if body:
                finished.append(Step(number=int(match[1]), folder=path, body=body))
            elif (path / manifest.IDENTITY).exists():
                unfinished.append(path.name)
    if not finished:
        raise ConfigError(f"{folder}: holds no finished step of a run (NN-step/manifest.json); give a run's folder: runs/<recipe>, "
                          "or make the run first with `aquilamed run`")
    current = _newest(finished)
    outdated = tuple(step.folder.name for step in finished if step not in current)
    return Run(folder=folder, steps=tuple(current), unfinished=tuple(unfinished), outdated=outdated)


def read_json(path: Path):
    """The content of a JSON file, None where there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _newest(steps: list[Step]) -> list[Step]:
    """Of steps with the same number or the same name only the one made last: the others are of an earlier form of the recipe."""
    numbers, names, kept = set(), set(), []
    for step in sorted(steps, key=lambda step: (_time(step.body), step.number), reverse=True):
        if step.number not in numbers and step.name not in names:
            kept.append(step)
        numbers.add(step.number)
        names.add(step.name)
    return sorted(kept, key=lambda step: step.number)


def _time(body: dict) -> str:
    return body.get("provenance", {}).get("time", "")
