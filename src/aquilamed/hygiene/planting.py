"""Leaks planted on purpose, so that the recall of decontamination is measured on the user's own benchmarks."""

import functools
import re
from collections.abc import Callable
from typing import NamedTuple

import opencc

from aquilamed.core.chance import chooser, share
from aquilamed.core.records import words_of

HOSTS = {
    "zh": ("今天整理旧书架，翻到几本多年没动过的笔记，纸页发黄，字迹还很清楚。", "收拾完已是傍晚，窗外下起小雨，便泡了一壶茶坐下来慢慢读。"),
    "en": ("While tidying the old bookshelf I came across several notebooks nobody had opened for years. ",
           " By the time I had finished it was evening and a light rain had started, so I made a pot of tea."),
}
"""What stands before and after a planted item."""
SHORT = 8
"""Tokens of a stem up to which an item is planted as `short`, too."""

_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_HAN_PAIR = re.compile(r"(?<=[\u3400-\u9fff])(?=[\u3400-\u9fff])")
_MARKS = re.compile(r"[，。；：、？！,.;:?!（）()\"“”'‘’]")
_UNIT = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\W\d_\u3400-\u9fff]+|\d+")


class Leak(NamedTuple):
    """A text with an item in it."""

    question: dict
    change: str
    text: str


def _spaced(text: str) -> str:
    """Blanks between Han characters, line breaks between words."""
    return _HAN_PAIR.sub(" ", text).replace("  ", "\n")


@functools.cache
def _to_traditional() -> opencc.OpenCC:
    return opencc.OpenCC("s2t")


DISGUISES: dict[str, Callable[[str], str]] = {
    "verbatim": lambda text: text,
    "width": lambda text: text.translate(_WIDE),
    "spacing": _spaced,
    "punctuation": lambda text: _MARKS.sub(" ", text),
    "case": str.swapcase,
    "script": lambda text: _to_traditional().convert(text),
    "all": lambda text: _spaced(_MARKS.sub("·", _to_traditional().convert(text).swapcase())).translate(_WIDE),
}
"""Name -> how a printed item is disguised."""
PARTS = ("options_shuffled", "half_stem", "short")
"""Other ways to leak: options in another order with other numbers; the first half of a stem of 16 tokens or more, alone; a stem of up to 8 tokens, with its options."""


def plant(questions: list[dict], n: int, seed: int) -> list[Leak]:
    """Up to `n` questions drawn by chance for each disguise and part, inside a host text."""
    drawn = sorted(questions, key=lambda question: (share(seed, question["id"]), question["id"]))
    leaks = [Leak(question, change, _hosted(question, disguise(printed(question)))) for change, disguise in DISGUISES.items() for question in drawn[:n]]
    parts = {"options_shuffled": (lambda q: len(q["options"]) > 1, lambda q: _shuffled(q, seed)), "half_stem": (_is_long, _half),
             "short": (_is_short, lambda q: printed(q))}
    for change in PARTS:
        fits, made = parts[change]
        leaks += [Leak(question, change, _hosted(question, made(question))) for question in list(filter(fits, drawn))[:n]]
    return leaks


def printed(question: dict) -> str:
    """The item as a page shows it: context, stem and lettered options."""
    context, stem, *options = words_of("questions", question)
    return "\n".join([*filter(None, [context, stem]), *(f"{chr(65 + k)}. {option}" for k, option in enumerate(options))])


def _hosted(question: dict, text: str) -> str:
    before, after = HOSTS["en" if question["lang"] == "en" else "zh"]
    return before + text + after


def _shuffled(question: dict, seed: int) -> str:
    order = chooser(seed, f"shuffled/{question['id']}").permutation(len(question["options"]))
    options = [f"（{number}）{question['options'][place]}" for number, place in enumerate(order, start=1)]
    return "；".join([question["stem"], *options])


def _half(question: dict) -> str:
    found = list(_UNIT.finditer(question["stem"]))
    return question["stem"][:found[(len(found) + 1) // 2 - 1].end()]


def _is_long(question: dict) -> bool:
    return len(_UNIT.findall(question["stem"])) >= 2 * SHORT


def _is_short(question: dict) -> bool:
    return 0 < len(_UNIT.findall(question["stem"])) <= SHORT and bool(question["options"])
