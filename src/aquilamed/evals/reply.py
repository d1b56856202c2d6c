"""Reading which options a free-text reply settles on, in Chinese and English; never a guess."""

import re
from collections.abc import Iterable

from aquilamed.models.wording import LETTERS

_FULL_WIDTH = {c: c - 0xFEE0 for c in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_SET = r"[(\[\"'“【*]*(?P<set>(?>[A-Z](?:\s*(?:[,、;/&+]|\band\b|和|与|及|以及)?\s*[A-Z](?![a-z]))*))(?![A-Za-z'])(?!\s*(?:或|\bor\b|/))"
"""Letters, one or several, that no other word runs into and no "or" follows."""
_ARTICLE = re.compile(r"\s+(?!because\b|since\b|as\b|for\b|due\b|is\b)[a-z]")
"""After a lone A or I: it is a word of the sentence, not a letter."""
_DENIED_BEFORE = re.compile(r"(?:不|非|没|勿|排除|\bnot\b|n't)\s*(?:应|能|该|要)?\s*$", re.IGNORECASE)
_DENIED_AFTER = re.compile(r"[)\]\"'”】*]*\s*(?:项|选项)?\s*(?:是|为|is|are)?\s*(?:不|错|有误|排除|\bnot\b|n't|wrong|incorrect|false)", re.IGNORECASE)
_SAID = re.compile(
    r"(?:答案|应选|故选|选择|选项|答|选|(?i:\b(?:answers?|options?|choices?|choose|select)\b))"
    r"(?:应该|应|可能)?(?:是|为|选|:|\s|(?i:\b(?:is|are|option|choice)\b))*" + _SET + r"(?![\u4e00-\u9fff](?<![项选是因为所故对正不错有]))")
_ALONE = re.compile(rf"^\W*{_SET}\W*$")
_HEAD = re.compile(rf"^\W*{_SET}\s*(?:[.,:、。)\]】]|$)", re.MULTILINE)


def letters(options: Iterable[int]) -> str:
    """`ACD` of {0, 2, 3}."""
    return "".join(LETTERS[index] for index in sorted(options))


def read_choice(reply: str, n_options: int) -> frozenset[int] | None:
    """The options the reply settles on, or None if it settles on none; never a guess.

    In this order: a reply of letters alone; the last "answer: B" or 故选 B that is not denied; letters set off at the head
    of the first line, where no other line begins so (that would be the options over again). A letter beyond the options
    settles on nothing.
    """
    text = reply.translate(_FULL_WIDTH).strip()
    said = _ALONE.match(text)
    named = said["set"] if said else _last_said(text)
    if named is None:
        named = _at_head(text)
    if named is None:
        return None
    found = frozenset(LETTERS.index(letter) for letter in re.findall("[A-Z]", named))
    return found if max(found) < n_options else None


def _last_said(text: str) -> str | None:
    """The letters of the last phrase that names an answer and is not denied just before or after."""
    named = None
    for match in _SAID.finditer(text):
        before, after = text[:match.start()], text[match.end("set"):]
        is_word = match["set"] in ("A", "I") and _ARTICLE.match(after)
        if not (_DENIED_BEFORE.search(before) or _DENIED_AFTER.match(after) or is_word):
            named = match["set"]
    return named


def _at_head(text: str) -> str | None:
    """The letters that the first line begins with, if it is the only line that does."""
    heads = list(_HEAD.finditer(text))
    if len(heads) != 1 or heads[0].start() > 0 or _DENIED_AFTER.match(text[heads[0].end("set"):]):
        return None
    return heads[0]["set"]
