"""Benchmark items are found in any disguise, and ordinary text that shares a phrase with one is not."""

import json

import openpyxl
import pyarrow as pa
import pytest

from aquilamed.core import tables
from aquilamed.core.errors import ConfigError
from aquilamed.engine.local import Local
from aquilamed.hygiene import decontaminate, planting

STEM_ZH = "上消化道出血可单纯表现为呕血或黑便，也可两者兼有，这取决于"
STEM_EN = "A 45-year-old man with long-standing hypertension suddenly develops a tearing chest pain radiating to the back."
OPTIONS = {"zh": ["原发病", "出血部位", "出血量", "在胃内停留时间"], "en": ["Aortic dissection", "Pneumonia", "Angina", "Costochondritis"]}


def _question(stem, lang, options=None, context="", source="exam"):
    options = OPTIONS[lang] if options is None else options
    return {"stem": stem, "options": options, "answers": [0], "context": context, "subject": "", "source": source, "license": "MIT"}


def _searcher(questions, **settings):
    return decontaminate.Searcher(tables.to_rows(tables.from_rows("questions", questions)), decontaminate.Config(**settings))


def _found(searcher, *texts):
    return [name is not None for name in searcher.search(pa.array(texts))]


@pytest.mark.parametrize("change", sorted(planting.CHANGES))
@pytest.mark.parametrize(("stem", "lang"), [(STEM_ZH, "zh"), (STEM_EN, "en")])
def test_every_disguise_is_seen_through(stem, lang, change):
    (question,) = tables.to_rows(tables.from_rows("questions", [_question(stem, lang)]))
    searcher = _searcher([question])
    before, after = planting.HOSTS[lang]
    name = f"exam:{question['id']}"
    assert searcher.search(pa.array([before + planting.CHANGES[change](planting.printed(question)) + after, before + after])) == [name, None]


def test_coverage_by_hand():
    # 27 Han characters make 15 windows of 13; the first 20 of them hold 8, which is 8 / 15 = 0.533
    han = "".join(c for c in STEM_ZH if "\u4e00" <= c <= "\u9fff")
    assert len(han) == 27
    searcher = _searcher([_question(STEM_ZH, "zh")])
    assert _found(searcher, f"首先，{han[:20]}。", f"首先，{han[:19]}。") == [True, False]
    assert _found(_searcher([_question(STEM_ZH, "zh")], coverage=0.55), f"首先，{han[:20]}。") == [False]


def test_a_short_stem_needs_all_its_options():
    questions = [_question("The anterior pituitary gland:", "en", ["It is regulated hormonally", "It is small"]),
                 _question("舌胖大有齿痕", "zh", ["肺虚", "脾虚"])]
    searcher = _searcher(questions)
    assert _found(searcher, "the anterior pituitary gland makes growth hormone",
                  "The anterior pituitary gland: A. it is regulated hormonally B. it is small", "病人舌胖大有齿痕，多见脾虚", "舌胖大有齿痕 A肺虚 B脾虚") == [False, True, False, True]


def test_a_formula_shared_by_items_condemns_nobody():
    formula = "Which of the following statements about this is the most accurate one?"
    questions = [_question(formula, "en", [f"option {k} alpha", f"option {k} beta"]) for k in range(3)]
    assert _found(_searcher(questions), f"{formula} Let us see.", f"{formula} option 1 alpha, option 1 beta") == [False, True]
    assert _found(_searcher(questions[:1]), f"{formula} Let us see.") == [True]


def test_context_counts_by_itself_and_open_items_may_be_shorter():
    searcher = _searcher([_question("Is it so?", "en", ["yes", "no"], context=STEM_EN), _question("肺结核怎样治疗", "zh", []), _question("咋治", "zh", [])])
    assert _found(searcher, f"Abstract. {STEM_EN}", "请问肺结核怎样治疗？", "咋治") == [True, True, False]
    assert decontaminate.benchmarks(searcher)[0]["not_searchable"] == 1


@pytest.fixture
def folders(tmp_path):
    questions = [_question(STEM_ZH, "zh"), _question(STEM_EN, "en", source="usmle")]
    tables.scatter(tmp_path / "benchmarks", "questions", tables.from_rows("questions", questions))
    texts = [f"复习：{STEM_ZH}？选C。", f"He was told: {STEM_EN.upper()}", "上消化道出血的病因很多，需要内镜检查。", "Chest pain has many causes."]
    tables.scatter(tmp_path / "in", "documents", tables.from_rows("documents", [{"text": t, "source": "s", "license": "MIT"} for t in texts]))
    return tmp_path


def test_stage_drops_names_and_certifies(folders):
    inputs = {"documents": folders / "in", "benchmarks": folders / "benchmarks"}
    counts = decontaminate.run(decontaminate.Config(), inputs, folders / "out", Local(2))
    assert (counts.n_in, counts.n_out, counts.dropped) == (4, 2, {"benchmark": 2})
    details = tables.read(folders / "out" / "dropped", "documents")["detail"].to_pylist()
    assert sorted(detail.split(":")[0] for detail in details) == ["exam", "usmle"]
    certificate = json.loads((folders / "out" / "certificate.json").read_text(encoding="utf-8"))
    assert [(entry["source"], entry["n"]) for entry in certificate["benchmarks"]] == [("exam", 1), ("usmle", 1)]
    assert certificate["planted"]["recall"] == 1.0 == counts.notes["planted_recall"] and certificate["planted"]["n"] == 2
    assert certificate["counts"] == {"in": 4, "out": 2, "dropped": {"benchmark": 2}}
    decontaminate.run(decontaminate.Config(), inputs, folders / "again", Local(1))
    assert (folders / "again" / "certificate.json").read_bytes() == (folders / "out" / "certificate.json").read_bytes()


def test_real_exam_questions_are_found_in_hosts_and_not_in_consultations(shared_data):
    sheet = openpyxl.load_workbook(shared_data / "benchmarks/cmexam_val.xlsx", read_only=True).active
    rows = [row for row, _ in zip(sheet.iter_rows(min_row=2, values_only=True), range(1500), strict=False)]
    searcher = _searcher([_question(str(row[0]), "zh", [o for o in str(row[1]).split("\\n") if o.strip()]) for row in rows])
    assert decontaminate.recall(searcher, decontaminate.Config(n_planted=300))["recall"] == 1.0
    answers = (shared_data / "instruct/toyhom_internal_medicine.csv").read_text(encoding="gb18030").splitlines()
    assert sum(_found(searcher, *answers)) == 0


def test_refusal_names_the_setting():
    with pytest.raises(ConfigError, match="coverage=1.5: expected a share above 0 and up to 1"):
        decontaminate.Config(coverage=1.5)
