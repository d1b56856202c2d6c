"""Two answers to one conversation, the second perhaps written by a remote model, compared by a remote judge in both orders. paper 2.3.1

The paper asks once; here a pair is made only where both orders give the same winner. What is sent has its identifiers masked.
"""

import dataclasses
from collections import Counter
from collections.abc import Sequence

from aquilamed.hygiene import identifiers
from aquilamed.models import comparing, remote, structured, surface, trust
from aquilamed.preference import writing

LEAST_AGREEMENT = 0.6
"""Below this share of contests judged alike in both orders the step warns: a judge that throws dice gets a third, and two of nine of its contests become pairs. ours"""
NAMES = ("reference", "answer")
ENOUGH = 20
"""Contests of a language from which that is told. ours"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Contest:
    """A conversation's reference answer and another one."""

    row: dict
    """The conversation; the last message is the reference."""
    answer: str = ""
    reason: str = ""
    """Why no pair comes of it; empty: nothing is against it so far."""
    detail: str = ""
    """What both orders said: the winners, reference first and reference second."""
    winner: str = ""
    """`reference` or `answer`, once it is known."""
    criteria: str = ""
    """For each criterion which side both orders named, or `unsettled`."""

    @property
    def reference(self) -> str:
        return self.row["messages"][-1]["content"]


def masked(contest: Contest) -> tuple[Contest, Counter]:
    """The contest as it may be sent and is kept, and how many identifiers of each kind were masked."""
    messages = contest.row["messages"]
    words, found = identifiers.mask([*(message["content"] for message in messages), contest.answer], contest.row["lang"])
    turns = [{**message, "content": word} for message, word in zip(messages, words, strict=False)]
    return dataclasses.replace(contest, row={**contest.row, "messages": turns}, answer=words[-1]), found


def written(writer: remote.Endpoint, contests: Sequence[Contest]) -> tuple[list[Contest], list[remote.Reply]]:
    """The contests with the remote doctor's answers; reasons: `writer_refused`, `cut`, `empty` (nothing but a thought)."""
    replies = remote.ask(writer, [writing.doctor(contest.row["messages"][:-1], contest.row["lang"]) for contest in contests])
    answers = [structured.unthought(reply.text or "") for reply in replies]
    reasons = ["writer_refused" if reply.text is None else "cut" if reply.cut else "" if answer else "empty" for reply, answer in zip(replies, answers, strict=True)]
    return [dataclasses.replace(contest, answer=answer, reason=reason) for contest, answer, reason in zip(contests, answers, reasons, strict=True)], replies


def compared(judge: remote.Endpoint, contests: Sequence[Contest]) -> tuple[list[Contest], list[remote.Reply]]:
    """The contests with their winners; reasons: `judge_refused`, `unparsed`, `orders_disagree`, `tie`. Those that have a reason are not asked about."""
    open_ones = [contest for contest in contests if not contest.reason]
    asked = [request for contest in open_ones for request in comparing.both_orders(contest.row["messages"][:-1], contest.reference, contest.answer, contest.row["lang"])]
    replies = remote.ask(judge, asked, comparing.SCHEMA) if asked else []
    settled = iter([_settled(contest, one, two) for contest, one, two in zip(open_ones, replies[::2], replies[1::2], strict=True)])
    return [contest if contest.reason else next(settled) for contest in contests], replies


def _settled(contest: Contest, one: remote.Reply, two: remote.Reply) -> Contest:
    """`one` saw the reference as A, `two` as B."""
    found = comparing.settled(one.text, two.text, NAMES)
    if not found.first:
        return dataclasses.replace(contest, reason=found.reason)
    criteria = " ".join(f"{key}={side}" for key, side in found.criteria.items())
    return dataclasses.replace(contest, reason=found.reason, detail=f"{found.first} / {found.second}", winner=found.winner, criteria=criteria)


def statistics(contests: Sequence[Contest]) -> dict:
    """How far the judge can be trusted, by language and in all, over the contests with two readable verdicts."""
    found = [contest for contest in contests if contest.detail]
    langs = sorted({contest.row["lang"] for contest in found})
    return {lang: _statistics([contest for contest in found if lang in ("all", contest.row["lang"])]) for lang in (*langs, "all")}


def warnings(found: dict) -> list[str]:
    """A line for each language in which the judge can't be relied on."""
    return [f"{lang}: the judge said the same in both orders in {one['agreement']:.0%} of {one['n']} contests, and {one['first_wins'] or 0:.0%} of its verdicts went to the answer shown first"
            for lang, one in found.items() if one["n"] >= ENOUGH and one["agreement"] < LEAST_AGREEMENT]


def _statistics(contests: Sequence[Contest]) -> dict:
    """As `trust.of` has it; `one` is the reference."""
    plain = dict(zip((*NAMES, trust.TIE), (trust.ONE, trust.OTHER, trust.TIE), strict=True))
    weighed = [trust.Weighed(*(plain[side] for side in contest.detail.split(" / ")), (len(surface.units(contest.reference)), len(surface.units(contest.answer)))) for contest in contests]
    return {"reference_wins" if key == "one_wins" else key: value for key, value in trust.of(weighed).items()}
