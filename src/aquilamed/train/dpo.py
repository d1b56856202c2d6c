"""Direct preference optimisation on the prefix tree: the prompt once, chosen and rejected as its two children. paper 2.3.2"""

import dataclasses
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch

from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.hygiene import certificate
from aquilamed.models import chat
from aquilamed.train import data, session
from aquilamed.train.loop import Job
from aquilamed.train.objectives import Dpo
from aquilamed.train.settings import Optim
from aquilamed.tree import pack, score
from aquilamed.tree.pack import Tree

VERSION = 1
RESUMES = True
REFERENCE = "reference.npy"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    optim: Optim
    """Optimizer, batch in pairs, schedule."""
    beta: float = 0.03
    """How strongly the model is held to where it started. paper 2.3.2"""
    allow_uncertified: bool = False
    """Whether data may be trained on of which no certificate tells that benchmark items were searched for in it; the manifest says so. ours"""

    def __post_init__(self):
        check(self.beta > 0, f"beta={self.beta}: expected more than 0")


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Train `inputs["model"]` on `inputs["preferences"]`; its own log-probs, taken once before, are the reference."""
    searched = certificate.notes(inputs["preferences"], "preferences", allow=config.allow_uncertified)
    model = session.open_model(inputs["model"], config.optim)
    kind = "preferences"
    length = config.optim.length
    notes = session.laid_out(out, inputs[kind], kind, lambda rows, ledger, langs: trees(model.tokenizer, rows, length, ledger, langs))
    units = data.Units(out / data.FILE)
    objective = Dpo(config.beta, torch.from_numpy(reference(model.network, units, out)).float())
    return session.counts({**notes, **searched}, session.run(Job(model.network, units, objective, config.optim, out), model))


def trees(tokenizer, rows, length: int, ledger: data.Ledger, langs: Counter) -> Iterator[tuple[str, Tree | str]]:
    """(id, tree) of each pair, or (id, reason): a pair is dropped whole where either answer can't be shown or is too long."""
    for row in rows:
        try:
            tree = pair_tree(tokenizer, row["prompt"], row["chosen"], row["rejected"])
        except chat.Unrenderable as error:
            ledger.records[error.reason] += 1
            yield row["id"], error.reason
            continue
        if max(len(tree[0].ids) + len(part.ids) for part in tree[1:]) > length:
            ledger.records["too_long"] += 1
            ledger.tokens["too_long"] += pack.size(tree)
            yield row["id"], "too_long"
            continue
        ledger.keep(tree, row["lang"])
        langs[row["lang"]] += 1
        yield row["id"], tree


def pair_tree(tokenizer, prompt: list[dict], chosen: str, rejected: str) -> Tree:
    """Prompt, chosen, rejected as segments; both answers are asked, each with its stop token.

    Raises:
        Unrenderable: as `chat.render`.
    """
    stem = chat.prompt(tokenizer, prompt)
    parts = [pack.segment(stem, False)]
    for answer in (chosen, rejected):
        shown = chat.render(tokenizer, [*prompt, {"role": "assistant", "content": answer}], last_only=True)
        end = int(np.flatnonzero(shown.trained)[-1]) + 1
        parts.append(pack.segment(shown.ids[len(stem):end], True, 0))
    return tuple(parts)


def reference(network, units: data.Units, out: Path) -> np.ndarray:
    """log p of (chosen, rejected) of every pair under the starting model, shape (P, 2); computed once, kept for resumes."""
    path = out / REFERENCE
    if not path.exists():
        scored = score.nll(network, units.all_trees())
        partial = path.with_name("reference.partial.npy")
        np.save(partial, np.array([[-part.sum() for part in tree[1:]] for tree in scored]))
        os.replace(partial, path)
    return np.load(path)
