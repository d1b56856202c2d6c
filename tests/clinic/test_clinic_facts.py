"""Facts are refused with file, line and key; the bundled ones are whole."""

import copy
import json

import pytest
import clinic_sample as sample

from aquilamed.clinic import facts
from aquilamed.core.errors import RecordError


def refused(tmp_path, **changed) -> str:
    with pytest.raises(RecordError) as error:
        facts.load(sample.write(tmp_path / "facts", **changed))
    return str(error.value)


def changed_condition(**values) -> list[dict]:
    rows = copy.deepcopy(sample.CONDITIONS)
    rows[1].update(values)
    return rows


def test_sample_loads_in_both_languages(tmp_path):
    found = facts.load(sample.write(tmp_path / "facts"))
    first = found.conditions[0]
    assert found.value(first, "symptom", "zh") == "后枕部胀痛"
    assert found.value(first, "department", "en") == "cardiology"
    assert found.value(found.drugs[0], "class", "en") == "calcium channel blocker"
    assert [subject["kind"] for subject in found.subjects] == ["condition"] * 6 + ["drug"] * 4


def test_missing_language_is_refused(tmp_path):
    assert "conditions_a.jsonl line 2: cause has no text in 'en'" in refused(tmp_path, conditions_a=changed_condition(cause={"zh": "原因", "en": " "}))


def test_id_used_twice_is_refused(tmp_path):
    message = refused(tmp_path, conditions_b=[sample.CONDITIONS[0]])
    assert "conditions_b.jsonl line 1: id 'hypertension' stands already in conditions_a.jsonl line 1" in message


def test_unknown_id_in_not_wrong_is_refused(tmp_path):
    not_wrong = {"symptom": ["nobody"], "cause": [], "test": [], "treatment": []}
    assert "line 2: not_wrong.symptom names 'nobody'" in refused(tmp_path, conditions_a=changed_condition(not_wrong=not_wrong))


def test_unknown_department_and_kind_of_dirt_are_refused(tmp_path):
    assert "line 2: unknown department 'surgery'" in refused(tmp_path, conditions_a=changed_condition(department="surgery"))
    assert "dirt.jsonl line 1: kind 'spam' should be one of ad, boilerplate" in refused(tmp_path / "x", dirt=[{"kind": "spam", "zh": "甲", "en": "a"}])


def test_bundled_facts_are_whole():
    found = facts.load()
    assert len(found.conditions) >= 150
    assert len(found.drugs) >= 60
    assert {condition["department"] for condition in found.conditions} <= set(found.departments)


def test_every_unsafe_snippet_has_a_word_of_the_lexicon():
    lexicon = [json.loads(line) for line in (facts.BUNDLED / "unsafe_words.jsonl").read_text(encoding="utf-8").splitlines()]
    for record in facts.load().dirt["unsafe"]:
        for lang in ("zh", "en"):
            assert any(word in record[lang].lower() for kind in lexicon for word in kind[lang]), record[lang]
