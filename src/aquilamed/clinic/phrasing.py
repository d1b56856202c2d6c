"""One fact, one sentence: fills the statements and stems with a subject's values."""

import re
from collections.abc import Sequence

import numpy as np

from aquilamed.clinic import grammar, sentences, templates
from aquilamed.clinic.facts import Facts

_NOUN_LAST = re.compile(r"(?:的[^，。的]{1,12}|病|症|炎|瘤|癌|药)。?$")
"""A Chinese description that is a noun phrase takes 是; one that is a clause takes 是指."""

_GRAVE = re.compile(
    r"胸痛|呼吸|气促|气短|窒息|喘|喉|意识|昏|晕|休克|神志|谵妄|嗜睡|抽搐|惊厥|偏瘫|瘫|一侧|肢体.{0,3}无力|腿.{0,2}无力|言语|说话|口角|口唇|"
    r"大量|不止|出血|呕血|黑便|咯血|便血|剧烈|剧痛|高热|体温|心跳|无尿|排不出|苍白|急诊|立即|视力|失明|轻生|自杀|自伤|伤害|脱水|痉挛|胎动|毒|胸闷|过量|咬伤|失控|出生一天|尿量骤减|推回|张口后")
"""Red flags that call for emergency help at once."""


def pick(rng: np.random.Generator, options: Sequence):
    """One of `options`, evenly."""
    return options[int(rng.integers(len(options)))]


def shuffled(rng: np.random.Generator, items: Sequence) -> list:
    return [items[int(number)] for number in rng.permutation(len(items))]


def spoken(text: str, lang: str) -> str:
    """A short fact as it stands inside a sentence: English ones with their article."""
    return text if lang == "zh" else grammar.indefinite(text)


def symptoms(subject: dict, lang: str, start: int = 1) -> str:
    """The symptoms from number `start` on, as a list."""
    return grammar.listing([spoken(symptom[lang], lang) for symptom in subject["symptoms"][start:]], lang)


def values(facts: Facts, subject: dict, attribute: str, lang: str) -> dict[str, str]:
    """The slots that a statement about `attribute` may use."""
    bare = facts.value(subject, attribute, lang)
    value = bare if attribute == "department" else spoken(bare, lang)
    found = {**grammar.slots(subject[lang], lang), "value": value, "bare": bare}
    if attribute == "symptom":
        found |= {"first": value, "rest": symptoms(subject, lang)}
    return found


def state(facts: Facts, subject: dict, attribute: str, lang: str, rng: np.random.Generator, *, named: bool = True) -> str:
    """A sentence that states the fact, with or without the subject's name."""
    found = values(facts, subject, attribute, lang)
    family = (sentences.NAMED if named else sentences.SHORT)[attribute, lang]
    return grammar.sentence(pick(rng, fitting(family, found["value"])).format(**found), lang)


def fitting(frames: Sequence[str], value: str) -> list[str]:
    """The frames that do not repeat 为主 where the value says it already."""
    return [frame for frame in frames if "为主" not in frame or "为主" not in value]


def ask(subject: dict, attribute: str, lang: str, stem: str) -> str:
    """A stem filled with the subject's name."""
    return stem.format(**grammar.slots(subject[lang], lang))


def train_stems(attribute: str, lang: str) -> tuple[str, ...]:
    return templates.STEMS[attribute, lang]["train"]


def exam_stems(attribute: str, lang: str) -> tuple[str, ...]:
    return templates.STEMS[attribute, lang]["exam"]


def define(subject: dict, lang: str) -> str:
    """What the subject is, as a sentence: `Hypertension is a chronic condition ...`; a drug's description is one already."""
    return _defined(subject, lang, subject[lang] if lang == "zh" else grammar.slots(subject[lang], lang)["A_name"])


def introduce(subject: dict, lang: str) -> str:
    """The same with the other names in brackets: `Atrial fibrillation (also called AFib) is ...`."""
    names = subject.get("aliases", {}).get(lang, ())
    if not names:
        return define(subject, lang)
    if lang == "zh":
        return _defined(subject, lang, f"{subject[lang]}（又称{'、'.join(names)}）")
    return _defined(subject, lang, f"{grammar.slots(subject[lang], lang)['A_name']} (also called {grammar.listing(list(names), lang)})")


def _defined(subject: dict, lang: str, name: str) -> str:
    about = subject["about"][lang].strip()
    if subject["kind"] == "drug":
        return grammar.sentence(about, lang)
    if lang == "zh":
        verb = "" if about.startswith("是") else "是" if _NOUN_LAST.search(about) or about.startswith("一") else "是指"
        return grammar.sentence(f"{name}{verb}{about}", lang)
    is_acronym = about[:2].isalpha() and about[:2].isupper()
    verb = grammar.slots(subject[lang], lang)["is"]
    return grammar.sentence(f"{name} {verb} {about if is_acronym else about[0].lower() + about[1:]}", lang)


def danger(subject: dict, lang: str, rng: np.random.Generator) -> str:
    """The red flag with what to do: call for help, or see a doctor where it is not that grave."""
    frames = sentences.DANGER if _GRAVE.search(subject["red_flag"]["zh"]) else sentences.SEE_DOCTOR
    flag = grammar.danger(subject["red_flag"][lang], lang)
    return grammar.sentence(pick(rng, frames[lang]).format(flag=flag), lang)


def closing(subject: dict, lang: str, rng: np.random.Generator) -> list[str]:
    """How a page ends: advice and red flag of a condition, use and reminder of a drug."""
    if subject["kind"] == "condition":
        return [subject["advice"][lang], danger(subject, lang, rng)]
    return [subject["how"][lang], pick(rng, sentences.PRESCRIBED[lang])]
