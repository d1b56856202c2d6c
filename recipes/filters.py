"""Every corpus filter measured on the ground truth of the whole bundled clinic, in under a minute on two cores; no language model is trained.

`runs/filters/report.html` has precision and recall of each reason in both languages, and examples of what was dropped and nearly dropped.
"""

from quickstart import Sizes, corpus, exam_source

from aquilamed.clinic import notes, screened, write
from aquilamed.corpus import mix
from aquilamed.evals import benchmarks
from aquilamed.pipeline import Recipe, Step


def recipe() -> Recipe:
    clinic = write.Config(n_pages_per_fact=3, n_seeds=1_500)        # all conditions and drugs: some fifty pages of each kind of dirt and language
    ratio = mix.Config(budget_tokens=60_000, medical_share=0.7, only_good=True)
    return Recipe(name="filters", about="the corpus filters on the whole bundled clinic, against its ground truth", steps=(
        Step(name="clinic", stage="clinic.write", config=clinic),
        Step(name="benchmarks", stage="evals.benchmarks", config=benchmarks.Config(sources=(exam_source(),)), inputs={"clinic": "clinic"}, paper="3.1"),
        Step(name="notes", stage="clinic.notes", config=notes.Config()),                     # 2,200 notes, every identifier known
        Step(name="identifiers", stage="clinic.screened", config=screened.Config(), inputs={"notes": "notes"}, paper="2.1.1"),
        *corpus(Sizes()),
        Step(name="mix", stage="corpus.mix", config=ratio, inputs={"documents": "text"}, paper="2.1.2"),
    ))
