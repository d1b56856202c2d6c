"""Who sees whom in a pack, as the additive mask that Hugging Face models take, or as FlexAttention's blocks."""

from collections.abc import Callable

import numpy as np
import torch

from aquilamed.tree.attention import banded
from aquilamed.tree.pack import ROOT, Pack


def ancestors(parent_S: np.ndarray) -> np.ndarray:
    """Bool (S, S): [s, a] is True where a is s or an ancestor of s."""
    n = len(parent_S)
    seen = np.eye(n, dtype=bool)
    for s in range(n):
        if parent_S[s] != ROOT:
            seen[s] |= seen[parent_S[s]]
    return seen


def visible(pack: Pack, window: int = 0, past: int = 0) -> np.ndarray:
    """Bool (T, kept + T): [t, u] is True where t sees u; with `window` > 0 only within that many positions.

    The first columns are the tokens kept of the `past` ones that stand before the whole pack.
    """
    seen = ancestors(pack.parent_S)[pack.segment_T][:, pack.segment_T]
    order = np.arange(len(pack))
    seen &= order[:, None] >= order[None, :]
    if window:
        seen &= pack.positions_T[:, None] - pack.positions_T[None, :] < window
    ago_T = np.arange(kept(past, window), 0, -1)                    # positions before the pack's first
    before = pack.positions_T[:, None] + ago_T[None, :] < window if window else np.ones((len(pack), past), bool)
    return np.concatenate([before, seen], axis=1)


def kept(past: int, window: int) -> int:
    """How many of `past` tokens a layer of that window can still see from the next one."""
    return min(past, window - 1) if window else past


def windows(config) -> list[int]:
    """Each layer's window, 0 for none."""
    kinds, window = getattr(config, "layer_types", None), getattr(config, "sliding_window", None) or 0
    if kinds:
        return [window if kind == "sliding_attention" else 0 for kind in kinds]
    return [window if getattr(config, "use_sliding_window", True) else 0] * config.num_hidden_layers


def attention_mask(pack: Pack, config, dtype: torch.dtype, device: torch.device, *, flex: bool = False, past: int = 0):
    """For a model of `config`: the 4-D additive mask (1, 1, T, kept + T), or a `BlockMask` that lets blocks nobody sees be left out; a dict of one per kind of layer where it mixes kinds."""
    def bias(window: int) -> torch.Tensor:
        seen_TU = visible(pack, window, past)
        seen = torch.from_numpy(seen_TU).to(device)
        mask = torch.zeros(seen.shape, dtype=dtype, device=device).masked_fill_(~seen, torch.finfo(dtype).min)[None, None]
        return banded(mask, seen_TU) if device.type == "cpu" else mask
    return _by_kind(config, _blocks(pack, device) if flex and not past else bias)


def by_places(query_BT: torch.Tensor, key_BS: torch.Tensor, config, dtype: torch.dtype, dropped: int = 0):
    """For a batch whose tokens have the places `key_BS` in their rows: the 4-D mask or masks, as `attention_mask`. Padding has a place beyond all, so nothing sees it.

    A layer with a window has no keys of the first `dropped` columns.
    """
    def bias(window: int) -> torch.Tensor:
        ago_BTS = query_BT[:, :, None] - key_BS[:, None, dropped if window else 0:]
        seen = (ago_BTS >= 0) & (ago_BTS < window) if window else ago_BTS >= 0
        return torch.zeros(seen.shape, dtype=dtype, device=seen.device).masked_fill_(~seen, torch.finfo(dtype).min)[:, None]
    return _by_kind(config, bias)


def _blocks(pack: Pack, device: torch.device) -> Callable:
    """(window) -> the same rule as `visible`, asked for two positions at a time. https://docs.pytorch.org/docs/stable/nn.attention.flex_attention.html"""
    from torch.nn.attention.flex_attention import create_block_mask
    segment_T, positions_T, seen_SS = (torch.from_numpy(array).to(device) for array in (pack.segment_T.astype(np.int64), pack.positions_T.astype(np.int64), ancestors(pack.parent_S)))

    def blocks(window: int):
        def sees(batch, head, t, u):
            seen = seen_SS[segment_T[t], segment_T[u]] & (t >= u)
            return seen & (positions_T[t] - positions_T[u] < window) if window else seen
        return create_block_mask(sees, None, None, len(pack), len(pack), device=device, _compile=device.type == "cuda")
    return blocks


def _by_kind(config, of_window: Callable):
    kinds = set(getattr(config, "layer_types", None) or ())
    window = getattr(config, "sliding_window", None) or 0
    if "sliding_attention" in kinds:
        return {kind: of_window(window if kind == "sliding_attention" else 0) for kind in sorted(kinds)}
    uses_window = window and not kinds and getattr(config, "use_sliding_window", True)
    return of_window(window if uses_window else 0)
