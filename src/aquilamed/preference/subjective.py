"""Subjective pairs: a conversation's reference answer against the model's own sampled one. paper 2.3.1, without a remote judge

The paper lets a strong model write and compare; without an endpoint the reference stands against what the model itself
says, and the pair is kept only where the reference is judged better by `models.surface` and really differs. Declared as such
in `meta["judge"]`.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from aquilamed.core import chance, tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.models import chat, folders, surface
from aquilamed.models.generate import generate

VERSION = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    n_conversations: int
    """Conversations drawn, by chance of their ids. paper 2.3.2: 9,019 pairs"""
    kinds: tuple[str, ...] = ("single", "multi")
    """Kinds of conversation drawn from; exam questions make objective pairs."""
    max_new_tokens: int = 256
    """Longest sampled answer, tokens."""
    temperature: float = 0.8
    """Of sampling. ours: varied, still sensible"""
    max_overlap: float = 0.6
    """Pairs whose answers are more alike than this (Jaccard, 0..1) are dropped: nothing to prefer. ours"""
    seed: int = 1
    """Of the draw and of sampling."""

    def __post_init__(self):
        check(self.n_conversations > 0, f"n_conversations={self.n_conversations}: expected 1 or more")
        check(0 < self.max_overlap <= 1, f"max_overlap={self.max_overlap}: expected a share, 0..1")


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write `preferences/` from `inputs["conversations"]` and answers of `inputs["model"]`.

    Dropped of those drawn: too_similar, reference_not_better, unrenderable, empty.
    """
    model = folders.load(inputs["model"])
    rows = [row for row in tables.rows(inputs["conversations"], "conversations") if row["kind"] in config.kinds]
    drawn = sorted(rows, key=lambda row: (chance.share(config.seed, row["id"]), row["id"]))[:config.n_conversations]
    sampled = sample(model, drawn, config)
    made = [(pair_of(row, answer), reason_of(row, answer, config)) for row, answer in zip(drawn, sampled, strict=True)]
    table = tables.from_rows("preferences", [pair for pair, reason in made if not reason])
    tables.scatter(out, "preferences", table)
    rest = [{**tables.make("preferences", pair), "reason": reason} for pair, reason in made if reason]
    tables.write_dropped_rows(out, "preferences", rest)
    dropped = Counter(row["reason"] for row in rest)
    notes = {"conversations_available": len(rows), "judge": "surface"}
    return Counts(n_in=len(drawn), n_out=len(table), dropped=dropped, langs=tables.langs(table), notes=notes)


def sample(model: folders.Model, rows: list[dict], config: Config) -> list[str | None]:
    """The model's own last answer in each conversation; None where its template can't show it."""
    prompts: list[list[int] | None] = []
    for row in rows:
        try:
            prompts.append(chat.prompt(model.tokenizer, row["messages"][:-1]))
        except chat.Unrenderable:
            prompts.append(None)
    asked = [(ids, row["id"]) for ids, row in zip(prompts, rows, strict=True) if ids]
    found = iter(generate(model, [ids for ids, _ in asked], [key for _, key in asked], max_new_tokens=config.max_new_tokens,
                          temperature=config.temperature, seed=config.seed) if asked else ())
    return [model.tokenizer.decode(next(found), skip_special_tokens=True).strip() if ids else None for ids in prompts]


def pair_of(row: dict, answer: str | None) -> dict:
    origin = {key: row[key] for key in ("lang", "source", "license")}
    return {**origin, "kind": "subjective", "prompt": row["messages"][:-1], "chosen": row["messages"][-1]["content"],
            "rejected": answer or "", "meta": {**row["meta"], "judge": "surface", "conversation": row["id"]}}


def reason_of(row: dict, answer: str | None, config: Config) -> str | None:
    """Why the pair teaches nothing, or None if it does."""
    if answer is None:
        return "unrenderable"
    if not surface.units(answer):
        return "empty"
    asked, said = row["messages"][-2]["content"], row["messages"][-1]["content"]
    if surface.overlap(said, answer) > config.max_overlap:
        return "too_similar"
    return None if surface.quality(asked, said) > surface.quality(asked, answer) else "reference_not_better"
