"""How much arithmetic a step asks for, and how fast this machine multiplies matrices of the model's shapes.

Only what the objective needs counts: no padding, no pairs of tokens that don't see each other, no logits that nobody asked for, nothing computed
a second time. So the share of the peak says how far a step is from the least time that its matrices need.
"""

import dataclasses
import math
import time

import numpy as np
import torch

from aquilamed.train import ranks
from aquilamed.tree.pack import Pack

TRIES, SECONDS = 5, 0.2
"""Products that the peak is measured by: at least so many, and for at least so long; the fastest counts."""


@dataclasses.dataclass(frozen=True)
class Shape:
    """What of a network decides its arithmetic."""

    body: int
    """Entries of the matrices that every token goes through."""
    head: int
    """Hidden size times vocabulary."""
    attention: int
    """Layers x heads x width of a head."""
    body_passes: float = 3.0
    """One forward and two backward, to the inputs and to the weights; adapters leave out most of the last. 1 where nothing is trained."""
    head_passes: float = 3.0

    def of(self, pack: Pack) -> float:
        """Floating-point operations of one pass over `pack`, two for each multiplication with its addition."""
        n_positions, seen = len(np.unique(pack.at_L)), int((pack.positions_T + 1).sum())
        attention_passes = 3.0 if self.body_passes > 1 else 1.0
        return 2.0 * (self.body * len(pack) * self.body_passes + self.head * n_positions * self.head_passes + 2 * self.attention * seen * attention_passes)


def shape_of(network) -> Shape:
    """Of a causal language model, as it is trained: whole or by adapters."""
    config = network.config.get_text_config()
    heads = config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    head = network.get_output_embeddings().weight
    matrices = [p for name, p in network.get_decoder().named_parameters() if p.ndim == 2 and "embed_tokens" not in name]
    body, trained = sum(map(_entries, matrices)), sum(_entries(p) for p in matrices if p.requires_grad)
    return Shape(body, config.hidden_size * config.vocab_size, config.num_hidden_layers * heads * width,
                 body_passes=2 + trained / max(body, 1), head_passes=3.0 if head.requires_grad else 2.0)


def _entries(matrix: torch.nn.Parameter) -> int:
    """Those of the whole matrix, where 4 bits each are packed."""
    state = getattr(matrix, "quant_state", None)
    return matrix.numel() if state is None else math.prod(state.shape)


def peak(network, tokens: int) -> float:
    """Floating-point operations a second of the fastest of several products of (tokens, hidden) with (hidden, intermediate), in the type that training multiplies in."""
    device = ranks.device(network)
    return rate(network.config.get_text_config(), tokens, device, torch.bfloat16 if device.type == "cuda" else network.dtype)


def rate(config, tokens: int, device: torch.device = torch.device("cpu"), dtype: torch.dtype = torch.float32) -> float:
    """The same for a model of `config`."""
    left, right = (torch.ones(size, dtype=dtype, device=device) for size in ((tokens, config.hidden_size), (config.hidden_size, config.intermediate_size)))
    began, best, tries = time.perf_counter(), float("inf"), 0
    while tries < TRIES or time.perf_counter() - began < SECONDS:
        start = time.perf_counter()
        (left @ right).sum().item() if device.type == "cuda" else left @ right
        best, tries = min(best, time.perf_counter() - start), tries + 1
    return 2.0 * tokens * config.hidden_size * config.intermediate_size / best
