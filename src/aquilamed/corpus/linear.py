"""The fast model: logistic regression on hashed n-grams weighed by their rarity, with what it says of seeds that it was not taught with."""

import dataclasses

import numpy as np
import pyarrow as pa

from aquilamed.core import chance
from aquilamed.hygiene.features import hashed, rarity, weighed

FOLDS = 5


@dataclasses.dataclass(frozen=True)
class Linear:
    """Rarity and weight of every column, and the intercept."""

    rarity: np.ndarray
    weights: np.ndarray
    intercept: float

    def raw(self, texts: pa.Array | pa.ChunkedArray) -> np.ndarray:
        """A logit for each text, to 6 decimals."""
        return self.of(hashed(texts, len(self.weights).bit_length() - 1))

    def of(self, columns) -> np.ndarray:
        """The same of texts that `features.hashed` has read."""
        return np.round(weighed(columns, self.rarity) @ self.weights + self.intercept, 6)


def learn(texts: pa.Array | pa.ChunkedArray, truth: np.ndarray, *, bits: int, inverse_penalty: float) -> Linear:
    """Both classes have equal weight."""
    return _fitted(hashed(texts, bits), truth, inverse_penalty)


def unseen(texts: pa.Array | pa.ChunkedArray, truth: np.ndarray, folds: np.ndarray, *, bits: int, inverse_penalty: float) -> np.ndarray:
    """The logit of each text by a model learnt from the other folds: what thresholds are chosen on without losing seeds to it."""
    columns, found = hashed(texts, bits), np.zeros(len(truth))
    for fold in np.unique(folds):
        found[folds == fold] = _fitted(columns[folds != fold], truth[folds != fold], inverse_penalty).of(columns[folds == fold])
    return found


def folds_of(ids: list[str], truth: np.ndarray, seed: int) -> np.ndarray:
    """A fold, 0..4, for each seed: by chance, with equally many of each class in all."""
    order = sorted(range(len(ids)), key=lambda k: (bool(truth[k]), chance.share(seed, f"fold/{ids[k]}"), ids[k]))
    n_false, folds = int((~truth).sum()), np.zeros(len(ids), int)
    folds[order] = [(place if place < n_false else place - n_false) % FOLDS for place in range(len(ids))]
    return folds


def _fitted(columns, truth: np.ndarray, inverse_penalty: float) -> Linear:
    from sklearn.linear_model import LogisticRegression
    rare = rarity(columns)
    fitted = LogisticRegression(C=inverse_penalty, class_weight="balanced", solver="newton-cg", max_iter=1000).fit(weighed(columns, rare), truth)
    return Linear(rarity=rare, weights=fitted.coef_[0].astype(np.float64), intercept=float(fitted.intercept_[0]))
