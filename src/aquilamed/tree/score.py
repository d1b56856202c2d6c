"""Packs through a model: the log-loss of every asked token."""

import contextlib
import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from aquilamed.core import pace
from aquilamed.core.errors import ModelUnavailable
from aquilamed.tree import last
from aquilamed.tree import pack as packing
from aquilamed.tree.head import nll_alone, token_nll
from aquilamed.tree.mask import attention_mask, kept, windows
from aquilamed.tree.pack import Pack, Tree

CPU_PACK, GPU_PACK = 512, 8192
"""Pack lengths that pay: attention over a dense mask grows with the square, and a CPU gains nothing from longer ones."""


class Scored(torch.nn.Module):
    """A language model whose forward pass gives the asked tokens' losses: the head's weights are used inside it, as sharding asks."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    @property
    def dtype(self) -> torch.dtype:
        return self.network.dtype

    def forward(self, pack: Pack) -> Tensor:
        return _pack_nll(self.network, pack)

    def apart(self, work: Callable):
        """What `work` makes of the model itself; under FSDP2 every rank calls it, and each has the weights outside the layers whole while it runs."""
        return work(self.network)


def cast(device: torch.device) -> torch.autocast:
    """Products are bfloat16 on a GPU."""
    return torch.autocast("cuda", torch.bfloat16, enabled=device.type == "cuda")


def pack_nll(network, pack: Pack) -> Tensor:
    """-log p of the pack's asked tokens, shape (L,); with gradient where the caller allows it."""
    return network(pack) if isinstance(network, Scored) else _pack_nll(network, pack)


def _pack_nll(network, pack: Pack, *, alone: bool = False, cache: DynamicCache | None = None, before: int = 0) -> Tensor:
    """`alone`: no gradient is wanted. `cache` holds the keys and values of `before` tokens that stand in front of the pack, and takes the pack's own."""
    device = next(network.parameters()).device
    body, config = network.get_decoder(), network.config.get_text_config()
    as_tensor = lambda array: torch.from_numpy(array).to(device)  # noqa: E731
    at_L = as_tensor(pack.at_L)
    spared = last.only(body, at_L.unique(), len(pack)) if alone else contextlib.nullcontext()
    with cast(device), spared:
        hidden_1TD = body(
            input_ids=as_tensor(pack.ids_T)[None], position_ids=as_tensor(pack.positions_T + before)[None],
            attention_mask=attention_mask(pack, config, body.dtype, device, flex=config._attn_implementation == "flex_attention", past=before),
            past_key_values=cache, use_cache=cache is not None,
        ).last_hidden_state
    weight_VD = network.get_output_embeddings().weight
    return (nll_alone if alone else token_nll)(hidden_1TD[0].to(weight_VD.dtype), weight_VD, at_L, as_tensor(pack.target_L))


Layers = tuple[tuple[Tensor, Tensor], ...]
"""Each layer's keys and values."""


@dataclasses.dataclass(frozen=True)
class Past:
    """What was read before a pack."""

    length: int
    """Tokens."""
    layers: Layers
    """Each layer's keys and values, of a layer with a window only those that can still be seen."""


@torch.no_grad()
def read(network, pack: Pack, past: Past | None = None, keep: bool = False) -> tuple[Tensor, Layers]:
    """-log p of the pack's asked tokens after `past`, shape (L,); and with `keep` each layer's keys and values, (1, heads, kept + T, width): those of `past` and then the pack's."""
    cache = DynamicCache() if past or keep else None
    for index, (keys, values) in enumerate(past.layers if past else ()):
        cache.update(keys, values, index)
    nll_L = _pack_nll(network, pack, alone=True, cache=cache, before=past.length if past else 0)
    return nll_L, tuple((layer.keys, layer.values) for layer in cache.layers) if keep else ()


def kept_of(network, layers: Layers, length: int) -> Past:
    """What can still be seen of the `length` tokens that `layers` end with."""
    sizes = [kept(length, window) for window in windows(network.config.get_text_config())]
    return Past(length, tuple((keys[:, :, -size:], values[:, :, -size:]) for (keys, values), size in zip(layers, sizes, strict=True)))


def default_pack(network) -> int:
    """The pack length to use where none is asked for."""
    return CPU_PACK if next(network.parameters()).device.type == "cpu" else GPU_PACK


@torch.no_grad()
def nll(network, trees: Sequence[Tree], *, pack_tokens: int = 0) -> list[list[np.ndarray]]:
    """For each tree, for each of its segments, -log p in nats of its asked tokens, in order.

    `pack_tokens` 0 is `default_pack`; longer trees lie in packs of two, four, ... times the length, so that they slow only themselves.
    """
    room = pack_tokens or default_pack(network)
    classes: dict[int, list[int]] = {}
    for index, tree in enumerate(trees):
        length = room
        while length < packing.size(tree):
            length *= 2
        classes.setdefault(length, []).append(index)
    found: list[list[np.ndarray]] = [[] for _ in trees]
    was_training, told = network.training, pace.Pace(sum(map(packing.size, trees)), pace.listener(), "tokens")
    network.eval()
    for length, members in sorted(classes.items()):
        for one in packing.pack([trees[index] for index in members], length):
            values = _pack_nll(network, one, alone=True).double().cpu().numpy()
            for number, origin in enumerate(one.tree_S):
                found[members[origin]].append(values[one.owner_L == number])
            told.done(len(one))
    network.train(was_training)
    return found


TOLERANCE = {torch.float32: 2e-3, torch.bfloat16: 0.25}
"""Largest difference in nats that rounding alone makes between packed and separate losses, by the weights' type."""


def self_check(network, trees: Sequence[Tree]) -> float:
    """Largest difference in nats between the packed and the separate losses of `trees`' tokens.

    Raises:
        ModelUnavailable: it is above `TOLERANCE`: the model does not honour the mask, so packing would be wrong on it.
    """
    packed = nll(network, trees, pack_tokens=sum(map(packing.size, trees)))
    worst = 0.0
    for tree, together in zip(trees, packed, strict=True):
        alone = [_path_nll(network, tree, index) for index in range(len(tree))]
        worst = max([worst, *(float(np.abs(a - b).max()) for a, b in zip(alone, together, strict=True) if len(a))])
    limit = TOLERANCE[network.dtype]
    if not worst <= limit:
        raise ModelUnavailable(f"packed and separate losses differ by {worst:.2g} nats on this model (limit {limit}); "
                               "its architecture can't be trained on the prefix tree")
    return worst


def _path_nll(network, tree: Tree, index: int) -> np.ndarray:
    """The asked tokens' losses of segment `index` by a plain forward pass of its whole path, through the model's own logits."""
    path, at = [], index
    while at != packing.ROOT:
        path.insert(0, tree[at])
        at = tree[at].parent
    ids = np.concatenate([part.ids for part in path]).astype(np.int64)
    device = next(network.parameters()).device
    with torch.no_grad():
        logp_TV = network(torch.from_numpy(ids)[None].to(device)).logits[0].float().log_softmax(-1).cpu()
    wanted = np.flatnonzero(tree[index].asked) + len(ids) - len(tree[index].ids)
    return np.array([-logp_TV[t - 1, ids[t]].item() for t in wanted])
