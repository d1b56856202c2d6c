"""Cases: each published set on a small file of its schema, and the real files that stand in for two of them."""

import json

import pytest

from aquilamed.core import tables
from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.core.records import SCHEMAS
from aquilamed.core.sources import Case, Pair, Source, casebooks, remote
from aquilamed.core.sources.cases import criteria_of, others_of
from aquilamed.core.sources.gather import gather
from aquilamed.engine.local import Local

RUBRICS = [{"criterion": "Says to rest. 说明要休息。", "points": 5, "tags": ["level:example", "axis:completeness"]}, {"criterion": "Names a wrong drug.", "points": -3, "tags": ["axis:accuracy"]}]


def put(path, rows, lines=True):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows) if lines else json.dumps(rows, ensure_ascii=False), encoding="utf-8")


def lay(top):
    """A few rows of each set where its publisher has them."""
    put(top / casebooks.HUATUO / "test_datasets.jsonl", [{"questions": "曲匹地尔怎么用？", "answers": "口服，一次一片。"}, {"questions": [["头痛怎么办？", "头痛"]], "answers": ["先休息。"]}])
    turn = {"id": "j1", "cate1": "肿瘤科", "cate2": "肿瘤科", "instruction": "谢谢医生。", "input": "", "output": "不客气。", "history": [["要化疗吗？", "要。"], ["几次？", "八次。"]]}
    put(top / casebooks.CMTMEDQA / "CMtMedQA_test.json", [turn], lines=False)
    put(top / casebooks.CMB / "CMB-Clin/CMB-Clin-qa.json", [{"id": 0, "title": "案例分析-腹外疝", "description": "现病史：右下腹痛。", "QA_pairs": [
        {"question": "诊断是什么？", "solution": "嵌顿疝。"}, {"question": "怎么治？", "solution": "急诊手术。"}]}], lines=False)
    prompt = [{"role": "user", "content": "I have a fever."}, {"role": "assistant", "content": "Since when?"}, {"role": "user", "content": "Since today."}]
    row = {"prompt_id": "p1", "prompt": prompt, "rubrics": RUBRICS, "example_tags": ["theme:emergency_referrals", "physician_agreed_category:x"], "ideal_completions_data": None, "canary": "c"}
    for file, _ in casebooks.HEALTHBENCH_PARTS.values():
        put(top / casebooks.HEALTHBENCH / file, [row, {**row, "prompt_id": "p2", "prompt": prompt[:1], "ideal_completions_data": {"ideal_completion": "Rest.", "ideal_completions_group": "Group 1"}}])


def test_each_published_schema_is_read(tmp_path):
    lay(tmp_path / "top")
    counts = gather("conversations", tuple(casebooks.published(tmp_path / "top").values()), tmp_path / "out", Local(1))
    rows = {}
    for row in tables.rows(tmp_path / "out", "conversations"):
        rows.setdefault(row["source"], []).append(row)
        assert set(row) == set(SCHEMAS["conversations"].names) and row["messages"][-1]["role"] == "assistant"
    said = {name: sorted([message["content"] for message in row["messages"]] for row in some) for name, some in rows.items()}
    assert said["huatuo_qa"] == [["头痛怎么办？", "先休息。"], ["曲匹地尔怎么用？", "口服，一次一片。"]]
    assert said["cmtmedqa_test"] == [["要化疗吗？", "要。", "几次？", "八次。", "谢谢医生。", "不客气。"]] and rows["cmtmedqa_test"][0]["meta"] | {"file": ""} == {
        "file": "", "row": "1", "published": "j1", "judged": "grades", "every_turn": "1", "subject": "肿瘤科"}
    assert said["cmb_clin"] == [["现病史：右下腹痛。\n\n诊断是什么？", "嵌顿疝。", "怎么治？", "急诊手术。"]] and rows["cmb_clin"][0]["kind"] == "multi"
    assert said["healthbench"] == [["I have a fever.", "Rest."], ["I have a fever.", "Since when?", "Since today.", ""]] == said["healthbench_hard"]
    one = next(row for row in rows["healthbench"] if row["meta"]["published"] == "p1")
    assert criteria_of(one) == RUBRICS and one["meta"]["subject"] == "emergency_referrals" and one["license"] == "MIT" and json.loads(one["meta"]["tags"])[1] == "physician_agreed_category:x"
    assert len(counts.notes["warnings"]) == 5 and "74 expected" in " ".join(counts.notes["warnings"])          # one row where the publisher says 74
    assert all(remote.is_remote(source.path) for source in casebooks.published("hf://datasets").values())


def test_other_models_answers_travel_with_a_case(tmp_path):
    put(tmp_path / "a.jsonl", [{"q": "头痛？", "a": "休息。", "gpt": "喝水。"}, {"q": "Cough?", "a": "Rest.", "gpt": " "}])
    case = Case(turns=Pair(prompt=("q",), answer=""), judged="pairwise", reference="a", others={"gpt-3.5": "gpt"})
    gather("conversations", (Source(name="s", path=tmp_path / "a.jsonl", format="jsonl", mapping=case, license="CC0-1.0"),), tmp_path / "out", Local(1))
    assert {row["messages"][-1]["content"]: others_of(row) for row in tables.rows(tmp_path / "out", "conversations")} == {"休息。": {"gpt-3.5": "喝水。"}, "Rest.": {}}


@pytest.mark.parametrize(("row", "said"), [
    ({"rubrics": "x"}, "expected a list of criteria"), ({"rubrics": [{"criterion": "a", "points": 0}]}, "points other than 0"), ({"rubrics": [{"criterion": "a", "points": True}]}, "points other than 0"),
    ({"rubrics": [{"criterion": " ", "points": 1}]}, "a criterion has no text"), ({"rubrics": [{"criterion": "a", "points": 1, "tags": "b"}]}, "expected a list of texts")])
def test_a_rubric_that_does_not_fit_is_refused(tmp_path, row, said):
    put(tmp_path / "h.jsonl", [{"prompt_id": "1", "prompt": [{"role": "user", "content": "?"}], "example_tags": [], **row}])
    source = Source(name="s", path=tmp_path / "h.jsonl", format="jsonl", mapping=casebooks.safety().mapping, license="MIT")
    with pytest.raises(RecordError, match=said):
        gather("conversations", (source,), tmp_path / "out", Local(1))


def test_what_can_not_be_asked_is_dropped(tmp_path):
    ask = [{"role": "user", "content": "发烧怎么办？"}]
    rows = [{"prompt": ask, "rubrics": RUBRICS}, {"prompt": ask, "rubrics": RUBRICS[1:]}, {"prompt": [*ask, *ask], "rubrics": RUBRICS}, {"prompt": [{"role": "user", "content": " "}], "rubrics": RUBRICS}]
    put(tmp_path / "h.jsonl", [{"prompt_id": "1", "example_tags": [], **row} for row in rows])
    counts = gather("conversations", (Source(name="s", path=tmp_path / "h.jsonl", format="jsonl", mapping=casebooks.safety().mapping, license="MIT"),), tmp_path / "out", Local(1))
    assert counts.n_out == 1 and counts.dropped == {"no_points": 1, "bad_turns": 1, "empty": 1}
    put(tmp_path / "p.jsonl", [{"q": "头痛？", "a": "休息。"}, {"q": "头痛？", "a": ""}])
    single = Case(turns=Pair(prompt=("q",), answer="a"), judged="pairwise")
    counts = gather("conversations", (Source(name="s", path=tmp_path / "p.jsonl", format="jsonl", mapping=single, license="MIT"),), tmp_path / "single", Local(1))
    assert counts.dropped == {"empty": 1}                                     # nothing to compare with
    for wrong, said in (({"judged": "stars"}, "expected pairwise, grades or rubric"), ({"judged": "rubric"}, "a rubric needs the field of its criteria"), ({"judged": "grades", "others": {"a": "b"}}, "others= are compared with")):
        with pytest.raises(ConfigError, match=said):
            Case(**wrong)


def test_real_files_that_stand_in(shared_data, tmp_path):
    sources = casebooks.known(shared_data)
    counts = gather("conversations", tuple(sources.values()), tmp_path, Local(1))
    rows = list(tables.rows(tmp_path, "conversations"))
    turns = [row for row in rows if row["source"] == "cmtmedqa_cases"]
    assert counts.notes["rows"] == {"cmtmedqa_cases": 1144, "huatuo_qa_sample": 6000} and counts.dropped["skipped:no_dialogue"] == 144 and len(turns) == 1000
    answers = sum(message["role"] == "assistant" for row in turns for message in row["messages"])
    assert answers == 1000 + 3552 and all(row["lang"] == "zh" and row["meta"]["every_turn"] == "1" for row in turns)
    assert all(row["meta"]["judged"] == "pairwise" and row["messages"][-1]["content"].strip() for row in rows if row["source"] == "huatuo_qa_sample")
