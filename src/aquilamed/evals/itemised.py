"""Replies that judge every option, one after the other: `A错误，…；B正确，…；C错误，…`."""

import re
from collections.abc import Sequence

from aquilamed.models.wording import LETTERS

_HEAD = re.compile(r"(?:^|[\n;。])[\s*•·-]*(?:选项|(?i:option|choice)\s)?\s*\(?(?P<letter>[A-Z])\)?(?![A-Za-z0-9])\s*(?:选?项)?\s*[.,:、-]*\s*")
_WRONG = r"错误?|有误|不(?:正确|对|符合(?:题意)?)|(?i:incorrect|wrong|false|not\s+(?:correct|right))"
_RIGHT = r"正确|对|符合题意|(?i:correct|right|true)"
_JUDGED = re.compile(rf"(?:是|为|is\s+)?(?:(?P<wrong>{_WRONG})|(?P<right>{_RIGHT}))的?(?![A-Za-z\u4e00-\u9fff])")
_AT_END = re.compile(rf"[,:—-]\s*(?:故|所以|因此)?(?:是|为)?(?:(?P<wrong>{_WRONG})|(?P<right>{_RIGHT}))的?[.。;!\s]*$")


def judged(text: str, n_options: int) -> list[bool | None]:
    """For each option whether it is said to be right, None where neither is said; empty where the text does not go through all of them."""
    heads = [match for match in _HEAD.finditer(text) if match["letter"] in LETTERS[:n_options]]
    if [match["letter"] for match in heads] != list(LETTERS[:n_options]):
        return []
    ends = [*(match.start() for match in heads[1:]), len(text)]
    return [_judgement(text[match.end():end].split("\n\n")[0]) for match, end in zip(heads, ends, strict=True)]


def only_right(judged: Sequence[bool | None]) -> int | None:
    """The one option that is right where all others are wrong. Where the wrong one is asked for, all but one are right, so nothing is read."""
    return judged.index(True) if None not in judged and judged.count(True) == 1 and len(judged) > 2 else None


def _judgement(said: str) -> bool | None:
    """Whether an option is said to be right, at the beginning or at the end of what is said of it."""
    found = _JUDGED.match(said) or _AT_END.search(said)
    return bool(found["right"]) if found else None
