"""Medical or not by two models: n-grams judge every document, the one that reads is asked only where they are unsure.

Below `low` and from `high` the n-grams decide; what lies between is the uncertain band. Without a reader the band is only marked.
"""

import dataclasses
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from aquilamed.corpus import calibration
from aquilamed.corpus.calibration import Calibration
from aquilamed.corpus.linear import Linear
from aquilamed.corpus.readers import Head, Tuned


class Verdict(NamedTuple):
    """What is said of each text."""

    medical: np.ndarray
    """Probability, to 4 decimals."""
    read: np.ndarray
    """Whether the second model was asked."""
    uncertain: np.ndarray
    """Whether it still lies in the band."""


@dataclasses.dataclass(frozen=True)
class Cascade:
    """Both models, and where the second is asked."""

    linear: Linear
    alone: Calibration
    """Of the n-grams."""
    reader: Head | Tuned | None
    blend: Calibration
    """Of what the reader says and what the n-grams say, together."""
    low: float
    high: float
    threshold: float
    """Medical from here; `low` <= `threshold` <= `high`, so one threshold holds whoever judged."""
    threshold_alone: float
    """The same for the n-grams by themselves."""

    def judge(self, texts: pa.Array | pa.ChunkedArray) -> Verdict:
        raw = self.linear.raw(texts)
        medical = self.alone.probability(raw)
        band = (medical >= self.low) & (medical < self.high)
        rows = np.flatnonzero(band)
        if self.reader is not None and len(rows):
            medical[rows] = self.blend.probability(self.reader.raw(texts.take(pa.array(rows))), raw[rows])
        read = band & (self.reader is not None)
        return Verdict(medical, read, band & (medical >= self.low) & (medical < self.high))

    def everything_read(self) -> "Cascade":
        """The same models, the second asked about every text: what the cascade is measured against."""
        return dataclasses.replace(self, low=0.0, high=2.0)


def band(medical: np.ndarray, truth: np.ndarray, recall: float, precision: float) -> tuple[float, float]:
    """(low, high) on documents that the n-grams were not taught with.

    At most 1 - `recall` of the medical ones lie below `low`; of those from `high` on at least `precision` are medical. A `high` above 1 is out of reach.
    """
    high = calibration.for_precision(medical, truth, precision)
    return (calibration.for_recall(medical, truth, recall) if recall < 1 else 0.0), (high if high is not None and precision < 1 else 2.0)
