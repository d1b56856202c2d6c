"""The paper at full scale: Aquila-Med (arXiv 2406.12182), every number with its section. `open`: the paper does not say.

`aquilamed plan recipes/aquila_med.py` shows it. To run it, put the data where `DATA` says, name a base model, and start the
training steps on the paper's machines: 24 A100-40G for pre-training, 8 for SFT and DPO.
"""

from pathlib import Path

from quickstart import contamination, panel, watched

from aquilamed.core.sources import Documents, Source, casebooks, published
from aquilamed.corpus import classify, importing, label, mix, quality, readers, repair, rules, sample
from aquilamed.evals import benchmarks, catalogue, dialogue, ledger, score
from aquilamed.hygiene import decontaminate, dedup, holdout, repeats, screen
from aquilamed.instruct import balance, diverse, exam, questions, relevance, safety, select, topics
from aquilamed.instruct import importing as talks
from aquilamed.instruct import join as join_talks
from aquilamed.instruct import score as scores
from aquilamed.models import prepare, remote
from aquilamed.models.encoder_settings import Settings
from aquilamed.pipeline import Recipe, Step
from aquilamed.preference import join, lint, objective, subjective
from aquilamed.release import dataset
from aquilamed.train import dpo, pretrain, sft
from aquilamed.train.settings import Optim

DATA = Path("data")
BASE = prepare.Config(source="models/base-7b", license="unknown")     # 2.1.3: its own 7B, not released; any 7B folder or hub id stands in
JUDGE = remote.Endpoint(base_url="http://127.0.0.1:8000/v1", model="judge")        # 2.1.1, 2.3.1: a model that it does not name; any OpenAI-compatible server
DOCTOR = remote.Endpoint(base_url=JUDGE.base_url, model="doctor", max_tokens=1024)       # 2.3.1: writes the second answers
BERT = readers.Reading(model="google-bert/bert-base-multilingual-cased")              # 2.1.1: batch 64, lr 2e-5, 10 epochs, best checkpoint
GRADER = readers.Reading(model=BERT.model, tuning=Settings(batch=128, lr=3e-4, epochs=10))   # 2.1.1
CPT_1 = Optim(lr=1e-4, batch=768, length=4096, epochs=1, warmup=0.05, weight_decay=0.1)       # 2.1.3; weight decay open there, 2.2.2 has 0.1
CPT_2 = Optim(lr=1e-5, batch=384, length=4096, epochs=1, warmup=0.01, weight_decay=0.1)       # 2.1.3
SFT = Optim(lr=2e-6, batch=128, length=2048, epochs=2, warmup=0.05, weight_decay=0.1, dropout=0.1)   # 2.2.2; warm-up open
DPO = Optim(lr=2e-7, batch=64, length=2048, epochs=2, warmup=0.1, weight_decay=0.1)           # 2.3.2; length, warm-up share and weight decay open
EXAMS = ("mmlu_test", "medqa_us_test", "medmcqa_dev", "pubmedqa_test", "ceval_val", "cmb_exam_test")   # 3.1; docs/tasks.md says where each is published
PANEL = score.Config(form="plain", readings=("letter",), limit=100, max_tokens=4096, heldout_bytes=200_000, sample_tokens=0, seed=1)   # ours
LIMITS = {"bpb-general": 0.02}                                                                 # ours: the paper watches nothing of the kind; a run of days should not go on past it
DIALOGUES = ("huatuo_qa", "cmtmedqa_test", "cmb_clin")                                # 3.2; its 500 questions and GPT-3.5's answers to them are not published


def corpus() -> list[Step]:
    """2.1.1: the base model's own general corpus, filtered, classified, graded."""
    text = Source(name="general_corpus", path=DATA / "corpus/*.jsonl", format="jsonl", mapping=Documents(), license="unknown")
    return [
        Step(name="web", stage="corpus.importing", config=importing.Config(sources=(text,), max_chars=0), paper="2.1.1"),
        Step(name="repair", stage="corpus.repair", config=repair.Config(), inputs={"documents": "web"}),
        Step(name="rules", stage="corpus.rules", config=rules.Config(), inputs={"documents": "repair"}, paper="2.1.1"),          # limits open
        Step(name="dedup", stage="hygiene.dedup", config=dedup.Config(), inputs={"documents": "rules"}),
        Step(name="repeats", stage="hygiene.repeats", config=repeats.Config(), inputs={"documents": "dedup"}),
        Step(name="decontaminated", stage="hygiene.decontaminate", config=decontaminate.Config(), inputs={"documents": "repeats", "benchmarks": "benchmarks"}, paper="2.1.1"),
        *domain_loop("decontaminated"),
        Step(name="quality-sample", stage="corpus.sample", config=sample.Config(n=20_000, seed=3), inputs={"documents": "domain"}, paper="2.1.1"),
        Step(name="quality-seeds", stage="corpus.label", config=label.Config(ask="quality", endpoint=JUDGE), inputs={"documents": "quality-sample"}, paper="2.1.1"),   # 15k of 20k stay
        Step(name="quality", stage="corpus.quality", config=quality.Config(reading=GRADER), inputs={"documents": "domain", "seeds": "quality-seeds"}, paper="2.1.1"),
        Step(name="text", stage="hygiene.holdout", config=holdout.Config(share=0.0001), inputs={"documents": "quality"}),
    ]


def domain_loop(source: str) -> list[Step]:
    """2.1.1, figure 2: seeds labelled twice, a classifier, seeds from where it is unsure, the classifier of both; how often it turns is open."""
    ask = label.Config(ask="domain", endpoint=JUDGE)
    config = classify.Config(reading=BERT)
    later = sample.Config(n=20_000, uncertain_share=0.5, seed=2)
    return [
        Step(name="domain-sample-1", stage="corpus.sample", config=sample.Config(n=20_000, seed=1), inputs={"documents": source}, paper="2.1.1"),
        Step(name="domain-seeds-1", stage="corpus.label", config=ask, inputs={"documents": "domain-sample-1"}, paper="2.1.1"),                             # 17k of 20k stay
        Step(name="domain-1", stage="corpus.classify", config=config, inputs={"documents": source, "seeds": "domain-seeds-1"}, paper="2.1.1"),
        Step(name="domain-sample-2", stage="corpus.sample", config=later, inputs={"documents": "domain-1", "labelled": "domain-sample-1"}, paper="2.1.1"),
        Step(name="domain-seeds-2", stage="corpus.label", config=ask, inputs={"documents": "domain-sample-2"}, paper="2.1.1"),
        Step(name="domain", stage="corpus.classify", config=config, inputs={"documents": source, "seeds": "domain-seeds-1", "seeds-2": "domain-seeds-2"}, paper="2.1.1"),
    ]


def instructions() -> list[Step]:
    """2.2.1: the six sources imported, cleaned, scored, selected."""
    kind = "conversations"
    return [
        Step(name="talks", stage="instruct.importing", config=talks.Config(sources=tuple(published.conversations(DATA / "instruct").values())), paper="2.2.1"),
        Step(name="exam-questions", stage="instruct.questions", config=questions.Config(sources=tuple(published.questions(DATA / "instruct").values())), paper="2.2.1"),
        Step(name="exam-talks", stage="instruct.exam", config=exam.Config(), inputs={"questions": "exam-questions"}, paper="2.2.1"),
        Step(name="instructions", stage="instruct.join", config=join_talks.Config(), inputs={"talks": "talks", "exams": "exam-talks"}, paper="2.2.1"),
        Step(name="instructions-safe", stage="hygiene.screen", config=screen.Config(kind=kind, identifiers="mask"), inputs={kind: "instructions"}, paper="2.2.1"),
        Step(name="instructions-harmless", stage="instruct.safety", config=safety.Config(), inputs={kind: "instructions-safe"}, paper="2.2.1"),
        Step(name="instructions-once", stage="hygiene.dedup", config=dedup.Config(kind=kind), inputs={kind: "instructions-harmless"}, paper="2.2.1"),
        Step(name="instructions-clean", stage="hygiene.decontaminate", config=decontaminate.Config(kind=kind), inputs={kind: "instructions-once", "benchmarks": "benchmarks"}),
        Step(name="topics", stage="instruct.topics", config=topics.Config(), inputs={kind: "instructions-clean"}, paper="2.2.3"),
        Step(name="scored", stage="instruct.score", config=scores.Config(backend="deita"), inputs={kind: "topics"}, paper="2.2.1"),
        Step(name="diverse", stage="instruct.diverse", config=diverse.Config(), inputs={kind: "scored"}, paper="2.2.1"),
        Step(name="relevance", stage="instruct.relevance", config=relevance.Config(max_tokens=2048), inputs={kind: "diverse", "model": "base"}, paper="2.2.1"),
        Step(name="related", stage="instruct.select", config=select.Config(), inputs={kind: "relevance"}, paper="2.2.1"),
        Step(name="balanced", stage="instruct.balance", config=balance.Config(languages={"zh": 0.86, "en": 0.14}), inputs={kind: "related"}, paper="2.2.3"),
        Step(name="selected", stage="instruct.select", config=select.Config(drop_score_share=0.0, max_records=320_000), inputs={kind: "balanced"}, paper="2.2.3"),
        Step(name="dialogues", stage="hygiene.holdout", config=holdout.Config(kind=kind, share=0.1, max_chars=100_000_000), inputs={kind: "selected"}, paper="2.2.2"),
    ]


def training() -> list[Step]:
    """2.1.2, 2.1.3, 2.2.2, 2.3."""
    kind = "preferences"
    first = mix.Config(budget_tokens=60_000_000_000)                                                   # 2.1.2; ratio open
    second = mix.Config(budget_tokens=20_000_000_000, medical_share=1.0, only_good=True, instruction_share=0.1)     # 2.1.2; threshold and share open
    return [
        Step(name="mix-1", stage="corpus.mix", config=first, inputs={"documents": "text"}, paper="2.1.2"),
        Step(name="mix-2", stage="corpus.mix", config=second, inputs={"documents": "text", "conversations": "dialogues"}, paper="2.1.2"),
        panel("base", PANEL),
        *watched(Step(name="cpt-1", stage="train.pretrain", config=pretrain.Config(optim=CPT_1), inputs={"model": "base", "documents": "mix-1"}, paper="2.1.3"), PANEL, LIMITS),
        *watched(Step(name="cpt-2", stage="train.pretrain", config=pretrain.Config(optim=CPT_2), inputs={"model": "cpt-1", "documents": "mix-2"}, paper="2.1.3"), PANEL, LIMITS),
        *watched(Step(name="sft", stage="train.sft", config=sft.Config(optim=SFT), inputs={"model": "cpt-2", "conversations": "dialogues", "heldout": "dialogues/heldout"}, paper="2.2.2"), PANEL, LIMITS),
        Step(name="pairs-objective", stage="preference.objective", config=objective.Config(max_pairs=3_708), inputs={"questions": "exam-questions"}, paper="2.3.2"),
        Step(name="pairs-subjective", stage="preference.subjective", config=subjective.Config(n_conversations=9_019, writer=DOCTOR, judge=JUDGE), inputs={"conversations": "dialogues"}, paper="2.3.2"),
        Step(name="pairs", stage="preference.join", config=join.Config(max_pairs=12_727), inputs={"objective": "pairs-objective", "subjective": "pairs-subjective"}, paper="2.3.2"),
        Step(name="pairs-clean", stage="hygiene.decontaminate", config=decontaminate.Config(kind=kind), inputs={kind: "pairs", "benchmarks": "benchmarks"}),
        Step(name="pairs-linted", stage="preference.lint", config=lint.Config(), inputs={kind: "pairs-clean"}),
        Step(name="preferences", stage="hygiene.holdout", config=holdout.Config(kind=kind, share=0.05, max_chars=1_000_000), inputs={kind: "pairs-linted"}, paper="2.3.2"),
        *watched(Step(name="dpo", stage="train.dpo", config=dpo.Config(optim=DPO, beta=0.03), inputs={"model": "sft", kind: "preferences"}, paper="2.3.2"), PANEL, LIMITS),
    ]


def cards() -> list[Step]:
    """4: the paper releases its SFT and DPO data."""
    sets = {"sft": ("conversations", "dialogues"), "dpo": ("preferences", "preferences")}
    return [Step(name=f"card-{name}", stage="release.dataset", config=dataset.Config(kind=kind, title=f"aquila-med-{name}"), inputs={kind: step, "heldout": f"{step}/heldout"}, paper="4")
            for name, (kind, step) in sets.items()]


def evaluation() -> list[Step]:
    """3: three worked examples, every stage; replies too, since some of CMB-Exam's questions have several right options."""
    stages = ("base", "cpt-1", "cpt-2", "sft", "dpo")
    config = score.Config(form="plain", readings=("letter", "generated"), n_shots=3, max_tokens=4096, dialogues=dialogue.Settings(judge=JUDGE, answer_tokens=512))     # 3.2; length open
    given = {"benchmarks": "benchmarks", "cases": "benchmarks", "heldout": "text/heldout", "preferences": "preferences/heldout", "reference": "sft"}
    made = [Step(name=f"score-{stage}", stage="evals.score", config=config, inputs={"model": stage, **given}, paper="3") for stage in stages]
    scored = {stage: f"score-{stage}" for stage in stages}
    return [*made, Step(name="ledger", stage="evals.ledger", config=ledger.Config(order=stages, base="base"), inputs=scored, paper="3"), *contamination(scored, 100)]


def recipe() -> Recipe:
    exams, top = catalogue.named(EXAMS), DATA / "benchmarks"
    dialogues = {name: source for name, source in casebooks.published(top).items() if name in DIALOGUES}
    asked = benchmarks.Config(sources=tuple(exam.published(top) for exam in exams), shots={exam.name: exam.published_shots(top) for exam in exams}, cases=tuple(dialogues.values()), taken={"huatuo_qa": 500})
    return Recipe(name="aquila_med", about="the paper (arXiv 2406.12182) at full scale", steps=(
        Step(name="base", stage="models.prepare", config=BASE, paper="2.1.3"),
        Step(name="benchmarks", stage="evals.benchmarks", config=asked, paper="3.1"),
        *corpus(), *instructions(), *training(), *cards(), *evaluation(),
    ))
