"""How far two scores put the same things in the same order."""

import numpy as np


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's rank correlation, to 4 decimals; 0 where one side is constant or empty."""
    a, b = _ranks(np.asarray(one)), _ranks(np.asarray(other))
    spread = a.std() * b.std() if len(a) else 0.0
    return round(float(((a - a.mean()) * (b - b.mean())).mean() / spread), 4) if spread > 0 else 0.0


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 0, equal values sharing the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(count)
    return ((ends - count + ends - 1) / 2)[place]
