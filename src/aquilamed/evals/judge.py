"""From what was measured of an answer to what it says and whether that is right: pure, so answers can be re-scored.

The keys of `raw` are those that `choice`, `perplexity`, `preferences`, `sampling` and `dialogue` write.
"""

from collections.abc import Callable, Sequence

from aquilamed.evals import verdicts
from aquilamed.evals.order import averaged
from aquilamed.evals.reply import letters, read_choice

LETTER, AVERAGED, TEXT, PRIOR, BARE, GENERATED, HARNESS = "letter", "letter-averaged", "text", "text-prior", "bare", "generated", "harness"
CHOICE_READINGS = (LETTER, AVERAGED, TEXT, PRIOR, BARE, GENERATED, HARNESS)
BITS, LOGPROB, MARGIN, STOPPED = "bits", "logprob", "margin", "stopped"
PAIRWISE, GRADES, RUBRIC, RULE = "pairwise", "grades", "rubric", "rule"
"""Of dialogues; of `pairwise` the opponent follows behind a colon."""
LOWER_IS_BETTER = frozenset({BITS})
RANGES = {GRADES: (1.0, 5.0), RUBRIC: (0.0, 1.0)}
"""Readings whose scores are no shares -> between what their mean lies; one rubric may be below."""

Judgement = tuple[str | None, float | None]
"""What the answer says, None where it settles on nothing; and its score: 0..1, bits per byte, a grade of 1..5, a rubric's share (which may be below 0), or None where a judge did not judge."""


def judge(reading: str, raw: dict) -> Judgement:
    """The judgement of one answer in one reading."""
    return _JUDGES[reading.partition(":")[0]](raw)


def is_judged(reading: str) -> bool:
    """Whether a remote judge gives its scores."""
    return reading.partition(":")[0] in (PAIRWISE, GRADES, RUBRIC)


def log_ratio(raw: dict) -> float:
    """beta x ((chosen - reference chosen) - (rejected - reference rejected)): the reward margin, nats."""
    return raw["beta"] * ((raw["chosen"] - raw["reference_chosen"]) - (raw["rejected"] - raw["reference_rejected"]))


def _letter(raw: dict) -> Judgement:
    return _best(raw["logp"], raw["answers"])


def _averaged(raw: dict) -> Judgement:
    return _best([round(value, 9) for value in averaged(raw)], raw["answers"])


def _harness(raw: dict) -> Judgement:
    """The first of the largest: there, equal options do not settle on nothing."""
    index = raw["logp"].index(max(raw["logp"]))
    return letters({index}), float(index in raw["answers"])


def _text(raw: dict) -> Judgement:
    return _best([logp / n for logp, n in zip(raw["logp"], raw["option_bytes"], strict=True)], raw["answers"])


def _prior(raw: dict) -> Judgement:
    return _best([logp - prior for logp, prior in zip(raw["logp"], raw["prior"], strict=True)], raw["answers"])


def _generated(raw: dict) -> Judgement:
    found = read_choice(raw["text"], raw["n_options"], raw.get("options", ()), cut=raw.get("cut", False))
    return (None, 0.0) if found is None else (letters(found), float(found == set(raw["answers"])))


def _bits(raw: dict) -> Judgement:
    value = raw["bits"] / raw["bytes"]
    return f"{value:.4f}", value


def _logprob(raw: dict) -> Judgement:
    return _preferred(raw["chosen"] / raw["chosen_bytes"] - raw["rejected"] / raw["rejected_bytes"])


def _margin(raw: dict) -> Judgement:
    return _preferred(log_ratio(raw))


def _stopped(raw: dict) -> Judgement:
    return ("stopped", 1.0) if raw["stopped"] else ("cut", 0.0)


def _best(values: Sequence[float], answers: Sequence[int]) -> Judgement:
    """The one largest value; two equal largest values settle on nothing."""
    top = max(values)
    if sum(value == top for value in values) > 1:
        return None, 0.0
    index = values.index(top)
    return letters({index}), float(index in answers)


def _preferred(margin: float) -> Judgement:
    """Half a point where the two answers are equal, as they are for a model compared with itself."""
    return ("chosen", 1.0) if margin > 0 else ("rejected", 0.0) if margin < 0 else ("equal", 0.5)


_JUDGES: dict[str, Callable[[dict], Judgement]] = {
    LETTER: _letter, AVERAGED: _averaged, TEXT: _text, PRIOR: _prior, BARE: _text, GENERATED: _generated, HARNESS: _harness,
    BITS: _bits, LOGPROB: _logprob, MARGIN: _margin, STOPPED: _stopped,
    PAIRWISE: verdicts.pairwise, GRADES: verdicts.grades, RUBRIC: verdicts.rubric, RULE: verdicts.rule,
}
