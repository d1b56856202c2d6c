"""Whether a text is a patient's record, and how far from its signs a date, an age or a URL still belongs to the patient.

A date, a link or an address is nobody's secret in a textbook or on a web page. It is one beside a record number, a date of birth or admission,
a name together with a way to reach it or with a chart's headings, where someone introduces himself to a doctor, under three such headings, below a
record's title, or beside any identifier in a text that speaks of one patient (`a 45-year-old man`) or holds what was measured in one.
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
    "(?:chief complaint|cc)", "(?:history of present illness|hpi)", "(?:past medical history|pmhx?)", "(?:physical exam(?:ination)?|exam|vitals|pe)",
    "(?:assessment|impression|a/p)", "(?:discharge|admitting|final)? ?diagnos[ei]s",
    "(?:medications|meds)", "(?:hospital course|plan)", "allergies",
)
"""Each a heading of a chart where a colon or a bracket follows."""
_HEADING = re.compile("|".join(rf"(?:({one}))" for one in HEADINGS), re.IGNORECASE)
_HEADED = re.compile(r"[ \t]*[:\]】]")
_CLINICAL = re.compile(r"患者|病人|病患|就诊|就医|病情|症状|病史|化验|接诊|体检|用药|服药|复查|mmol|就診|診斷|治療|症狀|門診|護理師|醫囑|住院|门诊|医生|医师|大夫|醫生|醫師|护士|诊断|手术|patient|admitted|"
                       r"diagnos|doctor|clinic|surgery|hospital|nurse|physician|consultant|\bDr\b|\bMRN\b|\bNHS\b|mmHg|\d mg\b|year[- ]old|under "
                       r"(?:my|our) care|\bM\.?D\b", re.IGNORECASE)
_CASE = re.compile(r"\d{1,3}[- ]years?[- ]old|\d{1,3} ?(?:y/?o|yo)\b|under (?:my|our) care|certify that|兹证明|茲證明|该患者|该病人|本患者|诊断证明|"
                   r"我(?:母亲|父亲|妈|爸|爷爷|奶奶|老公|老婆|儿子|女儿|孩子)|(?:男|女)性?[,，、 ]{0,2}(?:约|现年)?\d{1,3}岁", re.IGNORECASE)
"""How a text speaks of one patient: with an identifier of any kind it is a record."""
_MEASURED = re.compile(r"\bBP ?:? ?\d{2,3}/\d{2,3}|\d{2,3}/\d{2,3} ?mmHg|\d ?(?:mmol|[μu]mol|g|U|IU)/L|mg/dL|×10\^9|\b(?:HR|RR|P|R) ?:? ?\d{2,3}\b|"
                       r"\b(?:WBC|Hgb|Hb|SpO2|PLT|LDL|TSH|INR)\b ?:? ?\d|QTc|\bbpm\b")
"""What is measured in a body: beside an identifier of any kind it makes a record. Papers and books have it too, but no identifier."""
GATE = r"(?:主诉|主訴|现病史|現病史|chief complaint|history of present illness|hpi|past medical history)[ \t]?[:\]】]"
"""RE2 pattern without which a text without identifiers is no record."""
TITLE = (r"(?:入院|出院|病程|护理|護理|手术|手術|会诊|會診|随访|隨訪|转诊|轉診|抢救|查房|麻醉|门诊|門診|急诊|急診|检验|檢驗|检查|檢查|病理|影像|病案|住院)(?:记录|紀錄|小结|病历|病歷|登记|报告|報告|首页|摘要|单|單)"
         r"|(?:admission|progress|discharge|nursing|consult(?:ation)?|operative|emergency department|clinic|office|follow-?up|procedure|triage|"
         r"transfer|social work|telephone|soap) (?:note|summary|report|letter|encounter|visit|assessment)"
         r"|history and physical")
"""What a record is called, in a short line at its top."""
_TITLE = re.compile(TITLE, re.IGNORECASE)
_TOP_LINES, _TITLE_CHARS = 3, 40
INTRODUCTION = r"我叫|my name is"
_INTRODUCED = re.compile(INTRODUCTION, re.IGNORECASE)
_TALK = 400
"""Characters around an introduction within which a word of medicine makes it a patient's. ours: a few turns of a chat"""
_MAIN_HEADING = re.compile(GATE, re.IGNORECASE)


def signs(text: str, found: list) -> list[int]:
    """Where the signs of a record stand in `text` (narrowed), sorted; nothing where it is none. `found` are its identifiers of scope `any`."""
    kinds, n_who = {item.kind for item in found}, sum(item.kind in _WHO for item in found)
    born = [match.start() for match in dates.LABELLED.pattern.finditer(text)]
    headings = [(match.lastindex, match.start()) for match in _HEADING.finditer(text) if _HEADED.match(text, match.end())]
    introduced = [match.start() for match in _INTRODUCED.finditer(text) if _CLINICAL.search(text, max(0, match.start() - _TALK), match.end() + _TALK)]
    titled = [0] if any(len(line) <= _TITLE_CHARS and _TITLE.search(line) for line in text.split("\n", _TOP_LINES)[:_TOP_LINES]) and "\n" in text else []
    n_headings = len({number for number, _ in headings})
    cases = [match.start() for pattern in (_CASE, _MEASURED) for match in pattern.finditer(text)] if found else []
    clinical, charted = bool(_CLINICAL.search(text)), n_headings >= 3 and bool(_MAIN_HEADING.search(text))
    known = n_who and (n_headings or kinds & (_REACHED | _WHO - {"name"}) or n_who > 1)
    if not (charted or introduced or (titled and clinical) or kinds & _FILE or born or (clinical and (known or cases))):
        return []
    return sorted([*born, *introduced, *titled, *cases, *(at for _, at in headings), *(item.start for item in found if item.kind in _WHO | _FILE)])


def is_near(places: list[int], at: int) -> bool:
    """Whether one of the sorted `places` is within `REACH` of `at`."""
    number = bisect_left(places, at)
    return any(0 <= n < len(places) and abs(places[n] - at) <= REACH for n in (number - 1, number))
