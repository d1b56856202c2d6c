"""The pipeline as a picture: in each part the records run down a trunk, and what is dropped turns off to the right.

Widths are records: at every step the trunk that comes in is as wide as the one that goes on and all that turns off.
"""

import dataclasses
from collections.abc import Sequence

from aquilamed.report.markup import Html, both, join, section, tag
from aquilamed.report.runs import GROUPS, Run, Step

WIDTH, TRUNK, LEFT, LABELS = 380, 104.0, 34, 158
"""Of a part's picture, in its own units: all, the widest trunk, where trunks begin, where words begin."""
LINE, HEAD, GAP = 17, 40, 16
"""Height of a line of words, of a step's name and counts, and between steps."""
MOST_REASONS = 6
"""Reasons drawn one by one; the rest turn off together."""


@dataclasses.dataclass(frozen=True)
class Widths:
    """A step's trunk and what turns off, in units of the picture; `into == onward + sum(off)`."""

    into: float
    onward: float
    off: tuple[tuple[str, int, float], ...]
    """(reason, records, width)."""


@dataclasses.dataclass(frozen=True)
class Row:
    """A step in its place."""

    step: Step
    widths: Widths
    top: float
    remarks: tuple[str, ...]
    """Where its records come from, where no line shows it."""

    @property
    def height(self) -> float:
        return HEAD + LINE * len(self.remarks) + sum(max(LINE, width + 5) for *_, width in self.widths.off)

    @property
    def bottom(self) -> float:
        return self.top + self.height


def show(run: Run) -> Html:
    """The section."""
    lanes = [_lane(run, group, [step for step in run.steps if step.group == group]) for group in GROUPS]
    about = tag("p", "Records run down; what a step drops turns off to the right with its reason. Widths are record counts, on one scale within a part. "
                "Dashed lines: a model or a table that a step uses.", class_="about")
    return section("pipeline", "Pipeline", "流程", about, tag("div", lanes, class_="lanes"))


def widths(step: Step, scale: float) -> Widths:
    """The step's counts times `scale`; reasons beyond `MOST_REASONS` turn off together."""
    drops = step.drops
    if len(drops) > MOST_REASONS:
        rest = drops[MOST_REASONS - 1:]
        drops = [*drops[:MOST_REASONS - 1], (f"{len(rest)} further reasons", sum(n for _, n in rest))]
    return Widths(step.n_in * scale, step.n_out * scale, tuple((reason, n, n * scale) for reason, n in drops))


def _lane(run: Run, group: str, steps: Sequence[Step]) -> Html | None:
    if not steps:
        return None
    scale = TRUNK / max(max(step.n_in, step.n_out) for step in steps) if any(step.n_in or step.n_out for step in steps) else 0.0
    rows, top = [], 6.0
    for step in steps:
        rows.append(Row(step, widths(step, scale), top, _remarks(run, step, group)))
        top = rows[-1].bottom + GAP
    marks = [_links(run, rows), *(_drawn(row) for row in rows)]
    picture = tag("svg", marks, viewBox=f"0 0 {WIDTH} {top:.0f}", role="img", aria_label=f"flow of records: {GROUPS[group][0]}")
    return tag("figure", tag("h3", both(*GROUPS[group])), picture, class_="lane")


def _remarks(run: Run, step: Step, group: str) -> tuple[str, ...]:
    """`from 04 mix`: inputs that lie in another part."""
    away = {source.label: name in step.carries for name, source in run.sources(step) if source.group != group}
    moved, used = ([label for label, carried in away.items() if carried is wanted] for wanted in (True, False))
    lines = ([f"from {line}" for line in _lines(moved, 30)] if moved else []) + ([f"uses {line}" for line in _lines(used, 30)] if used else [])
    return tuple(lines)


def _lines(labels: Sequence[str], most: int) -> list[str]:
    """Labels joined by commas, in lines of about `most` characters."""
    lines: list[str] = []
    for label in labels:
        if lines and len(lines[-1]) + len(label) < most:
            lines[-1] += f", {label}"
        else:
            lines.append(label)
    return lines


def _links(run: Run, rows: Sequence[Row]) -> list[Html]:
    """From each step to those of the same part that take its records (a band, or a line in the margin) or use it (dashed)."""
    place = {row.step.name: number for number, row in enumerate(rows)}
    made = []
    for number, row in enumerate(rows):
        inputs = [(name in row.step.carries, place[source.name]) for name, source in run.sources(row.step) if source.name in place]
        alone = sum(carried for carried, _ in inputs) == 1
        for carried, origin in dict.fromkeys(inputs):
            if carried and origin == number - 1:
                made.append(_band(rows[origin], row, alone))
            elif (True, origin) not in inputs or carried:
                made.append(_arc(rows[origin], row, number - origin, carried))
    return made


def _band(old: Row, new: Row, alone: bool) -> Html:
    """The trunk between neighbours; where other steps join in, only this one's share of the new width."""
    wide = new.widths.into if alone else min(old.widths.onward, new.widths.into)
    x0, x1, x2 = LEFT, LEFT + _seen(old.widths.onward), LEFT + _seen(wide)
    middle = (old.bottom + new.top) / 2
    return tag("path", d=f"M{x0} {old.bottom:.1f}L{x1:.2f} {old.bottom:.1f}C{x1:.2f} {middle:.1f} {x2:.2f} {middle:.1f} {x2:.2f} {new.top:.1f}L{x0} {new.top:.1f}Z", class_="kept")


def _arc(old: Row, new: Row, distance: int, carried: bool) -> Html:
    bulge = LEFT - min(30, 8 + 4 * distance)
    low, high = old.bottom - 3, new.top + 3
    return tag("path", d=f"M{LEFT} {low:.1f}C{bulge} {low + 8:.1f} {bulge} {high - 8:.1f} {LEFT} {high:.1f}", class_="arc" if carried else "arc used")


def _drawn(row: Row) -> Html:
    """Trunk, name, counts, and what turns off."""
    step, top = row.step, row.top
    name = step.label if len(step.label) <= 28 else step.label[:27] + "…"
    marks = [tag("text", name, x=LABELS, y=top + 13, class_="name"), tag("text", _counts(step), x=LABELS, y=top + 30, class_="count")]
    marks += [tag("text", remark, x=LABELS, y=top + HEAD + LINE * k + 7, class_="tick") for k, remark in enumerate(row.remarks)]
    y, right = top + HEAD + LINE * len(row.remarks), LEFT + row.widths.into
    bands = [_trunk(LEFT, LEFT + _seen(row.widths.onward), top, row.bottom)]
    for reason, n, width in row.widths.off:
        tall = max(LINE, width + 5)
        middle = y + tall / 2
        bands.append(_turn(right - width, right, top, middle))
        marks.append(tag("text", reason, " ", tag("tspan", f"{n:,}", class_="value"), x=LABELS, y=middle + 4, class_="reason"))
        right, y = right - width, y + tall
    node = tag("rect", x=LEFT, y=top, width=max(row.widths.into, row.widths.onward if not row.widths.into else 0, 1.5), height=3, class_="node")
    about = f"{step.label} ({step.stage}): {_counts(step)}" + "".join(f"\n{reason} {n:,}" for reason, n in step.drops)
    return tag("g", tag("title", about), bands, node, marks, class_="step")


def _counts(step: Step) -> str:
    return f"{step.n_in:,} in → {step.n_out:,} out"


def _seen(width: float) -> float:
    """Never thinner than a hair."""
    return max(width, 0.8) if width else 0.0


def _trunk(x0: float, x1: float, y0: float, y1: float) -> Html:
    return tag("rect", x=x0, y=y0, width=x1 - x0, height=y1 - y0, class_="kept")


def _turn(x0: float, x1: float, top: float, middle: float) -> Html:
    """A band that comes down from `top` and leaves to the right at the height `middle`."""
    half, end = max((x1 - x0) / 2, 0.4), LABELS - 8
    start = max(top, middle - half - 12)
    bend = f"C{x1:.2f} {middle - half:.1f} {x1:.2f} {middle - half:.1f} {min(x1 + 14, end):.1f} {middle - half:.1f}"
    back = f"C{x0:.2f} {middle + half:.1f} {x0:.2f} {middle + half:.1f} {x0:.2f} {start:.1f}"
    return join([tag("path", d=f"M{x0:.2f} {top:.1f}L{x1:.2f} {top:.1f}L{x1:.2f} {start:.1f}{bend}L{end} {middle - half:.1f}L{end} {middle + half:.1f}"
                               f"L{min(x1 + 14, end):.1f} {middle + half:.1f}{back}Z", class_="gone")])
