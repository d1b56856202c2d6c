"""Every benchmark that is scored with letters, in bits per byte or as a dialogue: where it is published, how it is read, where its worked examples come from.

The one list: `evals.benchmarks` reads the sources from it, and what it reads is what decontamination searches for. `docs/tasks.md` is made from it.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal

from aquilamed.core.config import check, nearest
from aquilamed.core.errors import ConfigError
from aquilamed.core.sources import Documents, Questions, Skip, Source, casebooks, files, known
from aquilamed.core.sources.cases import Case
from aquilamed.core.sources.files import Format
from aquilamed.core.sources.remote import is_remote
from aquilamed.evals import judge

HUB = "hf://datasets"
PARQUET = "refs/convert/parquet"
"""The hub's own branch of every set as Parquet: `<configuration>/<split>/0000.parquet`. Sets that were scripts can be read from there still."""
CHOICE = (judge.LETTER, judge.TEXT, judge.PRIOR, judge.GENERATED)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
    """One task. Its items lie in a folder in either of two ways: as the hub has them, or as `core.sources.known` expects the publisher's files."""

    name: str
    """Also the `source` of its items."""
    title: Mapping[str, str]
    """Language (zh, en) -> what people call it."""
    version: int = 1
    """Raised by hand when equal items are asked or read in another way."""
    lang: Literal["zh", "en", "any"]
    """Of the items and so of the prompt; `any`: each item has its own."""
    kind: Literal["choice", "documents", "dialogue"]
    hub: str
    """The data set's id on the Hugging Face hub; empty: it is not there."""
    revision: str = PARQUET
    """The branch of the hub that `files` stand on; empty: the main one."""
    files: str = ""
    """Pattern of the items' files below the folder of the hub's id."""
    format: Format = "parquet"
    mapping: Questions | Documents | Case
    skip: tuple[Skip, ...] = ()
    expected: int = 0
    """Items that the publisher counts in `files`; 0: not stated."""
    answers: str = ""
    """Address of a JSON file of answers that the publisher keeps apart; in a folder its last part lies beside the hub's files."""
    local: str = ""
    """Name of the set in `core.sources.known` or, of a dialogue, `casebooks.known`, where it is there."""
    bundled: Source | None = None
    """The items, where this package holds them: no files are needed then."""
    taken: int = 0
    """Of a set that models are trained on, too: how many of its items are the benchmark, the same as in `recipes/real_small.py`; 0: all. ours"""
    split: str
    """What the publisher calls the part that is scored."""
    license: str
    """SPDX, or what the publisher says; `unknown`: nothing."""
    url: str
    """Where it is published; empty: here."""
    paper: str = ""
    """Section of the Aquila-Med paper that scores it; empty: ours."""
    n_shots: int = 3
    """Worked examples. paper 3.1: 3 for MMLU after continued pre-training; ours: the same for all that have some"""
    shots_files: str = ""
    """Pattern of the worked examples' files below the folder of the hub's id; empty: none are published."""
    shots_split: str = ""
    """What the publisher calls the part that they are taken from."""
    readings: tuple[str, ...] = CHOICE
    """How its answers are read: see `judge`."""
    subjects: tuple[str, ...] = ()
    """The subjects that are scored; empty: all that the publisher has."""

    def source(self, top: Path | str) -> Source:
        """Where the items are: below `top`, a folder or `hf://datasets`.

        Raises:
            ConfigError: neither of the two ways leads to files.
        """
        if self.bundled:
            return self.bundled
        tried = self._at_home(top, HOMES[self.kind]) + ([self.published(top)] if self.hub else [])
        if found := next(filter(_is_there, tried), None):
            return found
        places = " and ".join(str(source.path) for source in tried) or f"{top} (it is on no hub)"
        fetch = f"hf download {self.hub} --repo-type dataset{f' --revision {self.revision}' * bool(self.revision)} --local-dir {top}/{self.hub}; or give {HUB}"
        raise ConfigError(f"task {self.name!r}: no files at {places}; name the folder that holds them, or fetch them from {fetch if self.hub else self.url}")

    def shots(self, top: Path | str) -> Source | None:
        """Where the worked examples are; None where the publisher has none or they don't lie below `top`."""
        tried = self._at_home(top, known.shots) + ([self.published_shots(top)] if self.shots_files else [])
        return next(filter(_is_there, tried), None)

    def published(self, top: Path | str) -> Source:
        """The items as the hub lays them, whether or not they are below `top`: for recipes that are read before their data are there."""
        answers = self.answers if is_remote(top) or not self.answers else f"{top}/{self.hub}/{Path(self.answers).name}"
        mapping = dataclasses.replace(self.mapping, answers_in=answers) if answers else self.mapping
        return dataclasses.replace(self._below(top, self.files), mapping=mapping, expected=self.expected)

    def published_shots(self, top: Path | str) -> Source:
        """The worked examples likewise."""
        return self._below(top, self.shots_files)

    @property
    def _lang(self) -> str:
        return "" if self.lang == "any" else self.lang

    def _below(self, top: Path | str, pattern: str) -> Source:
        at = f"@{self.revision}" if self.revision and is_remote(top) else ""
        return Source(name=self.name, path=f"{top}/{self.hub}{at}/{pattern}", format=self.format, mapping=self.mapping, license=self.license, lang=self._lang, skip=self.skip)

    def _at_home(self, top: Path | str, sets: Callable[[Path], Mapping[str, Source]]) -> list[Source]:
        """The publisher's own files, where `top` is a folder and `known` has the set."""
        found = None if is_remote(top) else sets(Path(top)).get(self.local)
        return [dataclasses.replace(found, name=self.name, lang=self._lang, skip=found.skip or self.skip)] if found else []


HOMES: Mapping[str, Callable[[Path], Mapping[str, Source]]] = {"choice": known.questions, "documents": known.documents, "dialogue": casebooks.known}
"""Kind of task -> the publishers' own files below a folder."""


def named(names: Iterable[str]) -> list[Entry]:
    """The entries of these names, in the catalogue's order.

    Raises:
        ConfigError: there is no such task; the nearest name is offered.
    """
    wanted = list(names)
    for name in wanted:
        check(name in CATALOGUE, f"no task {name!r}{nearest(name, CATALOGUE)}")
    return [entry for name, entry in CATALOGUE.items() if name in wanted]


def _is_there(source: Source) -> bool:
    """Whether the files of a source can be read: what is on the hub is taken at its word until it is read."""
    if is_remote(source.path):
        return True
    try:
        return bool(files.find(source.path, source))
    except ConfigError:
        return False


MMLU = ("anatomy", "clinical_knowledge", "college_biology", "college_medicine", "medical_genetics", "professional_medicine")
CEVAL = ("basic_medicine", "clinical_medicine", "physician", "veterinary_medicine")
CMMLU = ("anatomy", "clinical_knowledge", "college_medical_statistics", "college_medicine", "genetics", "nutrition", "professional_medicine",
         "traditional_chinese_medicine", "virology")
_ABCD = ("A", "B", "C", "D")
_CMB = Questions(options=("option",), subject="exam_subject", meta={"exam": "exam_type", "class": "exam_class", "form": "question_type"})
_CMEXAM = Questions(stem="Question", options=("Options",), option_text="value", option_label="key", answer="Answer")
_PUBMEDQA = Questions(stem="QUESTION", options=("=yes", "=no", "=maybe"), answer="final_decision", answer_as="text", context=("CONTEXTS[]",))
_MEDICINE = ("中医学/中药学", "药学", "基础医学/临床医学", "口腔医学", "公共卫生与预防医学")


def _one_of(subjects: Iterable[str]) -> str:
    return f"{{{','.join(subjects)}}}"


def _english() -> list[Entry]:
    head_qa = Questions(stem="qtext", options=("answers",), option_text="atext", option_label="aid", answer="ra", answer_as="label", subject="category")
    medmcqa = Questions(options=("opa", "opb", "opc", "opd"), answer="cop", answer_as="index0", subject="subject_name", meta={"choice_type": "choice_type"})
    return [
        Entry(name="mmlu_test", title={"en": "MMLU-medical", "zh": "MMLU 医学"}, lang="en", kind="choice", hub="cais/mmlu", files=f"{_one_of(MMLU)}/test/*.parquet", local="mmlu_test",
              mapping=Questions(options=("choices",), answer_as="index0", subject="subject"), expected=1_089, license="MIT",
              split="test; 78 questions stand in two subjects and are asked once",
              url="https://huggingface.co/datasets/cais/mmlu", paper="3.1", shots_files=f"{_one_of(MMLU)}/dev/*.parquet", shots_split="dev", subjects=MMLU),
        Entry(name="medqa_us_test", title={"en": "MedQA-USMLE, 4 options", "zh": "MedQA-USMLE（四选一）"}, lang="en", kind="choice", hub="GBaker/MedQA-USMLE-4-options",
              files="default/test/*.parquet", mapping=Questions(answer="answer_idx", subject="meta_info"), expected=1_273, local="medqa_us_test", split="test", license="MIT",
              url="https://github.com/jind11/MedQA", paper="3.1", shots_files="default/train/*.parquet", shots_split="train"),
        Entry(name="medmcqa_dev", title={"en": "MedMCQA", "zh": "MedMCQA"}, lang="en", kind="choice", hub="openlifescienceai/medmcqa",
              files="default/validation/*.parquet", mapping=medmcqa, expected=4_183, local="medmcqa_dev", split="validation", license="MIT",
              url="https://github.com/medmcqa/medmcqa", paper="3.1", shots_files="default/train/*.parquet", shots_split="train"),
        Entry(name="pubmedqa_test", title={"en": "PubMedQA, with context", "zh": "PubMedQA（附摘要）"}, lang="en", kind="choice", hub="bigbio/pubmed_qa",
              files="pubmed_qa_labeled_fold0_source/test/*.parquet", mapping=_PUBMEDQA, expected=500, local="pubmedqa_test", split="test (the 500 ids)", license="MIT",
              url="https://github.com/pubmedqa/pubmedqa", paper="3.1", shots_files="pubmed_qa_labeled_fold0_source/{train,validation}/*.parquet", shots_split="the other 500"),
        Entry(name="head_qa_test", title={"en": "HEAD-QA", "zh": "HEAD-QA"}, lang="en", kind="choice", hub="EleutherAI/headqa", files="en/test/*.parquet", mapping=head_qa,
              skip=(Skip(why="image", field="image.path|image", unless=("",)),), expected=2_742, local="head_qa_test", split="test, without those that need an image", license="MIT",
              url="https://github.com/aghie/head-qa", shots_files="en/train/*.parquet", shots_split="train"),
    ]


def _chinese() -> list[Entry]:
    ceval = Questions(options=_ABCD, subject="_folder")
    cmmlu = Questions(stem="Question", options=_ABCD, answer="Answer", subject="_folder")
    cmexam = {"lang": "zh", "kind": "choice", "hub": "fzkuji/CMExam", "mapping": _CMEXAM, "license": known.RESEARCH, "url": "https://github.com/williamliujl/CMExam",
              "expected": 6_811, "skip": (Skip(why="no_answer", field="Answer", when=("nan",)),), "shots_files": "default/train/*.parquet", "shots_split": "train"}
    return [
        Entry(name="ceval_val", title={"en": "C-Eval-medical", "zh": "C-Eval 医学"}, lang="zh", kind="choice", hub="ceval/ceval-exam", files=f"{_one_of(CEVAL)}/val/*.parquet",
              mapping=ceval, split="val", license="CC-BY-NC-SA-4.0", url="https://huggingface.co/datasets/ceval/ceval-exam", paper="3.1",
              shots_files=f"{_one_of(CEVAL)}/dev/*.parquet", shots_split="dev", subjects=CEVAL),
        Entry(name="cmmlu_test", title={"en": "CMMLU-medical", "zh": "CMMLU 医学"}, lang="zh", kind="choice", hub="haonan-li/cmmlu", files=f"{_one_of(CMMLU)}/test/*.parquet",
              mapping=cmmlu, split="test", license="CC-BY-NC-4.0", url="https://huggingface.co/datasets/haonan-li/cmmlu",
              shots_files=f"{_one_of(CMMLU)}/dev/*.parquet", shots_split="dev", subjects=CMMLU),
        Entry(name="cmb_exam_test", title={"en": "CMB-Exam", "zh": "CMB-Exam"}, lang="zh", kind="choice", hub="FreedomIntelligence/CMB", revision="", format="json",
              files="CMB-Exam/CMB-test/CMB-test-choice-question-merge.json", mapping=_CMB, expected=11_200, split="test", license="Apache-2.0",
              answers="https://raw.githubusercontent.com/FreedomIntelligence/CMB/main/data/CMB-test-choice-answer.json", url="https://github.com/FreedomIntelligence/CMB",
              paper="3.1", shots_files="CMB-Exam/CMB-val/CMB-val-merge.json", shots_split="val"),
        Entry(name="cmexam_val", title={"en": "CMExam, validation", "zh": "CMExam（验证集）"}, files="default/validation/*.parquet", local="cmexam_val", split="validation", **cmexam),
        Entry(name="cmexam_test", title={"en": "CMExam, test", "zh": "CMExam（测试集）"}, files="default/test/*.parquet", split="test", **cmexam),
    ]


def _texts() -> list[Entry]:
    """Texts whose licence lets them be quoted and that no exam is made of; medical and general, both languages."""
    bits = {"kind": "documents", "readings": (judge.BITS,), "n_shots": 0}
    csl = Documents(text=("abstract",), meta={"label": "discipline"})
    medicine = Skip(why="discipline", field="discipline", unless=_MEDICINE)
    return [
        Entry(name="bpb-medical-en", title={"en": "OpenStax anatomy, bits per byte", "zh": "OpenStax 解剖学（每字节比特）"}, lang="en", hub="", mapping=Documents(title="title"),
              local="openstax_anatomy", split="all", license="CC-BY-4.0", url="https://openstax.org/details/books/anatomy-and-physiology-2e", **bits),
        Entry(name="bpb-medical-zh", title={"en": "CSL abstracts, medicine, bits per byte", "zh": "CSL 医学摘要（每字节比特）"}, lang="zh", hub="neuclir/csl", revision="", format="jsonl",
              files="data/csl.jsonl.gz", mapping=csl, skip=(medicine,), local="csl_cls_dcp", split="all of five disciplines", license="Apache-2.0",
              url="https://github.com/ydli-ai/CSL", subjects=_MEDICINE, **bits),
        Entry(name="bpb-general-en", title={"en": "C4, bits per byte", "zh": "C4（每字节比特）"}, lang="en", hub="allenai/c4", revision="", format="jsonl",
              files="en/c4-validation.00000-of-00008.json.gz", mapping=Documents(), local="c4_demo", split="validation", license="ODC-By-1.0",
              url="https://huggingface.co/datasets/allenai/c4", **bits),
        Entry(name="bpb-general-zh", title={"en": "CMRC 2018 paragraphs, bits per byte", "zh": "CMRC 2018 段落（每字节比特）"}, lang="zh", hub="hfl/cmrc2018",
              files="default/validation/*.parquet", mapping=Documents(text=("context",)), local="cmrc2018", split="dev", license="CC-BY-SA-4.0",
              url="https://github.com/ymcui/cmrc2018", **bits),
    ]


def _dialogues() -> list[Entry]:
    """The paper's dialogue sets, what stands in for two of them, HealthBench, and the safety set of ours; their sources stand in `casebooks`."""
    huatuo, turns = {"en": "Huatuo-26M questions", "zh": "Huatuo-26M 单轮问答"}, {"en": "CMtMedQA, multi-turn", "zh": "CMtMedQA 多轮问诊"}
    stand_in = {"en": ", a stand-in from training data", "zh": "（取自训练数据的替代）"}
    both = lambda title: {lang: title[lang] + stand_in[lang] for lang in title}  # noqa: E731
    code = "https://github.com/FreedomIntelligence"
    parts = {"healthbench": ("all", "全部"), "healthbench_hard": ("hard", "难题"), "healthbench_consensus": ("consensus", "共识标准")}
    return [
        _dialogue("huatuo_qa", huatuo, hub=casebooks.HUATUO, split="test", url=f"{code}/Huatuo-26M", paper="3.2"),
        _dialogue("cmtmedqa_test", turns, hub=casebooks.CMTMEDQA, split="test", url="https://github.com/SupritYoung/Zhongjing", paper="3.2"),
        _dialogue("cmb_clin", {"en": "CMB-Clin, cases with questions", "zh": "CMB-Clin 病例问答"}, hub=casebooks.CMB, split="all", url=f"{code}/CMB"),
        *(_dialogue(name, {"en": f"HealthBench, {en}", "zh": f"HealthBench（{zh}）"}, hub=casebooks.HEALTHBENCH, split=en, url="https://openai.com/index/healthbench/") for name, (en, zh) in parts.items()),
        _dialogue("safety", {"en": "Safety, ours", "zh": "安全题（自编）"}, split="all", url="", expected=74),
        _dialogue("huatuo_qa_sample", both(huatuo), split="sample", url=f"{code}/Huatuo-26M", taken=60),
        _dialogue("cmtmedqa_cases", both(turns), split="train", url="https://github.com/SupritYoung/Zhongjing", taken=60),
    ]


def _dialogue(name: str, title: Mapping[str, str], *, hub: str = "", **more) -> Entry:
    """An entry whose files, form and licence are those of the source in `casebooks`."""
    bundled, published, at_home = casebooks.safety(), casebooks.published(HUB), casebooks.known(Path())
    source = {bundled.name: bundled, **published, **at_home}[name]
    where = {"files": str(source.path).partition(f"{hub}/")[2], "revision": ""} if hub else {"bundled": bundled} if name == bundled.name else {"local": name}
    readings = (judge.STOPPED, *([judge.RULE] if source.mapping.rule else []), source.mapping.judged)
    return Entry(name=name, title=title, lang=source.lang or "any", kind="dialogue", hub=hub, format=source.format, mapping=source.mapping, skip=source.skip, license=source.license,
                 n_shots=0, readings=readings, **{"expected": source.expected, **where, **more})


CATALOGUE: Mapping[str, Entry] = {entry.name: entry for entry in (*_english(), *_chinese(), *_texts(), *_dialogues())}
"""Name -> entry, English exams first, dialogues last."""
