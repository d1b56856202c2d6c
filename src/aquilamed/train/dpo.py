"""Direct preference optimisation on the prefix tree: the prompt once, chosen and rejected as its two children. paper 2.3.2"""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from aquilamed.core import tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.hygiene import certificate
from aquilamed.models import chat
from aquilamed.train import data, heldout, reference, sampling, session
from aquilamed.train.loop import Job
from aquilamed.train.objectives import Dpo
from aquilamed.train.settings import Optim
from aquilamed.tree import pack
from aquilamed.tree.pack import Tree

VERSION = 2
RESUMES = True
TOGETHER = True


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    optim: Optim
    """Optimizer, batch in pairs, schedule."""
    beta: float = 0.03
    """How strongly the model is held to where it started. paper 2.3.2"""
    loss: Literal["sigmoid", "ipo"] = "sigmoid"
    """As in `train.objectives.Dpo`. paper 2.3.2: DPO's own"""
    per_token: bool = False
    """Whether log-probs are means over an answer's tokens: for answers of unequal length. paper 2.3.2: sums"""
    anchor: float = 0.0
    """Weight, 0 or more, of the chosen answer's mean -log p beside the loss. paper 2.3.2: none"""
    allow_uncertified: bool = False
    """Whether data may be trained on of which no certificate tells that benchmark items were searched for in it; the manifest says so. ours"""

    def __post_init__(self):
        check(self.beta > 0, f"beta={self.beta}: expected more than 0")
        check(self.anchor >= 0, f"anchor={self.anchor}: expected 0 or more")


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Train `inputs["model"]` on `inputs["preferences"]`; its own log-probs, taken once before, are the reference.

    `inputs["heldout"]`, if given, chooses the weights that are kept.
    """
    searched = certificate.notes(inputs["preferences"], "preferences", allow=config.allow_uncertified)
    model = session.open_model(inputs["model"], config.optim)
    kind = "preferences"
    length = config.optim.length
    notes = session.laid_out(out, inputs[kind], kind, lambda rows, ledger, langs: trees(model.tokenizer, rows, length, ledger, langs))
    units = data.Units(out / data.FILE)
    network = session.scored(model, config.optim)
    objective = Dpo(config.beta, reference.logp(network, model.folder, units.all_trees(), config.optim, out), config.loss, config.per_token, config.anchor)
    rows = tables.rows(inputs["heldout"], kind) if "heldout" in inputs else ()
    unseen = [(record, tree) for record, tree in trees(model.tokenizer, rows, length, data.Ledger(), Counter()) if not isinstance(tree, str)]
    judge = dataclasses.replace(objective, reference_P2=reference.logp(network, model.folder, [tree for _, tree in unseen], config.optim, out, part="reference-heldout"))
    validate = heldout.validator(network, judge, unseen, config.optim)
    sample = sampling.sampler(model, network, config.optim, out, chats=True)
    return session.counts({**notes, **searched}, session.run(Job(network, units, objective, config.optim, out, validate, sample, engine.tell), model))


def trees(tokenizer, rows, length: int, ledger: data.Ledger, langs: Counter) -> Iterator[tuple[str, Tree | str]]:
    """(id, tree) of each pair, or (id, reason): a pair is dropped whole where either answer can't be shown or is too long, or both are the same tokens."""
    for row in rows:
        try:
            tree = pair_tree(tokenizer, row["prompt"], row["chosen"], row["rejected"])
        except chat.Unrenderable as error:
            ledger.records[error.reason] += 1
            yield row["id"], error.reason
            continue
        reason = "too_long" if max(len(tree[0].ids) + len(part.ids) for part in tree[1:]) > length else "identical" if np.array_equal(tree[1].ids, tree[2].ids) else ""
        if reason:
            ledger.records[reason] += 1
            ledger.tokens[reason] += pack.size(tree)
            yield row["id"], reason
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

