"""From which score on a document is called good: chosen from a precision that was asked for, on documents that no model was taught with."""

import dataclasses

import numpy as np

from aquilamed.corpus import calibration

ALL = "all"
"""The threshold of every language that has none of its own."""
OWN = 20
"""Good documents, and others, from which a language has a threshold of its own."""
FEWEST = 20
"""Documents from a threshold on without which its precision says nothing."""


@dataclasses.dataclass(frozen=True)
class Threshold:
    """A score, and what it reached where it was chosen."""

    value: float
    precision: float
    """Share that is good of what reaches it."""
    recall: float
    """Share of the good that reaches it."""
    n: int

    def warning(self, lang: str, asked: float) -> str:
        return f"{lang}: no score keeps {asked:.0%} good; from {self.value:.2f} on {self.precision:.0%} of {self.n} unseen seeds' kept ones are; label more seeds or ask for less"


def choose(scores: np.ndarray, good: np.ndarray, langs: np.ndarray, precision: float, given: float) -> dict[str, Threshold]:
    """A threshold for `all` and for each language with documents enough; `given`, where it is not 0, for all alike."""
    groups = {ALL: np.ones(len(scores), bool), **{str(lang): langs == lang for lang in np.unique(langs)}}
    return {lang: _one(scores[rows], good[rows], precision, given) for lang, rows in groups.items()
            if lang == ALL or min(int(good[rows].sum()), int((~good[rows]).sum())) >= OWN}


def _one(scores: np.ndarray, good: np.ndarray, precision: float, given: float) -> Threshold:
    value = given or calibration.for_precision(scores, good, precision)
    if value is None or (not given and int((scores >= value).sum()) < min(FEWEST, len(scores))):
        value = _most_precise(scores, good)
    value = float(np.ceil(np.round(100 * float(value), 6)) / 100)       # scores have two decimals; never below what was chosen
    kept = scores >= value
    hits = int((kept & good).sum())
    return Threshold(value, round(hits / max(int(kept.sum()), 1), 4), round(hits / max(int(good.sum()), 1), 4), len(scores))


def _most_precise(scores: np.ndarray, good: np.ndarray) -> float:
    """The score from which on the largest share is good, of those that at least `FEWEST` documents reach; of equal ones the lowest."""
    order = np.argsort(-scores, kind="stable")
    n = np.arange(1, len(scores) + 1)
    last = np.append(np.diff(scores[order]) != 0, True)            # equal scores are kept together
    share = np.where(last & (n >= min(FEWEST, len(scores))), np.cumsum(good[order]) / n, -1)
    return float(scores[order][len(share) - 1 - int(np.argmax(share[::-1]))])
