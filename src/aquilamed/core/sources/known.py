"""Ready sources for public data sets: name -> Source, for the publishers' files under one folder `top`.

The paths below say where in `top` each file is looked for. A licence that the publisher does not state is `unknown`.
"""

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from aquilamed.core.sources.conversations import SHAREGPT, Pair, Tagged, Turns
from aquilamed.core.sources.mapping import Documents, Preferences, Skip, Source
from aquilamed.core.sources.questions import Questions

PUBLIC_DOMAIN, RESEARCH, CC_BY = "LicenseRef-public-domain", "LicenseRef-research-only", "CC-BY-4.0"

_MTS_TAGS = {
    "Doctor:": "assistant", "Doctor_2:": "assistant", "Docotr_2:": "assistant", "Guest_clinician:": "assistant", "Guest_clinican:": "assistant",
    "Patient:": "user", "Guest_family:": "user", "Gest_family:": "user", "Guest_family_1:": "user", "Guest_family_2:": "user", "Guest_family2:": "user",
}
_TALK = ("merge", "drop_leading_assistant", "drop_trailing_user")
"""A transcript begins with the doctor's greeting and may end with the patient's thanks."""


def documents(top: Path) -> dict[str, Source]:
    """Texts for pre-training."""
    return _by_name([*_textbooks(top / "pretrain"), *_abstracts(top / "pretrain/zh_mixed/csl"), *_general(top / "pretrain")])


def conversations(top: Path) -> dict[str, Source]:
    """Consultations and instructions."""
    top = top / "instruct"
    return _by_name([*_chinese_consultations(top), *_english_consultations(top), *_instructions(top)])


def preferences(top: Path) -> dict[str, Source]:
    """General preference pairs, in two schemas."""
    top, objects = top / "preference", Preferences(prompt=SHAREGPT, chosen="chosen.value", rejected="rejected.value")
    return _by_name([
        Source(name="dpo_en_demo", path=top / "dpo_en_demo.json", format="json", mapping=objects, license="Apache-2.0"),
        Source(name="dpo_zh_demo", path=top / "dpo_zh_demo.json", format="json", mapping=objects, license="Apache-2.0"),
        Source(name="dpo_zh_500", path=top / "dpo_zh_500.jsonl", format="jsonl", mapping=Preferences(), license=RESEARCH),
    ])


def judged(top: Path) -> dict[str, Source]:
    """Dialogues of six models about the same complaints, each with a judge's four scores, for `preference.graded`."""
    said = Tagged(text="prompt", tags={"patient:": "user", "doctor:": "assistant"}, shape="", inside=("[start of conversation]\n", "\n[end of conversation]"),
                  meta={"case": "id", "model": "model", "scores": "scores"})
    top = top / "preference/disc_gpt4_scores"
    return _by_name([Source(name=f"disc_{name}", path=top / name / "*.jsonl", format="jsonl", mapping=said, license="Apache-2.0") for name in ("cmd", "cmid")])


def questions(top: Path) -> dict[str, Source]:
    """Multiple-choice exams: each name is a set and its part."""
    top = top / "benchmarks"
    return _by_name([*_english_exams(top), _mmlu(top / "mmlu"), *_head_qa(top / "head_qa_en"), *_cmexam(top), *_pubmedqa(top / "pubmedqa")])


def shots(top: Path) -> dict[str, Source]:
    """Solved questions for worked examples, by the name of the set in `questions` that they belong to; what its publisher keeps apart from what is scored."""
    exams, columns = questions(top), ("stem", "A", "B", "C", "D", "answer")
    top = top / "benchmarks"
    dev = Questions(stem="stem", options=columns[1:5], subject="_stem", subject_end="_dev")
    return {
        "mmlu_test": dataclasses.replace(exams["mmlu_test"], path=top / "mmlu/*_dev.csv", mapping=dev),
        "medqa_us_test": dataclasses.replace(exams["medqa_us_test"], path=top / "medqa_us/phrases_no_exclude_train.jsonl"),
        "medmcqa_dev": dataclasses.replace(exams["medmcqa_dev"], path=top / "medmcqa/train.json"),
        "head_qa_test": exams["head_qa_train"],
        "pubmedqa_test": exams["pubmedqa_train"],
    }


def _textbooks(top: Path) -> list[Source]:
    page = Documents(title="title", meta={"module": "id"})
    return [
        Source(name="openstax_anatomy", path=top / "en_medical/openstax_anatomy.jsonl", format="jsonl", mapping=page, license=CC_BY),
        Source(name="openstax_nursing", path=top / "en_medical/openstax_nursing.jsonl", format="jsonl", mapping=page, license=CC_BY),
        Source(name="openstax_philosophy", path=top / "en_general/openstax_philosophy.jsonl", format="jsonl", mapping=page, license=CC_BY),
        Source(name="tcm_ancient_books", path=top / "zh_medical/tcm_ancient_books", format="txt", mapping=Documents(), license=PUBLIC_DOMAIN, lang="zh"),
    ]


def _abstracts(top: Path) -> list[Source]:
    """CSL: titles with 13 categories, abstracts with 67 disciplines, abstracts with titles. Quotation marks are ordinary characters."""
    def table(name: str, columns: tuple[str, ...], mapping: Documents) -> Source:
        return Source(name=f"csl_{name}", path=top / name, format="tsv", columns=columns, quote="", mapping=mapping, license="Apache-2.0")
    return [
        table("cls_ctg", ("task", "title", "category"), Documents(text=("title",), meta={"label": "category"})),
        table("cls_dcp", ("task", "abstract", "discipline"), Documents(text=("abstract",), meta={"label": "discipline"})),
        table("ts", ("task", "abstract", "title"), Documents(text=("abstract",), title="title")),
    ]


def _general(top: Path) -> list[Source]:
    context = Documents(text=("context",), meta={"title": "_parent.title"})
    zh, en = top / "zh_general", top / "en_general"
    return [
        Source(name="cmrc2018", path=zh / "cmrc2018_dev.json", format="json", records="data[].paragraphs[]", mapping=context, license="CC-BY-SA-4.0"),
        Source(name="drcd", path=zh / "drcd_dev_traditional.json", format="json", records="data[].paragraphs[]", mapping=context, license="CC-BY-SA-3.0"),
        Source(name="luxun", path=zh / "luxun", format="txt", mapping=Documents(), license=PUBLIC_DOMAIN),
        Source(name="rust_book_zh", path=zh / "rust_book_zh", format="markdown", mapping=Documents(), license="MIT"),
        Source(name="wiki_demo", path=en / "wiki_demo.txt", format="txt", unit="line", mapping=Documents(), license="unknown"),
        Source(name="c4_demo", path=en / "c4_demo.jsonl", format="jsonl", mapping=Documents(), license="unknown"),
    ]


def _chinese_consultations(top: Path) -> list[Source]:
    alpaca = Pair(prompt=("instruction", "input"), answer="output")
    follow_up = Pair(prompt=("instruction|instruct", "input?"), history="history?", meta={"department": "cate1?", "subdepartment": "cate2?"})
    toyhom = Pair(prompt=("title", "ask"), answer="answer", blank=("无",), meta={"department": "department"})
    tags = Tagged(text="instruction", tags={"<user>:": "user", "<bot>:": "assistant"}, at="anywhere", shape=r"<\w+>:", answer="output")
    return [
        Source(name="toyhom", path=top / "toyhom_internal_medicine.csv", format="csv", mapping=toyhom, license="MIT"),
        Source(name="huatuo26m", path=top / "huatuo26m_sample.json", format="json", license="Apache-2.0",
               mapping=Pair(prompt=("instruction[0]", "input"), answer="output[0]")),
        Source(name="cmtmedqa", path=top / "cmtmedqa.json", format="json", mapping=follow_up, license="Apache-2.0"),
        Source(name="bentsao", path=top / "bentsao_llama_data.json", format="jsonl", mapping=alpaca, license=RESEARCH),
        Source(name="bentsao_liver_cancer", path=top / "bentsao_liver_cancer.json", format="json", mapping=tags, license=RESEARCH),
        Source(name="medicalgpt", path=top / "medicalgpt_medical_1k.jsonl", format="jsonl", mapping=SHAREGPT, license=RESEARCH),
    ]


def _english_consultations(top: Path) -> list[Source]:
    """MedQuAD's four files of another make (`doc`, `pair`) are read too."""
    medquad = Pair(
        prompt=("Question.#text|question.#text",), answer="Answer.#text|answer.#text",
        meta={"focus": "_parent.Focus|_parent.doctitle-focus", "publisher": "_parent.@source|_parent.@corpus", "topic": "Question.@qtype|question.@qtype"})
    aci = Tagged(tags={"[doctor]": "assistant", "[patient]": "user"}, shape=r"\[\w+\]", repair=_TALK, meta={"set": "dataset"})
    mts = Tagged(tags=_MTS_TAGS, shape=r"\w{1,20}:", repair=_TALK, meta={"section": "section_header"})
    return [
        Source(name="medquad", path=top / "medquad", format="xml", records=".//QAPair|.//pair", mapping=medquad, license=CC_BY),
        Source(name="mts_dialog", path=top / "mts_dialog_train.csv", format="csv", mapping=mts, license=CC_BY),
        Source(name="aci_bench", path=top / "aci_bench_train.csv", format="csv", mapping=aci, license=CC_BY),
    ]


def _instructions(top: Path) -> list[Source]:
    tidy = Turns(repair=("drop_trailing_user",))
    return [
        Source(name="sharegpt_zh", path=top / "sharegpt_zh_1k.jsonl", format="jsonl", mapping=tidy, license=RESEARCH),
        Source(name="alpaca_en", path=top / "alpaca_en_demo.json", format="json", mapping=Pair(), license="Apache-2.0"),
        Source(name="alpaca_zh", path=top / "alpaca_zh_demo.json", format="json", mapping=Pair(), license="Apache-2.0"),
    ]


def _english_exams(top: Path) -> list[Source]:
    medqa = Questions(answer="answer_idx", subject="meta_info")
    medmcqa = Questions(options=("opa", "opb", "opc", "opd"), answer="cop", answer_as="index1", subject="subject_name",
                        meta={"published": "id", "choice_type": "choice_type"})
    return [
        Source(name="medqa_us_test", path=top / "medqa_us/phrases_no_exclude_test.jsonl", format="jsonl", mapping=medqa, license="MIT"),
        Source(name="medmcqa_dev", path=top / "medmcqa/dev.json", format="jsonl", mapping=medmcqa, license="MIT"),
    ]


def _mmlu(top: Path) -> Source:
    """Six medical subjects, a file each."""
    columns = ("stem", "A", "B", "C", "D", "answer")
    return Source(name="mmlu_test", path=top / "*_test.csv", format="csv", columns=columns, license="unknown",
                  mapping=Questions(stem="stem", options=columns[1:5], subject="_stem", subject_end="_test"))


def _head_qa(top: Path) -> list[Source]:
    mapping = Questions(stem="qtext", options=("answers",), option_text="atext", option_label="aid", answer="ra", answer_as="label",
                        subject="_parent.category", meta={"exam": "_parent.name", "published": "qid"})
    image = Skip(why="image", field="image", unless=("",))
    return [
        Source(name=f"head_qa_{part}", path=top / f"{part}_HEAD_EN.json", format="json", records="exams{}.data[]", mapping=mapping,
               license="MIT", skip=(image,))
        for part in ("train", "dev", "test")
    ]


def _cmexam(top: Path) -> list[Source]:
    mapping = Questions(stem="Question", options=("Options",), separator="\\n", labelled=True, answer="Answer")
    return [Source(name="cmexam_val", path=top / "cmexam_val.xlsx", format="xlsx", mapping=mapping, license=RESEARCH,
                   skip=(Skip(why="no_answer", field="Answer", when=("nan",)),))]


def _pubmedqa(top: Path) -> list[Source]:
    """The 1,000 labelled questions in their published halves; the test half is what `test_ground_truth.json` lists."""
    mapping = Questions(stem="QUESTION", options=("=yes", "=no", "=maybe"), answer="final_decision", answer_as="text",
                        context=("CONTEXTS[]",), meta={"published": "_key"})
    listed = top / "test_ground_truth.json"
    halves = {"test": Skip(why="other_half", field="_key", unless_in=listed), "train": Skip(why="other_half", field="_key", when_in=listed)}
    return [
        Source(name=f"pubmedqa_{half}", path=top / "ori_pqal.json", format="json", records="{}", mapping=mapping, license="MIT", skip=(skip,))
        for half, skip in halves.items()
    ]


def _by_name(sources: Iterable[Source]) -> dict[str, Source]:
    return {source.name: source for source in sources}
