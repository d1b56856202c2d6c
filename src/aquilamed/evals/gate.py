"""The stop rule: a run goes on only while the newest stage has cost no more than the recipe allows.

Stands between two steps of training, behind steps of evals.score that put a small, fixed panel to the base model and to each stage. It refuses as
any step does that can't be made: no manifest, so the next step is not begun, and the same command tries again. The panel's answers lie in
the steps before, so another limit costs no second scoring.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from aquilamed.core.config import check, nearest
from aquilamed.core.counts import Counts
from aquilamed.core.errors import LimitPassed
from aquilamed.core.manifest import write_json
from aquilamed.evals import judge, ledger, stats
from aquilamed.evals.ledger import DOUBTFUL, PASSED

VERSION = 1
FILE = "ledger.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    order: tuple[str, ...]
    """Names of the inputs, each a step of evals.score on the panel, in the order of training; the last one is asked about."""
    base: str
    """The one that limits are shares of."""
    limits: Mapping[str, float]
    """Task -> share, 0..1, of the base model's score by which the newest stage may be worse, in each language and reading: `{"bpb-general": 0.02}` for a
    rise of 2 %. ours: the paper names none; `--set STEP.limits.TASK=SHARE` sets one"""
    stop: Literal["certain", "likely"] = "certain"
    """`certain` stops where the whole 95 % interval of the change lies beyond the limit, and warns where the change does and its interval reaches back; `likely` stops there,
    too. ours: a panel is small, and chance alone must not end a run of days"""
    seed: int = 0
    """Of the bootstrap."""

    def __post_init__(self):
        ledger.Config(order=self.order, base=self.base, limits=self.limits)
        check(bool(self.limits), "limits={}: nothing could stop the run; name a task and a share, or leave the step out")
        check(self.base != self.order[-1], f"order={self.order}: its last stage is the base itself; name the stage to be asked about behind it")


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write ledger.json of the panel.

    Raises:
        LimitPassed: the newest stage is worse than allowed; the ledger is in the message.
        ConfigError: a limit names a task that the panel does not hold, and whatever `evals.ledger` refuses.
    """
    found = ledger.made(ledger.Config(order=config.order, base=config.base, limits=config.limits, seed=config.seed), inputs)
    rows = [row for row in found if row["stage"] == config.order[-1]]
    tasks = sorted({row["task"] for row in rows})
    for task in config.limits:
        check(task in tasks, f"limits: the panel of {config.order[-1]} holds no task {task!r}{nearest(task, tasks)}")
    write_json(out / FILE, found)
    beyond = [row for row in rows if row.get("limit") in (PASSED, DOUBTFUL)]
    stopping = [row for row in beyond if row["limit"] == PASSED or config.stop == "likely"]
    bases = {key(row): row["score"] for row in found if row["stage"] == config.base}
    if stopping:
        raise LimitPassed(refusal(out.name.partition("-")[2] or out.name, config, stopping, rows, bases))
    warnings = [f"{told(row, bases, config)}: not beyond doubt, so the run goes on" for row in beyond] + blind(rows, bases, config)
    notes = {"limits": [{**{name: row[name] for name in ("task", "lang", "reading", "n", "delta", "delta_low", "delta_high", "limit")},
                         "allowed": round(config.limits[row["task"]] * bases[key(row)], 6)} for row in rows if "limit" in row]}
    return Counts(n_in=len(found), n_out=len(found), notes=notes | ({"warnings": warnings} if warnings else {}))


def key(row: dict) -> tuple[str, str, str]:
    return row["task"], row["lang"], row["reading"]


def blind(rows: Sequence[dict], bases: Mapping, config: Config) -> list[str]:
    """A warning for every task and language of which the panel can't show a loss as large as its limit."""
    found = []
    for row in rows:
        base, share = bases.get(key(row)), config.limits.get(row["task"])
        if not base or share is None or row["delta_visible"] is None:
            continue
        if row["n"] < stats.MIN_UNITS:
            found.append(f"{' '.join(key(row))}: no loss is beyond doubt on {row['n']} items; score {stats.MIN_UNITS} or more")
        elif row["delta_visible"] > share * base:
            found.append(f"{' '.join(key(row))}: these {row['n']} items can show a loss of {100 * row['delta_visible'] / base:.1f} % at the least, the limit is {100 * share:.1f} %; score more")
    return found


def told(row: dict, bases: Mapping, config: Config) -> str:
    """`bpb-general zh bits: 1.210 -> 1.260, 4.1 % worse (3.2 to 5.0 %); allowed 2.0 %`."""
    base, lower = bases[key(row)], row["reading"] in judge.LOWER_IS_BETTER
    if not base:
        return (f"{' '.join(key(row))}: 0.000 -> {row['score']:.3f}, worse by {abs(row['delta']):.3f} ({min(map(abs, (row['delta_low'], row['delta_high']))):.3f} at the least); "
                f"a share of nothing can't be told, allowed {100 * config.limits[row['task']]:.1f} %")
    worse = [100 * value / base * (1 if lower else -1) for value in (row["delta"], row["delta_low"], row["delta_high"])]
    return (f"{' '.join(key(row))}: {base:.3f} -> {row['score']:.3f}, {worse[0]:.1f} % worse ({min(worse[1:]):.1f} to {max(worse[1:]):.1f} %); "
            f"allowed {100 * config.limits[row['task']]:.1f} %")


def refusal(name: str, config: Config, stopping: Sequence[dict], rows: Sequence[dict], bases: Mapping) -> str:
    """What passed which limit by how much, the newest stage's ledger, and what to do."""
    stage, wanted = config.order[-1], {}
    for row in stopping:
        base = bases[key(row)]
        wanted[row["task"]] = max(wanted.get(row["task"], 0.0), math.ceil(100 * abs(row["delta"]) / base) / 100 if base else math.inf)
    wider = " ".join(f"--set {name}.limits.{task}={share:g}" for task, share in wanted.items())
    return "\n".join([
        f"{name}: {stage} has cost more than this recipe allows against {config.base}:", *(f"  {told(row, bases, config)}" for row in stopping), "",
        *table(rows, bases), "",
        f"The run stops here; {stage} and all before it are kept. Make {stage} again with other settings (--set ... --replace: fewer tokens, a lower rate, more text of the kind that was lost)",
        f"or allow the loss and go on: the same command with {wider}" if max(wanted.values()) <= 1 else "or take the limit out of the recipe."])


def table(rows: Sequence[dict], bases: Mapping) -> list[str]:
    """The ledger's rows as lines of a small table."""
    heads = ("task", "lang", "reading", "n", "base", "now", "change (95 %)", "limit")
    lines = [heads, *((*key(row), str(row["n"]), f"{bases[key(row)]:.3f}" if key(row) in bases else "", f"{row['score']:.3f}",
                       f"{row['delta']:+.3f} ({row['delta_low']:+.3f} to {row['delta_high']:+.3f})" if row["delta"] is not None else "", row.get("limit", "")) for row in rows)]
    widths = [max(len(line[k]) for line in lines) for k in range(len(heads))]
    return ["  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
