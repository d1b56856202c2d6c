"""Multiple choice: what a model makes of each option's letter and of each option's text, after a prompt that lists them.

Letters and texts continue the same prompt, so they share one pass over it; prompts with the same worked examples share
those too. Where a letter is more than one token its tokens' log-probs are summed.
"""

import dataclasses
from collections.abc import Sequence
from typing import Literal

from aquilamed.core.config import check
from aquilamed.core.text import content_id
from aquilamed.evals import drawing, judge
from aquilamed.evals.task import Answer, Asked
from aquilamed.models import chat, wording
from aquilamed.models.folders import Model
from aquilamed.models.generate import generate
from aquilamed.models.wording import LETTERS
from aquilamed.tree import branches
from aquilamed.tree.branches import Branch

Form = Literal["plain", "chat"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Style:
    """How a task's questions are put and read."""

    form: Form
    readings: tuple[str, ...]
    max_tokens: int
    n_shots: int = 0
    max_new_tokens: int = 48
    seed: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Put:
    """A question as a model sees it."""

    question: dict
    prompt: str
    ids: tuple[int, ...]
    letters: tuple[tuple[int, ...], ...]
    texts: tuple[tuple[int, ...], ...]
    cue: tuple[int, ...]
    """The same form without the question: what an option's text is likely to be anyway."""
    bare: tuple[int, ...]
    """The question without its options."""


def score_choices(model: Model, questions: Sequence[dict], style: Style, shots: Sequence[dict] = ()) -> Asked:
    """Ask `questions`; `shots` is the pool of solved questions that worked examples are drawn from.

    Dropped: `several_answers` (unless `generated` is read, which is scored as a set), `too_long`, `unrenderable`.

    Raises:
        ConfigError: fewer worked examples than `style.n_shots` for a question, or an example that is itself scored.
    """
    overlap = {shot["id"] for shot in shots} & {question["id"] for question in questions}
    check(not overlap, f"worked examples must not be scored themselves: question {min(overlap, default='')} is in both")
    chosen: dict[tuple, list[dict]] = {}
    ready, dropped = [], []
    for question in sorted(questions, key=lambda q: q["id"]):
        put = _put(model.tokenizer, question, drawing.shots_for(question, shots, style.n_shots, style.seed, chosen), style)
        ready.append(put) if isinstance(put, Put) else dropped.append((question, *put))
    answers = [*_read_logp(model, ready, style), *_read_generated(model, ready, style)]
    return Asked(answers=answers, dropped=dropped)


def _put(tokenizer, question: dict, shots: Sequence[dict], style: Style) -> Put | tuple[str, str]:
    """The question as tokens, or (reason, detail) where it can't be asked."""
    if len(question["answers"]) > 1 and judge.GENERATED not in style.readings:
        return "several_answers", wording.letter_of(question)
    words = wording.words_for(question["lang"])
    try:
        prompt, ids, cue = _prompt(tokenizer, question, shots, style.form)
        bare = _bare(tokenizer, question, style.form)
    except chat.Unrenderable as error:
        return "unrenderable", error.reason
    lead = words.lead if style.form == "plain" else ""
    tokens = lambda text: tuple(tokenizer(lead + text, add_special_tokens=False)["input_ids"])  # noqa: E731
    put = Put(question=question, prompt=prompt, ids=tuple(ids), cue=tuple(cue), bare=tuple(bare), texts=tuple(map(tokens, question["options"])),
              letters=tuple(tokens(LETTERS[i]) for i in range(len(question["options"]))))
    longest = len(ids) + max(style.max_new_tokens if judge.GENERATED in style.readings else 0, *map(len, (*put.letters, *put.texts)))
    return put if longest <= style.max_tokens else ("too_long", f"{longest} tokens")


def _prompt(tokenizer, question: dict, shots: Sequence[dict], form: Form) -> tuple[str, list[int], list[int]]:
    """The prompt as text and as ids, and the ids of the form without its question."""
    words = wording.words_for(question["lang"])
    if form == "plain":
        text = wording.plain(question, shots)
        return text, chat.text_ids(tokenizer, text), chat.text_ids(tokenizer, words.answer)
    turns, cue = wording.messages(question, shots), [{"role": "user", "content": words.one}]
    text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    return text, chat.prompt(tokenizer, turns), chat.prompt(tokenizer, cue)


def _bare(tokenizer, question: dict, form: Form) -> list[int]:
    """The question without its options, as ids."""
    if form == "plain":
        return chat.text_ids(tokenizer, wording.bare(question))
    return chat.prompt(tokenizer, [{"role": "user", "content": question["stem"]}])


def _read_logp(model: Model, ready: Sequence[Put], style: Style) -> list[Answer]:
    single = [put for put in ready if len(put.question["answers"]) == 1]
    wants_text = bool({judge.TEXT, judge.PRIOR} & set(style.readings))
    asked = [Branch(put.ids, put.letters * (judge.LETTER in style.readings) + put.texts * wants_text) for put in single]
    if not asked or not set(style.readings) - {judge.GENERATED}:
        return []
    prior = _prior_logp(model, single) if judge.PRIOR in style.readings else {}
    bare = branches.logp(model.network, [Branch(put.bare, put.texts) for put in single]) if judge.BARE in style.readings else [()] * len(single)
    answers = []
    for put, found, alone in zip(single, branches.logp(model.network, asked), bare, strict=True):
        n, sizes = len(put.letters), {"option_bytes": [len(option.encode()) for option in put.question["options"]]}
        raw = {"answers": list(put.question["answers"]), "logp": _rounded(found[-n:])}
        made = {
            judge.LETTER: {**raw, "logp": _rounded(found[:n])},
            judge.TEXT: {**raw, **sizes},
            judge.PRIOR: {**raw, "prior": [prior.get((put.cue, text), 0.0) for text in put.texts]},
            judge.BARE: {**raw, **sizes, "logp": _rounded(alone)},
        }
        answers += [_answer(put, reading, made[reading]) for reading in style.readings if reading in made]
    return answers


def _prior_logp(model: Model, ready: Sequence[Put]) -> dict[tuple, float]:
    """(cue, option text) -> log p of the text after the bare form; every distinct text once."""
    pairs = sorted({(put.cue, text) for put in ready for text in put.texts})
    found = branches.logp(model.network, [Branch(cue, (text,)) for cue, text in pairs])
    return {pair: value for pair, values in zip(pairs, found, strict=True) for value in _rounded(values)}


def _read_generated(model: Model, ready: Sequence[Put], style: Style) -> list[Answer]:
    if judge.GENERATED not in style.readings or not ready:
        return []
    replies = generate(model, [list(put.ids) for put in ready], [put.question["id"] for put in ready],
                       max_new_tokens=style.max_new_tokens, seed=style.seed)
    answers = []
    for put, ids in zip(ready, replies, strict=True):
        text = model.tokenizer.decode(ids, skip_special_tokens=True)
        raw = {"answers": list(put.question["answers"]), "text": text.split("\n\n")[0] if style.form == "plain" else text,
               "n_options": len(put.letters)}
        answers.append(_answer(put, judge.GENERATED, raw))
    return answers


def _answer(put: Put, reading: str, raw: dict) -> Answer:
    question = put.question
    return Answer(id=question["id"], reading=reading, raw=raw, lang=question["lang"], subject=question["subject"] or "",
                  group=content_id(question["context"]) if question["context"] else "", prompt=put.prompt)


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 6) for value in values]
