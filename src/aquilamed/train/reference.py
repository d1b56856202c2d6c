"""What the model that DPO starts from says of each pair: computed once on the prefix tree, and kept by digest for later epochs, resumes and runs."""

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from aquilamed.core import manifest
from aquilamed.train import data, ranks
from aquilamed.train.objectives import segment_logp
from aquilamed.train.settings import Optim
from aquilamed.tree.pack import Tree

CACHE = Path.home() / ".cache" / "aquilamed" / "reference"


def logp(network, folder: Path, trees: Sequence[Tree], optim: Optim, out: Path, *, part: str = "reference") -> torch.Tensor:
    """log p of (chosen, rejected) of every pair under `network`, float32, shape (P, 2).

    `folder` holds the network's weights; `part` names the file in `out`. The values lie in `out`, for resumes, and in the user's cache under a digest of the weights and of the
    pairs' tokens, which the template and the tokenizer have made: another beta asks the model nothing.
    """
    if not trees:
        return torch.zeros(0, 2)
    path = out / f"{part}.npy"
    with ranks.first() as am_first:
        if am_first and not path.exists():
            stored = CACHE / f"{digest(network, folder, trees)}.npy"
            if stored.exists():
                _copy(stored, path)
    if not path.exists():
        found = _asked(network, trees, optim)
        with ranks.first() as am_first:
            if am_first:
                _write(path, found)
                _copy(path, CACHE / f"{digest(network, folder, trees)}.npy")
    return torch.from_numpy(np.load(path)).float()


@torch.no_grad()
def _asked(network, trees: Sequence[Tree], optim: Optim) -> np.ndarray:
    """By the network itself, the ranks taking turns: under FSDP all must go through it as often."""
    mine, found, was_training = [], np.zeros((len(trees), 2)), network.training
    network.eval()
    packs = list(data.packed(list(enumerate(trees)), data.pack_length(network, optim)))
    for (pack, numbers), counted in ranks.share(packs, data.shortest):
        logp_P2 = segment_logp(network, pack).view(-1, 3)[:, 1:]
        if counted:
            mine.append((numbers[::3], logp_P2.double().cpu().numpy()))
    network.train(was_training)
    for numbers, values in ranks.gathered(mine):
        found[numbers] = values
    return found


def digest(network, folder: Path, trees: Sequence[Tree]) -> str:
    """Of the weights' files, the kind of device, and the tokens."""
    found = hashlib.sha256(ranks.device(network).type.encode())
    for path in sorted(folder.glob("*.safetensors")):
        found.update(manifest.file_sha256(path).encode())
    for tree in trees:
        for part in tree:
            found.update(np.int64([part.parent, len(part.ids)]).tobytes() + part.ids.tobytes() + part.asked.tobytes())
    return found.hexdigest()


def _write(path: Path, values: np.ndarray) -> None:
    partial = path.with_name(f"{path.stem}.partial-{os.getpid()}.npy")
    np.save(partial, values)
    os.replace(partial, path)


def _copy(source: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.stem}.partial-{os.getpid()}.npy")
    shutil.copy(source, partial)
    os.replace(partial, path)
