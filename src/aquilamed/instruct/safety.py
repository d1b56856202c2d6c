"""Drops conversations with an answer that does harm. paper 2.2.1 removes violence, bias and pornography; self-harm, doses and quackery are ours

Only what the assistant says counts: a patient may speak of suicide or ask for a cure-all, and a safe answer to that is what should be learnt. Lists find
what is said in their words, a remote model (if the recipe names one) the rest. What is dropped is kept under `dropped/` for review, with the answer's
number and the words that it was found by.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.core import tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.hygiene import unsafe
from aquilamed.instruct import dosing, harm_judge, harm_words
from aquilamed.models import remote

VERSION = 1
KIND = "conversations"
REASONS = ("self_harm", "dangerous_dosing", "quackery", "violence", "bias", "sexual")
"""In this order: a conversation is counted under the first that holds."""
_SAME = {"hate": "bias", "violence": "violence", "sexual": "sexual"}
"""Kind of `hygiene.unsafe` -> reason; the others are `hygiene.screen`'s, and its quackery knows no warnings."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """What counts as harm."""

    reasons: tuple[str, ...] = REASONS
    """Reasons that drop a conversation. paper 2.2.1: violence, bias, pornography; ours: the other three harm patients"""
    dose_factor: float = 1.5
    """Times the largest daily dose of `most_doses.jsonl` above which a dose is dangerous, from 1. ours: plain slips far beyond any rounding"""
    lexicon: Path = Path("")
    """A list to use in place of ours (the form: `instruct.harm_words`); empty: ours."""
    endpoint: remote.Endpoint = remote.Endpoint()
    """A language model that judges what the lists leave, twice; without `base_url` nothing is sent. What it refuses or can't be read is dropped as
    `unjudged`. ours: lists find few of the ways to say a thing (docs/decisions.md)"""
    max_chars: int = 6000
    """Characters of a conversation that it is shown, from 200. ours: a long consultation"""

    def __post_init__(self):
        check(self.max_chars >= 200, f"safety: max_chars={self.max_chars}: expected 200 or more")
        unknown = [reason for reason in self.reasons if reason not in REASONS]
        check(not unknown and bool(self.reasons), f"safety: reasons={self.reasons}: expected some of {', '.join(REASONS)}")
        check(self.dose_factor >= 1, f"safety: dose_factor={self.dose_factor}: expected 1 or more")


def files(config: Config) -> list[Path]:
    """The lists: other ones make another output."""
    return [chosen(config), dosing.TABLE, unsafe.LEXICON]


def chosen(config: Config) -> Path:
    """The given list, or ours where none is given."""
    return config.lexicon if config.lexicon.name else harm_words.LEXICON


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Sift `inputs["conversations"]` by `config.reasons`; notes name the licences of the list.

    With an endpoint the shards are asked about one after another by this process, which has the key; what a killed run was told is not asked again.
    """
    lexicon, used = chosen(config), []
    licenses = harm_words.load(lexicon).licenses

    def sieve(table: pa.Table) -> tuple[pa.Table, pa.Table]:
        found = inspect(table, lexicon, config.dose_factor)
        if config.endpoint.base_url:
            used.extend(_judged(config, table, found))
        reasons = [*(reason for reason in REASONS if reason in config.reasons), harm_judge.UNJUDGED]
        details = {reason: pa.array([row.get(reason) for row in found], pa.string()) for reason in reasons}
        return tables.sift(table, {reason: pc.is_valid(detail) for reason, detail in details.items()}, details)
    if not config.endpoint.base_url:
        return dataclasses.replace(tables.sift_all(engine, inputs[KIND], KIND, sieve, out), notes={"lexicon_licenses": licenses})
    done = [tables.saved(out, KIND, number) or tables.save(out, KIND, number, *sieve(tables.load(path))) for number, path in enumerate(tables.shards(inputs[KIND], KIND))]
    return dataclasses.replace(Counts.total(done), notes={"lexicon_licenses": licenses, "asked": remote.usage(used)})


def _judged(config: Config, table: pa.Table, found: list[dict[str, str]]) -> list[remote.Reply]:
    """Ask about the rows in which nothing counts yet, and write what is said into `found`; the replies."""
    places = [place for place, row in enumerate(found) if not set(row) & set(config.reasons)]
    verdicts, replies = harm_judge.ask(config.endpoint, tables.to_rows(table.take(pa.array(places, pa.int64()))), config.max_chars)
    for place, verdict in zip(places, verdicts, strict=True):
        found[place].update(verdict)
    return replies


def inspect(table: pa.Table, lexicon: Path = harm_words.LEXICON, dose_factor: float = Config.dose_factor) -> list[dict[str, str]]:
    """For each conversation reason -> the first answer that does such harm and how it shows."""
    answers, row, number = _answers(table)
    words = harm_words.load(lexicon)
    found: list[dict[str, str]] = [{} for _ in range(len(table))]

    def note(place: int, reason: str, shown: str) -> None:
        found[row[place]].setdefault(reason, f"answer {number[place]}: {shown}")
    for place, harms in harm_words.search(answers, words).items():
        for harm in harms:
            note(place, harm.reason, harm.words)
    kinds = unsafe.kinds_of(answers)
    for place in np.flatnonzero(pc.is_in(kinds, value_set=pa.array(list(_SAME))).to_numpy(zero_copy_only=False)).tolist():
        note(place, _SAME[kinds[place].as_py()], "unsafe words")
    for place, dose in dosing.search(answers, dose_factor).items():
        note(place, "dangerous_dosing", dose)
    return found


def _answers(table: pa.Table) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    """(what the assistant says, the row of each answer, its number there from 1)."""
    messages = table["messages"].combine_chunks()
    said = pc.equal(pc.struct_field(messages.flatten(), "role"), "assistant")
    row = pc.list_parent_indices(messages).filter(said).to_numpy()
    number = np.arange(len(row)) - np.searchsorted(row, row) + 1
    return pc.struct_field(messages.flatten(), "content").filter(said), row, number
