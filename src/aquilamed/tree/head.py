"""Token log-losses from hidden states, with logits only where asked and never more than a chunk of them at a time.

On a GPU where liger-kernel is installed its kernel does the same in one go, wherever no position is asked twice.
L asked tokens, U distinct positions asked, D hidden size, V vocabulary.
"""

import functools
from collections.abc import Callable

import torch
from torch import Tensor

CHUNK = 256
"""Positions whose logits exist at the same time: 256 x 262k floats are 268 MB."""
BLOCK = 1024
"""Columns of the vocabulary whose logits exist at the same time where no gradient is wanted: with `2 * CHUNK` positions 2 MB, which stay in a processor's cache."""
KEPT = 2 * CHUNK
"""Asked positions up to which their log-probabilities are kept for the backward pass; those of more are computed once more in it."""


class _TokenNll(torch.autograd.Function):
    """A chunk's logits are gone before the next one's are made, in the backward pass too."""

    @staticmethod
    def forward(ctx, hidden_UD: Tensor, weight_VD: Tensor, row_L: Tensor, target_L: Tensor) -> Tensor:
        nll_L = torch.empty(len(row_L), dtype=torch.float32, device=hidden_UD.device)
        ctx.kept = [] if len(hidden_UD) <= KEPT and any(ctx.needs_input_grad) else None
        for low in range(0, len(hidden_UD), CHUNK):
            logp_CV, here = _logp(hidden_UD, weight_VD, low), (row_L >= low) & (row_L < low + CHUNK)
            nll_L[here] = -logp_CV[row_L[here] - low, target_L[here]]
            if ctx.kept is not None:
                ctx.kept.append(logp_CV)
        ctx.save_for_backward(hidden_UD, weight_VD, row_L, target_L)
        return nll_L

    @staticmethod
    def backward(ctx, grad_L: Tensor):
        hidden_UD, weight_VD, row_L, target_L = ctx.saved_tensors
        grad_hidden_UD, kept = torch.empty_like(hidden_UD), ctx.kept
        ctx.kept = None                                     # they are changed in place: a second backward pass computes them again
        into_VD = _gradient_of(weight_VD) if ctx.needs_input_grad[1] else None
        grad_weight_VD = into_VD
        total_U = torch.zeros(len(hidden_UD), dtype=torch.float32, device=grad_L.device).index_add_(0, row_L, grad_L)
        for number, low in enumerate(range(0, len(hidden_UD), CHUNK)):
            rows, here = slice(low, low + CHUNK), (row_L >= low) & (row_L < low + CHUNK)
            logp_CV = _logp(hidden_UD, weight_VD, low) if kept is None else kept[number]
            grad_CV = logp_CV.exp_().mul_(total_U[rows, None])
            grad_CV.index_put_((row_L[here] - low, target_L[here]), -grad_L[here], accumulate=True)
            grad_CV = grad_CV.to(weight_VD.dtype)
            grad_hidden_UD[rows] = grad_CV @ weight_VD
            if ctx.needs_input_grad[1]:
                grad_weight_VD = grad_CV.T @ hidden_UD[rows] if grad_weight_VD is None else grad_weight_VD.addmm_(grad_CV.T, hidden_UD[rows])
        return grad_hidden_UD, None if into_VD is not None else grad_weight_VD, None, None


def _logp(hidden_UD: Tensor, weight_VD: Tensor, low: int) -> Tensor:
    """log p of every token at one chunk of positions, (C, V), float32."""
    return (hidden_UD[low:low + CHUNK] @ weight_VD.T).float().log_softmax(-1)


def _gradient_of(weight_VD: Tensor) -> Tensor | None:
    """The gradient that `weight_VD` has already, which is added to in place: it is as large as the head itself, and asking for it anew takes as long as a chunk's products."""
    grad_VD = weight_VD.grad if weight_VD.is_leaf and type(weight_VD) is torch.nn.Parameter else None
    return grad_VD if grad_VD is not None and grad_VD.dtype == weight_VD.dtype else None


def token_nll(hidden_TD: Tensor, weight_VD: Tensor, at_L: Tensor, target_L: Tensor) -> Tensor:
    """-log p of each asked token in nats, shape (L,), float32; differentiable in `hidden_TD` and `weight_VD`.

    A position asked by several tokens (the options of a question, the two answers of a pair) is computed once.
    """
    unique_U, row_L = torch.unique(at_L, return_inverse=True)
    if hidden_TD.is_cuda and 0 < len(unique_U) == len(at_L) and (fused := fused_nll()) is not None:
        return fused(hidden_TD.index_select(0, at_L), weight_VD, target_L)
    return _TokenNll.apply(hidden_TD.index_select(0, unique_U), weight_VD, row_L, target_L)


def nll_alone(hidden_TD: Tensor, weight_VD: Tensor, at_L: Tensor, target_L: Tensor) -> Tensor:
    """`token_nll` where no gradient is wanted: on a CPU no logit leaves the cache, which takes two thirds of the time."""
    if hidden_TD.is_cuda or hidden_TD.dtype != torch.float32:
        return token_nll(hidden_TD, weight_VD, at_L, target_L)
    unique_U, row_L = torch.unique(at_L, return_inverse=True)
    hidden_UD = hidden_TD.index_select(0, unique_U)
    total_U = torch.cat([_log_total(rows_CD, weight_VD) for rows_CD in hidden_UD.split(2 * CHUNK)])
    asked_L = torch.linalg.vecdot(hidden_UD.index_select(0, row_L), weight_VD.index_select(0, target_L))
    return total_U.index_select(0, row_L) - asked_L


def _log_total(hidden_CD: Tensor, weight_VD: Tensor) -> Tensor:
    """log of the sum over the vocabulary of e to each logit, (C,)."""
    logits_CB = hidden_CD.new_empty(len(hidden_CD), BLOCK)
    most_C, sum_C = hidden_CD.new_full((len(hidden_CD),), -torch.inf), hidden_CD.new_zeros(len(hidden_CD))
    for block_BD in weight_VD.split(BLOCK):
        here_CB = logits_CB if len(block_BD) == BLOCK else hidden_CD.new_empty(len(hidden_CD), len(block_BD))
        torch.mm(hidden_CD, block_BD.T, out=here_CB)
        higher_C = torch.maximum(most_C, here_CB.amax(1))
        sum_C = sum_C * (most_C - higher_C).exp() + here_CB.sub_(higher_C[:, None]).exp_().sum(1)
        most_C = higher_C
    return most_C + sum_C.log()


@functools.cache
def fused_nll() -> Callable[[Tensor, Tensor, Tensor], Tensor] | None:
    """(hidden (L, D), weight (V, D), targets (L,)) -> -log p, (L,), by liger-kernel; None where it is not installed."""
    try:
        from liger_kernel.transformers.functional import liger_fused_linear_cross_entropy
    except ImportError:
        return None
    return functools.partial(liger_fused_linear_cross_entropy, reduction="none", accum_dtype=torch.float32)
