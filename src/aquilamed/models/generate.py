"""Answers token by token, in batches; what a prompt gets does not depend on its neighbours (fp32).

Prompts that begin alike for more than half of their length (worked examples) have that beginning read once.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from aquilamed.core import pace
from aquilamed.core.chance import chooser
from aquilamed.models import chat
from aquilamed.models.folders import Model
from aquilamed.tree import mask, score, trie
from aquilamed.tree.score import Past

MIN_SHARED = 64
"""Tokens of common beginning from which it is read for itself: about two passes of one prompt."""
NOWHERE = 1 << 30
"""The place of padding: beyond everything, so that nothing sees it."""


def generate(model: Model, prompts: Sequence[Sequence[int]], keys: Sequence[str], *, max_new_tokens: int,
             temperature: float = 0.0, seed: int = 0, batch: int = 16, padded: int = 4096) -> list[list[int]]:
    """The tokens that follow each prompt, up to and with the stop token, or `max_new_tokens` of them.

    At most `batch` prompts go together, and at most `padded` tokens with their padding (one longer prompt goes alone).
    Sampling noise belongs to (seed, key), so neither order nor batch changes an answer; temperature 0 is greedy.
    """
    answers: list[list[int]] = [[] for _ in prompts]
    told = pace.Pace(len(prompts), pace.listener(), "answers")
    for family, n_shared in families(prompts):
        past = score.beginning(model.network, prompts[family[0]][:n_shared]) if n_shared else None
        order = sorted(family, key=lambda i: (len(prompts[i]), keys[i]))
        for group in grouped(order, [len(prompts[i]) for i in order], batch, padded):
            chances = [chooser(seed, keys[i]) for i in group]
            for step in decode(model, [prompts[i][n_shared:] for i in group], chances, max_new_tokens, temperature, past):
                for index, token in zip(group, step, strict=True):
                    if token is not None:
                        answers[index].append(token)
            told.done(len(group))
    return answers


def families(prompts: Sequence[Sequence[int]]) -> list[tuple[list[int], int]]:
    """Indices of prompts that share a beginning worth reading once, and its length; last, with 0, all that share none."""
    rows = [tuple(prompt) for prompt in prompts]
    found, alone, family, common = [], [], [], 0
    for index in [*sorted(range(len(rows)), key=lambda i: (rows[i], i)), None]:
        grown = min(trie.shared(rows[family[0]], rows[index]), len(rows[index]) - 1, common) if family and index is not None else 0
        if family and grown >= MIN_SHARED and 2 * grown > max(len(rows[index]), *(len(rows[i]) for i in family)):
            family.append(index)
            common = grown
            continue
        if len(family) > 1:
            found.append((family, common))
        else:
            alone += family
        family, common = ([index], len(rows[index]) - 1) if index is not None else ([], 0)
    return [*found, (sorted(alone), 0)] if alone else found


def grouped(order: Sequence[int], lengths: Sequence[int], batch: int, padded: int) -> Iterator[list[int]]:
    """Runs of `order`, whose `lengths` rise: at most `batch` each, and at most `padded` once all are as long as the last."""
    group: list[int] = []
    for index, length in zip(order, lengths, strict=True):
        if group and (len(group) == batch or (len(group) + 1) * length > padded):
            yield group
            group = []
        group.append(index)
    if group:
        yield group


@torch.no_grad()
def decode(model: Model, prompts: Sequence[Sequence[int]], chances: Sequence[np.random.Generator],
           max_new_tokens: int, temperature: float, past: Past | None = None) -> Iterator[list[int | None]]:
    """One list a step: each prompt's next token, None once it has stopped. Prompts follow `past` and are padded on the left.

    Once half of the rows have stopped, they are left out.
    """
    network, stops = model.network.eval(), set(chat.stop_ids(model.tokenizer))
    config, device, longest = network.config.get_text_config(), next(network.parameters()).device, max(map(len, prompts))
    before = past.length if past else 0
    ids_BT = torch.tensor([[0] * (longest - len(p)) + list(p) for p in prompts], device=device)
    place_BS = torch.tensor([[*range(before), *[NOWHERE] * (longest - len(p)), *range(before, before + len(p))] for p in prompts], device=device)
    cache, rows, running = _cache(past, len(prompts)), list(range(len(prompts))), [True] * len(prompts)
    for _ in range(max_new_tokens):
        query_BT = place_BS[:, -ids_BT.shape[1]:]
        logits_BV = network(input_ids=ids_BT, attention_mask=mask.by_places(query_BT, place_BS, config, network.dtype, before), position_ids=query_BT.where(query_BT < NOWHERE, 0),
                            past_key_values=cache, use_cache=True, logits_to_keep=1).logits[:, -1].float()
        tokens = dict(zip(rows, _choose(logits_BV, [chances[row] for row in rows], temperature), strict=True))
        yield [tokens[row] if alive else None for row, alive in enumerate(running)]
        running = [alive and tokens[row] not in stops for row, alive in enumerate(running)]
        if not any(running):
            return
        left = [k for k, row in enumerate(rows) if running[row]]
        if 2 * len(left) <= len(rows):
            chosen = torch.tensor(left, device=device)
            cache.batch_select_indices(chosen)
            place_BS, rows = place_BS[chosen], [rows[k] for k in left]
        ids_BT = torch.tensor([tokens[row] for row in rows], device=device)[:, None]
        place_BS = torch.cat([place_BS, place_BS[:, -1:] + 1], 1)


def _cache(past: Past | None, n_rows: int) -> DynamicCache:
    """A cache that holds `past` for each row."""
    cache = DynamicCache()
    for index, (keys, values) in enumerate(past.layers if past else ()):
        cache.update(keys.expand(n_rows, -1, -1, -1), values.expand(n_rows, -1, -1, -1), index)
    return cache


def _choose(logits_BV: Tensor, chances: Sequence[np.random.Generator], temperature: float) -> list[int]:
    """Greedy, or by Gumbel noise of each row's own generator (the same as sampling from the softmax)."""
    if temperature > 0:
        noise = np.stack([chance.gumbel(size=logits_BV.shape[-1]).astype(np.float32) for chance in chances])
        logits_BV = logits_BV / temperature + torch.from_numpy(noise).to(logits_BV.device)
    return logits_BV.argmax(-1).tolist()
