"""What identifies a person: found by form, check digit and label, and replaced by typed surrogates. paper 2.1.1

Doses, laboratory values, ICD codes, years, trial and registry numbers, hotlines and DOIs are left alone.
"""

import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.core import text as texts
from aquilamed.hygiene import names
from aquilamed.hygiene.alphabet import simplified
from aquilamed.hygiene.kernels import folded

SURROGATES = {
    "resident_id": ("身份证号", "RESIDENT_ID"), "bank_card": ("银行卡号", "BANK_CARD"), "record_number": ("病历号", "RECORD_NUMBER"),
    "phone": ("电话", "PHONE"), "email": ("邮箱", "EMAIL"), "ssn": ("社会保障号", "SSN"), "nhs_number": ("医保号", "NHS_NUMBER"),
    "name": ("姓名", "NAME"),
}
"""Kind -> how its surrogate is called in Chinese and in other text: `[姓名1]`, `[NAME_1]`."""

_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


class Found(NamedTuple):
    """One identifier in a text."""

    start: int
    end: int
    kind: str


def is_resident_id(text: str) -> bool:
    """Whether the 18th character is the check digit of the 17 before it (GB 11643)."""
    digits = re.sub(r"[ -]", "", text).upper()
    return "10X98765432"[sum(w * int(d) for w, d in zip(_RESIDENT_WEIGHTS, digits, strict=False)) % 11] == digits[17]


def is_card_number(text: str) -> bool:
    """Whether the digits pass Luhn's check."""
    digits = [int(d) for d in reversed(text) if d.isdigit()]
    return sum(sum(divmod(d * 2, 10)) if place % 2 else d for place, d in enumerate(digits)) % 10 == 0


def is_nhs_number(text: str) -> bool:
    """Whether the tenth digit is the check digit of the nine before it (modulus 11)."""
    digits = [int(d) for d in text if d.isdigit()]
    return (11 - sum((10 - place) * d for place, d in enumerate(digits[:9])) % 11) % 11 == digits[9]


def _always(_: str) -> bool:
    return True


_RECORD_LABEL = (r"病历号|病歷號|病案号|病案號|住院号|住院號|门诊号|門診號|就诊卡号|就診卡號|登记号|登記號|医保卡号|社保号|MRN|mrn"
                 r"|[Mm]edical [Rr]ecord (?:[Nn]o\.?|[Nn]umber)|[Pp]atient ID|[Hh]ospital (?:[Nn]o\.?|[Nn]umber)")
_PHONE_LABEL = r"电话|電話|手机|手機|联系方式|聯繫方式|[Tt]el|[Pp]hone|TEL|[Mm]obile|[Cc]ell"
_TOLL_FREE = r"(?!400|8(?:00|33|44|55|66|77|88)|900)"

_FINDERS: tuple[tuple[str, re.Pattern, Callable[[str], bool]], ...] = (
    ("resident_id", re.compile(
        r"(?<![0-9A-Za-z])([1-9]\d{5}[ -]?(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[ -]?\d{3}[\dXx])(?![0-9A-Za-z])"), is_resident_id),
    ("bank_card", re.compile(r"(?:卡号|卡號|账号|帳號|[Cc]ard (?:[Nn]umber|[Nn]o\.?))[^\d\n]{0,6}(\d(?:[ -]?\d){12,18})(?!\d)"), is_card_number),
    ("nhs_number", re.compile(r"NHS(?: [Nn]umber| [Nn]o\.?)?[^\d\n]{0,4}(\d{3}[ -]?\d{3}[ -]?\d{4})(?!\d)"), is_nhs_number),
    ("record_number", re.compile(rf"(?:{_RECORD_LABEL})[\s:#为為是]{{0,4}}([A-Za-z]{{0,3}}-?\d{{4,14}})(?!\d)"), _always),
    ("email", re.compile(r"(?<![A-Za-z0-9._%+-])([A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,})"), _always),
    ("phone", re.compile(r"(?<![0-9A-Za-z.])((?:\+?86[- ]?)?1[3-9]\d(?:\d{8}|[- ]\d{4}[- ]\d{4}))(?![0-9A-Za-z]|\.\d)"), _always),
    ("phone", re.compile(r"(?<![\d.-])(0\d{2,3}-[2-8]\d{6,7})(?![\d-])"), _always),
    ("phone", re.compile(
        rf"(?<![\d.(/-])((?:\+1[ .-]?|1-)?(?:\({_TOLL_FREE}[2-9]\d{{2}}\) ?|{_TOLL_FREE}[2-9]\d{{2}}[-.])"
        r"[2-9]\d{2}[-.]\d{4})(?![\d-])"), _always),
    ("phone", re.compile(
        rf"(?:{_PHONE_LABEL})(?: [Nn]umber| [Nn]o\.?|号码|號碼|号|號)?[ :是为為]{{1,3}}"
        r"((?!400|800|95\d)\d(?:[ -]?\d){6,12})(?![\d.%])"), _always),
    ("ssn", re.compile(r"(?<![\d-])((?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4})(?![\d-])"), _always),
    *(("name", pattern, _always) for pattern in names.PATTERNS),
)

_HINTS = (
    r"[1-9][0-9]{5}[ -]?(?:19|20)[0-9]{6}[ -]?[0-9]{3}[0-9x]|(?:^|[^0-9a-z.])(?:\+?86[- ]?)?1[3-9][0-9][- ]?[0-9]{4}[- ]?[0-9]{4}"
    r"|0[0-9]{2,3}-[2-8][0-9]{6}|[2-9][0-9]{2}[-.][0-9]{4}|[0-9]{3}-[0-9]{2}-[0-9]{4}",
    r"[a-z0-9]@[a-z0-9]",
    rf"(?:{_RECORD_LABEL.lower()}|nhs|卡号|卡號|账号|帳號|card n)[^0-9]{{0,16}}[0-9]{{3}}",
    r"(?:电话|電話|手机|手機|联系方式|聯繫方式|tel|phone|mobile|cell)[^0-9]{0,12}[0-9][0-9 -]{6}",
    *names.HINTS,
)
"""RE2 patterns on the folded text, once they are made simplified themselves; a text with an identifier matches at least one. They only spare the others the search."""


def find(text: str) -> list[Found]:
    """The identifiers in `text`, in order, none overlapping another; of two the one that begins first, then the longer, stays."""
    plain = texts.narrow(text)
    found = [Found(*match.span(1), kind) for kind, pattern, holds in _FINDERS for match in pattern.finditer(plain) if holds(match[1])]
    chosen: list[Found] = []
    for item in sorted(found, key=lambda item: (item.start, -item.end)):
        if not chosen or item.start >= chosen[-1].end:
            chosen.append(item)
    return chosen


def kinds_of(words: pa.Array) -> pa.Array:
    """The kinds of identifier in each text, sorted and joined by a comma; null where there are none."""
    narrow = folded(words)
    hinted = pc.match_substring_regex(narrow, simplified(_HINTS[0]))
    for hint in _HINTS[1:]:
        hinted = pc.or_(hinted, pc.match_substring_regex(narrow, simplified(hint)))
    rows = pc.indices_nonzero(hinted)
    named = [",".join(sorted({item.kind for item in find(text)})) or None for text in words.take(rows).to_pylist()]
    out: list[str | None] = [None] * len(words)
    for row, name in zip(rows.to_pylist(), named, strict=True):
        out[row] = name
    return pa.array(out, pa.string())


def mask(words: list[str], lang: str) -> tuple[list[str], Counter]:
    """The texts of one record with every identifier replaced, and how many of each kind.

    Equal values get the same surrogate through the whole record, and a name found once is replaced wherever it stands.
    """
    numbers: dict[tuple[str, str], str] = {}
    counted: Counter = Counter()
    values = [(word, find(word)) for word in words]
    people = {word[item.start:item.end] for word, items in values for item in items if item.kind == "name"}
    masked = []
    for word, items in values:
        taken = sorted([*items, *_mentions(word, people, items)])
        counted.update(item.kind for item in taken)
        masked.append(_replace(word, taken, numbers, 1 if lang == "en" else 0))
    return masked, counted


def _mentions(word: str, people: set[str], items: list[Found]) -> list[Found]:
    """Where a name known from elsewhere in the record stands in `word`."""
    if not people:
        return []
    pattern = re.compile("|".join(re.escape(name) for name in sorted(people, key=lambda name: (-len(name), name))))
    return [Found(*match.span(), "name") for match in pattern.finditer(word)
            if all(match.end() <= item.start or match.start() >= item.end for item in items)]


def _replace(word: str, items: list[Found], numbers: dict[tuple[str, str], str], style: int) -> str:
    pieces, at = [], 0
    for item in items:
        key = (item.kind, re.sub(r"[\s().+-]", "", texts.fold(word[item.start:item.end])))
        number = 1 + sum(kind == item.kind for kind, _ in numbers)
        label = SURROGATES[item.kind][style]
        surrogate = numbers.setdefault(key, f"[{label}_{number}]" if style else f"[{label}{number}]")
        pieces += [word[at:item.start], surrogate]
        at = item.end
    return "".join([*pieces, word[at:]])
