"""How many records came in, went out, and were dropped for which reason."""

import dataclasses
from collections import Counter
from collections.abc import Iterable


@dataclasses.dataclass(frozen=True, kw_only=True)
class Counts:
    """What a step returns; `in == out + sum(dropped)` is checked when the step is sealed."""

    n_in: int
    n_out: int
    dropped: Counter = dataclasses.field(default_factory=Counter)
    """Reason -> number of records."""
    langs: Counter = dataclasses.field(default_factory=Counter)
    """Language -> number of records that went out."""
    notes: dict = dataclasses.field(default_factory=dict)
    """Figures for the report that are not record counts: tokens, scores, precision; JSON values."""

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            n_in=self.n_in + other.n_in, n_out=self.n_out + other.n_out, dropped=self.dropped + other.dropped,
            langs=self.langs + other.langs, notes={**self.notes, **other.notes},
        )

    @staticmethod
    def total(parts: Iterable["Counts"]) -> "Counts":
        """The sum of `parts`; zero of everything where there are none."""
        return sum(parts, Counts(n_in=0, n_out=0))

    def as_json(self) -> dict:
        return {"in": self.n_in, "out": self.n_out, "dropped": dict(sorted(self.dropped.items()))}
