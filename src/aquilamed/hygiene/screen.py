"""Drops what is unsafe, and drops, masks or reports what identifies a person. paper 2.1.1, 2.2.1"""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.core import records, tables
from aquilamed.core.config import check, nearest
from aquilamed.core.counts import Counts
from aquilamed.core.near import nearest as nearest_rows
from aquilamed.hygiene import identifiers, unsafe
from aquilamed.hygiene.identifiers import KINDS
from aquilamed.hygiene.texts import texts_of, with_words

VERSION = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """What happens to unsafe and to identifying records."""

    kind: Literal["documents", "conversations", "preferences"] = "documents"
    """Record kind; all words of a record are looked at."""
    unsafe: Literal["drop", "report"] = "drop"
    """`drop`: reason `unsafe`, detail the kind of words; `report`: kept, with the kind in `meta["unsafe"]`. paper 2.1.1"""
    identifiers: Literal["drop", "mask", "report"] = "drop"
    """`drop`: reason `identifier`, detail the kinds; `mask`: replaced by surrogates such as [姓名1] or [PHONE_1], the id made anew;
    `report`: kept. The last two write the kinds to `meta["identifiers"]`. paper 2.1.1 drops"""
    kinds: tuple[str, ...] = KINDS
    """Kinds of identifier that count, of `hygiene.identifiers.KINDS`. ours: all; what is personal only in a patient's record (dates, ages over 89, URLs,
    streets) is looked for there alone, so textbooks and web pages keep theirs"""
    records: Literal["found", "all"] = "found"
    """Which texts are patients' records: those that look like one (`hygiene.charts`), or `all`: for a hospital's own notes, where nothing else is read.
    ours"""

    lexicon: Path = Path("")
    """A lexicon of unsafe words to use in place of ours (the form: `hygiene.unsafe.LEXICON`); empty: ours."""

    def __post_init__(self):
        check_kinds("screen", self.kinds)


def check_kinds(stage: str, kinds: tuple[str, ...]) -> None:
    """Raises ConfigError for what is no kind of identifier, with the nearest name."""
    for kind in kinds:
        check(kind in KINDS, f"{stage}: kinds: {kind!r} is no kind of identifier{nearest(kind, KINDS)}")


def files(config: Config) -> list[Path]:
    """The lexicon: another one makes another output."""
    return [unsafe.chosen(config.lexicon)]


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Sift `inputs[config.kind]`; notes count the identifiers that were masked or reported, by kind."""
    look = Look(config.kinds, config.records == "all", unsafe.chosen(config.lexicon))
    unsafe.load(look.lexicon)

    def sieve(table: pa.Table) -> tuple[pa.Table, pa.Table, Counter, pa.Table]:
        found = inspect(config.kind, table, look)
        rules, details = found.rules(config.unsafe, config.identifiers)
        kept, dropped = tables.sift(table, rules, details)
        kept, counted = found.settle(config.kind, kept, config.identifiers)
        would = {"unsafe": pc.is_valid(found.unsafe), "identifier": pc.is_valid(found.identifiers)}
        return kept, dropped, counted, nearest_rows(table, would, found.nearness, found.nearly)
    return tables.sift_all(engine, inputs[config.kind], config.kind, sieve, out)


class Look(NamedTuple):
    """What is looked for."""

    kinds: tuple[str, ...] = KINDS
    """Kinds of identifier."""
    are_records: bool = False
    """Whether every row is taken for a patient's record."""
    lexicon: Path = unsafe.LEXICON


@dataclasses.dataclass(frozen=True)
class Inspection:
    """What was found in the rows of one table."""

    ids: pa.Array
    unsafe: pa.Array
    """Kind of unsafe words, or null."""
    identifiers: pa.Array
    """Kinds of identifiers joined by a comma, or null."""
    nearness: dict[str, np.ndarray]
    """`unsafe`: the share of what is needed that is there; `identifier`: 1 where something has the form of one but fails its check."""
    nearly: dict[str, pa.Array]
    """The same keys -> the kinds of that."""
    look: Look

    def rules(self, on_unsafe: str, on_identifiers: str) -> tuple[dict, dict]:
        """(rules, details) for `tables.sift`; only kinds are ever written, never what was found."""
        rules, details = {}, {}
        if on_unsafe == "drop":
            rules["unsafe"], details["unsafe"] = pc.is_valid(self.unsafe), self.unsafe
        if on_identifiers == "drop":
            rules["identifier"], details["identifier"] = pc.is_valid(self.identifiers), self.identifiers
        return rules, details

    def settle(self, kind: str, kept: pa.Table, on_identifiers: str) -> tuple[pa.Table, Counter]:
        """`kept` with its findings marked in `meta` and, where so wished, its identifiers masked; and their number by kind."""
        marks = {row_id: (word, who) for row_id, word, who in
                 zip(self.ids.to_pylist(), self.unsafe.to_pylist(), self.identifiers.to_pylist(), strict=True) if word or who}
        touched = pc.is_in(kept["id"], value_set=pa.array(list(marks), pa.string()))
        if not pc.any(touched).as_py():
            return kept, Counter()
        counted: Counter = Counter()
        changed = [self._settled(kind, row, marks[row["id"]], on_identifiers, counted) for row in tables.to_rows(kept.filter(touched))]
        places = pc.if_else(touched, pc.subtract(pc.cumulative_sum(touched.cast(pa.int64())), 1), None)
        rest = pc.add(pc.subtract(pc.cumulative_sum(pc.invert(touched).cast(pa.int64())), 1), len(changed))
        both = pa.concat_tables([tables.from_rows(kind, changed), kept.filter(pc.invert(touched)).select(records.SCHEMAS[kind].names)])
        return both.take(pc.coalesce(places, rest)), counted

    def _settled(self, kind: str, row: dict, mark: tuple[str | None, str | None], on_identifiers: str, counted: Counter) -> dict:
        word, who = mark
        found = {key: value for key, value in (("unsafe", word), ("identifiers", who)) if value}
        row = {**row, "meta": {**row["meta"], **found}}
        masked, numbers = identifiers.mask(records.words_of(kind, row), row["lang"], self.look.kinds, is_record=self.look.are_records)
        counted.update({f"identifiers_{name}": n for name, n in numbers.items()})
        return with_words(kind, row, masked) if who and on_identifiers == "mask" else row


def inspect(kind: str, table: pa.Table, look: Look = Look()) -> Inspection:
    """The unsafe words and the identifiers in every row of `table`."""
    words = texts_of(kind, table)
    word, share, nearly = unsafe.inspect(words, look.lexicon)
    who, failed = identifiers.inspect(words, look.kinds, is_record=look.are_records)
    has_failed = pc.is_valid(failed).to_numpy(zero_copy_only=False).astype(float)
    return Inspection(ids=table["id"].combine_chunks(), unsafe=word, identifiers=who, nearness={"unsafe": share, "identifier": has_failed},
                      nearly={"unsafe": nearly, "identifier": failed}, look=look)
