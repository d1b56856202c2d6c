"""A figure with its 95 % interval, and the interval of a share."""

import dataclasses
import math

Z = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


@dataclasses.dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def wilson(total: float, n: float, quantile: float = Z) -> Interval:
    """The share total / n of independent items; half points count as half an item. n 0 gives nan, 0..1."""
    if n == 0:
        return Interval(math.nan, 0.0, 1.0)
    p, square = total / n, quantile * quantile
    middle = (p + square / (2 * n)) / (1 + square / n)
    half = quantile / (1 + square / n) * math.sqrt(max(0.0, p * (1 - p)) / n + square / (4 * n * n))
    return Interval(p, min(p, max(0.0, middle - half)), max(p, min(1.0, middle + half)))
