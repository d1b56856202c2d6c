"""How far a judge of two answers can be trusted, from its verdicts in both orders: how often they agree, and whether place or length decides."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from aquilamed.core.intervals import Interval, Z, wilson

ONE, OTHER, TIE = "one", "other", "tie"


class Weighed(NamedTuple):
    """A contest with two readable verdicts."""

    first: str
    """`one`, `other` or `tie`: the verdict that saw `one` first."""
    second: str
    """The verdict that saw `other` first."""
    lengths: tuple[int, int]
    """Of the two answers, in words and Han characters."""

    @property
    def agree(self) -> bool:
        return self.first == self.second

    @property
    def pull(self) -> float:
        """How far place decided, -1..1: the share of the verdicts that went to the answer shown first less that of the second; 0 of two equal ones."""
        return ((self.first == ONE) - (self.first == OTHER) + (self.second == OTHER) - (self.second == ONE)) / 2


def of(contests: Sequence[Weighed]) -> dict:
    """`agreement`: share of contests where both orders say the same. `first_wins`: share of the verdicts that are no tie won by the answer shown first; 0.5 is without bias,
    since each answer is shown first once. `position_bias`: the mean of `Weighed.pull`, 0 without bias, 1 where place alone decides for the first. `longer_wins`: share of the decided
    contests won by the answer with more words and Han characters; `length_bias`: the same as -1..1. It is a bias only as far as longer answers are not better."""
    first = [one.first == ONE for one in contests if one.first != TIE] + [one.second == OTHER for one in contests if one.second != TIE]
    decided = [one for one in contests if one.agree and one.first != TIE]
    longer = [(one.lengths[0] > one.lengths[1]) == (one.first == ONE) for one in decided if one.lengths[0] != one.lengths[1]]
    by_length = wilson(sum(longer), len(longer))
    return {"n": len(contests), "agreement": share([one.agree for one in contests]), "verdicts": len(first), "first_wins": share(first),
            "position_bias": shown(difference([one.pull for one in contests])), "pairs": len(decided), "one_wins": share([one.first == ONE for one in decided]),
            "longer_wins": share(longer), "length_bias": shown(Interval(2 * by_length.value - 1, 2 * by_length.low - 1, 2 * by_length.high - 1))}


def difference(pulls: Sequence[float]) -> Interval:
    """The mean of values in -1..1 that are mostly 0, with Agresti and Min's interval for a difference of paired shares; a half counts as half a contest. nan of nothing."""
    n, gained, lost = len(pulls), sum(pull for pull in pulls if pull > 0) + 0.5, -sum(pull for pull in pulls if pull < 0) + 0.5
    if not n:
        return Interval(math.nan, -1.0, 1.0)
    value, middle = sum(pulls) / n, (gained - lost) / (n + 2)
    half = Z * math.sqrt(max(gained + lost - (gained - lost) ** 2 / (n + 2), 0.0)) / (n + 2)
    return Interval(value, max(-1.0, min(value, middle - half)), min(1.0, max(value, middle + half)))


def shown(found: Interval) -> dict[str, float | None]:
    """The figure with its interval as JSON values; null of nothing."""
    return dict.fromkeys(("value", "low", "high")) if math.isnan(found.value) else {key: round(value, 4) for key, value in vars(found).items()}


def share(held: Sequence[bool]) -> float | None:
    """0..1, or None of nothing."""
    return round(sum(held) / len(held), 4) if held else None
