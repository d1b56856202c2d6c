"""Intervals and tests for shares, bits per byte, and the difference of two stages on the same items. Intervals are 95 %, p two-sided.

A unit is what was drawn independently: an item, or a group of items about the same passage or case; a document. Few units are
the rule here, so quantiles are Student's t over units; how often each interval holds the truth is measured by `benchmarks/interval_coverage.py`.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, stdtr, stdtrit

from aquilamed.core.chance import chooser
from aquilamed.core.intervals import Interval, wilson

__all__ = ["Interval", "WinRate", "clustered_share", "difference", "effective_n", "holm", "mcnemar", "mean", "paired_difference", "paired_p",
           "ratio_difference", "ratio_of_sums", "ratio_p", "share", "t_quantile", "win_rate", "wilson"]
N_RESAMPLES = 2000
CELLS = 1 << 21
"""Resampled values in memory at a time."""
WIDEST = 8.0
"""Bits of a byte: one document alone bounds nothing, so its interval is as wide as bits per byte can be."""
MIN_UNITS = 6
"""Units that must differ before a difference can be told from zero: with 5, all in one direction, the exact two-sided
sign test still gives p = 2 / 2**5 = .0625. A bootstrap of fewer would give a width of nearly nothing."""


class Spread(NamedTuple):
    """A ratio of sums over units, with its standard error."""

    value: float
    error: float
    freedom: int
    """Degrees of freedom: units less one, at least 1."""


def share(scores: Sequence[float], groups: Sequence[str]) -> Interval:
    """The mean of scores 0..1: Wilson where every item is its own group, `clustered_share` where some share one."""
    if len(set(groups)) == len(groups):
        return wilson(float(np.sum(scores)), len(scores))
    return clustered_share(scores, groups)


def clustered_share(scores: Sequence[float], groups: Sequence[str]) -> Interval:
    """Wilson's interval for as many independent items as the groups are worth, with Student's quantile over groups."""
    found = _spread(*_sums(groups, scores, np.ones(len(scores))))
    n = effective_n(scores, groups)
    return wilson(found.value * n, n, t_quantile(found.freedom))


def effective_n(scores: Sequence[float], groups: Sequence[str]) -> float:
    """How many independent items tell as much: n over the design effect, at most n; as many as groups where these do not differ."""
    n, n_groups = len(scores), len(set(groups))
    if n_groups == n:
        return float(n)
    found = _spread(*_sums(groups, scores, np.ones(n)))
    if found.error**2 < 1e-18:
        return float(n_groups)
    return min(float(n), max(1.0, found.value * (1 - found.value) / found.error**2))


def mean(values: Sequence[float], groups: Sequence[str]) -> Interval:
    """The mean of values on any scale (grades, nats), by Student's t over groups; one group alone bounds nothing."""
    found = _spread(*_sums(groups, values, np.ones(len(values))))
    half = t_quantile(found.freedom) * found.error if len(set(groups)) > 1 else math.inf
    return Interval(found.value, found.value - half, found.value + half)


def ratio_of_sums(tops: Sequence[float], bottoms: Sequence[float], *, seed: int, key: str) -> Interval:
    """sum(tops) / sum(bottoms), by bootstrap over units: bits per byte from the documents' bits and bytes."""
    found = _bootstrap(np.asarray(tops, float), np.asarray(bottoms, float), seed, key)
    return Interval(found.value, max(0.0, found.low), found.high)


def ratio_difference(old: Sequence[float], new: Sequence[float], bottoms: Sequence[float], *, seed: int, key: str) -> Interval:
    """sum(new) / sum(bottoms) - sum(old) / sum(bottoms) over the same documents, by bootstrap over them."""
    tops = np.asarray(new, float) - np.asarray(old, float)
    return _cautious(tops, _bootstrap(tops, np.asarray(bottoms, float), seed, key))


def ratio_p(old: Sequence[float], new: Sequence[float], bottoms: Sequence[float]) -> float:
    """p of no difference between the two ratios, by Student's t over documents; 1 where fewer than `MIN_UNITS` differ."""
    tops = np.asarray(new, float) - np.asarray(old, float)
    return _p(tops, ratio_spread(tops, bottoms))


def paired_difference(old: Sequence[float], new: Sequence[float], groups: Sequence[str]) -> Interval:
    """mean(new) - mean(old) of scores 0..1 over the same items, by Student's t over groups with one item won and one lost added.

    For independent items this is the interval of Bonett and Price (2012).
    """
    tops, bottoms = _sums(groups, np.asarray(new, float) - np.asarray(old, float), np.ones(len(old)))
    value, found = float(tops.sum() / bottoms.sum()), _softened(tops, bottoms)
    half = t_quantile(found.freedom) * found.error
    low, high = max(-1.0, found.value - half), min(1.0, found.value + half)
    return _cautious(tops, Interval(value, min(low, value), max(high, value)))


def paired_p(old: Sequence[float], new: Sequence[float], groups: Sequence[str]) -> float:
    """p of no difference on the same items: exact McNemar where every item is its own group, else by Student's t over groups."""
    if len(set(groups)) == len(groups):
        return mcnemar(old, new)
    tops, bottoms = _sums(groups, np.asarray(new, float) - np.asarray(old, float), np.ones(len(old)))
    return _p(tops, _softened(tops, bottoms))


def mcnemar(old: Sequence[float], new: Sequence[float]) -> float:
    """Exact two-sided p of the items right in one stage only; 1 where there are none."""
    n_gained = sum(b > a for a, b in zip(old, new, strict=True))
    n_lost = sum(b < a for a, b in zip(old, new, strict=True))
    n = n_gained + n_lost
    tail = sum(math.comb(n, k) for k in range(min(n_gained, n_lost) + 1))
    return min(1.0, float(2 * tail / 2**n))


@dataclasses.dataclass(frozen=True)
class WinRate:
    """How often one model's answer was preferred to another's."""

    wins: int
    ties: int
    losses: int
    rate: Interval
    """Share won, a tie counting half."""
    p: float
    """Of both being preferred equally often: ties tell nothing."""


def win_rate(outcomes: Sequence[int], groups: Sequence[str]) -> WinRate:
    """From 1 (won), 0 (tie) and -1 (lost); judgements of one group (turns of a case) are not independent."""
    zeros = [0] * len(outcomes)
    lead = paired_difference(zeros, outcomes, groups)
    rate = Interval(*((1 + value) / 2 for value in (lead.value, lead.low, lead.high)))
    counts = (sum(outcome == kind for outcome in outcomes) for kind in (1, 0, -1))
    return WinRate(*counts, rate=rate, p=paired_p(zeros, outcomes, groups))


def difference(one: Interval, other: Interval) -> Interval:
    """one - other, of figures from different items, out of their intervals (Newcombe 1998, his method 10)."""
    value = one.value - other.value
    low = value - math.hypot(one.value - one.low, other.high - other.value)
    return Interval(value, low, value + math.hypot(one.high - one.value, other.value - other.low))


def holm(p_values: Sequence[float]) -> list[float]:
    """p adjusted for all of `p_values` (Holm 1979): whatever depends on whatever, a claim at .05 is false in one family of 20."""
    order, found, highest = sorted(range(len(p_values)), key=lambda k: p_values[k]), [0.0] * len(p_values), 0.0
    for rank, k in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[k]))
        found[k] = highest
    return found


def t_quantile(freedom: int, level: float = 0.975) -> float:
    """Of Student's distribution."""
    return float(stdtrit(freedom, level))


def ratio_spread(tops: Sequence[float], bottoms: Sequence[float]) -> Spread:
    """sum(tops) / sum(bottoms) with its standard error over units, by jackknife: one long document may carry the ratio, which a linearised error does not see."""
    tops, bottoms = np.asarray(tops, float), np.asarray(bottoms, float)
    n, value = len(tops), float(tops.sum() / bottoms.sum())
    if n == 1:
        return Spread(value, 0.0, 1)
    without = (tops.sum() - tops) / (bottoms.sum() - bottoms)
    return Spread(value, math.sqrt(float(((without - without.mean()) ** 2).sum()) * (n - 1) / n), n - 1)


def grouped_spread(values: Sequence[float], groups: Sequence[str]) -> Spread:
    """The mean with its standard error over groups."""
    return _spread(*_sums(groups, values, np.ones(len(values))))


def _spread(tops: np.ndarray, bottoms: np.ndarray) -> Spread:
    """By linearisation."""
    n, value = len(tops), float(tops.sum() / bottoms.sum())
    error = math.sqrt(float(((tops - bottoms * value) ** 2).sum()) * n / max(n - 1, 1)) / float(bottoms.sum())
    return Spread(value, error, max(n - 1, 1))


def _softened(tops: np.ndarray, bottoms: np.ndarray) -> Spread:
    """With two items more, one won and one lost, so that a few discordant items are not taken for all that can happen."""
    tops, bottoms = np.append(tops, (1.0, -1.0)), np.append(bottoms, (1.0, 1.0))
    value = float(tops.sum() / bottoms.sum())
    return Spread(value, math.sqrt(float(((tops - bottoms * value) ** 2).sum())) / float(bottoms.sum()), max(len(tops) - 3, 1))


def _p(differences: np.ndarray, found: Spread) -> float:
    if np.count_nonzero(differences) < MIN_UNITS:
        return 1.0
    return 0.0 if found.error == 0 else float(2 * stdtr(found.freedom, -abs(found.value) / found.error))


def _bootstrap(tops: np.ndarray, bottoms: np.ndarray, seed: int, key: str) -> Interval:
    """Percentiles of resampled units, as far out as Student's t with the unbiased variance would lie (Hesterberg 2015, expanded percentiles)."""
    n, chance = len(tops), chooser(seed, key)
    if n == 1:
        value = float(tops[0] / bottoms[0])
        return Interval(value, value - WIDEST, value + WIDEST)
    found: list[np.ndarray] = []
    rows = max(1, CELLS // n)
    for low in range(0, N_RESAMPLES, rows):
        drawn = chance.integers(0, n, (min(rows, N_RESAMPLES - low), n))
        found.append(tops[drawn].sum(1) / bottoms[drawn].sum(1))
    tail = 100 * float(ndtr(-t_quantile(max(n - 1, 1)) * math.sqrt(n / max(n - 1, 1))))
    low, high = np.percentile(np.concatenate(found), [tail, 100 - tail])
    return Interval(float(tops.sum() / bottoms.sum()), float(low), float(high))


def _cautious(differences: np.ndarray, found: Interval) -> Interval:
    """`found` stretched to reach zero where fewer than `MIN_UNITS` units differ."""
    if np.count_nonzero(differences) >= MIN_UNITS:
        return found
    return Interval(found.value, min(found.low, 0.0), max(found.high, 0.0))


def _sums(groups: Sequence[str], *columns: Sequence[float]) -> list[np.ndarray]:
    """Each column summed by group, groups in the order of their names."""
    _, number = np.unique(np.asarray(groups), return_inverse=True)
    return [np.bincount(number, weights=np.asarray(column, float)) for column in columns]
