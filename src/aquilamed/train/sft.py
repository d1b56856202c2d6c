"""Supervised fine-tuning on conversations: the answers are trained, each with its stop token. paper 2.2.2"""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from aquilamed.core import tables
from aquilamed.core.counts import Counts
from aquilamed.hygiene import certificate
from aquilamed.models import chat
from aquilamed.train import data, heldout, objectives, sampling, session
from aquilamed.train.loop import Job
from aquilamed.train.settings import Optim
from aquilamed.tree import pack
from aquilamed.tree.pack import Tree

VERSION = 2
RESUMES = True
TOGETHER = True


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    optim: Optim
    """Optimizer, batch in conversations, schedule."""
    allow_uncertified: bool = False
    """Whether data may be trained on of which no certificate tells that benchmark items were searched for in it; the manifest says so. ours"""


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Train `inputs["model"]` on `inputs["conversations"]`; `inputs["heldout"]`, if given, chooses the weights that are kept.

    A conversation that the template can't show, that is longer than `length`, or in which nobody answers is dropped whole and counted.
    """
    searched = certificate.notes(inputs["conversations"], "conversations", allow=config.allow_uncertified)
    model = session.open_model(inputs["model"], config.optim)
    kind = "conversations"
    length = config.optim.length
    notes = session.laid_out(out, inputs[kind], kind, lambda rows, ledger, langs: trees(model.tokenizer, rows, length, ledger, langs))
    network = session.scored(model, config.optim)
    rows = tables.rows(inputs["heldout"], kind) if "heldout" in inputs else ()
    validate = heldout.validator(network, objectives.tokens, trees(model.tokenizer, rows, length, data.Ledger(), Counter()), config.optim)
    sample = sampling.sampler(model, network, config.optim, out, chats=True)
    job = Job(network, data.Units(out / data.FILE), objectives.tokens, config.optim, out, validate, sample, engine.tell)
    return session.counts({**notes, **searched}, session.run(job, model))


def trees(tokenizer, rows, length: int, ledger: data.Ledger, langs: Counter) -> Iterator[tuple[str, Tree | str]]:
    """(id, tree) of each conversation, or (id, reason) where it can't be trained on."""
    for row in rows:
        try:
            shown = chat.render(tokenizer, row["messages"])
        except chat.Unrenderable as error:
            ledger.records[error.reason] += 1
            yield row["id"], error.reason
            continue
        reason = "too_long" if len(shown.ids) > length else "" if shown.trained.any() else "no_target"
        if reason:
            ledger.records[reason] += 1
            ledger.tokens[reason] += len(shown.ids)
            yield row["id"], reason
            continue
        tree = (pack.segment(shown.ids, shown.trained),)
        ledger.keep(tree, row["lang"])
        langs[row["lang"]] += 1
        yield row["id"], tree

