"""The class, the fold and the marks of every character, as tables that kernels look up.

The fold is that of `core.text.fold` (full-width ASCII made half-width, then lower case) and makes traditional Han characters
simplified, one for one. It is for comparison only: ids and the text itself keep their script.
"""

import functools
import unicodedata

import numpy as np

SPACE, HAN, LETTER, DIGIT, PUNCTUATION, SYMBOL, GARBLED, IGNORED = range(8)
"""IGNORED marks what has no width (zero-width space, soft hyphen): it never ends a word."""

N_TABLED = 0x10000
CLAUSE_END, SENTENCE_END = 1, 2
"""Marks: what follows can't belong to the same phrase, or sentence. A full stop ends a sentence only before a blank, which
the kernels look at themselves."""
PAUSE = 128
"""Mark: no two of these follow one another in Chinese."""
GBK_TRACE, LATIN_LEAD, QUOTE_LEAD, LATIN_TRAIL, QUOTE_TRAIL = 4, 8, 16, 32, 64
"""Marks: what UTF-8 becomes when read in another encoding; the leads count only before their trails."""
_ENDS = {CLAUSE_END: "，、：,:()（）", SENTENCE_END: "\n。！？；!?;"}
_GBK_TRACES = frozenset("".join(bytes([lead, trail]).decode("gb18030") for lead in range(0xE4, 0xEA) for trail in range(0x80, 0xC0)))
"""What the first two bytes of a Chinese character in UTF-8 make when read as GBK: a third of such a text, and seldom else."""
_ASCII_SYMBOLS = frozenset("#$%&*+/<=>@\\^_`{|}~")
_HAN_RANGES = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF))
_OFTEN_SPELLED = str.maketrans("著藉瞭痺", "着借了痹")
"""Taiwan's spellings that the t2s table keeps, since they are simplified characters too. What has two readings (畫: 画, 划) gets the commoner."""
_BY_CATEGORY = {"L": LETTER, "M": LETTER, "N": DIGIT, "P": PUNCTUATION, "S": SYMBOL, "Z": SPACE}


@functools.cache
def simplified_of() -> dict[int, int]:
    """Traditional Han character -> the simplified one, where that needs no more bytes of UTF-8; for `str.translate`."""
    import opencc

    convert = opencc.OpenCC("t2s").convert
    chars = [chr(code) for low, high in _HAN_RANGES for code in range(low, high + 1)]
    found = zip(chars, convert(convert("\n".join(chars))).translate(_OFTEN_SPELLED).split("\n"), strict=True)
    return {ord(char): ord(other) for char, other in found if char != other and ord(other) < N_TABLED}


def simplified(text: str) -> str:
    """`text` with traditional Han characters made simplified, character for character: positions in it are positions in `text`."""
    return text.translate(simplified_of())


@functools.cache
def table() -> np.ndarray:
    """`class << 16 | folded code point` for every code point below `N_TABLED`."""
    made = np.fromiter((_class(chr(c)) << 16 | _folded(c) for c in range(N_TABLED)), np.uint32, N_TABLED)
    made.setflags(write=False)
    return made


@functools.cache
def marks() -> np.ndarray:
    """The marks of every code point below `N_TABLED`, as bits."""
    made = np.fromiter((_marks(chr(c)) for c in range(N_TABLED)), np.uint8, N_TABLED)
    made.setflags(write=False)
    return made


def _class(char: str) -> int:
    code, category = ord(char), unicodedata.category(char)
    if any(low <= code <= high for low, high in _HAN_RANGES):
        return HAN
    if char in _ASCII_SYMBOLS or char in "＃＄％＆＊＋／＜＝＞＠＼＾＿｀｛｜｝～":
        return SYMBOL
    if char.isspace():
        return SPACE
    if code == 0xFFFD or category in ("Cc", "Co", "Cs"):
        return GARBLED
    return IGNORED if category == "Cf" else _BY_CATEGORY.get(category[0], SYMBOL)


def _marks(char: str) -> int:
    code, mark = ord(char), 0
    for value, chars in _ENDS.items():
        mark |= value * (char in chars)
    mark |= PAUSE * (char in "，。；：、")
    mark |= GBK_TRACE * (char in _GBK_TRACES)
    mark |= LATIN_LEAD * (code in (0xC2, 0xC3, 0xEF) or 0xE4 <= code <= 0xE9) | LATIN_TRAIL * (0x80 <= code <= 0xBF)
    return mark | QUOTE_LEAD * (code == 0xE2 or 0xE4 <= code <= 0xE9) | QUOTE_TRAIL * (0x152 <= code <= 0x178 or 0x2013 <= code <= 0x2122)


def _folded(code: int) -> int:
    """The folded code point; a fold that would need more bytes of UTF-8 than the character is left out."""
    if code == 0x3000:
        return 0x20
    narrow = code - 0xFEE0 if 0xFF01 <= code <= 0xFF5E else code
    if 0xD800 <= code < 0xE000:
        return code
    if code in simplified_of():
        return simplified_of()[code]
    lower = chr(narrow).lower()
    fits = len(lower) == 1 and ord(lower) < N_TABLED and len(lower.encode()) <= len(chr(code).encode())
    return ord(lower) if fits else narrow
