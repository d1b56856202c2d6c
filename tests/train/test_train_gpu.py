"""What needs a GPU: `make test-gpu`. Losses and gradients there beside the CPU's, with both kinds of attention; the fused head; adapters on weights in 4 bits."""

import json

import numpy as np
import pytest
import tiny
import torch
from test_train import fit, home

from aquilamed.models import folders
from aquilamed.models import tiny as models
from aquilamed.train import metrics
from aquilamed.train.settings import Lora
from aquilamed.tree import head, pack, score

__all__ = ["home"]
pytestmark = pytest.mark.gpu
BF16 = 0.05
"""Nats by which bfloat16 may differ on a model of two layers."""


@pytest.fixture(autouse=True)
def wider(monkeypatch):
    """FlexAttention on a GPU wants heads of at least 16."""
    monkeypatch.setattr(models, "SIZES", {**models.SIZES, "hidden_size": 64})
    monkeypatch.setattr(models, "MORE", {name: {**more, **({"head_dim": 16} if "head_dim" in more else {})} for name, more in models.MORE.items()})


@pytest.mark.parametrize("attention", ["sdpa", "flex"])
@pytest.mark.parametrize("architecture", ["gemma3_text", "llama", "qwen3"])
def test_losses_and_gradients_are_the_cpus(tmp_path, architecture, attention):
    folder, ids = tiny.make(tmp_path / "model", architecture, spread=0.05), np.random.default_rng(0).integers(5, 300, 120)
    trees = [(pack.segment(ids[:9], True), pack.segment(ids[9:13], True, 0), pack.segment(ids[13:20], True, 0)), (pack.segment(ids[20:], True),)]

    def losses(device, attention):
        network = folders.load(folder, device=device, trained=True, attention=attention).network.train()
        one, = pack.pack(trees, 1000)
        nll_L = score.pack_nll(network, one)
        nll_L.sum().backward()
        return nll_L.detach().cpu(), {name: value.grad.cpu() for name, value in network.named_parameters()}
    (here, gradients), (there, others) = losses("cpu", "sdpa"), losses("cuda", attention)
    assert (here - there).abs().max() < BF16
    for name, value in gradients.items():
        assert (value - others[name]).norm() <= 0.05 * value.norm() + 1e-3, name


def test_the_fused_head_is_the_chunked_one():
    gen = torch.Generator("cuda").manual_seed(0)
    hidden, weight = (torch.randn(shape, device="cuda", generator=gen).requires_grad_() for shape in ((700, 64), (5000, 64)))
    at, target = torch.arange(0, 700, 2, device="cuda"), torch.randint(0, 5000, (350,), device="cuda", generator=gen)
    share = torch.rand(350, device="cuda", generator=gen)

    def measured(nll: torch.Tensor) -> list[torch.Tensor]:
        return [nll, *torch.autograd.grad((nll * share).sum(), (hidden, weight))]
    ours = measured(head._TokenNll.apply(hidden[at], weight, torch.arange(350, device="cuda"), target))
    for one, other in zip(ours, measured(head.fused_nll()(hidden[at], weight, target)), strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("changes", [{"attention": "flex"}, {"mode": "lora", "lora": Lora(rank=4, bits=4)}], ids=["flex", "four bits"])
def test_training_moves_the_loss(wider, home, changes):
    fit(home, "sft", "out", epochs=6, **changes)
    lines = [row for line in (home / "out" / metrics.FILE).read_text(encoding="utf-8").splitlines() if "loss" in (row := json.loads(line))]
    assert lines[-1]["loss"] < 0.9 * lines[0]["loss"]
