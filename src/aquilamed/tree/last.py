"""The last layer for the asked positions alone: of all others nothing but keys and values is ever looked at.

Where few are asked, that spares nearly one layer: one of 18 in the embedded base model. It works by the usual
names of a layer's parts; of a model that names them otherwise, all of the layer is computed.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

PARTS = ("self_attn.q_proj", "self_attn.o_proj", "mlp")
"""What makes of each position something that no other position sees."""
MOST = 0.5
"""Share of a pack's positions above which picking them out spares nothing."""


@contextlib.contextmanager
def only(body: nn.Module, asked_U: Tensor, length: int) -> Iterator[None]:
    """While it lasts, the last hidden states of `body` for a pack of `length` tokens are right at the positions `asked_U` alone. For passes without gradient."""
    layers = getattr(body, "layers", None)
    if not layers or len(asked_U) > MOST * length:
        yield
        return
    with contextlib.ExitStack() as stack:
        for name in PARTS:
            with contextlib.suppress(AttributeError):
                stack.enter_context(_forward(layers[-1].get_submodule(name), asked_U))
        if (attention := getattr(layers[-1], "self_attn", None)) is not None:
            attention.asked_U = asked_U
            stack.callback(delattr, attention, "asked_U")
        yield


@contextlib.contextmanager
def _forward(part: nn.Module, asked_U: Tensor) -> Iterator[None]:
    before = vars(part).get("forward")
    part.forward = functools.partial(_at, part.forward, asked_U)
    try:
        yield
    finally:
        del part.forward
        if before is not None:
            part.forward = before


def _at(forward: Callable, asked_U: Tensor, states: Tensor, *rest):
    """`forward` at the asked positions of (1, T, D), nought at the others; at all where it gives more than one tensor."""
    made = forward(states.index_select(1, asked_U), *rest)
    return spread(made, asked_U, 1, states.shape[1]) if isinstance(made, Tensor) else forward(states, *rest)


def spread(some: Tensor, asked_U: Tensor, dim: int, length: int) -> Tensor:
    """`some` at their places of a dimension of that length, nought at the others."""
    shape = list(some.shape)
    shape[dim] = length
    return some.new_zeros(shape).index_copy_(dim, asked_U, some)
