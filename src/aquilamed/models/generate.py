"""Answers token by token, in batches; what a prompt gets does not depend on its neighbours (fp32)."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from aquilamed.core.chance import chooser
from aquilamed.models import chat
from aquilamed.models.folders import Model


def generate(model: Model, prompts: Sequence[Sequence[int]], keys: Sequence[str], *, max_new_tokens: int,
             temperature: float = 0.0, seed: int = 0, batch: int = 16, padded: int = 4096) -> list[list[int]]:
    """The tokens that follow each prompt, up to and with the stop token, or `max_new_tokens` of them.

    At most `batch` prompts go together, and at most `padded` tokens with their padding (one longer prompt goes alone).
    Sampling noise belongs to (seed, key), so neither order nor batch changes an answer; temperature 0 is greedy.
    """
    answers: list[list[int]] = [[] for _ in prompts]
    order = sorted(range(len(prompts)), key=lambda i: (len(prompts[i]), keys[i]))
    for group in grouped(order, [len(prompts[i]) for i in order], batch, padded):
        chances = [chooser(seed, keys[i]) for i in group]
        for step in decode(model, [prompts[i] for i in group], chances, max_new_tokens, temperature):
            for index, token in zip(group, step, strict=True):
                if token is not None:
                    answers[index].append(token)
    return answers


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
           max_new_tokens: int, temperature: float) -> Iterator[list[int | None]]:
    """One list a step: each prompt's next token, None once it has stopped. Prompts are padded on the left."""
    network, stops = model.network.eval(), set(chat.stop_ids(model.tokenizer))
    device, longest = next(network.parameters()).device, max(map(len, prompts))
    ids_BT = torch.tensor([[0] * (longest - len(p)) + list(p) for p in prompts], device=device)
    mask_BT = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts], device=device)
    cache, running = DynamicCache(config=network.config), [True] * len(prompts)
    for _ in range(max_new_tokens):
        positions_BT = (mask_BT.cumsum(-1) - 1).clamp(min=0)[:, -ids_BT.shape[1]:]
        logits_BV = network(input_ids=ids_BT, attention_mask=mask_BT, position_ids=positions_BT, past_key_values=cache,
                            use_cache=True, logits_to_keep=1).logits[:, -1].float()
        tokens = _choose(logits_BV, chances, temperature)
        yield [token if alive else None for token, alive in zip(tokens, running, strict=True)]
        running = [alive and token not in stops for token, alive in zip(tokens, running, strict=True)]
        if not any(running):
            return
        ids_BT = torch.tensor(tokens, device=device)[:, None]
        mask_BT = torch.cat([mask_BT, torch.ones_like(mask_BT[:, :1])], 1)


def _choose(logits_BV: Tensor, chances: Sequence[np.random.Generator], temperature: float) -> list[int]:
    """Greedy, or by Gumbel noise of each row's own generator (the same as sampling from the softmax)."""
    if temperature > 0:
        noise = np.stack([chance.gumbel(size=logits_BV.shape[-1]).astype(np.float32) for chance in chances])
        logits_BV = logits_BV / temperature + torch.from_numpy(noise).to(logits_BV.device)
    return logits_BV.argmax(-1).tolist()
