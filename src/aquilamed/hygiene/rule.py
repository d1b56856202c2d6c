"""How an identifier is recognised: a pattern whose group 1 is the value, a check, and where it may be looked for."""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

HAN = r"[\u3400-\u4dbf\u4e00-\u9fff]"
NOT_IN_WORD = r"(?<![0-9A-Za-z])"
"""Before a Latin word or a number; a Han character may stand there."""


class Rule(NamedTuple):
    """One way to find one kind."""

    kind: str
    pattern: re.Pattern
    """On the narrowed text (`core.text.narrow`)."""
    holds: Callable[[str], bool]
    scope: Literal["any", "record"]
    """`any`: whatever text it stands in; `record`: only near the signs of a patient's record (`hygiene.charts`)."""
    han: bool
    """Whether no text without a Han character matches: spares English notes the search."""
    gate: str
    """RE2 pattern that matches, on the folded text, wherever `pattern` does on the text."""


def rule(kind: str, core: str, *, before: str = "", after: str = "", end: str = "", holds: Callable[[str], bool] | None = None,
         scope: Literal["any", "record"] = "any", han: bool = False, flags: int = re.IGNORECASE) -> Rule:
    """A rule from a `core` between `before` and `after`, or an `end` that follows but is not taken.

    The gate searches for `core` and `end`, so neither may look around; a rule of scope `record` needs no gate and is free of that.
    """
    whole = before + core + after + (f"(?=(?:{end}))" if end else "")
    gate = re.sub(r"\\[uU]([0-9a-f]{8}|[0-9a-f]{4})", r"\\x{\1}", core + (f"(?:{end})" if end else ""))
    return Rule(kind, re.compile(whole, flags), holds or _always, scope, han, gate)


def n_digits(text: str) -> int:
    return sum(char.isdigit() for char in text)


def _always(_: str) -> bool:
    return True
