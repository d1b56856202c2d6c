"""Subjective pairs: a conversation's reference answer against a second one, the better chosen. paper 2.3.1

With endpoints as in the paper: a remote model writes as a professional, helpful doctor, and a judge compares; stricter than the paper, it is asked in both
orders, and only where both agree a pair is made, whichever answer wins. Without them: the model's own sampled answer, and the pair is kept only where the
reference is judged better by `models.surface` and really differs. Each pair says which in `meta["writer"]` and `meta["judge"]`.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from aquilamed.core import chance, tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.models import chat, folders, remote, surface
from aquilamed.models.generate import generate
from aquilamed.preference import judged
from aquilamed.preference.judged import Contest

VERSION = 5
SENT = "conversations whose identifiers hygiene.identifiers had masked; the pairs hold them so, too"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    n_conversations: int
    """Conversations drawn, by chance of their ids. paper 2.3.2: 9,019 pairs"""
    kinds: tuple[str, ...] = ("single", "multi")
    """Kinds of conversation drawn from; exam questions make objective pairs."""
    writer: remote.Endpoint = remote.Endpoint()
    """Who writes the second answer; without `base_url` the step's model, which samples it. paper 2.3.1: a strong model that it does not name"""
    judge: remote.Endpoint = remote.Endpoint()
    """Who compares, in both orders; without `base_url` the text's surface. May be the writer's server. paper 2.3.1: the same model, asked once"""
    max_new_tokens: int = 256
    """Longest sampled answer, tokens; a remote one's limit is `writer.max_tokens`. One that reaches it is dropped: half a sentence with a stop token behind it teaches to end no answer."""
    temperature: float = 0.8
    """Of sampling. ours: varied, still sensible"""
    max_overlap: float = 0.6
    """Pairs whose answers are more alike than this (Jaccard, 0..1) are dropped: nothing to prefer. ours"""
    seed: int = 1
    """Of the draw and of sampling."""

    def __post_init__(self):
        check(self.n_conversations > 0, f"n_conversations={self.n_conversations}: expected 1 or more")
        check(self.max_new_tokens >= 1, f"max_new_tokens={self.max_new_tokens}: expected 1 or more")
        check(self.temperature >= 0, f"temperature={self.temperature}: expected 0 or more")
        check(0 < self.max_overlap <= 1, f"max_overlap={self.max_overlap}: expected a share, 0..1")
        check(not self.writer.base_url or bool(self.judge.base_url), "subjective: a remote writer needs a judge; name an endpoint in judge, it may be the same one")


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write `preferences/` from `inputs["conversations"]` and, without a writer, answers of `inputs["model"]`.

    Dropped of those drawn: unrenderable, cut (the answer has not ended), empty, too_similar; reference_not_better (no judge); writer_refused (a writer; `empty`: it only thinks);
    judge_refused, unparsed, orders_disagree, tie (a judge).
    """
    rows = [row for row in tables.rows(inputs["conversations"], "conversations") if row["kind"] in config.kinds]
    drawn = sorted(rows, key=lambda row: (chance.share(config.seed, row["id"]), row["id"]))[:config.n_conversations]
    notes = {"conversations_available": len(rows), **_names(config)}
    contests, told = _remote(config, inputs, drawn) if config.judge.base_url else (_own(config, inputs, drawn), {})
    table = tables.from_rows("preferences", [pair_of(contest, config) for contest in contests if not contest.reason])
    tables.scatter(out, "preferences", table)
    rest = [{**tables.make("preferences", pair_of(contest, config)), "reason": contest.reason, "detail": contest.detail or None} for contest in contests if contest.reason]
    tables.write_dropped_rows(out, "preferences", rest)
    return Counts(n_in=len(drawn), n_out=len(table), dropped=Counter(row["reason"] for row in rest), langs=tables.langs(table), notes={**notes, **told})


def _own(config: Config, inputs: Mapping[str, Path], drawn: list[dict]) -> list[Contest]:
    """The model's answers, compared by the text's surface."""
    return [by_surface(fit(contest, config)) for contest in _sampled(config, inputs, drawn)]


def _remote(config: Config, inputs: Mapping[str, Path], drawn: list[dict]) -> tuple[list[Contest], dict]:
    """What the judge made of the second answers, and notes of what was asked."""
    contests = [Contest(row=row) for row in drawn] if config.writer.base_url else _sampled(config, inputs, drawn)
    pairs = [judged.masked(contest) for contest in contests]
    contests, masked = [contest for contest, _ in pairs], sum((found for _, found in pairs), Counter())
    writing: list[remote.Reply] = []
    if config.writer.base_url:
        contests, writing = judged.written(config.writer, contests)
    contests, judging = judged.compared(config.judge, [fit(contest, config) for contest in contests])
    asked = {name: {**remote.usage(replies), "paid": remote.account(endpoint)}
             for name, endpoint, replies in (("writer", config.writer, writing), ("judge", config.judge, judging)) if endpoint.base_url}
    found = judged.statistics(contests)
    return contests, {"asked": asked, "verdicts": found, "sent": SENT, "masked": dict(sorted(masked.items())), "warnings": judged.warnings(found)}


def _sampled(config: Config, inputs: Mapping[str, Path], drawn: list[dict]) -> list[Contest]:
    answers = sample(folders.load(inputs["model"]), drawn, config)
    return [Contest(row=row, answer=answer, reason=reason) for row, (answer, reason) in zip(drawn, answers, strict=True)]


def sample(model: folders.Model, rows: list[dict], config: Config) -> list[tuple[str, str]]:
    """The model's own last answer in each conversation, and what is against it: `unrenderable`, `cut`."""
    prompts: list[list[int] | None] = []
    for row in rows:
        try:
            prompts.append(chat.prompt(model.tokenizer, row["messages"][:-1]))
        except chat.Unrenderable:
            prompts.append(None)
    asked = [(ids, row["id"]) for ids, row in zip(prompts, rows, strict=True) if ids]
    found = iter(generate(model, [ids for ids, _ in asked], [key for _, key in asked], max_new_tokens=config.max_new_tokens,
                          temperature=config.temperature, seed=config.seed) if asked else ())
    return [_said(model.tokenizer, next(found)) if ids else ("", "unrenderable") for ids in prompts]


def _said(tokenizer, ids: list[int]) -> tuple[str, str]:
    return tokenizer.decode(ids, skip_special_tokens=True).strip(), "" if ids[-1] in chat.stop_ids(tokenizer) else "cut"


def fit(contest: Contest, config: Config) -> Contest:
    """The contest, with a reason where its answers can't teach a preference."""
    if contest.reason:
        return contest
    alike = surface.overlap(contest.reference, contest.answer) > config.max_overlap
    return dataclasses.replace(contest, reason="empty" if not surface.units(contest.answer) else "too_similar" if alike else "")


def by_surface(contest: Contest) -> Contest:
    """Where nothing is against it so far: the reference wins, or there is no pair."""
    if contest.reason:
        return contest
    asked = contest.row["messages"][-2]["content"]
    is_better = surface.quality(asked, contest.reference) > surface.quality(asked, contest.answer)
    return dataclasses.replace(contest, winner="reference" if is_better else "", reason="" if is_better else "reference_not_better")


def pair_of(contest: Contest, config: Config) -> dict:
    """The pair, the winner chosen; in one that is dropped the reference stands as chosen."""
    row, sides = contest.row, (contest.reference, contest.answer)
    chosen, rejected = sides[::-1] if contest.winner == "answer" else sides
    told = {**_names(config), **{key: value for key, value in (("winner", contest.winner), ("criteria", contest.criteria)) if value}}
    return {**{key: row[key] for key in ("lang", "source", "license")}, "kind": "subjective", "prompt": row["messages"][:-1], "chosen": chosen, "rejected": rejected,
            "meta": {**row["meta"], **told, "conversation": row["id"]}}


def _names(config: Config) -> dict[str, str]:
    return {"writer": config.writer.model or "sampled", "judge": config.judge.model or "surface"}
