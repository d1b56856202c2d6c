"""Scores with their intervals, one under another, as inline SVG."""

import dataclasses
from collections.abc import Sequence

from aquilamed.report.markup import Html, tag
from aquilamed.report.plots import ticks

WIDTH, ROW, RIGHT, TOP = 460, 22, 104, 10
"""Of the picture, in its own units: width, height of a line, room for figures, room above."""
WIDE = 1.9
"""A Han character is as wide as so many letters."""


@dataclasses.dataclass(frozen=True)
class Mark:
    """One line: a score with its interval."""

    name: str
    low: float
    score: float
    high: float
    note: str
    """Written at the right end."""
    before: float | None = None
    """An earlier stage's score, drawn hollow."""


def chart(marks: Sequence[Mark], said: str, *, chance: float | None = None, in_percent: bool = True) -> Html:
    """The marks over one axis; `said` is the picture's description. Shares get 0 to 100 %, bits per byte what they need."""
    values = [value for mark in marks for value in (mark.low, mark.high, mark.before) if value is not None]
    low, high = (0.0, 1.0) if in_percent else (min(values) * 0.97, max(values) * 1.03)
    names = [_short(mark.name) for mark in marks]
    left = 16 + 6.2 * max(map(_length, names))
    height = TOP + ROW * len(marks) + 22
    place = lambda value: left + (value - low) / (high - low) * (WIDTH - left - RIGHT)  # noqa: E731
    drawn = []
    for value in ([0.0, 0.25, 0.5, 0.75, 1.0] if in_percent else ticks(low, high, 3)):
        drawn += [tag("line", x1=place(value), x2=place(value), y1=TOP - 4, y2=height - 20, class_="grid"),
                  tag("text", f"{100 * value:.0f}" if in_percent else f"{value:.2f}", x=place(value), y=height - 6, class_="tick middle")]
    if chance is not None:
        drawn.append(tag("line", x1=place(chance), x2=place(chance), y1=TOP - 4, y2=height - 20, class_="chance"))
    for number, (mark, name) in enumerate(zip(marks, names, strict=True)):
        y = TOP + ROW * number + ROW / 2
        drawn += [tag("text", name, tag("title", mark.name), x=left - 10, y=y + 4, class_="name end"),
                  tag("line", x1=place(mark.low), x2=place(mark.high), y1=y, y2=y, class_="whisker"),
                  tag("circle", cx=place(mark.before), cy=y, r=4, class_="earlier") if mark.before is not None else "",
                  tag("circle", cx=place(mark.score), cy=y, r=4, class_="dot gained"),
                  tag("text", mark.note, x=WIDTH, y=y + 4, class_="value end")]
    return tag("svg", drawn, viewBox=f"0 0 {WIDTH} {height}", role="img", aria_label=said, class_="whiskers")


def _length(text: str) -> float:
    return sum(WIDE if ord(char) > 0x2E7F else 1 for char in text)


def _short(text: str) -> str:
    """The text, cut where it is wider than thirty letters."""
    cut = text
    while _length(cut) > 30:
        cut = cut[:-1]
    return text if cut == text else f"{cut[:-1]}…"
