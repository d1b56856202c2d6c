"""Reading which options a free-text reply settles on, in Chinese and English; never a guess."""

import re
from collections.abc import Iterable, Sequence

from aquilamed.evals import itemised, said
from aquilamed.evals.said import Said
from aquilamed.evals.visible import visible
from aquilamed.models.wording import LETTERS

_ALONE = re.compile(rf"^[\W_]*(?i:选项|option|choice)?\s*\(?(?P<set>{said.SET})\)?\s*(?:选?项)?[\s.。,!)\]}}>;:'、]*$")
_CLAUSE = re.compile(r"[^,，;；.。!！?？\n]*$")
"""The last, unfinished one."""
_AT_HEAD = 4
"""Characters in which the first of all options may be named that are judged in turn."""
_MARKS = re.compile(r"[\s.。,!)\]}>;:'、]*$")


def letters(options: Iterable[int]) -> str:
    """`ACD` of {0, 2, 3}."""
    return "".join(LETTERS[index] for index in sorted(options))


def read_choice(reply: str, n_options: int, options: Sequence[str] = (), *, cut: bool = False) -> frozenset[int] | None:
    """The options the reply settles on, or None if it settles on none; never a guess.

    In this order: a reply of nothing but letters or one of `options`; what it says the answer is (`said.statements`), where all
    that it says agrees or the last takes back the others; the one option that it judges to be right, where it judges no other or all others to be wrong. Thinking before
    `</think>` is not read. A letter beyond the options, or one with another option's words, settles on nothing.
    Where the reply was `cut` right behind what it names, nobody knows how that would have gone on (`答案是A`, `或B`): it is not read, nor is the last clause's judgement.
    """
    text, is_open = visible(reply), cut and reply[-1:].isalnum()
    words, alone = said.worded(text, options), _ALONE.match(text)
    whole = words if words and _MARKS.match(text, words[1]) else None
    if whole or alone:
        named = said.indices(alone["set"]) if alone and not said.is_list(alone["set"], n_options) else None
        found = None if is_open else _agreed(named, frozenset({whole[0]}) if whole else None, n_options)
    else:
        items = itemised.judged(text, n_options)
        told = [one for one in said.statements(text, options, n_options) if not (is_open and one.options and one.end == len(text)) and not (any(items) and one.end <= _AT_HEAD)]
        found = _settled(told) if told else _judged(_CLAUSE.sub("", text) if is_open else text, items)
    return found if found and max(found) < n_options else None


def _judged(text: str, items: Sequence[bool | None]) -> frozenset[int] | None:
    """The option that is judged to be right, alone or as the only one of all."""
    only = itemised.only_right(items)
    return said.verdict(text) if only is None else frozenset({only})


def _agreed(named: frozenset[int] | None, worded: frozenset[int] | None, n_options: int) -> frozenset[int] | None:
    """What letters and words name; None where they name two."""
    if named is None or worded is None or named == worded:
        return named or worded
    return worded if max(named) >= n_options else None


def _settled(told: Sequence[Said]) -> frozenset[int] | None:
    """What the last says, if none before says another or it takes them back."""
    last = told[-1]
    return last.options if last.mends or all(before.options == last.options for before in told) else None
