"""Scores split by whether an item stood in the raw training text: what decontamination found, and took out before training.

A base model may have read the same pages, so items that were found tell of its training, too. Where ours leaks, stages gain more on
what was found than on the rest. Items may also differ in difficulty, so it is the gains that are compared, not the scores alone.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from aquilamed.core.config import check, nearest
from aquilamed.core.counts import Counts
from aquilamed.core.errors import ConfigError
from aquilamed.core.manifest import write_json
from aquilamed.evals import judge, ledger, power, results, stats
from aquilamed.hygiene.certificate import LEAKS

VERSION = 2
FILE = "overlap.json"
SPLIT = frozenset({*judge.CHOICE_READINGS, judge.RULE, judge.PAIRWISE, judge.GRADES, judge.RUBRIC})
"""Readings of what decontamination searches for, questions and dialogues, that tell how good an answer is."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    order: tuple[str, ...]
    """Names of those inputs that are steps of evals.score, in the order of training; every other input is a step of hygiene.decontaminate."""
    base: str
    """The one that gains are counted from."""

    def __post_init__(self):
        ledger.Config(order=self.order, base=self.base)


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write overlap.json: the items that were found, and a row for each stage, task, language and reading of questions and dialogues.

    Raises:
        ConfigError: a stage of `order` is no input, or there is no step of hygiene.decontaminate.
    """
    absent = [stage for stage in config.order if stage not in inputs]
    check(not absent, f"order names {absent[0] if absent else ''!r}, which is no input of this step{nearest(str(absent[:1]), inputs)}")
    found = leaked({name: folder for name, folder in inputs.items() if name not in config.order})
    answers = {stage: [row for row in results.read_answers(inputs[stage]) if row["reading"].partition(":")[0] in SPLIT] for stage in config.order}
    rows = [_row(stage, key, cells, found) for stage, cells in _compared(answers, config) for key in sorted(cells[0])]
    scored = {_item(row, found): row for row in answers[config.base]}
    items = [{"id": id, "task": row["task"], "lang": row["lang"], **found[id]} for id, row in sorted(scored.items()) if id in found]
    write_json(out / FILE, {"items": items, "rows": rows})
    return Counts(n_in=len(scored), n_out=len(scored), notes={"scored": len(scored), "found": len(items), "found_in_all": len(found)})


def leaked(folders: Mapping[str, Path]) -> dict[str, dict]:
    """Item -> the largest share of it in one record, and the records that held it, by input.

    Raises:
        ConfigError: a folder is no step of hygiene.decontaminate, or there is none.
    """
    check(bool(folders), "no input names a step of hygiene.decontaminate, so nothing tells which items the training text held")
    found: dict[str, dict] = {}
    for name, folder in sorted(folders.items()):
        if not (folder / LEAKS).is_file():
            raise ConfigError(f"input {name!r}: {folder} holds no {LEAKS}; this input should name a step of hygiene.decontaminate, or stand in order")
        for one in json.loads((folder / LEAKS).read_text(encoding="utf-8")):
            item = found.setdefault(one["id"], {"share": 0.0, "records": {}})
            item["share"] = max(item["share"], one["share"])
            item["records"][name] = max(item["records"].get(name, 0), sum(one["records"].values()))
    return found


def _compared(answers: Mapping[str, Sequence[dict]], config: Config) -> list[tuple[str, tuple[dict, dict]]]:
    """(stage, its answers by task, language and reading, and the base's)."""
    cells = {stage: ledger.cells_of(rows) for stage, rows in answers.items()}
    return [(stage, (cells[stage], cells[config.base])) for stage in config.order]


def _item(row: dict, found: Mapping[str, dict]) -> str:
    """The question, or the dialogue whose turn it is."""
    return row["group"] if row["group"] in found or row["reading"] not in judge.CHOICE_READINGS else row["id"]


def _row(stage: str, key: tuple[str, str, str], cells: tuple[dict, dict], found: Mapping[str, dict]) -> dict:
    here, base = cells[0][key], {row["id"]: row for row in cells[1].get(key, [])}
    parts = [[row for row in here if (_item(row, found) in found) == inside] for inside in (True, False)]
    scores = [_score(part) for part in parts]
    gains = [None if cells[0] is cells[1] else _gain(part, base) for part in parts]
    sizes = [len(part) for part in parts]
    is_share = key[2] not in judge.RANGES
    visible = power.between_shares(float(np.mean([row["score"] for row in here])), 2 / sum(1 / n for n in sizes)) if is_share and all(sizes) else None
    return {"stage": stage, "task": key[0], "lang": key[1], "reading": key[2], "n_found": sizes[0], "n_rest": sizes[1],
            **_figures("found", scores[0]), **_figures("rest", scores[1]), **_figures("apart", _apart(scores)), "visible": visible and round(visible, 6),
            **_figures("gain_found", gains[0]), **_figures("gain_rest", gains[1]), **_figures("gain_apart", _apart(gains))}


def _score(rows: Sequence[dict]) -> stats.Interval | None:
    return results.interval(rows, 0)[0] if rows else None


def _gain(rows: Sequence[dict], base: Mapping[str, dict]) -> stats.Interval | None:
    both = [(base[row["id"]], row) for row in rows if row["id"] in base]
    return ledger.change(both, 0)[0] if both else None


def _apart(both: Sequence[stats.Interval | None]) -> stats.Interval | None:
    return stats.difference(both[0], both[1]) if both[0] and both[1] else None


def _figures(name: str, found: stats.Interval | None) -> dict:
    values = (found.value, found.low, found.high) if found else (None,) * 3
    return {key: value if value is None else round(value, 6) for key, value in zip((name, f"{name}_low", f"{name}_high"), values, strict=True)}

