"""Medical or not by two models: n-grams judge every document, the one that reads is asked only where it would change enough.

Every language with seeds enough has n-grams, probabilities and thresholds of its own; the reader is one for all. Below `low` and from
`high` the n-grams decide; what lies between is read.
"""

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from aquilamed.corpus.calibration import Calibration
from aquilamed.corpus.linear import Linear
from aquilamed.corpus.readers import Head, Tuned

ALL = "all"
"""The models taught with the seeds of every language: for languages without models of their own."""
STEPS = 100
"""Bounds tried on each side of the threshold."""


class Verdict(NamedTuple):
    """What is said of each text."""

    medical: np.ndarray
    """Probability, to 4 decimals."""
    above: np.ndarray
    """Whether it reaches the threshold of its language."""
    read: np.ndarray
    """Whether the second model was asked."""


@dataclasses.dataclass(frozen=True)
class Cascade:
    """Both models for one language, and where the second is asked."""

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
        read = (medical >= self.low) & (medical < self.high) if self.reader is not None else np.zeros(len(raw), bool)
        rows = np.flatnonzero(read)
        if len(rows):
            medical[rows] = self.blend.probability(self.reader.raw(texts.take(pa.array(rows))), raw[rows])
        return Verdict(medical, medical >= self.threshold, read)

    def by_ngrams(self) -> "Cascade":
        """The n-grams by themselves."""
        return dataclasses.replace(self, reader=None, threshold=self.threshold_alone)

    def everything_read(self) -> "Cascade":
        """The same models, the second asked about every text: what the cascade is measured against."""
        return dataclasses.replace(self, low=0.0, high=2.0)


@dataclasses.dataclass(frozen=True)
class Classifier:
    """A cascade for every language that has its own, and `all`."""

    cascades: Mapping[str, Cascade]

    def of(self, lang: str) -> Cascade:
        return self.cascades.get(lang, self.cascades[ALL])

    def judge(self, texts: pa.Array | pa.ChunkedArray, langs: np.ndarray) -> Verdict:
        """A verdict for every text by the cascade of its language."""
        found = Verdict(np.zeros(len(texts)), np.zeros(len(texts), bool), np.zeros(len(texts), bool))
        for lang in np.unique(langs):
            rows = np.flatnonzero(langs == lang)
            for whole, part in zip(found, self.of(str(lang)).judge(texts.take(pa.array(rows))), strict=True):
                whole[rows] = part
        return found

    def each(self, change) -> "Classifier":
        """Every cascade as `change` makes it."""
        return Classifier({lang: change(cascade) for lang, cascade in self.cascades.items()})


def band(first: np.ndarray, second: np.ndarray, truth: np.ndarray, threshold: float, *, loss: float, recall: float = 0.0) -> tuple[float, float]:
    """(low, high): the narrowest band in which the second model must judge, on documents that neither was taught with.

    `first` and `second` are the probabilities of both models. F1 is at most `loss` below that of the second model everywhere, and at most
    1 - `recall` of the medical documents lie below `low`. (0, 2) where only reading everything will do.
    """
    order = np.argsort(first, kind="stable")
    first, said, truth = first[order], second[order] >= threshold, truth[order]
    sums = [np.append(0, np.cumsum(column)) for column in (said, said & truth, truth)]
    least = _f1(int((said & truth).sum()), int(said.sum()), int(truth.sum())) - loss
    lows, highs = (_bounds(first[first < threshold], threshold), _bounds(first[first >= threshold], threshold))
    best, width = (0.0, 2.0), len(first) + 1
    for low in lows:
        begin = int(np.searchsorted(first, low))
        if truth.sum() - sums[2][begin] < recall * truth.sum() - 1e-9:
            continue
        for high in highs:
            end = int(np.searchsorted(first, high))
            n_said, hits = sums[0][end] - sums[0][begin] + len(first) - end, sums[1][end] - sums[1][begin] + sums[2][-1] - sums[2][end]
            if end - begin < width and _f1(int(hits), int(n_said), int(truth.sum())) >= least - 1e-9:
                best, width = (low, high), end - begin
    return best


def _bounds(values: np.ndarray, threshold: float) -> list[float]:
    """The threshold itself, and values away from it at equal numbers of documents."""
    if not len(values):
        return [threshold]
    places = np.unique(np.linspace(0, len(values) - 1, STEPS).astype(int))
    beyond = [0.0] if values[0] < threshold else [2.0]
    return sorted({threshold, *np.round(values[places], 4).tolist(), *beyond})


def _f1(hits: int, said: int, there: int) -> float:
    return 2 * hits / max(said + there, 1)
