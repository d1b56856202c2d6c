"""The numbers of a finished evaluation once more, from its answers alone: neither model nor data are needed."""

import dataclasses
import json
from collections import Counter
from pathlib import Path

from aquilamed.core import tables
from aquilamed.evals import results, rules


@dataclasses.dataclass(frozen=True)
class Replay:
    """What came out, and whether it is what stands on disk."""

    folder: Path
    report: dict
    """The content of results.json, as the present rules judge."""
    rules: int
    """The number of the rules that results.json was made by; 0 where it is older than the numbering."""
    moved: dict[str, int]
    """`task reading` -> answers that the present rules judge otherwise than answers.parquet says."""
    differs: list[str]
    """`task reading field`: figures that are not those of results.json."""

    @property
    def changes(self) -> list[str]:
        """How the rules have changed since."""
        return rules.since(self.rules)


def replay(folder: Path) -> Replay:
    """Judge `folder`'s answers anew.

    Raises:
        ConfigError: it holds no answers, or no results.
    """
    rows = results.read_answers(folder)
    stored = results.read_report(folder)
    made = results.report(rows, stored["seed"])
    before = tables.load(folder / results.ANSWERS).select(["parsed", "score"]).to_pylist()
    moved = Counter(f"{row['task']} {row['reading']}" for row, old in zip(rows, before, strict=True) if (row["parsed"], row["score"]) != (old["parsed"], old["score"]))
    return Replay(folder=folder, report=made, rules=stored.get("rules", 0), moved=dict(sorted(moved.items())), differs=_differences(stored, json.loads(json.dumps(made))))


def _differences(stored: dict, made: dict) -> list[str]:
    return [name for part in ("results", "judged") for name in _fields(stored.get(part, []), made.get(part, []))]


def _fields(stored: list[dict], made: list[dict]) -> list[str]:
    old, new = ({(result["task"], result["reading"]): result for result in found} for found in (stored, made))
    names = [(key, field) for key in sorted(old.keys() | new.keys()) for field in sorted(old.get(key, {}).keys() | new.get(key, {}).keys())]
    return [" ".join((*key, field)) for key, field in names if old.get(key, {}).get(field) != new.get(key, {}).get(field)]
