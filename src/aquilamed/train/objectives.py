"""What is minimised. An objective maps (network, pack, trees) to a summed loss and how many terms were summed.

The loop divides once, by the count over the whole step: so neither batch splitting nor packing changes the result.
"""

import dataclasses
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from aquilamed.tree.pack import Pack
from aquilamed.tree.score import pack_nll


@dataclasses.dataclass
class Loss:
    """One pack's share of a step."""

    total: Tensor
    """Summed loss, scalar, with gradient."""
    count: int
    """Terms summed: tokens, or pairs."""
    figures: dict[str, Tensor] = dataclasses.field(default_factory=dict)
    """Sums over the terms, scalars, that metrics.jsonl shows divided by the count; the device is not waited for."""


def tokens(network, pack: Pack, trees: Sequence[int]) -> Loss:
    """Cross-entropy in nats over the asked tokens: pre-training asks all of them, SFT the answers. paper 2.1.3, 2.2.2"""
    nll_L = pack_nll(network, pack)
    return Loss(nll_L.sum(), len(nll_L))


@dataclasses.dataclass(frozen=True)
class Dpo:
    """-log sigmoid(beta * margin) a pair. Rafailov et al. 2023, eq. 7; paper 2.3.2

    The margin is how much more than the reference model the trained one prefers the chosen answer, in nats.
    """

    beta: float
    reference_P2: Tensor
    """Tree number -> log p of (chosen, rejected) under the model that training started from."""
    loss: Literal["sigmoid", "ipo"] = "sigmoid"
    """`ipo`: (margin - 1 / (2 beta)) ** 2, which has a finite optimum. Azar et al. 2023, arXiv 2310.12036, eq. 17"""
    per_token: bool = False
    """Whether log-probs are means over the tokens of an answer, so that length counts for nothing. Meng et al. 2024, arXiv 2405.14734, sec. 2.2"""
    anchor: float = 0.0
    """Weight of the chosen answer's mean -log p, which keeps it from falling. Pang et al. 2024, arXiv 2404.19733, eq. 1"""

    def __call__(self, network, pack: Pack, trees: Sequence[int]) -> Loss:
        """Loss over the pack's pairs; a pair's segments are prompt, chosen, rejected, in this order."""
        logp_P2 = segment_logp(network, pack).view(-1, 3)[:, 1:]
        n_P2 = torch.from_numpy(np.bincount(pack.owner_L, minlength=len(pack.parent_S))).to(logp_P2.device).view(-1, 3)[:, 1:]
        gain_P2 = logp_P2 - self.reference_P2[list(trees[::3])].to(logp_P2.device)
        margin_P = torch.sub(*(gain_P2 / n_P2 if self.per_token else gain_P2).unbind(1))
        loss_P = -F.logsigmoid(self.beta * margin_P) if self.loss == "sigmoid" else (margin_P - 0.5 / self.beta) ** 2
        loss_P = loss_P - self.anchor * logp_P2[:, 0] / n_P2[:, 0] if self.anchor else loss_P
        figures = {
            "margin": self.beta * margin_P.sum(), "accuracy": (margin_P > 0).sum(), "chosen_logp_change": gain_P2[:, 0].sum(), "rejected_logp_change": gain_P2[:, 1].sum(),
        }
        return Loss(loss_P.sum(), len(margin_P), figures)


def segment_logp(network, pack: Pack) -> Tensor:
    """log p of each segment's asked tokens, summed, shape (S,)."""
    nll_L = pack_nll(network, pack)
    owner_L = torch.from_numpy(pack.owner_L).to(nll_L.device)
    return torch.zeros(len(pack.parent_S), device=nll_L.device).index_add(0, owner_L, -nll_L)
