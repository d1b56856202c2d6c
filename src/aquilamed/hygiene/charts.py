"""Whether a text is a patient's record, and how far from its signs a date, an age or a URL still belongs to the patient.

A date, a link or an address is nobody's secret in a textbook or on a web page. It is one beside a record number, a date of birth or admission,
a name together with a way to reach it or with a chart's headings, or three such headings.
"""

import re
from bisect import bisect_left

from aquilamed.hygiene import dates

REACH = 2000
"""Characters from the nearest sign of a record within which `record` rules hold. ours: a section of a chart; a book keeps its other chapters"""
_WHO = frozenset(("name", "resident_id", "ssn", "travel_document"))
_FILE = frozenset(("record_number", "insurance_number"))
_REACHED = frozenset(("phone", "email", "fax", "chat_account", "address"))
HEADINGS = (
    "主诉|主訴", "现病史|現病史", "既往史|過去病史|过去史", "体格检查|查体|體格檢查", "(?:初步|入院|出院|临床)?诊断|診斷", "医嘱|醫囑|处理|處置|诊疗计划", "家族史", "辅助检查|实验室检查",
    "chief complaint", "(?:history of present illness|hpi)", "(?:past medical history|pmh)", "(?:physical exam(?:ination)?|exam|vitals)", "(?:assessment|impression)", "(?:discharge|admitting|final)? ?diagnos[ei]s",
    "(?:medications|meds)", "(?:hospital course|plan)", "allergies",
)
"""Each a heading of a chart where a colon or a bracket follows."""
_HEADING = re.compile("|".join(rf"(?:({one}))" for one in HEADINGS), re.IGNORECASE)
_HEADED = re.compile(r"[ \t]*[:\]】]")
_CLINICAL = re.compile("患者|病人|病患|就诊|住院|门诊|医生|医师|大夫|醫生|醫師|护士|诊断|手术|patient|admitted|diagnos|doctor|clinic|surgery|hospital|nurse", re.IGNORECASE)
GATE = r"(?:主诉|主訴|现病史|現病史|chief complaint|history of present illness|hpi|past medical history)[ \t]?[:\]】]"
"""RE2 pattern without which a text without identifiers is no record."""
_MAIN_HEADING = re.compile(GATE, re.IGNORECASE)


def signs(text: str, found: list) -> list[int]:
    """Where the signs of a record stand in `text` (narrowed), sorted; nothing where it is none. `found` are its identifiers of scope `any`."""
    kinds, n_who = {item.kind for item in found}, sum(item.kind in _WHO for item in found)
    born = [match.start() for match in dates.LABELLED.pattern.finditer(text)]
    headings = [(match.lastindex, match.start()) for match in _HEADING.finditer(text) if _HEADED.match(text, match.end())]
    n_headings = len({number for number, _ in headings})
    who, clinical, charted = kinds & _WHO, bool(_CLINICAL.search(text)), n_headings >= 3 and bool(_MAIN_HEADING.search(text))
    is_record = bool(kinds & _FILE or born or charted or (who and (n_headings or (clinical and (kinds & _REACHED or n_who > 1)))))
    if not is_record:
        return []
    return sorted([*born, *(at for _, at in headings), *(item.start for item in found if item.kind in _WHO | _FILE)])


def is_near(places: list[int], at: int) -> bool:
    """Whether one of the sorted `places` is within `REACH` of `at`."""
    number = bisect_left(places, at)
    return any(0 <= n < len(places) and abs(places[n] - at) <= REACH for n in (number - 1, number))
