"""Every stage on real public data, in under two hours on two cores with the embedded base model.

The files lie as their publishers made them in `../shared/data` (docs/formats.md shows the layout). `Sizes` holds what is
scaled down from the paper, each number with its reason.
"""

import dataclasses
from pathlib import Path

from quickstart import adapters, contamination, panel, watched

from aquilamed.clinic import write
from aquilamed.core.sources import Documents, Source, casebooks, known
from aquilamed.corpus import classify, importing, mix, quality, repair, rules
from aquilamed.evals import benchmarks, dialogue, ledger, score
from aquilamed.hygiene import decontaminate, dedup, holdout, repeats, screen
from aquilamed.instruct import balance, diverse, questions, relevance, safe_answers, safety, select, topics
from aquilamed.instruct import importing as talks
from aquilamed.instruct import join as join_talks
from aquilamed.instruct import score as scores
from aquilamed.models import prepare
from aquilamed.pipeline import Recipe, Step
from aquilamed.preference import graded, join, lint, objective, subjective
from aquilamed.preference import importing as votes
from aquilamed.release import dataset
from aquilamed.train import dpo, pretrain, sft

DATA = Path("../shared/data")
PANEL = score.Config(form="plain", readings=("letter",), limit=10, max_tokens=640, heldout_bytes=24_000, sample_tokens=0, seed=1)
LIMITS = {"bpb-general": 0.03}
"""Stops the run, as in the quickstart. ours: what 15 and 20 texts of a language can show"""
SCORED = ("medqa_us_test", "medmcqa_dev", "mmlu_test", "head_qa_test", "cmexam_val", "pubmedqa_test")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sizes:
    """What makes the run fit two cores and two hours."""

    phase_1: int = 90_000              # tokens; paper 2.1.2: 60e9
    phase_2: int = 70_000              # tokens; paper 2.1.2: 20e9
    length: int = 512                  # tokens; paper 2.1.3: 4096. A CPU gains nothing from more
    max_chars: int = 1_500             # a longer text is cut at paragraph ends, so that a budget draws from many books
    shortlist: int = 1_200             # conversations that get a relevance score; paper: all of them
    max_talks: int = 500               # conversations; paper 2.2.3: 320,000
    subjective: int = 300              # conversations drawn; paper 2.3.2: 9,019 pairs
    objective: int = 100               # pairs; paper 2.3.2: 3,708
    general: int = 100                 # pairs of general sets; the paper has none
    questions: int = 50                # scored of each benchmark; paper 3.1: all
    cases: int = 4                     # dialogues asked of each set and language; paper 3.2: 500, about 1,000 and 74. No endpoint, so nobody judges the answers
    taken: int = 60                    # dialogues of a set that are benchmarks, and so are taken out of training: both sets are trained on, too
    heldout_bytes: int = 48_000        # scored of each domain and language
    recalled: int = 12                 # questions of each benchmark and language whose options are listed in 20 orders


def corpus(sizes: Sizes) -> list[Step]:
    """Textbooks, old books, abstracts, encyclopaedias and web text -> documents that may be trained on."""
    found = known.documents(DATA)
    texts = tuple(source for name, source in found.items() if not name.startswith("csl_cls"))
    of_one_domain = {"medical": ("openstax_anatomy", "openstax_nursing", "tcm_ancient_books"), "general": ("openstax_philosophy", "c4_demo", "luxun", "rust_book_zh")}
    labelled = (found["csl_cls_ctg"], *(dataclasses.replace(found[name], mapping=Documents(meta={"label": f"={label}"})) for label, names in of_one_domain.items() for name in names))
    graded = Source(name="clinic_seeds", path="step:clinic/seeds.jsonl", format="jsonl", license="Apache-2.0", mapping=Documents(meta={"quality": "quality", "faults": "faults"}))
    return [
        Step(name="texts", stage="corpus.importing", config=importing.Config(sources=texts, max_chars=sizes.max_chars), paper="2.1.1"),
        Step(name="domain-seeds", stage="corpus.importing", config=importing.Config(sources=labelled, max_chars=sizes.max_chars), paper="2.1.1"),
        Step(name="quality-seeds", stage="corpus.importing", config=importing.Config(sources=(graded,)), inputs={"clinic": "clinic"}, paper="2.1.1"),
        Step(name="repair", stage="corpus.repair", config=repair.Config(), inputs={"documents": "texts"}),
        Step(name="rules", stage="corpus.rules", config=rules.Config(), inputs={"documents": "repair"}, paper="2.1.1"),
        Step(name="dedup", stage="hygiene.dedup", config=dedup.Config(), inputs={"documents": "rules"}),
        Step(name="repeats", stage="hygiene.repeats", config=repeats.Config(), inputs={"documents": "dedup"}),
        Step(name="decontaminated", stage="hygiene.decontaminate", config=decontaminate.Config(), inputs={"documents": "repeats", "benchmarks": "benchmarks"}, paper="2.1.1"),
        Step(name="domain", stage="corpus.classify", config=classify.Config(), inputs={"documents": "decontaminated", "seeds": "domain-seeds"}, paper="2.1.1"),
        Step(name="quality", stage="corpus.quality", config=quality.Config(), inputs={"documents": "domain", "seeds": "quality-seeds"}, paper="2.1.1"),
        Step(name="text", stage="hygiene.holdout", config=holdout.Config(share=0.08), inputs={"documents": "quality"}),
    ]


def instructions(sizes: Sizes) -> list[Step]:
    """Consultations and instructions of twelve public sets -> selected conversations, with some that show safe answers."""
    kind = "conversations"
    exams = tuple(source for name, source in known.questions(DATA).items() if name in ("head_qa_train", "pubmedqa_train"))
    tails = select.Config(drop_score_share=0.0, drop_high_relevance_share=0.05, drop_low_relevance_share=0.05)     # paper 2.2.1: thresholds open
    most = balance.Config(department=0.25, disease=0.05, unlabelled=0.3)                                            # paper 1: 15+ departments, 100+ diseases
    return [
        Step(name="talks", stage="instruct.importing", config=talks.Config(sources=tuple(known.conversations(DATA).values())), paper="2.2.1"),
        Step(name="exam-questions", stage="instruct.questions", config=questions.Config(sources=exams), paper="2.2.1"),
        Step(name="talks-screened", stage="hygiene.screen", config=screen.Config(kind=kind, identifiers="mask"), inputs={kind: "talks"}, paper="2.2.1"),
        Step(name="talks-harmless", stage="instruct.safety", config=safety.Config(), inputs={kind: "talks-screened"}, paper="2.2.1"),
        Step(name="talks-once", stage="hygiene.dedup", config=dedup.Config(kind=kind), inputs={kind: "talks-harmless"}, paper="2.2.1"),
        Step(name="topics", stage="instruct.topics", config=topics.Config(), inputs={kind: "talks-once"}),
        Step(name="scored", stage="instruct.score", config=scores.Config(), inputs={kind: "topics"}, paper="2.2.1"),
        Step(name="diverse", stage="instruct.diverse", config=diverse.Config(), inputs={kind: "scored"}, paper="2.2.1"),
        Step(name="shortlist", stage="instruct.select", config=select.Config(drop_score_share=0.3, max_records=sizes.shortlist), inputs={kind: "diverse"}, paper="2.2.1"),
        Step(name="relevance", stage="instruct.relevance", config=relevance.Config(max_tokens=512), inputs={kind: "shortlist", "model": "base"}, paper="2.2.1"),
        Step(name="related", stage="instruct.select", config=tails, inputs={kind: "relevance"}, paper="2.2.1"),
        Step(name="balanced", stage="instruct.balance", config=most, inputs={kind: "related"}),
        Step(name="selected", stage="instruct.select", config=select.Config(drop_score_share=0.0, max_records=sizes.max_talks), inputs={kind: "balanced"}, paper="2.2.1"),
        Step(name="safe-answers", stage="instruct.safe_answers", config=safe_answers.Config()),
        Step(name="safe-screened", stage="hygiene.screen", config=screen.Config(kind=kind, identifiers="mask", unsafe="report"), inputs={kind: "safe-answers"}),     # one of them warns of a superstition
        Step(name="instructions", stage="instruct.join", config=join_talks.Config(shares={"safe": 0.05}), inputs={"selected": "selected", "safe": "safe-screened"}),
        Step(name="instructions-once", stage="hygiene.dedup", config=dedup.Config(kind=kind), inputs={kind: "instructions"}),
        Step(name="instructions-clean", stage="hygiene.decontaminate", config=decontaminate.Config(kind=kind), inputs={kind: "instructions-once", "benchmarks": "benchmarks"}),
        Step(name="dialogues", stage="hygiene.holdout", config=holdout.Config(kind=kind, share=0.1), inputs={kind: "instructions-clean"}, paper="2.2.2"),
    ]


def training(sizes: Sizes) -> list[Step]:
    """Two phases, SFT, pairs, DPO."""
    first = mix.Config(budget_tokens=sizes.phase_1, medical_share=0.7)                      # paper 2.1.2: "a certain ratio"
    second = mix.Config(budget_tokens=sizes.phase_2, medical_share=0.8, min_quality=3.0, instruction_share=0.3)     # not only_good: the graded seeds are the clinic's pages, not these books
    cpt, kind = adapters(3e-4, 8, sizes.length), "preferences"                              # paper 2.1.3: 1e-4, batch 768, all weights
    later = dataclasses.replace(cpt, lr=1e-4, warmup=0.01)                                  # paper 2.1.3: 1e-5, warm-up 0.01
    tune = adapters(2e-4, 16, sizes.length)                                                 # paper 2.2.2: 2e-6, batch 128, all weights
    prefer = adapters(1e-4, 8, sizes.length, warmup=0.1)                                    # paper 2.3.2: 2e-7, batch 64, all weights
    return [
        Step(name="mix-1", stage="corpus.mix", config=first, inputs={"documents": "text"}, paper="2.1.2"),
        Step(name="mix-2", stage="corpus.mix", config=second, inputs={"documents": "text", "conversations": "dialogues"}, paper="2.1.2"),
        panel("base", PANEL),
        *watched(Step(name="cpt-1", stage="train.pretrain", config=pretrain.Config(optim=cpt), inputs={"model": "base", "documents": "mix-1"}, paper="2.1.3"), PANEL, LIMITS),
        *watched(Step(name="cpt-2", stage="train.pretrain", config=pretrain.Config(optim=later), inputs={"model": "cpt-1", "documents": "mix-2"}, paper="2.1.3"), PANEL, LIMITS),
        *watched(Step(name="sft", stage="train.sft", config=sft.Config(optim=tune), inputs={"model": "cpt-2", "conversations": "dialogues", "heldout": "dialogues/heldout"}, paper="2.2.2"), PANEL, LIMITS),
        Step(name="pairs-objective", stage="preference.objective", config=objective.Config(max_pairs=sizes.objective), inputs={"questions": "exam-questions"}, paper="2.3.1"),
        Step(name="pairs-subjective", stage="preference.subjective", config=subjective.Config(n_conversations=sizes.subjective, max_new_tokens=192),
             inputs={"model": "sft", "conversations": "dialogues"}, paper="2.3.1"),
        Step(name="votes", stage="preference.importing", config=votes.Config(sources=tuple(known.preferences(DATA).values()))),
        Step(name="pairs-general", stage="preference.join", config=join.Config(max_pairs=sizes.general), inputs={"votes": "votes"}),
        Step(name="dialogues-judged", stage="instruct.importing", config=talks.Config(sources=tuple(known.judged(DATA).values()))),
        Step(name="pairs-judged", stage="preference.graded", config=graded.Config(), inputs={"conversations": "dialogues-judged"}),
        Step(name="pairs", stage="preference.join", config=join.Config(), inputs={name: f"pairs-{name}" for name in ("objective", "subjective", "general", "judged")}, paper="2.3.2"),
        Step(name="pairs-screened", stage="hygiene.screen", config=screen.Config(kind=kind, identifiers="mask"), inputs={kind: "pairs"}),
        Step(name="pairs-clean", stage="hygiene.decontaminate", config=decontaminate.Config(kind=kind), inputs={kind: "pairs-screened", "benchmarks": "benchmarks"}),
        Step(name="pairs-linted", stage="preference.lint", config=lint.Config(max_bad_share=0.1), inputs={kind: "pairs-clean"}),
        Step(name="preferences", stage="hygiene.holdout", config=holdout.Config(kind=kind, share=0.4), inputs={kind: "pairs-linted"}, paper="2.3.2"),
        *watched(Step(name="dpo", stage="train.dpo", config=dpo.Config(optim=prefer, beta=0.1), inputs={"model": "sft", kind: "preferences"}, paper="2.3.2"), PANEL, LIMITS),
    ]


def cards() -> list[Step]:
    """The three sets as folders that could be published, with their cards."""
    sets = {"cpt": ("documents", "text"), "sft": ("conversations", "dialogues"), "dpo": ("preferences", "preferences")}
    return [Step(name=f"card-{name}", stage="release.dataset", config=dataset.Config(kind=kind, title=f"aquilamed-{name}"), inputs={kind: step, "heldout": f"{step}/heldout"})
            for name, (kind, step) in sets.items()]


def evaluation(sizes: Sizes) -> list[Step]:
    """Every stage on the same items, and the ledger."""
    stages = ("base", "cpt-1", "cpt-2", "sft", "dpo")
    config = score.Config(form="plain", readings=("letter", "generated"), limit=sizes.questions, max_tokens=640, heldout_bytes=sizes.heldout_bytes, preferences=40, sample_tokens=64,
                          dialogues=dialogue.Settings(limit=sizes.cases, answer_tokens=64))
    given = {"benchmarks": "benchmarks", "cases": "benchmarks", "heldout": "text/heldout", "preferences": "preferences/heldout", "reference": "sft"}
    made = [Step(name=f"score-{stage}", stage="evals.score", config=config, inputs={"model": stage, **given}, paper="3") for stage in stages]
    lines = ledger.Config(order=stages, base="base", limits={"bpb-general": 0.03})
    scored = {stage: f"score-{stage}" for stage in stages}
    return [*made, Step(name="ledger", stage="evals.ledger", config=lines, inputs=scored, paper="3"), *contamination(scored, sizes.recalled)]


def recipe() -> Recipe:
    sizes, exams = Sizes(), known.questions(DATA)
    scored = tuple(source for name, source in exams.items() if name in SCORED)
    dialogues = casebooks.known(DATA)
    seeds_only = write.Config(n_pages_per_fact=1, n_consultations=1, n_qa=1, n_exam_train=1, n_exam_heldout=1, n_seeds=600)
    return Recipe(name="real_small", about="the whole way on real public data, two cores", steps=(
        Step(name="base", stage="models.prepare", config=prepare.Config(source="embedded:gemma-3-270m-zh-en", license="Gemma"), paper="2.1.3"),
        Step(name="clinic", stage="clinic.write", config=seeds_only),
        Step(name="benchmarks", stage="evals.benchmarks", config=benchmarks.Config(sources=scored, cases=(*dialogues.values(), casebooks.safety()), taken=dict.fromkeys(dialogues, sizes.taken)), paper="3.1"),
        *corpus(sizes), *instructions(sizes), *training(sizes), *cards(), *evaluation(sizes),
    ))
