"""The arithmetic of a pack by hand, and beside what PyTorch counts itself."""

import pytest
import tiny
import torch
from torch.utils.flop_counter import FlopCounterMode

from aquilamed.models import folders
from aquilamed.train import flops
from aquilamed.tree import pack, score


def test_by_hand():
    """A prompt of three tokens and two answers of two: seven tokens, which see 1+2+3, 4+5 and 4+5; two positions asked for each answer, of which one is shared."""
    one = pack.pack([(pack.segment([1, 2, 3], False), pack.segment([4, 5], True, 0), pack.segment([6, 7], True, 0))], 16)[0]
    shape = flops.Shape(body=100, head=50, attention=8, body_passes=3.0, head_passes=2.0)
    assert shape.of(one) == 2 * (100 * 7 * 3 + 50 * 3 * 2 + 2 * 8 * 24 * 3)


def test_the_matrices_are_those_that_pytorch_counts(tmp_path):
    """One sequence, all tokens asked. PyTorch leaves out products added in place, here the head's gradient, and counts the logits that are made a second time instead."""
    network = folders.load(tiny.make(tmp_path / "base" / "model")).network
    n = 24
    one = pack.pack([(pack.segment(list(range(5, 5 + n)), True),)], n)[0]
    shape = flops.shape_of(network)
    with FlopCounterMode(display=False) as counted:
        score.pack_nll(network.train(), one).sum().backward()
    by_kind = {str(kind): value for kind, value in counted.get_flop_counts()["Global"].items()}
    matrices = sum(value for kind, value in by_kind.items() if "mm" in kind)
    assert matrices == 2 * 3 * (shape.body * n + shape.head * (n - 1))


def test_adapters_ask_for_less(tmp_path):
    network = folders.load(tiny.make(tmp_path / "base" / "model")).network
    whole = flops.shape_of(network)
    network.requires_grad_(False)
    frozen = flops.shape_of(network)
    assert (whole.body_passes, frozen.body_passes, whole.head_passes, frozen.head_passes) == (3.0, 2.0, 3.0, 2.0) and whole.body == frozen.body


def test_the_peak_is_a_rate_of_this_machine(tmp_path):
    network = folders.load(tiny.make(tmp_path / "base" / "model")).network
    before = torch.get_rng_state()
    assert 1e6 < flops.peak(network, 64) < 1e16 and torch.equal(before, torch.get_rng_state())
