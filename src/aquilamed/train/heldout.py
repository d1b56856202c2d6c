"""The loss on records that are not trained on: it chooses the weights that a step ends with, and may end it early. paper 2.2.2"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import torch

from aquilamed.train import data, ranks
from aquilamed.train.objectives import Loss
from aquilamed.train.settings import Optim
from aquilamed.tree.pack import Tree

Validate = Callable[[], float]
"""() -> mean held-out loss: in nats a token, or of a pair."""


def validator(network, objective: Callable[..., Loss], made: Iterable[tuple[str, Tree | str]], optim: Optim) -> Validate | None:
    """What gives the mean loss of the trees among `made`, (record id, tree or why there is none), the ranks taking turns; None where there are none."""
    trees = [tree for _, tree in made if not isinstance(tree, str)]
    found = list(data.packed(list(enumerate(trees)), data.pack_length(network, optim))) if trees else []

    @torch.no_grad()
    def validate() -> float:
        network.eval()
        sums = Counter(loss=0.0, count=0)
        for (pack, numbers), counted in ranks.share(found, data.shortest):
            loss = objective(network, pack, numbers)
            sums.update({"loss": loss.total.double() * counted, "count": loss.count * counted})
        shown = ranks.sums(sums, ranks.device(network))
        return shown["loss"] / max(shown["count"], 1)
    return validate if found else None


def gave_up(history: Sequence[float], patience: int) -> bool:
    """Whether the last `patience` losses are all worse than the best before them; never where `patience` is 0."""
    return bool(patience and len(history) > patience and min(history[-patience:]) > min(history[:-patience]))
