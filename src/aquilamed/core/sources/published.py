"""The paper's six public sources as their publishers lay them out, whole: name -> Source. paper 2.2.1

`top` is a folder with one folder for each publisher's id below it, or `hf://datasets` for those that the hub gives as files (`ON_HUB`). Columns, counts and
licences are what the publishers' pages say (looked up in November 2026); what they don't say is `unknown`, or 0 for a count. Only training parts are read: the others are
benchmarks. The mappings are tested on small files of the same columns; the sets themselves are too large to lie beside the project.
"""

from pathlib import Path

from aquilamed.core.sources.conversations import Pair, Tagged
from aquilamed.core.sources.mapping import Source
from aquilamed.core.sources.questions import Questions

TOYHOM, MEDDIALOG, CHATMED = "Toyhom/Chinese-medical-dialogue-data", "UCSD26/medical_dialog", "michaelwzhu/ChatMed_Consult_Dataset"
HUATUO, HUATUO_GRAPH = "FreedomIntelligence/huatuo_encyclopedia_qa", "FreedomIntelligence/huatuo_knowledge_graph_qa"
CMB, CHATDOCTOR = "FreedomIntelligence/CMB", "lavita/ChatDoctor-HealthCareMagic-100k"
ON_HUB = ("huatuo26m_encyclopedia", "huatuo26m_graph", "chatmed_consult", "chatdoctor", "cmb_exam_train")
"""Those that can be read from the hub as they stand. Toyhom's set lies on GitHub; MedDialog's hub entry is a script that the datasets library does not run any more: its
processed dialogues are laid below its id as JSON lines or Parquet."""
_TALK = ("merge", "drop_leading_assistant", "drop_trailing_user")


def conversations(top: Path | str) -> dict[str, Source]:
    """Consultations: Chinese Medical Dialogue Data, Huatuo-26M (two of its three parts; of the third only web addresses are published), MedDialog, ChatMed-Consult, ChatDoctor."""
    toyhom = Pair(prompt=("title", "ask"), answer="answer", blank=("无",), meta={"department": "department"})
    huatuo = Pair(prompt=("questions[0][0]|questions[0]",), answer="answers[0]")
    zh = Tagged(text="utterances[]", tags={"病人：": "user", "医生：": "assistant"}, shape="", repair=_TALK)
    en = Tagged(text="utterances[]", tags={"patient:": "user", "doctor:": "assistant"}, shape="", repair=_TALK)
    chatmed, chatdoctor = Pair(prompt=("query",), answer="response"), Pair(prompt=("input",), answer="output")
    made = [
        Source(name="toyhom_all", path=f"{top}/{TOYHOM}/Data_数据/*/*.csv", format="csv", mapping=toyhom, license="MIT", expected=792_099),
        # The publisher counts 364,420 and 798,444 rows with the validation and test files, and the training files by themselves not at all.
        Source(name="huatuo26m_encyclopedia", path=f"{top}/{HUATUO}/train_datasets.jsonl", format="jsonl", mapping=huatuo, license="Apache-2.0"),
        Source(name="huatuo26m_graph", path=f"{top}/{HUATUO_GRAPH}/train_datasets.jsonl", format="jsonl", mapping=huatuo, license="Apache-2.0"),
        Source(name="meddialog_zh", path=f"{top}/{MEDDIALOG}/processed.zh/train*.jsonl", format="jsonl", mapping=zh, license="unknown", expected=2_725_989),
        Source(name="meddialog_en", path=f"{top}/{MEDDIALOG}/processed.en/train*.jsonl", format="jsonl", mapping=en, license="unknown", expected=482),
        # The hub's card still says 110,113, of an earlier version; the publisher's GitHub page 549,326 of v0.3.
        Source(name="chatmed_consult", path=f"{top}/{CHATMED}/ChatMed_Consult-v0.3.json", format="jsonl", mapping=chatmed, license="CC-BY-4.0", expected=549_326),
        # `instruction` is the same sentence in every row: it asks for a doctor's answer.
        Source(name="chatdoctor", path=f"{top}/{CHATDOCTOR}/data/train-*.parquet", format="parquet", mapping=chatdoctor, license="unknown", expected=112_165),
    ]
    return {source.name: source for source in made}


def questions(top: Path | str) -> dict[str, Source]:
    """CMB-Exam's training part; its validation and test parts are benchmarks."""
    mapping = Questions(options=("option",), subject="exam_subject", meta={"exam": "exam_type", "class": "exam_class", "form": "question_type"})
    path = f"{top}/{CMB}/CMB-Exam/CMB-train/CMB-train-merge.json"
    return {"cmb_exam_train": Source(name="cmb_exam_train", path=path, format="json", mapping=mapping, license="Apache-2.0", expected=269_359)}
