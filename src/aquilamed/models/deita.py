"""Deita's published scorers: one causal model for an instruction's complexity, one for an answer's quality, each 1..6. paper 2.2.1

A score is the expected value over the tokens 1 to 6 right after the prompt. The prompts are part of the published models and read as they were
taught (https://github.com/hkust-nlp/deita, src/deita/selection/scorer/llama_scorer.py): other words would give other scores.
"""

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from aquilamed.core.errors import ModelUnavailable
from aquilamed.models import encoder, folders, prepare
from aquilamed.tree import branches

COMPLEXITY = "You are a helpful assistant. Please identify the complexity score of the following user query. \n##Query: {instruction}  \n##Complexity: "
QUALITY = "You are a helpful assistant. Please identify the quality score of the Response corresponding to the Question. \n #Question#:\n{instruction}\n#Response#:\n{output} \n##Quality: "
SCALE = np.arange(1, 7)


def ratings(complexity: str, quality: str, turns: Sequence[tuple[str, str]], max_tokens: int) -> list[tuple[float, float] | None]:
    """(complexity, quality) of each (question, answer) by the two models, each a folder or a hub id; None where a prompt is longer than `max_tokens`.

    Raises:
        ModelUnavailable: a model is not there, or its tokenizer has no token of its own for each of 1 to 6.
    """
    with encoder.alone():
        hard = expected(_loaded(complexity), [filled(COMPLEXITY, asked) for asked, _ in turns], max_tokens)
        good = expected(_loaded(quality), [filled(QUALITY, asked, said) for asked, said in turns], max_tokens)
    return [None if c is None or q is None else (c, q) for c, q in zip(hard, good, strict=True)]


def filled(prompt: str, instruction: str, output: str = "") -> str:
    """The prompt with the texts in their places; braces in them mean nothing."""
    before, after = prompt.split("{instruction}")
    middle, *end = after.split("{output}")
    return before + instruction + middle + (output + end[0] if end else "")


def expected(model: folders.Model, prompts: Sequence[str], max_tokens: int) -> list[float | None]:
    """The expected value over 1..6 after each prompt, to 4 decimals; None for one of more than `max_tokens` tokens."""
    digits = _digits(model)
    ids = model.tokenizer(list(prompts))["input_ids"] if prompts else []
    asked = {tuple(row): branches.Branch(tuple(row), digits) for row in ids if len(row) <= max_tokens}
    found = dict(zip(asked, branches.logp(model.network, list(asked.values())), strict=True))
    return [_mean(found[tuple(row)]) if tuple(row) in found else None for row in ids]


def _mean(logp: Sequence[float]) -> float:
    shares = np.exp(np.array(logp) - max(logp))
    return round(float(SCALE @ shares / shares.sum()), 4)


def _digits(model: folders.Model) -> tuple[tuple[int], ...]:
    """The token of each figure: the last one, since some tokenizers put a blank before it."""
    found = tuple((model.tokenizer(str(number), add_special_tokens=False)["input_ids"][-1],) for number in SCALE)
    if len(set(found)) < len(SCALE) or model.tokenizer.unk_token_id in {token for token, in found}:
        raise ModelUnavailable(f"{model.folder}: its tokenizer has no token of its own for each of 1 to 6, so it can't be one of Deita's scorers")
    return found


@functools.cache
def _loaded(source: str) -> folders.Model:
    if Path(source).is_dir():
        return folders.load(source)
    if not prepare.HUB_ID.fullmatch(source):
        raise ModelUnavailable(f"{source}: no such model folder; a hub id would read owner/name")
    return folders.load(prepare.download(source, "main"))
