"""Answers token by token, in batches; what a prompt gets does not depend on its neighbours (fp32).

Prompts are read as the tree of their common beginnings (`branches`); as soon as enough of them are read, they are gone on with together.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers.cache_utils import Cache, DynamicLayer

from aquilamed.core import pace
from aquilamed.core.chance import chooser
from aquilamed.models import chat
from aquilamed.models.folders import Model
from aquilamed.tree import branches, mask, score
from aquilamed.tree.branches import Branch, End

NOWHERE = 1 << 30
"""The place of padding: beyond everything, so that nothing sees it."""
ROOM = 64
"""Tokens by which a cache grows."""
Over = Callable[[str], bool]
"""(an answer's text so far) -> whether nothing behind it is wanted."""


class Answers:
    """Prompts' answers, each up to and with the stop token, or `max_new_tokens` of its tokens.

    At most `batch` prompts go together, and at most `padded` tokens with their padding and their answers (one longer prompt goes alone).
    Sampling noise belongs to (seed, key), so neither order nor batch changes an answer; temperature 0 is greedy.
    An answer also ends with the token that makes `over` say so of its text.
    """

    def __init__(self, model: Model, keys: Sequence[str], *, max_new_tokens: int, temperature: float = 0.0, seed: int = 0, over: Over | None = None, batch: int = 64, padded: int = 16384):
        self.model, self.keys, self.seed, self.batch, self.padded = model, keys, seed, batch, padded
        self.settings = {"max_new_tokens": max_new_tokens, "temperature": temperature, "over": over}
        self.found: list[list[int]] = [[] for _ in keys]
        self.waiting: list[tuple[int, End]] = []
        self.told = pace.Pace(len(keys) * max_new_tokens, pace.listener(), "tokens of answers at most")

    def take(self, index: int, end: End) -> None:
        """A prompt that was read; it is gone on with once the batch is full."""
        longest = max([len(end), *(len(other) for _, other in self.waiting)]) + self.settings["max_new_tokens"]
        if self.waiting and (len(self.waiting) == self.batch or (len(self.waiting) + 1) * longest > self.padded):
            self._go_on()
        self.waiting.append((index, end))

    def whole(self) -> list[list[int]]:
        """All answers, once every prompt was taken."""
        if self.waiting:
            self._go_on()
        return self.found

    def _go_on(self) -> None:
        group, ends = zip(*self.waiting, strict=True)
        self.waiting, most = [], len(group) * self.settings["max_new_tokens"]
        for step in follow(self.model, ends, [chooser(self.seed, self.keys[index]) for index in group], **self.settings):
            said = [(index, token) for index, token in zip(group, step, strict=True) if token is not None]
            for index, token in said:
                self.found[index].append(token)
            self.told.done(len(said))
            most -= len(said)
        self.told.done(most)


def generate(model: Model, prompts: Sequence[Sequence[int]], keys: Sequence[str], **settings) -> list[list[int]]:
    """The tokens that follow each prompt; `settings` are those of `Answers`."""
    answers = Answers(model, keys, **settings)
    with pace.heard_by(pace.silent):
        branches.read(model.network, [Branch(tuple(prompt), (), open=True) for prompt in prompts], go_on=answers.take)
    return answers.whole()


@torch.no_grad()
def follow(model: Model, ends: Sequence[End], chances: Sequence[np.random.Generator], *, max_new_tokens: int, temperature: float, over: Over | None = None) -> Iterator[list[int | None]]:
    """One list a step: the next token after each of `ends`; None once an answer has ended.

    Once half of the rows have stopped, they are left out.
    """
    network, stops = model.network.eval(), set(chat.stop_ids(model.tokenizer))
    config, device, longest = network.config.get_text_config(), next(network.parameters()).device, max(map(len, ends))
    ids_BT = torch.tensor([[end.last] for end in ends], device=device)
    place_BS = torch.tensor([[*[NOWHERE] * (longest - len(end)), *range(len(end))] for end in ends], device=device)
    cache, rows, said, running = _cache(ends), list(range(len(ends))), [[] for _ in ends], [True] * len(ends)
    dropped = longest - 1 - min(layer.keys.shape[2] for layer in cache.layers)
    for _ in range(max_new_tokens):
        query_BT = place_BS[:, -1:]
        with score.cast(device):
            logits_BV = network(input_ids=ids_BT, attention_mask=mask.by_places(query_BT, place_BS, config, network.dtype, dropped), position_ids=query_BT,
                                past_key_values=cache, use_cache=True, logits_to_keep=1).logits[:, -1].float()
        tokens = dict(zip(rows, _choose(logits_BV, [chances[row] for row in rows], temperature), strict=True))
        yield [tokens[row] if alive else None for row, alive in enumerate(running)]
        for row, token in tokens.items():
            said[row].append(token)
        running = [alive and tokens[row] not in stops and not (over and over(model.tokenizer.decode(said[row]))) for row, alive in enumerate(running)]
        if not any(running):
            return
        left = [k for k, row in enumerate(rows) if running[row]]
        if 2 * len(left) <= len(rows):
            chosen = torch.tensor(left, device=device)
            cache.batch_select_indices(chosen)
            place_BS, rows = place_BS[chosen], [rows[k] for k in left]
        ids_BT = torch.tensor([tokens[row] for row in rows], device=device)[:, None]
        place_BS = torch.cat([place_BS, place_BS[:, -1:] + 1], 1)


class _Roomy(DynamicLayer):
    """Keys and values, (B, heads, tokens, width), at the beginning of tensors with room for more: joining them anew for each token takes longer than the model's products."""

    stores: tuple[Tensor, Tensor] | None = None

    def update(self, key_states: Tensor, value_states: Tensor, *args, **kwargs) -> tuple[Tensor, Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.keys, self.values = key_states, value_states
            return key_states, value_states
        before, end = self.keys.shape[2], self.keys.shape[2] + key_states.shape[2]
        if self.stores is None or end > self.stores[0].shape[2]:
            self.stores = _roomy(self.keys, end), _roomy(self.values, end)
        for store, new in zip(self.stores, (key_states, value_states), strict=True):
            store[:, :, before:end] = new
        self.keys, self.values = (store[:, :, :end] for store in self.stores)
        return self.keys, self.values

    def batch_select_indices(self, indices: Tensor) -> None:
        super().batch_select_indices(indices)
        self.stores = None


def _roomy(some: Tensor, end: int) -> Tensor:
    """`some` in front of room for tokens up to `end` and more."""
    store = some.new_empty(*some.shape[:2], end + ROOM, some.shape[3])
    store[:, :, :some.shape[2]] = some
    return store


def _cache(ends: Sequence[End]) -> Cache:
    """A cache with a row for each of `ends`, padded on the left; a layer with a window has only what is kept of a past, which is all that its window can still see."""
    cache = Cache(layers=[_Roomy() for _ in ends[0].layers])
    for index in range(len(ends[0].layers)):
        rows = [[torch.cat([*([end.past.layers[index][part]] if end.past else []), end.layers[index][part]], 2) for part in (0, 1)] for end in ends]
        longest = max(keys.shape[2] for keys, _ in rows)
        cache.update(*(torch.cat([pad(row[part], (0, 0, longest - row[part].shape[2], 0)) for row in rows]) for part in (0, 1)), index)
    return cache


def _choose(logits_BV: Tensor, chances: Sequence[np.random.Generator], temperature: float) -> list[int]:
    """Greedy, or by Gumbel noise of each row's own generator (the same as sampling from the softmax)."""
    if temperature > 0:
        noise = np.stack([chance.gumbel(size=logits_BV.shape[-1]).astype(np.float32) for chance in chances])
        logits_BV = logits_BV / temperature + torch.from_numpy(noise).to(logits_BV.device)
    return logits_BV.argmax(-1).tolist()
