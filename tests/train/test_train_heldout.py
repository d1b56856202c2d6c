"""Held-out records choose the weights and may end training; a step may be counted in tokens; the reference is asked once."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from test_train import STAGES, dies_at, fit, home, optim

from aquilamed.core.errors import ConfigError
from aquilamed.engine.local import Local
from aquilamed.train import data, heldout, loop, reference

__all__ = ["home"]


def judged(home, name, out, **changes):
    """Train with the training records as held-out ones; (weights, lines of metrics.jsonl, manifest's figures)."""
    stage, kind, settings = STAGES[name]
    (home / out).mkdir(exist_ok=True)
    counts = stage.run(stage.Config(optim=optim(**changes), allow_uncertified=True, **settings), {"model": home / "base", kind: home / "data", "heldout": home / "data"}, home / out, Local(1))
    lines = [json.loads(line) for line in (home / out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return counts.notes, lines


@pytest.mark.parametrize("name", STAGES)
def test_the_best_weights_are_kept(home, name, monkeypatch):
    """The loss after the first epoch is called the best: training ends with the weights of that epoch."""
    said = iter([1.0, 3.0, 2.0])
    monkeypatch.setattr(heldout, "validator", lambda *_: lambda: next(said))
    notes, lines = judged(home, name, "out", epochs=3)
    per_epoch = notes["steps"] // 3
    assert notes["best_step"] == per_epoch and notes["heldout_loss"] == [1.0, 3.0, 2.0] and "stopped_early" not in notes
    assert [line["step"] for line in lines if "heldout_loss" in line] == [per_epoch, 2 * per_epoch, 3 * per_epoch]
    monkeypatch.setattr(heldout, "validator", lambda *_: None)
    monkeypatch.setattr(loop, "learning_rate", _as_of(per_epoch * 3))
    one = fit(home, name, "one", epochs=1)
    kept = load_file(home / "out/model/model.safetensors")
    assert all(torch.equal(value, kept[key]) for key, value in one.items())


def _as_of(steps: int):
    """The learning rate of a run of so many steps, whatever the run's own number."""
    honest = loop.learning_rate
    return lambda step, _, settings: honest(step, steps, settings)


def test_training_ends_when_patience_does(home, monkeypatch):
    said = iter([2.0, 1.0, 1.5, 1.2, 0.1])
    monkeypatch.setattr(heldout, "validator", lambda *_: lambda: next(said))
    notes, lines = judged(home, "sft", "out", epochs=9, patience=2, judge_every=2)
    assert notes["steps"] == 8 and notes["best_step"] == 4 and "2 held-out scores" in notes["stopped_early"]
    assert max(line["step"] for line in lines) == 8


@pytest.mark.parametrize(("history", "patience", "ends"), [([2, 1, 3], 1, True), ([2, 1, 1], 1, False), ([2, 1, 3, 0.5], 2, False), ([1, 2, 3], 2, True), ([1, 2], 2, False), ([1, 2, 3], 0, False)])
def test_giving_up_by_hand(history, patience, ends):
    assert heldout.gave_up(history, patience) is ends


def test_a_run_killed_between_judgements_resumes_bit_for_bit(home, monkeypatch):
    settings = {"epochs": 3, "judge_every": 2, "batch": 2, "save_seconds": 1e-9, "lr": 5e-2}
    notes, whole = judged(home, "sft", "whole", **settings)
    dies_at(5, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        judged(home, "sft", "cut", **settings)
    again, resumed = judged(home, "sft", "cut", **settings)
    clean = lambda lines: [{key: value for key, value in line.items() if key not in ("tokens_per_s", "peak_bytes", "model_flops_share")} for line in lines]  # noqa: E731
    assert clean(resumed) == clean(whole) and again["heldout_loss"] == notes["heldout_loss"]
    assert (home / "whole/model/model.safetensors").read_bytes() == (home / "cut/model/model.safetensors").read_bytes()


@pytest.mark.parametrize("name", STAGES)
def test_the_held_out_loss_is_the_mean_over_all_terms(home, name):
    """In one pack or in many, it is what the objective gives for all of the records at once."""
    whole, split = (judged(home, name, out, epochs=1, micro_tokens=n)[0]["heldout_loss"] for out, n in (("whole", 5000), ("split", 1)))
    assert len(whole) == 1 and whole == pytest.approx(split, rel=1e-4)


def test_steps_of_as_many_tokens():
    sizes = np.array([5, 9, 2, 7, 3, 10, 4, 8])
    order = data.Order(len(sizes), 1, 3, 7, sizes, 12)
    assert order.steps_per_epoch == 4 and order.steps == 12
    for epoch in range(3):
        units = [order.units(epoch * 4 + k) for k in range(4)]
        assert sorted(np.concatenate(units)) == list(range(8))
        assert all(len(some) and abs(sizes[some].sum() - 12) < 10 for some in units)
    assert not np.array_equal(np.concatenate([order.units(k) for k in range(4)]), np.concatenate([order.units(k) for k in range(4, 8)]))


@pytest.mark.parametrize("name", STAGES)
def test_training_by_tokens(home, name):
    stage, *_ = STAGES[name]
    fit(home, name, "out", batch_tokens=400)
    units = data.Units(home / "out" / data.FILE)
    lines = [json.loads(line) for line in (home / "out/metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    assert sum(line["tokens"] for line in lines) == 2 * units.sizes().sum() and units.sizes().sum() == sum(len(part.ids) for tree in units.all_trees() for part in tree)
    with pytest.raises(ConfigError, match=r"batch_tokens=8: a unit has \d+ tokens"):
        fit(home, name, "small", batch_tokens=8)


def test_the_reference_is_asked_once_for_all_runs(home, monkeypatch):
    asked, honest = [], reference._asked
    monkeypatch.setattr(reference, "_asked", lambda *given: asked.append(True) or honest(*given))
    one, two = (fit(home, "dpo", out, epochs=1) for out in ("one", "two"))
    assert len(asked) == 1 and (home / "two/reference.npy").read_bytes() == (home / "one/reference.npy").read_bytes()
    assert all(torch.equal(value, two[key]) for key, value in one.items())
    path = home / "base/model/model.safetensors"
    save_file({key: value * 1.01 for key, value in load_file(path).items()}, path, {"format": "pt"})
    fit(home, "dpo", "three", epochs=1)
    assert len(asked) == 2, "another model's log-probs were taken for this one's"
