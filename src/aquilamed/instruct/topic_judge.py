"""A remote model says which department and which disease a conversation is about; asked twice, and only what both replies say counts. ours: prompts and all

The two wordings list the departments in opposite order. The disease is told in words and looked up in the lexicon, so that a label is always one of its
ids. Identifiers are masked before anything is sent; what can't be read is never guessed.
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from aquilamed.hygiene import identifiers, phrases
from aquilamed.instruct import lexicon
from aquilamed.models import remote, structured

NONE = "none"
AGREED, DISAGREED, UNPARSED, REFUSED = OUTCOMES = ("agreed", "disagreed", "unparsed", "refused")
"""What can come of two replies; `disagreed` is on the department."""
_TOLD = {
    "zh": ("你在给医疗对话分类。从下列科室中选出患者最该去的一个，非医疗对话选 none：{departments}。再写出对话主要涉及的一种疾病的名称，没有明确的疾病就留空，不要从症状猜测疾病。"
           "只输出一行 JSON：{form}", "、", "肺炎"),
    "en": ("You sort medical conversations. Choose the one department that the patient should see, or none where the conversation is not medical: {departments}. Then name the one disease that "
           "it is mainly about; leave that empty where no disease is named, and don't infer one from symptoms. Reply with one line of JSON and nothing else: {form}", ", ", "pneumonia"),
}
"""Language -> what is asked, what stands between two departments, a disease."""


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What both replies say."""

    department: str | None
    disease: str | None
    outcome: str
    """One of `OUTCOMES`; with all but the first there is neither label."""
    unlisted: bool = False
    """Both named a disease, and one of the names is not in the lexicon."""


def ask(endpoint: remote.Endpoint, rows: Sequence[dict], words: lexicon.Lexicon, max_chars: int) -> tuple[list[Verdict], list[remote.Reply]]:
    """A verdict for each conversation, and all replies."""
    replies = remote.ask(endpoint, [question(row, words, wording, max_chars) for row in rows for wording in (0, 1)])
    told = [None if reply.text is None else read(reply.text, words) or () for reply in replies]
    diseases = _looked_up([answer[1] if answer else "" for answer in told], words)
    answers = [answer and (answer[0], disease, bool(answer[1])) for answer, disease in zip(told, diseases, strict=True)]
    return [_verdict(*pair) for pair in zip(answers[::2], answers[1::2], strict=True)], replies


def question(row: dict, words: lexicon.Lexicon, wording: int, max_chars: int) -> list[dict]:
    """The messages that ask about a conversation; `wording` 0 or 1."""
    lang, step = ("zh" if row["lang"] in ("zh", "mixed") else "en"), (1 if wording == 0 else -1)
    told, between, disease = _TOLD[lang]
    names = [f"{department} ({words.names['department'][department][lang == 'zh']})" for department in words.departments[::step]]
    form = json.dumps({"department": words.departments[::step][0], "disease": disease}, ensure_ascii=False)
    masked, _ = identifiers.mask([message["content"] for message in row["messages"]], row["lang"])
    shown = "\n".join(f"{message['role']}: {text}" for message, text in zip(row["messages"], masked, strict=True))[:max_chars]
    return [{"role": "system", "content": told.replace("{departments}", between.join(names)).replace("{form}", form)},
            {"role": "user", "content": f"<conversation>\n{shown}\n</conversation>"}]


def read(reply: str, words: lexicon.Lexicon) -> tuple[str, str] | None:
    """(department or `none`, the disease's name or ""), or None where the reply is not of the form asked for."""
    found = structured.read_object(reply)
    if not found or set(found) != {"department", "disease"} or not all(isinstance(value, str) for value in found.values()):
        return None
    return (found["department"], found["disease"].strip()) if found["department"] in {*words.departments, NONE} else None


def counted(verdicts: Sequence[Verdict]) -> Counter:
    """How many verdicts there are of each kind."""
    return Counter(verdict.outcome for verdict in verdicts) + Counter(unlisted_disease=sum(verdict.unlisted for verdict in verdicts))


def _looked_up(names: list[str], words: lexicon.Lexicon) -> list[str | None]:
    """The lexicon's disease of each name."""
    found = phrases.find(pa.array(names, pa.string()), words.phrases)
    disease = words.disease_of[found.label]
    best = lexicon.best(found.text[disease >= 0], disease[disease >= 0], np.ones(int((disease >= 0).sum())), len(names))
    return [words.diseases[number] if number >= 0 else None for number in best]


def _verdict(first: tuple | None, second: tuple | None) -> Verdict:
    """`first` and `second`: (department, disease of the lexicon, whether one was named), () where it can't be read, None where it was refused."""
    if not first or not second:
        return Verdict(None, None, REFUSED if None in (first, second) else UNPARSED)
    if first[0] != second[0]:
        return Verdict(None, None, DISAGREED)
    disease = first[1] if first[1] == second[1] else None
    return Verdict(None if first[0] == NONE else first[0], disease, AGREED, unlisted=first[2] and second[2] and None in (first[1], second[1]))
