"""How far raters agree beyond chance: Cohen's kappa for two, Fleiss' for more, with intervals by bootstrap over comparisons."""

from collections.abc import Callable, Sequence

import numpy as np

from aquilamed.core import resample
from aquilamed.core.kappa import kappa, table_of

JUDGED = 20
"""Comparisons shared with others from which a rater may be named."""


def fleiss(counts: np.ndarray) -> float | None:
    """Kappa of counts[comparison, verdict], two or more raters to each, as many or not; None where chance alone would agree always.

    Agreement is the mean over comparisons of the share of pairs of raters that agree; chance is of all verdicts together.
    """
    raters = counts.sum(1)
    agreed = float(((counts * (counts - 1)).sum(1) / (raters * (raters - 1))).mean())
    shares = counts.sum(0) / raters.sum()
    by_chance = float(shares @ shares)
    return None if by_chance >= 1 else (agreed - by_chance) / (1 - by_chance)


def of(verdicts: Sequence[dict[str, str]], names: Sequence[str], *, seed: int, key: str) -> dict:
    """The agreement on comparisons, each a map of raters to verdicts among `names`; those with one rater say nothing."""
    shared = [said for said in verdicts if len(said) > 1]
    raters = sorted({rater for said in shared for rater in said})
    if len(raters) == 2:
        found = _interval(np.array([table_of([(said[raters[0]], said[raters[1]])], names) for said in shared]), lambda tables: kappa(tables.sum(0)), seed, key)
    else:
        counts = np.array([[list(said.values()).count(name) for name in names] for said in shared], float).reshape(-1, len(names))
        found = _interval(counts, fleiss, seed, key) if shared else {"kappa": None, "low": None, "high": None}
    return {"method": "cohen" if len(raters) == 2 else "fleiss", **found, "comparisons": len(shared), "raters": len(raters)}


def by_rater(verdicts: Sequence[dict[str, str]], names: Sequence[str], *, seed: int) -> dict[str, dict]:
    """Rater -> kappa of the rater's verdicts with those of everybody else on the same comparisons, all pairs together."""
    found = {}
    for rater in sorted({rater for said in verdicts if len(said) > 1 for rater in said}):
        tables = np.array([table_of([(said[rater], other) for name, other in sorted(said.items()) if name != rater], names) for said in verdicts if rater in said and len(said) > 1])
        found[rater] = {**_interval(tables, lambda some: kappa(some.sum(0)), seed, rater), "comparisons": len(tables)}
    return found


def at_chance(raters: dict[str, dict]) -> list[str]:
    """The raters who share enough comparisons with others to be judged, and whose agreement can't be told from chance."""
    return [rater for rater, one in raters.items() if one["comparisons"] >= JUDGED and one["low"] is not None and one["low"] <= 0]


def _interval(units: np.ndarray, statistic: Callable[[np.ndarray], float | None], seed: int, key: str) -> dict:
    """`kappa`, `low`, `high`: the statistic and its 95 % interval over comparisons."""
    return dict(zip(("kappa", "low", "high"), resample.interval(units, statistic, seed=seed, key=key), strict=True))
