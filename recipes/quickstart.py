"""Every stage of the paper in about eleven minutes on two cores: the embedded base model and the bundled bilingual clinic.

`Sizes` holds every number that is scaled down; beside each stands the paper's and why ours is smaller.
"""

import dataclasses
from collections.abc import Mapping

from aquilamed.clinic import write
from aquilamed.core.sources import Documents, Pair, Questions, Source, Turns, casebooks
from aquilamed.corpus import classify, importing, mix, quality, repair, rules
from aquilamed.evals import benchmarks, dialogue, gate, ledger, memorised, overlap, score
from aquilamed.hygiene import decontaminate, dedup, holdout, repeats, screen
from aquilamed.instruct import exam, questions, relevance, select
from aquilamed.instruct import importing as talks
from aquilamed.instruct import join as join_talks
from aquilamed.instruct import score as scores
from aquilamed.models import prepare
from aquilamed.pipeline import Recipe, Step
from aquilamed.preference import join, objective, subjective
from aquilamed.train import dpo, pretrain, sft
from aquilamed.train.settings import Lora, Optim

OURS = "Apache-2.0"                    # the clinic is ours
TRUTH = {"truth_page": "page", "truth_of": "truth.of?", **{f"truth_{key}": f"truth.{key}" for key in ("lang", "dirt", "domain", "quality", "same")}}
TALK_TRUTH = {f"truth_{key}": f"truth.{key}" for key in ("lang", "dirt")}
"""What is known of each page and conversation, for the report alone: meta is no part of a text or an id, no filter reads these keys, nothing is trained on them."""

PANEL = score.Config(form="chat", readings=("text",), limit=5, heldout_bytes=8_000, sample_tokens=0, seed=1)
"""What the gates look at; a seed of its own, so that what a stage is stopped by is not just what it is scored on at the end."""
LIMITS = {"bpb-general": 0.08}
"""Rise of bits per byte, against the base model, in each language, past which the run stops before the next stage. ours: what some ten texts of a language can show; 0.02 at the paper's scale"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sizes:
    """What makes a run short or long."""

    base: prepare.Config = prepare.Config(source="embedded:gemma-3-270m-zh-en", license="Gemma")     # paper 2.1.3: its own 7B; ours runs on a laptop
    clinic: write.Config = write.Config(
        n_conditions=8, n_drugs=4, n_pages_per_fact=5, n_seeds=1_500, n_consultations=12, n_qa=40,
        n_general_chat=60, n_exam_train=168, n_exam_heldout=56)
    phase_1: int = 6_000               # tokens; paper 2.1.2: 60e9
    phase_2: int = 6_000               # tokens; paper 2.1.2: 20e9
    length: int = 256                  # tokens; paper 2.1.3: 4096. The clinic's texts are short, and a CPU gains nothing from more
    cpt_batch: int = 3                 # windows a step; paper 2.1.3: 768 and 384. Some tens of steps, not one
    cpt_lr: float = 5e-4               # paper 2.1.3: 1e-4 and 1e-5 for all weights; adapters take more
    sft_batch: int = 6                 # conversations a step; paper 2.2.2: 128
    sft_lr: float = 7e-4               # paper 2.2.2: 2e-6 for all weights
    sft_epochs: int = 1                # paper 2.2.2: 2
    max_talks: int = 560               # conversations; paper 2.2.3: 320,000
    subjective: int = 24               # conversations drawn; paper 2.3.2: 9,019 pairs
    objective: int = 60                # pairs; paper 2.3.2: 3,708
    dpo_batch: int = 8                 # pairs a step; paper 2.3.2: 64
    dpo_lr: float = 1e-4               # paper 2.3.2: 2e-7 for all weights
    questions: int = 40                # scored of each language and benchmark; paper 3.1: all
    cases: int = 6                     # safety cases asked of each language; nobody judges the answers unless an endpoint is named
    answer_tokens: int = 48            # longest sampled answer
    recalled: int = 12                 # questions of each language whose options are listed in 20 orders


def adapters(lr: float, batch: int, length: int, epochs: int = 1, warmup: float = 0.05) -> Optim:
    """Low-rank adapters: two thirds of the arithmetic of training all weights. paper: all weights"""
    return Optim(lr=lr, batch=batch, length=length, epochs=epochs, warmup=warmup, weight_decay=0.0, mode="lora", lora=Lora(rank=32, alpha=64))


def corpus(sizes: Sizes) -> list[Step]:
    """Raw web pages -> documents that may be trained on."""
    web = Source(name="clinic_web", path="step:clinic/web.jsonl", format="jsonl", mapping=Documents(meta=TRUTH), license=OURS)
    labelled = Source(name="clinic_seeds", path="step:clinic/seeds.jsonl", format="jsonl", license=OURS, mapping=Documents(meta={"label": "label", "quality": "quality", "faults": "faults"}))
    seeds = {"seeds": "seeds"}
    return [
        Step(name="web", stage="corpus.importing", config=importing.Config(sources=(web,)), inputs={"clinic": "clinic"}, paper="2.1.1"),
        Step(name="seeds", stage="corpus.importing", config=importing.Config(sources=(labelled,)), inputs={"clinic": "clinic"}, paper="2.1.1"),
        Step(name="repair", stage="corpus.repair", config=repair.Config(), inputs={"documents": "web"}),
        Step(name="rules", stage="corpus.rules", config=rules.Config(), inputs={"documents": "repair"}, paper="2.1.1"),
        Step(name="dedup", stage="hygiene.dedup", config=dedup.Config(), inputs={"documents": "rules"}),
        Step(name="repeats", stage="hygiene.repeats", config=repeats.Config(), inputs={"documents": "dedup"}),
        Step(name="decontaminated", stage="hygiene.decontaminate", config=decontaminate.Config(), inputs={"documents": "repeats", "benchmarks": "benchmarks"}, paper="2.1.1"),
        Step(name="domain", stage="corpus.classify", config=classify.Config(), inputs={"documents": "decontaminated", **seeds}, paper="2.1.1"),
        Step(name="quality", stage="corpus.quality", config=quality.Config(), inputs={"documents": "domain", **seeds}, paper="2.1.1"),
        Step(name="text", stage="hygiene.holdout", config=holdout.Config(share=0.25), inputs={"documents": "quality"}),
    ]


def instructions(sizes: Sizes) -> list[Step]:
    """Consultations, questions and exams -> selected conversations."""
    kind = "conversations"
    sources = (
        Source(name="clinic_consultations", path="step:clinic/consultations.json", format="json", mapping=Turns(meta=TALK_TRUTH), license=OURS),
        Source(name="clinic_qa", path="step:clinic/qa.jsonl", format="jsonl", mapping=Pair(meta=TALK_TRUTH), license=OURS),
        Source(name="clinic_general_chat", path="step:clinic/general_chat.jsonl", format="jsonl", mapping=Pair(), license=OURS),
    )
    exams = (Source(name="clinic_exam_train", path="step:clinic/exam_train.jsonl", format="jsonl", mapping=Questions(subject="subject"), license=OURS),)
    return [
        Step(name="talks", stage="instruct.importing", config=talks.Config(sources=sources), inputs={"clinic": "clinic"}, paper="2.2.1"),
        Step(name="exam-questions", stage="instruct.questions", config=questions.Config(sources=exams), inputs={"clinic": "clinic"}, paper="2.2.1"),
        Step(name="exam-talks", stage="instruct.exam", config=exam.Config(answer="text"), inputs={"questions": "exam-questions"}, paper="2.2.1"),
        Step(name="instructions", stage="instruct.join", config=join_talks.Config(), inputs={"talks": "talks", "exams": "exam-talks"}, paper="2.2.1"),
        Step(name="instructions-safe", stage="hygiene.screen", config=screen.Config(kind=kind, identifiers="mask"), inputs={kind: "instructions"}, paper="2.2.1"),
        Step(name="instructions-once", stage="hygiene.dedup", config=dedup.Config(kind=kind, threshold=0.95), inputs={kind: "instructions-safe"}, paper="2.2.1"),
        Step(name="instructions-clean", stage="hygiene.decontaminate", config=decontaminate.Config(kind=kind), inputs={kind: "instructions-once", "benchmarks": "benchmarks"}),
        Step(name="scored", stage="instruct.score", config=scores.Config(), inputs={kind: "instructions-clean"}, paper="2.2.1"),
        Step(name="relevance", stage="instruct.relevance", config=relevance.Config(), inputs={kind: "scored", "model": "base"}, paper="2.2.1"),
        Step(name="selected", stage="instruct.select", config=select.Config(drop_score_share=0.05, max_records=sizes.max_talks), inputs={kind: "relevance"}, paper="2.2.1"),
        Step(name="dialogues", stage="hygiene.holdout", config=holdout.Config(kind=kind, share=0.03, threshold=0.9), inputs={kind: "selected"}, paper="2.2.2"),
    ]


def panel(name: str, config: score.Config) -> Step:
    """A small, fixed set of questions and held-out texts put to one model: what the gates look at."""
    return Step(name=f"panel-{name}", stage="evals.score", config=config, inputs={"model": name, "benchmarks": "benchmarks", "heldout": "text/heldout"})


def watched(training: Step, config: score.Config, limits: Mapping[str, float]) -> list[Step]:
    """A step of training, its panel, and the gate that stops the run where the model has lost more than `limits` against the base."""
    name = training.name
    rule = gate.Config(order=("base", name), base="base", limits=limits)
    return [training, panel(name, config), Step(name=f"gate-{name}", stage="evals.gate", config=rule, inputs={"base": "panel-base", name: f"panel-{name}"})]


def pretraining(sizes: Sizes) -> list[Step]:
    """Two mixes and two phases."""
    first = mix.Config(budget_tokens=sizes.phase_1, medical_share=0.6)                      # paper 2.1.2: "a certain ratio"
    second = mix.Config(budget_tokens=sizes.phase_2, medical_share=0.7, only_good=True, instruction_share=0.3)
    optim = adapters(sizes.cpt_lr, sizes.cpt_batch, sizes.length)
    later = dataclasses.replace(optim, warmup=0.01)                                         # paper 2.1.3
    return [
        Step(name="mix-1", stage="corpus.mix", config=first, inputs={"documents": "text"}, paper="2.1.2"),
        Step(name="mix-2", stage="corpus.mix", config=second, inputs={"documents": "text", "conversations": "dialogues"}, paper="2.1.2"),
        panel("base", PANEL),
        *watched(Step(name="cpt-1", stage="train.pretrain", config=pretrain.Config(optim=optim), inputs={"model": "base", "documents": "mix-1"}, paper="2.1.3"), PANEL, LIMITS),
        *watched(Step(name="cpt-2", stage="train.pretrain", config=pretrain.Config(optim=later), inputs={"model": "cpt-1", "documents": "mix-2"}, paper="2.1.3"), PANEL, LIMITS),
    ]


def tuning(sizes: Sizes) -> list[Step]:
    """SFT, pairs, DPO."""
    kind, length = "preferences", 2 * sizes.length
    sft_optim = adapters(sizes.sft_lr, sizes.sft_batch, length, sizes.sft_epochs)
    dpo_optim = adapters(sizes.dpo_lr, sizes.dpo_batch, length, warmup=0.1)
    pairs = objective.Config(max_pairs=sizes.objective)
    own = subjective.Config(n_conversations=sizes.subjective, max_new_tokens=sizes.answer_tokens)
    return [
        *watched(Step(name="sft", stage="train.sft", config=sft.Config(optim=sft_optim), inputs={"model": "cpt-2", "conversations": "dialogues", "heldout": "dialogues/heldout"}, paper="2.2.2"),
                 PANEL, LIMITS),
        Step(name="pairs-objective", stage="preference.objective", config=pairs, inputs={"questions": "exam-questions"}, paper="2.3.1"),
        Step(name="pairs-subjective", stage="preference.subjective", config=own, inputs={"model": "sft", "conversations": "dialogues"}, paper="2.3.1"),
        Step(name="pairs", stage="preference.join", config=join.Config(), inputs={"objective": "pairs-objective", "subjective": "pairs-subjective"}, paper="2.3.2"),
        Step(name="pairs-clean", stage="hygiene.decontaminate", config=decontaminate.Config(kind=kind), inputs={kind: "pairs", "benchmarks": "benchmarks"}),
        Step(name="preferences", stage="hygiene.holdout", config=holdout.Config(kind=kind, share=0.3, threshold=0.9), inputs={kind: "pairs-clean"}, paper="2.3.2"),
        *watched(Step(name="dpo", stage="train.dpo", config=dpo.Config(optim=dpo_optim, beta=0.1), inputs={"model": "sft", kind: "preferences"}, paper="2.3.2"), PANEL, LIMITS),
    ]


def evaluation(sizes: Sizes) -> list[Step]:
    """Every stage on the same items, and the ledger."""
    stages = ("base", "cpt-1", "cpt-2", "sft", "dpo")
    config = score.Config(form="chat", readings=("letter", "text", "generated"), reply_tokens=24, limit=sizes.questions, heldout_bytes=8_000, preferences=24, sample_tokens=sizes.answer_tokens,
                          dialogues=dialogue.Settings(limit=sizes.cases, answer_tokens=sizes.answer_tokens))
    given = {"benchmarks": "benchmarks", "cases": "benchmarks", "heldout": "text/heldout", "preferences": "preferences/heldout", "reference": "sft"}
    made = [Step(name=f"score-{stage}", stage="evals.score", config=config, inputs={"model": stage, **given}, paper="3") for stage in stages]
    lines = ledger.Config(order=stages, base="base", limits={"bpb-general": 0.03})
    scored = {stage: f"score-{stage}" for stage in stages}
    return [*made, Step(name="ledger", stage="evals.ledger", config=lines, inputs=scored, paper="3"), *contamination(scored, sizes.recalled)]


def contamination(scored: Mapping[str, str], recalled: int) -> list[Step]:
    """What scores owe to items in the raw text, and whether the last model knows questions by heart."""
    searched = {"documents": "decontaminated", "conversations": "instructions-clean", "preferences": "pairs-clean"}
    rule = overlap.Config(order=tuple(scored), base="base")
    return [
        Step(name="overlap", stage="evals.overlap", config=rule, inputs={**scored, **searched}),
        Step(name="memorised", stage="evals.memorised", config=memorised.Config(limit=recalled), inputs={"model": "dpo", "reference": "base", "benchmarks": "benchmarks"}),
    ]


def exam_source() -> Source:
    """The held-out exam, which is the benchmark."""
    return Source(name="clinic", path="step:clinic/exam_heldout.jsonl", format="jsonl", mapping=Questions(subject="subject", meta={"twin": "twin"}), license=OURS)


def steps(sizes: Sizes) -> tuple[Step, ...]:
    return (
        Step(name="base", stage="models.prepare", config=sizes.base, paper="2.1.3"),
        Step(name="clinic", stage="clinic.write", config=sizes.clinic),
        Step(name="benchmarks", stage="evals.benchmarks", config=benchmarks.Config(sources=(exam_source(),), cases=(casebooks.safety(),)), inputs={"clinic": "clinic"}, paper="3.1"),
        *corpus(sizes), *instructions(sizes), *pretraining(sizes), *tuning(sizes), *evaluation(sizes),
    )


def recipe() -> Recipe:
    return Recipe(name="quickstart", about="the whole way on a laptop: embedded base model, bundled clinic", steps=steps(Sizes()))
