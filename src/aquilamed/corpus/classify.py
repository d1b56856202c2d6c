"""Medical or not, learnt from labelled seeds: n-grams screen, an encoder reads where it would change enough. paper 2.1.1

The paper fine-tunes multilingual BERT and lets it read everything (medical F1 84 %). Here n-grams alone are the default, which need no
GPU; every model says how good it is on seeds it never saw. What is uncertain is marked, for the next round's seeds (`corpus.sample`).
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
from aquilamed.corpus.cascade import ALL, Cascade, Classifier, band
from aquilamed.corpus.readers import Reading

VERSION = 5
MODEL = "model.npz"
LEAST_PER_CLASS = 10
"""Seeds of each class without which nothing can be learnt."""
OWN = 20
"""Seeds of each class, of those that no model was taught with, from which a language has models and thresholds of its own."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """What is learnt from the seeds, and what happens to the documents."""

    label_key: str = "label"
    """Key of a seed's meta that holds its label."""
    positive_labels: tuple[str, ...] = ("medical", "医学")
    """Labels that mean medical; every other label means general."""
    threshold: float = 0.0
    """Probability, above 0 and up to 1, from which a document's domain is medical; 0: for each language the one with the best F1 on seeds that the models were not taught with. ours"""
    keep: Literal["both", "medical"] = "both"
    """`both` keeps every document with its domain marked; `medical` drops the others as `general`. ours: the mix needs both. paper 2.1.2"""
    test_share: float = 0.2
    """Share, (0, 1), of the seeds kept out of training to measure on. ours"""
    bits: int = 20
    """The n-grams are hashed into 2**bits columns, 10..24. ours: F1 0.890 against 0.882 with 18 on CSL's development split (5 folds), by hand"""
    inverse_penalty: float = 30.0
    """Inverse of the L2 penalty's weight, above 0. ours: between 10 and 100 nothing changed by more than 0.01 there"""
    reading: Reading = Reading()
    """The model that reads where the n-grams don't suffice; `reading.model` is `linear` where there is none."""
    screen_loss: float = 0.005
    """F1, 0..1, that the cascade may lose against reading everything, in each language on unseen seeds: the narrowest band that keeps it is read. ours"""
    screen_recall: float = 0.0
    """Share, 0..1, of the medical seeds that must not be screened out below the band, whatever F1 says; 0: F1 decides alone. ours"""
    uncertain: float = 0.1
    """A document is marked uncertain if its verdict is wrong with at least this probability, above 0 and up to 1. ours"""
    seed: int = 0
    """Splits the seeds."""

    def __post_init__(self):
        check(0 <= self.threshold <= 1, f"classify: threshold={self.threshold}: expected 0..1")
        check(0 < self.test_share < 1, f"classify: test_share={self.test_share}: expected a share above 0 and below 1")
        check(10 <= self.bits <= 24, f"classify: bits={self.bits}: expected 10..24")
        check(self.inverse_penalty > 0, f"classify: inverse_penalty={self.inverse_penalty}: expected more than 0")
        check(bool(self.positive_labels), "classify: positive_labels is empty: name at least one")
        for name in ("screen_loss", "screen_recall"):
            check(0 <= getattr(self, name) <= 1, f"classify: {name}={getattr(self, name)}: expected 0..1")
        check(0 < self.uncertain <= 1, f"classify: uncertain={self.uncertain}: expected a probability above 0, up to 1")


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
    counts = tables.sift_all(engine, inputs["documents"], "documents", lambda table: sieve(config, model, table), out, on_gpu=config.reading.reads)
    cost = {"seconds_learning": round(learnt - began, 1), "seconds_classifying": round(time.monotonic() - learnt, 1),
            "documents_per_s": round(counts.n_in / max(time.monotonic() - learnt, 1e-9))}
    screen = {"by_lang": {lang: {"low": one.low, "high": one.high, "threshold": one.threshold} for lang, one in model.cascades.items()},
              "n_uncertain": counts.notes.get("uncertain", 0), "n_read": counts.notes.get("read", 0),
              "read_share": round(counts.notes.get("read", 0) / max(counts.n_in, 1), 4)}
    notes = {"seeds_train": len(seeds.train), "seeds_test": len(seeds.test), **measured(seeds, is_medical, model), "screen": screen, "cost": cost, "teaching": taught}
    return dataclasses.replace(counts, notes=notes)


def learn(config: Config, seeds: labelled.Seeds, is_medical: np.ndarray, out: Path) -> tuple[Classifier, dict]:
    """The models and thresholds of every language, from the seeds that are not kept for the test; a fine-tuned encoder is saved in `out`."""
    texts, truth, langs = seeds.texts.take(pa.array(seeds.train)), is_medical[seeds.train], seeds.langs[seeds.train]
    folds = linear.folds_of([seeds.ids[k] for k in seeds.train], truth, config.seed)
    groups = {ALL: np.arange(len(truth)), **{str(lang): np.flatnonzero(langs == lang) for lang in np.unique(langs)}}
    groups = {name: rows for name, rows in groups.items() if name == ALL or _enough(truth[rows])}
    learnt, notes = {}, {}
    if config.reading.reads:
        lesson = readers.Seeds(texts=texts, targets=truth, folds=folds, judge=_f1, seed=config.seed, labels=[seeds.labels[k] for k in seeds.train])
        learnt = readers.learn_groups(config.reading, lesson, groups, out)
        notes = learnt[ALL].notes
        groups = {name: rows for name, rows in groups.items() if name == ALL or _enough(truth[learnt[name].rows])}
    return Classifier({name: _cascade(config, texts, truth, folds, rows, learnt.get(name)) for name, rows in groups.items()}), notes


def _enough(truth: np.ndarray) -> bool:
    return min(int(truth.sum()), int((~truth).sum())) >= OWN


def _cascade(config: Config, texts: pa.ChunkedArray, truth: np.ndarray, folds: np.ndarray, rows: np.ndarray, learnt: readers.Learnt | None) -> Cascade:
    """Both models' probabilities and thresholds from the seeds at `rows`, all on what was said of seeds while they were not taught with."""
    own, how = texts.take(pa.array(rows)), {"bits": config.bits, "inverse_penalty": config.inverse_penalty}
    unseen = np.zeros(len(truth))
    unseen[rows] = linear.unseen(own, truth[rows], folds[rows], **how)
    alone = calibration.fit(truth[rows], unseen[rows])
    first = alone.probability(unseen)
    lone = config.threshold or calibration.best_f1(first[rows], truth[rows])
    model = linear.learn(own, truth[rows], **how)
    if learnt is None:
        return Cascade(model, alone, None, alone, lone, lone, lone, lone)
    seen = learnt.rows
    blend = calibration.fit(truth[seen], learnt.unseen, unseen[seen])
    second = blend.probability(learnt.unseen, unseen[seen])
    threshold = config.threshold or calibration.best_f1(second, truth[seen])
    low, high = band(first[seen], second, truth[seen], threshold, loss=config.screen_loss, recall=config.screen_recall)
    return Cascade(model, alone, learnt.reader, blend, low, high, threshold, lone)


def sieve(config: Config, model: Classifier, table: pa.Table) -> tuple[pa.Table, pa.Table, Counter, pa.Table]:
    """(kept, dropped, how many were read and are uncertain, nearly dropped) of one shard, every row marked."""
    langs = np.array(table["lang"].to_pylist(), object)
    found = model.judge(table["text"], langs)
    written = [f"{value:.4f}" for value in found.medical]
    unsure = np.where(found.above, 1 - found.medical, found.medical) >= config.uncertain
    marked = tables.with_meta(table, medical=written, domain=np.where(found.above, "medical", "general").tolist(), uncertain=np.where(unsure, "1", "0").tolist())
    rules, details = {"general": ~found.above}, {"general": pa.array(written, pa.string())}
    kept, dropped = tables.sift(marked, rules if config.keep == "medical" else {}, details)
    limits = np.array([model.of(lang).threshold for lang in langs])
    close = near.nearest(marked, rules, {"general": limits / np.maximum(found.medical, 1e-9)}, details)
    return kept, dropped, Counter(read=int(found.read.sum()), uncertain=int(unsure.sum())), close


def measured(seeds: labelled.Seeds, is_medical: np.ndarray, model: Classifier) -> dict:
    """On the seeds kept out: what the step's own verdicts are worth by language and by round, and the same of each model by itself."""
    texts, truth, langs = seeds.texts.take(pa.array(seeds.test)), is_medical[seeds.test], seeds.langs[seeds.test]
    found, own, full = (one.judge(texts, langs) for one in (model, model.each(Cascade.by_ngrams), model.each(Cascade.everything_read)))
    apart = {"linear": own.above, **({"encoder": full.above, "cascade": found.above} if model.of(ALL).reader is not None else {})}
    return {
        "medical": {lang: measure(found.above[rows], truth[rows]) for lang, rows in seeds.by_lang().items()},
        "by_round": {name: measure(found.above[rows], truth[rows]) for name, rows in seeds.by_round().items()},
        "models": {name: {lang: measure(of[rows], truth[rows]) for lang, rows in seeds.by_lang().items()} for name, of in apart.items()},
        "test_read_share": round(float(found.read.mean()) if len(truth) else 0.0, 4),
        "calibration_error": {"linear": calibration.calibration_error(own.medical, truth), "final": calibration.calibration_error(found.medical, truth),
                              **({"encoder": calibration.calibration_error(full.medical, truth)} if len(apart) > 1 else {})},
    }


def measure(predicted: np.ndarray, truth: np.ndarray) -> dict:
    """Precision, recall and F1 of the medical class, 0..1 to 4 decimals, and the number of documents; 0 where a ratio has no denominator."""
    both, said, there = int((predicted & truth).sum()), int(predicted.sum()), int(truth.sum())
    ratios = {"precision": both / max(said, 1), "recall": both / max(there, 1), "f1": 2 * both / max(said + there, 1)}
    return {**{name: round(ratio, 4) for name, ratio in ratios.items()}, "n": len(truth)}


def _f1(raw: np.ndarray, truth: np.ndarray) -> float:
    """The best F1 that a threshold on `raw` can reach: what an encoder's epochs are compared by."""
    return measure(raw >= calibration.best_f1(raw, truth), truth)["f1"]


def _save(out: Path, model: Classifier) -> None:
    arrays = {}
    for lang, one in model.cascades.items():
        head = dataclasses.asdict(one.reader) if isinstance(one.reader, readers.Head) else {}
        parts = {**{f"linear_{name}": value for name, value in dataclasses.asdict(one.linear).items()}, "alone": np.append(one.alone.weights, one.alone.intercept),
                 "blend": np.append(one.blend.weights, one.blend.intercept), "bounds": [one.low, one.high, one.threshold, one.threshold_alone],
                 **{f"head_{name}": value for name, value in head.items()}}
        arrays |= {f"{lang}_{name}": value for name, value in parts.items()}
    np.savez(out / MODEL, **arrays)


def _check_classes(folders: Mapping[str, Path], is_medical: np.ndarray) -> None:
    n_medical = int(is_medical.sum())
    if min(n_medical, len(is_medical) - n_medical) < LEAST_PER_CLASS:
        raise RecordError(f"{', '.join(map(str, folders.values()))}: {n_medical} medical and {len(is_medical) - n_medical} general seeds to learn from; "
                          f"at least {LEAST_PER_CLASS} of each are needed (check positive_labels)")
