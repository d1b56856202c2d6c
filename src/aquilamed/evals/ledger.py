"""Every stage against the base model and against the stage before, on the same items: what each one gained and cost."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from aquilamed.core.config import check, nearest
from aquilamed.core.counts import Counts
from aquilamed.core.errors import ConfigError
from aquilamed.core.manifest import write_json
from aquilamed.evals import judge, power, results, stats
from aquilamed.evals.results import ALL

VERSION = 2
LANGS = ("zh", "en")
GAINED, LOST, SAME = "gained", "lost", "same"
PASSED, DOUBTFUL, KEPT = "passed", "doubtful", "kept"
GRADE_STEPS = judge.RANGES[judge.GRADES][1] - judge.RANGES[judge.GRADES][0]
"""How far two grades may lie apart, so that their difference is one of scores 0..1 in the statistics."""
LEVEL = 0.05
"""Most a verdict's adjusted p may be."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    order: tuple[str, ...]
    """Names of the inputs, each a step of evals.score, in the order of training; they are the ledger's stages."""
    base: str
    """The one all are compared with."""
    limits: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Task -> share, 0..1, of the base model's score by which a stage may be worse before the row says `passed` (the whole interval of
    the change lies beyond) or `doubtful` (the change does, the interval reaches back). ours: forgetting general text is a cost that medical gains can hide"""
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
        ConfigError: a stage of `order` is no input, or two stages were asked the same item in another way.
    """
    rows = made(config, inputs)
    write_json(out / "ledger.json", rows)
    return Counts(n_in=len(rows), n_out=len(rows), notes={"verdicts": _verdicts(rows)})


def made(config: Config, inputs: Mapping[str, Path]) -> list[dict]:
    """The ledger's rows from scored steps.

    Raises:
        ConfigError: as `run`.
    """
    absent = [stage for stage in config.order if stage not in inputs]
    check(not absent, f"order names {absent[0] if absent else ''!r}, which is no input of this step{nearest(str(absent[:1]), inputs)}")
    return lines({stage: cells_of(results.read_answers(inputs[stage])) for stage in config.order}, config)


Cells = dict[tuple[str, str, str], list[dict]]
"""(task, language or `all`, reading) -> a stage's answers by id."""


def lines(cells: Mapping[str, Cells], config: Config) -> list[dict]:
    """The ledger's rows: by stage, in order, then task, language and reading. A stage's rows are one family for its verdicts."""
    rows = []
    for number, stage in enumerate(config.order):
        before = config.order[number - 1] if number else ""
        some = [_row(stage, key, before, cells, config) for key in sorted(cells[stage])]
        rows += settled(settled(some), "step_")
    return rows


def settled(rows: Sequence[dict], prefix: str = "") -> list[dict]:
    """`rows` with `p_adjusted` over all of them, and each verdict kept only where that is at most `LEVEL`, else `same`."""
    compared = [row for row in rows if row[f"{prefix}p"] is not None]
    adjusted = stats.holm([row[f"{prefix}p"] for row in compared])
    for row, p in zip(compared, adjusted, strict=True):
        row[f"{prefix}p_adjusted"] = round(p, 6)
        row[f"{prefix}verdict"] = row[f"{prefix}verdict"] if p <= LEVEL else SAME
    return list(rows)


def compare(old: Sequence[dict], new: Sequence[dict], seed: int, where: str) -> dict:
    """delta, low, high, visible, p and, from these alone, verdict of `new` against `old` on the items both have; nothing is claimed without any.

    Raises:
        ConfigError: an item was asked in another way.
    """
    olds = {row["id"]: row for row in old}
    pairs = [(olds[row["id"]], row) for row in new if row["id"] in olds]
    if not pairs:
        return dict.fromkeys(("delta", "low", "high", "verdict", "p", "p_adjusted", "visible"))
    for a, b in pairs:
        check(a["version"] == b["version"], f"{where}: version {a['version']} of the task against version {b['version']}; score both with the same aquilamed")
        if a["prompt_hash"] != b["prompt_hash"]:
            raise ConfigError(f"{where}: item {a['id']} was put in other words, or answered within other limits; score all stages with the same form, n_shots, template, tokens, windows, rotations and judge")
    found, p, visible = change(pairs, seed)
    figures = {"delta": found.value, "low": found.low, "high": found.high, "p": p, "visible": visible}
    return {"verdict": verdict(found, new[0]["reading"]), "p_adjusted": None, **{name: value and round(value, 6) for name, value in figures.items()}}


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
        "high": shown["high"], "visible": shown["visible"], "delta": against["delta"], "delta_low": against["low"], "delta_high": against["high"],
        "delta_visible": against["visible"], "verdict": against["verdict"], "unparsed": shown["unparsed"], "p": against["p"], "p_adjusted": None,
        "step_delta": step["delta"], "step_low": step["low"], "step_high": step["high"], "step_verdict": step["verdict"], "step_p": step["p"],
        "step_p_adjusted": None,
    }
    if task in config.limits and base:
        row["limit"] = _limit(row, results.figures(base, config.seed)["score"], config.limits[task])
    return row


def _limit(row: dict, base: float, share: float) -> str:
    """How the change stands to a loss of `share` of the base's score, which is taken as it is."""
    if row["delta"] is None:
        return KEPT
    lower, most = row["reading"] in judge.LOWER_IS_BETTER, share * base
    worse, at_least = (row["delta"], row["delta_low"]) if lower else (-row["delta"], -row["delta_high"])
    return PASSED if at_least > most else DOUBTFUL if worse > most else KEPT


def change(pairs: Sequence[tuple[dict, dict]], seed: int) -> tuple[stats.Interval, float, float | None]:
    """The change with its interval, its p, and the smallest change that these items can show."""
    if pairs[0][1]["reading"] == judge.BITS:
        key, (old, new), sizes = f"{pairs[0][1]['task']}\x1f{judge.BITS}", _columns(pairs, "bits"), [row["bytes"] for row, _ in pairs]
        changes = [b - a for a, b in zip(old, new, strict=True)]
        return stats.ratio_difference(old, new, sizes, seed=seed, key=key), stats.ratio_p(old, new, sizes), power.of_ratio(changes, sizes)
    width = GRADE_STEPS if pairs[0][1]["reading"] == judge.GRADES else 1.0
    measured = (*([score / width for score in column] for column in _columns(pairs, "score")), [row["group"] for row, _ in pairs])
    found = stats.paired_difference(*measured)
    return stats.Interval(*(width * value for value in (found.value, found.low, found.high))), stats.paired_p(*measured), width * power.of_paired(*measured)


def _columns(pairs: Sequence[tuple[dict, dict]], name: str) -> tuple[list[float], list[float]]:
    return [old[name] for old, _ in pairs], [new[name] for _, new in pairs]


def cells_of(rows: Sequence[dict]) -> Cells:
    """Answers by (task, language, reading), those left out that no judge has judged; `all` where a task has both languages."""
    found: Cells = {}
    scored = sorted((row for row in rows if row["score"] is not None), key=lambda row: row["id"])
    for (task, reading), some in results.by(scored, "task", "reading").items():
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
