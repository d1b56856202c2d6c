"""The three objectives on packed trees equal plain forward passes of separate sequences, loss and gradients, on every architecture that is named."""

import numpy as np
import pytest
import tiny
import torch
import torch.nn.functional as F

from aquilamed.models import folders
from aquilamed.models.tiny import ARCHITECTURES
from aquilamed.train import objectives
from aquilamed.tree import pack


@pytest.fixture(scope="module", params=ARCHITECTURES)
def network(request, tmp_path_factory):
    return folders.load(tiny.make(tmp_path_factory.mktemp(request.param), request.param, spread=0.1), trained=True).network


def _ids(rng, n):
    return rng.integers(5, 300, n)


def _logp(network, ids, asked):
    """Sum of log p of the asked tokens, by the model's own logits."""
    logits = network(torch.from_numpy(ids.astype(np.int64))[None]).logits[0].float().log_softmax(-1)
    at = torch.from_numpy(np.flatnonzero(asked))
    return logits[at - 1, torch.from_numpy(ids.astype(np.int64))[at]].sum()


def _gradients(network, loss):
    network.zero_grad()
    loss.backward()
    return {name: value.grad.clone() for name, value in network.named_parameters() if value.grad is not None}


def _same(network, packed, separate):
    assert packed.item() == pytest.approx(separate.item(), rel=1e-5)
    one, other = _gradients(network, packed), _gradients(network, separate)
    largest = max(value.abs().max() for value in other.values())
    assert set(one) == set(other) and max((one[name] - other[name]).abs().max() for name in one) < 1e-4 * largest


@pytest.mark.parametrize("answers", [False, True], ids=["documents", "dialogues"])
def test_tokens(network, answers):
    rng = np.random.default_rng(5)
    trees = []
    for n in (70, 12, 33, 90, 5):
        asked = np.arange(n) >= n // 2 if answers else np.ones(n, bool)
        trees.append((pack.segment(_ids(rng, n), asked),))
    packs = pack.pack(trees, 128)
    assert 1 < len(packs) < len(trees)
    packed = sum(objectives.tokens(network, one, one.tree_S).total for one in packs)
    _same(network, packed, -sum(_logp(network, tree[0].ids, tree[0].asked) for tree in trees))


@pytest.mark.parametrize("settings", [{}, {"loss": "ipo"}, {"per_token": True, "anchor": 0.3}], ids=["sigmoid", "ipo", "per token"])
def test_pairs(network, settings):
    rng = np.random.default_rng(6)
    trees, reference = [], torch.from_numpy(rng.normal(-40, 5, (4, 2))).float()
    for prompt, chosen, rejected in ((60, 9, 14), (12, 5, 5), (80, 20, 6), (30, 1, 3)):
        trees.append((pack.segment(_ids(rng, prompt), False), pack.segment(_ids(rng, chosen), True, 0), pack.segment(_ids(rng, rejected), True, 0)))
    objective = objectives.Dpo(0.1, reference, **settings)
    packs = pack.pack(trees, 160)
    assert 1 < len(packs) < len(trees)
    packed = sum(objective(network, one, one.tree_S).total for one in packs)
    _same(network, packed, sum(_pair_loss(network, tree, reference[k], settings) for k, tree in enumerate(trees)))


def _pair_loss(network, tree, reference, settings):
    """The same from the papers' formulas, on two plain sequences."""
    stem, *answers = tree
    whole = [np.concatenate([stem.ids, answer.ids]) for answer in answers]
    logps = [_logp(network, ids, np.arange(len(ids)) >= len(stem.ids)) for ids in whole]
    lengths = [len(answer.ids) if settings.get("per_token") else 1 for answer in answers]
    margin = (logps[0] - reference[0]) / lengths[0] - (logps[1] - reference[1]) / lengths[1]
    loss = (margin - 1 / (2 * 0.1)) ** 2 if settings.get("loss") == "ipo" else -F.logsigmoid(0.1 * margin)
    return loss - settings.get("anchor", 0) * logps[0] / len(answers[0].ids)
