"""Comparing texts across width, case and spacing, and telling their language by script.

NFKC is not used: it rewrites Chinese punctuation. The fold below is for comparison only; no text
is ever replaced by its folded form.
"""

import hashlib
import math
import re

_NARROW = {chr(c): chr(c - 0xFEE0) for c in range(0xFF01, 0xFF5F)} | {"\u3000": " "}
_WIDE = re.compile("[\uff01-\uff5e\u3000]")
_SPACE = re.compile(r"\s+")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]+")
_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_FOREIGN = re.compile(r"[\u3041-\u30ff\uac00-\ud7af\u00c0-\u024f\u0370-\u06ff\u0900-\u0dff\u0e00-\u0eff]")
"""Kana, Hangul, and letters of other scripts than Han and ASCII."""


def fold(text: str) -> str:
    """`text` with full-width ASCII made half-width, lower case, and runs of white space made one space."""
    return _SPACE.sub(" ", narrow(text).lower()).strip()


def narrow(text: str) -> str:
    """`text` with full-width ASCII made half-width, character for character: positions in it are positions in `text`."""
    return text if text.isascii() else _WIDE.sub(lambda match: _NARROW[match[0]], text)


def number(text: str | None) -> float | None:
    """The finite number that `text` is, or None."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def content_id(*parts: str) -> str:
    """32 hex digits of the folded parts, blanks left out: equal texts in other width, case or spacing share it."""
    joined = "\x1f".join("".join(narrow(part).lower().split()) for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def language(text: str) -> str:
    """zh, en, mixed or other, by script; nothing defaults to English.

    A Han character counts as one unit and a Latin word as one; zh from 70 % Han, en up to 20 % Han.
    Kana or Hangul above a tenth of the Han count, or many letters outside ASCII, make it other.
    """
    n_words, n_han, n_foreign = len(_WORD.findall(text)), 0, 0
    if not text.isascii():
        n_han = sum(map(len, _HAN.findall(text)))
        n_foreign = len(_FOREIGN.findall(text))
    if n_han + n_words == 0 or n_foreign > 0.1 * (n_han + 4 * n_words):
        return "other"
    share = n_han / (n_han + n_words)
    return "zh" if share >= 0.7 else "en" if share <= 0.2 else "mixed"
