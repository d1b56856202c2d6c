"""Branches equal plain passes, whatever is shared, kept or packed; and no token is read that need not be."""

import itertools
import random

import numpy as np
import pytest
import tiny
import torch

from aquilamed.core import pace
from aquilamed.core.errors import ModelUnavailable
from aquilamed.models import folders
from aquilamed.models.tiny import ARCHITECTURES
from aquilamed.tree import branches, mask, trie
from aquilamed.tree.branches import Branch


@pytest.fixture(scope="module", params=ARCHITECTURES)
def network(request, tmp_path_factory):
    return folders.load(tiny.make(tmp_path_factory.mktemp(request.param), request.param)).network


def plain(network, branch):
    """The sums of log p by one ordinary pass for each continuation."""
    found = []
    for ids in branch.continuations:
        whole = torch.tensor([branch.prompt + ids])
        with torch.no_grad():
            logp_TV = network(whole).logits[0].log_softmax(-1)
        found.append(sum(logp_TV[t - 1, whole[0, t]].item() for t in range(len(branch.prompt), whole.shape[1])))
    return found


def drawn(seed):
    """Branches after beginnings of several lengths, the longest beyond the tiny models' window of 64; options of one and of several tokens."""
    chance = random.Random(seed)
    ids = lambda n: tuple(chance.choices(range(5, 290), k=n))  # noqa: E731
    trunk = ids(150)
    some = [Branch(trunk[:cut] + ids(extra), (ids(1), ids(1), ids(3))) for cut, extra in itertools.product((0, 40, 100, 150), (1, 12, 30))]
    same = ids(20)
    return [*some, Branch(trunk, (ids(2),)), Branch(same, (same[:1], same[:2], (*same[:2], 7))), Branch(same + same[:2], ((7,),))]


@pytest.mark.parametrize("room", [16, 60, 300, 4000])
def test_branches_equal_plain_passes(network, room):
    asked = drawn(room)
    for branch, values in zip(asked, branches.logp(network, asked, pack_tokens=room), strict=True):
        assert values == pytest.approx(plain(network, branch), abs=1e-4)


def test_neither_order_nor_packs_nor_neighbours_change_a_value(network):
    asked = drawn(1)
    once = branches.logp(network, asked, pack_tokens=100)
    assert branches.logp(network, asked[::-1], pack_tokens=100)[::-1] == once                     # the same tree, so to the last bit
    assert branches.logp(network, [*asked, *asked], pack_tokens=100) == [*once, *once]
    for branch, values in zip(asked, once, strict=True):
        assert branches.logp(network, [branch], pack_tokens=20)[0] == pytest.approx(values, abs=1e-4)


def test_tokens_read_are_the_least_there_are(network):
    """Eight questions of 10 tokens after 100 shared ones; letters are read from the last position, an option of 3 tokens reads 2 more."""
    shots = tuple(range(5, 105))
    letters = ((9,), (8,), (7,))
    asked = [Branch((*shots, *range(110 + 10 * k, 120 + 10 * k)), letters) for k in range(8)]
    heard = []
    with pace.heard_by(heard.append):
        found = branches.read(network, asked, pack_tokens=40)
    assert [(at.done, at.total, at.unit) for at in heard] == [(100, 180, "tokens"), (140, 180, "tokens"), (180, 180, "tokens")] and found.n_read == found.n_least == 180
    asked[0] = Branch(asked[0].prompt, (*letters, (1, 2, 3)))
    assert branches.read(network, asked).n_least == 182


def test_a_short_beginning_is_read_again_with_each_branch(network):
    """Two tokens before ten branches: 18 more tokens cost less than one more pass; before forty branches they do not."""
    for n, wanted in ((10, 10 * 10), (40, 2 + 40 * 8)):
        asked = [Branch((5, 6, *(20 + (k * 7 + j) % 250 for j in range(8))), ((9,),)) for k in range(n)]
        found = branches.read(network, asked, pack_tokens=50)
        assert (found.n_least, found.n_read) == (2 + n * 8, wanted)


def test_the_tree_by_hand():
    roots, numbers = trie.build([(1, 2), (1, 2, 3), (1, 2, 4, 5), (6,)], [[(1, 9)], [(1, 9), (2, 8)], [(3, 7)], [(0, 7)]])
    assert [(node.ids, node.size) for node in roots] == [((1, 2), 5), ((6,), 1)]
    assert [child.ids for child in roots[0].children] == [(3,), (4, 5)] and roots[0].asks == ((1, 9, 0),)
    assert numbers == [{(1, 9): 0}, {(1, 9): 0, (2, 8): 1}, {(3, 7): 2}, {(0, 7): 3}]
    assert [trie.shared(a, b) for a, b in (((1, 2, 3), (1, 2, 4)), ((1,), (1, 2)), ((2,), (1,)), ((), (1,)))] == [2, 1, 0, 0]


def test_what_is_kept_of_the_past_by_hand():
    one, _ = branches._laid([trie.Node((7, 8), (), (), 2)])
    assert mask.visible(one, past=3).astype(int).tolist() == [[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]
    assert mask.visible(one, window=3, past=3).astype(int).tolist() == [[1, 1, 1, 0], [0, 1, 1, 1]]      # two tokens kept: the first question token sees both


def test_the_start_up_check(network, monkeypatch):
    ids = list(range(20, 100))
    assert branches.self_check(network, ids) < 1e-3
    monkeypatch.setattr(mask, "ancestors", lambda parent_S: np.ones((len(parent_S), len(parent_S)), bool))
    with pytest.raises(ModelUnavailable, match="can't be scored on the prefix tree"):
        branches.self_check(network, ids)
