"""Held-out preference pairs: does the model find the chosen answer likelier than the rejected one?

`logprob` compares log p per byte of the answers; `margin` compares what the model gained over a reference model, the
quantity that DPO raises. The prompt is computed once, the two answers are its children.
"""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from aquilamed.evals import judge
from aquilamed.evals.task import Answer, Asked
from aquilamed.models import chat
from aquilamed.models.folders import Model
from aquilamed.tree import branches
from aquilamed.tree.branches import Branch


class PairLogp(NamedTuple):
    """log p in nats of the two answers with their stop token."""

    chosen: float
    rejected: float


def score_pairs(model: Model, pairs: Sequence[dict], max_tokens: int, beta: float, reference: Mapping[str, PairLogp]) -> Asked:
    """Ask `pairs`; reading `margin` for those that `reference` knows.

    Dropped: `too_long` for `max_tokens`, `unrenderable` by the chat template.
    """
    kept, asked, dropped = [], [], []
    for pair in sorted(pairs, key=lambda p: p["id"]):
        found = _branch(model.tokenizer, pair, max_tokens)
        if isinstance(found, Branch):
            kept.append(pair)
            asked.append(found)
        else:
            dropped.append((pair, *found))
    answers = []
    for pair, (chosen, rejected) in zip(kept, branches.logp(model.network, asked), strict=True):
        raw = {"chosen": round(chosen, 6), "rejected": round(rejected, 6),
               "chosen_bytes": len(pair["chosen"].encode()), "rejected_bytes": len(pair["rejected"].encode())}
        answers.append(_answer(model, pair, judge.LOGPROB, raw))
        if pair["id"] in reference:
            known = reference[pair["id"]]
            made = {**raw, "reference_chosen": known.chosen, "reference_rejected": known.rejected, "beta": beta}
            answers.append(_answer(model, pair, judge.MARGIN, made))
    return Asked(answers=answers, dropped=dropped)


def logps(model: Model, pairs: Sequence[dict], max_tokens: int) -> dict[str, PairLogp]:
    """Each pair's log-probs under `model`, for use as a reference."""
    asked = score_pairs(model, pairs, max_tokens, 0.0, {})
    return {answer.id: PairLogp(answer.raw["chosen"], answer.raw["rejected"]) for answer in asked.answers}


def from_rows(rows: Sequence[dict]) -> dict[str, PairLogp]:
    """The same from another stage's answers in reading `logprob`."""
    raws = {row["id"]: json.loads(row["raw"]) for row in rows if row["reading"] == judge.LOGPROB}
    return {id: PairLogp(raw["chosen"], raw["rejected"]) for id, raw in raws.items()}


def _branch(tokenizer, pair: dict, max_tokens: int) -> Branch | tuple[str, str]:
    if not (pair["chosen"].strip() and pair["rejected"].strip()):
        return "unrenderable", "empty answer"
    try:
        prompt = tuple(chat.prompt(tokenizer, pair["prompt"]))
        branch = Branch(prompt, tuple(_answer_ids(tokenizer, pair, side, len(prompt)) for side in ("chosen", "rejected")))
    except chat.Unrenderable as error:
        return "unrenderable", error.reason
    return branch if branch.longest() <= max_tokens else ("too_long", f"{branch.longest()} tokens")


def _answer_ids(tokenizer, pair: dict, side: str, n_prompt: int) -> tuple[int, ...]:
    """The answer's tokens up to and with its stop token."""
    turn = [*pair["prompt"], {"role": "assistant", "content": pair[side]}]
    rendered = chat.render(tokenizer, turn, last_only=True)
    return tuple(rendered.ids[n_prompt:np.flatnonzero(rendered.trained)[-1] + 1].tolist())


def _answer(model: Model, pair: dict, reading: str, raw: dict) -> Answer:
    turns = [{"role": m["role"], "content": m["content"]} for m in pair["prompt"]]
    shown = model.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    return Answer(id=pair["id"], reading=reading, raw=raw, lang=pair["lang"], subject=pair["kind"] or "", prompt=shown)
