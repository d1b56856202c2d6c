"""Context relevance: does a dialogue's history help the model say its next turn? paper 2.2.1, eq. 1-3

    CR(T | H) = L(T | H) / L(T)      L: mean token loss in nats of turn T, with and without its history H

Above 1 the history misleads; far below 1 the turn repeats it. A turn is a question with its answer. All turns of a
dialogue, with history and alone, are one tree and one forward pass; a dialogue longer than a pack takes a few.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import torch

from aquilamed.core import tables
from aquilamed.core.counts import Counts
from aquilamed.models import chat, folders
from aquilamed.tree import pack, score

VERSION = 2
KIND = "conversations"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    max_tokens: int = 2048
    """A longer dialogue gets no score; training drops it as too long anyway. paper 2.2.2: length 2048"""
    cpu_weights: Literal["float32", "bfloat16"] = "float32"
    """What the model computes in on a CPU; a GPU takes bfloat16 either way. Bfloat16 is faster where the CPU multiplies it by itself, and moves a value by some thousandths. ours"""


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write every conversation with `meta["relevance"]` (mean over its turns after the first); nothing is dropped here.

    One-turn conversations have no history and get no score. What a killed run has written is not scored again.
    """
    model = folders.load(inputs["model"])
    model.network.to(getattr(torch, config.cpu_weights) if model.network.device.type == "cpu" else model.network.dtype)
    done = []
    for number, path in enumerate(tables.shards(inputs[KIND], KIND)):
        done.append(tables.saved(out, KIND, number) or tables.save(out, KIND, number, *marked(model, config, tables.load(path))))
    values: dict[str, list[float]] = defaultdict(list)
    for row in tables.rows(out, KIND):
        if "relevance" in row["meta"]:
            values[row["lang"]].append(float(row["meta"]["relevance"]))
    shape = {lang: np.quantile(some, [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1]).round(4).tolist() for lang, some in sorted(values.items())}
    return dataclasses.replace(Counts.total(done), notes={"dialogues_scored": sum(map(len, values.values())), "relevance_quantiles": shape})


def marked(model: folders.Model, config: Config, table: pa.Table) -> tuple[pa.Table, pa.Table]:
    """(all rows of a shard, with their relevance; none dropped)."""
    found = relevances(model, table["messages"].to_pylist(), config.max_tokens)
    return tables.sift(tables.with_meta(table, relevance=[f"{np.mean(some):.4f}" if some else None for some in found]), {})


def relevances(model: folders.Model, dialogues: Sequence[list[dict]], max_tokens: int) -> list[list[float]]:
    """CR of each turn after the first, for each dialogue; empty where there is none, or it can't be shown or is too long."""
    made = [turn_tree(model.tokenizer, messages) for messages in dialogues]
    fits = [tree if tree and pack.size(tree) <= 2 * max_tokens else () for tree in made]
    apart = [pieces(tree, score.default_pack(model.network)) for tree in fits]
    scored = iter(score.nll(model.network, [piece for some in apart for piece in some]))
    return [ratios(joined([next(scored) for _ in some])) for some in apart]


def pieces(tree: pack.Tree, room: int) -> list[pack.Tree]:
    """A `turn_tree` as it is or, where it takes more than `room` tokens, its chain and each turn alone apart: attention grows with the square of a pack."""
    if pack.size(tree) <= room:
        return [tree] if tree else []
    chain = len(tree) // 2 + 1
    return [tree[:chain], *((tree[0], turn) for turn in tree[chain:])]


def joined(losses: Sequence[Sequence[np.ndarray]]) -> list[np.ndarray]:
    """The losses of a whole `turn_tree` from those of its `pieces`."""
    return [segment for number, some in enumerate(losses) for segment in (some[1:] if number else some)]


def ratios(losses: Sequence[np.ndarray]) -> list[float]:
    """CR of turns 2.. from the losses of a `turn_tree`: root, turns 1..n in context, turns 2..n alone."""
    n_turns = len(losses) // 2
    together, alone = losses[2:1 + n_turns], losses[1 + n_turns:]
    return [float(a.mean() / b.mean()) for a, b in zip(together, alone, strict=True)]


def turn_tree(tokenizer, messages: list[dict]) -> pack.Tree | None:
    """A dialogue's turns as a chain, and each turn after the first once more straight under the root; None if it has one turn."""
    try:
        shown = chat.render(tokenizer, messages)
    except chat.Unrenderable:
        return None
    cuts = [start for start, message in zip(shown.starts, messages, strict=True) if message["role"] == "user"]
    if len(cuts) < 2:
        return None
    first = max(cuts[0], 1)                 # the root: beginning of text, system message; at least one token
    bounds = [first, *cuts[1:], len(shown.ids)]
    turns = [shown.ids[low:high] for low, high in zip(bounds, bounds[1:], strict=False)]
    chain = [pack.segment(turn, number > 0, number) for number, turn in enumerate(turns)]
    return (pack.segment(shown.ids[:first], False), *chain, *(pack.segment(turn, True, 0) for turn in turns[1:]))
