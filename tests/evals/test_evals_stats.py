"""The intervals, against numbers worked out by hand."""

import math

import numpy as np
import pytest

from aquilamed.evals import stats


def test_wilson_by_hand():
    # 8 of 10, z = 1.96: (0.8 + 3.8415/20) / 1.38415 = .71673; half = 1.96/1.38415 * sqrt(.016 + 3.8415/400) = .22659
    found = stats.wilson(8, 10)
    assert (found.value, round(found.low, 4), round(found.high, 4)) == (0.8, 0.4902, 0.9433)
    assert stats.wilson(0, 20).low == 0.0 and round(stats.wilson(0, 20).high, 4) == 0.1611      # 3.8415 / 23.8415
    assert math.isnan(stats.wilson(0, 0).value)


def test_clustered_mean_by_hand():
    # groups a (1, 1), b (0, 0), c (1, 0): mean .5, residual sums 1, -1, 0; variance 2/36 * 3/2 = 1/12
    found = stats.clustered_mean([1, 1, 0, 0, 1, 0], list("aabbcc"))
    half = 1.959964 * math.sqrt(1 / 12)
    assert found.value == 0.5 and found.low == max(0, 0.5 - half) and found.high == min(1, 0.5 + half) == 1.0
    many = stats.clustered_mean([1, 1, 0, 0, 1, 0] * 40, [f"{g}{i}" for i in range(40) for g in "aabbcc"])
    # 120 groups, 40 x as many items: variance = 80 / 240**2 * 120/119
    assert many.high == pytest.approx(0.5 + 1.959964 * math.sqrt(80 / 240**2 * 120 / 119))
    plain = stats.share([1, 1, 0, 0, 1, 0] * 40, [str(i) for i in range(240)])
    assert plain.high - plain.low < many.high - many.low


def test_equal_groups_fall_back_to_wilson_over_groups():
    found = stats.clustered_mean([1.0] * 20, [str(i // 5) for i in range(20)])
    assert (found.low, found.high) == (stats.wilson(4, 4).low, 1.0)


def test_mcnemar_by_hand():
    old = [0] * 8 + [1] * 2 + [1] * 90
    new = [1] * 8 + [0] * 2 + [1] * 90
    assert stats.mcnemar(old, new) == pytest.approx(2 * (1 + 10 + 45) / 1024)     # 8 gained, 2 lost
    assert stats.mcnemar([1, 0], [1, 0]) == 1.0
    assert stats.mcnemar([0] * 6, [1] * 6) == pytest.approx(2 / 64)


def test_paired_difference_brackets_the_normal_interval():
    old, new = [0] * 30 + [1] * 70, [1] * 20 + [0] * 10 + [1] * 65 + [0] * 5      # 20 gained, 5 lost of 100
    found = stats.paired_difference(old, new, [str(i) for i in range(100)], seed=0, key="t")
    half = 1.96 * math.sqrt((0.25 - 0.15**2) / 100)
    assert found.value == pytest.approx(0.15)
    assert found.low == pytest.approx(0.15 - half, abs=0.02) and found.high == pytest.approx(0.15 + half, abs=0.02)
    assert found.excludes_zero()
    assert found == stats.paired_difference(old, new, [str(i) for i in range(100)], seed=0, key="t")
    one_group = stats.paired_difference(old, new, [str(i // 10) for i in range(100)], seed=0, key="t")
    assert one_group.value == pytest.approx(0.15) and one_group != found


def test_five_differing_units_claim_nothing():
    for n, claims in ((5, False), (6, True)):
        found = stats.paired_difference([0] * 6, [1] * n + [0] * (6 - n), list("abcdef"), seed=0, key="t")
        assert found.excludes_zero() is claims
    assert not stats.ratio_difference([10, 10], [5, 5], [10, 10], seed=0, key="t").excludes_zero()


def test_ratio_of_sums_weighs_by_bytes():
    found = stats.ratio_of_sums([10, 90], [10, 30], seed=0, key="bpb")
    assert found.value == 2.5                         # not the mean of 1 and 3
    assert (found.low, found.high) == (1.0, 3.0)      # a quarter of the resamples each: both extremes
    difference = stats.ratio_difference([10, 90], [6, 82], [10, 30], seed=0, key="bpb")
    assert difference.value == pytest.approx(-12 / 40)


def test_bootstrap_covers():
    chance = np.random.default_rng(0)
    hits = 0
    for trial in range(100):
        sizes = chance.integers(50, 500, 40)
        bits = sizes * chance.normal(1.5, 0.3, 40)
        found = stats.ratio_of_sums(bits, sizes, seed=trial, key="c")
        hits += found.low <= 1.5 <= found.high
    assert 87 <= hits <= 99
