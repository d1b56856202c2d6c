"""What a scoring step has answered so far, task by task, so that a killed step goes on with the next task. Gone when the step is sealed."""

import json
from pathlib import Path

from aquilamed.core import manifest, tables
from aquilamed.evals import results
from aquilamed.evals.task import Asked, Task


def kept(out: Path, task: Task) -> tuple[list[dict], list[tuple[dict, str, str]]] | None:
    """(answers as rows, what could not be asked) of a task that an earlier try finished."""
    folder = _folder(out, task)
    if not (folder / "dropped.json").exists():
        return None
    dropped = json.loads((folder / "dropped.json").read_text(encoding="utf-8"))
    return tables.load(folder / results.ANSWERS).to_pylist(), [tuple(item) for item in dropped]


def keep(out: Path, task: Task, asked: Asked) -> tuple[list[dict], list[tuple[dict, str, str]]]:
    """The same of a task just asked, written for a later try."""
    folder = _folder(out, task)
    rows = task.rows(asked)
    results.write_answers(folder / results.ANSWERS, rows)
    manifest.write_json(folder / "dropped.json", asked.dropped)      # last: it says that the answers are whole
    return rows, asked.dropped


def _folder(out: Path, task: Task) -> Path:
    return out / manifest.PASSES / task.name
