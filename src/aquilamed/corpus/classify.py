"""Medical or not, learnt from labelled seeds: n-grams screen, an encoder reads what they are unsure of. paper 2.1.1

The paper fine-tunes multilingual BERT and lets it read everything (medical F1 84 %). Here n-grams alone are the default, which need no
GPU; every model says how good it is on seeds it never saw. The uncertain band is marked, for the next round's seeds (`corpus.sample`).
"""

import dataclasses
import shutil
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa

from aquilamed.core import manifest, near, tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.errors import RecordError
from aquilamed.corpus import calibration, linear, readers
from aquilamed.corpus import seeds as labelled
from aquilamed.corpus.cascade import Cascade, band
from aquilamed.corpus.readers import Reading

VERSION = 3
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
    threshold: float = 0.0
    """Probability, above 0 and up to 1, from which a document's domain is medical; 0: the one with the best F1 on seeds that the model was not taught with. ours"""
    keep: Literal["both", "medical"] = "both"
    """`both` keeps every document with its domain marked; `medical` drops the others as `general`. ours: the mix needs both. paper 2.1.2"""
    test_share: float = 0.2
    """Share, (0, 1), of the seeds kept out of training to measure on. ours"""
    bits: int = 18
    """The n-grams are hashed into 2**bits columns, 10..24. ours: by hand, 22 gained nothing on CSL's titles"""
    inverse_penalty: float = 10.0
    """Inverse of the L2 penalty's weight, above 0. ours: by hand on CSL's development titles"""
    reading: Reading = Reading()
    """The model that reads what the n-grams are unsure of; `reading.model` is `linear` where there is none."""
    screen_recall: float = 0.99
    """Share, (0, 1], of the medical seeds that the screen must not lose; 1: nothing is screened out. ours: half of what F1 may lose"""
    screen_precision: float = 0.99
    """Share, (0, 1], that must be medical of what the screen passes unread; 1: nothing passes unread. ours"""
    seed: int = 0
    """Splits the seeds."""

    def __post_init__(self):
        check(0 <= self.threshold <= 1, f"classify: threshold={self.threshold}: expected 0..1")
        check(0 < self.test_share < 1, f"classify: test_share={self.test_share}: expected a share above 0 and below 1")
        check(10 <= self.bits <= 24, f"classify: bits={self.bits}: expected 10..24")
        check(self.inverse_penalty > 0, f"classify: inverse_penalty={self.inverse_penalty}: expected more than 0")
        check(bool(self.positive_labels), "classify: positive_labels is empty: name at least one")
        for name in ("screen_recall", "screen_precision"):
            check(0 < getattr(self, name) <= 1, f"classify: {name}={getattr(self, name)}: expected a share above 0, up to 1")


def files(config: Config) -> list[Path]:
    """The encoder's folder, where it is one."""
    return config.reading.files()


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Learn from `inputs["seeds"]` (and `seeds-2` …), mark `meta["medical"]`, `["domain"]` and `["uncertain"]` on `inputs["documents"]`; the models are saved beside them."""
    began = time.monotonic()
    found = labelled.inputs_of(inputs)
    seeds = labelled.load(found, config.label_key, config.test_share, config.seed)
    is_medical = np.array([label in config.positive_labels for label in seeds.labels], bool)
    _check_classes(found, is_medical[seeds.train])
    out.mkdir(parents=True, exist_ok=True)
    model, taught = learn(config, seeds, is_medical, out)
    _save(out, model)
    learnt = time.monotonic()
    if config.reading.reads:
        shutil.rmtree(out / manifest.PASSES, ignore_errors=True)        # taught anew, on a GPU not bit for bit: no shard of a killed try may stay
    counts = tables.sift_all(engine, inputs["documents"], "documents", lambda table: sieve(config, model, table), out)
    cost = {"seconds_learning": round(learnt - began, 1), "seconds_classifying": round(time.monotonic() - learnt, 1),
            "documents_per_s": round(counts.n_in / max(time.monotonic() - learnt, 1e-9))}
    screen = {"low": model.low, "high": model.high, "threshold": model.threshold, "n_uncertain": counts.notes.get("uncertain", 0), "n_read": counts.notes.get("read", 0),
              "read_share": round(counts.notes.get("read", 0) / max(counts.n_in, 1), 4)}
    notes = {"seeds_train": len(seeds.train), "seeds_test": len(seeds.test), **measured(seeds, is_medical, model), "screen": screen, "cost": cost, "teaching": taught}
    return dataclasses.replace(counts, notes=notes)


def learn(config: Config, seeds: labelled.Seeds, is_medical: np.ndarray, out: Path) -> tuple[Cascade, dict]:
    """Both models and their thresholds, from the seeds that are not kept for the test; a fine-tuned encoder is saved in `out`."""
    texts, truth = seeds.texts.take(pa.array(seeds.train)), is_medical[seeds.train]
    folds = linear.folds_of([seeds.ids[k] for k in seeds.train], truth, config.seed)
    how = {"bits": config.bits, "inverse_penalty": config.inverse_penalty}
    unseen = linear.unseen(texts, truth, folds, **how)
    alone = calibration.fit(truth, unseen)
    medical = alone.probability(unseen)
    reader, blend, notes, rows = None, alone, {}, np.arange(len(truth))
    if config.reading.reads:
        lesson = readers.Seeds(texts=texts, targets=truth, folds=folds, judge=_f1, seed=config.seed)
        learnt = readers.learn(config.reading, lesson, out)
        reader, rows, notes = learnt.reader, learnt.rows, learnt.notes
        blend = calibration.fit(truth[rows], learnt.unseen, unseen[rows])
        medical = blend.probability(learnt.unseen, unseen[rows])
    threshold = config.threshold or calibration.best_f1(medical, truth[rows])
    lone = config.threshold or calibration.best_f1(alone.probability(unseen), truth)
    low, high = band(alone.probability(unseen), truth, config.screen_recall, config.screen_precision)
    model = linear.learn(texts, truth, **how)
    return Cascade(model, alone, reader, blend, min(low, threshold), max(high, threshold), threshold, lone), notes


def sieve(config: Config, model: Cascade, table: pa.Table) -> tuple[pa.Table, pa.Table, Counter, pa.Table]:
    """(kept, dropped, how many were read and are uncertain, nearly dropped) of one shard, every row marked."""
    found = model.judge(table["text"])
    above, written = found.medical >= model.threshold, [f"{value:.4f}" for value in found.medical]
    marked = tables.with_meta(table, medical=written, domain=np.where(above, "medical", "general").tolist(), uncertain=np.where(found.uncertain, "1", "0").tolist())
    rules, details = {"general": ~above}, {"general": pa.array(written, pa.string())}
    kept, dropped = tables.sift(marked, rules if config.keep == "medical" else {}, details)
    close = near.nearest(marked, rules, {"general": model.threshold / np.maximum(found.medical, 1e-9)}, details)
    return kept, dropped, Counter(read=int(found.read.sum()), uncertain=int(found.uncertain.sum())), close


def measured(seeds: labelled.Seeds, is_medical: np.ndarray, model: Cascade) -> dict:
    """On the seeds kept out: what the step's own verdicts are worth by language and by round, and the same of each model by itself."""
    texts, truth = seeds.texts.take(pa.array(seeds.test)), is_medical[seeds.test]
    raw = model.linear.raw(texts)
    own = model.alone.probability(raw)
    found, full = model.judge(texts), model.everything_read().judge(texts)
    said, final = found.medical >= model.threshold, full.medical
    apart = {"linear": own >= model.threshold_alone, **({"encoder": final >= model.threshold, "cascade": said} if model.reader is not None else {})}
    return {
        "medical": {lang: measure(said[rows], truth[rows]) for lang, rows in seeds.by_lang().items()},
        "by_round": {name: measure(said[rows], truth[rows]) for name, rows in seeds.by_round().items()},
        "models": {name: {lang: measure(of[rows], truth[rows]) for lang, rows in seeds.by_lang().items()} for name, of in apart.items()},
        "test_read_share": round(float(found.read.mean()) if len(truth) else 0.0, 4),
        "calibration_error": {"before": calibration.calibration_error(calibration.sigmoid(raw), truth), "after": calibration.calibration_error(own, truth),
                              "final": calibration.calibration_error(final, truth)},
    }


def measure(predicted: np.ndarray, truth: np.ndarray) -> dict:
    """Precision, recall and F1 of the medical class, 0..1 to 4 decimals, and the number of documents; 0 where a ratio has no denominator."""
    both, said, there = int((predicted & truth).sum()), int(predicted.sum()), int(truth.sum())
    ratios = {"precision": both / max(said, 1), "recall": both / max(there, 1), "f1": 2 * both / max(said + there, 1)}
    return {**{name: round(ratio, 4) for name, ratio in ratios.items()}, "n": len(truth)}


def _f1(raw: np.ndarray, truth: np.ndarray) -> float:
    """The best F1 that a threshold on `raw` can reach: what an encoder's epochs are compared by."""
    return measure(raw >= calibration.best_f1(raw, truth), truth)["f1"]


def _save(out: Path, model: Cascade) -> None:
    head = dataclasses.asdict(model.reader) if isinstance(model.reader, readers.Head) else {}
    np.savez(out / MODEL, weights=model.linear.weights, intercept=model.linear.intercept, alone=np.append(model.alone.weights, model.alone.intercept),
             blend=np.append(model.blend.weights, model.blend.intercept), bounds=[model.low, model.high, model.threshold], **{f"head_{name}": value for name, value in head.items()})


def _check_classes(folders: Mapping[str, Path], is_medical: np.ndarray) -> None:
    n_medical = int(is_medical.sum())
    if min(n_medical, len(is_medical) - n_medical) < LEAST_PER_CLASS:
        raise RecordError(f"{', '.join(map(str, folders.values()))}: {n_medical} medical and {len(is_medical) - n_medical} general seeds to learn from; "
                          f"at least {LEAST_PER_CLASS} of each are needed (check positive_labels)")
