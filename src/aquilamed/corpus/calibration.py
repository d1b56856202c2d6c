"""From a model's raw outputs to probabilities and thresholds, on documents that the model was not taught with."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Calibration:
    """Logistic regression on one or more raw outputs: with one of them Platt's scaling, with more a blend of models."""

    weights: np.ndarray
    intercept: float

    def probability(self, *raw: np.ndarray) -> np.ndarray:
        """To 4 decimals, so that the last bits of a sum don't reach any file."""
        score = sum(weight * column.astype(np.float64) for weight, column in zip(self.weights, raw, strict=True)) + self.intercept
        return np.round(sigmoid(score), 4)


def sigmoid(score: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(score, -50, 50)))


def fit(truth: np.ndarray, *raw: np.ndarray, penalty: float = 1e-2) -> Calibration:
    """Fitted by Newton's method to Platt's targets, (n + 1) / (n + 2) and 1 / (n + 2), which keep certainty away from 0 and 1.

    `penalty` is on the weights of the outputs in standard deviations; it decides only where they separate the classes.
    """
    columns = np.column_stack([column.astype(np.float64) for column in raw])
    mean, deviation = columns.mean(axis=0), np.maximum(columns.std(axis=0), 1e-9)
    scaled = np.column_stack([(columns - mean) / deviation, np.ones(len(truth))])
    n_true, n_false = int(truth.sum()), int((~truth).sum())
    target = np.where(truth, (n_true + 1) / (n_true + 2), 1 / (n_false + 2))
    ridge = np.diag([penalty * len(truth) / 100] * len(raw) + [1e-9])
    found = np.zeros(scaled.shape[1])
    for _ in range(50):
        p = sigmoid(scaled @ found)
        slope = scaled.T @ (p - target) + ridge @ found
        step = np.linalg.solve(scaled.T @ (scaled * (p * (1 - p))[:, None]) + ridge + 1e-6 * np.eye(len(found)), slope)
        found = found - np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-9:
            break
    weights = np.round(found[:-1] / deviation, 9)
    return Calibration(weights=weights, intercept=round(float(found[-1] - (found[:-1] / deviation * mean).sum()), 9))


def calibration_error(probability: np.ndarray, truth: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error, 0..1 to 4 decimals: the mean gap between what was said and what was so, over bins of equal width."""
    if len(truth) == 0:
        return 0.0
    place = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [abs(probability[place == k].mean() - truth[place == k].mean()) * (place == k).mean() for k in np.unique(place)]
    return round(float(sum(gaps)), 4)


def best_f1(probability: np.ndarray, truth: np.ndarray) -> float:
    """The threshold with the highest F1, half way to the next lower value; of equal ones the lowest."""
    values, hits, said = _steps(probability, truth)
    f1 = 2 * hits / np.maximum(said + truth.sum(), 1)
    return _below(values, len(f1) - 1 - int(np.argmax(f1[::-1])))


def for_precision(score: np.ndarray, truth: np.ndarray, precision: float) -> float | None:
    """The threshold with the most documents above it of which at least this share is true; None where there is none."""
    values, hits, said = _steps(score, truth)
    enough = np.flatnonzero(hits >= precision * said - 1e-9)
    return _below(values, int(enough[-1])) if len(enough) else None


def _steps(score: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(distinct scores from the top, how many at or above each are true, how many there are)."""
    values, place = np.unique(-score, return_inverse=True)
    return -values, np.cumsum(np.bincount(place, weights=truth, minlength=len(values))), np.cumsum(np.bincount(place, minlength=len(values)))


def _below(values: np.ndarray, k: int) -> float:
    """A threshold between value `k` and the next lower one, to 4 decimals; the value itself where they are that near."""
    between = round(float((values[k] + values[k + 1]) / 2), 4) if k + 1 < len(values) else round(float(values[k]), 4)
    return between if k + 1 == len(values) or values[k + 1] < between <= values[k] else float(values[k])
