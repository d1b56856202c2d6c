"""A score learnt from scored texts: ridge regression on n-grams and the shape of the text."""

import dataclasses

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_matrix, hstack

from aquilamed.hygiene.features import hashed, shape

SHAPE_WEIGHT = 0.3
"""What a standard deviation of shape counts against the n-grams, whose rows have length 1."""


@dataclasses.dataclass(frozen=True)
class Ridge:
    """Weights of the n-gram columns, then of the shape columns and their squares, scaled by `mean` and `deviation`."""

    weights: np.ndarray
    intercept: float
    mean: np.ndarray
    deviation: np.ndarray

    def raw(self, texts: pa.Array | pa.ChunkedArray) -> np.ndarray:
        """The score of each text, to 6 decimals; not held to any scale."""
        bits = (len(self.weights) - 2 * len(self.mean)).bit_length() - 1
        return np.round(_columns(texts, bits, self.mean, self.deviation) @ self.weights + self.intercept, 6)


def fit(texts: pa.Array | pa.ChunkedArray, scores: np.ndarray, *, bits: int, penalty: float) -> Ridge:
    """Ridge regression with the n-grams hashed into 2**bits columns; by one thread, so that the weights don't depend on how many there are."""
    from sklearn.linear_model import Ridge as Regression
    from threadpoolctl import threadpool_limits
    figures = shape(texts)
    mean, deviation = figures.mean(axis=0), np.maximum(figures.std(axis=0), 1e-6)
    with threadpool_limits(1):
        fitted = Regression(alpha=penalty, solver="lsqr", tol=1e-6, max_iter=2000).fit(_columns(texts, bits, mean, deviation), scores)
    return Ridge(weights=fitted.coef_.astype(np.float64), intercept=float(fitted.intercept_), mean=mean, deviation=deviation)


def _columns(texts: pa.Array | pa.ChunkedArray, bits: int, mean: np.ndarray, deviation: np.ndarray) -> csr_matrix:
    """The n-grams, then the shape in standard deviations and its square: too much of something is as bad as too little."""
    scaled = np.clip((shape(texts) - mean) / deviation, -5, 5)
    return hstack([hashed(texts, bits), csr_matrix(SHAPE_WEIGHT * np.hstack([scaled, scaled**2]))], format="csr")
