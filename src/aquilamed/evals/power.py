"""The smallest difference that so many items can show: found at p < .05 in four tries of five, were it there.

Beside a score it tells what `= same` is worth: a panel that can show 12 points says nothing of 5.
"""

import math
from collections.abc import Sequence

import numpy as np

from aquilamed.core.intervals import Z
from aquilamed.evals import stats

POWER = 0.8
Z_POWER = 0.8416212335729143
"""Quantile of the normal distribution at `POWER`."""
STEPS = 50
"""Halvings of a bisection: far below what is shown."""


def between_shares(score: float, n: float) -> float:
    """Smallest difference, towards one half, from another share of `n` other items (Cohen's h, 1988)."""
    angle, h = math.asin(math.sqrt(min(1.0, max(0.0, score)))), (Z + Z_POWER) / math.sqrt(n / 2)
    other = angle + math.copysign(h / 2, math.pi / 4 - angle)
    return abs(math.sin(min(math.pi / 2, max(0.0, other))) ** 2 - score)


def paired_shares(discordance: float, n: float) -> float:
    """Smallest difference on the same `n` items of which the share `discordance` is right in one stage only (McNemar's test; Connor 1987).

    A difference can't exceed the discordance, so where that is small it grows with the difference: all that changes changes one way. At most 1.
    """
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        share = max(discordance, middle)
        seen = middle * math.sqrt(n) >= Z * math.sqrt(share) + Z_POWER * math.sqrt(share - middle**2)
        low, high = (low, middle) if seen else (middle, high)
    return high


def of_share(scores: Sequence[float], groups: Sequence[str]) -> float:
    """`between_shares` for scores whose items come in groups."""
    return between_shares(float(np.mean(scores)), stats.effective_n(scores, groups))


def of_paired(old: Sequence[float], new: Sequence[float], groups: Sequence[str]) -> float:
    """`paired_shares` for the discordance of these items; groups that differ count as fewer items."""
    change = np.asarray(new, float) - np.asarray(old, float)
    alone, grouped = (stats.grouped_spread(change, some).error for some in ([str(k) for k in range(len(change))], groups))
    effect = max(1.0, (grouped / alone) ** 2) if alone else 1.0
    return paired_shares(float((change**2).mean()), len(change) / effect)


def of_mean(values: Sequence[float], groups: Sequence[str]) -> float | None:
    """Smallest difference from the mean of as many other values on the same scale, whose items come in groups; None where one group alone shows nothing."""
    if len(set(groups)) < 2:
        return None
    found = stats.grouped_spread(values, groups)
    return (stats.t_quantile(found.freedom) + stats.t_quantile(found.freedom, POWER)) * found.error * math.sqrt(2)


def of_ratio(tops: Sequence[float], bottoms: Sequence[float], *, samples: int = 1) -> float | None:
    """Smallest change of sum(tops) / sum(bottoms); `samples` 2 for another such ratio over as many other documents. None where one document alone shows nothing."""
    if len(tops) < 2:
        return None
    found = stats.ratio_spread(tops, bottoms)
    return (stats.t_quantile(found.freedom) + stats.t_quantile(found.freedom, POWER)) * found.error * math.sqrt(samples)
