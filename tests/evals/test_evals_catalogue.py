"""The catalogue against the real files, against small files of the hub's columns, and the page that is made from it."""

import dataclasses
import json
from collections import Counter
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aquilamed.core import tables
from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.core.sources import files, gather, remote
from aquilamed.engine.local import Local
from aquilamed.evals import benchmarks, catalogue, judge, rendered
from aquilamed.evals.catalogue import CATALOGUE, CEVAL, CMMLU, MMLU
from aquilamed.models import wording

KEPT = {"mmlu_test": 1_089, "medqa_us_test": 1_273, "medmcqa_dev": 4_183, "pubmedqa_test": 500, "head_qa_test": 2_742 - 67, "cmexam_val": 6_811 - 1}
"""Questions of the files at hand: as many as the data's README says, less those that need an image and the one without an answer."""
REPEATED = {"mmlu_test": 78, "medqa_us_test": 0, "medmcqa_dev": 0, "pubmedqa_test": 0, "head_qa_test": 1, "cmexam_val": 1}
"""Questions that stand twice in their set and are asked once; MMLU has 78 both in clinical_knowledge and in college_medicine."""
TEXTS = {"bpb-medical-en": 198, "bpb-general-en": 300, "bpb-general-zh": 848}


def read(source, out: Path) -> list[dict]:
    gather.gather(source.mapping.kind, (source,), out, Local(1))
    return list(tables.rows(out, source.mapping.kind))


@pytest.fixture(scope="module")
def at_home(shared_data, tmp_path_factory) -> tuple[list[dict], list[dict]]:
    """(questions, worked examples) of all exams whose files are at hand, as the benchmarks stage writes them."""
    out, entries = tmp_path_factory.mktemp("real"), catalogue.named(KEPT)
    shots = {entry.name: found for entry in entries if (found := entry.shots(shared_data))}
    assert set(shots) == {"pubmedqa_test", "head_qa_test"}
    benchmarks.run(benchmarks.Config(sources=tuple(entry.source(shared_data) for entry in entries), shots=shots), {}, out, Local(1))
    return list(tables.rows(out, "questions")), list(tables.rows(out / "shots", "questions"))


def test_counts_are_those_of_the_data(at_home):
    rows = Counter(row["source"] for row in at_home[0])
    assert {name: KEPT[name] - rows[name] for name in KEPT} == REPEATED
    assert {row["lang"] for row in at_home[0]} == {"zh", "en"}


def test_subjects_answers_and_contexts_of_the_real_files(at_home):
    by = lambda name: [row for row in at_home[0] if row["source"] == name]  # noqa: E731
    assert Counter(row["subject"] for row in by("mmlu_test")).keys() == set(MMLU)
    assert sum(len(row["answers"]) > 1 for row in by("cmexam_val")) == 210
    assert all(row["context"] and row["options"] == ["yes", "no", "maybe"] for row in by("pubmedqa_test"))
    assert Counter(row["subject"] for row in by("head_qa_test")).keys() == {"biology", "chemistry", "medicine", "nursery", "pharmacology", "psychology"}
    assert {len(row["options"]) for row in by("medqa_us_test") + by("medmcqa_dev") + by("mmlu_test")} == {4}


def test_worked_examples_are_of_another_part(at_home):
    scored, shots = {row["id"] for row in at_home[0]}, at_home[1]
    assert Counter(row["source"] for row in shots)["pubmedqa_test"] == 500 and not scored & {row["id"] for row in shots}


def test_our_examples_have_the_form_of_the_real_items(at_home):
    for name in KEPT:
        real = [row for row in at_home[0] if row["source"] == name]
        for row in rendered.examples(name):
            assert len(row["options"]) in {len(one["options"]) for one in real} and bool(row["context"]) == bool(real[0]["context"])
            assert row["subject"] in {one["subject"] for one in real} and {row["lang"]} == {real[0]["lang"]}


@pytest.mark.parametrize("name", [name for name, entry in CATALOGUE.items() if entry.kind == "documents"])
def test_texts_at_hand(shared_data, tmp_path, name):
    rows = read(CATALOGUE[name].source(shared_data), tmp_path)
    assert len(rows) == TEXTS.get(name, len(rows)) and {row["source"] for row in rows} == {name} and {row["lang"] for row in rows} == {CATALOGUE[name].lang}
    if name == "bpb-medical-zh":
        assert {row["meta"]["label"] for row in rows} == set(CATALOGUE[name].subjects) and len(rows) > 150


ABCD = {"A": "一", "B": "二", "C": "三", "D": "四"}
CMB = {"exam_type": "医师考试", "exam_class": "执业医师", "exam_subject": "儿科", "option": {"A": "甲", "B": "乙", "C": "丙", "D": ""}}
PUBMED = {"QUESTION": "Does it help?", "CONTEXTS": ["We asked 40.", "Half said so."], "LABELS": ["METHODS", "RESULTS"], "MESHES": ["Humans"], "YEAR": None,
          "reasoning_required_pred": None, "reasoning_free_pred": None, "LONG_ANSWER": "It may.", "final_decision": "maybe"}
HEAD = {"name": "Cuaderno_2013_1_B", "year": "2013", "category": "biology", "qid": 1, "qtext": "Which?", "ra": 3, "image": None, "answers": [{"aid": i, "atext": f"t{i}"} for i in (1, 2, 3, 4)]}
CMEXAM = {"Question": "哪些是？", "Options": [{"key": key, "value": text} for key, text in ABCD.items()], "Answer": "BD", "Explanation": "略"}
HUB = {
    "mmlu_test": [{"question": "Which?", "subject": "anatomy", "choices": ["w", "x", "y", "z"], "answer": 2}],
    "medqa_us_test": [{"question": "Which?", "answer": "y", "options": {"A": "w", "B": "x", "C": "y", "D": "z"}, "meta_info": "step1", "answer_idx": "C", "metamap_phrases": ["p"]}],
    "medmcqa_dev": [{"id": "u", "question": "Which?", "opa": "w", "opb": "x", "opc": "y", "opd": "z", "cop": 2, "choice_type": "single", "exp": None, "subject_name": "Anatomy", "topic_name": None}],
    "pubmedqa_test": [PUBMED],
    "head_qa_test": [HEAD, {**HEAD, "qid": 2, "qtext": "Which one is shown?", "image": {"bytes": None, "path": "a.png"}}],
    "ceval_val": [{"id": 0, "question": "哪项？", **ABCD, "answer": "C", "explanation": ""}],
    "cmmlu_test": [{"Question": "哪项？", **ABCD, "Answer": "C"}],
    "cmb_exam_test": [{"id": 1, **CMB, "question": "哪项？", "question_type": "单项选择题"}, {"id": 2, **CMB, "question": "哪些？", "question_type": "多项选择题"}],
    "cmexam_val": [CMEXAM], "cmexam_test": [CMEXAM],
    "bpb-medical-zh": [{"doc_id": "1", "title": "题", "abstract": "目的：观察。", "discipline": "药学"}, {"doc_id": "2", "title": "题", "abstract": "钢。", "discipline": "力学"}],
    "bpb-general-en": [{"text": "The market opens at seven.", "timestamp": "t", "url": "u"}],
    "bpb-general-zh": [{"id": "a", "context": "小镇在河的北岸。", "question": "在哪？", "answers": {"text": ["北岸"], "answer_start": [4]}}],
    **{name: [one["row"] for one in rendered.examples(name)] for name, entry in CATALOGUE.items() if entry.kind == "dialogue" and entry.hub},
}
"""Rows in the columns that the hub's pages and its readers show, looked up in November 2026; the words are ours."""
FOUND = {
    "mmlu_test": [([2], "anatomy", "")], "medqa_us_test": [([2], "step1", "")], "medmcqa_dev": [([2], "Anatomy", "")], "pubmedqa_test": [([2], "", "We asked 40.\nHalf said so.")],
    "head_qa_test": [([2], "biology", "")], "ceval_val": [([2], "physician", "")], "cmmlu_test": [([2], "virology", "")], "cmb_exam_test": [([0, 2], "儿科", ""), ([1], "儿科", "")],
    "cmexam_val": [([1, 3], "", "")], "cmexam_test": [([1, 3], "", "")],
}
TALKS = {
    "huatuo_qa": ("pairwise", "assistant", ""), "cmtmedqa_test": ("grades", "assistant", "内科"), "cmb_clin": ("grades", "assistant", "肾内科"),
    "healthbench": ("rubric", "assistant", "context_seeking"), "healthbench_hard": ("rubric", "assistant", "hedging"), "healthbench_consensus": ("rubric", "assistant", "emergency_referrals"),
}
FOLDERS = {"mmlu_test": "anatomy/test", "ceval_val": "physician/val", "cmmlu_test": "virology/test", "pubmedqa_test": "pubmed_qa_labeled_fold0_source/test", "head_qa_test": "en/test"}


def encoded(entry, rows: list[dict], path: Path) -> bytes:
    """`rows` as a file of the entry's format."""
    if entry.format == "parquet":
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows), path)
        return path.read_bytes()
    text = json.dumps(rows, ensure_ascii=False) if entry.format == "json" else "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return text.encode()


def lay(top: Path, name: str) -> None:
    """The entry's file where the hub has it, CMB's answers beside."""
    entry = CATALOGUE[name]
    place = f"{FOLDERS[name]}/0000.parquet" if name in FOLDERS else entry.files.replace("*", "0000").removesuffix(".gz")
    path = top / entry.hub / place
    data = encoded(entry, HUB[name], path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    if entry.answers:
        (top / entry.hub / "CMB-test-choice-answer.json").write_text(json.dumps([{"id": 2, "answer": "AC"}, {"id": 1, "answer": "B"}]), encoding="utf-8")


def test_each_set_has_rows_of_the_hubs_columns():
    assert set(HUB) == {name for name, entry in CATALOGUE.items() if entry.hub}


@pytest.mark.parametrize("name", list(HUB))
def test_the_hubs_columns(tmp_path, name):
    """From a folder of the hub's files: by subject, by image, by discipline what is not scored is left out."""
    lay(tmp_path / "top", name)
    entry = CATALOGUE[name] if not CATALOGUE[name].files.endswith(".gz") else dataclasses.replace(CATALOGUE[name], files=CATALOGUE[name].files.removesuffix(".gz"))
    rows = read(entry.source(tmp_path / "top"), tmp_path / "out")
    assert {row["source"] for row in rows} == {name} and {row["lang"] for row in rows} == {"en" if entry.lang == "any" else entry.lang} and {row["license"] for row in rows} == {entry.license}
    if entry.kind == "choice":
        assert sorted((list(row["answers"]), row["subject"], row["context"]) for row in rows) == FOUND[name]
    elif entry.kind == "dialogue":
        assert [(row["meta"]["judged"], row["messages"][-1]["role"], row["meta"].get("subject", "")) for row in rows] == [TALKS[name]]
    else:
        assert [row["text"] for row in rows] == [HUB[name][0].get("abstract") or HUB[name][0].get("text") or HUB[name][0]["context"]]
    assert entry.shots(tmp_path / "top") is None


def test_only_the_subjects_that_are_scored_are_read(tmp_path):
    for subject in ("anatomy", "astronomy", "virology"):
        path = tmp_path / f"cais/mmlu/{subject}/test/0000.parquet"
        encoded(CATALOGUE["mmlu_test"], [{**HUB["mmlu_test"][0], "question": subject, "subject": subject}], path)
    assert [row["stem"] for row in read(CATALOGUE["mmlu_test"].source(tmp_path), tmp_path / "out")] == ["anatomy"]


def test_the_hub_itself_is_read_by_the_same_patterns(tmp_path):
    """A store in memory stands in for hf://: the branch in the address, the subjects as alternatives, CMB's answers at an address of their own."""
    store = fsspec.filesystem("memory")
    for subject in ("anatomy", "astronomy"):
        store.pipe(f"/hub/cais/mmlu@refs/convert/parquet/{subject}/test/0000.parquet", encoded(CATALOGUE["mmlu_test"], HUB["mmlu_test"], tmp_path / "x.parquet"))
        store.pipe(f"/hub/cais/mmlu@refs/convert/parquet/{subject}/dev/0000.parquet", encoded(CATALOGUE["mmlu_test"], HUB["mmlu_test"], tmp_path / "x.parquet"))
    entry = CATALOGUE["mmlu_test"]
    assert len(read(entry.source("memory://hub"), tmp_path / "a")) == len(read(entry.shots("memory://hub"), tmp_path / "b")) == 1
    store.pipe("/hub/FreedomIntelligence/CMB/CMB-Exam/CMB-test/CMB-test-choice-question-merge.json", json.dumps(HUB["cmb_exam_test"]).encode())
    store.pipe("/raw/answers.json", json.dumps([{"id": 1, "answer": "B"}, {"id": 2, "answer": "AC"}]).encode())
    source = dataclasses.replace(CATALOGUE["cmb_exam_test"], answers="memory://raw/answers.json").source("memory://hub")
    assert {tuple(row["answers"]) for row in read(source, tmp_path / "c")} == {(1,), (0, 2)}
    assert {one.url for one in gather.outside((source,))} == {"memory://raw/answers.json", str(source.path)}


def test_every_address_is_one_of_the_hub():
    for entry in CATALOGUE.values():
        if entry.hub:
            assert remote.is_remote(entry.source(catalogue.HUB).path) and f"/{entry.hub}" in str(entry.source(catalogue.HUB).path)
            assert not entry.shots_files or remote.is_remote(entry.shots(catalogue.HUB).path)


def test_one_question_has_one_id_wherever_it_is_read(tmp_path):
    lay(tmp_path / "hub", "mmlu_test")
    home = tmp_path / "home/benchmarks/mmlu"
    home.mkdir(parents=True)
    (home / "anatomy_test.csv").write_text("Which?,w,x,y,z,C\n", encoding="utf-8")
    (home / "anatomy_dev.csv").write_text("Which one?,w,x,y,z,A\n", encoding="utf-8")
    entry = CATALOGUE["mmlu_test"]
    one, two = read(entry.source(tmp_path / "hub"), tmp_path / "a")[0], read(entry.source(tmp_path / "home"), tmp_path / "b")[0]
    assert (one["id"], one["answers"], one["subject"]) == (two["id"], two["answers"], two["subject"])
    assert read(entry.shots(tmp_path / "home"), tmp_path / "c")[0]["subject"] == "anatomy"


def test_refusals(tmp_path):
    with pytest.raises(ConfigError, match="no task 'mmlu-test'; did you mean 'mmlu_test'"):
        catalogue.named(["mmlu-test"])
    with pytest.raises(ConfigError, match=r"task 'ceval_val': no files at .*ceval-exam/\{basic.*hf download ceval/ceval-exam --repo-type dataset --revision refs/convert/parquet"):
        CATALOGUE["ceval_val"].source(tmp_path)
    with pytest.raises(ConfigError, match="task 'bpb-medical-en': no files at .*openstax_anatomy.jsonl; .*fetch them from https://openstax.org"):
        CATALOGUE["bpb-medical-en"].source(tmp_path)
    with pytest.raises(ConfigError, match="task 'bpb-medical-en': no files at hf://datasets"):
        CATALOGUE["bpb-medical-en"].source(catalogue.HUB)
    lay(tmp_path, "cmb_exam_test")
    source = CATALOGUE["cmb_exam_test"].source(tmp_path)
    answers = tmp_path / "FreedomIntelligence/CMB/CMB-test-choice-answer.json"
    answers.write_text('[{"id": 1, "answer": "B"}]', encoding="utf-8")
    with pytest.raises(RecordError, match="key 'id': '2' has no answer in .*of the same release"):
        read(dataclasses.replace(source, mapping=dataclasses.replace(source.mapping, answers_in=answers.rename(tmp_path / "one.json"))), tmp_path / "a")
    with pytest.raises(RecordError, match="CMB-test-choice-answer.json: not a JSON list of objects with 'id' and 'answer'"):
        read(source, tmp_path / "b")
    with pytest.raises(ConfigError, match="not there; a source of this step reads it"):
        gather.outside((source,))


READINGS = {"choice": set(judge.CHOICE_READINGS), "documents": {judge.BITS}, "dialogue": {judge.STOPPED, judge.RULE, judge.PAIRWISE, judge.GRADES, judge.RUBRIC}}


def test_what_every_entry_says():
    assert len(CATALOGUE) == 14 + 9 and [entry.name for entry in catalogue.named(["cmmlu_test", "mmlu_test"])] == ["mmlu_test", "cmmlu_test"]
    for name, entry in CATALOGUE.items():
        assert name == entry.name and set(entry.title) == {"zh", "en"} and entry.license and (entry.url.startswith("https://") or entry.bundled) and entry.version >= 1
        assert set(entry.readings) <= READINGS[entry.kind] and entry.mapping.kind == {"choice": "questions", "documents": "documents", "dialogue": "conversations"}[entry.kind]
        assert bool(entry.shots_files) == bool(entry.shots_split) == (entry.kind == "choice")
    assert (len(MMLU), len(CEVAL), len(CMMLU)) == (6, 4, 9)


def test_the_page_is_current_and_shows_every_task():
    path = Path(__file__).resolve().parents[2] / "docs/tasks.md"
    assert path.read_text(encoding="utf-8") == rendered.page(), "docs/tasks.md is not what the catalogue says: make tasks"
    for name, entry in CATALOGUE.items():
        rows = rendered.examples(name)
        assert len(rows) == (2 if entry.kind == "choice" or entry.bundled else 1) and (entry.kind == "dialogue" or {row["lang"] for row in rows} == {entry.lang})
        assert f"\n## {name}\n" in rendered.page()


def test_questions_with_several_right_options_say_so_in_either_form():
    worked, asked = rendered.examples("cmb_exam_test")
    plain = wording.plain(asked, [worked])
    assert "\n\n选出所有正确的选项。\n题目：下列属于高血压" in plain and plain.count("选出所有") == 1 and plain.endswith("E. 戒烟\n答案：")
    assert wording.messages(asked, [])[0]["content"].startswith("选出所有正确的选项。\n\n题目：")
    assert "选出" not in wording.plain(worked, []) and wording.plain({**asked, "lang": "en"}, []).startswith("Choose every right option.\nQuestion: ")


def test_patterns_with_alternatives(tmp_path):
    for place in ("a/x/1.csv", "b/x/2.csv", "c/x/3.csv", "a/y/4.csv"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("q\n1\n", encoding="utf-8")
    reading = files.Reading(format="csv")
    assert [name for _, name in files.find(tmp_path / "{a,b}/x/*.csv", reading)] == ["a/x/1.csv", "b/x/2.csv"]
    assert [name for _, name in files.find(tmp_path / "a/{x,y}/*.csv", reading)] == ["x/1.csv", "y/4.csv"]
    assert [name for _, name in files.find(tmp_path / "{a,a}/{x,y}/?.csv", reading)] == ["a/x/1.csv", "a/y/4.csv"]
