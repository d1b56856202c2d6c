"""Which of the paper's five faults a document of low quality has, by one n-gram model each, learnt from labelled seeds. paper 2.1.1"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from aquilamed.core.errors import RecordError
from aquilamed.corpus import calibration, linear
from aquilamed.corpus.asking import FAULTS
from aquilamed.corpus.calibration import Calibration
from aquilamed.corpus.linear import Linear
from aquilamed.hygiene.features import hashed

LEAST = 10
"""Seeds with a fault, and without it, below which it is not learnt."""
LEAST_PROBABILITY = 0.5
OTHER = "other"
"""A document of which no fault is probable enough."""
INVERSE_PENALTY = 10.0


@dataclasses.dataclass(frozen=True)
class Faults:
    """A model and its probabilities for every fault that could be learnt."""

    models: Mapping[str, tuple[Linear, Calibration]]

    def of(self, texts: pa.Array | pa.ChunkedArray) -> np.ndarray:
        """The most probable fault of each text, `other` where none is probable; strings."""
        if not self.models or not len(texts):
            return np.full(len(texts), OTHER, object)
        bits = len(next(iter(self.models.values()))[0].weights).bit_length() - 1
        columns = hashed(texts, bits)
        sure = np.column_stack([known.probability(model.of(columns)) for model, known in self.models.values()])
        names = np.array([*self.models], object)[sure.argmax(axis=1)]
        return np.where(sure.max(axis=1) >= LEAST_PROBABILITY, names, OTHER)


def learn(texts: pa.ChunkedArray, marks: Mapping[str, np.ndarray], folds: np.ndarray, bits: int) -> Faults:
    """From seeds of which some have each fault; probabilities are fitted to what was said of seeds that a model was not taught with."""
    found, how = {}, {"bits": bits, "inverse_penalty": INVERSE_PENALTY}
    for fault, truth in marks.items():
        if min(int(truth.sum()), int((~truth).sum())) >= LEAST:
            found[fault] = linear.learn(texts, truth, **how), calibration.fit(truth, linear.unseen(texts, truth, folds, **how))
    return Faults(found)


def marks_of(ids: Sequence[str], said: Sequence[str | None]) -> dict[str, np.ndarray]:
    """Fault -> whether each seed has it, from a comma-separated list for each; an empty list says that it has none.

    Raises:
        RecordError: a fault that is none of `corpus.asking.FAULTS`; the seed is named.
    """
    lists = [{fault.strip() for fault in (one or "").split(",") if fault.strip()} for one in said]
    for row_id, faults in zip(ids, lists, strict=True):
        if unknown := sorted(faults - set(FAULTS)):
            raise RecordError(f"seed {row_id}: faults {', '.join(unknown)}: expected some of {', '.join(FAULTS)}")
    return {fault: np.array([fault in faults for faults in lists], bool) for fault in FAULTS}
