"""Notes: known spans are where they say, people stay the same, and nobody living is in them."""

import json
import re

import pytest

from aquilamed.clinic import facts, identifiers, notes, person_numbers, scoring
from aquilamed.core.chance import chooser
from aquilamed.core.errors import ConfigError
from aquilamed.core.text import narrow
from aquilamed.engine.local import Local
from aquilamed.hygiene import check_digits
from aquilamed.hygiene import names as recognised


@pytest.fixture(scope="module")
def made():
    return notes.generate(notes.Config(n_notes=120, seed=3), facts.load())


def test_the_stage_writes_what_it_counts(tmp_path):
    counts = notes.run(notes.Config(n_notes=12), {}, tmp_path, Local(1))
    lines = [json.loads(line) for line in (tmp_path / "notes.jsonl").open(encoding="utf-8")]
    assert counts.n_in == counts.n_out == len(lines) == 27 and counts.langs == {"zh": 12, "en": 12, "mixed": 3}
    truth = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    assert sum(sum(kinds.values()) for kinds in truth.values()) == sum(len(line["spans"]) for line in lines)
    assert notes.generate(notes.Config(n_notes=12), facts.load()) == lines


def test_spans_are_in_order_and_hold_values(made):
    for note in made:
        ends = [0] + [end for _, end, _ in note["spans"]]
        assert all(before <= start < end for before, (start, end, _) in zip(ends, note["spans"], strict=False))
        assert "{" not in note["text"] and "[[" not in note["text"]
        assert all(note["text"][start:end].strip() == note["text"][start:end] for start, end, _ in note["spans"])


def test_every_kind_stands_in_both_languages(made):
    kinds = {lang: {kind for note in made if note["lang"] == lang for *_, kind in note["spans"]} for lang in ("zh", "en")}
    assert kinds["zh"] | {"ssn"} >= kinds["en"] - {"ssn"} and len(kinds["zh"]) >= 20 and len(kinds["en"]) >= 19
    assert {note["script"] for note in made} == {"zh", "hant", "en", "mixed"} and {note["split"] for note in made} == {"tuning", "heldout"}
    assert {trait for note in made for trait in note["traits"]} == {"wide", "tight", "plain"}


def test_names_are_wider_than_the_recognisers(made):
    found = {note["text"][start] for note in made if note["script"] == "zh" for start, _, kind in note["spans"] if kind == "name"}
    assert found - set(recognised.MORE_SURNAMES)
    given = {note["text"][start:end].split()[0].lower() for note in made if note["lang"] == "en" for start, end, kind in note["spans"] if kind == "name"}
    assert len(given - set(recognised.GIVEN)) > 50


def test_numbers_have_the_check_digits_of_their_kind():
    rng = chooser(0, "numbers")
    for _ in range(30):
        assert check_digits.is_resident_id(person_numbers.resident_id(rng)) and check_digits.is_hong_kong_id(person_numbers.hong_kong_id(rng))
        assert check_digits.is_card_number(person_numbers.card_zh(rng)) and check_digits.is_card_number(person_numbers.card_en(rng)) and check_digits.is_nhs_number(person_numbers.nhs_number(rng))
    # Taiwan's own example A123456789: 1 + 9*0 + 8*1 + 7*2 + 6*3 + 5*4 + 4*5 + 3*6 + 2*7 + 1*8 = 121, and 121 + 9 is a multiple of ten
    assert sum(w * int(d) for w, d in zip((1, 9, 8, 7, 6, 5, 4, 3, 2, 1), "1012345678", strict=True)) % 10 == 1
    assert identifiers.check_digit_zh("11010519491231002") == "X"


def test_nobody_living_is_in_them(made):
    for note in made:
        for start, end, kind in note["spans"]:
            value = narrow(note["text"][start:end])
            if kind == "email":
                assert re.search(r"@(?:mail\.)?example\.(?:com|org|net|com\.cn)$", value)
            if kind == "ssn":
                assert value.startswith("987-65-432")
            if kind == "resident_id" and len(digits := re.sub(r"\D", "", value)) >= 17:
                assert 1900 <= int(digits[6:10]) <= 1905


def test_scores_by_hand():
    known, found = [(0, 4, "name"), (10, 20, "date"), (30, 34, "phone")], [(0, 4, "name"), (12, 18, "date"), (30, 34, "fax"), (40, 44, "name")]
    scores = scoring.by_kind([(known, found)])
    assert (scores["name"].recall, scores["name"].precision) == (1.0, 0.5)
    assert (scores["date"].recalled, scores["date"].exact, scores["date"].right, scores["date"].covered) == (1, 0, 1, 6)
    total = scoring.total(scores)
    assert (total.known, total.recalled, total.found, total.right, total.chars, total.covered) == (3, 2, 4, 2, 18, 14)


@pytest.mark.parametrize(("field", "value"), [("n_notes", 0), ("wide_share", 1.5)])
def test_settings_out_of_range_are_refused(field, value):
    with pytest.raises(ConfigError, match=f"{field}={value}: expected"):
        notes.Config(**{field: value})
