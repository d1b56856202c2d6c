"""A reply as its reader sees it: without its thinking, without what it runs on into, in one width, one script and no marks of layout."""

import re

from aquilamed.core.text import narrow
from aquilamed.models.structured import unthought

_TRADITIONAL = str.maketrans(
    "應選項為擇確錯誤並對題標處療診斷說還個過總終開將條藥當臨實適較檢結論據從無與種類壓臟腦測敘係認覺設嗎難沒別證屬後會學們這來兩僅義許樣見請問稱優換參該師醫書議顯擾驗麼點納傾猶誰寫聲稱嚴術層導則餘雖經絕區鑑",
    "应选项为择确错误并对题标处疗诊断说还个过总终开将条药当临实适较检结论据从无与种类压脏脑测叙系认觉设吗难没别证属后会学们这来两仅义许样见请问称优换参该师医书议显扰验么点纳倾犹谁写声称严术层导则余虽经绝区鉴")
"""Letters of the words that answers are given in."""
_LAYOUT = str.maketrans({mark: "" for mark in "*`#$_\"“”「」『』"} | {"【": " ", "】": ": ", "’": "'", "‘": "'"})
_WRAPPED = re.compile(r"\\(?:text|textbf|mathrm|mathbf|textrm)\s*\{([^{}]*)\}")
_BOXED = re.compile(r"\\boxed\s*\{([^{}]*)\}")
_TAGGED = re.compile(r"<answer>(.*?)(?:</answer>|$)", re.IGNORECASE | re.DOTALL)
_HASHED = re.compile(r"####\s*(\(?[A-Z]\)?)\s*$")
_ANOTHER = re.compile(r"\n\s*(?:题目|问题|question|q)\s*\d{0,3}\s*[:.]", re.IGNORECASE)
_QUOTED = re.compile(r"(?<!\w)'([^'\n]{1,60})'(?!\w)")
_ECHOED = re.compile(r"[(\[]\s*A(?:\s*[/|,]\s*[A-Z]){2,}\s*[)\]](?=\s*:)")
"""The letters to choose from, as the question asks for its answer."""
_SMALL = (
    re.compile(r"\(([a-z])\)"), re.compile(r"^\W*([a-z])\W*$"), re.compile(r"^([a-z])(?=[.)] )", re.MULTILINE), re.compile(r"(?:^|[\s:;,、])([a-h])(?=\)\s)"),
    re.compile(r"[:选是为=]\s*([a-z])(?=\s*(?:$|[.。\n]))"), re.compile(r"\bis\s+([b-z])(?=\s*(?:$|[.。,\n]|because\b|since\b))"), re.compile(r"\bis\s+(a)(?=[.。]\s*(?:$|\n))"),
    re.compile(r"(?:答案|正解|选|\b(?i:answers?))\s*(?:是|为|:|\bis\b|\bare\b)*\s*([a-h](?:\s*(?:[、,]|\band\b)?\s*[a-h])+)(?=\s*(?:$|[.。\n]))"),
    re.compile(r"^\W*(a?b?c?d?e?)\W*$"))
"""Where small letters can be nothing but options'."""


def visible(reply: str) -> str:
    """What is read of a reply; empty where its thinking never ends."""
    text = plain(_HASHED.sub(r" answer: \1", unthought(reply)))
    while _WRAPPED.search(text):
        text = _WRAPPED.sub(r"\1", text)
    text = _TAGGED.sub(r" answer: \1\n", _BOXED.sub(r" answer: \1 ", text)).strip()
    if another := _ANOTHER.search(text):
        text = text[:another.start()]
    text = _ECHOED.sub("", _QUOTED.sub(r"\1", text))
    for pattern in _SMALL:
        text = pattern.sub(_raised, text)
    return text


def runs_on(reply: str) -> bool:
    """Whether it has come to another question, its thinking done: of what follows nothing is read."""
    return bool(_ANOTHER.search(plain(unthought(reply))))


def plain(text: str) -> str:
    """`text` in ASCII width, with the simplified letters of what answers are given in, without marks of layout."""
    return narrow(text).translate(_TRADITIONAL).translate(_LAYOUT)


def _raised(found: re.Match) -> str:
    begin, end = found.start(1) - found.start(), found.end(1) - found.start()
    letters = re.findall("[a-z]", found[1].replace("and", ""))
    return found[0][:begin] + found[1].upper().replace("AND", "and") + found[0][end:] if letters == sorted(set(letters)) else found[0]
