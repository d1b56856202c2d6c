"""Benchmark items are found in any disguise, and ordinary text that shares a phrase with one is not."""

import json

import openpyxl
import pyarrow as pa
import pytest

from aquilamed.core import tables
from aquilamed.core.errors import ConfigError
from aquilamed.engine.local import Local
from aquilamed.hygiene import decontaminate, planting
from aquilamed.hygiene.searcher import FEWEST_HAN

STEM_ZH = "上消化道出血可单纯表现为呕血或黑便，也可两者兼有，这取决于"
STEM_EN = "A 45-year-old man with long-standing hypertension suddenly develops a tearing chest pain radiating to the back."
OPTIONS = {"zh": ["原发病", "出血部位", "出血量", "在胃内停留时间"], "en": ["Aortic dissection", "Pneumonia", "Angina", "Costochondritis"]}


def _question(stem, lang, options=None, context="", source="exam"):
    options = OPTIONS[lang] if options is None else options
    return {"stem": stem, "options": options, "answers": [0], "context": context, "subject": "", "source": source, "license": "MIT"}


def _searcher(questions, **settings):
    return decontaminate.searcher_of(tables.to_rows(tables.from_rows("questions", questions)), decontaminate.Config(**settings))


def _found(searcher, *texts):
    return [hit is not None for hit in searcher.search(pa.array(texts))]


@pytest.mark.parametrize("change", sorted(planting.DISGUISES))
@pytest.mark.parametrize(("stem", "lang"), [(STEM_ZH, "zh"), (STEM_EN, "en")])
def test_every_disguise_is_seen_through(stem, lang, change):
    (question,) = tables.to_rows(tables.from_rows("questions", [_question(stem, lang)]))
    searcher = _searcher([question])
    before, after = planting.HOSTS[lang]
    (hit,), (none,) = (searcher.search(pa.array([text])) for text in (before + planting.DISGUISES[change](planting.printed(question)) + after, before + after))
    assert none is None and hit.share == 1.0 and searcher.detail(hit) == f"exam:{question['id']} 1.00"


def test_coverage_by_hand():
    # 27 Han characters: half of them are 14; the first 14 are covered by 7 windows of 8, the first 13 are not enough
    han = "".join(c for c in STEM_ZH if "\u4e00" <= c <= "\u9fff")
    assert len(han) == 27
    searcher = _searcher([_question(STEM_ZH, "zh")])
    assert [hit and hit.share for hit in searcher.search(pa.array([f"首先，{han[:14]}。", f"首先，{han[:13]}。"]))] == [14 / 27, None]
    # two pieces of 8 and 9 with other words between, and the same pieces far apart
    near, far = f"{han[:8]}，顺便说一句，{han[10:19]}。", f"{han[:8]}。{'今天天气很好。' * 40}{han[10:19]}。"
    assert [hit and hit.share for hit in searcher.search(pa.array([near, far]))] == [17 / 27, None]
    assert _found(_searcher([_question(STEM_ZH, "zh")], coverage=0.65), near) == [False]


def test_a_stem_of_13_characters_or_8_words_needs_all_of_them():
    stem = "慢性支气管炎急性发作的处理是"
    assert len(stem) == FEWEST_HAN + 1
    assert _found(_searcher([_question(stem, "zh")]), f"问：{stem[:13]}什么", f"问：{stem[:12]}") == [True, False]
    english = "Which nerve is injured in wrist drop palsy"
    assert _found(_searcher([_question(english, "en")]), f"Tell me: {english.lower()}!", "Tell me: which nerve is injured in wrist drop") == [True, False]


def test_a_short_stem_needs_its_options_in_any_order_its_answer_or_its_question_mark():
    searcher = _searcher([_question("The anterior pituitary gland:", "en", ["It is regulated hormonally", "It is small"]),
                          _question("舌胖大有齿痕", "zh", ["多见于肺虚", "多见于脾虚"]), _question("肺结核首选药？", "zh", ["异烟肼片", "青霉素"])])
    assert _found(searcher, "the anterior pituitary gland makes growth hormone", "The anterior pituitary gland: 1) It is small 2) it is regulated hormonally",
                  "The anterior pituitary gland: it is regulated hormonally.") == [False, True, True]
    assert _found(searcher, "病人舌胖大有齿痕，多见于脾虚", "舌胖大有齿痕 （1）多见于脾虚（2）多见于肺虚", "舌胖大有齒痕多見於肺虛") == [False, True, True]
    assert _found(searcher, "我想知道肺结核首选药?谢谢", "肺结核首选药物很多，一线的有几种。", "肺结核首选药：异烟肼片") == [True, False, True]


def test_what_is_too_short_to_be_found_is_said():
    searcher = _searcher([_question("除外", "zh"), _question("Except", "en"), _question(STEM_ZH, "zh")])
    assert [searcher.questions[number]["stem"] for number in searcher.unsearchable()] in (["除外", "Except"], ["Except", "除外"])
    assert decontaminate.benchmarks(searcher)[0]["not_searchable"] == 2
    assert decontaminate.recall(searcher, decontaminate.Config())["by_change"]["verbatim"] == {
        "n": 1, "found": 1, "recall": 1.0, "by_lang": {"zh": {"n": 1, "found": 1, "recall": 1.0}}}


def test_an_item_names_its_twin_in_the_other_language():
    zh, en = ({**_question(stem, lang), "meta": {"twin": "bleeding"}} for stem, lang in ((STEM_ZH, "zh"), (STEM_EN, "en")))
    searcher = _searcher([zh, en])
    names = {question["lang"]: searcher.name(number) for number, question in enumerate(searcher.questions)}
    (hit,) = searcher.search(pa.array([STEM_EN]))
    assert searcher.detail(hit) == f"{names['en']} 1.00 twin {names['zh']}"


def test_a_formula_shared_by_items_condemns_nobody():
    formula = "Which of the following statements about this is the most accurate one?"
    questions = [_question(formula, "en", [f"option {k} alpha", f"option {k} beta"]) for k in range(3)]
    assert _found(_searcher(questions), f"{formula} Let us see.", f"{formula} option 1 alpha, option 1 beta") == [False, True]
    assert _found(_searcher(questions[:1]), f"{formula} Let us see.") == [True]


def test_context_counts_by_itself():
    searcher = _searcher([_question("Is it so?", "en", ["yes", "no"], context=STEM_EN)])
    assert _found(searcher, f"Abstract. {STEM_EN}", "Is it raining?") == [True, False]


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
    assert sorted(detail.split(":")[0] for detail in details) == ["exam", "usmle"] and all(detail.endswith(" 1.00") for detail in details)
    certificate = json.loads((folders / "out" / "certificate.json").read_text(encoding="utf-8"))
    assert [(entry["source"], entry["n"]) for entry in certificate["benchmarks"]] == [("exam", 1), ("usmle", 1)]
    assert certificate["planted"]["recall"] == 1.0 == counts.notes["planted_recall"]
    assert {change: hits["n"] for change, hits in certificate["planted"]["by_change"].items()} == {
        **dict.fromkeys((*planting.DISGUISES, "options_shuffled", "half_stem"), 2)}
    assert certificate["counts"] == {"in": 4, "out": 2, "dropped": {"benchmark": 2}}
    decontaminate.run(decontaminate.Config(), inputs, folders / "again", Local(1))
    assert (folders / "again" / "certificate.json").read_bytes() == (folders / "out" / "certificate.json").read_bytes()


def test_every_item_of_a_dropped_record_is_named_with_the_sets_that_held_it(folders):
    both = [f"{STEM_EN}\n\n{STEM_ZH}", STEM_ZH[:20], "Chest pain has many causes."]
    tables.scatter(folders / "both", "documents", tables.from_rows("documents", [{"text": text, "source": source, "license": "MIT"} for text, source in zip(both, "aba", strict=True)]))
    inputs = {"documents": folders / "both", "benchmarks": folders / "benchmarks"}
    counts = decontaminate.run(decontaminate.Config(), inputs, folders / "out", Local(2))
    found = {one["source"]: one for one in json.loads((folders / "out/leaks.json").read_text(encoding="utf-8"))}
    assert counts.n_out == 1 and counts.notes["items_found"] == 2
    assert found["exam"]["records"] == {"a": 1, "b": 1} and found["exam"]["share"] == 1.0 and found["usmle"]["records"] == {"a": 1}
    assert {one["id"] for one in found.values()} == {row["id"] for row in tables.rows(folders / "benchmarks", "questions")}
    decontaminate.run(decontaminate.Config(), {**inputs, "documents": folders / "out"}, folders / "clean", Local(1))
    assert json.loads((folders / "clean/leaks.json").read_text(encoding="utf-8")) == []


def test_what_was_nearly_dropped_names_the_item_and_how_much_of_it_is_there(folders):
    # 27 characters, of which 14 are needed and 10 are there; 19 words, of which 10 are needed and 8 are there
    piece = "上消化道出血可单纯表现为呕血"
    words = " ".join(STEM_EN.split()[:5])
    texts = [f"概述：{piece[:10]}的情形。", f"Once {words}, they say.", "毫不相干的句子。"]
    tables.scatter(folders / "close", "documents", tables.from_rows("documents", [{"text": t, "source": "s", "license": "MIT"} for t in texts]))
    counts = decontaminate.run(decontaminate.Config(), {"documents": folders / "close", "benchmarks": folders / "benchmarks"}, folders / "out", Local(1))
    assert counts.n_out == 3
    found = {row["text"]: row for row in tables.read(folders / "out" / "near", "documents").to_pylist()}
    assert set(found) == set(texts[:2])
    assert found[texts[0]]["nearness"] == 10 / 14 and found[texts[0]]["detail"].startswith("exam:") and found[texts[0]]["detail"].endswith(" 0.71 of the least")
    assert found[texts[1]]["detail"].startswith("usmle:") and found[texts[1]]["nearness"] == 8 / 10


def test_real_exam_questions_are_found_in_hosts_and_not_in_consultations(shared_data):
    sheet = openpyxl.load_workbook(shared_data / "benchmarks/cmexam_val.xlsx", read_only=True).active
    rows = [row for row, _ in zip(sheet.iter_rows(min_row=2, values_only=True), range(1500), strict=False)]
    searcher = _searcher([_question(str(row[0]), "zh", [o for o in str(row[1]).split("\\n") if o.strip()]) for row in rows])
    planted = decontaminate.recall(searcher, decontaminate.Config(n_planted=300))["by_change"]
    assert all(hits["recall"] == 1.0 for change, hits in planted.items() if change != "half_stem") and 0.4 < planted["half_stem"]["recall"] < 1
    answers = (shared_data / "instruct/toyhom_internal_medicine.csv").read_text(encoding="gb18030").splitlines()
    assert sum(_found(searcher, *answers)) == 0


def test_refusal_names_the_setting():
    with pytest.raises(ConfigError, match="coverage=1.5: expected a share above 0 and up to 1"):
        decontaminate.Config(coverage=1.5)
