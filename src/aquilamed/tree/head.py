"""Token log-losses from hidden states, with logits only where asked and never more than a chunk of them at a time.

L asked tokens, U distinct positions asked, D hidden size, V vocabulary.
"""

import torch
from torch import Tensor

CHUNK = 256
"""Positions whose logits exist at the same time: 256 x 262k floats are 268 MB."""


class _TokenNll(torch.autograd.Function):
    """Forward keeps one log-sum-exp a position; backward computes the chunks' logits once more."""

    @staticmethod
    def forward(ctx, hidden_UD: Tensor, weight_VD: Tensor, row_L: Tensor, target_L: Tensor) -> Tensor:
        lse_U = torch.empty(len(hidden_UD), dtype=torch.float32, device=hidden_UD.device)
        said_L = torch.empty(len(row_L), dtype=torch.float32, device=hidden_UD.device)
        for low in range(0, len(hidden_UD), CHUNK):
            logits_CV = (hidden_UD[low:low + CHUNK] @ weight_VD.T).float()
            lse_U[low:low + CHUNK] = logits_CV.logsumexp(-1)
            here = (row_L >= low) & (row_L < low + CHUNK)
            said_L[here] = logits_CV[row_L[here] - low, target_L[here]]
        ctx.save_for_backward(hidden_UD, weight_VD, row_L, target_L, lse_U)
        return lse_U[row_L] - said_L

    @staticmethod
    def backward(ctx, grad_L: Tensor):
        hidden_UD, weight_VD, row_L, target_L, lse_U = ctx.saved_tensors
        grad_hidden_UD = torch.empty_like(hidden_UD)
        grad_weight_VD = torch.zeros_like(weight_VD) if ctx.needs_input_grad[1] else None
        total_U = torch.zeros_like(lse_U).index_add_(0, row_L, grad_L)
        for low in range(0, len(hidden_UD), CHUNK):
            rows = slice(low, low + CHUNK)
            grad_CV = (hidden_UD[rows] @ weight_VD.T).float().sub_(lse_U[rows, None]).exp_().mul_(total_U[rows, None])
            here = (row_L >= low) & (row_L < low + CHUNK)
            grad_CV.index_put_((row_L[here] - low, target_L[here]), -grad_L[here], accumulate=True)
            grad_CV = grad_CV.to(weight_VD.dtype)
            grad_hidden_UD[rows] = grad_CV @ weight_VD
            if grad_weight_VD is not None:
                grad_weight_VD.addmm_(grad_CV.T, hidden_UD[rows])
        return grad_hidden_UD, grad_weight_VD, None, None


def token_nll(hidden_TD: Tensor, weight_VD: Tensor, at_L: Tensor, target_L: Tensor) -> Tensor:
    """-log p of each asked token in nats, shape (L,), float32; differentiable in `hidden_TD` and `weight_VD`.

    A position asked by several tokens (the options of a question, the two answers of a pair) is computed once.
    """
    unique_U, row_L = torch.unique(at_L, return_inverse=True)
    return _TokenNll.apply(hidden_TD.index_select(0, unique_U), weight_VD, row_L, target_L)
