"""Where the records of a folder came from: the steps of a run, found by the digests that manifests hold of their inputs."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from aquilamed.core import manifest
from aquilamed.core.errors import RecordError
from aquilamed.core.manifest import Made
from aquilamed.core.records import SCHEMAS

NOT_CARRIED = ("seeds", "teacher", "benchmarks", "heldout", "seen", "model", "reference")
"""Inputs whose records do not come out again begin so."""


def step_of(folder: Path) -> Path | None:
    """The sealed folder that `folder` is or lies in."""
    return next((path for path in (folder, *folder.parents[:2]) if (path / manifest.MANIFEST).exists()), None)


def parents(home: Path, body: dict, runs: dict[Path, dict[str, Path]] | None = None) -> Iterator[tuple[str, Path | None]]:
    """(input, step folder) of every input of a step whose records it passes on; None where that step is not there any more.

    `runs` remembers the steps of each run from call to call: run folder -> digest -> step folder.
    """
    runs = {} if runs is None else runs
    if home.parent not in runs:
        runs[home.parent] = {found["digest"]: path for path in sorted(home.parent.iterdir()) if path.is_dir() and (found := manifest.read(path))}
    paths, made = body["provenance"].get("input_paths", {}), runs[home.parent]
    for name, digest in body["inputs"].items():
        if name.startswith((*NOT_CARRIED, "file:")):
            continue
        parent = made.get(digest) or (step_of(Path(paths[name])) if name in paths else None)
        if parent is None or manifest.read(parent)["digest"] != digest:
            yield name, None
        elif any((parent / kind).is_dir() for kind in SCHEMAS):
            yield name, parent


@dataclasses.dataclass(frozen=True)
class Lineage:
    """The steps that the records of a folder came through, each after those that it takes from, its own last."""

    steps: tuple[Made, ...]
    links: dict[Path, tuple[Path, ...]]
    """Step folder -> the folders that its records came from; empty for an import."""

    def before(self, step: Made) -> list[Made]:
        """The steps that `step` takes its records from."""
        return [one for one in self.steps if one.folder in self.links[step.folder]]

    def of(self, *stages: str) -> list[Made]:
        """The steps of these stages."""
        return [step for step in self.steps if step.stage in stages]

    def all_pass(self, stages: dict[str, object]) -> bool:
        """Whether on every way from an import to the end there is a step of one of `stages` whose manifest passes the test given with it."""
        return self._passes(self.steps[-1], stages)

    def _passes(self, step: Made, stages: dict[str, object]) -> bool:
        if step.stage in stages and stages[step.stage](step.body):
            return True
        before = self.before(step)
        return bool(before) and all(self._passes(one, stages) for one in before)


def trace(folder: Path) -> Lineage:
    """The lineage of the records in `folder`.

    Raises:
        RecordError: no step made it, or a step before it is not there any more.
    """
    home = step_of(folder)
    if home is None:
        raise RecordError(f"{folder}: made by no step, so nothing tells where its records came from; give this step a folder of a run")
    steps: dict[Path, Made] = {}
    links: dict[Path, tuple[Path, ...]] = {}
    _visit(home, steps, links, {})
    return Lineage(tuple(steps.values()), links)


def _visit(home: Path, steps: dict[Path, Made], links: dict[Path, tuple[Path, ...]], runs: dict) -> None:
    body = manifest.read(home)
    found = dict(parents(home, body, runs))
    for name, parent in found.items():
        if parent is None:
            raise RecordError(f"{home.name}: what its input {name!r} was is not there any more, so the way of its records can't be told; make the run again")
    links[home] = tuple(sorted(set(found.values())))
    for parent in links[home]:
        if parent not in links:
            _visit(parent, steps, links, runs)
    steps[home] = Made(home, body)
