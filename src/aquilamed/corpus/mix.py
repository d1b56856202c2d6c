"""Draws the text of one phase of continued pre-training to a token budget, cell by cell. paper 2.1.2

A cell is a domain (medical, general, instruction) in a language (zh with mixed text, en). Whole documents are taken in an order of
chance until the cell's budget is met; a cell that runs short is reported, never filled up from another.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from aquilamed.core import chance, tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.errors import RecordError
from aquilamed.hygiene.kernels import stats
from aquilamed.hygiene.texts import texts_of

VERSION = 1
DOMAINS, LANGS = ("medical", "general"), ("zh", "en")
INSTRUCTION = "instruction"
SPEAKERS = {"zh": {"user": "问：", "assistant": "答：", "system": ""}, "en": {"user": "Question: ", "assistant": "Answer: ", "system": ""}}
"""What stands before a message in an instruction rendered as text."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """The budget of a phase and how it is shared out."""

    budget_tokens: int
    """Tokens of the whole phase, 1 or more. paper 2.1.2: about 60e9 in phase 1, 20e9 in phase 2"""
    medical_share: float = 0.5
    """Share, 0..1, of the tokens other than instructions that are medical. paper 2.1.2: "a certain ratio" (open)"""
    zh_share: float = 0.5
    """Share, 0..1, of Chinese tokens within each domain. paper 2.1.1 balances the seeds 1:1; ours here"""
    min_quality: float = 0.0
    """Lowest quality, 0..6, of a medical document; 0 asks for no score. paper 2.1.2: phase 2 (value open)"""
    instruction_share: float = 0.0
    """Share, 0..1, of the tokens that are conversations as plain text. paper 2.1.2: phase 2 (value open)"""
    zh_tokens_per_char: float = 0.65
    """Estimate, above 0. ours: Gemma-3 takes 0.69 on medical abstracts, 0.79 on encyclopaedia text, 0.95 on classical books"""
    en_tokens_per_char: float = 0.25
    """Estimate, above 0; mixed text is counted by its Han characters and the rest. ours: Gemma-3 takes 0.22 to 0.23"""
    seed: int = 0
    """Orders the documents."""

    def __post_init__(self):
        check(self.budget_tokens >= 1, f"mix: budget_tokens={self.budget_tokens}: expected 1 or more")
        for name in ("medical_share", "zh_share", "instruction_share"):
            check(0 <= getattr(self, name) <= 1, f"mix: {name}={getattr(self, name)}: expected a share, 0..1")
        check(0 <= self.min_quality <= 6, f"mix: min_quality={self.min_quality}: expected 0..6")
        check(min(self.zh_tokens_per_char, self.en_tokens_per_char) > 0, "mix: tokens_per_char must be above 0")

    def budgets(self) -> dict[tuple[str, str], float]:
        """(domain, language) -> tokens."""
        text = self.budget_tokens * (1 - self.instruction_share)
        domains = {"medical": text * self.medical_share, "general": text * (1 - self.medical_share),
                   INSTRUCTION: self.budget_tokens * self.instruction_share}
        langs = {"zh": self.zh_share, "en": 1 - self.zh_share}
        return {(domain, lang): tokens * share for domain, tokens in domains.items() for lang, share in langs.items()}


@dataclasses.dataclass(frozen=True)
class Row:
    """What decides whether a row is drawn."""

    cell: tuple[str, str]
    tokens: float
    refused: str | None
    """The reason it can't be drawn at all."""
    order: tuple[float, str]


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Draw from `inputs["documents"]` and, where given, `inputs["conversations"]`, which come out as documents."""
    check(config.instruction_share == 0 or "conversations" in inputs, "mix: instruction_share needs the input 'conversations'")
    jobs = [(kind, path) for kind in ("documents", "conversations") if kind in inputs for path in tables.shards(inputs[kind], kind)]
    parts = engine.map(lambda job: describe(config, *job), jobs)
    drawn, notes = draw(config, [row for part in parts for row in part])
    starts = np.cumsum([0, *map(len, parts)])

    def one(number: int) -> Counts:
        kind, path = jobs[number]
        rows = slice(starts[number], starts[number + 1])
        refused = [row.refused or (None if taken else "over_budget") for row, taken in zip(parts[number], drawn[rows], strict=True)]
        rules = {reason: np.array([found == reason for found in refused], bool) for reason in ("other_language", "below_quality", "over_budget")}
        kept, dropped = tables.sift(tables.load(path), rules)
        kept = kept if kind == "documents" else as_documents(kept)
        tables.write(out / "documents" / tables.part(number), kept)
        if len(dropped):
            tables.write(out / "dropped" / f"{kind}-{number:05d}.parquet", dropped)
        return tables.count(kept, dropped)

    return dataclasses.replace(Counts.total(engine.map(one, list(range(len(jobs))))), notes=notes)


def describe(config: Config, kind: str, path: Path) -> list[Row]:
    """The rows of one shard.

    Raises:
        RecordError: a document has no domain or, where one is asked for, no quality; its id is named.
    """
    table = tables.load(path)
    found = stats(texts_of(kind, table))
    langs, ids = table["lang"].to_pylist(), table["id"].to_pylist()
    rates = np.array([[config.en_tokens_per_char, config.zh_tokens_per_char][lang == "zh"] for lang in langs])
    mixed = found.han * config.zh_tokens_per_char + (found.chars - found.han) * config.en_tokens_per_char
    tokens = np.where(np.array(langs, object) == "mixed", mixed, found.chars * rates)
    domains = tables.meta_of(table, "domain") if kind == "documents" else [INSTRUCTION] * len(table)
    qualities = tables.meta_of(table, "quality")
    rows = []
    for row_id, lang, domain, quality, n in zip(ids, langs, domains, qualities, tokens.tolist(), strict=True):
        if domain not in (*DOMAINS, INSTRUCTION):
            raise RecordError(f"{path}: document {row_id} has the domain {domain!r}; run corpus.classify first")
        refused = "other_language" if lang == "other" else _below(config, path, row_id, domain, quality)
        rows.append(Row(cell=(domain, "en" if lang == "en" else "zh"), tokens=n, refused=refused, order=(chance.share(config.seed, row_id), row_id)))
    return rows


def draw(config: Config, rows: list[Row]) -> tuple[np.ndarray, dict]:
    """(whether each row is drawn, what each cell asked for and got). The last row of a cell may pass its budget."""
    budgets = config.budgets()
    drawn, got = np.zeros(len(rows), bool), defaultdict(float)
    for place in sorted((k for k, row in enumerate(rows) if row.refused is None), key=lambda k: rows[k].order):
        row = rows[place]
        if got[row.cell] < budgets[row.cell]:
            drawn[place] = True
            got[row.cell] += row.tokens
    cells = {f"{domain} {lang}": {"asked": round(asked), "got": round(got[domain, lang]),
                                  "documents": sum(bool(d) and row.cell == (domain, lang) for d, row in zip(drawn, rows, strict=True))}
             for (domain, lang), asked in budgets.items() if asked or got[domain, lang]}
    short = sorted(name for name, cell in cells.items() if cell["got"] < cell["asked"])
    return drawn, {"estimated_tokens": round(sum(got.values())), "cells": cells, "short": short}


def as_documents(conversations: pa.Table) -> pa.Table:
    """Conversations as plain text, one document each; `meta` keeps their id as `conversation`."""
    return tables.from_rows("documents", [
        {"text": plain_text(row), "lang": row["lang"], "source": row["source"], "license": row["license"],
         "meta": {**row["meta"], "domain": INSTRUCTION, "conversation": row["id"]}} for row in tables.to_rows(conversations)])


def plain_text(conversation: dict) -> str:
    """`问：…\\n答：…` in Chinese and mixed text, `Question: …\\nAnswer: …` in English."""
    speakers = SPEAKERS["en" if conversation["lang"] == "en" else "zh"]
    return "\n".join(speakers[message["role"]] + message["content"] for message in conversation["messages"])


def _below(config: Config, path: Path, row_id: str, domain: str, quality: str | None) -> str | None:
    if domain != "medical" or config.min_quality == 0:
        return None
    if quality is None:
        raise RecordError(f"{path}: document {row_id} has no quality; run corpus.quality first or set min_quality=0")
    return "below_quality" if float(quality) < config.min_quality else None
