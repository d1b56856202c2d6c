"""Four-option questions about one fact each; chance is 25 %.

Wrong options are the same attribute of subjects from other departments or drug classes, never one that is also right
(`not_wrong`) or that resembles the right one.
"""

import dataclasses
import functools
import re
from collections.abc import Callable

from aquilamed.clinic import grammar, phrasing
from aquilamed.clinic.facts import ATTRIBUTES, LANGS, Facts
from aquilamed.core.chance import chooser, share
from aquilamed.core.errors import ConfigError

LETTERS = "ABCD"
N_OPTIONS = 4
NEAR = {key: frozenset(others.split()) for key, others in {
    "emergency": "cardiology respiratory gastroenterology endocrinology nephrology urology hematology infectious allergy neurology psychiatry "
                 "ophthalmology ent orthopedics general_surgery gynecology obstetrics pediatrics dermatology",
    "infectious": "respiratory gastroenterology dermatology pediatrics neurology hematology urology ent gynecology nephrology orthopedics obstetrics "
                  "rheumatology cardiology ophthalmology dental general_surgery",
    "oncology": "respiratory gastroenterology urology gynecology ent endocrinology dermatology hematology general_surgery neurology orthopedics dental",
    "pediatrics": "infectious dermatology ent respiratory gastroenterology neurology orthopedics hematology psychiatry endocrinology nephrology "
                  "rheumatology allergy general_surgery cardiology ophthalmology urology dental",
    "general_surgery": "gastroenterology urology endocrinology gynecology dermatology cardiology orthopedics",
    "cardiology": "respiratory nephrology neurology endocrinology", "nephrology": "urology endocrinology rheumatology hematology",
    "rheumatology": "orthopedics dermatology ophthalmology hematology respiratory", "allergy": "dermatology respiratory ent gastroenterology ophthalmology "
    "hematology", "gynecology": "obstetrics urology endocrinology dermatology", "obstetrics": "endocrinology cardiology hematology nephrology gastroenterology",
    "neurology": "psychiatry orthopedics ent ophthalmology endocrinology", "ent": "dental respiratory ophthalmology gastroenterology",
    "endocrinology": "ophthalmology gastroenterology orthopedics urology",
    "urology": "dermatology",
}.items()}
"""Department -> those that may share its patients; holds in both directions. None is a wrong answer for another."""
OWN = {key: frozenset(others.split()) for key, others in {
    "emergency": "cardiology respiratory gastroenterology nephrology infectious neurology psychiatry ent pediatrics general_surgery hematology ophthalmology",
    "infectious": "respiratory gastroenterology dermatology pediatrics neurology hematology urology ent gynecology nephrology orthopedics rheumatology "
                  "emergency general_surgery",
    "pediatrics": "infectious dermatology ent respiratory gastroenterology neurology orthopedics hematology psychiatry endocrinology nephrology "
                  "rheumatology allergy general_surgery cardiology emergency",
}.items()}
"""The same for the departments that see a little of everything: who else might see *their* patients. Comes before NEAR."""
_EMPTY_ZH = frozenset("性症病急慢的和与或")
"""Characters that stand in so many names that they tell nothing."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Question:
    """One four-option question."""

    id: str
    question: str
    options: tuple[str, ...]
    answer: int
    """Index into `options`."""
    subject: str
    """The department's id, or `pharmacology`."""
    attribute: str
    about: str
    """Id of the condition or drug."""
    lang: str

    def row(self) -> dict:
        """The question as a line of its file."""
        return {"id": self.id, "question": self.question, "options": list(self.options), "answer": LETTERS[self.answer],
                "subject": self.subject, "lang": self.lang, "attribute": self.attribute, "about": self.about, "twin": f"{self.about}.{self.attribute}"}

    def printed(self) -> str:
        """Stem and lettered options, as a page would show them."""
        marks = "{}．{}" if self.lang == "zh" else "{}. {}"
        return "\n".join([self.question, *(marks.format(letter, text) for letter, text in zip(LETTERS, self.options, strict=True))])


def make(facts: Facts, pool: tuple[dict, ...], fact: tuple[dict, str], lang: str, stem: str, seed: int) -> Question:
    """The question that `stem` asks about `fact` (subject, attribute), wrong options from `pool`.

    Raises:
        ConfigError: the pool holds no three subjects that would be wrong.
    """
    subject, attribute = fact
    text = phrasing.ask(subject, attribute, lang, stem)
    key = f"exam/{subject['id']}/{attribute}/{lang}/{text}"
    wrong = wrong_values(facts, pool, subject, attribute, lang)
    if len(wrong) < N_OPTIONS - 1:
        wrong = wrong_values(facts, facts.subjects, subject, attribute, lang)
    if len(wrong) < N_OPTIONS - 1:
        raise ConfigError(f"{subject['id']}: only {len(wrong)} wrong answers for {attribute!r} in {lang}; the clinic needs more facts of other departments")
    rng = chooser(seed, key)
    options = phrasing.shuffled(rng, wrong)[:N_OPTIONS - 1]
    answer = int(rng.integers(N_OPTIONS))
    options.insert(answer, grammar.capital(facts.value(subject, attribute, lang)))
    return Question(
        id=f"{subject['id']}.{attribute}.{lang}.{stem_number(attribute, lang, stem)}", question=text, options=tuple(options), answer=answer,
        subject=subject.get("department", "pharmacology"), attribute=attribute, about=subject["id"], lang=lang)


def stem_number(attribute: str, lang: str, stem: str) -> str:
    """`t0`, `t1` … for training stems, `x0` … for held-out ones."""
    train = phrasing.train_stems(attribute, lang)
    return f"t{train.index(stem)}" if stem in train else f"x{phrasing.exam_stems(attribute, lang).index(stem)}"


def wrong_values(facts: Facts, pool: tuple[dict, ...], subject: dict, attribute: str, lang: str) -> list[str]:
    """Values of `attribute` that are wrong for `subject`, each once, in the order of the facts."""
    if attribute == "department":
        return [grammar.capital(department[lang]) for key, department in facts.departments.items()
                if _is_far(subject["department"], key) and any(other.get("department") == key for other in pool)]
    right = _right_values(facts, subject, attribute, lang)
    found = (facts.value(other, attribute, lang) for other in pool if _is_wrong(subject, other, attribute))
    return [grammar.capital(value) for value in dict.fromkeys(found) if not any(_resemble(value, other, lang) for other in right)]


def facts_asked(subjects: tuple[dict, ...], seed: int, fits: Callable[[dict, str], bool] = lambda subject, attribute: True) -> list[tuple[dict, str]]:
    """Every (subject, attribute) that fits, by chance and the attributes in turn: any beginning of the list holds them about equally."""
    queues: dict[str, list] = {}
    for subject in subjects:
        for attribute in ATTRIBUTES[subject["kind"]]:
            if fits(subject, attribute):
                queues.setdefault(attribute, []).append((subject, attribute))
    for attribute, queue in queues.items():
        queue.sort(key=lambda fact: share(seed, f"asked/{attribute}/{fact[0]['id']}"))
    longest = max(map(len, queues.values()), default=0)
    return [queue[number] for number in range(longest) for queue in queues.values() if number < len(queue)]


def gives_away(facts: Facts, subject: dict, attribute: str) -> bool:
    """Whether the answer repeats a part of the name, so that it can be guessed without the fact."""
    return any(_shares_a_part(subject[lang], facts.value(subject, attribute, lang), lang) for lang in LANGS)


def _is_wrong(subject: dict, other: dict, attribute: str) -> bool:
    if other["kind"] != subject["kind"] or other["id"] == subject["id"]:
        return False
    group = "department" if subject["kind"] == "condition" else "class"
    if other[group] == subject[group]:
        return False
    return other["id"] not in subject["not_wrong"][attribute] and subject["id"] not in other["not_wrong"][attribute]


def _is_far(department: str, other: str) -> bool:
    """Whether `other` is a wrong answer for a patient of `department`."""
    if department in OWN:
        return other != department and other not in OWN[department]
    return other != department and other not in NEAR.get(department, ()) and department not in NEAR.get(other, ())


def _right_values(facts: Facts, subject: dict, attribute: str, lang: str) -> list[str]:
    if attribute == "symptom":
        return [symptom[lang] for symptom in subject["symptoms"]]
    return [facts.value(subject, attribute, lang)]


def _resemble(value: str, other: str, lang: str) -> bool:
    """Whether two values say much the same: one within the other, or more than half their parts in common."""
    if value.lower() in other.lower() or other.lower() in value.lower():
        return True
    ours, theirs = _parts(value, lang), _parts(other, lang)
    return len(ours & theirs) > 0.5 * min(len(ours), len(theirs))


@functools.lru_cache(maxsize=65536)
def _parts(text: str, lang: str) -> frozenset[str]:
    if lang == "zh":
        return frozenset(text[start:start + 2] for start in range(len(text) - 1))
    return frozenset(word[:5] for word in re.findall(r"[a-z]{4,}", text.lower()) if word not in ("with", "from", "after"))


def _shares_a_part(name: str, value: str, lang: str) -> bool:
    """A character that means something, or the stem of a word."""
    if lang == "zh":
        return bool((set(name) - _EMPTY_ZH) & set(value))
    return bool(_parts(name, lang) & _parts(value, lang))
