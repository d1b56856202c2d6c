"""Tools in a conversation as text, in the tags that most chat templates of open models use, so that no role beyond ours is needed."""

import json
from collections.abc import Mapping

from aquilamed.core.sources import fields
from aquilamed.core.sources.fields import Misfit

ROLE, CALLS, OFFERED = "tool", "tool_calls", "tools"
"""The speaker, the field of a turn and the field beside the turns that OpenAI's format has for tools."""


def calls(turn: Mapping) -> list:
    """What a turn calls; empty where it calls nothing."""
    found = turn.get(CALLS) or []
    if not isinstance(found, list):
        raise Misfit(f"key {CALLS!r}: expected a list of calls, found {fields.shown(found)}")
    return found


def called(turn: Mapping, content: str) -> str:
    """The turn's content and what it calls behind it."""
    return "\n".join([*([content] if content.strip() else []), *(f"<tool_call>\n{_spelled(_call(one))}\n</tool_call>" for one in calls(turn))])


def answered(content: str) -> str:
    """What a tool said, for a turn of the user."""
    return f"<tool_response>\n{content}\n</tool_response>"


def offered(row: Mapping) -> str:
    """The tools that the row offers, for the system's turn; empty where there are none."""
    found = row.get(OFFERED) or []
    if not isinstance(found, list):
        raise Misfit(f"key {OFFERED!r}: expected a list of tools, found {fields.shown(found)}")
    return "\n".join(["<tools>", *map(_spelled, found), "</tools>"]) if found else ""


def _call(one: object) -> dict:
    function = one.get("function") if isinstance(one, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise Misfit(f"key {CALLS!r}: expected objects with a function and its name, found {fields.shown(one)}")
    arguments = function.get("arguments", {})
    try:
        arguments = json.loads(arguments) if isinstance(arguments, str) else arguments
    except ValueError:
        pass        # a model's own slip in its JSON stays as it is written
    return {"name": function["name"], "arguments": arguments}


def _spelled(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
