"""The ready sources against the real files: what the data's own README says they hold."""

import functools
from collections import Counter

import pytest

from aquilamed.core import tables
from aquilamed.core.sources import fields, files, known
from aquilamed.core.sources.encoding import encoding_of
from aquilamed.core.sources.gather import gather, jobs
from aquilamed.core.sources.harvest import judge
from aquilamed.engine.local import Local

STATED = {
    "documents": {"openstax_anatomy": 198, "openstax_nursing": 480, "openstax_philosophy": 66, "tcm_ancient_books": 18, "csl_cls_ctg": 10_000,
                  "csl_cls_dcp": 2_000, "csl_ts": 2_000, "cmrc2018": 848, "drcd": 1_000, "luxun": 13, "rust_book_zh": 114, "wiki_demo": 30, "c4_demo": 300},
    "conversations": {"toyhom": 7_644, "huatuo26m": 6_000, "cmtmedqa": 1_144, "bentsao": 8_658, "bentsao_liver_cancer": 1_000, "medicalgpt": 1_000,
                      "medquad": 4_607 + 16, "mts_dialog": 1_201, "aci_bench": 67, "sharegpt_zh": 1_000, "alpaca_en": 999, "alpaca_zh": 1_000},
    "preferences": {"dpo_en_demo": 300, "dpo_zh_demo": 300, "dpo_zh_500": 500},
    "questions": {"medqa_us_test": 1_273, "medmcqa_dev": 4_183, "mmlu_test": 1_089, "head_qa_train": 2_657, "head_qa_dev": 1_366, "head_qa_test": 2_742,
                  "cmexam_val": 6_811, "pubmedqa_test": 1_000, "pubmedqa_train": 1_000},
}
"""Rows. MedQuAD's README counts `QAPair` elements; 16 pairs stand in four files of another make. The README gives no number for
general text: counted once by other means."""


@functools.cache
def outcomes(top, kind):
    """(source, file without ending, row, outcome) of every row."""
    return [
        (job.source.name, job.path.stem, number, judge(job.source, fields.cleaned(row) | {"_stem": job.path.stem}))
        for job in jobs(tuple(getattr(known, kind)(top).values()))
        for number, row in files.attempt(job.path, job.source, encoding_of(job.path) if job.source.format in files.TEXT else "")
    ]


@pytest.mark.parametrize("kind", list(STATED))
def test_every_row_of_every_set_fits_its_mapping(shared_data, kind):
    rows, dropped = Counter(), Counter()
    for name, _, _, outcome in outcomes(shared_data, kind):
        rows[name] += 1
        dropped[name, outcome.reason] += bool(outcome.reason)
    assert rows == STATED[kind]
    expected = {
        "documents": {}, "preferences": {},
        "conversations": {("mts_dialog", "bad_turns"): 162, ("sharegpt_zh", "bad_turns"): 1, ("sharegpt_zh", "empty"): 1, ("aci_bench", "empty"): 2},
        "questions": {("head_qa_train", "skipped:image"): 68, ("head_qa_dev", "skipped:image"): 30, ("head_qa_test", "skipped:image"): 67,
                      ("cmexam_val", "skipped:no_answer"): 1, ("pubmedqa_test", "skipped:other_half"): 500, ("pubmedqa_train", "skipped:other_half"): 500},
    }
    assert +dropped == expected[kind]


def test_exam_answers_are_the_published_ones(shared_data):
    kept = {(stem, number): outcome.record for _, stem, number, outcome in outcomes(shared_data, "questions") if not outcome.reason}
    assert sum(len(record["answers"]) > 1 for (stem, _), record in kept.items() if stem == "cmexam_val") == 210
    without_a = kept["cmexam_val", 5591]
    assert without_a["options"][0] == "盐酸多巴酚丁胺" and len(without_a["options"]) == 4
    assert sum(record["subject"] == "anatomy" for record in kept.values()) == 135
    heads = Counter(record["answers"][0] for (stem, _), record in kept.items() if stem == "dev")
    assert heads == {0: 1348, 1: 1085, 2: 925, 3: 825}
    first = kept["phrases_no_exclude_test", 1]
    assert first["options"][first["answers"][0]] == "Tell the attending that he cannot fail to disclose this mistake"


def test_old_books_come_whole_from_gb18030_and_abstracts_keep_their_labels(shared_data, tmp_path):
    chosen = known.documents(shared_data)
    counts = gather("documents", (chosen["tcm_ancient_books"], chosen["csl_cls_dcp"]), tmp_path, Local(1))
    rows = list(tables.rows(tmp_path, "documents"))
    assert counts.as_json() == {"in": 2018, "out": 2018, "dropped": {}} and counts.notes["encodings"]["tcm_ancient_books"] == {"gb18030": 18}
    assert 2_600_000 < sum(len(row["text"]) for row in rows if row["source"] == "tcm_ancient_books") < 2_800_000
    assert sum("中医" in row["meta"].get("label", "") for row in rows) > 10 and {row["license"] for row in rows} == {"Apache-2.0", known.PUBLIC_DOMAIN}
