"""How far the longer answer is the chosen one, and the fewest pairs to leave out so that length no longer tells."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from aquilamed.core.chance import share

WIDTH = 0.25
"""Of a bin of |ln(chosen / rejected)|: pairs whose longer answer is about equally much longer balance each other. ours"""


def bias(chosen: np.ndarray, rejected: np.ndarray) -> dict[str, float]:
    """Of answers' characters: `longer_chosen`, the share of pairs of different lengths whose chosen answer is the longer one; `log_ratio`, the mean of
    ln(chosen / rejected); `auc`, the chance that a chosen answer is longer than a rejected one of any pair, of equal ones half."""
    below = np.sort(rejected)
    auc = (np.searchsorted(below, chosen, "left") + np.searchsorted(below, chosen, "right")).mean() / (2 * len(below)) if len(below) else 0.5
    differ = chosen != rejected
    return {"n": len(chosen), "longer_chosen": round(float((chosen > rejected)[differ].mean()), 4) if differ.any() else 0.5,
            "log_ratio": round(float(np.log(chosen / rejected).mean()), 4) if len(chosen) else 0.0, "auc": round(float(auc), 4)}


def by_cell(cells: Sequence[str], chosen: np.ndarray, rejected: np.ndarray) -> dict[str, dict[str, float]]:
    """`bias` of all pairs and of each cell."""
    names = np.array(cells, str)
    found = {cell: bias(chosen[names == cell], rejected[names == cell]) for cell in sorted(set(cells))}
    return {"all": bias(chosen, rejected), **found}


def unmatched(cells: Sequence[str], chosen: np.ndarray, rejected: np.ndarray, keys: Sequence[tuple[str, ...]], seed: int) -> list[int]:
    """The rows to leave out so that in every cell and bin as many pairs have the longer answer chosen as rejected; by chance of the first of `keys`, an id.

    That many rows and no fewer: each bin loses the difference between its two sides.
    """
    bins: dict[tuple[str, int], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    ratios = np.log(chosen / rejected)
    for row, (cell, ratio) in enumerate(zip(cells, ratios.tolist(), strict=True)):
        if ratio:
            bins[cell, int(abs(ratio) / WIDTH)][ratio > 0].append(row)
    gone = []
    for sides in bins.values():
        few, many = sorted(sides, key=len)
        gone += sorted(many, key=lambda row: (share(seed, keys[row][0]), keys[row]))[:len(many) - len(few)]
    return sorted(gone)
