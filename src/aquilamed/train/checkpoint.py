"""Checkpoints that are whole or absent; the newest whole one is where a killed run goes on."""

import os
from pathlib import Path

import torch

from aquilamed.core.errors import TrainingStopped


def trained_state(network) -> dict:
    """The weights that training changes: all of them, or the adapters."""
    return {name: value.detach() for name, value in network.named_parameters() if value.requires_grad}


def save(folder: Path, step: int, network, optimizer, extra: dict) -> None:
    """Write `step-N.pt`, then remove older ones: a full disk leaves the previous one usable."""
    folder.mkdir(exist_ok=True)
    partial = folder / "partial"
    state = {"step": step, "weights": trained_state(network), "optimizer": optimizer.state_dict(), "rng": random_state(), **extra}
    try:
        torch.save(state, partial)
    except (OSError, RuntimeError) as error:
        partial.unlink(missing_ok=True)
        raise TrainingStopped(f"{folder}: the checkpoint of step {step} can't be written ({error}); the one before is kept, "
                              "free disk space and run the same command again") from error
    os.replace(partial, folder / f"step-{step:07d}.pt")
    for old in sorted(folder.glob("step-*.pt"))[:-1]:
        old.unlink()


def load(folder: Path, network, optimizer) -> dict | None:
    """Restore the newest checkpoint and return it without the weights, or None if there is none."""
    found = sorted(folder.glob("step-*.pt"))
    if not found:
        return None
    state = torch.load(found[-1], map_location=next(network.parameters()).device, weights_only=True, mmap=True)
    put(network, state.pop("weights"))
    optimizer.load_state_dict(state.pop("optimizer"))
    rng = state.pop("rng")
    torch.set_rng_state(rng["cpu"].cpu())
    if torch.cuda.is_available():
        torch.cuda.set_rng_state_all([value.cpu() for value in rng["cuda"]])
    return state


def put(network, weights: dict) -> None:
    """Copy `weights` into the network's parameters of the same names."""
    parameters = dict(network.named_parameters())
    with torch.no_grad():
        for name, value in weights.items():
            parameters[name].copy_(value)


def random_state() -> dict:
    return {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []}
