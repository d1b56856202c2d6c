"""Intervals for shares, for bits per byte, and for the difference of two stages on the same items. All are 95 %.

A unit is what was drawn independently: an item, or a group of items about the same passage; a document.
"""

import math
from collections.abc import Sequence

import numpy as np

from aquilamed.core.chance import chooser
from aquilamed.core.intervals import Interval, Z, wilson

__all__ = ["Interval", "clustered_mean", "mcnemar", "mean", "paired_difference", "ratio_difference", "ratio_of_sums", "share", "wilson"]
N_RESAMPLES = 2000
CELLS = 1 << 21
"""Resampled values in memory at a time."""
MIN_UNITS = 6
"""Units that must differ before a difference can be told from zero: with 5, all in one direction, the exact two-sided
sign test still gives p = 2 / 2**5 = .0625. A bootstrap of fewer would give a width of nearly nothing."""


def clustered_mean(values: Sequence[float], groups: Sequence[str]) -> Interval:
    """The mean of shares whose items come in groups: cluster-robust standard error, cut to 0..1.

    Where the groups do not differ at all, Wilson's interval with the groups as items.
    """
    totals, sizes = _sums(groups, values, np.ones(len(values)))
    n_groups, mean = len(totals), float(totals.sum() / sizes.sum())
    variance = float(((totals - sizes * mean) ** 2).sum() / sizes.sum() ** 2 * n_groups / max(n_groups - 1, 1))
    if variance < 1e-18:
        flat = wilson(mean * n_groups, n_groups)
        return Interval(mean, flat.low, flat.high)
    half = Z * math.sqrt(variance)
    return Interval(mean, max(0.0, mean - half), min(1.0, mean + half))


def share(scores: Sequence[float], groups: Sequence[str]) -> Interval:
    """Wilson where every item is its own group, cluster-robust where some share one."""
    if len(set(groups)) == len(groups):
        return wilson(float(np.sum(scores)), len(scores))
    return clustered_mean(scores, groups)


def mean(values: Sequence[float], groups: Sequence[str], *, seed: int, key: str) -> Interval:
    """The mean of values on any scale, by bootstrap over groups: grades, rubrics."""
    return _bootstrap(*_sums(groups, values, np.ones(len(values))), seed, key)


def ratio_of_sums(tops: Sequence[float], bottoms: Sequence[float], *, seed: int, key: str) -> Interval:
    """sum(tops) / sum(bottoms), by bootstrap over units: bits per byte from the documents' bits and bytes."""
    return _bootstrap(np.asarray(tops, float), np.asarray(bottoms, float), seed, key)


def paired_difference(old: Sequence[float], new: Sequence[float], groups: Sequence[str], *, seed: int, key: str) -> Interval:
    """mean(new) - mean(old) over the same items, by bootstrap over groups."""
    tops, bottoms = _sums(groups, np.asarray(new, float) - np.asarray(old, float), np.ones(len(old)))
    return _cautious(tops, _bootstrap(tops, bottoms, seed, key))


def ratio_difference(old: Sequence[float], new: Sequence[float], bottoms: Sequence[float], *, seed: int, key: str) -> Interval:
    """sum(new) / sum(bottoms) - sum(old) / sum(bottoms) over the same documents, by bootstrap over them."""
    tops = np.asarray(new, float) - np.asarray(old, float)
    return _cautious(tops, _bootstrap(tops, np.asarray(bottoms, float), seed, key))


def mcnemar(old: Sequence[float], new: Sequence[float]) -> float:
    """Exact two-sided p of the items right in one stage only; 1 where there are none."""
    n_gained = sum(b > a for a, b in zip(old, new, strict=True))
    n_lost = sum(b < a for a, b in zip(old, new, strict=True))
    n = n_gained + n_lost
    tail = sum(math.comb(n, k) for k in range(min(n_gained, n_lost) + 1))
    return min(1.0, float(2 * tail / 2**n))


def _bootstrap(tops: np.ndarray, bottoms: np.ndarray, seed: int, key: str) -> Interval:
    n, chance = len(tops), chooser(seed, key)
    found: list[np.ndarray] = []
    rows = max(1, CELLS // n)
    for low in range(0, N_RESAMPLES, rows):
        drawn = chance.integers(0, n, (min(rows, N_RESAMPLES - low), n))
        found.append(tops[drawn].sum(1) / bottoms[drawn].sum(1))
    low, high = np.percentile(np.concatenate(found), [2.5, 97.5])
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
