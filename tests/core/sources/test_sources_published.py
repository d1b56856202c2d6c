"""The paper's six sources on small files of their publishers' columns; arrival; what no text may lose on its way to the model."""

import csv
import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tiny
import transformers

from aquilamed.core import config, tables
from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.core.sources import Pair, Source, published, remote
from aquilamed.core.sources.conversations import OPENAI, SHAREGPT
from aquilamed.core.sources.gather import gather
from aquilamed.engine.local import Local
from aquilamed.models import chat


def lay(top: Path) -> None:
    """A few rows of each set where its publisher has them."""
    def put(place: str, text: str, encoding: str = "utf-8") -> None:
        (top / place).parent.mkdir(parents=True, exist_ok=True)
        (top / place).write_bytes(text.encode(encoding))
    lines = lambda *rows: "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)  # noqa: E731
    rows = 'department,title,ask,answer\n心血管科,高血压能吃党参吗？,"我有高血压，可以吃吗？","可以，遵医嘱。"\n消化科,胃反流,无,清淡饮食\n'
    for folder, name in (("IM_内科", "内科5000-33000.csv"), ("Surgical_外科", "外科5-14000.csv")):
        put(f"{published.TOYHOM}/Data_数据/{folder}/{name}", rows, "gb18030")
    put(f"{published.HUATUO}/train_datasets.jsonl", lines({"questions": [["曲匹地尔怎么用？", "曲匹地尔的用法"]], "answers": ["口服，一次一片。"]}))
    put(f"{published.HUATUO}/test_datasets.jsonl", lines({"questions": [["不该读到"]], "answers": ["测试部分"]}))
    put(f"{published.HUATUO_GRAPH}/train_datasets.jsonl", lines({"questions": ["血热的临床表现是什么？"], "answers": ["发热、舌红"]}))
    put(f"{published.MEDDIALOG}/processed.zh/train.jsonl", lines({"utterances": ["病人：翻身时腰疼：怎么办？", "医生：请上传片子。", "病人：好的，\n已上传。", "医生：没有大碍。", "病人：谢谢"]}))
    put(f"{published.MEDDIALOG}/processed.en/train.jsonl", lines({"description": "throat a bit sore", "utterances": ["patient: throat a bit sore: what to do?", "doctor: rest. call first (3/21/20)"]}))
    put(f"{published.CHATMED}/ChatMed_Consult-v0.3.json", lines({"query": "视神经萎缩怎样缓解？", "response": "应到眼科就诊。"}))
    asked = {"instruction": "If you are a doctor, answer.", "input": "I have a headache for 3 days.", "output": "See a doctor if it lasts."}
    (top / published.CHATDOCTOR / "data").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist([asked]), top / published.CHATDOCTOR / "data/train-00000-of-00001.parquet")
    exam = {"exam_type": "医师考试", "exam_class": "执业医师", "exam_subject": "口腔执业医师", "question_type": "单项选择题"}
    put(f"{published.CMB}/CMB-Exam/CMB-train/CMB-train-merge.json", json.dumps([
        {**exam, "question": "可能患何病？", "answer": "D", "option": {"A": "肺炎", "B": "结核", "C": "继发性", "D": "原发性", "E": ""}},
        {**exam, "question_type": "多项选择题", "question": "哪些是？", "answer": "AC", "option": {"A": "甲", "B": "乙", "C": "丙", "D": None}}], ensure_ascii=False))


def test_each_mapping_reads_its_publishers_columns_and_training_part(tmp_path):
    lay(tmp_path / "top")
    counts = gather("conversations", tuple(published.conversations(tmp_path / "top").values()), tmp_path / "out", Local(1))
    assert counts.notes["rows"] == {"chatdoctor": 1, "chatmed_consult": 1, "huatuo26m_encyclopedia": 1, "huatuo26m_graph": 1, "meddialog_en": 1, "meddialog_zh": 1, "toyhom_all": 4}
    said = {(row["source"], tuple(message["content"] for message in row["messages"])) for row in tables.rows(tmp_path / "out", "conversations")}
    assert said == {
        ("toyhom_all", ("高血压能吃党参吗？\n我有高血压，可以吃吗？", "可以，遵医嘱。")), ("toyhom_all", ("胃反流", "清淡饮食")), ("huatuo26m_encyclopedia", ("曲匹地尔怎么用？", "口服，一次一片。")),
        ("huatuo26m_graph", ("血热的临床表现是什么？", "发热、舌红")), ("meddialog_zh", ("翻身时腰疼：怎么办？", "请上传片子。", "好的，\n已上传。", "没有大碍。")),
        ("meddialog_en", ("throat a bit sore: what to do?", "rest. call first (3/21/20)")), ("chatmed_consult", ("视神经萎缩怎样缓解？", "应到眼科就诊。")),
        ("chatdoctor", ("I have a headache for 3 days.", "See a doctor if it lasts."))}
    assert counts.notes["repairs"] == {"drop_trailing_user": 1}
    exams = gather("questions", tuple(published.questions(tmp_path / "top").values()), tmp_path / "exams", Local(1))
    assert exams.n_out == 2 and {tuple(row["answers"]) for row in tables.rows(tmp_path / "exams", "questions")} == {(3,), (0, 2)}
    everything = {**published.conversations("hf://datasets"), **published.questions("hf://datasets")}
    assert all(remote.is_remote(everything[name].path) and everything[name].path.count("//") == 1 for name in published.ON_HUB)


def test_another_number_of_rows_than_expected_warns_or_stops(tmp_path):
    lay(tmp_path / "top")
    source = published.conversations(tmp_path / "top")["chatmed_consult"]
    line = r"source 'chatmed_consult': 1 rows, 549,326 expected: was it fetched whole, or published anew\?"
    counts = gather("conversations", (source,), tmp_path / "warned", Local(1))
    assert len(counts.notes["warnings"]) == 1 and counts.n_out == 1
    made = {key: getattr(source, key) for key in ("name", "path", "format", "mapping", "license")}
    with pytest.raises(RecordError, match=line):
        gather("conversations", (Source(**made, expected=549_326, differs="stop"),), tmp_path / "stopped", Local(1))
    assert not (tmp_path / "stopped/conversations").exists()
    assert "warnings" not in gather("conversations", (Source(**made, expected=1, differs="stop"),), tmp_path / "fine", Local(1)).notes
    assert config.as_json(Source(**made, expected=1)) == config.as_json(Source(**made)), "what is only checked is no part of a step's identity"
    with pytest.raises(ConfigError, match="expected 0 or more, and warn or stop"):
        Source(**made, differs="skip")


def test_every_repair_is_counted(tmp_path):
    talk = lambda *turns: {"conversations": [{"from": {"u": "human", "a": "gpt"}[turn[0]], "value": turn[2:]} for turn in turns]}  # noqa: E731
    rows = [talk("a 您好", "u 头痛", "a 休息"), talk("u 头痛", "u 三天", "a 休息"), talk("u 一", "u 二", "a 三", "u 四"), talk("u 好", "a 好"), talk("u 只有问题")]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    mapping = type(SHAREGPT)(repair=("merge", "drop_leading_assistant", "drop_trailing_user"))
    counts = gather("conversations", (Source(name="a", path=tmp_path / "a.jsonl", format="jsonl", mapping=mapping, license="MIT"),), tmp_path / "out", Local(1))
    assert counts.notes["repairs"] == {"merge": 2, "drop_leading_assistant": 1, "drop_trailing_user": 1}
    assert counts.as_json() == {"in": 5, "out": 4, "dropped": {"bad_turns": 1}}


ALPHABETS = ("abcdefghijklmnopqrstuvwxyz ABC 0123456789.,;:!?", "高血压糖尿病患者服药后好转，请问：能吃党参吗？“（）”《》、。　", "𠮷𡈽髙鬱龘", "ｆｕｌｌ－ｗｉｄｔｈ", "αβγ ±≥≤℃μ 10⁹/L ½ ²", "かなカナ한글ไทย",
             "مرحبا שלום", "👩‍⚕️🩺❤️🇨🇳", "e\u0301n\u0303\u200b\u200d\ufeff\u2028\u0085", "\t\n\r ", '"\'\\,;|<>{}[]`*_#&%$', "<tool_call></s>[INST]<|im", "\u0001\u001b\u00a0")
"""What texts are made of; no special token of the tokenizer is among them, for a text that spells one is refused."""


def written(chance: random.Random) -> str:
    """A text of any of these, with something to see in it."""
    runs = ("".join(chance.choices(chance.choice(ALPHABETS), k=chance.randint(1, 12))) for _ in range(chance.randint(1, 8)))
    return "".join(runs) + chance.choice("医a？1")


def arrives(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def in_every_format(top: Path, talks: list[list[str]]) -> tuple[Source, ...]:
    """The same conversations as OpenAI's messages, ShareGPT, Alpaca with history, and (their first turns) a CSV."""
    def turns(talk: list[str], role: str, content: str, names: tuple[str, str]) -> list[dict]:
        return [{role: names[k % 2], content: text} for k, text in enumerate(talk)]
    openai = (json.dumps({"messages": turns(talk, "role", "content", ("user", "assistant"))}, ensure_ascii=k % 2 == 0) for k, talk in enumerate(talks))
    (top / "openai.jsonl").write_text("\n".join(openai), encoding="utf-8", newline="")
    sharegpt = [{"conversations": turns(talk, "from", "value", ("human", "gpt"))} for talk in talks]
    (top / "sharegpt.json").write_text(json.dumps(sharegpt, ensure_ascii=False), encoding="utf-8")
    alpaca = [{"instruction": talk[-2], "output": talk[-1], "history": [list(turn) for turn in zip(talk[:-2:2], talk[1:-2:2], strict=True)]} for talk in talks]
    schema = pa.schema([("instruction", pa.string()), ("output", pa.string()), ("history", pa.list_(pa.list_(pa.string())))])
    pq.write_table(pa.Table.from_pylist(alpaca, schema=schema), top / "alpaca.parquet")
    with (top / "first.csv").open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([["问", "答"], *(talk[:2] for talk in talks)])
    made = (("openai", "openai.jsonl", "jsonl", OPENAI), ("sharegpt", "sharegpt.json", "json", SHAREGPT),
            ("alpaca", "alpaca.parquet", "parquet", Pair(prompt=("instruction",), history="history")), ("first", "first.csv", "csv", Pair(prompt=("问",), answer="答")))
    return tuple(Source(name=name, path=top / path, format=kind, mapping=mapping, license="MIT") for name, path, kind, mapping in made)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return transformers.AutoTokenizer.from_pretrained(tiny.make(tmp_path_factory.mktemp("tiny") / "model"))


@pytest.mark.parametrize("seed", range(5))
def test_any_text_of_any_message_survives_import_rendering_and_decoding(tmp_path, tokenizer, seed):
    chance = random.Random(seed)
    talks = [[written(chance) for _ in range(2 * chance.randint(1, 3))] for _ in range(60)]
    sources = in_every_format(tmp_path, talks)
    counts = gather("conversations", sources, tmp_path / "out", Local(1))
    assert counts.n_out == 4 * len(talks)
    found = {(row["source"], tuple(message["content"] for message in row["messages"])) for row in tables.rows(tmp_path / "out", "conversations")}
    wanted = {tuple(map(arrives, talk)) for talk in talks}
    assert found == {(name, talk) for name in ("openai", "sharegpt", "alpaca") for talk in wanted} | {("first", talk[:2]) for talk in wanted}
    for talk in wanted:
        shown = chat.render(tokenizer, [{"role": ("user", "assistant")[k % 2], "content": text} for k, text in enumerate(talk)])
        for text, start, end in zip(talk, shown.starts, [*shown.starts[1:], len(shown.ids)], strict=True):
            assert text.strip() in tokenizer.decode(shown.ids[start:end], clean_up_tokenization_spaces=False)
