"""Every stage against the base model and against the stage before, on the same items: what each one gained and cost."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from aquilamed.core.config import check, nearest
from aquilamed.core.counts import Counts
from aquilamed.core.errors import ConfigError
from aquilamed.core.manifest import write_json
from aquilamed.evals import judge, results, stats
from aquilamed.evals.results import ALL

VERSION = 1
LANGS = ("zh", "en")
GAINED, LOST, SAME = "gained", "lost", "same"
PASSED, KEPT = "passed", "kept"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    order: tuple[str, ...]
    """Names of the inputs, each a step of evals.score, in the order of training; they are the ledger's stages."""
    base: str
    """The one all are compared with."""
    limits: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Task -> share, 0..1, of the base model's score by which a stage may be worse before the row says `passed`. ours: forgetting
    general text is a cost that medical gains can hide"""
    seed: int = 0
    """Of the bootstrap."""

    def __post_init__(self):
        check(len(self.order) > 0 and len(set(self.order)) == len(self.order), f"order={self.order}: expected stage names, each once")
        check(self.base in self.order, f"base={self.base}: not in order{nearest(self.base, self.order)}")
        for task, limit in self.limits.items():
            check(0 <= limit <= 1, f"limits: {task}={limit}: expected 0..1")


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write ledger.json.

    Raises:
        ConfigError: a stage of `order` is no input, or two stages were asked the same item in different words.
    """
    absent = [stage for stage in config.order if stage not in inputs]
    check(not absent, f"order names {absent[0] if absent else ''!r}, which is no input of this step{nearest(str(absent[:1]), inputs)}")
    cells = {stage: cells_of(results.read_answers(inputs[stage])) for stage in config.order}
    rows = lines(cells, config)
    write_json(out / "ledger.json", rows)
    return Counts(n_in=len(rows), n_out=len(rows), notes={"verdicts": _verdicts(rows)})


Cells = dict[tuple[str, str, str], list[dict]]
"""(task, language or `all`, reading) -> a stage's answers by id."""


def lines(cells: Mapping[str, Cells], config: Config) -> list[dict]:
    """The ledger's rows: by stage, in order, then task, language and reading."""
    rows = []
    for number, stage in enumerate(config.order):
        before = config.order[number - 1] if number else ""
        for key in sorted(cells[stage]):
            rows.append(_row(stage, key, before, cells, config))
    return rows


def compare(old: Sequence[dict], new: Sequence[dict], seed: int, where: str) -> dict:
    """delta, low, high and verdict of `new` against `old` on the items both have; nothing is claimed without any.

    Raises:
        ConfigError: an item was put in different words.
    """
    olds = {row["id"]: row for row in old}
    pairs = [(olds[row["id"]], row) for row in new if row["id"] in olds]
    if not pairs:
        return {"delta": None, "low": None, "high": None, "verdict": None, "p": None}
    for a, b in pairs:
        if a["prompt_hash"] != b["prompt_hash"]:
            raise ConfigError(f"{where}: item {a['id']} was put in other words; score all stages with the same form, n_shots and template")
    found = _difference(pairs, seed)
    p = None if new[0]["reading"] in judge.LOWER_IS_BETTER else round(stats.mcnemar(*_columns(pairs, "score")), 6)
    return {"delta": round(found.value, 6), "low": round(found.low, 6), "high": round(found.high, 6),
            "verdict": verdict(found, new[0]["reading"]), "p": p}


def verdict(difference: stats.Interval, reading: str) -> str:
    """`gained` or `lost` where the interval excludes zero, else `same`."""
    if not difference.excludes_zero():
        return SAME
    return GAINED if (difference.value > 0) != (reading in judge.LOWER_IS_BETTER) else LOST


def _row(stage: str, key: tuple[str, str, str], before: str, cells: Mapping[str, Cells], config: Config) -> dict:
    task, lang, reading = key
    here, base = cells[stage][key], cells[config.base].get(key, [])
    against = compare(base, here, config.seed, f"{task}: {stage} against {config.base}")
    step = compare(cells[before].get(key, []) if before else [], here, config.seed, f"{task}: {stage} against {before}")
    shown = results.figures(here, config.seed)
    row = {
        "stage": stage, "task": task, "lang": lang, "reading": reading, "n": shown["n"], "score": shown["score"], "low": shown["low"],
        "high": shown["high"], "delta": against["delta"], "delta_low": against["low"], "delta_high": against["high"],
        "verdict": against["verdict"], "unparsed": shown["unparsed"], "p": against["p"], "step_delta": step["delta"],
        "step_low": step["low"], "step_high": step["high"], "step_verdict": step["verdict"],
    }
    if task in config.limits and base:
        row["limit"] = _limit(results.figures(base, config.seed)["score"], shown["score"], reading, config.limits[task])
    return row


def _limit(base: float, score: float, reading: str, limit: float) -> str:
    """`passed` where the score is worse than the base's by more than the share `limit` of it."""
    worse = score - base if reading in judge.LOWER_IS_BETTER else base - score
    return PASSED if worse > limit * base else KEPT


def _difference(pairs: Sequence[tuple[dict, dict]], seed: int) -> stats.Interval:
    key = f"{pairs[0][1]['task']}\x1f{pairs[0][1]['reading']}"
    if pairs[0][1]["reading"] == judge.BITS:
        return stats.ratio_difference(*_columns(pairs, "bits"), [row["bytes"] for row, _ in pairs], seed=seed, key=key)
    return stats.paired_difference(*_columns(pairs, "score"), [row["group"] for row, _ in pairs], seed=seed, key=key)


def _columns(pairs: Sequence[tuple[dict, dict]], name: str) -> tuple[list[float], list[float]]:
    return [old[name] for old, _ in pairs], [new[name] for _, new in pairs]


def cells_of(rows: Sequence[dict]) -> Cells:
    """Answers by (task, language, reading); `all` where a task has both languages."""
    found: Cells = {}
    for (task, reading), some in results.by(sorted(rows, key=lambda row: row["id"]), "task", "reading").items():
        by_lang = {lang: cell for lang, cell in results.by(some, "lang").items() if lang in LANGS}
        found |= {(task, lang, reading): cell for lang, cell in by_lang.items()}
        if len(by_lang) != 1 or len(some) != len(next(iter(by_lang.values()))):
            found[task, ALL, reading] = some
    return found


def _verdicts(rows: Sequence[dict]) -> dict[str, dict[str, int]]:
    """Stage -> verdict -> number of rows."""
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        counts = found.setdefault(row["stage"], {GAINED: 0, LOST: 0, SAME: 0})
        if row["verdict"]:
            counts[row["verdict"]] += 1
    return found


def read(path: Path) -> list[dict]:
    """A ledger's rows."""
    return json.loads(path.read_text(encoding="utf-8"))
