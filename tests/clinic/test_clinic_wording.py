"""Grammar and stems: strings checked by hand, and the two families of stems kept apart."""

import re

import clinic_sample as sample
import pytest

from aquilamed.clinic import consultations, facts, grammar, pages, phrasing, sentences, templates
from aquilamed.clinic.facts import ATTRIBUTES, LANGS
from aquilamed.core.chance import chooser

WRONG_ZH = re.compile(r"[.,?!;](?![0-9a-zA-Z])|[。，、；：？！]{2,}|[{}]|\s{2,}")
WRONG_EN = re.compile(r"[。，、；？！（）]|\.\.|,,|[.,;:?!] ?[.,;]|[{}]|  | [.,;?!]|\b(?:a|an) (?:a|an|the)\b|\ba [aeio]|\ban [bcdfgjkpqtvwz]")


@pytest.fixture
def clinic(tmp_path):
    return facts.load(sample.write(tmp_path / "facts"))


@pytest.mark.parametrize(("phrase", "said"), [
    ("dull headache at the back of the head", "a dull headache at the back of the head"),
    ("ambulatory electrocardiogram", "an ambulatory electrocardiogram"), ("urine culture", "a urine culture"),
    ("ultrasound of both kidneys", "an ultrasound of both kidneys"), ("weight loss", "weight loss"), ("kidney stones", "kidney stones"),
    ("stopping penicillin and switching drug class", "stopping penicillin and switching drug class"), ("beta blocker", "a beta blocker"),
    ("ACE inhibitor", "an ACE inhibitor"), ("pituitary adenoma secreting prolactin", "a pituitary adenoma secreting prolactin"),
    ("bladder training and anticholinergic drugs", "bladder training and anticholinergic drugs"), ("unstable tear film", "unstable tear film"),
])
def test_articles(phrase, said):
    assert grammar.indefinite(phrase) == said


def test_lists_and_ends():
    assert grammar.listing(["头晕", "耳鸣", "心悸"], "zh") == "头晕、耳鸣和心悸"
    assert grammar.listing(["a", "b", "c"], "en") == "a, b, and c"
    assert grammar.danger("no urine or fever or confusion", "en") == "no urine, fever, or confusion"
    assert grammar.sentence("α受体阻滞剂", "zh") == "α受体阻滞剂。"
    assert grammar.slots("kidney stones", "en")["is"] == "are"
    assert grammar.slots("type 2 diabetes", "en")["is"] == "is"


def test_sentences_said_in_full(clinic):
    condition = clinic.conditions[0]
    assert phrasing.ask(condition, "test", "zh", templates.STEMS["test", "zh"]["exam"][1]) == "为明确高血压，应安排："
    assert phrasing.ask(condition, "cause", "en", templates.STEMS["cause", "en"]["exam"][0]) == "Hypertension most often results from:"
    assert phrasing.define(condition, "zh") == "高血压是安静状态下动脉血压持续高于正常的慢性病。"
    assert phrasing.define(condition, "en") == "Hypertension is a chronic condition in which resting arterial blood pressure stays above normal."
    said = {phrasing.state(clinic, condition, "symptom", "en", chooser(0, str(n))) for n in range(60)}
    assert "The most typical symptom of hypertension is a dull headache at the back of the head; there may also be dizziness and ringing in the ears." in said
    assert len(said) == len(sentences.NAMED["symptom", "en"])


def test_stems_are_enough_and_held_out_ones_are_used_nowhere_else():
    held, trained = set(), set()
    for attributes in ATTRIBUTES.values():
        for attribute in attributes:
            for lang in LANGS:
                families = templates.STEMS[attribute, lang]
                assert len(set(families["train"])) >= 6
                assert len(set(families["exam"])) >= 3
                held |= set(families["exam"])
                trained |= set(families["train"])
    assert not held & trained


def test_layouts_state_every_fact_without_slips(clinic):
    for subject in clinic.subjects:
        for lang in LANGS:
            for number in range(2 * len(pages.LAYOUTS[subject["kind"]])):
                page = pages.subject_page(clinic, subject, lang, number, seed=3)
                for attribute in ATTRIBUTES[subject["kind"]]:
                    assert clinic.value(subject, attribute, lang).lower() in page.text.lower(), (page.layout, attribute)
                wrong = (WRONG_ZH if lang == "zh" else WRONG_EN).search(re.sub(r"^(?:\d+\. |## )", "", page.text, flags=re.M))
                assert not wrong, (wrong.group(), page.text)


def test_bundled_pages_and_answers_read_without_slips():
    clinic = facts.load()
    for subject in clinic.subjects:
        for lang in LANGS:
            texts = [pages.subject_page(clinic, subject, lang, number, seed=0).text for number in range(len(pages.LAYOUTS[subject["kind"]]))]
            texts += [consultations.question_answer(clinic, subject, lang, number, seed=0)["turns"][0][1] for number in range(6)]
            if subject["kind"] == "condition":
                texts += [text for turn in consultations.conversation(clinic, subject, lang, 0, seed=0)["turns"] for text in turn]
            for text in texts:
                wrong = (WRONG_ZH if lang == "zh" else WRONG_EN).search(re.sub(r"^(?:\d+\. |## )", "", text, flags=re.M))
                assert not wrong, (subject["id"], wrong.group(), text)
