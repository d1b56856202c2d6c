"""Conversations between patients and doctors, and single questions with their answers.

Safe by construction: emergencies are answered with the call for help first, nothing names a dose, nothing is diagnosed or
prescribed without an examination.
"""

import re

import numpy as np

from aquilamed.clinic import grammar, phrasing, talk
from aquilamed.clinic.facts import ATTRIBUTES, Facts
from aquilamed.clinic.phrasing import pick
from aquilamed.core.chance import chooser, share

_URGENT = re.compile(r"急症|危重|危及生命|致命")
_CALL = re.compile(r"立即[^，。]{0,6}(?:呼叫|拨打)|(?:立即|马上)[^。]*(?:救护车|急诊|急救)")
ALSO_URGENT = frozenset(
    "rabies tetanus cholera complete_heart_block spontaneous_pneumothorax acute_pancreatitis acute_appendicitis hepatic_encephalopathy "
    "acute_kidney_injury preeclampsia placenta_previa febrile_seizure femoral_neck_fracture insect_venom_allergy peanut_allergy "
    "acute_pericarditis hereditary_angioedema".split())
"""Conditions whose description does not call them an emergency, but whose first symptoms, told to a doctor from afar, are one."""

WALK_IN = frozenset({"ophthalmology", "urology", "general_surgery"})
"""Departments whose emergencies go to hospital at once, but not by ambulance."""


def is_urgent(subject: dict) -> bool:
    """Whether a consultation about the condition has to begin with the call for help."""
    told = _URGENT.search(subject["about"]["zh"]) or _CALL.search(subject["advice"]["zh"])
    return bool(subject["department"] == "emergency" or subject["id"] in ALSO_URGENT or told)


def conversation(facts: Facts, subject: dict, lang: str, number: int, seed: int) -> dict:
    """A consultation of 1 to 4 exchanges about a condition: symptoms, questions back, likely cause, advice, red flags."""
    key = f"consultation/{subject['id']}/{number}"
    rng = chooser(seed, f"{key}/{lang}")
    n_turns, topic = 1 + int(share(seed, key) * 4), ("cause", "treatment")[share(seed, f"{key}/topic") < 0.6]
    turns = _urgent(facts, subject, lang, rng, n_turns, topic) if is_urgent(subject) else _routine(facts, subject, lang, rng, n_turns, topic)
    return {"about": subject["id"], "lang": lang, "subject": subject["department"], "attribute": "case", "turns": turns, "truth": _clean(lang)}


def question_answer(facts: Facts, subject: dict, lang: str, number: int, seed: int) -> dict:
    """One question about one fact of a condition or drug, with a short answer; numbers go through what can be asked."""
    rng = chooser(seed, f"qa/{subject['id']}/{lang}/{number}")
    asked = (*ATTRIBUTES[subject["kind"]], "other")
    start = int(share(seed, f"qa/{subject['id']}") * len(asked))
    attribute = asked[(start + number) % len(asked)]
    question, answer = _other(subject, lang, rng, share(seed, f"other/{subject['id']}/{number}")) if attribute == "other" else _about_fact(facts, subject, attribute, lang, rng)
    return {"about": subject["id"], "lang": lang, "subject": subject.get("department", "pharmacology"), "attribute": attribute,
            "turns": [(question, answer)], "truth": _clean(lang)}


def general_answer(record: dict, lang: str, seed: int) -> dict:
    """A short instruction about something that is not medicine."""
    rng = chooser(seed, f"general/{record['id']}/{lang}")
    first, rest = _cut(record[lang], lang)
    if rest and rng.random() < 0.5:
        question, answer = pick(rng, talk.CONTINUE_TASKS[lang]).format(first=first), rest
    else:
        question, answer = pick(rng, talk.GENERAL_TASKS[lang]).format(topic=record["topic"][lang]), record[lang]
    return {"about": record["id"], "lang": lang, "subject": "general", "attribute": "general", "turns": [(question, answer)],
            "truth": _clean(lang)}


def _cut(text: str, lang: str) -> tuple[str, str]:
    """The first sentence and the others."""
    end = "。" if lang == "zh" else ". "
    first, stop, rest = text.partition(end)
    return (first + stop.strip(), rest.strip()) if stop else (text, "")


def _clean(lang: str) -> dict[str, str]:
    return {"dirt": "clean", "lang": lang}


def _routine(facts: Facts, subject: dict, lang: str, rng: np.random.Generator, n_turns: int, topic: str) -> list[tuple[str, str]]:
    slots = _slots(facts, subject, lang)
    openings = talk.CHILD_OPENINGS if subject["department"] == "pediatrics" else talk.OPENINGS
    opening = pick(rng, openings[lang]).format(**slots)
    suspicion = pick(rng, talk.SUSPECT[lang]).format(**slots)
    if n_turns == 1:
        return [(opening, grammar.join([suspicion, phrasing.danger(subject, lang, rng)], lang))]
    asked, answered = (text.format(**slots) for text in pick(rng, talk.ASK_MORE[lang]))
    turns = [(opening, asked), (answered, suspicion), *_follow_ups(facts, subject, lang, rng, (topic, "advice")[:n_turns - 2])]
    if n_turns < 4:
        said, reply = turns.pop()
        turns.append((said, grammar.join([reply, phrasing.danger(subject, lang, rng)], lang)))
    return turns


def _urgent(facts: Facts, subject: dict, lang: str, rng: np.random.Generator, n_turns: int, topic: str) -> list[tuple[str, str]]:
    slots = _slots(facts, subject, lang)
    opening = pick(rng, talk.URGENT_OPENINGS[lang]).format(**slots)
    replies = talk.GO_NOW if subject["department"] in WALK_IN else talk.URGENT
    reply = pick(rng, replies[lang]).format(**slots)
    return [(opening, reply), *_follow_ups(facts, subject, lang, rng, (topic, "advice")[:n_turns - 1])]


def _follow_ups(facts: Facts, subject: dict, lang: str, rng: np.random.Generator, topics: tuple[str, ...]) -> list[tuple[str, str]]:
    """One exchange a topic: cause, treatment or advice (with the red flag)."""
    called = is_urgent(subject) and subject["department"] not in WALK_IN
    questions = talk.URGENT_FOLLOW_UPS if called else talk.FOLLOW_UPS
    turns = []
    for topic in topics:
        reply = grammar.join([subject["advice"][lang], phrasing.danger(subject, lang, rng)], lang) if topic == "advice" else \
            _reply(facts, subject, topic, lang, rng)
        turns.append((pick(rng, questions[topic, lang]), grammar.sentence(reply, lang)))
    return turns


def _reply(facts: Facts, subject: dict, topic: str, lang: str, rng: np.random.Generator) -> str:
    found = phrasing.values(facts, subject, topic, lang)
    return pick(rng, phrasing.fitting(talk.REPLIES[topic, lang], found["value"])).format(**found)


def _slots(facts: Facts, subject: dict, lang: str) -> dict[str, str]:
    first, second, third = (phrasing.spoken(symptom[lang], lang) for symptom in subject["symptoms"][:3])
    return {
        **grammar.slots(subject[lang], lang), "first": first, "second": second, "third": third, "third_bare": subject["symptoms"][2][lang],
        "department": facts.value(subject, "department", lang), "test": phrasing.spoken(facts.value(subject, "test", lang), lang),
    }


def _about_fact(facts: Facts, subject: dict, attribute: str, lang: str, rng: np.random.Generator) -> tuple[str, str]:
    question = phrasing.ask(subject, attribute, lang, pick(rng, phrasing.train_stems(attribute, lang)))
    said = [phrasing.state(facts, subject, attribute, lang, rng)]
    if (attribute, lang) in talk.ENDINGS:
        said.append(talk.ENDINGS[attribute, lang])
    elif attribute != "symptom" or rng.random() < 0.3:
        said.append(phrasing.define(subject, lang))
    return question, grammar.join(said, lang)


def _other(subject: dict, lang: str, rng: np.random.Generator, place: float) -> tuple[str, str]:
    """A question that is answered with advice, the red flag, the use or a definition."""
    templates = (talk.ASK_NAME if subject["kind"] == "condition" else talk.ASK_DRUG)[lang]
    number = int(place * len(templates))
    question = templates[number].format(**grammar.slots(subject[lang], lang))
    if subject["kind"] == "drug":
        said = [phrasing.define(subject, lang)] if number < 2 else [subject["how"][lang], pick(rng, talk.SAFE_ENDING[lang])]
    elif number < 3:
        said = [subject["advice"][lang], phrasing.danger(subject, lang, rng)]
    else:
        said = [phrasing.danger(subject, lang, rng)] if number == 3 else [phrasing.define(subject, lang), subject["advice"][lang]]
    return question, grammar.join(said, lang)

