"""Raw rows that are conversations: lists of turns, question and answer columns, speaker tags in one text."""

import dataclasses
import functools
import re
from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

from aquilamed.core.config import check
from aquilamed.core.errors import ConfigError
from aquilamed.core.sources import fields, tools
from aquilamed.core.sources.fields import Misfit
from aquilamed.core.sources.outcome import Outcome
from aquilamed.core.sources.turns import ROLES, RULES, Messages, Repair, repaired, trouble


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dialogue:
    """What the three ways of writing a conversation share; declare one of Turns, Pair and Tagged."""

    repair: tuple[Repair, ...] = ()
    """Rules for turns that do not alternate, applied in this order: merge turns of one role by a newline, drop turns of the
    assistant before the first question, drop turns of the user after the last answer. ours: nothing is repaired unasked"""
    meta: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Name in the record's meta -> field."""
    kind: ClassVar[str] = "conversations"

    def __post_init__(self):
        unknown = [rule for rule in self.repair if rule not in RULES]
        check(not unknown, f"repair={unknown}: the rules are {', '.join(RULES)}")
        fields.check_meta(self.meta)

    def read(self, row: Mapping) -> Messages:
        """The turns as they stand in `row`."""
        raise ConfigError("a mapping of conversations must be Turns, Pair or Tagged")

    def repaired(self, row: Mapping) -> tuple[Messages, tuple[str, ...]]:
        """The turns after repair, and the rules that changed them."""
        return repaired(self.read(row), self.repair)

    def outcome(self, row: Mapping) -> Outcome:
        """A conversation that is dropped keeps the turns it came with."""
        messages, applied = self.repaired(row)
        reason, detail = trouble(messages, last="assistant")
        if reason:
            messages, applied = self.read(row), ()
        n_asked = sum(message["role"] == "user" for message in messages)
        record = {"messages": messages, "kind": "multi" if n_asked > 1 else "single", "meta": fields.notes(row, self.meta)}
        return Outcome(record=record, reason=reason, detail=detail, repaired=applied)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Turns(Dialogue):
    """A list of turns, each with a role and a content: SHAREGPT, OPENAI, or other names."""

    messages: str = "conversations"
    """Field of the list."""
    role: str = "from"
    """Field of a turn: who speaks."""
    content: str = "value"
    """Field of a turn: what is said."""
    roles: Mapping[str, str] = dataclasses.field(default_factory=lambda: {"system": "system", "human": "user", "gpt": "assistant"})
    """Who speaks -> system, user or assistant; another speaker is a misfit."""
    drop_roles: tuple[str, ...] = ()
    """Speakers whose turns are left out (`tool`), which counts as a repair; then `merge` is needed as a rule."""
    system: str = ""
    """Field of a system message beside the list; empty: none."""
    on_tools: Literal["refuse", "keep"] = "refuse"
    """Calls of tools and what tools say (OpenAI's `tool_calls`, the speaker `tool`, `tools` beside the list): a misfit unless `drop_roles` leaves them out, or kept as text:
    calls in the assistant's turn, answers in turns of the user, the tools offered in the system's. ours: what is lost unseen would teach answers out of nothing"""

    def __post_init__(self):
        super().__post_init__()
        _check_roles(self.roles)
        check(self.on_tools in ("refuse", "keep"), f"Turns: on_tools={self.on_tools!r}: expected refuse or keep")

    def read(self, row: Mapping) -> Messages:
        found = fields.find(row, self.messages)
        if not isinstance(found, list):
            raise Misfit(f"key {self.messages!r}: expected a list of turns, found {fields.shown(found)}")
        kept = _system(row, self.system)
        before = ""
        for number, turn in enumerate(found, start=1):
            if not isinstance(turn, dict):
                raise Misfit(f"key {self.messages!r}: turn {number}: expected an object, found {fields.shown(turn)}")
            speaker = _at(number, fields.text, turn, self.role)
            if speaker in self.drop_roles:
                continue
            message = self._message(number, speaker, turn)
            if speaker == before == tools.ROLE:
                kept[-1]["content"] += "\n" + message["content"]
            else:
                kept.append(message)
            before = speaker
        return _offering(kept, tools.offered(row)) if self.on_tools == "keep" else kept

    def _message(self, number: int, speaker: str, turn: Mapping) -> dict[str, str]:
        content = _at(number, _parts, turn, self.content)
        if self.on_tools == "keep" and speaker == tools.ROLE:
            return {"role": "user", "content": tools.answered(content)}
        if speaker not in self.roles:
            raise Misfit(f"key {self.messages!r}: turn {number}: speaker {speaker!r} is not declared; add it to roles= or drop_roles=")
        if self.on_tools == "keep":
            content = tools.called(turn, content)
        elif tools.ROLE not in self.drop_roles and tools.calls(turn):
            raise Misfit(f"key {self.messages!r}: turn {number} calls a tool; declare on_tools='keep', or drop_roles=('tool',) to leave calls and answers out")
        return {"role": self.roles[speaker], "content": content}

    def repaired(self, row: Mapping) -> tuple[Messages, tuple[str, ...]]:
        messages, applied = super().repaired(row)
        turns = fields.find(row, self.messages)
        speakers = {fields.text(turn, self.role) for turn in turns}
        as_text = ("tools_as_text",) if self.on_tools == "keep" and (tools.ROLE in speakers or any(map(tools.calls, turns))) else ()
        return messages, (*(f"drop_{role}" for role in self.drop_roles if role in speakers), *as_text, *applied)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pair(Dialogue):
    """Question and answer in fields of their own; as it stands, Alpaca's."""

    prompt: tuple[str, ...] = ("instruction", "input?")
    """Fields of the question, joined by a newline; blank ones are left out."""
    answer: str = "output"
    """Field of the answer; empty: none (the prompt of a preference)."""
    history: str = ""
    """Field of the earlier turns, a list of [question, answer]; empty: none."""
    system: str = ""
    """Field of a system message; empty: none."""
    blank: tuple[str, ...] = ()
    """Values of prompt fields that mean nothing (`无`)."""

    def __post_init__(self):
        super().__post_init__()
        check(isinstance(self.prompt, tuple) and bool(self.prompt), f"Pair: prompt={self.prompt!r}: expected a tuple of fields")

    def read(self, row: Mapping) -> Messages:
        asked = [part for path in self.prompt if (part := fields.text(row, path)).strip() and part.strip() not in self.blank]
        said = [*_earlier(row, self.history), ("user", "\n".join(asked))]
        if self.answer:
            said.append(("assistant", fields.text(row, self.answer)))
        return _system(row, self.system) + [{"role": role, "content": content} for role, content in said]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tagged(Dialogue):
    """A conversation in one text, each turn begun by a tag that names the speaker."""

    text: str = "dialogue"
    """Field of the text."""
    tags: Mapping[str, str] = dataclasses.field(default_factory=lambda: {"Doctor:": "assistant", "Patient:": "user"})
    """Tag as it stands in the text -> system, user or assistant."""
    at: Literal["line", "anywhere"] = "line"
    """Where a tag counts: at the beginning of a line, or anywhere."""
    shape: str = r"\[\w+\]|<\w+>:?|\w{1,20}[:：]"
    """Regular expression of what looks like a tag: one that is not in `tags` makes the row a misfit, so that no speaker is
    lost in another's words; empty: everything else is text."""
    answer: str = ""
    """Field of a last answer beside the text; empty: none."""
    inside: tuple[str, str] = ("", "")
    """What stands before the conversation and what behind, where the field holds more than it: only what lies between is read; a row without them is a misfit."""

    def __post_init__(self):
        super().__post_init__()
        _check_roles(self.tags)
        check(len(self.inside) == 2, f"Tagged: inside={self.inside!r}: expected two texts")
        check(bool(self.tags), "Tagged: tags= is empty")
        try:
            re.compile(self.shape)
        except re.error as error:
            raise ConfigError(f"Tagged: shape={self.shape!r} is no regular expression: {error}") from error

    def read(self, row: Mapping) -> Messages:
        text = self._between(fields.text(row, self.text))
        found = list(_splitter(tuple(self.tags), self.shape, self.at).finditer(text))
        unknown = next((match["tag"] for match in found if match["tag"] not in self.tags), "")
        if unknown:
            raise Misfit(f"key {self.text!r}: {unknown!r} looks like a speaker's tag; add it to tags=, or declare shape='' if it is text")
        before = text[: found[0].start()] if found else text
        if before.strip():
            raise Misfit(f"key {self.text!r}: {fields.shown(before.strip())} stands before the first tag; is a tag missing in tags=?")
        ends = [*(match.start() for match in found[1:]), len(text)]
        said = [(self.tags[match["tag"]], text[match.end():end].strip()) for match, end in zip(found, ends, strict=False)]
        if self.answer:
            said.append(("assistant", fields.text(row, self.answer)))
        return [{"role": role, "content": content} for role, content in said]

    def _between(self, text: str) -> str:
        begin, end = self.inside
        at = text.find(begin) + len(begin)
        to = text.rfind(end) if end else len(text)
        if begin not in text or to < at:
            raise Misfit(f"key {self.text!r}: {begin!r} and, behind it, {end!r} don't stand in it; mend inside=")
        return text[at:to]


def _earlier(row: Mapping, path: str) -> list[tuple[str, str]]:
    turns = (fields.find(row, path) or []) if path else []
    if not isinstance(turns, list) or any(not isinstance(turn, list) or len(turn) != 2 for turn in turns):
        raise Misfit(f"key {path!r}: expected a list of [question, answer], found {fields.shown(turns)}")
    said = [pair for turn in turns for pair in zip(("user", "assistant"), turn, strict=True)]
    for _, content in said:
        if not isinstance(content, str):
            raise Misfit(f"key {path!r}: expected texts, found {fields.shown(content)}")
    return said


def _at(number: int, get: Callable[[Mapping, str], str], turn: Mapping, path: str) -> str:
    """`get(turn, path)`; a misfit names the turn."""
    try:
        return get(turn, path)
    except Misfit as error:
        raise Misfit(f"turn {number}: {error}") from error


def _parts(turn: Mapping, path: str) -> str:
    """The text at `path`, or of OpenAI's parts there (`[{"type": "text", "text": ...}]`), joined by newlines."""
    found = fields.find(turn, path)
    if not isinstance(found, list):
        return fields.text(turn, path)
    for part in found:
        if not isinstance(part, dict) or not isinstance(part.get("text"), str):
            raise Misfit(f"key {path!r}: expected parts of text, found {fields.shown(part)}")
    return "\n".join(part["text"] for part in found)


def _offering(messages: Messages, offered: str) -> Messages:
    """`messages` with the tools offered at the end of the system's turn, which is made where there is none."""
    if not offered:
        return messages
    head, rest = (messages[:1], messages[1:]) if messages and messages[0]["role"] == "system" else ([], messages)
    return [{"role": "system", "content": "\n\n".join([*(message["content"] for message in head), offered])}, *rest]


def _system(row: Mapping, path: str) -> Messages:
    content = fields.text(row, path) if path else ""
    return [{"role": "system", "content": content}] if content.strip() else []


def _check_roles(roles: Mapping[str, str]) -> None:
    wrong = sorted(set(roles.values()) - set(ROLES))
    check(not wrong, f"role {', '.join(map(repr, wrong))}: expected {', '.join(ROLES)}")


@functools.lru_cache(maxsize=64)
def _splitter(tags: tuple[str, ...], shape: str, at: str) -> re.Pattern:
    known = "|".join(re.escape(tag) for tag in sorted(tags, key=len, reverse=True))
    either = f"(?P<tag>{known}|{shape})" if shape else f"(?P<tag>{known})"
    return re.compile(rf"(?m)^[ \t\u3000]*{either}" if at == "line" else either)


SHAREGPT = Turns()
"""conversations / from / value; human and gpt."""
OPENAI = Turns(messages="messages", role="role", content="content", roles={role: role for role in ROLES})
"""messages / role / content; tools are a misfit unless `drop_roles=("tool",)` or `on_tools="keep"`."""
