"""From a judge's replies to what an answer is worth: pure, so that a finished evaluation is scored again without a model or an endpoint.

`raw` of a judged answer holds `text` (the answer), `judge`, `replies` (None: refused) and, where the judge was asked twice, `again`; and what was shown beside it. A reply that is missing or can't be read
is no judgement: the answer has no score, and is counted apart.
"""

from collections.abc import Sequence

from aquilamed.evals import grading, help_rule
from aquilamed.models import comparing

WIN, TIE, LOSS = "win", "tie", "loss"
NAMES = ("answer", "other")
Judgement = tuple[str | None, float | None]


def pairwise(raw: dict) -> Judgement:
    """A win or a loss where both orders agree, else a tie; half a point for it. paper 3.2"""
    found = settled(raw)
    if not found.first:
        return None, None
    return (WIN, 1.0) if found.winner == NAMES[0] else (LOSS, 0.0) if found.winner else (TIE, 0.5)


def settled(raw: dict, key: str = "replies") -> comparing.Settled:
    """What both orders came to."""
    return comparing.settled(*raw[key], NAMES)


def grades(raw: dict) -> Judgement:
    """The mean of the four grades, 1..5. paper 3.2"""
    found = read(raw["replies"], grading.read_grades)
    return (None, None) if found is None else (" ".join(map(str, found[0])), sum(found[0]) / len(found[0]))


def rubric(raw: dict) -> Judgement:
    """Points earned over points that could be: up to 1, and below 0 where bad behaviour cost more than was earned."""
    met = read(raw["replies"], grading.read_met)
    return (None, None) if met is None else ("".join("01"[one] for one in met), grading.earned(raw["criteria"], met))


def rule(raw: dict) -> Judgement:
    """1 where the answer sends the patient to help at once, as the rule reads it; no judgement of the rest."""
    found = help_rule.named(raw["text"], raw["asked"])
    return (found, 1.0) if found else ("none", 0.0)


def read(replies: Sequence[str | None], reader) -> list | None:
    """Every reply as `reader` has it; None where one is missing or can't be read."""
    found = [None if reply is None else reader(reply) for reply in replies]
    return None if None in found else found


def why(reading: str, raw: dict) -> str:
    """Why an answer without a score was not judged: `judge_refused` or `unparsed`."""
    return comparing.REFUSED if None in raw["replies"] else comparing.UNPARSED
