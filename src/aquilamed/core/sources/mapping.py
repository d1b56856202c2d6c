"""What the fields of a raw row mean: declared in the recipe, never guessed."""

import dataclasses
import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from aquilamed.core.config import NEUTRAL, check
from aquilamed.core.errors import RecordError
from aquilamed.core.sources import fields
from aquilamed.core.sources.conversations import SHAREGPT, Dialogue
from aquilamed.core.sources.files import Reading
from aquilamed.core.sources.outcome import Outcome
from aquilamed.core.sources.questions import Questions
from aquilamed.core.sources.turns import trouble


@dataclasses.dataclass(frozen=True, kw_only=True)
class Documents:
    """A row is a text."""

    text: tuple[str, ...] = ("text",)
    """Fields that make up the text; blank ones are left out."""
    title: str = ""
    """A field put before the text; empty: none."""
    joiner: str = "\n\n"
    """What stands between title and fields."""
    meta: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Name in the record's meta -> field: `{"label": "category"}`."""
    kind: ClassVar[str] = "documents"

    def __post_init__(self):
        check(isinstance(self.text, tuple) and bool(self.text), f"Documents: text={self.text!r}: expected a tuple of fields")
        fields.check_meta(self.meta)

    def outcome(self, row: Mapping) -> Outcome:
        body = fields.joined(row, self.text, self.joiner)
        title = (self.title,) if self.title and body else ()
        whole = self.joiner.join(filter(None, (fields.joined(row, title, ""), body)))
        record = {"text": whole, "meta": fields.notes(row, self.meta)}
        return Outcome(record=record) if body else Outcome(record=record, reason="empty", detail="no text")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preferences:
    """A row is a prompt with a better and a worse answer."""

    prompt: Dialogue = SHAREGPT
    """How the prompt's turns are written; `Pair(prompt=("prompt",), answer="")` where it is a field of its own."""
    chosen: str = "chosen"
    """Field of the better answer: `chosen`, `chosen.value`, `chosen[-1].content`."""
    rejected: str = "rejected"
    """Field of the worse answer."""
    label: Literal["subjective", "objective", "vote"] = "subjective"
    """Kind of the pairs."""
    meta: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Name in the record's meta -> field."""
    kind: ClassVar[str] = "preferences"

    def __post_init__(self):
        fields.check_meta(self.meta)

    def outcome(self, row: Mapping) -> Outcome:
        prompt, repaired = self.prompt.repaired(row)
        chosen, rejected = fields.text(row, self.chosen), fields.text(row, self.rejected)
        record = {"prompt": prompt, "chosen": chosen, "rejected": rejected, "kind": self.label, "meta": fields.notes(row, self.meta)}
        reason, detail = trouble(prompt, last="user")
        if not reason and not (chosen.strip() and rejected.strip()):
            reason, detail = "empty", "no rejected answer" if chosen.strip() else "no chosen answer"
        if not reason and chosen.strip() == rejected.strip():
            reason, detail = "equal", "chosen and rejected are the same"
        return Outcome(record=record, reason=reason, detail=detail, repaired=() if reason else repaired)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Skip:
    """Rows to leave out: those whose field holds one of `when`, or none of `unless`; dropped as `skipped:<why>`."""

    why: str
    """One word for the reason."""
    field: str
    """Field looked at; null is the empty text."""
    when: tuple[str, ...] = ()
    """Left out if it is one of these."""
    unless: tuple[str, ...] = ()
    """Left out if it is none of these."""
    when_in: str | Path = ""
    """Left out if it is a key of the object (or an item of the list) in this JSON file."""
    unless_in: str | Path = ""
    """Left out if it is not one."""

    def __post_init__(self):
        given = [bool(value) for value in (self.when, self.unless, self.when_in, self.unless_in)]
        check(sum(given) == 1, f"Skip {self.why!r}: give one of when=, unless=, when_in= and unless_in=")
        for values in (self.when, self.unless):
            check(isinstance(values, tuple), f"Skip {self.why!r}: {values!r}: expected a tuple of values")

    @property
    def listing(self) -> Path | None:
        """The file that lists the values, if one does."""
        return Path(self.when_in or self.unless_in) if self.when_in or self.unless_in else None

    def detail(self, row: Mapping) -> str:
        """Why the row is left out; empty if it is not."""
        value = fields.plain(fields.find(row, self.field))
        listed = value in (_listed(self.listing) if self.listing else self.when or self.unless)
        hit = listed == bool(self.when or self.when_in)
        return f"{self.field} = {fields.shown(value)}" if hit else ""


@functools.lru_cache(maxsize=8)
def _listed(path: Path) -> frozenset[str]:
    try:
        return frozenset(map(str, json.loads(path.read_text(encoding="utf-8"))))
    except ValueError as error:
        raise RecordError(f"{path}: not a JSON object or list ({error}); it should list the rows to take or leave") from error


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source(Reading):
    """One set of files that share a shape, a meaning and a licence."""

    name: str
    """Unique in the step; each record's `source`."""
    path: str | Path
    """A file, a folder, a pattern, a hub id, or `step:INPUT/PATH` for a file that an earlier step wrote."""
    mapping: Documents | Dialogue | Preferences | Questions
    """What the fields mean."""
    license: str
    """SPDX, `LicenseRef-...`, or `unknown`, which cards name first."""
    lang: Literal["", "zh", "en", "mixed", "other"] = ""
    """Language of every record; empty: found by script, record by record."""
    skip: tuple[Skip, ...] = ()
    """Rows left out on purpose."""
    expected: int = dataclasses.field(default=0, metadata=NEUTRAL)
    """Rows that the publisher says there are; 0: not stated. Not compared where documents are cut (`max_chars`)."""
    differs: Literal["warn", "stop"] = dataclasses.field(default="warn", metadata=NEUTRAL)
    """What another number of rows does: `warn` in the step's notes, or `stop` before anything is written."""

    def __post_init__(self):
        super().__post_init__()
        check(self.expected >= 0 and self.differs in ("warn", "stop"),
              f"source {self.name!r}: expected={self.expected}, differs={self.differs!r}: expected 0 or more, and warn or stop")
        check(bool(self.name) and bool(self.license), f"source {self.name!r}: name and license can't be empty; write 'unknown' if it is")
        check(self.lang in ("", "zh", "en", "mixed", "other"), f"source {self.name!r}: lang={self.lang!r}: expected zh, en, mixed, other or empty")
        check(isinstance(self.skip, tuple), f"source {self.name!r}: skip={self.skip!r}: expected a tuple of Skip")
        check(isinstance(self.mapping, Documents | Dialogue | Preferences | Questions),
              f"source {self.name!r}: mapping={self.mapping!r}: expected Documents, Turns, Pair, Tagged, Preferences or Questions")
