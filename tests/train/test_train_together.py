"""Two and four ranks (gloo, on the CPU) train what one does, and each goes on from the checkpoint of another number of ranks."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from test_train import STAGES, home

__all__ = ["home"]
HERE = Path(__file__).parent
CHANGES = {"epochs": 7, "lr": 1e-3, "batch": 3}


def fit(home, name, out, n_ranks, *, stop=-1, **changes):
    """Train on so many ranks; with `stop` every rank dies before that step, having saved after each."""
    code = [str(HERE / "together.py"), str(home), name, out, str(stop), json.dumps({**CHANGES, **changes})]
    start = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(n_ranks), "--master-port", "0", "--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    done = subprocess.run([*(start if n_ranks > 1 else [sys.executable]), *code], capture_output=True, text=True, check=False,
                          env={**os.environ, "HOME": str(home), "PYTHONPATH": f"{HERE.parents[1] / 'src'}:{HERE}:{HERE.parent}", "OMP_NUM_THREADS": "1"})
    assert (done.returncode == 0) == (stop < 0), done.stderr[-9000:]
    return load_file(home / out / "model" / "model.safetensors") if stop < 0 else None


def lines(home, out, file="metrics.jsonl"):
    return [json.loads(line) for line in (home / out / file).read_text(encoding="utf-8").splitlines()]


def same(one, other):
    assert set(one) == set(other)
    for key, value in one.items():
        torch.testing.assert_close(value, other[key], rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("name", STAGES)
def test_two_ranks_train_what_one_does(home, name):
    watch = {"sample_every": 7, "sample_tokens": 4}
    alone, both = fit(home, name, "alone", 1, watch=watch), fit(home, name, "both", 2, watch=watch)
    same(alone, both)
    (first, second), (answers, others) = ([lines(home, out, file) for out in ("alone", "both")] for file in ("metrics.jsonl", "samples.jsonl"))
    assert [row["answer"] for row in answers[:8]] == [row["answer"] for row in others[:8]] and len(answers) == len(others) >= 24
    first, second = ([row for row in rows if "loss" in row] for rows in (first, second))
    assert len(first) == len(second) >= 14
    for a, b in zip(first, second, strict=True):
        assert {key: a[key] for key in ("step", "count", "tokens", "asked", "tokens_seen")} == {key: b[key] for key in ("step", "count", "tokens", "asked", "tokens_seen")}
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-4) and a["grad_norm"] == pytest.approx(b["grad_norm"], rel=1e-3)


@pytest.mark.parametrize(("before", "after"), [(2, 1), (2, 4)])
def test_a_checkpoint_is_resumed_by_another_number_of_ranks(home, before, after):
    whole = fit(home, "sft", "whole", 1)
    fit(home, "sft", "cut", before, stop=5, save_seconds=1e-9)
    assert [path.name for path in (home / "cut/checkpoints").glob("step-*")] == ["step-0000005"]
    same(whole, fit(home, "sft", "cut", after, save_seconds=1e-9))
    assert [line["step"] for line in lines(home, "cut")] == list(range(1, 15))


@pytest.mark.parametrize("changes", [{"mode": "lora", "lora": {"rank": 2}}, {"offload": True}], ids=["adapters", "offload"])
def test_other_ways_to_train_together(home, changes):
    same(fit(home, "sft", "alone", 1, **changes), fit(home, "sft", "both", 2, **changes))
