"""Turns of a conversation: what they must be, and the declared ways to repair them."""

import itertools
from collections.abc import Sequence
from typing import Literal

ROLES = ("system", "user", "assistant")
Repair = Literal["merge", "drop_leading_assistant", "drop_trailing_user"]
Messages = list[dict[str, str]]


def repaired(messages: Messages, rules: Sequence[Repair]) -> tuple[Messages, tuple[str, ...]]:
    """The turns after `rules`, and those of them that changed something."""
    applied = []
    for name in (name for name in RULES if name in rules):
        changed = RULES[name](messages)
        if changed != messages:
            messages, applied = changed, [*applied, name]
    return messages, tuple(applied)


def trouble(messages: Messages, *, last: str) -> tuple[str, str]:
    """(reason, detail) why `messages` are no conversation that ends with `last`; empty if they are one."""
    roles = [message["role"] for message in messages]
    turns = roles[1:] if roles[:1] == ["system"] else roles
    wanted = list(itertools.islice(itertools.cycle(("user", "assistant")), len(turns)))
    if turns != wanted or not turns or turns[-1] != last:
        return "bad_turns", f"user and assistant must alternate, to the {last} last; found {' '.join(roles) or 'no turns'}"[:300]
    blank = next((number for number, message in enumerate(messages, start=1) if not message["content"].strip()), 0)
    return ("empty", f"turn {blank} ({roles[blank - 1]}) has no text") if blank else ("", "")


def _merge(messages: Messages) -> Messages:
    groups = [list(group) for _, group in itertools.groupby(messages, key=lambda message: message["role"])]
    return [group[0] if len(group) == 1 else _as_one(group) for group in groups]


def _as_one(group: Messages) -> dict[str, str]:
    contents = [message["content"] for message in group if message["content"].strip()]
    return {"role": group[0]["role"], "content": "\n".join(contents)}


def _from_first_question(messages: Messages) -> Messages:
    head = messages[:1] if messages and messages[0]["role"] == "system" else []
    return head + list(itertools.dropwhile(lambda message: message["role"] == "assistant", messages[len(head):]))


def _to_last_answer(messages: Messages) -> Messages:
    end = len(messages)
    while end and messages[end - 1]["role"] == "user":
        end -= 1
    return messages[:end]


RULES = {"merge": _merge, "drop_leading_assistant": _from_first_question, "drop_trailing_user": _to_last_answer}
"""Rule -> what it makes of the turns; applied in this order."""
