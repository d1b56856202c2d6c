"""The ledger's rows as cells: a figure of one stage on one task, with its interval and its change."""

import dataclasses
from collections.abc import Mapping, Sequence

from aquilamed.report.markup import percent, signed

BITS, GRADES = "bits", "grades"
SIGNS = {"gained": "▲", "lost": "▼", "same": "="}
Key = tuple[str, str, str]
"""(task, language, reading)."""


@dataclasses.dataclass(frozen=True)
class Cell:
    """What one stage scored."""

    stage: str
    task: str
    lang: str
    reading: str
    n: int
    score: float
    low: float
    high: float
    delta: float | None
    delta_low: float | None
    delta_high: float | None
    verdict: str
    unparsed: int
    limit: str
    p_adjusted: float | None
    delta_visible: float | None

    @property
    def key(self) -> Key:
        return self.task, self.lang, self.reading

    @property
    def is_bits(self) -> bool:
        """True where the score is bits per byte: it falls when better."""
        return self.reading == BITS or self.task.startswith("bpb-")

    @property
    def decimals(self) -> int:
        """Of a score that is written as it is; 0 of a share, which is written in percent."""
        return 3 if self.is_bits else 2 if self.reading == GRADES else 0

    def written(self, value: float, unit: bool = True) -> str:
        """A score of this task: `41.2 %`, bits per byte with three decimals, or a grade of 1..5 with two."""
        return f"{value:.{self.decimals}f}" if self.decimals else percent(value) if unit else f"{100 * value:.1f}"

    def doubt(self) -> str | None:
        """`adjusted p .031; these items can show 9.2`: what the verdict rests on; None where nothing was compared, or by an older ledger."""
        if self.p_adjusted is None or self.delta_visible is None:
            return None
        visible = f"{self.delta_visible:.3f}" if self.is_bits else f"{100 * self.delta_visible:.1f} points"
        return f"adjusted p {self.p_adjusted:.3f}; these items can show {visible}"

    def change(self) -> str:
        """The difference to the base model with its direction: `▲ +3.1`, in points; bits per byte and grades as they are."""
        if self.delta is None:
            return ""
        figure = signed(self.delta, self.decimals) if self.decimals else signed(100 * self.delta, 1)
        return f"{SIGNS.get(self.verdict, '')} {figure}".strip()


def cell(row: Mapping) -> Cell:
    """The cell of a row of ledger.json; what an older ledger lacks is left empty."""
    optional = {name: row.get(name) for name in ("delta", "delta_low", "delta_high", "p_adjusted", "delta_visible")}
    return Cell(stage=row["stage"], task=row["task"], lang=row["lang"], reading=row["reading"], n=row["n"], score=row["score"],
                low=row["low"], high=row["high"], verdict=row.get("verdict") or "", unparsed=row.get("unparsed") or 0,
                limit=row.get("limit") or "", **optional)


def order_of(rows: Sequence[Mapping]) -> list[str]:
    """The stages as the ledger orders them."""
    return list(dict.fromkeys(row["stage"] for row in rows))


def cells_of(rows: Sequence[Mapping]) -> dict[Key, dict[str, Cell]]:
    """(task, language, reading) -> stage -> cell."""
    found: dict[Key, dict[str, Cell]] = {}
    for one in map(cell, rows):
        found.setdefault(one.key, {})[one.stage] = one
    return found
