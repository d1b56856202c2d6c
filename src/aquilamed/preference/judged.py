"""Two answers to one conversation, the second perhaps written by a remote model, compared by a remote judge in both orders. paper 2.3.1

The paper asks once; here a pair is made only where both orders give the same winner. What is sent has its identifiers masked.
"""

import dataclasses
from collections import Counter
from collections.abc import Sequence

from aquilamed.hygiene import identifiers
from aquilamed.models import remote, structured, surface
from aquilamed.preference import comparing

LEAST_AGREEMENT = 0.6
"""Below this share of contests judged alike in both orders the step warns: a judge that throws dice gets a third, and two of nine of its contests become pairs. ours"""
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
    """The contests with the remote doctor's answers; reasons: `writer_refused`, `cut`."""
    replies = remote.ask(writer, [comparing.doctor(contest.row["messages"][:-1], contest.row["lang"]) for contest in contests])
    reasons = ["writer_refused" if reply.text is None else "cut" if reply.cut else "" for reply in replies]
    return [dataclasses.replace(contest, answer=structured.unthought(reply.text or ""), reason=reason) for contest, reply, reason in zip(contests, replies, reasons, strict=True)], replies


def compared(judge: remote.Endpoint, contests: Sequence[Contest]) -> tuple[list[Contest], list[remote.Reply]]:
    """The contests with their winners; reasons: `judge_refused`, `unparsed`, `orders_disagree`, `tie`. Those that have a reason are not asked about."""
    open_ones = [contest for contest in contests if not contest.reason]
    asked = [comparing.judge(contest.row["messages"][:-1], first, second, contest.row["lang"]) for contest in open_ones
             for first, second in ((contest.reference, contest.answer), (contest.answer, contest.reference))]
    replies = remote.ask(judge, asked, comparing.SCHEMA) if asked else []
    settled = iter([_settled(contest, one, two) for contest, one, two in zip(open_ones, replies[::2], replies[1::2], strict=True)])
    return [contest if contest.reason else next(settled) for contest in contests], replies


def _settled(contest: Contest, one: remote.Reply, two: remote.Reply) -> Contest:
    """`one` saw the reference as A, `two` as B."""
    if one.text is None or two.text is None:
        return dataclasses.replace(contest, reason="judge_refused")
    if one.value is None or two.value is None:
        return dataclasses.replace(contest, reason="unparsed")
    sides = {key: (_side(one.value[key], "A"), _side(two.value[key], "B")) for key in (*comparing.CRITERIA, "better")}
    first, second = sides["better"]
    reason = "orders_disagree" if first != second else "tie" if first == "tie" else ""
    criteria = " ".join(f"{key}={sides[key][0] if sides[key][0] == sides[key][1] else 'unsettled'}" for key in comparing.CRITERIA)
    return dataclasses.replace(contest, reason=reason, detail=f"{first} / {second}", winner="" if reason else first, criteria=criteria)


def _side(said: str, reference: str) -> str:
    return "tie" if said == "tie" else "reference" if said == reference else "answer"


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
    """`agreement`: share of contests where both orders say the same. `first_wins`: share of the verdicts that are no tie won by the answer shown first;
    0.5 is without bias, since each answer is shown first once. `longer_wins`: share of the pairs won by the answer with more words and Han characters."""
    sides = [contest.detail.split(" / ") for contest in contests]
    first = [one == "reference" for one, _ in sides if one != "tie"] + [two == "answer" for _, two in sides if two != "tie"]
    pairs = [contest for contest in contests if contest.winner]
    lengths = [(len(surface.units(contest.reference)), len(surface.units(contest.answer)), contest.winner == "reference") for contest in pairs]
    longer = [(reference > answer) == wins for reference, answer, wins in lengths if reference != answer]
    return {"n": len(contests), "agreement": _share([one == two for one, two in sides]), "verdicts": len(first), "first_wins": _share(first),
            "pairs": len(pairs), "reference_wins": _share([wins for *_, wins in lengths]), "longer_wins": _share(longer)}


def _share(held: Sequence[bool]) -> float | None:
    """0..1, or None of nothing."""
    return round(sum(held) / len(held), 4) if held else None
