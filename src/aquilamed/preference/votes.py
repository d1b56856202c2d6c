"""Pairs from people's votes: the answer that most raters of a comparison prefer is chosen. ours: the paper has no human pairs, 2.3.1

A comparison is a prompt with two answers, whichever was shown first. What a rater wrote as a reason stays in the store. Prompts and answers are taken
as they are: a `hygiene.screen` step after this one masks what identifies a person, as for every other import.
"""

import dataclasses
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from aquilamed.core import ballots, tables
from aquilamed.core.ballots import Ballot
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.core.intervals import wilson
from aquilamed.core.sources.remote import Remote
from aquilamed.preference import agreement

VERSION = 1
VERDICTS = ("first", "second", "tie", "both_bad")
"""Of a comparison: `first` is the answer that comes first in the order of its letters, not on the screen."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Which ballots are read, and when a comparison is decided."""

    store: str
    """A SQLite file, a file of JSON lines (`.jsonl`), or a database's URL without a password (`postgresql://user@host/name`)."""
    license: str
    """Licence of prompts, answers and votes: SPDX, `LicenseRef-...`, or `unknown`, which cards name first."""
    source: str = "votes"
    """Each record's `source`."""
    until: str = ""
    """Only ballots cast before this time, ISO 8601 with its offset; empty: all. ours: a store that grows gives the same pairs again"""
    min_raters: int = 1
    """Raters that a comparison needs, 1 or more. ours: one clinician's word counts; 3 where there are enough of them"""
    majority: float = 0.5
    """Share, 0..1, of a comparison's raters that a verdict must have more than. ours: more than half, so a tie among raters decides nothing"""
    seed: int = 1
    """Of the bootstrap."""

    def __post_init__(self):
        ballots.check_store(self.store)
        check(bool(self.store) and bool(self.license) and bool(self.source), "votes: store, license and source can't be empty; write 'unknown' if the licence is")
        try:
            ballots.utc(self.until or "2026-01-01T00:00Z")
        except RecordError as error:
            raise ConfigError(f"votes: until={self.until!r}: expected a time with its offset, like 2026-11-30T00:00:00+00:00") from error
        check(self.min_raters >= 1, f"votes: min_raters={self.min_raters}: expected 1 or more")
        check(0.5 <= self.majority < 1, f"votes: majority={self.majority}: expected a share from 0.5 and below 1")


@dataclasses.dataclass
class Comparison:
    """A prompt with two answers, and what was said of them."""

    prompt: list[dict]
    answers: tuple[str, str]
    """In the order of their letters."""
    models: tuple[set[str], set[str]]
    """Names of who wrote each."""
    said: dict[str, str]
    """Rater -> verdict."""
    aspects: dict[str, Counter]
    """Aspect -> first, second, tie -> raters."""


def files(config: Config) -> list[Remote]:
    """What the store holds stands for it, wherever and in whatever form it lies."""
    found = ballots.read(config.store, config.until)
    return [Remote(url=config.store, name="ballots", size=len(found), stamp=ballots.digest(found))]


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write `preferences/` from the ballots in the store; a record that is counted is a comparison.

    Dropped: `identical` answers, `too_few_raters`, `tie`, `both_bad`, `split` (no verdict has the majority). Notes: ballots, those that a later one of the
    same rater replaced, agreement beyond chance, in all and by language, and raters who agree no better than chance.
    """
    cast = ballots.read(config.store, config.until)
    check(bool(cast), f"{config.store}: holds no ballots" + (f" cast before {config.until}" if config.until else ""))
    last = latest(cast)
    made = [(pair_of(one, config), reason_of(one, config), one) for one in compared(last)]
    table = tables.from_rows("preferences", [pair for pair, reason, _ in made if not reason])
    tables.scatter(out, "preferences", table)
    rest = [{**tables.make("preferences", pair), "reason": reason, "detail": _tally(one)} for pair, reason, one in made if reason]
    tables.write_dropped_rows(out, "preferences", rest)
    notes = {"ballots": len(cast), "superseded": len(cast) - len(last), **_shown_first(last), **_agreements([(pair, one) for pair, reason, one in made if reason != "identical"], config.seed)}
    return Counts(n_in=len(made), n_out=len(table), dropped=Counter(row["reason"] for row in rest), langs=tables.langs(table), notes=notes)


def latest(cast: Sequence[Ballot]) -> list[Ballot]:
    """The last ballot of each rater on each comparison; of two cast at once the one stored last."""
    found: dict[tuple, tuple[tuple[str, int], Ballot]] = {}
    for place, ballot in enumerate(cast):
        key = (_key(ballot), ballot.rater)
        if key not in found or found[key][0] < (ballot.cast_at, place):
            found[key] = (ballot.cast_at, place), ballot
    return [ballot for _, (_, ballot) in sorted(found.items(), key=lambda item: item[0])]


def compared(last: Sequence[Ballot]) -> list[Comparison]:
    """The comparisons that ballots are of, shown either way round."""
    found: dict[str, Comparison] = {}
    for ballot in last:
        turned = ballot.answer_a > ballot.answer_b
        answers, models = ((ballot.answer_a, ballot.answer_b), (ballot.model_a, ballot.model_b)) if not turned else ((ballot.answer_b, ballot.answer_a), (ballot.model_b, ballot.model_a))
        one = found.setdefault(_key(ballot), Comparison([dict(turn) for turn in ballot.prompt], answers, (set(), set()), {}, defaultdict(Counter)))
        for names, model in zip(one.models, models, strict=True):
            names.update({model} - {""})
        one.said[ballot.rater] = _turned(ballot.verdict, turned)
        for aspect, verdict in ballot.aspects.items():
            one.aspects[aspect][_turned(verdict, turned)] += 1
    return list(found.values())


def decided(one: Comparison, majority: float) -> str:
    """The verdict that more than that share of the raters gave; `split` where there is none."""
    verdict, n = Counter(one.said.values()).most_common(1)[0]
    return verdict if n > majority * len(one.said) else "split"


def reason_of(one: Comparison, config: Config) -> str | None:
    """Why a comparison makes no pair, or None if it does."""
    if one.answers[0] == one.answers[1]:
        return "identical"
    if len(one.said) < config.min_raters:
        return "too_few_raters"
    verdict = decided(one, config.majority)
    return None if verdict in ("first", "second") else verdict


def pair_of(one: Comparison, config: Config) -> dict:
    """The pair that a comparison makes; of one that is not decided, in the order of its answers."""
    order = (1, 0) if decided(one, config.majority) == "second" else (0, 1)
    sides = [("first", "second")[place] for place in order]
    counts = Counter(one.said.values())
    chosen_model, rejected_model = ("+".join(sorted(one.models[place])) for place in order)
    aspects = {f"aspect_{name}": ":".join(str(found[side]) for side in (sides[0], "tie", sides[1])) for name, found in sorted(one.aspects.items())}
    meta = {"judge": "people", "raters": str(len(one.said)), "votes": ":".join(str(counts[side]) for side in (sides[0], "tie", sides[1], "both_bad")), "chosen_model": chosen_model,
            "rejected_model": rejected_model, **aspects}
    return {"kind": "vote", "prompt": one.prompt, "chosen": one.answers[order[0]], "rejected": one.answers[order[1]], "source": config.source, "license": config.license,
            "meta": {key: value for key, value in meta.items() if value}}


def _key(ballot: Ballot) -> str:
    return json.dumps([[dict(sorted(turn.items())) for turn in ballot.prompt], sorted((ballot.answer_a, ballot.answer_b))], ensure_ascii=False)


def _turned(verdict: str, turned: bool) -> str:
    sides = ("second", "first") if turned else ("first", "second")
    return dict(zip(("a", "b"), sides, strict=True)).get(verdict, verdict)


def _tally(one: Comparison) -> str:
    counts = Counter(one.said.values())
    return ", ".join(f"{name} {counts[name]}" for name in VERDICTS if counts[name])


def _shown_first(last: Sequence[Ballot]) -> dict:
    """How often the answer shown first won, of the ballots that prefer one: far from a half, raters look at the place."""
    decisions = [ballot.verdict for ballot in last if ballot.verdict in ("a", "b")]
    found = wilson(decisions.count("a"), len(decisions))
    return {"shown_first_won": {"n": len(decisions), "share": round(found.value, 4) if decisions else None, "low": round(found.low, 4), "high": round(found.high, 4)}}


def _agreements(made: Sequence[tuple[dict, Comparison]], seed: int) -> dict:
    by_lang: dict[str, list[dict[str, str]]] = defaultdict(list)
    for pair, one in made:
        by_lang[tables.make("preferences", pair)["lang"]].append(one.said)
    said = [one for some in by_lang.values() for one in some]
    raters = agreement.by_rater(said, VERDICTS, seed=seed)
    at_chance = agreement.at_chance(raters)
    langs = {lang: agreement.of(some, VERDICTS, seed=seed, key=lang) for lang, some in [("all", said), *sorted(by_lang.items())]}
    warnings = [f"{', '.join(at_chance)}: no better than chance in agreement with the other raters; look at their votes before you train on them"] if at_chance else []
    return {"raters": len({rater for one in said for rater in one}), "agreement": langs, "agreement_by_rater": raters, "no_better_than_chance": at_chance, "warnings": warnings}
