"""Doses far above the most that is ever given by mouth in a day, from the table beside this file: drugs with their names in both languages. ours

Only what can be worked out counts: an amount a day (`每日6克`), or an amount each time and how often (`一次2g，每6小时一次`), of the drug named before it in
the same sentence. Amounts per kilogram, square metre or volume, injections, and sentences that warn (`超过`, `overdose`) are passed over.
"""

import functools
import json
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from aquilamed.core import text as texts
from aquilamed.hygiene import phrases
from aquilamed.hygiene.alphabet import simplified

TABLE = Path(__file__).with_name("most_doses.jsonl")
"""A line: {"id", "zh": [names], "en": [names], "mg_a_day": the largest daily dose in use for adults, for any of its purposes}."""
MOST_TABLETS = 20
"""Tablets of one of these drugs at one time from which it is too many, whatever they hold."""
_MG = {"mg": 1, "毫克": 1, "milligram": 1, "milligrams": 1, "g": 1000, "克": 1000, "gram": 1000, "grams": 1000, "ug": 0.001, "mcg": 0.001, "μg": 0.001, "µg": 0.001, "微克": 0.001,
       "microgram": 0.001, "micrograms": 0.001}
_NUMBERS = {"once": 1, "one": 1, "twice": 2, "two": 2, "three": 3, "thrice": 3, "four": 4, "five": 5, "six": 6, "一": 1, "两": 2, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "十": 10, "十二": 12}
_UNIT = "|".join(sorted(_MG, key=len, reverse=True))
_N = r"\d+(?:\.\d+)?|" + "|".join(sorted(_NUMBERS, key=len, reverse=True))
_TO = r"\s*[-~至到—–]\s*"
_AMOUNT = re.compile(rf"(?<![\d.])(?<!l:)(?<!升:)(?!0\d)(\d+(?:\.\d+)?)(?:{_TO}\d+(?:\.\d+)?)?[\s-]*({_UNIT})(?![a-z])")
_LEADS = re.compile(_AMOUNT.pattern + r"\s*(?:of\s+|的)?$")
"""An amount right before the drug's name: `2 g of paracetamol`."""
_PER = re.compile(r"\s*(?:[/／]|每|per\s|for (?:each|every)\s|[x×*])\s*(?!日|天|d\b|day|次|dose)")
"""After an amount: it is one per kilogram, millilitre or tablet, or a pack's."""
_DAY_BEFORE = re.compile(r"(?:每日|每天|每晚|一日|一天|日服|日量|睡前|小时内)[^,，、\d]{0,6}$")
_DAY_AFTER = re.compile(r"\s*(?:(?:/|每|per|a|each|every|in a|in one)\s*(?:日|天|day|night|d\b)|daily|nightly|at night|at bedtime)(?!\s*[一二两三四\d]+\s*次)")
_TIMES = re.compile(rf"(?:日|天)(?:服用|服|吃|口服|用)?\s*({_N})(?:{_TO}(?:{_N}))?\s*次|\b({_N})(?:\s+times)?\s+(?:a|per|each|every)\s+day|\b({_N})(?:\s+times)?\s+daily|({_N})\s*次\s*[/每]\s*(?:日|天|d\b)")
_EVERY = re.compile(rf"(?:每隔?|隔|every)\s*({_N})(?:{_TO}(?:{_N}))?\s*(?:个)?(?:小时|钟头|hours)")
_TABLETS = re.compile(r"(?:每次|一次|一口气|take|swallow)[^,，\d]{0,8}(\d+)\s*(?:片|粒|颗|tablets|pills|capsules)")
_WARNS = re.compile(r"超过|超出|过量|中毒|致死|致命|危险|不要|不能|不可|不得|不应|切勿|勿|禁|避免|最大|误服|误用|毒性|自杀|静脉|静滴|静推|滴注|注射|肌注|针剂|overdos|toxic|poison|fatal|lethal|exceed|more than|over the|above|never|not |n't|"
                    r"avoid|maximum|inject|intraven|infus|\biv\b|danger|died|death|suicid")
_SENTENCE = re.compile(r"[。！!？?；;\n①-⑳]|\.(?=\s|$)")


class Drug(NamedTuple):
    """One line of the table."""

    id: str
    mg_a_day: float


def search(words: pa.Array, factor: float) -> dict[int, str]:
    """Text -> the first dose in it above `factor` times the table's, as `too_much` shows it; texts without one are left out."""
    drugs = phrases.compiled({"drug": list(table()[0])})
    named = np.unique(phrases.find(words, drugs).text).tolist()
    return {place: dose for place in named if (dose := too_much(words[place].as_py(), factor))}


@functools.cache
def table() -> tuple[dict[str, Drug], re.Pattern]:
    """Name -> drug, and what finds a name in folded text."""
    rows = [json.loads(line) for line in TABLE.read_text(encoding="utf-8").splitlines()]
    names = {texts.fold(name): Drug(row["id"], row["mg_a_day"]) for row in rows for name in (*row["zh"], *row["en"])}
    longest_first = "|".join(rf"\b{re.escape(name)}\b" if name.isascii() else re.escape(name) for name in sorted(names, key=len, reverse=True))
    return names, re.compile(longest_first)


def too_much(text: str, factor: float) -> str:
    """`acetaminophen 8000 mg a day, most 4000` for the first dose above `factor` times the table's; empty if there is none."""
    names, pattern = table()
    for sentence in _SENTENCE.split(simplified(texts.narrow(text).lower())):
        found = list(pattern.finditer(sentence)) if any(map(str.isdigit, sentence)) else []
        if not found or _WARNS.search(sentence):
            continue
        leads = [_LEADS.search(sentence, 0, match.start()) for match in found]
        begins = [lead.start() if lead else match.start() for lead, match in zip(leads, found, strict=True)]
        for name, lead, end in zip(found, leads, [*begins[1:], len(sentence)], strict=True):
            if told := _of_drug(names[name[0]], (f"{lead[1]}{lead[2]} " if lead else "") + sentence[name.end():end], factor):
                return told
    return ""


def _of_drug(drug: Drug, said: str, factor: float) -> str:
    mg, n = daily_mg(said), max((int(number[:9]) for number in _TABLETS.findall(said)), default=0)
    if mg > factor * drug.mg_a_day:
        return f"{drug.id} {mg:g} mg a day, most {drug.mg_a_day:g}"
    return f"{drug.id} {n} tablets at one time" if n >= MOST_TABLETS else ""


def daily_mg(said: str) -> float:
    """The most that the words after a drug's name give for a day, in mg; 0 where they don't settle it. Of a range the lower end counts."""
    amounts = [match for match in _AMOUNT.finditer(said) if not _PER.match(said, match.end())]
    is_total = [bool(_DAY_BEFORE.search(said[:match.start()]) or _DAY_AFTER.match(said, match.end())) for match in amounts]
    totals = [_mg(match) for match, total in zip(amounts, is_total, strict=True) if total]
    each = [match for match, total in zip(amounts, is_total, strict=True) if not total]
    often, n = _often(said)
    if each and n:
        totals.append(n * _mg(min(each, key=lambda match: abs(match.start() - often))))
    return max(totals, default=0.0)


def _often(said: str) -> tuple[int, float]:
    """(where it stands, how many times a day); (0, 0) where it isn't said."""
    if match := _TIMES.search(said):
        return match.start(), _number(next(filter(None, match.groups())))
    if match := _EVERY.search(said):
        return match.start(), 24 / max(_number(match[1]), 1)
    return 0, 0.0


def _mg(amount: re.Match) -> float:
    return float(amount[1]) * _MG[amount[2]]


def _number(text: str) -> float:
    return float(_NUMBERS.get(text) or text)
