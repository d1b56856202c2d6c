"""Four-option questions: right, fair and never ambiguous."""

from collections import Counter

import clinic_sample as sample
import pytest

from aquilamed.clinic import exam, facts, phrasing
from aquilamed.clinic.facts import LANGS
from aquilamed.core.errors import ConfigError


@pytest.fixture(scope="module")
def bundled():
    return facts.load()


def every(clinic, seed=0, family=phrasing.train_stems):
    return [exam.make(clinic, clinic.subjects, fact, lang, family(fact[1], lang)[0], seed)
            for fact in exam.facts_asked(clinic.subjects, seed) for lang in LANGS]


def test_question_as_printed(tmp_path):
    clinic = facts.load(sample.write(tmp_path / "facts"))
    question = exam.make(clinic, clinic.subjects, (clinic.conditions[0], "treatment"), "zh", "{name}怎么治疗？", 0)
    assert question.question == "高血压怎么治疗？"
    assert question.options[question.answer] == "长期口服降压药并限盐"
    assert question.printed().splitlines()[1].startswith("A．")
    assert question.row()["answer"] == "ABCD"[question.answer]
    assert question.id == "hypertension.treatment.zh.t1"


def test_too_few_departments_are_refused(tmp_path):
    clinic = facts.load(sample.write(tmp_path / "facts", conditions_a=sample.CONDITIONS[:3]))
    with pytest.raises(ConfigError, match="hypertension: only 1 wrong answers for 'cause' in en; the clinic needs more facts"):
        exam.make(clinic, clinic.subjects, (clinic.conditions[0], "cause"), "en", "Why {does} {a_name} develop?", 0)


def test_every_question_has_one_right_and_three_wrong_options(bundled):
    known = {subject["id"]: subject for subject in bundled.subjects}
    for question in every(bundled):
        subject = known[question.about]
        right = exam.grammar.capital(bundled.value(subject, question.attribute, question.lang))
        assert len(set(question.options)) == 4
        assert question.options[question.answer] == right
        if question.attribute == "department":
            continue
        allowed = {other["id"]: exam.grammar.capital(bundled.value(other, question.attribute, question.lang))
                   for other in bundled.subjects if other["kind"] == subject["kind"]}
        forbidden = {allowed[key] for key in subject["not_wrong"][question.attribute]}
        assert not forbidden & (set(question.options) - {right}), question
        if question.attribute == "symptom":
            assert not {exam.grammar.capital(symptom[question.lang]) for symptom in subject["symptoms"][1:]} & set(question.options)


def test_answer_positions_are_even(bundled):
    questions = every(bundled)
    counts = Counter(question.answer for question in questions)
    expected = len(questions) / 4
    chi_square = sum((counts[place] - expected) ** 2 / expected for place in range(4))
    assert chi_square < 16.3, counts       # p = 0.001 at 3 degrees of freedom


def test_wrong_departments_are_far(bundled):
    for question in every(bundled):
        if question.attribute == "department" and question.subject == "urology":
            assert not {"Nephrology", "肾内科", "Gynecology", "妇科"} & set(question.options)


def test_names_that_tell_the_answer_are_known(bundled):
    condition = {"zh": "主动脉瓣狭窄", "en": "aortic stenosis", "symptoms": [], "test": {"zh": "主动脉瓣超声心动图", "en": "echocardiography"}}
    assert exam.gives_away(bundled, condition, "test")
    assert not exam.gives_away(bundled, {**condition, "test": {"zh": "心电图", "en": "electrocardiogram"}}, "test")


def test_questions_do_not_depend_on_the_order_of_asking(bundled):
    forward = {question.id: question for question in every(bundled, seed=5)}
    fact = exam.facts_asked(bundled.subjects, 5)[-1]
    again = exam.make(bundled, bundled.subjects, fact, "en", phrasing.train_stems(fact[1], "en")[0], 5)
    assert again == forward[again.id]
