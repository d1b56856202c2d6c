"""Attention on a CPU in bands of a pack's rows, each over the tokens alone that one of its rows sees.

PyTorch's CPU kernel goes through the whole of a mask, of which more than half is empty: what comes later, other documents,
other branches, what lies beyond a window. The bands ride on the mask, so any model that hands its mask on can use them.
"""

import dataclasses

import numpy as np
import torch
from torch import Tensor
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from aquilamed.tree import last

ROWS = 128
"""Rows of a band. Measured on a CPU: 64 to 256 take about the same time, shorter ones pay the call."""
SPREAD = 1.25
"""Tokens between the first and the last that a band sees, for each that it sees, up to which they are taken as one slice, without a copy."""


@dataclasses.dataclass(frozen=True)
class Band:
    """Some rows of a mask, and where they see anything."""

    rows: slice | Tensor
    columns: slice | Tensor
    mask: Tensor
    """(1, 1, rows, columns), additive."""


def banded(mask: Tensor, seen_TU: np.ndarray) -> Tensor:
    """`mask` (1, 1, T, U) of what `seen_TU` says, with its bands: a tensor's attribute goes wherever the model takes it."""
    mask.bands = [_band(mask, seen_TU, start) for start in range(0, len(seen_TU), ROWS)]
    return mask


def _band(mask: Tensor, seen_TU: np.ndarray, start: int) -> Band:
    rows = slice(start, start + ROWS)
    seen_U = np.flatnonzero(seen_TU[rows].any(0))
    first, last = int(seen_U[0]), int(seen_U[-1]) + 1
    columns = slice(first, last) if last - first <= SPREAD * len(seen_U) else torch.from_numpy(seen_U)
    return Band(rows, columns, mask[:, :, rows][..., columns])


def attend(module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, dropout: float = 0.0, scaling: float | None = None, **kwargs):
    """`sdpa` for Hugging Face models: in bands where the mask has them, else theirs. Heads (1, H, T, D) -> (1, T, H, D).

    Source: https://huggingface.co/docs/transformers/attention_interface
    """
    bands = getattr(attention_mask, "bands", None)
    if not bands or any(kwargs.get(name) is not None for name in ("softcap", "position_bias", "cache", "s_aux")):
        return sdpa_attention_forward(module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs)
    repeat, asked_U = query.shape[1] // key.shape[1], getattr(module, "asked_U", None)
    if asked_U is not None:
        bands = [Band(asked_U, slice(None), attention_mask[:, :, asked_U])]
    done = [torch.nn.functional.scaled_dot_product_attention(
        query[:, :, band.rows], _heads(key[:, :, band.columns], repeat), _heads(value[:, :, band.columns], repeat), attn_mask=band.mask, dropout_p=dropout, scale=scaling) for band in bands]
    found = torch.cat(done, dim=2) if asked_U is None else last.spread(done[0], asked_U, 2, query.shape[2])
    return found.transpose(1, 2).contiguous(), None


def _heads(some_1HUD: Tensor, repeat: int) -> Tensor:
    """Each head `repeat` times, without a copy where there is one."""
    n, heads, length, width = some_1HUD.shape
    return some_1HUD[:, :, None].expand(n, heads, repeat, length, width).reshape(n, heads * repeat, length, width)


AttentionInterface.register("sdpa", attend)
