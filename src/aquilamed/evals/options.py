"""What a model makes of each question: all readings of a task together, so that whatever prompts share is read once.

A letter of one token needs no token of its own: the last position of its prompt tells of all letters at once, and a reply goes on from there.
"""

import dataclasses
from collections.abc import Iterator, Sequence

from aquilamed.evals import judge
from aquilamed.evals.visible import runs_on
from aquilamed.models.folders import Model
from aquilamed.models.generate import Answers
from aquilamed.tree import branches
from aquilamed.tree.branches import Branch

Ids = tuple[int, ...]
GAP = "\n\n"
"""Between paragraphs, as between the plain form's questions."""


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
        """What `readings` must know, by name; of a question with several right options only its reply tells."""
        if judge.GENERATED in readings:
            yield "reply", Branch(self.ids, (), open=True)
        if len(self.question["answers"]) > 1:
            return
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
    """Tokens that must at the least: of the distinct beginnings of all prompts, and of the replies."""


def read(model: Model, puts: Sequence[Put], readings: Sequence[str], *, reply_tokens: int = 48, paragraph: bool = False) -> Read:
    """What `readings` ask of each question; a reply is greedy and has at most `reply_tokens`; with `paragraph` it is the first paragraph, up to another question."""
    flat = [(number, name, branch) for number, put in enumerate(puts) for name, branch in put.branches(readings)]
    answers = Answers(model, [put.question["id"] for put in puts], max_new_tokens=reply_tokens, over=_over if paragraph else None)
    found = branches.read(model.network, [branch for _, _, branch in flat], go_on=lambda index, end: answers.take(flat[index][0], end))
    logp: list[dict[str, list[float]]] = [{} for _ in puts]
    for (number, name, _), values in zip(flat, found.logp, strict=True):
        logp[number][name] = [round(value, 6) for value in values]
    replies = answers.whole()
    texts = [model.tokenizer.decode(ids, skip_special_tokens=True) for ids in replies]
    raws = [_raws(put, logp[number], text.split(GAP)[0] if paragraph else text, readings) for number, (put, text) in enumerate(zip(puts, texts, strict=True))]
    n_said = sum(map(len, replies))                         # a prompt's last token is read again for its reply, the reply's own last token never
    return Read(raws, found.n_read + n_said, found.n_least + n_said - sum(map(bool, replies)))


def _over(text: str) -> bool:
    return GAP in text or runs_on(text)


def _raws(put: Put, found: dict[str, list[float]], reply: str, readings: Sequence[str]) -> dict[str, dict]:
    raw = {"answers": list(put.question["answers"])}
    said = {**raw, "text": reply, "n_options": len(put.letters), "options": list(put.question["options"])}
    if len(put.question["answers"]) > 1:
        return {judge.GENERATED: said}
    sizes = {"option_bytes": [len(option.encode()) for option in put.question["options"]]}
    turned = {"orders": [list(order) for order in put.orders], "logp": [found[f"turned {k}"] for k in range(len(put.orders))]}
    made = {
        judge.LETTER: {**raw, "logp": found.get("letter")},
        judge.AVERAGED: {**raw, **turned},
        judge.TEXT: {**raw, **sizes, "logp": found.get("text")},
        judge.PRIOR: {**raw, "logp": found.get("text"), "prior": found.get("prior")},
        judge.BARE: {**raw, **sizes, "logp": found.get("bare")},
        judge.HARNESS: {**raw, "logp": found.get("harness")},
        judge.GENERATED: said,
    }
    return {reading: made[reading] for reading in readings if reading in made and (reading != judge.HARNESS or put.harness)}
