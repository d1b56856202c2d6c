"""What identifies a person: found by form, check digit, label and context, and replaced by typed surrogates. paper 2.1.1

The kinds are HIPAA Safe Harbor's (45 CFR 164.514(b)(2)) and the Chinese ones. In any text a kind is looked for that is a person's by its form or its
label: identity, record, insurance and bank numbers, telephones, e-mail, chat accounts, plates, labelled names and homes. A date, an age over 89, a URL, an
address on the network, a device, a street or an untitled name is personal in a patient's record only (`hygiene.charts`), so textbooks, papers and web pages
keep theirs. Doses, laboratory values, ICD and SNOMED codes, years, trial and approval numbers, DOIs, hotlines, hospitals and eponyms are left alone
everywhere. Biometrics show in text as the name of an image file or a labelled template number; the biometrics themselves and photographs are not text.
"""

import re
from collections import Counter
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.core import text as texts
from aquilamed.hygiene import charts, dates, names, numbers, places
from aquilamed.hygiene.alphabet import simplified
from aquilamed.hygiene.kernels import folded
from aquilamed.hygiene.rule import HAN

SURROGATES = {
    "name": ("姓名", "NAME"), "address": ("地址", "ADDRESS"), "postcode": ("邮编", "POSTCODE"), "date": ("日期", "DATE"), "age": ("年龄", "AGE"),
    "phone": ("电话", "PHONE"), "fax": ("传真", "FAX"), "email": ("邮箱", "EMAIL"), "chat_account": ("社交账号", "CHAT_ACCOUNT"),
    "resident_id": ("身份证号", "RESIDENT_ID"), "travel_document": ("证件号", "TRAVEL_DOCUMENT"), "ssn": ("社会保障号", "SSN"),
    "record_number": ("病历号", "RECORD_NUMBER"), "insurance_number": ("医保号", "INSURANCE_NUMBER"), "account": ("账号", "ACCOUNT"),
    "bank_card": ("银行卡号", "BANK_CARD"),
    "licence": ("证照号", "LICENCE"), "vehicle": ("车辆号", "VEHICLE"), "device": ("设备号", "DEVICE"), "url": ("网址", "URL"), "ip": ("IP地址", "IP_ADDRESS"),
    "biometric": ("生物特征", "BIOMETRIC"), "other_number": ("编号", "NUMBER"),
}
"""Kind -> how its surrogate is called in Chinese and in other text: `[姓名1]`, `[NAME_1]`."""
KINDS = tuple(SURROGATES)

_RULES = (*numbers.RULES, *names.RULES, *places.RULES, *dates.RULES)
_ANYWHERE = tuple(rule for rule in _RULES if rule.scope == "any")
_IN_RECORDS = tuple(rule for rule in _RULES if rule.scope == "record")
_SIGNS = "|".join((dates.LABELLED.gate, charts.GATE, charts.INTRODUCTION, charts.TITLE))
_TOGETHER = 6
_GROUPS = tuple(_ANYWHERE[at:at + _TOGETHER] for at in range(0, len(_ANYWHERE), _TOGETHER))
"""Rules whose gates are one RE2 pattern; more of them outgrow RE2's automaton. Measured on real text: 6 together cost half as much as one by one, ten
together ten times."""
_HAN = re.compile(HAN)


class Found(NamedTuple):
    """One identifier in a text."""

    start: int
    end: int
    kind: str


def find(text: str, *, is_record: bool = False) -> list[Found]:
    """The identifiers in `text`, in order, none overlapping another; of two the one that begins first, then the longer, stays.

    With `is_record` the whole text is taken for a patient's record, whatever it looks like.
    """
    return _find(text, _ANYWHERE, signed=True, is_record=is_record)


def kinds_of(words: pa.Array, kinds: tuple[str, ...] = KINDS, *, is_record: bool = False) -> pa.Array:
    """The `kinds` of identifier in each text, sorted and joined by a comma; null where there are none."""
    return inspect(words, kinds, is_record=is_record)[0]


def inspect(words: pa.Array, kinds: tuple[str, ...] = KINDS, *, is_record: bool = False) -> tuple[pa.Array, pa.Array]:
    """(as `kinds_of`, the same of what has the form of an identifier but fails its check: a check digit, a length, a hotline's prefix)."""
    out: list[str | None] = [None] * len(words)
    failed: list[str | None] = [None] * len(words)
    rules_of = dict.fromkeys(range(len(words)), (_ANYWHERE, True)) if is_record else _gated(words)
    texts_there = words.take(pa.array(list(rules_of), pa.int64())).to_pylist()
    for (row, (rules, signed)), text in zip(rules_of.items(), texts_there, strict=True):
        missed: list[Found] = []
        found = _find(text or "", rules, signed=signed, is_record=is_record, missed=missed)
        out[row], failed[row] = (",".join(sorted({item.kind for item in some} & set(kinds))) or None for some in (found, missed))
    return pa.array(out, pa.string()), pa.array(failed, pa.string())


def _gated(words: pa.Array) -> dict[int, tuple[tuple, bool]]:
    """Row of each text that may hold an identifier -> (the rules that may find it, whether it may be a record without one).

    Cheap, and it leaves out nothing that `find` finds: first all rules of a group at once, then, where a group matched, each by itself.
    """
    narrow = folded(words)
    signed = _matching(narrow, _SIGNS)
    found: dict[int, tuple] = {row: () for row in signed}
    for group in _GROUPS:
        rows = _matching(narrow, "|".join(rule.gate for rule in group))
        some = narrow.take(pa.array(rows, pa.int64()))
        for rule in group if rows else ():
            for place in _matching(some, rule.gate):
                found[rows[place]] = (*found.get(rows[place], ()), rule)
    known = set(signed)
    return {row: (found[row], row in known) for row in sorted(found)}


def _matching(narrow: pa.Array, gate: str) -> list[int]:
    """The rows that a gate lets through: folded texts are in simplified characters, so the gate is, too."""
    return pc.indices_nonzero(pc.match_substring_regex(narrow, simplified(gate), ignore_case=True)).to_pylist()


def mask(words: list[str], lang: str, kinds: tuple[str, ...] = KINDS, *, is_record: bool = False, checked: bool = True) -> tuple[list[str], Counter]:
    """The texts of one record with every identifier of `kinds` replaced, and how many of each kind.

    Unless `checked`, what has the form of one but fails its check is replaced, too: it may be a true one with a slip.

    The texts are searched as one, joined by line breaks. Equal values get the same surrogate through the whole record, and a name found once is replaced
    wherever it stands.
    """
    joined = "\n".join(words)
    missed: list[Found] = []
    found = _find(joined, _ANYWHERE, signed=True, is_record=is_record, missed=missed)
    found = found if checked else _apart([*found, *missed])
    found = [item for item in found if item.kind in kinds and "\n" not in joined[item.start:item.end]]
    numbered: dict[tuple[str, str], str] = {}
    masked, start = [], 0
    for word in words:
        here = [Found(item.start - start, item.end - start, item.kind) for item in found if start <= item.start < start + len(word)]
        masked.append(_replace(word, here, numbered, 1 if lang == "en" else 0))
        start += len(word) + 1
    return masked, Counter(item.kind for item in found)


def _find(text: str, rules: tuple, *, signed: bool, is_record: bool, missed: list[Found] | None = None) -> list[Found]:
    """As `find`, with those `rules` of scope `any` that the gate let through; `signed`: the text may be a record even if they find nothing.

    What fails its check is added to `missed`.
    """
    plain = texts.narrow(text)
    missed = [] if missed is None else missed
    found = _matches(rules, plain, missed)
    signs = charts.signs(plain, found) if found or signed else []
    if signs or is_record:
        found += [item for item in _matches(_IN_RECORDS, plain, missed) if (is_record or charts.is_near(signs, item.start))
                  and not (item.kind == "date" and dates.is_cited(plain, item.start, item.end))]
        found += _listed(plain, found)
        found += _mentions(plain, found)
    return _apart(found)


def _matches(rules: tuple, plain: str, missed: list[Found]) -> list[Found]:
    has_han, found = bool(_HAN.search(plain)), []
    for rule in rules:
        for match in rule.pattern.finditer(plain) if has_han or not rule.han else ():
            (found if rule.holds(match[1]) else missed).append(Found(*match.span(1), rule.kind))
    return found


def _apart(found: list[Found]) -> list[Found]:
    chosen: list[Found] = []
    for item in sorted(found, key=lambda item: (item.start, -item.end)):
        if not chosen or item.start >= chosen[-1].end:
            chosen.append(item)
    return chosen


def _listed(plain: str, found: list[Found]) -> list[Found]:
    """The names that follow those in `found` in a Chinese list."""
    added, ends = [], [item.end for item in found if item.kind == "name"]
    while ends:
        matches = [match for match in (names.LISTED.match(plain, end) for end in ends) if match]
        added += [Found(*match.span(1), "name") for match in matches]
        ends = [match.end(1) for match in matches]
    return added


def _mentions(plain: str, found: list[Found]) -> list[Found]:
    """Where the names in `found` stand elsewhere."""
    pattern = names.mentions({plain[item.start:item.end] for item in found if item.kind == "name"})
    return [Found(*match.span(), "name") for match in pattern.finditer(plain)] if pattern else []


def _replace(word: str, items: list[Found], numbered: dict[tuple[str, str], str], style: int) -> str:
    pieces, at = [], 0
    for item in items:
        key = _key(item.kind, word[item.start:item.end], numbered)
        number = 1 + sum(kind == item.kind for kind, _ in numbered)
        label = SURROGATES[item.kind][style]
        surrogate = numbered.setdefault(key, f"[{label}_{number}]" if style else f"[{label}{number}]")
        pieces += [word[at:item.start], surrogate]
        at = item.end
    return "".join([*pieces, word[at:]])


def _key(kind: str, value: str, numbered: dict[tuple[str, str], str]) -> tuple[str, str]:
    """What equal values share, whatever their width, case and blanks; `Smith` and `SMITH, JOHN` are the `John Smith` who came before."""
    folded_value = texts.fold(value)
    if kind == "name" and folded_value.isascii():
        words = set(re.findall(r"[a-z'-]{2,}", folded_value))
        for known in numbered:
            others = set(known[1].split())
            if known[0] == "name" and words and (words <= others or (others and others <= words)):
                return known
        return kind, " ".join(sorted(words)) or folded_value
    return kind, re.sub(r"[\s().+-]", "", folded_value)
