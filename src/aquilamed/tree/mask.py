"""Who sees whom in a pack, as the additive mask that Hugging Face models take."""

import numpy as np
import torch

from aquilamed.tree.pack import ROOT, Pack


def ancestors(parent_S: np.ndarray) -> np.ndarray:
    """Bool (S, S): [s, a] is True where a is s or an ancestor of s."""
    n = len(parent_S)
    seen = np.eye(n, dtype=bool)
    for s in range(n):
        if parent_S[s] != ROOT:
            seen[s] |= seen[parent_S[s]]
    return seen


def visible(pack: Pack, window: int = 0) -> np.ndarray:
    """Bool (T, T): [t, u] is True where t sees u; with `window` > 0 only within that many positions."""
    seen = ancestors(pack.parent_S)[pack.segment_T][:, pack.segment_T]
    order = np.arange(len(pack))
    seen &= order[:, None] >= order[None, :]
    if window:
        seen &= pack.positions_T[:, None] - pack.positions_T[None, :] < window
    return seen


def attention_mask(pack: Pack, config, dtype: torch.dtype, device: torch.device) -> torch.Tensor | dict[str, torch.Tensor]:
    """The 4-D additive mask (1, 1, T, T) for a model of `config`; one per kind of layer where it mixes kinds."""
    def bias(window: int) -> torch.Tensor:
        seen = torch.from_numpy(visible(pack, window)).to(device)
        return torch.zeros(seen.shape, dtype=dtype, device=device).masked_fill_(~seen, torch.finfo(dtype).min)[None, None]
    kinds = set(getattr(config, "layer_types", None) or ())
    window = getattr(config, "sliding_window", None) or 0
    if "sliding_attention" in kinds:
        return {kind: bias(window if kind == "sliding_attention" else 0) for kind in sorted(kinds)}
    uses_window = window and not kinds and getattr(config, "use_sliding_window", True)
    return bias(window if uses_window else 0)
