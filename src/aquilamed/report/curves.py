"""Training curves, from the metrics.jsonl of every training step."""

import json
from collections.abc import Sequence
from pathlib import Path

from aquilamed.report.headline import TRAINING
from aquilamed.report.markup import Html, both, compact, section, tag
from aquilamed.report.plots import Line, Point, chart, smoothed
from aquilamed.report.runs import Run, Step

SMALL = 110
"""Height of the lesser charts."""


def show(run: Run) -> Html:
    """The section; empty where nothing was trained yet."""
    return section("curves", "Training curves", "训练曲线", [panel for step in run.of(*TRAINING) if (panel := _panel(step))])


def read(path: Path) -> list[dict]:
    """The lines of metrics.jsonl; a last line cut off by a kill is left out."""
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]


def _panel(step: Step) -> Html | None:
    rows = read(step.folder / "metrics.jsonl")
    steps = [row for row in rows if "loss" in row]
    if not steps:
        return None
    at = {row["step"]: row.get("tokens_seen", row["step"]) for row in steps}
    heldout = [(at[row["step"]], row["heldout_loss"]) for row in rows if "heldout_loss" in row and row["step"] in at]
    charts = [_chart("Loss", "损失", "nats", _loss(_line(steps, "loss"), heldout), height=270)]
    if "accuracy" in steps[0]:
        charts += [_chart("Pairs ranked right", "排序正确", "share", [Line(smoothed(_line(steps, "accuracy")))]),
                   _chart("Reward margin", "奖励差", "nats", [Line(smoothed(_line(steps, "margin")))]),
                   _chart("Change of log p", "对数概率变化", "chosen, rejected; nats", [
                       Line(smoothed(_line(steps, "chosen_logp_change")), label="+"), Line(smoothed(_line(steps, "rejected_logp_change")), "second", label="−")])]
    charts += [_chart("Learning rate", "学习率", "", [Line(_line(steps, "lr"))], zero=True), _chart("Gradient norm", "梯度范数", "before clipping", [Line(_line(steps, "grad_norm"), "faint"), Line(smoothed(_line(steps, "grad_norm")))]),
               _chart("Speed", "速度", "tokens a second", [Line(_line(steps, "tokens_per_s"), "faint"), Line(smoothed(_line(steps, "tokens_per_s"), 0.2))], zero=True)]
    return tag("div", tag("h3", step.label, " ", tag("small", _about(step, steps))), tag("div", [one for one in charts if one], class_="charts"), class_="panel")


def _loss(points: Sequence[Point], heldout: Sequence[Point]) -> list[Line]:
    raw = [Line(points, "faint"), Line(smoothed(points), label="")]
    return raw + ([Line(heldout, "dots", label="●")] if heldout else [])


def _line(rows: Sequence[dict], key: str) -> list[Point]:
    return [(row.get("tokens_seen", row["step"]), row[key]) for row in rows if row.get(key) is not None]


def _chart(english: str, chinese: str, unit: str, lines: list[Line], *, height: int = SMALL, zero: bool = False) -> Html | None:
    if not any(line.points for line in lines):
        return None
    held = " · ● held out" if any(line.style == "dots" for line in lines) else ""
    return tag("figure", tag("figcaption", both(english, chinese), tag("small", f" {unit}{held}")), chart(lines, height=height, unit="tokens", zero=zero))


def _about(step: Step, rows: Sequence[dict]) -> str:
    notes = step.notes
    found = [f"{notes['steps']:,} steps" if "steps" in notes else f"{len(rows):,} steps"]
    if notes.get("tokens"):
        found.append(f"{compact(notes['tokens'])} tokens")
    if notes.get("best_step"):
        found.append(f"best step {notes['best_step']:,}")
    speeds = [row for row in rows if row.get("tokens_per_s")]
    if speeds:
        seconds = sum(row["tokens"] / row["tokens_per_s"] for row in speeds)
        found.append(f"{compact(sum(row['tokens'] for row in speeds) / seconds)} tokens/s on average")
    if rows[-1].get("peak_bytes"):
        found.append(f"peak memory {max(row.get('peak_bytes', 0) for row in rows) / 2**30:.1f} GiB")
    return " · ".join(found)
