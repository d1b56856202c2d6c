"""A conversation's turns as they are scored: what was asked, what was answered, in which language."""

Turn = tuple[str, str, str]
"""(question, answer, language of the conversation)."""
Rating = tuple[float, float] | str
"""(complexity, quality), each 1..6, or why there is none."""
NONE = "-"
"""Stands in `meta["turn_scores"]` for a turn without a score."""


def turns_of(row: dict) -> list[Turn]:
    """The turns of a conversation; a message of the user that nobody answers is none."""
    messages = row["messages"]
    return [(asked["content"], said["content"], row["lang"]) for asked, said in zip(messages, messages[1:], strict=False) if (asked["role"], said["role"]) == ("user", "assistant")]


def written(found: list[Rating]) -> str:
    """`3.12*4.5 -`: complexity times quality of each turn, in order."""
    return " ".join(NONE if isinstance(one, str) else f"{one[0]:.3f}*{one[1]:.3f}" for one in found)
