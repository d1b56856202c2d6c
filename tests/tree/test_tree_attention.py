"""Attention in bands is the whole mask's attention, in every architecture, and less of it."""

import numpy as np
import pytest
import tiny
import torch

from aquilamed.models import folders
from aquilamed.models.tiny import ARCHITECTURES
from aquilamed.tree import attention, mask, pack, score


@pytest.fixture(scope="module", params=ARCHITECTURES)
def network(request, tmp_path_factory):
    return folders.load(tiny.make(tmp_path_factory.mktemp(request.param), request.param)).network


def long_pack(seed):
    """A document, a stem with three branches whose last sees the stem from afar, and another document: more than gemma's window of 64."""
    rng = np.random.default_rng(seed)
    ids = lambda n: rng.integers(5, 300, n)  # noqa: E731
    forked = (pack.segment(ids(30), True), *(pack.segment(ids(n), True, 0) for n in (70, 40, 25)))
    return pack.lay([(pack.segment(ids(50), True),), forked, (pack.segment(ids(90), True),)], [0, 1, 2])


def both_ways(monkeypatch, ask):
    """What `ask` gives in bands of 8 rows and by the whole mask, and how many bands were used."""
    used, calls = [], torch.nn.functional.scaled_dot_product_attention
    monkeypatch.setattr(attention, "ROWS", 8)
    with monkeypatch.context() as patch:
        patch.setattr(torch.nn.functional, "scaled_dot_product_attention", lambda *a, **k: used.append(a[0].shape[2]) or calls(*a, **k))
        banded = ask()
    monkeypatch.setattr(mask, "banded", lambda mask, seen: mask)
    return banded, ask(), used


def test_losses_and_gradients_in_bands_are_those_of_the_whole_mask(network, monkeypatch):
    one = long_pack(0)

    def ask():
        network.zero_grad()
        nll_L = score.pack_nll(network, one)
        nll_L.sum().backward()
        return nll_L.detach(), {name: p.grad.clone() for name, p in network.named_parameters()}
    (nll_L, gradient), (plain_L, plain), used = both_ways(monkeypatch, ask)
    assert set(used) == {8, len(one) % 8 or 8}                              # this architecture did use them
    torch.testing.assert_close(nll_L, plain_L, rtol=1e-5, atol=1e-5)
    for name, value in gradient.items():
        torch.testing.assert_close(value, plain[name], rtol=1e-3, atol=1e-4)


def test_after_a_kept_beginning_too(network, monkeypatch):
    _, layers = score.read(network.eval(), pack.lay([(pack.segment(np.random.default_rng(1).integers(5, 300, 80), False),)], [0]), keep=True)
    before = score.kept_of(network, layers, 80)
    banded, whole, used = both_ways(monkeypatch, lambda: score.read(network, long_pack(2), before)[0])
    assert used
    torch.testing.assert_close(banded, whole, rtol=1e-5, atol=1e-5)


def test_a_band_takes_what_its_rows_see_and_little_else(monkeypatch):
    """Rows of 4: a document of 4, a stem of 4, a branch of 40 and one of 4 that sees the stem, not the first branch."""
    monkeypatch.setattr(attention, "ROWS", 4)
    ids = lambda n: list(range(5, 5 + n))  # noqa: E731
    one = pack.lay([(pack.segment(ids(4), False),), (pack.segment(ids(4), False), pack.segment(ids(40), False, 0), pack.segment(ids(4), False, 0))], [0, 1])
    seen = mask.visible(one)
    bands = attention.banded(torch.zeros(seen.shape).masked_fill_(~torch.from_numpy(seen), -1.0)[None, None], seen).bands
    assert [band.columns for band in bands[:3]] == [slice(0, 4), slice(4, 8), slice(4, 12)]
    assert bands[-1].columns.tolist() == [4, 5, 6, 7, 48, 49, 50, 51]
    assert bands[-1].mask[0, 0].tolist() == [[0, 0, 0, 0, 0, -1, -1, -1], [0, 0, 0, 0, 0, 0, -1, -1], [0, 0, 0, 0, 0, 0, 0, -1], [0] * 8]
    assert sum(band.mask.numel() for band in bands) < 0.6 * seen.size
