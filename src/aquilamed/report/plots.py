"""Line charts as inline SVG: one or two lines, few grid lines, figures where the lines end."""

import dataclasses
import math
from collections.abc import Sequence

from aquilamed.report.markup import Html, compact, join, tag

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 380, 44, 54, 10, 24
MOST_POINTS = 240
"""A line with more is drawn as the means of equal stretches."""

Point = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Line:
    """One line of a chart."""

    points: Sequence[Point]
    style: str = "main"
    """CSS class: main, second or dots."""
    label: str = ""
    """Written before its last figure."""


def chart(lines: Sequence[Line], *, height: int = 150, unit: str = "", zero: bool = False) -> Html:
    """The lines over one x axis, which is named by `unit`; `zero` keeps 0 in view."""
    lines = [Line(thinned(line.points) if line.style != "dots" else line.points, line.style, line.label) for line in lines if line.points]
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points] + ([0.0] if zero else [])
    left, right = (0.0 if 0 < min(xs) < 0.1 * max(xs) else min(xs)), max(xs)
    low, high = _padded(min(ys), max(ys))
    low = max(low, 0.0) if min(ys) >= 0 else low
    across = lambda x: LEFT + (x - left) / (right - left or 1) * (WIDTH - LEFT - RIGHT)  # noqa: E731
    up = lambda y: height - BOTTOM - (y - low) / (high - low) * (height - BOTTOM - TOP)  # noqa: E731
    values = ticks(low, high, 3)
    marks = [_grid(text, up(value)) for value, text in zip(values, told_apart(values), strict=True)]
    marks += [tag("text", compact(left), x=LEFT, y=height - 8, class_="tick"),
              tag("text", f"{compact(right)} {unit}".strip(), x=WIDTH - RIGHT, y=height - 8, class_="tick end")]
    for line in lines:
        marks.append(_drawn(line, across, up))
    marks += _labels(lines, up, height)
    return tag("svg", marks, viewBox=f"0 0 {WIDTH} {height}", role="img", class_="plot")


def thinned(points: Sequence[Point], most: int = MOST_POINTS) -> list[Point]:
    """At most `most` points, each the mean of a stretch; the ends stay."""
    if len(points) <= most:
        return list(points)
    cuts = [round(k * len(points) / most) for k in range(most + 1)]
    return [points[0], *(_mean(points[a:b]) for a, b in zip(cuts[1:-2], cuts[2:-1], strict=True)), points[-1]]


def smoothed(points: Sequence[Point], share: float = 0.06) -> list[Point]:
    """A moving mean over `share` of the points, centred."""
    reach = max(int(len(points) * share / 2), 0)
    return [(x, sum(y for _, y in part) / len(part)) for i, (x, _) in enumerate(points) if (part := points[max(i - reach, 0):i + reach + 1])]


def ticks(low: float, high: float, n: int) -> list[float]:
    """About `n` round values within low..high."""
    raw = (high - low) / n
    unit = 10 ** math.floor(math.log10(raw))
    step = min((unit * k for k in (1, 2, 2.5, 5, 10)), key=lambda size: abs(size - raw))
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 12) + 0.0 for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _mean(points: Sequence[Point]) -> Point:
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


def _padded(low: float, high: float) -> tuple[float, float]:
    room = 0.06 * (high - low) or abs(high) * 0.1 or 1.0
    return low - room, high + room


def told_apart(values: Sequence[float]) -> list[str]:
    """The values with as few digits as keep them different."""
    tries = [[written(value, digits) for value in values] for digits in range(3, 8)]
    return next((texts for texts in tries if len(set(texts)) == len(texts)), tries[-1])


def _grid(text: str, y: float) -> Html:
    return join([tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid"), tag("text", text, x=LEFT - 8, y=y + 4, class_="tick end")])


def _drawn(line: Line, across, up) -> Html:
    if line.style == "dots":
        return join(tag("circle", cx=across(x), cy=up(y), r=4, class_="point") for x, y in line.points)
    return tag("polyline", points=" ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in line.points), class_=f"line {line.style}")


def _labels(lines: Sequence[Line], up, height: int) -> list[Html]:
    """The last figure of each line beside its end, moved apart where they would touch."""
    ends = sorted(((up(line.points[-1][1]), line) for line in lines if line.style != "faint"), key=lambda end: end[0])
    made, floor = [], TOP - 2.0
    for y, line in ends:
        y = max(y, floor + 13)
        floor = y
        made.append(tag("text", f"{line.label} {written(line.points[-1][1])}".strip(), x=WIDTH - RIGHT + 7, y=min(y + 4, height - BOTTOM + 4), class_=f"value {line.style}"))
    return made


def written(value: float, digits: int = 3) -> str:
    """A figure on an axis: `0.25`, `12k`, `3e−5`."""
    if value and abs(value) < 1e-3:
        mantissa, _, power = f"{value:.1e}".partition("e")
        return f"{mantissa.removesuffix('.0')}e{int(power)}".replace("-", "−")
    return (compact(value) if abs(value) >= 1000 else f"{value:.{digits}g}").replace("-", "−")
