"""Raw rows that are multiple-choice questions."""

import dataclasses
import functools
import json
import re
import string
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from aquilamed.core.config import check
from aquilamed.core.errors import RecordError
from aquilamed.core.sources import fields, remote
from aquilamed.core.sources.fields import Misfit
from aquilamed.core.sources.outcome import Outcome

_LABEL = re.compile(r"\s*[（(]?([A-Za-zＡ-Ｚａ-ｚ])(?:[)）][\s.．、:：]*|[\s.．、:：]+)")
_WIDE = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
_BETWEEN = str.maketrans("", "", " \t,，、;；/")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Questions:
    """A row is a question with options and the indices of the right ones."""

    stem: str = "question"
    """Field of the question."""
    options: tuple[str, ...] = ("options",)
    """One field that holds a list, an object (label -> option) or, with `separator`, one text; or a field for each option
    (blank ones at any place are left out); or fixed words: `("=yes", "=no", "=maybe")`."""
    option_text: str = ""
    """Where the list holds objects: their field of the text."""
    option_label: str = ""
    """Where the list holds objects: their field of the label; empty: A, B, C, ..."""
    separator: str = ""
    """What stands between options in one text; may be more than one character."""
    labelled: bool = False
    """Whether each option begins with its own letter (`A 原发病`, `B. ...`, `（Ｃ）...`), which is then taken off and believed."""
    answer: str = "answer"
    """Field of the right options."""
    answer_as: Literal["letters", "label", "index0", "index1", "text"] = "letters"
    """How they are written: letters (`B`, `ABD`, `A、C`, a list), one whole label, counted from 0 or 1, or an option's text."""
    context: tuple[str, ...] = ()
    """Fields of what must be read first, joined by newlines."""
    subject: str = ""
    """Field of the subject; empty: none."""
    subject_end: str = ""
    """An ending that is taken off the subject: `_test` of a file's name."""
    answers_in: str | Path = ""
    """A JSON file or address where the publisher keeps the answers apart: a list of objects with `answer` and `answers_by`; empty: none."""
    answers_by: str = "id"
    """Field, in the row and in that file, by which a row finds its answer."""
    meta: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Name in the record's meta -> field."""
    kind: ClassVar[str] = "questions"

    def __post_init__(self):
        for name in ("options", "context"):
            check(isinstance(getattr(self, name), tuple), f"Questions: {name}={getattr(self, name)!r}: expected a tuple of fields")
        check(bool(self.options), "Questions: options= is empty")
        fields.check_meta(self.meta)

    def outcome(self, row: Mapping) -> Outcome:
        row = self._answered(row)
        options = [(name, option) for name, option in self._named(self._listed(row)) if option.strip()]
        if len(options) > len(string.ascii_uppercase):
            raise Misfit(f"{len(options)} options; more than 26 can't be lettered")
        stem, answers = fields.text(row, self.stem), self._answers(fields.find(row, self.answer), [name for name, _ in options])
        record = {
            "stem": stem, "options": [option for _, option in options], "answers": answers,
            "context": fields.joined(row, self.context, "\n"), "subject": fields.text(row, self.subject).removesuffix(self.subject_end) if self.subject else "",
            "meta": fields.notes(row, self.meta),
        }
        lacking = [name for name, there in (("stem", stem.strip()), ("answer", answers), ("options", len(options) > 1)) if not there]
        return Outcome(record=record, reason="empty" if lacking else "", detail=f"no {', '.join(lacking)}" if lacking else "")

    def _answered(self, row: Mapping) -> Mapping:
        """The row with its answer from the file beside it, if there is one."""
        if not self.answers_in:
            return row
        key, known = fields.plain(fields.find(row, self.answers_by)), _answers_of(str(self.answers_in), self.answers_by, self.answer)
        if key not in known:
            raise Misfit(f"key {self.answers_by!r}: {key!r} has no answer in {self.answers_in}; is it of the same release?")
        return {**row, self.answer: known[key]}

    def _listed(self, row: Mapping) -> list[tuple[str, str]]:
        if len(self.options) > 1:
            return _lettered([fields.text(row, path) for path in self.options])
        value = fields.find(row, self.options[0])
        if isinstance(value, str) and self.separator:
            value = value.split(self.separator)
        if isinstance(value, dict):
            return [(label, fields.text({label: option}, label)) for label, option in value.items()]
        if not isinstance(value, list):
            raise Misfit(f"key {self.options[0]!r}: expected a list or an object of options, found {fields.shown(value)}")
        if self.option_text:
            return self._objects(value)
        texts = [fields.text({"option": item}, "option") for item in value]
        return [_own_label(item) for item in texts] if self.labelled else _lettered(texts)

    def _objects(self, items: list) -> list[tuple[str, str]]:
        for item in items:
            if not isinstance(item, dict):
                raise Misfit(f"key {self.options[0]!r}: expected objects, found {fields.shown(item)} in it")
        texts = [fields.text(item, self.option_text) for item in items]
        if not self.option_label:
            return _lettered(texts)
        return [(fields.plain(fields.find(item, self.option_label)), text) for item, text in zip(items, texts, strict=True)]

    def _named(self, options: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """(what an answer calls it, option)."""
        if self.answer_as in ("index0", "index1"):
            return [(str(number), option) for number, (_, option) in enumerate(options, start=int(self.answer_as[-1]))]
        if self.answer_as == "text":
            return [(option.strip(), option) for _, option in options]
        return [(label.upper() if self.answer_as == "letters" else label, option) for label, option in options]

    def _answers(self, given: object, names: list[str]) -> list[int]:
        """Sorted indices of the options that `given` names; empty where nothing is given."""
        words = [word for item in (given if isinstance(given, list) else [given]) if (word := fields.plain(item).strip())]
        if self.answer_as == "letters":
            words = [letter for word in words for letter in word.translate(_WIDE).translate(_BETWEEN).upper()]
        for word in words:
            if names.count(word) != 1:
                raise Misfit(f"key {self.answer!r}: {fields.shown(given)} names {'two options' if word in names else 'no option'}; "
                             f"there are: {', '.join(names)[:200]}")
        return sorted({names.index(word) for word in words})


@functools.lru_cache(maxsize=4)
def _answers_of(path: str, key: str, answer: str) -> Mapping[str, object]:
    """Key -> answer of a JSON list of objects."""
    try:
        text = remote.read(path) if remote.is_remote(path) else Path(path).read_bytes()
        return {fields.plain(row[key]): row[answer] for row in json.loads(text)}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RecordError(f"{path}: not a JSON list of objects with {key!r} and {answer!r} ({error!r}); it should hold the answers of a source") from error


def _lettered(options: list[str]) -> list[tuple[str, str]]:
    return list(zip([*string.ascii_uppercase, *map(str, range(27, len(options) + 1))], options, strict=False))


def _own_label(option: str) -> tuple[str, str]:
    match = _LABEL.match(option)
    if not match:
        raise Misfit(f"option {fields.shown(option)} does not begin with its letter; mend it or declare labelled=False")
    return match[1].translate(_WIDE).upper(), option[match.end():]
