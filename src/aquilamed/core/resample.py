"""A figure with its 95 % interval by bootstrap over what was drawn independently."""

from collections.abc import Callable

import numpy as np

from aquilamed.core.chance import chooser

N_RESAMPLES = 1000
FEWEST = 6
"""Units from which an interval is given: fewer tell nothing of how they vary."""


def interval(units: np.ndarray, statistic: Callable[[np.ndarray], float | None], *, seed: int, key: str) -> tuple[float | None, float | None, float | None]:
    """(value, low, high) to 4 decimals; None where there is none. A resample that has no value is left out."""
    value, n = statistic(units), len(units)
    if value is None or n < FEWEST:
        return _rounded(value), None, None
    chance = chooser(seed, key)
    drawn = [found for _ in range(N_RESAMPLES) if (found := statistic(units[chance.integers(0, n, n)])) is not None]
    low, high = np.quantile(drawn, (0.025, 0.975)) if drawn else (None, None)
    return _rounded(value), _rounded(low), _rounded(high)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)
