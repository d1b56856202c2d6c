"""What a model makes of each option: all log-probabilities of a task read together, so that whatever prompts share is read once.

A letter of one token needs no token of its own: the last position of its prompt tells of all letters at once.
"""

import dataclasses
from collections.abc import Iterator, Sequence

from aquilamed.evals import judge
from aquilamed.models.folders import Model
from aquilamed.tree import branches
from aquilamed.tree.branches import Branch

Ids = tuple[int, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Put:
    """A question as a model sees it. What no reading asks for is empty."""

    question: dict
    prompt: str
    ids: Ids
    letters: tuple[Ids, ...]
    texts: tuple[Ids, ...] = ()
    cue: Ids = ()
    """The same form without the question: what an option's text is likely to be anyway."""
    bare: Ids = ()
    """The question without its options."""
    orders: tuple[tuple[int, ...], ...] = ()
    """The option shown at each place, for each time the question is asked."""
    turned: tuple[Ids, ...] = ()
    """The prompt in each of `orders`."""
    harness: Branch | None = None
    """The question as lm-evaluation-harness puts it, where it has the task."""

    def branches(self, readings: Sequence[str]) -> Iterator[tuple[str, Branch]]:
        """What `readings` must know, by name."""
        if judge.LETTER in readings:
            yield "letter", Branch(self.ids, self.letters)
        if {judge.TEXT, judge.PRIOR} & set(readings):
            yield "text", Branch(self.ids, self.texts)
        if judge.PRIOR in readings:
            yield "prior", Branch(self.cue, self.texts)
        if judge.BARE in readings:
            yield "bare", Branch(self.bare, self.texts)
        for number, ids in enumerate(self.turned):
            yield f"turned {number}", Branch(ids, self.letters)
        if self.harness:
            yield "harness", self.harness

    def longest(self, readings: Sequence[str]) -> int:
        """Tokens of the longest prompt with what follows it."""
        return max((branch.longest() for _, branch in self.branches(readings)), default=len(self.ids))


@dataclasses.dataclass(frozen=True)
class Read:
    """What each question's readings are made of."""

    raws: list[dict[str, dict]]
    """For each question: reading -> raw."""
    n_read: int
    """Tokens that went through the model."""
    n_least: int
    """Tokens that must at the least."""


def read(model: Model, puts: Sequence[Put], readings: Sequence[str]) -> Read:
    """The log-probabilities that `readings` ask of each question with one right option."""
    named = [dict(put.branches(readings)) for put in puts]
    found = branches.read(model.network, [branch for some in named for branch in some.values()])
    values = iter(found.logp)
    raws = [_raws(put, {name: [round(value, 6) for value in next(values)] for name in some}, readings) for put, some in zip(puts, named, strict=True)]
    return Read(raws, found.n_read, found.n_least)


def _raws(put: Put, found: dict[str, list[float]], readings: Sequence[str]) -> dict[str, dict]:
    raw = {"answers": list(put.question["answers"])}
    sizes = {"option_bytes": [len(option.encode()) for option in put.question["options"]]}
    turned = {"orders": [list(order) for order in put.orders], "logp": [found[f"turned {k}"] for k in range(len(put.orders))]}
    made = {
        judge.LETTER: {**raw, "logp": found.get("letter")},
        judge.AVERAGED: {**raw, **turned},
        judge.TEXT: {**raw, **sizes, "logp": found.get("text")},
        judge.PRIOR: {**raw, "logp": found.get("text"), "prior": found.get("prior")},
        judge.BARE: {**raw, **sizes, "logp": found.get("bare")},
        judge.HARNESS: {**raw, "logp": found.get("harness")},
    }
    return {reading: made[reading] for reading in readings if reading in made and (reading != judge.HARNESS or put.harness)}
