"""Weighted kappa and its interval."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from aquilamed.core import resample
from aquilamed.core.kappa import kappa, table_of


def test_weighted_kappa_by_hand():
    table = np.array([[1, 0, 1], [0, 0, 1], [0, 1, 0]])          # squared distances: 4 + 1 + 1 = 6; by chance, rows (2, 1, 1) and columns (1, 1, 2): (2 + 16 + 1 + 2 + 4 + 1) / 4 = 6.5
    assert kappa(table, weighted=True) == pytest.approx(1 - 6 / 6.5)
    assert kappa(np.diag([3, 2, 1]), weighted=True) == 1 and kappa(np.diag([3, 0, 0]), weighted=True) is None and kappa(np.zeros((3, 3)), weighted=True) is None


def test_both_kappas_are_those_of_scikit_learn():
    chance = np.random.default_rng(0)
    for _ in range(50):
        one = chance.integers(1, 6, 40)
        other = np.clip(one + chance.integers(-1, 2, 40), 1, 5)
        table = table_of(list(zip(one.tolist(), other.tolist(), strict=True)), range(1, 6))
        assert kappa(table, weighted=True) == pytest.approx(cohen_kappa_score(one, other, weights="quadratic", labels=range(1, 6)))
        assert kappa(table) == pytest.approx(cohen_kappa_score(one, other))


def test_an_interval_covers_and_few_units_have_none():
    chance, covered = np.random.default_rng(1), 0
    for k in range(60):
        drawn = chance.normal(0.5, 1, 80)
        value, low, high = resample.interval(drawn, lambda some: float(some.mean()), seed=k, key="m")
        assert low < value < high
        covered += low <= 0.5 <= high
    assert covered >= 52                                                     # 57 of 60 are expected
    assert resample.interval(np.ones(5), lambda some: float(some.mean()), seed=0, key="m") == (1.0, None, None)
