"""Multiple choice: how questions are put to a model, with which worked examples, and its answers in every reading."""

import dataclasses
from collections.abc import Sequence
from typing import Literal

from aquilamed.core.config import check
from aquilamed.core.text import content_id
from aquilamed.evals import drawing, harness, judge, options, order
from aquilamed.evals.options import Put, Shown
from aquilamed.evals.task import Answer, Asked
from aquilamed.models import chat, wording
from aquilamed.models.folders import Model
from aquilamed.models.wording import LETTERS

Form = Literal["plain", "chat"]
Drawn = Literal["subject", "question"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Style:
    """How a task's questions are put and read."""

    form: Form
    readings: tuple[str, ...]
    max_tokens: int
    n_shots: int = 0
    max_new_tokens: int = 48
    seed: int = 0
    shots_by: Drawn = "subject"
    """Whether a subject's questions have the same worked examples, or each its own."""
    rotations: int = 0
    """Orders of the options in reading `letter-averaged`; 0 for as many as a question has options."""


def score_choices(model: Model, questions: Sequence[dict], style: Style, shots: Sequence[dict] = ()) -> Asked:
    """Ask `questions`; `shots` is the pool of solved questions that worked examples are drawn from.

    Dropped: `several_answers` (unless `generated` is read, which is scored as a set), `too_long`, `unrenderable`.

    Raises:
        ConfigError: fewer worked examples than `style.n_shots` for a question, or an example that is itself scored.
    """
    overlap = {shot["id"] for shot in shots} & {question["id"] for question in questions}
    check(not overlap, f"worked examples must not be scored themselves: question {min(overlap, default='')} is in both")
    drawer, ready, dropped = drawing.Shots(shots, style.n_shots, style.seed, style.shots_by), [], []
    for question in sorted(questions, key=lambda q: q["id"]):
        put = _put(model.tokenizer, question, drawer.of(question), style)
        ready.append(put) if isinstance(put, Put) else dropped.append((question, *put))
    found = options.read(model, ready, style.readings, reply_tokens=style.max_new_tokens, paragraph=style.form == "plain")
    limits = {judge.GENERATED: f"{style.max_new_tokens} tokens", judge.AVERAGED: f"{style.rotations} orders"}
    answers = [_answer(put, reading, raw, limits.get(reading, "")) for put, raws in zip(ready, found.raws, strict=True) for reading, raw in raws.items()]
    return Asked(answers=answers, dropped=dropped, tokens={"read": found.n_read, "least": found.n_least})


def _put(tokenizer, question: dict, shots: Sequence[dict], style: Style) -> Put | tuple[str, str]:
    """The question as tokens, or (reason, detail) where it can't be asked."""
    readings = set(style.readings)
    if len(question["answers"]) > 1 and judge.GENERATED not in readings:
        return "several_answers", wording.letter_of(question)
    orders = order.orders(len(question["options"]), style.rotations) if judge.AVERAGED in readings else []
    ask = lambda asked: _prompt(tokenizer, asked, shots, style.form)  # noqa: E731
    tokens = lambda text: tuple(tokenizer(_lead(question, style.form) + text, add_special_tokens=False)["input_ids"])  # noqa: E731
    try:
        put = Put(
            question=question, shown=ask(question), letters=tuple(tokens(letter) for letter in LETTERS[:len(question["options"])]),
            texts=tuple(map(tokens, question["options"])) if readings & {judge.TEXT, judge.PRIOR, judge.BARE} else (),
            cue=_cue(tokenizer, question, style.form) if judge.PRIOR in readings else None, bare=_bare(tokenizer, question, style.form) if judge.BARE in readings else None,
            orders=tuple(map(tuple, orders)), turned=tuple(ask(order.turned(question, one)).ids for one in orders),
            harness=_harness(tokenizer, question) if judge.HARNESS in readings else None)
    except chat.Unrenderable as error:
        return "unrenderable", error.reason
    longest = max(put.longest(style.readings), len(put.shown.ids) + (style.max_new_tokens if judge.GENERATED in readings else 0))
    return put if longest <= style.max_tokens else ("too_long", f"{longest} tokens")


def _lead(question: dict, form: Form) -> str:
    """What stands between the prompt and an answer."""
    return wording.words_for(question["lang"]).lead if form == "plain" else ""


def _prompt(tokenizer, question: dict, shots: Sequence[dict], form: Form) -> Shown:
    return _text(tokenizer, wording.plain(question, shots)) if form == "plain" else _turns(tokenizer, wording.messages(question, shots))


def _cue(tokenizer, question: dict, form: Form) -> Shown:
    """The form without its question."""
    words = wording.words_for(question["lang"])
    return _text(tokenizer, words.answer) if form == "plain" else _turns(tokenizer, [{"role": "user", "content": words.one}])


def _bare(tokenizer, question: dict, form: Form) -> Shown:
    """The question without its options."""
    return _text(tokenizer, wording.bare(question)) if form == "plain" else _turns(tokenizer, [{"role": "user", "content": question["stem"]}])


def _text(tokenizer, text: str) -> Shown:
    return Shown(text, tuple(chat.text_ids(tokenizer, text)))


def _turns(tokenizer, turns: Sequence[dict]) -> Shown:
    return Shown(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True), tuple(chat.prompt(tokenizer, turns)))


def _harness(tokenizer, question: dict) -> options.Harness | None:
    """The question in lm-evaluation-harness's form; an option's tokens are those it adds to the prompt's."""
    put = harness.put(question)
    if put is None:
        return None
    shown = _text(tokenizer, put[0])
    return options.Harness(shown, tuple(put[1]), tuple(_text(tokenizer, put[0] + word).ids[len(shown.ids):] for word in put[1]))


def _answer(put: Put, reading: str, raw: dict, limits: str) -> Answer:
    question = put.question
    return Answer(id=question["id"], reading=reading, raw=raw, lang=question["lang"], subject=question["subject"] or "",
                  group=content_id(question["context"]) if question["context"] else "", prompt=put.prompt(reading), limits=limits)
