"""What is minimised. An objective maps (network, pack, trees) to a summed loss and how many terms were summed.

The loop divides once, by the count over the whole step: so neither batch splitting nor packing changes the result.
"""

import dataclasses
from collections.abc import Sequence

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
    figures: dict[str, float] = dataclasses.field(default_factory=dict)
    """Sums over the terms that metrics.jsonl shows divided by the count."""


def tokens(network, pack: Pack, trees: Sequence[int]) -> Loss:
    """Cross-entropy in nats over the asked tokens: pre-training asks all of them, SFT the answers. paper 2.1.3, 2.2.2"""
    nll_L = pack_nll(network, pack)
    return Loss(nll_L.sum(), len(nll_L))


@dataclasses.dataclass(frozen=True)
class Dpo:
    """-log sigmoid(beta * margin) a pair. Rafailov et al. 2023, eq. 7; paper 2.3.2"""

    beta: float
    reference_P2: Tensor
    """Tree number -> log p of (chosen, rejected) under the model that training started from."""

    def __call__(self, network, pack: Pack, trees: Sequence[int]) -> Loss:
        """Loss over the pack's pairs; a pair's segments are prompt, chosen, rejected, in this order."""
        logp_S = segment_logp(network, pack)
        chosen_P, rejected_P = logp_S[1::3], logp_S[2::3]
        reference_P2 = self.reference_P2[list(trees[::3])].to(logp_S.device)
        gain_P, cost_P = chosen_P - reference_P2[:, 0], rejected_P - reference_P2[:, 1]
        margin_P = gain_P - cost_P
        figures = {
            "margin": self.beta * margin_P.detach().sum().item(), "accuracy": float((margin_P > 0).sum()),
            "chosen_logp_change": gain_P.detach().sum().item(), "rejected_logp_change": cost_P.detach().sum().item(),
        }
        return Loss(-F.logsigmoid(self.beta * margin_P).sum(), len(margin_P), figures)


def segment_logp(network, pack: Pack) -> Tensor:
    """log p of each segment's asked tokens, summed, shape (S,)."""
    nll_L = pack_nll(network, pack)
    owner_L = torch.from_numpy(pack.owner_L).to(nll_L.device)
    return torch.zeros(len(pack.parent_S), device=nll_L.device).index_add(0, owner_L, -nll_L)
