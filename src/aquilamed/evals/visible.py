"""A reply as its reader sees it: without its thinking, without what it runs on into, in one width, one script and no marks of layout."""

import re

from aquilamed.core.text import narrow

_TRADITIONAL = str.maketrans("應選項為擇確錯誤並對題標處療診斷說還個過總終開將條藥當臨實適較檢結論據從無與種類壓臟腦測", "应选项为择确错误并对题标处疗诊断说还个过总终开将条药当临实适较检结论据从无与种类压脏脑测")
"""Letters of the words that answers are given in."""
_LAYOUT = str.maketrans({mark: "" for mark in "*`#$_\"“”"} | {"【": " ", "】": ": ", "’": "'"})
_WRAPPED = re.compile(r"\\(?:text|textbf|mathrm|mathbf|textrm)\s*\{([^{}]*)\}")
_BOXED = re.compile(r"\\boxed\s*\{([^{}]*)\}")
_TAGGED = re.compile(r"<answer>(.*?)(?:</answer>|$)", re.IGNORECASE | re.DOTALL)
_ANOTHER = re.compile(r"\n\s*(?:题目|问题|question|q)\s*\d{0,3}\s*[:.]", re.IGNORECASE)
_SMALL = (
    re.compile(r"\(([a-z])\)"), re.compile(r"^\W*([a-z])\W*$"), re.compile(r"^([a-z])(?=[.)] )", re.MULTILINE),
    re.compile(r"[:选是为=]\s*([a-z])(?=\s*(?:$|[.。\n]))"), re.compile(r"\bis\s+([b-z])(?=\s*(?:$|[.。\n]))"))
"""Where one small letter can be nothing but an option's."""


def visible(reply: str) -> str:
    """What is read of a reply; empty where its thinking never ends."""
    text = reply.rpartition("</think>")[2]
    if "<think>" in text:
        return ""
    text = plain(text)
    while _WRAPPED.search(text):
        text = _WRAPPED.sub(r"\1", text)
    text = _TAGGED.sub(r" answer: \1\n", _BOXED.sub(r" answer: \1 ", text)).strip()
    if another := _ANOTHER.search(text):
        text = text[:another.start()]
    for pattern in _SMALL:
        text = pattern.sub(_raised, text)
    return text


def runs_on(reply: str) -> bool:
    """Whether it has come to another question, its thinking done: of what follows nothing is read."""
    text = reply.rpartition("</think>")[2]
    return "<think>" not in text and bool(_ANOTHER.search(plain(text).strip()))


def plain(text: str) -> str:
    """`text` in ASCII width, with the simplified letters of what answers are given in, without marks of layout."""
    return narrow(text).translate(_TRADITIONAL).translate(_LAYOUT)


def _raised(found: re.Match) -> str:
    begin, end = found.start(1) - found.start(), found.end(1) - found.start()
    return found[0][:begin] + found[1].upper() + found[0][end:]
