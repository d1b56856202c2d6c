"""Dialogues: a model goes on with real conversations, and a remote judge compares its answers, grades every turn, or checks a rubric. paper 3.2

Without an endpoint nothing is sent: the answers are kept, scored by whether they ended by themselves and, where a case names a rule, by that rule. What is sent has its identifiers masked.
"""

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path

from aquilamed.core.chance import share
from aquilamed.core.config import check
from aquilamed.core.sources.cases import GRADES, PAIRWISE, criteria_of, others_of
from aquilamed.evals import answering, grading, judge
from aquilamed.evals.answering import Said
from aquilamed.evals.task import Answer, Asked, Task
from aquilamed.hygiene import identifiers
from aquilamed.models import comparing, remote
from aquilamed.models.folders import Model

REFERENCE = "reference"
"""The opponent that is a case's own reference."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """How cases are asked and judged."""

    judge: remote.Endpoint = remote.Endpoint()
    """Who judges; without `base_url` nobody. paper 3.2: a language model"""
    limit: int = 0
    """Cases a task and language, drawn by seed from those marked; 0 for all. ours: time"""
    answer_tokens: int = 256
    """Most new tokens of an answer, from 1. ours: enough for a consultation's turn"""
    repeats: int = 20
    """Answers a task that the judge is asked about twice, drawn by seed, from 0: how far it agrees with itself. ours: the width of that share's interval is then .2"""

    def __post_init__(self):
        check(min(self.limit, self.repeats) >= 0, f"dialogues: limit={self.limit}, repeats={self.repeats}: expected 0 or more")
        check(self.answer_tokens >= 1, f"dialogues: answer_tokens={self.answer_tokens}: expected 1 or more")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Turn:
    """One place of a case where the model answers."""

    id: str
    case: dict
    prompt: list[dict]
    """The real turns before it."""
    reference: str
    number: int
    """Of the answer in its conversation, from 1."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Question:
    """What a judge is asked about one answer, and the row that its replies make."""

    turn: Turn
    said: Said
    reading: str
    raw: dict
    """Without the replies."""
    requests: list[list[dict]]


def paid(settings: Settings) -> dict:
    """For a manifest's notes: who judged, and what was paid to it by all runs so far; empty where nobody judged."""
    judge_ = settings.judge
    return {"judge": {"model": judge_.model, "base_url": judge_.base_url, **remote.account(judge_)}} if judge_.base_url else {}


def tasks(cases: dict[str, Sequence[dict]], settings: Settings, *, max_tokens: int, seed: int, passes: Path) -> list[Task]:
    """A task for each source of cases; answers wait below `passes` for a later try."""
    made = []
    for name, items in sorted(cases.items()):
        ask_them = functools.partial(ask, settings=settings, max_tokens=max_tokens, seed=seed, kept=passes / f"answers-{name}.json")
        made.append(Task(name=name, kind="conversations", items=items, ask=ask_them))
    return made


def ask(model: Model | remote.Endpoint, cases: Sequence[dict], *, settings: Settings, max_tokens: int, seed: int, kept: Path) -> Asked:
    """The answers in reading `stopped`, in reading `rule` where a case names one, and as judged where there is a judge.

    Dropped, a turn at a time: `too_long`, `unrenderable`, `refused` (an endpoint that is itself asked).

    Raises:
        ModelUnavailable: the judge can't be reached, or its budget is spent; the answers and all that was judged are kept.
    """
    turns = [turn for case in sorted(cases, key=lambda case: case["id"]) for turn in turns_of(case)]
    asked = [answering.Asked(turn.id, turn.prompt, turn.case["lang"]) for turn in turns]
    found = list(zip(turns, answering.answers(model, asked, max_new_tokens=settings.answer_tokens, max_tokens=max_tokens, seed=seed, kept=kept), strict=True))
    good = [(turn, said) for turn, said in found if not said.reason]
    dropped = [(turn.case, said.reason, f"turn {turn.number}: {said.detail}") for turn, said in found if said.reason]
    answer = functools.partial(_answer, settings=settings)
    rows = [answer(turn, said, judge.STOPPED, {"text": said.text, "tokens": said.tokens, "characters": len(said.text), "stopped": said.stopped, **_thought(said)}) for turn, said in good]
    rows += [answer(turn, said, judge.RULE, {"text": said.text, "rule": turn.case["meta"]["rule"], "asked": "\n".join(message["content"] for message in turn.prompt)}) for turn, said in good if "rule" in turn.case["meta"]]
    if settings.judge.base_url:
        rows += judged([question for turn, said in good for question in questions(turn, said)], settings, seed)
    return Asked(answers=rows, dropped=dropped, tokens=answering.usage([said for _, said in found]) if isinstance(model, remote.Endpoint) else {})


def turns_of(case: dict) -> list[Turn]:
    """Where the model answers: after each turn of the user, or after the last alone."""
    ends = [number for number, message in enumerate(case["messages"]) if message["role"] == "assistant"]
    chosen = ends if case["meta"].get("every_turn") else ends[-1:]
    return [Turn(id=f"{case['id']}:{number}", case=case, prompt=case["messages"][:end], reference=case["messages"][end]["content"], number=number)
            for number, end in enumerate(ends, start=1) if end in chosen]


def questions(turn: Turn, said: Said) -> list[Question]:
    """What the judge is asked about an answer, masked: a question for each opponent, or one for all grades or all criteria."""
    case, how = turn.case, turn.case["meta"]["judged"]
    others = {REFERENCE: turn.reference, **others_of(case)} if how == PAIRWISE else {REFERENCE: turn.reference}
    prompt, answer, shown = _masked(turn.prompt, said.text, others, case["lang"])
    make = functools.partial(Question, turn=turn, said=said)
    if how == PAIRWISE:
        return [make(reading=f"{judge.PAIRWISE}:{name}", raw={"text": said.text, "other": others[name]}, requests=comparing.both_orders(prompt, answer, shown[name], case["lang"])) for name in others]
    if how == GRADES:
        return [make(reading=judge.GRADES, raw={"text": said.text, "turn": turn.number}, requests=[grading.grade(prompt, answer, shown[REFERENCE], case["lang"])])]
    criteria = criteria_of(case)
    return [make(reading=judge.RUBRIC, raw={"text": said.text, "criteria": criteria}, requests=[grading.rubric(prompt, answer, one["criterion"], case["lang"]) for one in criteria])]


def judged(asked: Sequence[Question], settings: Settings, seed: int) -> list[Answer]:
    """The rows of `asked` with the judge's replies; some are asked twice."""
    found: list[Answer] = []
    for reading in sorted({question.reading for question in asked}):
        some = [question for question in asked if question.reading == reading]
        twice = {question.turn.id for question in sorted(some, key=lambda one: (share(seed, one.turn.id), one.turn.id))[:settings.repeats]}
        jobs = [(question, asking) for question in some for asking in ((0, 1) if question.turn.id in twice else (0,))]
        replies = iter(remote.ask(settings.judge, [request for question, _ in jobs for request in question.requests], SCHEMAS[reading.partition(":")[0]],
                                  [asking for question, asking in jobs for _ in question.requests]))
        said = {(question.turn.id, asking): [next(replies).text for _ in question.requests] for question, asking in jobs}
        found += [_judged(question, settings, said) for question in some]
    return found


def _judged(question: Question, settings: Settings, said: dict[tuple[str, int], list[str | None]]) -> Answer:
    again = {"again": said[question.turn.id, 1]} if (question.turn.id, 1) in said else {}
    raw = {**question.raw, "judge": settings.judge.model, "replies": said[question.turn.id, 0], **again}
    return _answer(question.turn, question.said, question.reading, raw, settings, f"{settings.judge.model}/{grading.VERSION}")


def _answer(turn: Turn, said: Said, reading: str, raw: dict, settings: Settings, judged_by: str = "") -> Answer:
    return Answer(id=turn.id, reading=reading, raw=raw, lang=turn.case["lang"], subject=turn.case["meta"].get("subject", ""), group=turn.case["id"], prompt=said.prompt, judged_by=judged_by,
                  limits=f"{settings.answer_tokens} tokens")


def _thought(said: Said) -> dict:
    """All that came back, where a thought stood before the answer."""
    return {"whole": said.whole} if said.whole.strip() != said.text else {}


def _masked(prompt: list[dict], answer: str, others: dict[str, str], lang: str) -> tuple[list[dict], str, dict[str, str]]:
    """All as it may be sent: the same identifier has the same surrogate everywhere."""
    texts, _ = identifiers.mask([*(message["content"] for message in prompt), answer, *others.values()], lang)
    turns = [{**message, "content": text} for message, text in zip(prompt, texts, strict=False)]
    return turns, texts[len(prompt)], dict(zip(others, texts[len(prompt) + 1:], strict=True))


SCHEMAS: dict[str, dict] = {judge.PAIRWISE: comparing.SCHEMA, judge.GRADES: grading.GRADES, judge.RUBRIC: grading.VERDICT}
