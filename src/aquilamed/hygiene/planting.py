"""Leaks planted on purpose, so that the recall of decontamination is measured on the user's own benchmarks."""

import re

from aquilamed.core.chance import chooser, share
from aquilamed.core.records import words_of

HOSTS = {
    "zh": ("今天整理旧书架，翻到几本多年没动过的笔记，纸页发黄，字迹还很清楚。", "收拾完已是傍晚，窗外下起小雨，便泡了一壶茶坐下来慢慢读。"),
    "en": ("While tidying the old bookshelf I came across several notebooks nobody had opened for years. ",
           " By the time I had finished it was evening and a light rain had started, so I made a pot of tea."),
}
"""What stands before and after a planted item."""

_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_HAN_PAIR = re.compile(r"(?<=[\u3400-\u9fff])(?=[\u3400-\u9fff])")
_MARKS = re.compile(r"[，。；：、？！,.;:?!（）()\"“”'‘’]")


def _spaced(text: str) -> str:
    """Blanks between Han characters, line breaks between words."""
    return _HAN_PAIR.sub(" ", text).replace("  ", "\n")


CHANGES = {
    "none": lambda text: text,
    "width": lambda text: text.translate(_WIDE),
    "spacing": _spaced,
    "punctuation": lambda text: _MARKS.sub(" ", text),
    "case": str.swapcase,
    "all": lambda text: _spaced(_MARKS.sub("·", text.swapcase())).translate(_WIDE),
}
"""Name -> how an item is disguised."""


def plant(questions: list[dict], n: int, seed: int) -> list[tuple[dict, str, str]]:
    """(question, change, text) of up to `n` questions drawn by chance: the printed item, disguised, inside a host text."""
    chosen = sorted(questions, key=lambda question: (share(seed, question["id"]), question["id"]))[:n]
    planted = []
    for question in chosen:
        change = sorted(CHANGES)[chooser(seed, question["id"]).integers(len(CHANGES))]
        before, after = HOSTS["en" if question["lang"] == "en" else "zh"]
        planted.append((question, change, before + CHANGES[change](printed(question)) + after))
    return planted


def printed(question: dict) -> str:
    """The item as a page shows it: context, stem and lettered options."""
    context, stem, *options = words_of("questions", question)
    return "\n".join([*filter(None, [context, stem]), *(f"{chr(65 + k)}. {option}" for k, option in enumerate(options))])
