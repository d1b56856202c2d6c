"""Trains a random model of a given shape and prints its peak memory, for test_train_forecast.py: CONFIG.JSON SETTINGS."""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import transformers

from aquilamed.train import allocator, data, loop, objectives, session
from aquilamed.train.settings import Lora, Optim
from aquilamed.tree import pack, score


def main() -> None:
    changes = json.loads(sys.argv[2])
    optim = Optim(**{"lr": 1e-4, "batch": 2, "length": 512, **changes, "lora": Lora()})
    with torch.device("cpu"):
        network = transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.from_pretrained(sys.argv[1]), dtype=torch.float32, attn_implementation="sdpa")
    if optim.mode == "lora":
        network = session.with_adapters(network, optim)
    if optim.recompute:
        network.gradient_checkpointing_enable({"use_reentrant": False})
    rng = np.random.default_rng(0)
    trees = [(pack.segment(rng.integers(5, network.config.vocab_size, 512), True),) for _ in range(6)]
    with tempfile.TemporaryDirectory() as folder:
        data.write(Path(folder) / data.FILE, [[(str(k), tree)] for k, tree in enumerate(trees)])
        loop.train(loop.Job(score.Scored(network), data.Units(Path(folder) / data.FILE), objectives.tokens, optim, Path(folder)))
    print(json.dumps({"peak": allocator.peak_bytes()}))


main()
