"""The class and the fold of every character, as one table that kernels look up. For comparison only: no text is changed by it.

The fold is `core.text.fold`'s (full-width ASCII made half-width, then lower case), and traditional Han characters are made simplified.
"""

import functools
import unicodedata

import numpy as np
import opencc

SPACE, HAN, LETTER, DIGIT, PUNCTUATION, SYMBOL, GARBLED, IGNORED = range(8)
"""IGNORED marks what has no width (zero-width space, soft hyphen): it never ends a word."""

N_TABLED = 0x10000
_ASCII_SYMBOLS = frozenset("#$%&*+/<=>@\\^_`{|}~")
_HAN_RANGES = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF))
_BY_CATEGORY = {"L": LETTER, "M": LETTER, "N": DIGIT, "P": PUNCTUATION, "S": SYMBOL, "Z": SPACE}


@functools.cache
def table() -> np.ndarray:
    """`class << 16 | folded code point` for every code point below `N_TABLED`."""
    made = np.fromiter((_class(chr(c)) << 16 | _folded(c) for c in range(N_TABLED)), np.uint32, N_TABLED)
    for char, simple in simplified().items():
        made[ord(char)] = HAN << 16 | ord(simple)
    made.setflags(write=False)
    return made


@functools.cache
def simplified() -> dict[str, str]:
    """Traditional character -> simplified one, where they differ, by OpenCC's table of characters (Apache-2.0); `着` and `著` are one.

    Those whose simplified form would need more bytes of UTF-8 are left out.
    """
    han = [chr(code) for low, high in _HAN_RANGES for code in range(low, high + 1)]
    made = opencc.OpenCC("t2s").convert("\n".join(han)).split("\n")
    return {a: b for a, b in zip(han, made, strict=True) if a != b and ord(b) < N_TABLED} | {"着": "著"}


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


def _folded(code: int) -> int:
    """The folded code point; a fold that would need more bytes of UTF-8 than the character is left out."""
    if code == 0x3000:
        return 0x20
    narrow = code - 0xFEE0 if 0xFF01 <= code <= 0xFF5E else code
    if 0xD800 <= code < 0xE000:
        return code
    lower = chr(narrow).lower()
    fits = len(lower) == 1 and ord(lower) < N_TABLED and len(lower.encode()) <= len(chr(code).encode())
    return ord(lower) if fits else narrow
