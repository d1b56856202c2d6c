"""Raw rows that are cases: a conversation that a model goes on with, and what its answer is held against.

A case is a record of the kind `conversations`. Its last message is the reference answer, and has no text where there is none. `meta` says how answers are judged.
"""

import dataclasses
import json
from collections.abc import Mapping
from typing import Literal

from aquilamed.core.config import check
from aquilamed.core.sources import fields
from aquilamed.core.sources.conversations import OPENAI, Dialogue
from aquilamed.core.sources.fields import Misfit
from aquilamed.core.sources.outcome import Outcome
from aquilamed.core.sources.turns import Messages, trouble

PAIRWISE, GRADES, RUBRIC = "pairwise", "grades", "rubric"
THEME = "theme:"
"""How the tag begins that names a case's subject, as in HealthBench."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case(Dialogue):
    """A row is a case. Declare its turns by another mapping, to the user's last words or with the answers."""

    judged: Literal["pairwise", "grades", "rubric"]
    """`pairwise`: against the reference and `others`, in both orders; `grades`: 1..5 on four aspects; `rubric`: by `criteria`, each met or not. paper 3.2"""
    turns: Dialogue = OPENAI
    """How the conversation is written."""
    reference: str = ""
    """Field of the reference answer, where `turns` end with the user; empty: none."""
    every_turn: bool = False
    """Whether each answer of the conversation is asked for, after the real turns before it, or only the last. paper 3.2"""
    others: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Name of another model -> field of its answer, for `pairwise`. paper 3.2: GPT-3.5's"""
    criteria: str = ""
    """Field of a list of objects with `criterion`, `points` (not 0; below 0 for what an answer must not do) and `tags`, for `rubric`."""
    tags: str = ""
    """Field of a list of tags; the one that begins with `theme:` is the subject. Empty: none."""
    subject: str = ""
    """Field of the subject; empty: from `tags`."""
    rule: str = ""
    """Field of the name of a rule that reads an answer without a judge; empty: none."""

    def __post_init__(self):
        super().__post_init__()
        taken = sorted({"judged", "every_turn", "subject", "rule", "criteria", "tags", "others", "scored"} & set(self.meta))
        check(not taken, f"Case: meta: {', '.join(taken)} is written by the import itself; choose another name")
        check(self.judged in (PAIRWISE, GRADES, RUBRIC), f"Case: judged={self.judged!r}: expected pairwise, grades or rubric")
        check((self.judged == RUBRIC) == bool(self.criteria), f"Case: judged={self.judged!r}, criteria={self.criteria!r}: a rubric needs the field of its criteria, and nothing else has one")
        check(not self.others or self.judged == PAIRWISE, f"Case: others= are compared with, but judged={self.judged!r}")

    def read(self, row: Mapping) -> Messages:
        messages = self.turns.repaired(row)[0]
        if messages and messages[-1]["role"] == "assistant" and not self.reference:
            return messages
        return [*messages, {"role": "assistant", "content": fields.text(row, self.reference) if self.reference else ""}]

    def outcome(self, row: Mapping) -> Outcome:
        messages, applied = self.repaired(row)
        criteria = _criteria(row, self.criteria) if self.criteria else []
        tags = _texts(fields.find(row, self.tags), self.tags) if self.tags else []
        subject = fields.text(row, self.subject) if self.subject else next((tag.removeprefix(THEME) for tag in tags if tag.startswith(THEME)), "")
        others = {name: text for name, path in self.others.items() if (text := fields.text(row, path)).strip()}
        told = {"judged": self.judged, "every_turn": "1" if self.every_turn else "", "subject": subject, "rule": fields.text(row, self.rule) if self.rule else "",
                "criteria": _spelled(criteria), "tags": _spelled(tags), "others": _spelled(others)}
        record = {"messages": messages, "kind": "multi" if sum(message["role"] == "user" for message in messages) > 1 else "single",
                  "meta": {**fields.notes(row, self.meta), **{key: value for key, value in told.items() if value}}}
        reason, detail = self._trouble(messages, criteria)
        return Outcome(record=record, reason=reason, detail=detail, repaired=() if reason else applied)

    def _trouble(self, messages: Messages, criteria: list[dict]) -> tuple[str, str]:
        """Why nobody can be asked; a reference may be absent, unless answers are compared with it."""
        if not messages[-1]["content"].strip() and self.judged != PAIRWISE and not self.every_turn:
            reason, detail = trouble(messages[:-1], last="user")
        else:
            reason, detail = trouble(messages, last="assistant")
        if not reason and self.criteria and not any(one["points"] > 0 for one in criteria):
            return "no_points", "no criterion earns points"
        return reason, detail


@dataclasses.dataclass(frozen=True, kw_only=True)
class Questioned(Dialogue):
    """A text, then questions about it with their answers, as CMB-Clin's cases are written: the first question follows the text in one turn."""

    opening: tuple[str, ...] = ("description",)
    """Fields of the text, joined by newlines."""
    pairs: str = "QA_pairs"
    """Field of a list of objects."""
    question: str = "question"
    """Field of a pair."""
    answer: str = "solution"
    """Field of a pair."""

    def read(self, row: Mapping) -> Messages:
        found = fields.find(row, self.pairs)
        if not isinstance(found, list) or not all(isinstance(pair, dict) for pair in found):
            raise Misfit(f"key {self.pairs!r}: expected a list of objects, found {fields.shown(found)}")
        said = [(role, fields.text(pair, path)) for pair in found for role, path in (("user", self.question), ("assistant", self.answer))]
        messages = [{"role": role, "content": content} for role, content in said]
        if messages:
            messages[0]["content"] = f"{fields.joined(row, self.opening, chr(10))}\n\n{messages[0]['content']}"
        return messages


def criteria_of(case: dict) -> list[dict]:
    """The criteria of a record, each with `criterion`, `points` and `tags`."""
    return json.loads(case["meta"].get("criteria", "[]"))


def others_of(case: dict) -> dict[str, str]:
    """The answers of other models, by their names."""
    return json.loads(case["meta"].get("others", "{}"))


def _criteria(row: Mapping, path: str) -> list[dict]:
    found = fields.find(row, path)
    if not isinstance(found, list):
        raise Misfit(f"key {path!r}: expected a list of criteria, found {fields.shown(found)}")
    return [_criterion(item, path) for item in found]


def _criterion(item: object, path: str) -> dict:
    points = item.get("points") if isinstance(item, dict) else None
    if not isinstance(points, int | float) or isinstance(points, bool) or not points:
        raise Misfit(f"key {path!r}: expected objects with points other than 0, found {fields.shown(item)}")
    text = fields.text(item, "criterion")
    if not text.strip():
        raise Misfit(f"key {path!r}: a criterion has no text")
    return {"criterion": text, "points": points, "tags": _texts(fields.find(item, "tags?"), "tags")}


def _texts(value: object, path: str) -> list[str]:
    found = [] if value is None else value
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise Misfit(f"key {path!r}: expected a list of texts, found {fields.shown(found)}")
    return found


def _spelled(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if value else ""
