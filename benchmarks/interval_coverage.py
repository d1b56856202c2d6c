"""How often each interval of `evals.stats` holds the truth, by simulation: 95 of 100 is right.

    python benchmarks/interval_coverage.py                 2,000 draws a row: about a minute on one core
    python benchmarks/interval_coverage.py --draws 200     tries it: printed, not kept

`ours` is the share of intervals that hold the truth; `peer` the same draws with the interval that stood here before 2026-11-30 (percentile bootstrap, normal
quantiles) or that textbooks begin with (Wald). `width` and `peer_width` are their mean widths: an interval may hold the truth by being useless. `equal` is
always true: both see the same draws. Groups have one item or more (Poisson), and share their chance of being right (beta-binomial) or of having changed
(Dirichlet) with an intra-class correlation of .3; documents are of log-normal length, some 1,100 bytes in the middle.

The last rows: how often a test claims a difference where there is none (.05 or less is right), and how often one is found that is as large as the ledger
says these items can show (.8 was asked).
"""

import argparse
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tables as bench

from aquilamed.core.intervals import Z, Interval
from aquilamed.evals import power, stats

ICC, PER_GROUP = 0.3, 4
"""Intra-class correlation, and mean items of a group."""
UNIT = "share of intervals that hold the truth (.95 is right)"


class Case(NamedTuple):
    """A kind of figure."""

    work: str
    draw: Callable
    """(generator, n) -> what is seen."""
    truth: float
    ours: Callable
    """What is seen -> interval."""
    before: Callable
    before_name: str
    sizes: tuple[int, ...]
    """n, the fewest first: items, groups or documents."""
    least: float = 0.93
    """Coverage that the test asks for at the two smallest sizes; where less is known and told, less."""


class Held(NamedTuple):
    """What came of the draws."""

    ours: float
    before: float
    width: float
    before_width: float


def held(case: Case, n: int, draws: int) -> Held:
    """Coverage and mean width of both intervals over `draws` samples of size n."""
    rng, hits, widths = np.random.default_rng([n, len(case.work)]), np.zeros(2), np.zeros(2)
    for _ in range(draws):
        seen = case.draw(rng, n)
        for side, method in enumerate((case.ours, case.before)):
            found = method(*seen)
            hits[side] += found.low - 1e-9 <= case.truth <= found.high + 1e-9
            widths[side] += found.high - found.low
    return Held(*(hits / draws), *(widths / draws))


def names(sizes: np.ndarray) -> list[str]:
    """A group's name for each of its items."""
    return np.repeat(np.arange(len(sizes)), sizes).astype(str).tolist()


def sizes_of(rng: np.random.Generator, n: int) -> np.ndarray:
    return 1 + rng.poisson(PER_GROUP - 1, n)


def alone(p: float) -> Callable:
    return lambda rng, n: ((rng.random(n) < p).astype(float), [str(k) for k in range(n)])


def in_groups(p: float) -> Callable:
    def draw(rng, n):
        sizes, spread = sizes_of(rng, n), (1 - ICC) / ICC
        return (rng.random(sizes.sum()) < np.repeat(rng.beta(p * spread, (1 - p) * spread, n), sizes)).astype(float), names(sizes)
    return draw


def changes(gained: float, lost: float, *, grouped: bool) -> Callable:
    """Old scores, new scores and groups, of items of which the shares are gained and lost."""
    chances = np.array([gained, lost, 1 - gained - lost])

    def draw(rng, n):
        sizes = sizes_of(rng, n) if grouped else np.ones(n, int)
        own = rng.dirichlet(chances * (1 - ICC) / ICC, n) if grouped else np.tile(chances, (n, 1))
        place = (rng.random(sizes.sum())[:, None] > np.repeat(own.cumsum(1), sizes, 0)[:, :2]).sum(1)
        change = np.array([1.0, -1.0, 0.0])[place]
        return (change < 0).astype(float), (change > 0).astype(float), names(sizes)
    return draw


def texts(bits: Callable) -> Callable:
    """Bits and bytes of documents whose bits per byte `bits(generator, n)` draws."""
    def draw(rng, n):
        size = np.exp(rng.normal(7, 0.8, n))
        return bits(rng, n) * size, size
    return draw


def two_kinds(rng, n):
    """Three documents of ten cost 2.1 bits a byte, the rest .78: what a mixed set looks like."""
    return np.where(rng.random(n) < 0.3, rng.normal(2.1, 0.25, n), rng.normal(0.78, 0.12, n))


def two_shares(rng, n):
    """A few items that overlap the training data, right at .6, and four times as many that don't, right at .4."""
    return rng.binomial(n, 0.6) / n, n, rng.binomial(4 * n, 0.4) / (4 * n), 4 * n


def wald(scores, groups) -> Interval:
    p = float(np.mean(scores))
    half = Z * math.sqrt(p * (1 - p) / len(scores))
    return Interval(p, p - half, p + half)


def robust(scores, groups) -> Interval:
    """Clustered standard error, normal quantile; Wilson over groups where these do not differ."""
    found = stats.grouped_spread(scores, groups)
    if found.error < 1e-9:
        return stats.wilson(found.value * (found.freedom + 1), found.freedom + 1)
    return Interval(found.value, max(0.0, found.value - Z * found.error), min(1.0, found.value + Z * found.error))


def percentile(tops, bottoms) -> Interval:
    """The plain percentile bootstrap."""
    drawn = np.random.default_rng(0).integers(0, len(tops), (1000, len(tops)))
    low, high = np.percentile(tops[drawn].sum(1) / bottoms[drawn].sum(1), [2.5, 97.5])
    return Interval(float(tops.sum() / bottoms.sum()), float(low), float(high))


def percentile_of_pairs(old, new, groups) -> Interval:
    """The same over groups, stretched to reach zero where fewer than six differ."""
    number = np.unique(groups, return_inverse=True)[1]
    tops, bottoms = np.bincount(number, new - old), np.bincount(number).astype(float)
    found = percentile(tops, bottoms)
    return found if np.count_nonzero(tops) >= stats.MIN_UNITS else Interval(found.value, min(found.low, 0.0), max(found.high, 0.0))


def wilson_of_ties(old, new, groups) -> Interval:
    """Ties as half a win each."""
    return stats.wilson(float((1 + new - old).sum() / 2), len(new))


def wald_apart(p, n, q, m) -> Interval:
    half = Z * math.sqrt(p * (1 - p) / n + q * (1 - q) / m)
    return Interval(p - q, p - q - half, p - q + half)


def of_texts(tops, bottoms) -> Interval:
    return stats.ratio_of_sums(tops, bottoms, seed=0, key="coverage")


def of_rewritten(tops, bottoms) -> Interval:
    return stats.ratio_difference(np.zeros(len(tops)), tops, bottoms, seed=0, key="coverage")


def won(old, new, groups) -> Interval:
    return stats.win_rate((new - old).astype(int).tolist(), groups).rate


def apart(p, n, q, m) -> Interval:
    return stats.difference(stats.wilson(p * n, n), stats.wilson(q * m, m))


FEW = (5, 10, 20, 50)
DOCUMENTS = (8, 15, 30, 70)
CASES = (
    Case("share .1 of items", alone(0.1), 0.1, stats.share, wald, "Wald", (10, 20, 50, 200)),
    Case("share .5 of items", alone(0.5), 0.5, stats.share, wald, "Wald", (10, 20, 50, 200)),
    Case("share .1 in groups", in_groups(0.1), 0.1, stats.share, robust, "clustered error, normal", FEW, 0.92),
    Case("share .4 in groups", in_groups(0.4), 0.4, stats.share, robust, "clustered error, normal", FEW),
    Case("share .9 in groups", in_groups(0.9), 0.9, stats.share, robust, "clustered error, normal", FEW, 0.92),
    Case("change of items, .2 gained .05 lost", changes(0.2, 0.05, grouped=False), 0.15, stats.paired_difference, percentile_of_pairs, "percentile bootstrap", (10, 20, 40, 100)),
    Case("change of items, .03 gained .03 lost", changes(0.03, 0.03, grouped=False), 0.0, stats.paired_difference, percentile_of_pairs, "percentile bootstrap", (10, 20, 40, 100)),
    Case("change in groups, .2 gained .05 lost", changes(0.2, 0.05, grouped=True), 0.15, stats.paired_difference, percentile_of_pairs, "percentile bootstrap", FEW, 0.92),
    Case("win rate, .4 won .35 tied", changes(0.4, 0.25, grouped=False), 0.575, won, wilson_of_ties, "Wilson, ties halved", (10, 20, 40, 100)),
    Case("win rate in cases, .4 won .35 tied", changes(0.4, 0.25, grouped=True), 0.575, won, wilson_of_ties, "Wilson, ties halved", FEW, 0.91),
    Case("bits per byte, one kind of text", texts(lambda rng, n: rng.normal(1.5, 0.3, n)), 1.5, of_texts, percentile, "percentile bootstrap", DOCUMENTS, 0.91),
    Case("bits per byte, two kinds of text", texts(two_kinds), 0.3 * 2.1 + 0.7 * 0.78, of_texts, percentile, "percentile bootstrap", DOCUMENTS, 0.88),
    Case("change of bits per byte", texts(lambda rng, n: 0.03 * rng.standard_t(4, n) - 0.05), -0.05, of_rewritten, percentile, "percentile bootstrap", DOCUMENTS, 0.91),
    Case("change of bits per byte, skewed", texts(lambda rng, n: 0.04 * rng.gamma(1.5, 1, n) - 0.11), -0.05, of_rewritten, percentile, "percentile bootstrap", DOCUMENTS, 0.87),
    Case("one share less another, n and 4 n items", two_shares, 0.2, apart, wald_apart, "Wald", FEW),
)


def false_claims(draws: int) -> dict[str, float]:
    """Test -> share of draws without a difference in which p is below .05."""
    rng, found = np.random.default_rng(5), {"mcnemar": 0, "grouped": 0, "ratio": 0}
    few, grouped, both = changes(0.12, 0.12, grouped=False), changes(0.12, 0.12, grouped=True), texts(lambda rng, n: rng.normal(0, 0.03, n))
    for _ in range(draws):
        found["mcnemar"] += stats.paired_p(*few(rng, 80)) < 0.05
        found["grouped"] += stats.paired_p(*grouped(rng, 20)) < 0.05
        tops, bottoms = both(rng, 20)
        found["ratio"] += stats.ratio_p(np.zeros(20), tops, bottoms) < 0.05
    return {name: n / draws for name, n in found.items()}


def seen(draws: int) -> dict[str, float]:
    """What is called visible -> how often it is found: two shares apart, a change of items, of items in groups, of bits per byte."""
    rng, n = np.random.default_rng(6), 200
    other = 0.4 + power.between_shares(0.4, n)
    change, grouped = power.paired_shares(0.2, n), visible_in_groups(rng)
    bits = power.of_ratio(*big_texts(rng)) * math.sqrt(20_000 / 40)
    pairs = changes((0.2 + change) / 2, (0.2 - change) / 2, grouped=False)
    cases = changes((0.3 + grouped) / 2, (0.3 - grouped) / 2, grouped=True)
    shifted = texts(lambda rng, n: rng.normal(bits, 0.03, n))
    found = {"two shares": 0, "change of items": 0, "change in groups": 0, "change of bits per byte": 0}
    for _ in range(draws):
        p, q = rng.binomial(n, 0.4) / n, rng.binomial(n, other) / n
        found["two shares"] += apart(q, n, p, n).excludes_zero()
        found["change of items"] += stats.paired_p(*pairs(rng, n)) < 0.05
        found["change in groups"] += stats.paired_p(*cases(rng, 50)) < 0.05
        tops, bottoms = shifted(rng, 40)
        found["change of bits per byte"] += stats.ratio_p(np.zeros(40), tops, bottoms) < 0.05
    return {name: hits / draws for name, hits in found.items()}


def visible_in_groups(rng: np.random.Generator) -> float:
    """For 50 groups of which .3 of the items are discordant, from many such draws."""
    draw = changes(0.15, 0.15, grouped=True)
    return float(np.mean([power.of_paired(*draw(rng, 50)) for _ in range(200)]))


def big_texts(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return texts(lambda rng, n: rng.normal(0, 0.03, n))(rng, 20_000)


def ratio(ours: float, peer: float, right: float) -> float:
    """How near ours comes to `right`, by how near the peer does."""
    return round((1 - abs(ours - right)) / (1 - abs(peer - right)), 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=2000)
    draws = parser.parse_args().draws
    rows = []
    for case in CASES:
        for n in case.sizes:
            found = held(case, n, draws)
            rows.append(bench.row(f"{case.work}, n {n}", found.ours, found.before, case.before_name, unit=UNIT, runs=draws, equal=True,
                                  ratio=ratio(found.ours, found.before, 0.95), width=round(found.width, 4), peer_width=round(found.before_width, 4)))
    rows += [bench.row(f"claims without a difference, {name}", share, 0.05, "at most", unit="share of draws with p < .05 (at most .05 is right)", runs=draws, equal=True, ratio=ratio(max(share, 0.05), 0.05, 0.05))
             for name, share in false_claims(draws).items()]
    rows += [bench.row(f"visible difference found, {name}", share, power.POWER, "asked for", unit="share of draws that find it", runs=draws, equal=True, ratio=ratio(share, power.POWER, power.POWER))
             for name, share in seen(draws).items()]
    publish = bench.publish if draws >= 2000 else bench.show
    publish("interval_coverage", rows, bench.versions("numpy", "scipy"))


if __name__ == "__main__":
    main()
