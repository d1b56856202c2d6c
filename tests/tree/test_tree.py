"""The prefix tree is exact: packed losses and gradients equal separate ones."""

import numpy as np
import pytest
import tiny
import torch

from aquilamed.core.errors import ConfigError, ModelUnavailable
from aquilamed.models import folders
from aquilamed.models.tiny import ARCHITECTURES
from aquilamed.tree import head, mask, pack, score
from aquilamed.tree.head import token_nll



def branching(rng, n_vocabulary=300):
    """A random tree: a stem, two children, a grandchild; and a sequence longer than gemma's window of 64."""
    ids = lambda n: rng.integers(5, n_vocabulary, n)  # noqa: E731
    forked = (pack.segment(ids(9), True), pack.segment(ids(4), True, 0), pack.segment(ids(7), [True, False] * 3 + [True], 0), pack.segment(ids(3), True, 2))
    return [forked, (pack.segment(ids(90), True),), (pack.segment(ids(5), False), pack.segment(ids(1), True, 0), pack.segment(ids(1), True, 0))]


@pytest.fixture(scope="module", params=ARCHITECTURES)
def network(request, tmp_path_factory):
    return folders.load(tiny.make(tmp_path_factory.mktemp(request.param), request.param)).network


def test_packed_losses_equal_separate_forward_passes(network):
    assert score.self_check(network, branching(np.random.default_rng(0))) < 1e-4


def test_neighbours_and_pack_length_change_nothing(network):
    trees = branching(np.random.default_rng(1)) * 3
    together = score.nll(network, trees, pack_tokens=1000)
    apart = [score.nll(network, [tree], pack_tokens=1)[0] for tree in trees]
    for a, b in zip(together, apart, strict=True):
        for left, right in zip(a, b, strict=True):
            np.testing.assert_allclose(left, right, atol=1e-4)


def test_gradients_of_a_pack_are_the_sum_of_the_separate_ones(network):
    trees = branching(np.random.default_rng(2))

    def gradient(packs):
        network.zero_grad()
        for one in packs:
            score.pack_nll(network, one).sum().backward()
        return {name: p.grad.clone() for name, p in network.named_parameters()}
    together, apart = gradient(pack.pack(trees, 500)), gradient([pack.lay([tree], [0]) for tree in trees])
    for name, value in together.items():
        torch.testing.assert_close(value, apart[name], rtol=1e-3, atol=1e-3)


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
def test_flexattention_sees_what_the_mask_lets_see(network, tmp_path, monkeypatch):
    """Not compiled here: the rule is what is compared."""
    from torch.nn.attention.flex_attention import flex_attention
    from transformers.integrations.flex_attention import WrappedFlexAttention
    monkeypatch.setattr(WrappedFlexAttention, "__call__", lambda self: flex_attention)
    trees = branching(np.random.default_rng(3))
    there = score.nll(network, trees, pack_tokens=1000)
    monkeypatch.setattr(network.config, "_attn_implementation", "flex_attention")
    for one, other in zip(there, score.nll(network, trees, pack_tokens=1000), strict=True):
        for left, right in zip(one, other, strict=True):
            np.testing.assert_allclose(left, right, atol=1e-4)


def test_a_model_that_ignores_the_mask_is_refused(network, monkeypatch):
    monkeypatch.setattr(score, "attention_mask", lambda *_, **__: None)
    with pytest.raises(ModelUnavailable, match="prefix tree"):
        score.self_check(network, branching(np.random.default_rng(3)))


def test_who_sees_whom_by_hand():
    one = pack.lay([(pack.segment([7, 8], True), pack.segment([9], True, 0), pack.segment([6, 5], True, 0))], [0])
    assert one.positions_T.tolist() == [0, 1, 2, 2, 3]
    assert (one.at_L.tolist(), one.target_L.tolist(), one.owner_L.tolist()) == ([0, 1, 1, 3], [8, 9, 6, 5], [0, 1, 2, 2])
    assert mask.visible(one).astype(int).tolist() == [[1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [1, 1, 0, 1, 0], [1, 1, 0, 1, 1]]
    assert mask.visible(one, window=2)[4].astype(int).tolist() == [0, 0, 0, 1, 1]


def test_best_fit_cuts_nothing_and_fits():
    sizes = np.random.default_rng(4).integers(1, 60, 200).tolist()
    groups = pack.best_fit(sizes, 64)
    assert sorted(i for group in groups for i in group) == list(range(200))
    assert all(sum(sizes[i] for i in group) <= 64 for group in groups)
    assert len(groups) <= 1.03 * sum(sizes) / 64 + 1
    with pytest.raises(ConfigError, match="65 tokens"):
        pack.best_fit([3, 65], 64)


def test_label_only_loss_equals_the_whole_softmax_and_its_gradients():
    torch.manual_seed(0)
    hidden, weight = torch.randn(600, 8, requires_grad=True), torch.randn(50, 8, requires_grad=True)
    at, target = torch.randint(0, 600, (700,)), torch.randint(0, 50, (700,))
    grad = torch.rand(700)
    plain = -(hidden @ weight.T).log_softmax(-1)[at, target]
    wanted = torch.autograd.grad((plain * grad).sum(), (hidden, weight))
    ours = token_nll(hidden, weight, at, target)
    torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-5)
    for a, b in zip(torch.autograd.grad((ours * grad).sum(), (hidden, weight)), wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


def test_losses_summed_by_blocks_of_the_vocabulary_are_those_of_the_whole_softmax():
    torch.manual_seed(1)
    for n_vocabulary in (50, head.BLOCK, 2 * head.BLOCK + 7):
        hidden, weight = 3 * torch.randn(600, 8), 3 * torch.randn(n_vocabulary, 8)
        at, target = torch.randint(0, 600, (700,)), torch.randint(0, n_vocabulary, (700,))
        plain = -(hidden.double() @ weight.double().T).log_softmax(-1)[at, target]
        torch.testing.assert_close(head.nll_alone(hidden, weight, at, target).double(), plain, rtol=1e-5, atol=1e-4)
    assert head.nll_alone(hidden, weight, at[:0], target[:0]).shape == (0,)


@pytest.mark.parametrize("kept", [0, 10_000])
def test_the_head_adds_to_a_gradient_that_is_there_and_can_be_asked_twice(kept, monkeypatch):
    """Log-probabilities kept or computed again, a gradient's memory given or not, one backward pass or two: the same gradients."""
    monkeypatch.setattr(head, "KEPT", kept)
    monkeypatch.setattr(head, "CHUNK", 5)
    torch.manual_seed(0)
    hidden_TD, weight = torch.randn(12, 8, requires_grad=True), torch.nn.Parameter(torch.randn(30, 8))
    at_L, target_L = torch.tensor([0, 3, 3, 7, 11, 11]), torch.tensor([4, 9, 2, 29, 0, 0])
    share_L = torch.tensor([1.0, -2.0, 0.5, 3.0, 1.0, 0.25])
    honest = torch.nn.functional.cross_entropy(hidden_TD[at_L] @ weight.T, target_L, reduction="none")
    expected = torch.autograd.grad((honest * share_L).sum(), (hidden_TD, weight))
    loss = (head.token_nll(hidden_TD, weight, at_L, target_L) * share_L).sum()
    for there in (None, torch.ones_like(weight)):
        hidden_TD.grad, weight.grad = None, there if there is None else there.clone()
        loss.backward(retain_graph=True)
        torch.testing.assert_close(hidden_TD.grad, expected[0])
        torch.testing.assert_close(weight.grad, expected[1] if there is None else expected[1] + 1)
