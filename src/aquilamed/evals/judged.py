"""What judged answers come to beyond their mean, and how far the judge can be trusted: computed from answers.parquet alone."""

import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from aquilamed.core import resample
from aquilamed.core.kappa import kappa, table_of
from aquilamed.core.ranks import spearman
from aquilamed.evals import grading, judge, stats, verdicts
from aquilamed.evals.stats import Interval
from aquilamed.models import surface, trust


def summary(rows: Sequence[dict], seed: int) -> list[dict]:
    """For each task and judged reading the details of its scores and, under `trust`, of its judge; in order of their names."""
    cells = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["id"]):
        if judge.is_judged(row["reading"]):
            cells[row["task"], row["reading"]].append({**row, "raw": json.loads(row["raw"])})
    return [{"task": task, "reading": reading, **_of(some, seed)} for (task, reading), some in sorted(cells.items())]


def mean(reading: str, values: Sequence[float], groups: Sequence[str]) -> Interval:
    """The mean of grades or rubrics, cut to what it can be: so HealthBench reports its mean, while one case may be below 0."""
    least, most = judge.RANGES[reading]
    found = stats.mean(values, groups)
    return Interval(*(min(most, max(least, value)) for value in (found.value, found.low, found.high)))


def win_rate(scores: Sequence[float], groups: Sequence[str]) -> stats.WinRate:
    """From scores of 1 (won), .5 (tie) and 0 (lost)."""
    return stats.win_rate([round(2 * score - 1) for score in scores], groups)


def _of(rows: list[dict], seed: int) -> dict:
    scored = [row for row in rows if row["score"] is not None]
    why = Counter(verdicts.why(row["reading"], row["raw"]) for row in rows if row["score"] is None)
    details = {judge.PAIRWISE: _pairwise, judge.GRADES: _grades, judge.RUBRIC: _rubric}[rows[0]["reading"].partition(":")[0]]
    return {"judges": sorted({row["raw"]["judge"] for row in rows}), "n": len(scored), "not_judged": dict(sorted(why.items())), **(details(scored, seed) if scored else {})}


def _pairwise(rows: list[dict], seed: int) -> dict:
    """Win, tie and loss with their shares; for each criterion how many contests the answer won, tied, lost or left unsettled."""
    found = [verdicts.settled(row["raw"]) for row in rows]
    outcomes = Counter(row["parsed"] for row in rows)
    lengths = [(len(surface.units(row["raw"]["text"])), len(surface.units(row["raw"]["other"]))) for row in rows]
    plain = {verdicts.NAMES[0]: trust.ONE, verdicts.NAMES[1]: trust.OTHER, trust.TIE: trust.TIE}
    weighed = [trust.Weighed(plain[one.first], plain[one.second], length) for one, length in zip(found, lengths, strict=True)]
    criteria = {key: dict(Counter(one.criteria[key] for one in found)) for key in found[0].criteria}
    again = [(verdicts.settled(row["raw"]), verdicts.settled(row["raw"], "again")) for row in rows if "again" in row["raw"]]
    same = [(one, other) for first, second in again if second.first for one, other in ((first.first, second.first), (first.second, second.second))]
    won = win_rate([row["score"] for row in rows], [row["group"] for row in rows])
    return {name: _share(outcomes[name], len(rows)) for name in (verdicts.WIN, verdicts.TIE, verdicts.LOSS)} | {
        "rate": trust.shown(won.rate), "p": round(won.p, 6), "criteria": criteria, "trust": {**trust.of(weighed), "self_agreement": _same(same, (*verdicts.NAMES, trust.TIE), seed)}}


def _grades(rows: list[dict], seed: int) -> dict:
    """The mean of each aspect and of each turn, with intervals over cases."""
    given = [verdicts.read(row["raw"]["replies"], grading.read_grades)[0] for row in rows]
    by_turn = defaultdict(list)
    for row in rows:
        by_turn[row["raw"]["turn"]].append(row)
    aspects = {aspect: _mean(judge.GRADES, rows, [one[place] for one in given]) for place, aspect in enumerate(grading.ASPECTS)}
    turns = {str(turn): {"n": len(some), **_mean(judge.GRADES, some, [row["score"] for row in some])} for turn, some in sorted(by_turn.items())}
    again = [(one, second[0]) for one, row in zip(given, rows, strict=True) if "again" in row["raw"] and (second := verdicts.read(row["raw"]["again"], grading.read_grades))]
    pairs = [pair for one, other in again for pair in zip(one, other, strict=True)]
    length = spearman(np.array([len(surface.units(row["raw"]["text"])) for row in rows]), np.array([row["score"] for row in rows]))
    return {"aspects": aspects, "turns": turns, "trust": {
        "length_correlation": length, "grades": {str(grade): sum(one.count(grade) for one in given) for grade in range(1, grading.MOST + 1)},
        "self_agreement": {**_same(pairs, range(1, grading.MOST + 1), seed, weighted=True), "mean_difference": round(statistics.fmean(abs(a - b) for a, b in pairs), 4) if pairs else None}}}


def _rubric(rows: list[dict], seed: int) -> dict:
    """The score by each tag of a criterion (HealthBench's axes), as it is published: only cases where such criteria can earn points, the mean cut to 0..1."""
    by_tag, met_pairs, held = defaultdict(list), [], []
    for row in rows:
        criteria, met = row["raw"]["criteria"], verdicts.read(row["raw"]["replies"], grading.read_met)
        held += met
        second = verdicts.read(row["raw"].get("again", [None]), grading.read_met)
        met_pairs += zip(met, second, strict=True) if second else []
        for tag in sorted({tag for one in criteria for tag in one["tags"]}):
            some = [(one, is_met) for one, is_met in zip(criteria, met, strict=True) if tag in one["tags"]]
            earned = grading.earned([one for one, _ in some], [is_met for _, is_met in some])
            if earned is not None:
                by_tag[tag].append((row, earned))
    tags = {tag: {"n": len(some), **_mean(judge.RUBRIC, [row for row, _ in some], [value for _, value in some])} for tag, some in sorted(by_tag.items())}
    return {"below_zero": sum(row["score"] < 0 for row in rows), "tags": tags,
            "trust": {"criteria": len(held), "met": trust.share(held), "self_agreement": _same(met_pairs, (False, True), seed)}}


def _same(pairs: Sequence[tuple], names: Sequence, seed: int, *, weighted: bool = False) -> dict:
    """Of the same question asked twice: the share of equal verdicts with Wilson's interval, and kappa with its own."""
    found = stats.wilson(sum(one == other for one, other in pairs), len(pairs))
    tables = np.array([table_of([pair], list(names)) for pair in pairs])
    beyond = resample.interval(tables, lambda some: kappa(some.sum(0), weighted=weighted), seed=seed, key="again") if pairs else (None,) * 3
    return {"n": len(pairs), "equal": trust.shown(found), "kappa": dict(zip(("value", "low", "high"), beyond, strict=True))}


def _share(count: int, n: int) -> dict:
    return {"n": count, **trust.shown(stats.wilson(count, n))}


def _mean(reading: str, rows: Sequence[dict], values: Sequence[float]) -> dict:
    return trust.shown(mean(reading, values, [row["group"] for row in rows]))
