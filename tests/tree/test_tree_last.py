"""The last layer at the asked positions alone gives what the whole layer gives, in every architecture, and leaves the model as it was."""

import numpy as np
import pytest
import tiny
import torch

from aquilamed.models import folders
from aquilamed.models.tiny import ARCHITECTURES
from aquilamed.tree import last, pack, score


@pytest.fixture(scope="module", params=ARCHITECTURES)
def network(request, tmp_path_factory):
    return folders.load(tiny.make(tmp_path_factory.mktemp(request.param), request.param)).network


def forked(seed, asked):
    """A stem of 40 tokens with branches of 9 and 5, and a document of 30; the last `asked` tokens of each are asked."""
    rng = np.random.default_rng(seed)
    part = lambda n, *parent: pack.segment(rng.integers(5, 300, n), np.arange(n) >= n - asked, *parent)  # noqa: E731
    return pack.lay([(pack.segment(rng.integers(5, 300, 40), False), part(9, 0), part(5, 0)), (part(30),)], [0, 1])


def rows_of_last(network, ask):
    """What `ask` gives, and how many positions went through the last layer's MLP and through that of the first."""
    seen = {0: [], -1: []}
    layers = network.get_decoder().layers
    hooks = [layers[at].mlp.register_forward_hook(lambda _, given, made, at=at: seen[at].append(made.shape[1])) for at in seen]
    inner = layers[-1].mlp.down_proj.register_forward_hook(lambda _, given, made: seen[-1].append(made.shape[1]))
    found = ask()
    for hook in (*hooks, inner):
        hook.remove()
    return found, min(seen[-1]), seen[0][0]


@pytest.mark.parametrize("asked", [1, 3])
def test_losses_are_those_of_the_whole_layer_for_fewer_positions(network, asked):
    one = forked(0, asked)
    (nll_L, _), n_last, n_first = rows_of_last(network, lambda: score.read(network, one))
    assert n_last == len(np.unique(one.at_L)) and n_first == len(one)
    with torch.no_grad():
        whole_L, n_all, _ = rows_of_last(network, lambda: score.pack_nll(network, one))
    assert n_all == len(one)
    torch.testing.assert_close(nll_L, whole_L, rtol=1e-5, atol=1e-5)


def test_a_beginning_of_which_nothing_is_asked_leaves_keys_and_values_alone(network):
    ids = list(np.random.default_rng(1).integers(5, 300, 50))
    (_, layers), n_last, _ = rows_of_last(network, lambda: score.read(network, pack.lay([(pack.segment(ids, False),)], [0]), keep=True))
    past = score.kept_of(network, layers, len(ids))
    assert n_last == 0
    one = pack.lay([(pack.segment([7, 8, 9], True),)], [0])
    after_L, _ = score.read(network, one, past)
    with torch.no_grad():
        logp_TV = network(torch.tensor([[*ids, 7, 8, 9]])).logits[0].log_softmax(-1)
    torch.testing.assert_close(after_L, -torch.stack([logp_TV[50, 8], logp_TV[51, 9]]), rtol=1e-4, atol=1e-5)


def test_the_model_is_left_as_it_was_even_by_an_error(network):
    body = network.get_decoder()
    before = {name: dict(vars(module)) for name, module in body.layers[-1].named_modules()}
    with pytest.raises(KeyboardInterrupt), last.only(body, torch.tensor([1]), 9):
        assert "forward" in vars(body.layers[-1].mlp)
        raise KeyboardInterrupt
    for name, module in body.layers[-1].named_modules():
        assert vars(module).keys() == before[name].keys(), name


def test_a_layer_with_other_parts_is_computed_whole():
    class Body(torch.nn.Module):
        layers = [torch.nn.Linear(2, 2)]
    with last.only(Body(), torch.tensor([0]), 9):
        assert Body.layers[0](torch.ones(1, 9, 2)).shape == (1, 9, 2)


def test_a_part_that_gives_more_than_one_tensor_is_computed_whole():
    gives = last._at(lambda states: (states, 1), torch.tensor([2]), torch.arange(4.0).view(1, 4, 1))
    assert gives[0].flatten().tolist() == [0, 1, 2, 3] and gives[1] == 1
    assert last._at(lambda states: states * 2, torch.tensor([2]), torch.arange(4.0).view(1, 4, 1)).flatten().tolist() == [0, 0, 4, 0]
