"""The ledgers of runs, and what their filters are worth, as Markdown tables: `docs/results.md`, a model card."""

from collections.abc import Sequence
from pathlib import Path

from aquilamed.core.errors import ConfigError
from aquilamed.core.intervals import Interval
from aquilamed.report import curves, runs, scores, truth
from aquilamed.report.headline import TRAINING
from aquilamed.report.ledger import Cell, cells_of, order_of
from aquilamed.report.markup import clock, compact, percent
from aquilamed.report.runs import Run

ABOUT = """# Results

**Not for clinical use.** Printed by `aquilamed report RUN --markdown`, never edited. Every stage is scored on the same items. Scores in percent with
their 95 % interval, then the change against the first stage in points: ▲ gained and ▼ lost where the paired interval of the change excludes zero and p, adjusted for
all rows of the stage (Holm), is at most .05, else =. Bits per byte (bpb) are better when lower; `margin` is the share of preference pairs whose reward margin over the reference model is positive.

**不得用于临床。** 由 `aquilamed report RUN --markdown` 生成，从不手改。各阶段回答同样的题目。得分为百分数，附 95 % 区间；其后是相对第一阶段的变化（百分点）：变化的配对区间不含零、
且经该阶段全部行校正（Holm）后 p ≤ .05 时，▲ 为上升，▼ 为下降，否则为 =。每字节比特数（bpb）越低越好；`margin` 是奖励差（相对参考模型）为正的偏好对所占比例。
"""


def render(run_folders: Sequence[Path]) -> str:
    """A page with the tables of each run.

    Raises:
        ConfigError: a folder holds no finished run, or one with neither a ledger nor a ground truth.
    """
    return "\n".join([ABOUT, *map(_results, run_folders)]).rstrip()


def _results(run_folder: Path) -> str:
    """A heading, what the run was, its ledger, and its filters on the clinic's ground truth.

    Raises:
        ConfigError: the folder holds no finished run, or one with neither a ledger nor a ground truth.
    """
    run = runs.load(run_folder)
    measured = truth.measures(run)
    if not run.ledger and not measured:
        raise ConfigError(f"{run_folder}: holds no ledger yet; make the recipe's step of evals.ledger first")
    return "\n".join([f"## {run.name}", "", *(_ledger(run) if run.ledger else []), *(_filters(measured) if measured else [])])


def _ledger(run: Run) -> list[str]:
    """What the run was, and one line for each task, language and reading."""
    order, cells = order_of(run.ledger), cells_of(run.ledger)
    heads = ["Task", "n", "chance", *order]
    chance = scores.chances(run)
    lines = [[" ".join(key), f"{max(cell.n for cell in cells[key].values()):,}", percent(chance[key]) if key in chance else "–",
              *(_figure(cells[key].get(stage), stage == order[0]) for stage in order)] for key in scores.in_order(cells)]
    return [_about(run), "", *_table([heads, *lines]), ""]


def _filters(measured: Sequence[truth.Measure]) -> list[str]:
    """One line for each reason and language."""
    heads = ["Filter", "Reason", "Meant for", "Language", "Flagged", "Precision", "Clean lost", "Of that kind", "Recall", "By any reason"]
    lines = [[one.step.label, one.reason, ", ".join(one.meant_for), one.lang, f"{one.n_dropped:,}", _share(one.precision), f"{one.n_clean:,}", f"{one.n_there:,}", _share(one.recall),
              _share(one.dropped_by_any)] for one in measured]
    return ["Filters on the ground truth of the bundled clinic: shares in percent with their 95 % interval.", "", *_table([heads, *lines]), ""]


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(line)} |" for line in (rows[0], ["---"] * len(rows[0]), *rows[1:])]


def _share(found: Interval) -> str:
    return "–" if found.value != found.value else f"{100 * found.value:.1f} ({100 * found.low:.1f} to {100 * found.high:.1f})"


def _about(run: Run) -> str:
    base = next(iter(run.of("models.prepare")), None)
    parts = [f"base model {base.notes.get('source', '')} ({compact(base.notes.get('parameters', 0))} parameters)"] if base else []
    peaks = [row.get("peak_bytes", 0) for step in run.of(*TRAINING) for row in curves.read(step.folder / "metrics.jsonl")]
    parts += [f"at most {max(peaks) / 2**30:.1f} GiB of memory in training"] if peaks else []
    made = run.ledger_step.body["provenance"]
    parts += [f"{len(run.steps)} steps in {clock(sum(step.body['seconds'] for step in run.steps))} on {made.get('cores', '?')} cores",
              *(f"{name} {version}" for name, version in made.get("packages", {}).items() if name in ("torch", "transformers"))]
    return "; ".join(parts) + "."


def _figure(cell: Cell | None, is_first: bool) -> str:
    """`41.2 (30.1 to 53.0) ▲ +12.5`: the score, its interval, and the change to the first stage."""
    if cell is None:
        return "–"
    score, low, high = (cell.written(value, unit=False) for value in (cell.score, cell.low, cell.high))
    return f"{score} ({low} to {high})" + ("" if is_first else f" {cell.change()}".rstrip())
