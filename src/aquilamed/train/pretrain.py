"""Continued pre-training on documents: phase 1 and phase 2 of the paper, each one step of a recipe. paper 2.1.2, 2.1.3"""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from aquilamed.core import tables
from aquilamed.core.counts import Counts
from aquilamed.hygiene import certificate
from aquilamed.models import chat
from aquilamed.train import data, heldout, objectives, ranks, sampling, session
from aquilamed.train.loop import Job
from aquilamed.train.settings import Optim
from aquilamed.tree import pack
from aquilamed.tree.pack import Tree

VERSION = 2
RESUMES = True
TOGETHER = True
"""All ranks run this stage; of other stages only the first runs any."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    optim: Optim
    """Optimizer, batch in windows of `length` tokens, schedule."""
    allow_uncertified: bool = False
    """Whether data may be trained on of which no certificate tells that benchmark items were searched for in it; the manifest says so. ours"""


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Train `inputs["model"]` on `inputs["documents"]`; every token is trained once an epoch, or as often as the mix drew its document.

    `inputs["heldout"]`, if given, chooses the weights that are kept.
    """
    searched = certificate.notes(inputs["documents"], "documents", allow=config.allow_uncertified)
    model = session.open_model(inputs["model"], config.optim)
    with ranks.first() as am_first:
        if am_first and not (out / data.FILE).exists():
            ledger, langs = data.Ledger(), Counter()
            made = list(trees(model.tokenizer, inputs["documents"], config.optim.length, ledger, langs))
            session.write_ledger(out, ledger, langs)
            data.write(out / data.FILE, windows(made, config.optim.length))
    notes = session.read_ledger(out)
    network = session.scored(model, config.optim)
    unseen = trees(model.tokenizer, inputs["heldout"], config.optim.length, data.Ledger(), Counter()) if "heldout" in inputs else ()
    validate = heldout.validator(network, objectives.tokens, ((record, tree) for record, tree, _ in unseen), config.optim)
    sample = sampling.sampler(model, network, config.optim, out, chats=False)
    job = Job(network, data.Units(out / data.FILE), objectives.tokens, config.optim, out, validate, sample, engine.tell)
    return session.counts({**notes, **searched}, session.run(job, model))


def windows(made: list[tuple[str, Tree, int]], length: int) -> Iterator[list[tuple[str, Tree]]]:
    """Full windows of (record, tree); what is to be trained k times is in k of them, never twice in one: each time round is packed alone."""
    for time in range(max((times for *_, times in made), default=0)):
        again = [(record, tree) for record, tree, times in made if times > time]
        for group in pack.best_fit([pack.size(tree) for _, tree in again], length):
            yield [again[i] for i in group]


def trees(tokenizer, documents: Path, length: int, ledger: data.Ledger, langs: Counter) -> Iterator[tuple[str, Tree, int]]:
    """Each document as windows of at most `length` tokens, nothing cut off, and how often each is to be trained (`corpus.mix`).

    A window after the first begins with the last token of the one before, as context, so that every token but the
    beginning-of-text one is asked exactly once.
    """
    for row in tables.rows(documents, "documents"):
        ids = chat.text_ids(tokenizer, row["text"]) + ([tokenizer.eos_token_id] if tokenizer.eos_token_id is not None else [])
        times = int(row["meta"].get("epochs", 1))
        langs[row["lang"]] += 1
        for low in range(0, max(len(ids) - 1, 1), length - 1):
            tree = (pack.segment(ids[low:low + length], True),)
            ledger.keep(tree, row["lang"], times)
            yield row["id"], tree, times
