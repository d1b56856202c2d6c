"""From answers.parquet to results: no model needed, so a finished evaluation can be re-scored."""

import dataclasses
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from aquilamed.core import tables
from aquilamed.core.errors import ConfigError
from aquilamed.core.manifest import sha256
from aquilamed.evals import judge, judged, power, rules, stats
from aquilamed.evals.order import bias
from aquilamed.evals.stats import Interval
from aquilamed.evals.task import SCHEMA, Result

ANSWERS, RESULTS, SAMPLES = "answers.parquet", "results.json", "samples.json"
ALL = "all"


def write_answers(path: Path, rows: Sequence[dict]) -> None:
    """Rows in the order of task, reading and id."""
    ordered = sorted(rows, key=lambda row: (row["task"], row["reading"], row["id"]))
    tables.write(path, pa.Table.from_pylist(ordered, schema=SCHEMA))


def read_answers(folder: Path) -> list[dict]:
    """The answers of a scored stage, each judged anew from what was measured.

    Raises:
        ConfigError: `folder` is not a step of evals.score, or one of an earlier aquilamed.
    """
    path = folder / ANSWERS
    if not path.exists():
        raise ConfigError(f"{folder}: holds no {ANSWERS}; this input should name a step of evals.score")
    table = tables.load(path)
    absent = sorted(set(SCHEMA.names) - set(table.column_names))
    if absent:
        raise ConfigError(f"{path}: made by an earlier aquilamed (it has no {', '.join(absent)}); score the model again")
    rows = table.to_pylist()
    for row in rows:
        try:
            row["parsed"], row["score"] = judge.judge(row["reading"], json.loads(row["raw"]))
        except (ValueError, KeyError, TypeError, IndexError, ZeroDivisionError) as error:
            raise ConfigError(f"{path}: task {row['task']}, reading {row['reading']}, id {row['id']}: its raw can't be judged ({type(error).__name__}: {error}); the file was changed after it was written: score the model again") from error
    return rows


def read_report(folder: Path) -> dict:
    """The content of a scored stage's results.json.

    Raises:
        ConfigError: it is not there, or can't be read.
    """
    path = folder / RESULTS
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: can't be read ({type(error).__name__}: {error}); score the model again") from error
    if not isinstance(found, dict) or not {"seed", "results"} <= found.keys():
        raise ConfigError(f"{path}: can't be read (it holds no seed and results); score the model again")
    return found


def replay(folder: Path) -> dict:
    """What `results.json` of a scored stage must hold, computed from its answers alone."""
    return report(read_answers(folder), read_report(folder)["seed"])


def report(rows: Sequence[dict], seed: int) -> dict:
    """The content of results.json."""
    by_judge = judged.summary(rows, seed)
    return {"seed": seed, "rules": rules.VERSION, "results": [dataclasses.asdict(result) for result in summarise(rows, seed)], **({"judged": by_judge} if by_judge else {})}


def summarise(rows: Sequence[dict], seed: int) -> list[Result]:
    """One result for every task and reading, in the order of their names."""
    return [_result(task, reading, cell, seed) for (task, reading), cell in sorted(by(rows, "task", "reading").items())]


def figures(rows: Sequence[dict], seed: int) -> dict:
    """n, score, low, high, visible and unparsed of answers in one reading; what a judge did not judge is in `unparsed` alone."""
    scored = [row for row in rows if row["score"] is not None]
    found, visible = interval(scored, seed) if scored else (None, None)
    shown = {name: found and round(getattr(found, field), 6) for name, field in (("score", "value"), ("low", "low"), ("high", "high"))}
    return {"n": len(scored), **shown, "visible": visible if visible is None else round(visible, 6), "unparsed": sum(row["parsed"] is None for row in rows)}


def interval(rows: Sequence[dict], seed: int) -> tuple[Interval, float | None]:
    """The score, and the smallest difference that so many items can show; None where they show none."""
    reading, key = rows[0]["reading"], f"{rows[0]['task']}\x1f{rows[0]['reading']}"
    scores = [row["score"] for row in rows], [row["group"] for row in rows]
    if reading == judge.BITS:
        sums = [row["bits"] for row in rows], [row["bytes"] for row in rows]
        return stats.ratio_of_sums(*sums, seed=seed, key=key), power.of_ratio(*sums, samples=2)
    if reading in judge.RANGES:
        return judged.mean(reading, *scores), power.of_mean(*scores)
    return (judged.win_rate(*scores).rate if judge.is_judged(reading) else stats.share(*scores)), power.of_share(*scores)


def by(rows: Sequence[dict], *keys: str) -> dict:
    """Rows by the values of `keys` (a tuple where there are several), in their order."""
    found = defaultdict(list)
    for row in rows:
        found[tuple(row[key] for key in keys) if len(keys) > 1 else row[keys[0]]].append(row)
    return dict(found)


def _result(task: str, reading: str, rows: Sequence[dict], seed: int) -> Result:
    rows = sorted(rows, key=lambda row: row["id"])
    margins = [judge.log_ratio(json.loads(row["raw"])) for row in rows] if reading == judge.MARGIN else []
    return Result(
        task=task, reading=reading, version=rows[0]["version"], **figures(rows, seed),
        by_lang={lang: figures(some, seed) for lang, some in sorted(by(rows, "lang").items())},
        by_subject={subject: figures(some, seed) for subject, some in sorted(by(rows, "subject").items())},
        by_difficulty={difficulty: figures(some, seed) for difficulty, some in sorted(by([row for row in rows if row["difficulty"]], "difficulty").items())},
        prompt_hash=sha256("\n".join(row["prompt_hash"] for row in rows).encode())[:16],
        mean_margin=round(sum(margins) / len(margins), 6) if margins else None,
        order=bias([json.loads(row["raw"]) for row in rows]) if reading == judge.AVERAGED else None,
    )
