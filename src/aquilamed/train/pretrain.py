"""Continued pre-training on documents: phase 1 and phase 2 of the paper, each one step of a recipe. paper 2.1.2, 2.1.3"""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from aquilamed.core import tables
from aquilamed.core.counts import Counts
from aquilamed.models import chat
from aquilamed.train import data, objectives, session
from aquilamed.train.loop import Job
from aquilamed.train.settings import Optim
from aquilamed.tree import pack
from aquilamed.tree.pack import Tree

VERSION = 1
RESUMES = True


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    optim: Optim
    """Optimizer, batch in windows of `length` tokens, schedule."""


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Train `inputs["model"]` on `inputs["documents"]`; every token of every document is trained once an epoch."""
    model = session.open_model(inputs["model"], config.optim)
    ledger, langs = data.Ledger(), Counter()
    if not (out / data.FILE).exists():
        made = list(trees(model.tokenizer, inputs["documents"], config.optim.length, ledger, langs))
        groups = pack.best_fit([pack.size(tree) for _, tree in made], config.optim.length)
        session.write_ledger(out, ledger, langs)
        data.write(out / data.FILE, [[made[i] for i in group] for group in groups])
    notes = session.read_ledger(out)
    job = Job(model.network, data.Units(out / data.FILE), objectives.tokens, config.optim, out)
    return session.counts(notes, session.run(job, model))


def trees(tokenizer, documents: Path, length: int, ledger: data.Ledger, langs: Counter) -> Iterator[tuple[str, Tree]]:
    """Each document as windows of at most `length` tokens, nothing cut off.

    A window after the first begins with the last token of the one before, as context, so that every token but the
    beginning-of-text one is asked exactly once.
    """
    for row in tables.rows(documents, "documents"):
        ids = chat.text_ids(tokenizer, row["text"]) + ([tokenizer.eos_token_id] if tokenizer.eos_token_id is not None else [])
        langs[row["lang"]] += 1
        for low in range(0, max(len(ids) - 1, 1), length - 1):
            tree = (pack.segment(ids[low:low + length], True),)
            ledger.keep(tree, row["lang"])
            yield row["id"], tree
