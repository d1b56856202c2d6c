"""Dates of a person and ages over 89, in a patient's record. HIPAA 164.514(b)(2)(i)(C)

A bare year stays, and so does the date of a publication (`2018年3月发布的指南`, `published March 2012`). Ages up to 89 stay.
"""

import re

from aquilamed.hygiene.rule import Rule, rule

_MONTH = (r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|"
          r"Dec(?:ember)?|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)\.?")
_YEAR, _DAY = r"(?:19|20)\d{2}", r"(?:3[01]|[12]\d|0?[1-9])"
_M = r"(?:1[0-2]|0?[1-9])"
_HAN_YEAR, _HAN_NUMBER = r"[一二][〇零○ＯO一二三四五六七八九]{3}", r"[一二三]?十?[一二三四五六七八九]?"
_CITED_BEFORE = re.compile(r"(?:发表|出版|发布|修订|版权|published|revised|updated|edition|copyright|©|accessed)[^。.\n]{0,12}$", re.IGNORECASE)
_CITED_AFTER = re.compile(r"^[ \t]*(?:发布|发表|出版|修订|第?\d*版|版|的?指南|guideline|edition)", re.IGNORECASE)
_BORN = r"(?:出生(?:日期|年月日?|时间)?|DOB|D\.O\.B\.?|date of birth)"
_STAY = (r"(?:入院|出院|住院|入科|手术|手術|就诊|就診|转出|转院)(?:日期|时间|時間)|(?:date of )(?:admission|discharge)|(?:admission|discharge) date|(?:admitted|"
         r"discharged)(?: on)?:")

_HAN_FORMS = (
    rf"{_YEAR} ?年 ?{_M} ?月 ?{_DAY} ?[日号號]?", rf"(?:民國|民国)\d{{2,3}}年{_M}月{_DAY}日", rf"{_YEAR} ?年 ?{_M} ?月(?:份)?", rf"(?:\d{{2}}年)?{_M} ?月 ?{_DAY} ?[日号號]",
    rf"{_HAN_YEAR}年{_HAN_NUMBER}月(?:{_HAN_NUMBER}[日号])?",
)
_FORMS = (
    rf"{_YEAR} ?[-/.] ?{_M} ?[-/.] ?{_DAY}", rf"{_M}/{_DAY}/(?:{_YEAR}|\d{{2}})", rf"{_DAY}[-.]{_M}[-.]{_YEAR}", rf"{_DAY}/{_M}/{_YEAR}", rf"{_M}/{_YEAR}",
    rf"{_DAY}[ -]{_MONTH}[ -](?:{_YEAR}|\d{{2}})",
    rf"{_DAY}(?:st|nd|rd|th)?(?: of)? {_MONTH}(?:,? {_YEAR})?", rf"{_MONTH} {_DAY}(?:st|nd|rd|th)?(?:,? {_YEAR})?", rf"{_MONTH},? {_YEAR}",
)
_HAN_DATE, _DATE = "|".join(_HAN_FORMS), "|".join(_FORMS)
LABELLED = rule("date", rf"(?:{_BORN}|{_STAY})[:： \t]{{0,3}}(?:(?:DOB|Admission date|Discharge date|Date)[: \t]{{0,3}})?({_HAN_DATE}|{_DATE}|"
                        rf"{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))", after=r"(?!\d)")._replace(
    gate=rf"(?:{_BORN}|{_STAY})[: ]{{0,3}}(?:(?:dob|admission date|discharge date|date)[: ]{{0,3}})?(?:(?:19|20)[0-9]{{2}}|[0-9]{{1,2}}[-/. 月日]|民|"
         rf"[一二][〇零○o一二三四五六七八九]{{3}}年|{_MONTH}[ ,])")
"""A date of birth or of a stay: a sign of a record, and an identifier in it."""

RULES: tuple[Rule, ...] = (
    LABELLED._replace(scope="record"),
    rule("date", rf"(?:生日|生于|日期|时间|時間|born(?: on)?|dated?)[:： \t]{{0,3}}({_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))", after=r"(?!\d)",
         scope="record"),
    rule("date", rf"({_HAN_DATE})", before=r"(?<![\d./A-Za-z-])", scope="record", flags=0),
    rule("date", rf"({_DATE})", before=r"(?<![\d./A-Za-z-])(?<!\d )", after=r"(?:(?=\d{2}:\d{2}|\d{2}[时時])|(?![\d%]|[./-]\d|[A-Za-z]))", scope="record",
         flags=0),
    rule("date", rf"(?:on|since|from|dated|until|by) ({_M}/{_DAY})", before=r"(?<![A-Za-z])", after=r"(?![\d/.%])", scope="record"),
    rule("age", r"((?:9\d|1[01]\d) ?(?:周)?[岁歲]|(?:九十[一二三四五六七八九]?|一百(?:[〇零][一二三四五六七八九]|一?十[一二三四五六七八九]?)?)[余多]?[岁歲])", before=r"(?<![\d.~-])",
         after=r"(?!以上|以下|以后|及)", scope="record"),
    rule("age", r"((?:9\d|1[01]\d)[ -]?(?:years?|yrs?|y)\.?(?:[ -]?olds?|/?o|\.o\.?))", before=r"(?<![\d.-])", after=r"(?![A-Za-z])", scope="record"),
    rule("age", r"(?:aged?|年龄|年齡)[: \t]{1,3}(9\d|1[01]\d)", before=r"(?<![A-Za-z])", after=r"(?![\d.%-])", scope="record"),
)


def is_cited(text: str, start: int, end: int) -> bool:
    """Whether the date at text[start:end] is that of a publication."""
    return bool(_CITED_BEFORE.search(text, max(0, start - 24), start) or _CITED_AFTER.match(text[end:end + 12]))
