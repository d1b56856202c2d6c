"""What a model makes of each question: all readings of a task together, so that whatever prompts share is read once.

A letter of one token needs no token of its own: the last position of its prompt tells of all letters at once, and a reply goes on from there.
"""

import dataclasses
from collections.abc import Iterator, Sequence

from aquilamed.evals import judge
from aquilamed.evals.visible import runs_on
from aquilamed.models import chat, structured
from aquilamed.models.folders import Model
from aquilamed.models.generate import Answers
from aquilamed.tree import branches
from aquilamed.tree.branches import Branch

Ids = tuple[int, ...]
GAP = "\n\n"
"""Between paragraphs, as between the plain form's questions."""


@dataclasses.dataclass(frozen=True)
class Shown:
    """What a model is shown, as text and as tokens."""

    text: str
    ids: Ids


@dataclasses.dataclass(frozen=True)
class Harness:
    """A question as lm-evaluation-harness puts it."""

    shown: Shown
    words: tuple[str, ...]
    """What each option is read by."""
    ids: tuple[Ids, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Put:
    """A question as a model sees it. What no reading asks for is empty."""

    question: dict
    shown: Shown
    letters: tuple[Ids, ...]
    texts: tuple[Ids, ...] = ()
    cue: Shown | None = None
    """The same form without the question: what an option's text is likely to be anyway."""
    bare: Shown | None = None
    """The question without its options."""
    orders: tuple[tuple[int, ...], ...] = ()
    """The option shown at each place, for each time the question is asked."""
    turned: tuple[Ids, ...] = ()
    """The prompt in each of `orders`."""
    harness: Harness | None = None
    """Where it has the task."""

    def branches(self, readings: Sequence[str]) -> Iterator[tuple[str, Branch]]:
        """What `readings` must know, by name; of a question with several right options only its reply tells."""
        if judge.GENERATED in readings:
            yield "reply", Branch(self.shown.ids, (), open=True)
        if len(self.question["answers"]) > 1:
            return
        if judge.LETTER in readings:
            yield "letter", Branch(self.shown.ids, self.letters)
        if {judge.TEXT, judge.PRIOR} & set(readings):
            yield "text", Branch(self.shown.ids, self.texts)
        if judge.PRIOR in readings:
            yield "prior", Branch(self.cue.ids, self.texts)
        if judge.BARE in readings:
            yield "bare", Branch(self.bare.ids, self.texts)
        for number, ids in enumerate(self.turned):
            yield f"turned {number}", Branch(ids, self.letters)
        if self.harness:
            yield "harness", Branch(self.harness.shown.ids, self.harness.ids)

    def prompt(self, reading: str) -> str:
        """What the model was shown in a reading."""
        own = {judge.BARE: self.bare, judge.HARNESS: self.harness and self.harness.shown}
        return (own.get(reading) or self.shown).text

    def longest(self, readings: Sequence[str]) -> int:
        """Tokens of the longest prompt with what follows it."""
        return max((branch.longest() for _, branch in self.branches(readings)), default=len(self.shown.ids))


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
    texts = [structured.opened(put.shown.text) + model.tokenizer.decode(ids, skip_special_tokens=True) for put, ids in zip(puts, replies, strict=True)]
    stops = set(chat.stop_ids(model.tokenizer))
    cut = [len(ids) == reply_tokens and ids[-1] not in stops and not (paragraph and _over(text)) for ids, text in zip(replies, texts, strict=True)]
    said = [{"text": text.split(GAP)[0] if paragraph else text, "cut": is_cut} for text, is_cut in zip(texts, cut, strict=True)]
    raws = [_raws(put, logp[number], said[number], readings) for number, put in enumerate(puts)]
    n_said = sum(map(len, replies))                         # a prompt's last token is read again for its reply, the reply's own last token never
    return Read(raws, found.n_read + n_said, found.n_least + n_said - sum(map(bool, replies)))


def _over(text: str) -> bool:
    return GAP in text or runs_on(text)


def _raws(put: Put, found: dict[str, list[float]], reply: dict, readings: Sequence[str]) -> dict[str, dict]:
    raw = {"answers": list(put.question["answers"])}
    said = {**raw, **reply, "n_options": len(put.letters), "options": list(put.question["options"])}
    if len(put.question["answers"]) > 1:
        return {judge.GENERATED: said}
    sizes = {"option_bytes": [len(option.encode()) for option in put.question["options"]]}
    turned = {"orders": [list(order) for order in put.orders], "logp": [found[f"turned {k}"] for k in range(len(put.orders))]}
    made = {
        judge.LETTER: {**raw, "logp": found.get("letter")},
        judge.AVERAGED: {**raw, **turned},
        judge.TEXT: {**raw, **sizes, "logp": found.get("text")},
        judge.PRIOR: {**raw, "logp": found.get("text"), "prior": found.get("prior"), "cue": put.cue.text if put.cue else ""},
        judge.BARE: {**raw, **sizes, "logp": found.get("bare")},
        judge.HARNESS: {**raw, "logp": found.get("harness"), "words": list(put.harness.words) if put.harness else []},
        judge.GENERATED: said,
    }
    return {reading: made[reading] for reading in readings if reading in made and (reading != judge.HARNESS or put.harness)}
