"""What a scoring step has answered so far, task by task, so that a killed step goes on with the next task. Gone when the step is sealed."""

import dataclasses
import json
from pathlib import Path

from aquilamed.core import manifest, tables
from aquilamed.evals import results
from aquilamed.evals.task import Asked, Task


@dataclasses.dataclass(frozen=True)
class Part:
    """One task, asked."""

    rows: list[dict]
    """Its answers, as in answers.parquet."""
    dropped: list[tuple[dict, str, str]]
    """(item, reason, detail) of what could not be asked."""
    tokens: dict[str, int]
    """As `Asked.tokens`."""


def kept(out: Path, task: Task) -> Part | None:
    """A task that an earlier try finished."""
    folder = _folder(out, task)
    if not (folder / "rest.json").exists():
        return None
    rest = json.loads((folder / "rest.json").read_text(encoding="utf-8"))
    return Part(tables.load(folder / results.ANSWERS).to_pylist(), [tuple(item) for item in rest["dropped"]], rest["tokens"])


def keep(out: Path, task: Task, asked: Asked) -> Part:
    """A task just asked, written for a later try."""
    folder, part = _folder(out, task), Part(task.rows(asked), asked.dropped, dict(asked.tokens))
    results.write_answers(folder / results.ANSWERS, part.rows)
    manifest.write_json(folder / "rest.json", {"dropped": part.dropped, "tokens": part.tokens})      # last: it says that the answers are whole
    return part


def _folder(out: Path, task: Task) -> Path:
    return out / manifest.PASSES / task.name
