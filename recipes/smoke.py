"""Every stage on a tiny random model and a small clinic, in under three minutes on two cores: does it all hold together?

Its scores mean nothing; its counts, manifests and refusals do. The model is made here, so nothing is downloaded.
"""

from quickstart import Sizes, steps

from aquilamed.clinic import write
from aquilamed.models import prepare
from aquilamed.pipeline import Recipe


def recipe() -> Recipe:
    sizes = Sizes(
        base=prepare.Config(source="random:gemma3_text", license="Apache-2.0"),
        clinic=write.Config(n_conditions=8, n_drugs=4, n_pages_per_fact=3, n_general=40, n_seeds=100, n_consultations=8, n_qa=24,
                            n_general_chat=8, n_exam_train=40, n_exam_heldout=20),
        phase_1=3_000, phase_2=3_000, max_talks=60, subjective=8, objective=16, questions=8, cases=2, answer_tokens=8, recalled=2)
    made = steps(sizes)
    return Recipe(name="smoke", about="every stage, tiny random model", steps=tuple(made))


