"""The intervals and tests, against numbers worked out by hand, against scipy, and against statsmodels."""

import itertools
import math
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from aquilamed.evals import power, stats

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import interval_coverage as coverage  # noqa: E402

ALONE = [str(i) for i in range(100)]


def test_wilson_by_hand():
    # 8 of 10, z = 1.96: (0.8 + 3.8415/20) / 1.38415 = .71673; half = 1.96/1.38415 * sqrt(.016 + 3.8415/400) = .22659
    found = stats.wilson(8, 10)
    assert (found.value, round(found.low, 4), round(found.high, 4)) == (0.8, 0.4902, 0.9433)
    assert stats.wilson(0, 20).low == 0.0 and round(stats.wilson(0, 20).high, 4) == 0.1611      # 3.8415 / 23.8415
    assert math.isnan(stats.wilson(0, 0).value)


@pytest.mark.parametrize(("k", "n"), [(0, 7), (3, 10), (50, 100), (399, 400)])
def test_wilson_and_mcnemar_are_scipys(k, n):
    theirs = scipy.stats.binomtest(k, n).proportion_ci(method="wilson")
    ours = stats.wilson(k, n)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    old, new = [0] * k + [1] * (n - k), [1] * k + [0] * (n - k)
    assert stats.mcnemar(old, new) == pytest.approx(scipy.stats.binomtest(k, n).pvalue)


def test_clustered_share_by_hand():
    # 40 x groups a (1, 1), b (0, 0), c (1, 0): mean .5, residual sums 1, -1, 0; variance = 80 / 240**2 * 120/119; 240 items are worth .25 / variance
    groups = [f"{g}{i}" for i in range(40) for g in "aabbcc"]
    variance = 80 / 240**2 * 120 / 119
    assert stats.effective_n([1, 1, 0, 0, 1, 0] * 40, groups) == pytest.approx(0.25 / variance) == pytest.approx(178.5)
    # Wilson's for 178.5 items at .5 with t(119) = 1.9801: half = sqrt(.25 / 178.5 + t2 / (4 * 178.5**2)) * t / (1 + t2 / 178.5) = .07330
    found = stats.share([1, 1, 0, 0, 1, 0] * 40, groups)
    assert found.value == 0.5 and (found.high - 0.5, 0.5 - found.low) == pytest.approx((0.0733, 0.0733), abs=5e-5)
    plain = stats.share([1, 1, 0, 0, 1, 0] * 40, [str(i) for i in range(240)])
    assert plain.high - plain.low < found.high - found.low


def test_equal_groups_count_as_items():
    found = stats.clustered_share([1.0] * 20, [str(i // 5) for i in range(20)])
    assert found.high == 1.0 and found.low == pytest.approx(4 / (4 + 3.1824**2), abs=1e-4)      # Wilson's low of 4 of 4 is n / (n + t2), t(3) = 3.1824
    assert stats.effective_n([1, 0, 1, 0], list("aabb")) == 2 and stats.effective_n([1, 0, 1, 0], list("abcd")) == 4


def test_mean_is_scipys_t_interval_and_wider_for_groups():
    values = [1.0, 4.0, 2.5, 3.0, 5.0]
    theirs = scipy.stats.ttest_1samp(values, 0).confidence_interval()
    ours = stats.mean(values, list("abcde"))
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    twice = stats.mean(values * 2, list("abcde") * 2)
    assert (twice.low, twice.high) == pytest.approx((ours.low, ours.high))      # every item twice tells nothing new
    assert stats.mean(values, ["a"] * 5).high == math.inf


def test_mcnemar_by_hand():
    old = [0] * 8 + [1] * 2 + [1] * 90
    new = [1] * 8 + [0] * 2 + [1] * 90
    assert stats.mcnemar(old, new) == pytest.approx(2 * (1 + 10 + 45) / 1024)     # 8 gained, 2 lost
    assert stats.mcnemar([1, 0], [1, 0]) == 1.0
    assert stats.mcnemar([0] * 6, [1] * 6) == pytest.approx(2 / 64)
    assert stats.paired_p(old, new, ALONE) == stats.mcnemar(old, new)


def test_paired_difference_by_hand():
    # 20 gained and 5 lost of 100: (21 - 6) / 102 = .14706; variance (27/102 - .14706**2) / 102 = .0023831; t(99) = 1.98422: half .09686
    old, new = [0] * 30 + [1] * 70, [1] * 20 + [0] * 10 + [1] * 65 + [0] * 5
    found = stats.paired_difference(old, new, ALONE)
    assert found.value == pytest.approx(0.15) and (found.low, found.high) == pytest.approx((0.0502, 0.2439), abs=5e-5)
    order = np.random.default_rng(0).permutation(100)
    assert stats.paired_difference(*(np.array(column)[order] for column in (old, new, ALONE))) == found
    assert stats.paired_difference(new, old, ALONE).low == pytest.approx(-found.high)
    grouped = stats.paired_difference(old, new, [str(i // 10) for i in range(100)])
    assert grouped.value == pytest.approx(0.15) and grouped.high - grouped.low > found.high - found.low


def test_p_of_groups_goes_with_the_interval():
    chance = np.random.default_rng(3)
    for _ in range(200):
        groups = [str(i // 4) for i in range(48)]
        change = np.repeat(chance.choice([-1, 0, 1], 12, p=[0.15, 0.35, 0.5]), 4)
        found, p = stats.paired_difference([0] * 48, change, groups), stats.paired_p([0] * 48, change, groups)
        assert found.excludes_zero() == (p < 0.05)


def test_five_differing_units_claim_nothing():
    for n, claims in ((5, False), (6, True)):
        old, new = [0] * 6, [1] * n + [0] * (6 - n)
        assert stats.paired_difference(old, new, list("abcdef")).excludes_zero() is claims
        assert (stats.paired_p(old, new, list("abcdef")) < 0.05) is claims
    assert not stats.ratio_difference([10, 10], [5, 5], [10, 10], seed=0, key="t").excludes_zero()
    assert stats.ratio_p([10, 10], [5, 5], [10, 10]) == 1.0
    five = [str(i // 8) for i in range(40)]
    assert not stats.paired_difference([0] * 40, [1] * 40, five).excludes_zero() and stats.paired_p([0] * 40, [1] * 40, five) == 1.0


def test_ratio_of_sums_weighs_by_bytes():
    found = stats.ratio_of_sums([10, 90], [10, 30], seed=0, key="bpb")
    assert found.value == 2.5                         # not the mean of 1 and 3
    assert (found.low, found.high) == (1.0, 3.0)      # a quarter of the resamples each: both extremes
    difference = stats.ratio_difference([10, 90], [6, 82], [10, 30], seed=0, key="bpb")
    assert difference.value == pytest.approx(-12 / 40)


def test_one_document_bounds_nothing():
    one = stats.ratio_of_sums([12.0], [10.0], seed=0, key="bpb")
    assert (one.value, one.low) == (1.2, 0.0) and one.high >= 8
    apart = stats.ratio_difference([12.0], [11.0], [10.0], seed=0, key="bpb")
    assert apart.value == pytest.approx(-0.1) and apart.low < -7 and apart.high > 7


def test_ratio_p_is_students_t_where_documents_are_equal():
    old, new = np.full(12, 150.0), 150 + np.array([-6, -2, 1, -4, -5, 2, -3, -7, 0.5, -1, -4, -2])
    assert stats.ratio_p(old, new, np.full(12, 100.0)) == pytest.approx(scipy.stats.ttest_rel(new, old).pvalue)


def test_holm_by_hand():
    # .01 x 4, then .03 x 3 and the same for .04 x 2 which would be less, then the largest as it is
    assert stats.holm([0.04, 0.01, 0.5, 0.03]) == pytest.approx([0.09, 0.04, 0.5, 0.09])
    assert stats.holm([]) == [] and stats.holm([0.2]) == [0.2] and stats.holm([0.9, 0.8]) == [1.0, 1.0]


def test_win_rate_by_hand():
    # 14 won, 10 tied, 4 lost of 28: (14 + 5) / 28; lead (15 - 5) / 30 = 1/3, variance (20/30 - 1/9) / 30 = .0185185, t(27) = 2.05183: half .27922
    found = stats.win_rate([1] * 14 + [0] * 10 + [-1] * 4, ALONE[:28])
    assert (found.wins, found.ties, found.losses) == (14, 10, 4) and found.rate.value == pytest.approx(19 / 28)
    assert (found.rate.low, found.rate.high) == pytest.approx((0.5 + (1 / 3 - 0.27922) / 2, 0.5 + (1 / 3 + 0.27922) / 2), abs=1e-5)
    assert found.p == pytest.approx(2 * sum(math.comb(18, k) for k in range(5)) / 2**18)
    turns = stats.win_rate([1] * 14 + [0] * 10 + [-1] * 4, [str(i // 4) for i in range(28)])
    assert turns.rate.value == found.rate.value and turns.rate.high - turns.rate.low > found.rate.high - found.rate.low and turns.p > found.p
    only_ties = stats.win_rate([0] * 10, ALONE[:10])
    assert only_ties.rate.value == 0.5 and only_ties.rate.low < 0.45 and only_ties.p == 1.0


def test_difference_of_two_shares_is_newcombes():
    # his example: 56 of 70 against 48 of 80: .2, .0524 to .3339
    found = stats.difference(stats.wilson(56, 70), stats.wilson(48, 80))
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_power_by_hand():
    # p = .5, 100 items a side: h = 2.8016 / sqrt(50) = .3962; sin**2(pi/4 + .1981) = (1 + sin .3962) / 2 = .6930
    assert power.between_shares(0.5, 100) == pytest.approx(0.1930, abs=5e-5)
    assert power.between_shares(0.9, 100) == pytest.approx(power.between_shares(0.1, 100)) and 0 < power.between_shares(0.0, 100) < 0.05
    # discordance .2 of 100: x sqrt(100) = 1.96 sqrt(.2) + .8416 sqrt(.2 - x**2), so 100.708 x**2 - 17.530 x + .6266 = 0: x = .1238
    assert power.paired_shares(0.2, 100) == pytest.approx(0.1238, abs=5e-5)
    # nothing discordant yet: all that changes must change one way: 10 sqrt(x) = 1.96 + .8416 sqrt(1 - x), x = .0767
    assert power.paired_shares(0.0, 100) == pytest.approx(0.0767, abs=5e-5) == power.paired_shares(0.05, 100)
    assert power.paired_shares(0.0, 2) == 1.0
    spread = np.array([1.0, -1.0] * 8)          # error of the mean: sqrt(16/15) / 4 = .2582; t(15): 2.1314 + .8662
    assert power.of_ratio(spread, np.ones(16)) == pytest.approx(0.2582 * 2.9976, abs=1e-4)
    assert power.of_ratio([2.0], [1.0]) is None and power.of_mean([3.0, 4.0], ["a", "a"]) is None             # one unit alone shows nothing


def test_grouped_items_show_less():
    old, new, groups = [0, 1] * 60, [1, 1, 0, 1, 0, 1] * 20, [str(i // 6) for i in range(120)]
    assert power.of_paired(old, new, groups) <= power.of_paired(old, sorted(new), groups)
    scores = [1] * 60 + [0] * 60
    assert power.of_share(scores, groups) > 2 * power.of_share(scores, [str(i) for i in range(120)])


def test_statsmodels_says_the_same():
    chance = np.random.default_rng(1)
    for n in (1, 2, 7, 40):
        p = chance.random(n) ** 4
        assert stats.holm(list(p)) == pytest.approx(list(multipletests(p, method="holm")[1]))
    for k, n in ((0, 9), (5, 12), (77, 80)):
        ours = stats.wilson(k, n)
        assert (ours.low, ours.high) == pytest.approx(proportion_confint(k, n, method="wilson"))
        ours = stats.difference(stats.wilson(k, n), stats.wilson(20, 50))
        assert (ours.low, ours.high) == pytest.approx(confint_proportions_2indep(k, n, 20, 50, method="newcomb", compare="diff"), abs=1e-9)
    for gained, lost in ((8, 2), (0, 0), (30, 17)):
        theirs = mcnemar([[40, lost], [gained, 10]], exact=True).pvalue
        assert stats.mcnemar([0] * gained + [1] * lost, [1] * gained + [0] * lost) == pytest.approx(theirs)
    effect = NormalIndPower().solve_power(nobs1=100, alpha=0.05, power=0.8)
    other = math.sin(math.asin(math.sqrt(0.3)) + effect / 2) ** 2
    assert power.between_shares(0.3, 100) == pytest.approx(other - 0.3, abs=1e-4)


def test_statsmodels_has_the_same_clustered_error():
    chance = np.random.default_rng(2)
    groups, values = chance.integers(0, 15, 90), chance.random(90)
    fitted = OLS(values, np.ones(90)).fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False, "df_correction": True})
    found = stats.grouped_spread(values, [str(g) for g in groups])
    assert found.error == pytest.approx(float(fitted.bse[0]) * math.sqrt(15 / 14)) and found.freedom == 14


@pytest.mark.parametrize("case", coverage.CASES, ids=lambda case: case.work)
def test_intervals_hold_the_truth(case):
    """Of 300 draws with a fixed seed; the bounds are what `benchmarks/interval_coverage.py` finds less three standard errors."""
    for n in case.sizes[:2]:
        held = coverage.held(case, n, 300)
        assert held.ours >= case.least - 0.038, (n, held)


def test_p_of_no_difference_is_seldom_small():
    """True of every test of the ledger at the sizes of a quickstart: 300 draws without any difference."""
    found = coverage.false_claims(300)
    assert set(found) == {"mcnemar", "grouped", "ratio"} and all(share <= 0.05 + 0.038 for share in found.values()), found


def test_what_is_said_to_be_visible_is_seen():
    shares = coverage.seen(300)
    assert all(0.68 <= share <= 0.95 for share in shares.values()), shares


def test_five_of_six_is_not_six_of_six():
    for wins, losses in itertools.product(range(7), range(3)):
        found = stats.win_rate([1] * wins + [-1] * losses + [0] * 4, ALONE[:wins + losses + 4])
        assert (found.p < 0.05) == (wins >= 6 and losses == 0)
