"""Medical or not: a linear model on hashed n-grams, learnt from labelled seeds. paper 2.1.1

The paper fine-tunes multilingual BERT (medical F1 84 %); this model needs no GPU and says how good it is on seeds it never saw.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa

from aquilamed.core import tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.errors import RecordError
from aquilamed.corpus import seeds as labelled
from aquilamed.corpus.features import hashed

VERSION = 2
MODEL = "model.npz"
LEAST_PER_CLASS = 10
"""Seeds of each class without which nothing can be learnt."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """What is learnt from the seeds, and what happens to the documents."""

    label_key: str = "label"
    """Key of a seed's meta that holds its label."""
    positive_labels: tuple[str, ...] = ("medical", "医学")
    """Labels that mean medical; every other label means general."""
    threshold: float = 0.5
    """Probability, 0..1, from which a document's domain is medical. ours"""
    keep: Literal["both", "medical"] = "both"
    """`both` keeps every document with its domain marked; `medical` drops the others as `general`. ours: the mix needs both. paper 2.1.2"""
    test_share: float = 0.2
    """Share, (0, 1), of the seeds kept out of training to measure on. ours"""
    bits: int = 18
    """The n-grams are hashed into 2**bits columns, 10..24. ours"""
    inverse_penalty: float = 3.0
    """Inverse of the L2 penalty's weight, above 0. ours: on the CSL titles' development set 1 is worse and 3 to 100 are equal within noise"""
    seed: int = 0
    """Splits the seeds."""

    def __post_init__(self):
        check(0 <= self.threshold <= 1, f"classify: threshold={self.threshold}: expected 0..1")
        check(0 < self.test_share < 1, f"classify: test_share={self.test_share}: expected a share above 0 and below 1")
        check(10 <= self.bits <= 24, f"classify: bits={self.bits}: expected 10..24")
        check(self.inverse_penalty > 0, f"classify: inverse_penalty={self.inverse_penalty}: expected more than 0")
        check(bool(self.positive_labels), "classify: positive_labels is empty: name at least one")


@dataclasses.dataclass(frozen=True)
class Model:
    """Weights of the columns, and the intercept."""

    weights: np.ndarray
    intercept: float

    def medical(self, texts: pa.Array | pa.ChunkedArray) -> np.ndarray:
        """The probability of each text being medical, to 4 decimals."""
        bits = len(self.weights).bit_length() - 1
        return np.round(1 / (1 + np.exp(-(hashed(texts, bits) @ self.weights + self.intercept))), 4)


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Learn from `inputs["seeds"]`, mark `meta["medical"]` and `meta["domain"]` on `inputs["documents"]`; the model is saved beside them."""
    seeds = labelled.load(inputs["seeds"], config.label_key, config.test_share, config.seed)
    is_medical = np.array([label in config.positive_labels for label in seeds.labels], bool)
    _check_classes(inputs["seeds"], is_medical[seeds.train])
    model = learn(seeds.texts.take(pa.array(seeds.train)), is_medical[seeds.train], config)
    out.mkdir(parents=True, exist_ok=True)
    np.savez(out / MODEL, weights=model.weights, intercept=model.intercept)
    counts = tables.sift_all(engine, inputs["documents"], "documents", lambda table: sieve(config, model, table), out)
    predicted = model.medical(seeds.texts.take(pa.array(seeds.test))) >= config.threshold
    truth = is_medical[seeds.test]
    scores = {lang: measure(predicted[rows], truth[rows]) for lang, rows in seeds.by_lang().items()}
    return dataclasses.replace(counts, notes={"seeds_train": len(seeds.train), "seeds_test": len(seeds.test), "medical": scores})


def learn(texts: pa.Array | pa.ChunkedArray, is_medical: np.ndarray, config: Config) -> Model:
    """Logistic regression with both classes given equal weight."""
    from sklearn.linear_model import LogisticRegression
    fitted = LogisticRegression(C=config.inverse_penalty, class_weight="balanced", solver="newton-cg", max_iter=1000)
    fitted.fit(hashed(texts, config.bits), is_medical)
    return Model(weights=fitted.coef_[0].astype(np.float64), intercept=float(fitted.intercept_[0]))


def sieve(config: Config, model: Model, table: pa.Table) -> tuple[pa.Table, pa.Table]:
    """(kept, dropped) of one shard, every row marked."""
    medical = model.medical(table["text"])
    above = medical >= config.threshold
    marked = tables.with_meta(table, medical=[f"{value:.4f}" for value in medical], domain=np.where(above, "medical", "general").tolist())
    return tables.sift(marked, {"general": ~above} if config.keep == "medical" else {}, {"general": pa.array([f"{value:.4f}" for value in medical])})


def measure(predicted: np.ndarray, truth: np.ndarray) -> dict:
    """Precision, recall and F1 of the medical class, 0..1 to 4 decimals, and the number of documents; 0 where a ratio has no denominator."""
    both, said, there = int((predicted & truth).sum()), int(predicted.sum()), int(truth.sum())
    ratios = {"precision": both / max(said, 1), "recall": both / max(there, 1), "f1": 2 * both / max(said + there, 1)}
    return {**{name: round(ratio, 4) for name, ratio in ratios.items()}, "n": len(truth)}


def _check_classes(folder: Path, is_medical: np.ndarray) -> None:
    n_medical = int(is_medical.sum())
    if min(n_medical, len(is_medical) - n_medical) < LEAST_PER_CLASS:
        raise RecordError(f"{folder}: {n_medical} medical and {len(is_medical) - n_medical} general seeds to learn from; "
                          f"at least {LEAST_PER_CLASS} of each are needed (check positive_labels)")
