"""The stage: files, ground truth, and what must never leak into training."""

import dataclasses
import json
import re

import clinic_sample as sample
import pytest

from aquilamed.clinic import dirt, exam, facts, identifiers, templates, write
from aquilamed.core.errors import ConfigError
from aquilamed.engine.local import Local

SMALL = write.Config(seed=1, n_seeds=24, n_consultations=12, n_qa=24, n_exam_train=20, n_exam_heldout=12, dirt_share=0.5, talk_dirt_share=0.4)


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    return facts.load(sample.write(tmp_path_factory.mktemp("facts")))


@pytest.fixture(scope="module")
def rows(clinic):
    return write.generate(SMALL, clinic)


def test_bundled_clinic_is_written_and_accounted_for(tmp_path):
    config = write.Config(n_conditions=23, n_drugs=10, n_pages_per_fact=1, n_general=10, n_seeds=12, n_consultations=10, n_qa=10, n_exam_train=10, n_exam_heldout=10)
    counts = write.run(config, {}, tmp_path, Local(1))
    lines = {path.name: sum(1 for _ in path.open(encoding="utf-8")) for path in tmp_path.glob("*.jsonl")}
    lines["consultations.json"] = len(json.loads((tmp_path / "consultations.json").read_text(encoding="utf-8")))
    assert counts.n_in == counts.n_out == sum(lines.values())
    assert counts.langs["zh"] == counts.langs["en"]
    assert json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))["rows"] == lines
    first = json.loads((tmp_path / "exam_heldout.jsonl").open(encoding="utf-8").readline())
    assert set(first) == {"id", "question", "options", "answer", "subject", "lang", "attribute", "about", "twin"}


def test_same_seed_same_rows_other_seed_other_rows(clinic, rows):
    assert write.generate(SMALL, clinic) == rows
    assert write.generate(write.Config(**{**SMALL.__dict__, "seed": 2}), clinic)["web.jsonl"] != rows["web.jsonl"]


def test_both_languages_tell_the_same(rows):
    for name in ("consultations.json", "qa.jsonl"):
        told = {lang: sorted((row["about"], row.get("attribute", ""), len(row.get("conversations", ()))) for row in rows[name]
                             if row["lang"] == lang and row["truth"]["dirt"] == "clean") for lang in ("zh", "en")}
        assert told["zh"] == told["en"]
    asked = {lang: {(row["about"], row["attribute"]) for row in rows["exam_heldout.jsonl"] if row["lang"] == lang} for lang in ("zh", "en")}
    assert asked["zh"] == asked["en"]


def test_held_out_questions_are_new_in_fact_and_wording_but_stated_in_pages(clinic, rows):
    apart = write.generate(dataclasses.replace(SMALL, heldout_facts="unasked"), clinic)
    facts = [{(row["about"], row["attribute"]) for row in apart[name]} for name in ("exam_heldout.jsonl", "exam_train.jsonl")]
    assert facts[0] and not facts[0] & facts[1]
    held, train = rows["exam_heldout.jsonl"], rows["exam_train.jsonl"]
    assert not {row["question"] for row in held} & {row["question"] for row in train}
    for row in held:
        pages = [page["text"].lower() for page in rows["web.jsonl"]
                 if page["truth"]["dirt"] == "clean" and page["truth"]["about"] == row["about"] and page["truth"]["lang"] == row["lang"]]
        answer = row["options"]["ABCD".index(row["answer"])].lower()
        assert len(pages) == SMALL.n_pages_per_fact
        assert all(answer in page for page in pages)


def clean_texts(rows) -> list[str]:
    texts = [page["text"] for page in rows["web.jsonl"] if page["truth"]["dirt"] != "leak"] + [row["text"] for row in rows["seeds.jsonl"]]
    texts += [turn["value"] for row in rows["consultations.json"] for turn in row["conversations"]]
    for name in ("qa.jsonl", "general_chat.jsonl"):
        texts += [row["instruction"] + row["output"] for row in rows[name] if row["truth"]["dirt"] != "leak"]
    return texts + [row["question"] for row in rows["exam_train.jsonl"]]


def test_no_held_out_wording_in_clean_training_text(clinic, rows):
    texts = "\n".join(clean_texts(rows))
    assert not [row["question"] for row in rows["exam_heldout.jsonl"] if row["question"] in texts]
    for (attribute, lang), families in templates.STEMS.items():
        for subject in clinic.subjects:
            if attribute in facts.ATTRIBUTES[subject["kind"]]:
                for stem in families["exam"]:
                    assert exam.phrasing.ask(subject, attribute, lang, stem) not in texts


def test_every_kind_of_dirt_is_there_and_true(rows):
    pages = {row["page"]: row for row in rows["web.jsonl"]}
    asked = {row["id"]: row["question"] for row in rows["exam_heldout.jsonl"]}
    patterns = {"phone": r"1990000\d{4}|\(212\) 555-01\d\d", "email": r"[\w.]+@example\.org", "bank_card": r"\d{16,19}",
                "id_card": r"\d{17}[\dX]|999 \d{3} \d{4}", "name": r"\S+"}
    seen = set()
    for row in pages.values():
        truth = row["truth"]
        seen.add((truth["dirt"], truth["lang"]))
        assert truth["quality"] == dirt.QUALITY[truth["dirt"]]
        if truth["dirt"] == "leak":
            assert asked[truth["question"]] in row["text"]
        for planted in truth.get("identifiers", ()):
            assert planted["value"] in re.findall(patterns[planted["kind"]], row["text"], re.ASCII) or planted["kind"] == "name"
        if truth["dirt"] == "exact_duplicate":
            assert row["text"] == pages[truth["of"]]["text"]
        if truth["dirt"] == "near_duplicate":
            assert row["text"] != pages[truth["of"]]["text"]
    assert seen == {(kind, lang) for kind in dirt.QUALITY for lang in ("zh", "en")}


def test_spoiled_conversations_are_true(rows):
    clean = [row["conversations"] for row in rows["consultations.json"] if row["truth"]["dirt"] == "clean"]
    kinds = {row["truth"]["dirt"]: row["conversations"] for row in rows["consultations.json"]}
    assert kinds["duplicate"] in clean
    assert kinds["echo"][-1]["value"] == kinds["echo"][-3]["value"]
    assert kinds["off_topic"] not in clean
    assert {row["truth"]["dirt"] for row in rows["qa.jsonl"]} == {"clean", "duplicate", "unsafe", "curt", "leak"}


def test_seeds_are_not_pages_of_the_web(rows):
    seeds = {row["text"] for row in rows["seeds.jsonl"] if row["dirt"] not in ("garbled", "stub") and row["label"] == "medical"}
    assert not seeds & {row["text"] for row in rows["web.jsonl"]}
    assert {row["quality"] for row in rows["seeds.jsonl"]} == set(range(7))


def test_emergencies_begin_with_the_call_for_help(clinic):
    config = write.Config(**{**SMALL.__dict__, "n_consultations": 60, "talk_dirt_share": 0.0})
    urgent = [row for row in write.generate(config, clinic)["consultations.json"] if row["about"] == "cardiac_rupture"]
    assert urgent
    for row in urgent:
        assert re.search(r"急救|emergency|ambulance", row["conversations"][1]["value"])


def test_check_digits_by_hand():
    assert identifiers.check_digit_zh("11010519491231002") == "X"      # the standard's own example
    assert identifiers.check_digit_luhn("7992739871") == "3"
    assert identifiers.check_digit_nhs("943476591") == 9


def test_choice_of_conditions_is_spread_over_departments(clinic):
    six = write.chosen(write.Config(n_conditions=5, n_drugs=2), clinic)
    assert len({subject["department"] for subject in six if subject["kind"] == "condition"}) == 5
    assert sum(subject["kind"] == "drug" for subject in six) == 2


@pytest.mark.parametrize(("field", "value"), [("n_qa", -1), ("n_pages_per_fact", 0), ("dirt_share", 0.95)])
def test_settings_out_of_range_are_refused(field, value):
    with pytest.raises(ConfigError, match=f"{field}={value}: expected"):
        write.Config(**{field: value})
