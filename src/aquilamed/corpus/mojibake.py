"""Text that was read in a wrong encoding, put right where that can be proven.

Proven means: the wrong reading is undone without loss (done again it gives the same characters), and what comes out is made of the characters
that its language is made of. A text is put right as a whole or left as it is; one that lost bytes on the way can't be.
"""

import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.core.sources.encoding import MIN_FREQUENT, frequent_share
from aquilamed.hygiene.alphabet import GBK_TRACE, marks

_BYTES = [bytes([number]) for number in range(256)]
_CP1252 = {byte.decode("latin-1"): byte for byte in _BYTES} | {byte.decode("cp1252", "ignore"): byte for byte in _BYTES if byte.decode("cp1252", "ignore")}
"""Character -> byte: Windows-1252, the bytes it leaves undefined and the control characters read as Latin-1."""
_LATIN_RUN = re.compile("[" + re.escape("".join(char for char in _CP1252 if ord(char) > 0x7F)) + "]+")
_GBK = "[" + "".join(chr(code) for code in np.flatnonzero(marks() & GBK_TRACE).tolist()) + "]"
_SUSPECT = (r"[\x{C2}\x{C3}\x{E2}-\x{E9}\x{EF}][\x{80}-\x{BF}\x{152}-\x{178}\x{2013}-\x{2122}]|[\x{A1}-\x{FF}]{4}|¡[ª®-±]"
            rf"|[鈥锛銆]|{_GBK}[^\x00-\x7F][^\x00-\x7F]{_GBK}[^\x00-\x7F][^\x00-\x7F]{_GBK}")
"""RE2: what every text that can be put right has: UTF-8's first two bytes, or GBK's pairs, in a wrong reading."""
_SUSPECT_TEXT = re.compile(re.sub(r"\\x\{(\w+)\}", lambda code: chr(int(code[1], 16)), _SUSPECT))
_TRAIL = r"[\x80-\xbf\u0152-\u0178\u2013-\u2122]"
_LEFT = re.compile(rf"[\xc2\xc3][\x80-\xbf]|[\xe2-\xef]{_TRAIL}{_TRAIL}|[鈥锛銆]|\ufffd|¡[ª®-±]|[\xa1-\xff]{{4}}|{_GBK}[^\x00-\x7f]{{2}}{_GBK}[^\x00-\x7f]{{2}}{_GBK}")
"""Signs that a text is not yet right."""
_LETTERS = re.compile(r"[A-Za-z0-9]")
MIN_LATER_FREQUENT, MIN_HAN = 0.06, 4
"""Chinese that comes out has at least this share of frequent characters, and so many Han characters in the whole text. ours: below the share of any
real text (see `core.sources.encoding`), far above that of wrongly read ones; of three characters any may be rare."""
_MOST_LAYERS = 3


def repaired(text: str) -> tuple[str, str]:
    """(the text put right, the wrong readings it went through, last one first); (`text`, "") where there is nothing to put right or no proof.

    Fewer readings come first; what comes out must bear no sign of a wrong one.
    """
    layer = [(text, ())]
    for _ in range(_MOST_LAYERS if _SUSPECT_TEXT.search(text) else 0):
        layer = [(made, (*ways, way)) for now, ways in layer for way, undo in _WAYS.items() if (made := undo(now)) != now]
        right = next(((made, ways) for made, ways in layer if not _LEFT.search(made)), None)
        if right:
            return right[0], ", ".join(right[1])
    return text, ""


def suspects(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Whether a text may be one to put right: true for all that can be, and cheap."""
    return pc.match_substring_regex(texts, _SUSPECT)


def _utf8_read_as_latin(text: str) -> str:
    """Runs of Latin-1 and Windows-1252 characters whose bytes are UTF-8; once one of them is, whatever characters the others are."""
    proven = _redone(text, "utf-8", _is_usual)
    return proven if proven == text else _redone(text, "utf-8", _is_text)


def _utf8_read_as_gbk(text: str) -> str:
    """The lines whose bytes in GB18030 are UTF-8 (ASCII bytes may have been taken for second bytes; browsers read the byte 80 as a euro sign)."""
    def undo(line: str) -> str:
        data = b"\x80".join(part.encode("gb18030", "surrogatepass") for part in line.split("€"))
        return (not line.isascii() and _decoded(data, "utf-8", _is_usual)) or line
    made = "\n".join(undo(line) for line in text.split("\n"))
    return made if made != text and _is_better(text, made) else text


def _gbk_read_as_latin(text: str) -> str:
    """The whole text, where all of it is Latin-1 and Windows-1252 and its bytes are GBK."""
    if text.isascii() or not all(char in _CP1252 for char in text):
        return text
    made = _decoded(b"".join(_CP1252[char] for char in text), "gbk", _is_usual)
    return made if made and _is_better(text, made) else text


_WAYS: dict[str, Callable[[str], str]] = {
    "utf-8 read as latin-1": _utf8_read_as_latin, "utf-8 read as gbk": _utf8_read_as_gbk, "gbk read as latin-1": _gbk_read_as_latin,
}


def _redone(text: str, encoding: str, holds: Callable[[str], bool]) -> str:
    """`text` with every run of Latin-1 and Windows-1252 characters whose bytes can be read in `encoding` read so."""
    return _LATIN_RUN.sub(lambda run: _decoded(b"".join(_CP1252[char] for char in run[0]), encoding, holds) or run[0], text)


def _decoded(data: bytes, encoding: str, holds: Callable[[str], bool]) -> str:
    """`data` read in `encoding`; empty where it can't be, or `holds` says no."""
    try:
        made = data.decode(encoding)
    except UnicodeDecodeError:
        return ""
    return made if holds(made) else ""


def _is_usual(made: str) -> bool:
    """Whether all characters are of Chinese or English text: ASCII, Latin-1, punctuation, signs, Han, full width; or a wrong reading of those."""
    return all(ord(char) < 0x100 or char in _CP1252 or 0x2010 <= ord(char) <= 0x22FF or 0x2460 <= ord(char) <= 0x27BF
               or 0x3000 <= ord(char) <= 0x303F or 0x3400 <= ord(char) <= 0x9FFF or 0xFF00 <= ord(char) <= 0xFFEF or ord(char) >= 0x1F300
               or 0x370 <= ord(char) <= 0x3FF for char in made)


def _is_text(made: str) -> bool:
    """Whether all characters can stand in some text, or in a wrong reading."""
    return all(char.isprintable() or char.isspace() or char in _CP1252 for char in made)


def _is_better(before: str, after: str) -> bool:
    """Whether `after` is Chinese or English of normal characters where `before` is not."""
    later, n_later = frequent_share(after)
    if n_later >= MIN_HAN:
        return later >= MIN_LATER_FREQUENT and frequent_share(before)[0] < max(MIN_FREQUENT, later / 3)
    return n_later == 0 and len(_LETTERS.findall(after)) > len(after) / 2
