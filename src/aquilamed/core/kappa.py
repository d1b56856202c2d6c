"""Cohen's kappa of two raters, plain or weighted: agreement beyond chance."""

from collections.abc import Hashable, Sequence

import numpy as np


def kappa(table: np.ndarray, *, weighted: bool = False) -> float | None:
    """Kappa of a square table of counts, one rater's verdicts down and another's across; None where chance alone would agree always, or of nothing.

    `weighted`: the verdicts are in order, and a disagreement counts by the square of its distance.
    """
    total, steps = table.sum(), np.arange(len(table))
    if not total:
        return None
    apart = (steps[:, None] - steps) ** 2 if weighted else steps[:, None] != steps
    by_chance = float((np.outer(table.sum(1), table.sum(0)) * apart).sum()) / total**2
    return None if by_chance <= 0 else 1 - float((table * apart).sum()) / total / by_chance


def table_of(pairs: Sequence[tuple[Hashable, Hashable]], names: Sequence[Hashable]) -> np.ndarray:
    """The counts of pairs of verdicts among `names`, in their order."""
    place = {name: number for number, name in enumerate(names)}
    table = np.zeros((len(names), len(names)))
    for one, other in pairs:
        table[place[one], place[other]] += 1
    return table
