"""Checkpoints that are whole or absent, in PyTorch's distributed format: saved by any number of ranks, resumed by any other."""

import json
import os
import shutil
import warnings
from pathlib import Path

import torch
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.api import CheckpointException

from aquilamed.core.errors import TrainingStopped
from aquilamed.train import ranks

PARTIAL, STATE = "partial", "state.json"


def trained_state(network) -> dict:
    """The weights that training changes: all of them, or the adapters; under FSDP this rank's shards."""
    return {name: value.detach() for name, value in network.named_parameters() if value.requires_grad}


def save(folder: Path, step: int, network, optimizer, extra: dict, *, keep: int = 1) -> None:
    """Write `step-N`, then remove all but the newest `keep`: a full disk leaves the previous one usable. `best_weights` of `extra` are tensors, the rest JSON values."""
    partial = folder / PARTIAL
    with ranks.first() as am_first:
        if am_first:
            folder.mkdir(exist_ok=True)
            shutil.rmtree(partial, ignore_errors=True)
    best = extra.get("best_weights")
    tensors = {"weights": trained_state(network), "optimizer": _moments(network, optimizer), **({"best": best} if best else {})}
    words = {"step": step, "has_best": best is not None, **{key: value for key, value in extra.items() if key != "best_weights"}}
    try:
        _quietly(dcp.save, tensors, partial)
        torch.save(random_state(), partial / f"random-{ranks.rank()}.pt")
        if ranks.rank() == 0:
            (partial / STATE).write_text(json.dumps(words), encoding="utf-8")
    except (OSError, RuntimeError, CheckpointException) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise TrainingStopped(f"{folder}: the checkpoint of step {step} can't be written ({_why(error)}); the one before is kept, "
                              "free disk space and run the same command again") from error
    ranks.wait()
    with ranks.first() as am_first:
        if am_first:
            os.replace(partial, folder / f"step-{step:07d}")
            for old in sorted(folder.glob("step-*"))[:-keep]:
                shutil.rmtree(old)


def load(folder: Path, network, optimizer) -> dict | None:
    """Restore the newest checkpoint and return what `save` was given beside it, or None if there is none.

    Raises:
        TrainingStopped: it is of another model, or damaged.
    """
    found = sorted(folder.glob("step-*"))
    if not found:
        return None
    state = json.loads((found[-1] / STATE).read_text(encoding="utf-8"))
    weights = trained_state(network)
    best = {name: torch.empty_like(value) for name, value in weights.items()} if state.pop("has_best") else None
    try:
        _quietly(dcp.load, {"weights": weights, "optimizer": _moments(network, optimizer), **({"best": best} if best else {})}, found[-1])
    except (OSError, RuntimeError, ValueError, CheckpointException) as error:
        raise TrainingStopped(f"{found[-1]}: does not fit this model, or is damaged ({_why(error)}); remove it and run the same command again") from error
    random = found[-1] / f"random-{ranks.rank()}.pt"
    if random.exists():                     # another number of ranks draws its dropout anew
        set_random_state(torch.load(random, weights_only=True))
    return {**state, "best_weights": best}


def put(network, weights: dict) -> None:
    """Copy `weights` into the network's parameters of the same names."""
    parameters = dict(network.named_parameters())
    with torch.no_grad():
        for name, value in weights.items():
            parameters[name].copy_(value)


def random_state() -> dict:
    return {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state() if torch.cuda.is_available() else None}


def set_random_state(state: dict) -> None:
    torch.set_rng_state(state["cpu"])
    if torch.cuda.is_available() and state["cuda"] is not None:
        torch.cuda.set_rng_state(state["cuda"])


def _moments(network, optimizer) -> dict:
    """`name.exp_avg` and so on -> the optimizer's own tensors, made where it has not stepped yet: what is loaded into them is in place."""
    found = {}
    for name, value in network.named_parameters():
        if not value.requires_grad:
            continue
        state = optimizer.state[value]
        if not state:
            state |= {"step": torch.zeros((), dtype=torch.float32, device=value.device), "exp_avg": torch.zeros_like(value), "exp_avg_sq": torch.zeros_like(value)}
        found |= {f"{name}.{key}": tensor for key, tensor in state.items()}
    return found


def _why(error: BaseException) -> str:
    """What went wrong on the first rank on which something did, in one line."""
    if isinstance(error, CheckpointException):
        error = next(iter(error.failures.values()))[0]
    return (str(error) or type(error).__name__).splitlines()[0]


def _quietly(work, tensors: dict, folder: Path) -> None:
    """PyTorch warns that one process alone is no group of ranks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        work(tensors, checkpoint_id=folder, no_dist=ranks.size() == 1)
