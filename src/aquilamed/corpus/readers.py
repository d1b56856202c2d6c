"""The model that reads: a fine-tuned encoder or, where none is installed, a head over the embedded base model's hidden states.

Both give one number for each text, a logit or a score, and are used alike by `corpus.classify` and `corpus.quality`.
"""

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from aquilamed.core.config import check
from aquilamed.core.errors import ModelUnavailable
from aquilamed.models import encoder_settings

LINEAR, EMBEDDED, EMBEDDED_TUNED = "linear", "embedded", "embedded-tuned"
COST, WIDTH = 3.0, 1.0
"""The support vector head's cost of an error and the kernel's width. ours: costs of 3 and 10 were tried at width 1 only, by hand; no command repeats it"""
FOLDER = "encoder"
FEWEST = 20
"""Seeds of a label without which it is taught together with the others that count alike."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reading:
    """Which model reads, and how."""

    model: str = LINEAR
    """`linear`: n-grams alone. `embedded`: the embedded base model's hidden states with a head. `embedded-tuned`: its first
    layers, fine-tuned as an encoder. Else a folder or hub id of any Hugging Face
    encoder, which is fine-tuned. ours; paper 2.1.1: google-bert/bert-base-multilingual-cased"""
    revision: str = "main"
    """Commit or branch of a hub id."""
    layer: int = 6
    """Layer, 1..18, whose states `embedded` averages; how many layers `embedded-tuned` has. ours: for its cost; layer 9 was a little better on a part of
    CSL's titles, by hand"""
    tuning: encoder_settings.Settings = encoder_settings.Settings()
    """How much is read of a text, and how an encoder is fine-tuned."""

    def __post_init__(self):
        check(bool(self.model), "model is empty: expected linear, embedded, embedded-tuned, a folder or a hub id")
        check(1 <= self.layer <= 18, f"layer={self.layer}: expected 1..18")

    @property
    def reads(self) -> bool:
        return self.model != LINEAR

    def files(self) -> list[Path]:
        """The encoder's folder, where it is one."""
        return [Path(self.model)] if self.model not in (LINEAR, EMBEDDED, EMBEDDED_TUNED) and Path(self.model).is_dir() else []


@dataclasses.dataclass(frozen=True)
class Head:
    """Support vectors over pooled hidden states."""

    layer: int
    max_tokens: int
    mean: np.ndarray
    deviation: np.ndarray
    vectors: np.ndarray
    duals: np.ndarray
    intercept: float

    def raw(self, texts: pa.Array | pa.ChunkedArray) -> np.ndarray:
        from aquilamed.models import pooled
        return self.of(pooled.features(texts.to_pylist(), self.layer, self.max_tokens))

    def of(self, features: np.ndarray) -> np.ndarray:
        """The number for each row of pooled states, to 4 decimals."""
        found = np.empty(len(features))
        for k, row in enumerate(_scaled(features, self.mean, self.deviation)):      # a row at a time: no sum depends on the others
            found[k] = np.exp(-WIDTH * np.square(self.vectors - row).sum(axis=1)) @ self.duals + self.intercept
        return np.round(found, 4)


@dataclasses.dataclass(frozen=True)
class Tuned:
    """A fine-tuned encoder."""

    folder: Path
    max_tokens: int
    scale: float = 1.0
    offset: float = 0.0

    def raw(self, texts: pa.Array | pa.ChunkedArray) -> np.ndarray:
        from aquilamed.models import encoder
        return encoder.raw(self.folder, texts.to_pylist(), self.max_tokens) * self.scale + self.offset


@dataclasses.dataclass(frozen=True, kw_only=True)
class Seeds:
    """What a reader is taught with."""

    texts: pa.ChunkedArray
    targets: np.ndarray
    """Booleans: a class; else a score."""
    folds: np.ndarray
    """A fold for each text: what one fold's are called is said by a model of the others, or by one that kept that fold for development."""
    judge: Callable[[np.ndarray, np.ndarray], float]
    """(raw outputs, targets) -> how good they are; higher is better."""
    seed: int
    labels: list[str] = dataclasses.field(default_factory=list)
    """Where `targets` are booleans, what they were made of: an encoder is taught all labels apart."""


@dataclasses.dataclass(frozen=True)
class Learnt:
    """A reader, what it said of seeds that it was not taught with, and how it was taught."""

    reader: Head | Tuned
    rows: np.ndarray
    """Places of those seeds."""
    unseen: np.ndarray
    notes: dict


def learn(reading: Reading, seeds: Seeds, out: Path) -> Learnt:
    """Teach the model that `reading` names; a fine-tuned encoder is saved in `out/encoder`.

    Raises:
        ModelUnavailable: it is not there.
    """
    return learn_groups(reading, seeds, {"": np.arange(len(seeds.targets))}, out)[""]


def learn_groups(reading: Reading, seeds: Seeds, groups: Mapping[str, np.ndarray], out: Path) -> dict[str, Learnt]:
    """The same for each group of seeds, by their places: a head for each over the same hidden states, or one encoder for all."""
    if reading.model != EMBEDDED:
        whole = _tuned(reading, seeds, out)
        places = {row: place for place, row in enumerate(whole.rows.tolist())}
        shared = {name: np.array([row for row in rows.tolist() if row in places], int) for name, rows in groups.items()}
        return {name: dataclasses.replace(whole, rows=rows, unseen=whole.unseen[[places[row] for row in rows.tolist()]]) for name, rows in shared.items()}
    from aquilamed.models import pooled
    columns = pooled.features(seeds.texts.to_pylist(), reading.layer, reading.tuning.max_tokens)
    return {name: _head(reading, columns[rows], seeds.targets[rows], seeds.folds[rows], rows) for name, rows in groups.items()}


def _head(reading: Reading, columns: np.ndarray, targets: np.ndarray, folds: np.ndarray, rows: np.ndarray) -> Learnt:
    unseen = np.zeros(len(columns))
    for fold in np.unique(folds):
        rest, own = folds != fold, folds == fold
        unseen[own] = _fitted(reading, columns[rest], targets[rest]).of(columns[own])
    return Learnt(_fitted(reading, columns, targets), rows, unseen, {"layer": reading.layer})


def _fitted(reading: Reading, columns: np.ndarray, targets: np.ndarray) -> Head:
    from sklearn.svm import SVC, SVR
    mean, deviation = columns.mean(axis=0), columns.std(axis=0) + 1e-6
    machine = SVC(C=COST, gamma=WIDTH, class_weight="balanced") if targets.dtype == bool else SVR(C=COST, gamma=WIDTH, epsilon=0.1)
    fitted = machine.fit(_scaled(columns, mean, deviation), targets)
    return Head(layer=reading.layer, max_tokens=reading.tuning.max_tokens, mean=mean, deviation=deviation, vectors=fitted.support_vectors_.astype(np.float32),
                duals=fitted.dual_coef_[0].astype(np.float64), intercept=float(fitted.intercept_[0]))


def _scaled(columns: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """In standard deviations, so that a row is about 1 long."""
    return ((columns - mean) / deviation / np.sqrt(columns.shape[1])).astype(np.float32)


def _tuned(reading: Reading, seeds: Seeds, out: Path) -> Learnt:
    """Fold 0 is kept for development: it chooses the best epoch, and thresholds are chosen on it."""
    from aquilamed.models import encoder
    dev, rest = np.flatnonzero(seeds.folds == 0), np.flatnonzero(seeds.folds != 0)
    yes, targets, scale, offset = _taught(seeds, rest)
    lesson = encoder.Lesson(texts=seeds.texts.take(pa.array(rest)).to_pylist(), targets=targets, dev_texts=seeds.texts.take(pa.array(dev)).to_pylist(),
                            judge=lambda raw: seeds.judge(raw, seeds.targets[dev]), yes=yes, seed=seeds.seed)
    notes = encoder.fine_tune(_located(reading), lesson, reading.tuning, out / FOLDER, reading.layer if reading.model == EMBEDDED_TUNED else 0)
    reader = Tuned(out / FOLDER, reading.tuning.max_tokens, scale, offset)
    return Learnt(reader, dev, reader.raw(seeds.texts.take(pa.array(dev))), notes)


def _taught(seeds: Seeds, rows: np.ndarray) -> tuple[tuple[bool, ...], np.ndarray, float, float]:
    """(yes by class, class of each row, 1, 0), or of scores ((), standardised scores, scale, offset)."""
    own = seeds.targets[rows]
    if own.dtype != bool:
        scale, offset = max(float(own.std()), 1e-6), float(own.mean())
        return (), (own - offset) / scale, scale, offset
    names = [seeds.labels[row] for row in rows] if seeds.labels else [""] * len(rows)
    pairs = list(zip(own.tolist(), names, strict=True))
    often = Counter(pairs)
    pairs = [pair if often[pair] >= FEWEST else (pair[0], "") for pair in pairs]
    classes = sorted(set(pairs))
    return tuple(yes for yes, _ in classes), np.array([classes.index(pair) for pair in pairs]), 1.0, 0.0


def _located(reading: Reading) -> Path:
    """The encoder's folder; a hub id is downloaded.

    Raises:
        ModelUnavailable: neither a folder nor a hub id that can be reached.
    """
    from aquilamed.models import embedded, prepare
    if reading.model == EMBEDDED_TUNED:
        return embedded.ensure(embedded.TRIMMED, embedded.CACHE)
    if Path(reading.model).is_dir():
        return Path(reading.model)
    if not prepare.HUB_ID.fullmatch(reading.model):
        raise ModelUnavailable(f"{reading.model}: no such encoder folder; a hub id would read owner/name, and `linear`, `embedded` and `embedded-tuned` need neither")
    return prepare.download(reading.model, reading.revision)
