"""kill -9 while a model trains, and the same command again: the weights and the figures of an unbroken run, bit for bit."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from test_train import STAGES, home

__all__ = ["home"]
HERE = Path(__file__).parent
CASES = {
    "pretrain": {"dropout": 0.1, "batch": 4, "micro_tokens": 40, "length": 32},                   # several windows and micro-batches a step
    "sft": {"mode": "lora", "lora": {"rank": 2, "dropout": 0.1}, "batch_tokens": 120},
    "dpo": {"micro_tokens": 60, "batch": 4},
}
TIMED = {"tokens_per_s", "model_flops_share", "peak_bytes"}


def start(home: Path, name: str, out: str, changes: dict) -> subprocess.Popen:
    words = [str(HERE / "together.py"), str(home), name, out, "-1", json.dumps(changes)]
    return subprocess.Popen([sys.executable, *words], stderr=subprocess.PIPE,
                            env={**os.environ, "HOME": str(home), "PYTHONPATH": f"{HERE.parents[1] / 'src'}:{HERE}:{HERE.parent}", "OMP_NUM_THREADS": "1"})


def figures(home: Path, out: str) -> list[dict]:
    path = home / out / "metrics.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [{key: value for key, value in json.loads(line).items() if key not in TIMED} for line in lines if line.endswith("}")]


@pytest.mark.slow
@pytest.mark.parametrize("name", STAGES)
def test_killed_at_random_moments_it_ends_as_the_unbroken_run(home, name):
    changes = {**CASES[name], "epochs": 12, "lr": 1e-3, "save_seconds": 1e-9}
    whole = start(home, name, "whole", changes)
    assert whole.wait() == 0, whole.stderr.read().decode()[-2000:]
    last = figures(home, "whole")[-1]["step"]
    for step in np.random.default_rng(len(name)).integers(last // 6, last - 2, 2):               # from the second epoch on, most likely
        running = start(home, name, "cut", changes)
        while running.poll() is None and len(figures(home, "cut")) < step:
            time.sleep(0.001)
        running.kill()
        assert running.wait() == -9 and not (home / "cut/model").exists()
    ended = start(home, name, "cut", changes)
    assert ended.wait() == 0, ended.stderr.read().decode()[-2000:]
    assert figures(home, "cut") == figures(home, "whole")
    one, other = (load_file(home / out / "model" / "model.safetensors") for out in ("whole", "cut"))
    assert all(torch.equal(value, other[key]) for key, value in one.items())
