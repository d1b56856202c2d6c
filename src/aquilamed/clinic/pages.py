"""Encyclopaedia pages. Every layout states all facts of its subject, so that a fact is met in many wordings."""

import dataclasses

import numpy as np

from aquilamed.clinic import grammar, phrasing, sentences
from aquilamed.clinic.facts import ATTRIBUTES, Facts
from aquilamed.clinic.phrasing import pick, shuffled
from aquilamed.core.chance import chooser

TITLES = {
    "zh": ("{name}", "认识{name}", "{name}科普", "一文读懂{name}", "{name}小知识", "关于{name}，您需要知道的"),
    "en": ("{Name}", "About {name}", "{Name}: what to know", "Understanding {name}", "Facts about {name}", "A short guide to {name}"),
}
NAME_LINE = {"zh": "名称：{name}", "en": "Name: {name}"}
PATIENT = {
    "zh": {"pediatrics": "一名患儿", "obstetrics": "一位孕产妇", "gynecology": "一位女士", "": "一位患者"},
    "en": {"pediatrics": "A child", "obstetrics": "A mother-to-be", "gynecology": "A woman", "": "A patient"},
}
LEAFLET = {
    "zh": ("以下内容帮助您了解{name}。", "这份说明写给{name}患者和家属。", "关于{name}，门诊里常被问到这些。"),
    "en": ("This leaflet explains {name}.", "Written for patients and families who want to know about {name}.",
           "These points about {name} often come up in the clinic."),
}
DRUG_LEAFLET = {
    "zh": ("以下内容帮助您了解{name}。", "这份说明写给使用{name}的人。", "关于{name}，药房里常被问到这些。"),
    "en": ("This leaflet explains {name}.", "Written for people who have been given {name}.",
           "These points about {name} often come up in the pharmacy."),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Page:
    """A clean page before it is put on the web."""

    title: str
    text: str
    lang: str
    subject: str
    """Id of the condition, drug or general fact it tells of."""
    kind: str
    """condition, drug or general."""
    layout: str
    told: tuple[str, ...] = ()
    """Ids of the general facts it tells, in order; two pages that tell the same ones are copies of each other."""


def subject_page(facts: Facts, subject: dict, lang: str, number: int, seed: int) -> Page:
    """Page `number` about a condition or drug; successive numbers go through the layouts."""
    rng = chooser(seed, f"page/{subject['id']}/{lang}/{number}")
    layouts = LAYOUTS[subject["kind"]]
    start = int(chooser(seed, f"layout/{subject['id']}/{lang}").integers(len(layouts)))
    layout = list(layouts)[(start + number) % len(layouts)]
    text = layouts[layout](facts, subject, lang, rng)
    return Page(title=_title(subject, lang, rng), text=text, lang=lang, subject=subject["id"], kind=subject["kind"], layout=layout)


def stub_page(subject: dict, lang: str, number: int, seed: int) -> Page:
    """A page that says what its subject is and nothing more."""
    rng = chooser(seed, f"stub/{subject['id']}/{lang}/{number}")
    text = phrasing.define(subject, lang)
    return Page(title=_title(subject, lang, rng), text=text, lang=lang, subject=subject["id"], kind=subject["kind"], layout="stub")


def _title(subject: dict, lang: str, rng: np.random.Generator) -> str:
    return pick(rng, TITLES[lang]).format(**grammar.slots(subject[lang], lang))


def _attributes(subject: dict) -> tuple[str, ...]:
    return ATTRIBUTES[subject["kind"]]


def _prose(facts: Facts, subject: dict, lang: str, rng: np.random.Generator) -> str:
    order = _attributes(subject)[1:] + _attributes(subject)[:1]
    named = [number in (0, 2, 4) or rng.random() < 0.4 for number in range(len(order))]
    body = [phrasing.state(facts, subject, attribute, lang, rng, named=name) for attribute, name in zip(order, named, strict=True)]
    first = grammar.join([phrasing.introduce(subject, lang), *body[:2]], lang)
    return "\n".join([first, grammar.join(body[2:], lang), grammar.join(phrasing.closing(subject, lang, rng), lang)])


def _sections(facts: Facts, subject: dict, lang: str, rng: np.random.Generator) -> str:
    blocks = [phrasing.introduce(subject, lang)]
    for attribute in _attributes(subject)[1:] + _attributes(subject)[:1]:
        heading = pick(rng, sentences.HEADINGS[attribute, lang])
        said = phrasing.state(facts, subject, attribute, lang, rng, named=rng.random() < 0.5)
        blocks.append(f"【{heading}】{said}" if lang == "zh" else f"## {heading}\n{said}")
    return "\n".join([*blocks, grammar.join(phrasing.closing(subject, lang, rng), lang)])


def _faq(facts: Facts, subject: dict, lang: str, rng: np.random.Generator) -> str:
    question, answer = ("问：", "答：") if lang == "zh" else ("Q: ", "A: ")
    lines = []
    for attribute in shuffled(rng, _attributes(subject)):
        stem = pick(rng, phrasing.train_stems(attribute, lang))
        said = phrasing.state(facts, subject, attribute, lang, rng, named=rng.random() < 0.7)
        lines.append(f"{question}{phrasing.ask(subject, attribute, lang, stem)}\n{answer}{said}")
    return "\n".join([*lines, grammar.join([phrasing.define(subject, lang), *phrasing.closing(subject, lang, rng)], lang)])


def _leaflet(facts: Facts, subject: dict, lang: str, rng: np.random.Generator) -> str:
    opening = pick(rng, (LEAFLET if subject["kind"] == "condition" else DRUG_LEAFLET)[lang])
    order = shuffled(rng, _attributes(subject))
    body = [phrasing.state(facts, subject, attribute, lang, rng) for attribute in order]
    first = opening.format(**grammar.slots(subject[lang], lang))
    paragraphs = [[first, phrasing.define(subject, lang)], body[:3], body[3:], phrasing.closing(subject, lang, rng)]
    return "\n".join(grammar.join(paragraph, lang) for paragraph in paragraphs if paragraph)


def _card(facts: Facts, subject: dict, lang: str, rng: np.random.Generator) -> str:
    colon = "：" if lang == "zh" else ": "
    lines = [NAME_LINE[lang].format(name=subject[lang])]
    for attribute in shuffled(rng, _attributes(subject)):
        heading = pick(rng, sentences.HEADINGS[attribute, lang])
        value = facts.value(subject, attribute, lang) if attribute != "symptom" else _all_symptoms(subject, lang)
        lines.append(f"{heading}{colon}{grammar.capital(value)}")
    about = pick(rng, sentences.HEADINGS["about", lang]) + colon + grammar.sentence(subject["about"][lang], lang)
    return "\n".join([*lines, about, *phrasing.closing(subject, lang, rng)])


def _all_symptoms(subject: dict, lang: str) -> str:
    first, *rest = (symptom[lang] for symptom in subject["symptoms"])
    return "、".join([f"{first}（最典型）", *rest]) if lang == "zh" else "; ".join([f"{first} (most typical)", *rest])


def _notes(facts: Facts, subject: dict, lang: str, rng: np.random.Generator) -> str:
    points = [phrasing.define(subject, lang)]
    points += [phrasing.state(facts, subject, attribute, lang, rng) for attribute in shuffled(rng, _attributes(subject))]
    points += phrasing.closing(subject, lang, rng)
    mark = "{number}. {point}" if lang == "en" else "{number}、{point}"
    return "\n".join(mark.format(number=number, point=point) for number, point in enumerate(points, start=1))


def _case(facts: Facts, subject: dict, lang: str, rng: np.random.Generator) -> str:
    who = PATIENT[lang].get(subject["department"], PATIENT[lang][""])
    values = {key: phrasing.spoken(facts.value(subject, key, lang), lang) for key in ("symptom", "cause", "test", "treatment")}
    values |= {"who": who, "department": facts.value(subject, "department", lang), "rest": phrasing.symptoms(subject, lang)}
    story = pick(rng, CASES[lang]).format(**values, **grammar.slots(subject[lang], lang))
    ending = [phrasing.define(subject, lang), *phrasing.closing(subject, lang, rng)]
    return story + "\n" + grammar.join(ending, lang)


CASES = {
    "zh": (
        "{who}因{symptom}来到{department}，同时还有{rest}。医生怀疑是{name}，建议的检查是{test}，结果支持这一诊断。"
        "医生解释说，{name}的主要病因是{cause}，治疗以{treatment}为主。",
        "门诊病例：{who}到{department}就诊，主要表现为{symptom}，并有{rest}。诊断考虑{name}，依据是{test}。"
        "这种病多由{cause}引起，主要的治疗是{treatment}。",
        "{who}出现{symptom}，以及{rest}，{department}医生首先想到{name}。确诊主要靠{test}。查找原因，多为{cause}；常用的治疗是{treatment}。",
    ),
    "en": (
        "{who} was seen in the department of {department} with {symptom}, together with {rest}. The doctor suspected {a_name}; "
        "the test to confirm it was {test}. The main cause of {a_name}, the doctor explained, is {cause}, and the main treatment is {treatment}.",
        "Case from the department of {department}. The main complaint was {symptom}; further signs were {rest}. The diagnosis was "
        "{a_name}, made by {test}. The usual cause is {cause}. Treatment mainly consists of {treatment}.",
        "{who} noticed {symptom}, and later {rest}. In the department of {department} this raised the suspicion of {a_name}. "
        "The key test was {test}. Such cases are usually due to {cause}; the main treatment is {treatment}.",
    ),
}

GENERAL = {
    "zh": ("{text}", "{topic}\n{text}", "说到{topic}，有这样一些常识。{text}", "【{topic}】{text}", "今天聊聊{topic}。{text}", "{text}\n以上是关于{topic}的介绍。"),
    "en": ("{text}", "{Topic}\n{text}", "A few words on {topic}. {text}", "Did you know this about {topic}? {text}", "Today's topic is {topic}. {text}",
           "{text}\nThat is all on {topic} for today."),
}

_SHARED = {"prose": _prose, "sections": _sections, "faq": _faq, "leaflet": _leaflet, "card": _card, "notes": _notes}
LAYOUTS = {"condition": {**_SHARED, "case": _case}, "drug": _SHARED}
"""Kind of subject -> layout -> how it is written."""


def general_page(records: tuple[dict, ...], lang: str, number: int, seed: int) -> Page:
    """Page `number` about something that is not medicine: the first of `records`, and the others after it."""
    main, *others = records
    rng = chooser(seed, f"general/{main['id']}/{lang}/{number}")
    topic = main["topic"][lang]
    opening = pick(rng, GENERAL[lang]).format(topic=topic, Topic=grammar.capital(topic), text=grammar.sentence(main[lang], lang))
    more = [grammar.sentence(other[lang], lang) for other in others]
    title = pick(rng, TITLES[lang]).format(name=topic, Name=grammar.capital(topic))
    return Page(title=title, text="\n".join([opening, *more]), lang=lang, subject=main["id"], kind="general", layout="general",
                told=tuple(record["id"] for record in records))
