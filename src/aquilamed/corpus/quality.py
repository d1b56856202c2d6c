"""A quality score, 0..6, learnt from scored seeds: ridge regression on n-grams and the shape of the text, or with a reader beside it. paper 2.1.1

The paper fine-tunes multilingual BERT on 15k documents scored twice by a language model (`corpus.label`). From which score a document is good
enough is chosen for each language, so that what is kept has the share of good documents that was asked for, on seeds no model was taught with.
"""

import dataclasses
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from aquilamed.core import manifest, near, tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.errors import RecordError
from aquilamed.core.ranks import spearman
from aquilamed.corpus import faults, linear, readers
from aquilamed.corpus import seeds as labelled
from aquilamed.corpus.goodness import ALL, Threshold, choose
from aquilamed.corpus.readers import Reading
from aquilamed.hygiene import ridge

VERSION = 4
MODEL = "model.npz"
BEST = 6
LEAST_SEEDS = 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """What is learnt from the seeds, and what happens to the documents."""

    label_key: str = "quality"
    """Key of a seed's meta that holds its score, 0..6."""
    faults_key: str = "faults"
    """Key of a seed's meta that holds its faults, separated by commas, of `corpus.asking.FAULTS`; seeds without it teach no fault. paper 2.1.1: five faults"""
    good: float = 4.0
    """Score, 0..6, from which a seed counts as good. ours"""
    precision: float = 0.85
    """Share, 0..1, that must be good of the seeds from the threshold on; no model was taught with them. ours: what n-grams can reach on the clinic's seeds"""
    threshold: float = 0.0
    """Lowest score called good, 0..6; 0: for each language the lowest that reaches `precision`. paper 2.1.1 (value open)"""
    drop: bool = False
    """Whether documents below the threshold are dropped as `low_quality`. ours: the mix chooses by phase, so the step only marks"""
    reading: Reading = Reading()
    """The model that reads every document beside the ridge; `reading.model` is `linear` where there is none. paper 2.1.1: multilingual BERT"""
    test_share: float = 0.2
    """Share, (0, 1), of the seeds kept out of training to measure on. ours"""
    bits: int = 18
    """The n-grams are hashed into 2**bits columns, 10..24. ours"""
    penalty: float = 0.03
    """Weight of the L2 penalty, above 0. ours: on 3,000 seeds of the clinic the mean error is 0.99 points (5 folds), 1.11 at 0.3, 1.24 at 1"""
    seed: int = 0
    """Splits the seeds."""

    def __post_init__(self):
        for name in ("threshold", "good"):
            check(0 <= getattr(self, name) <= BEST, f"quality: {name}={getattr(self, name)}: expected 0..{BEST}")
        check(0 <= self.precision <= 1, f"quality: precision={self.precision}: expected 0..1")
        check(0 < self.test_share < 1, f"quality: test_share={self.test_share}: expected a share above 0 and below 1")
        check(10 <= self.bits <= 24, f"quality: bits={self.bits}: expected 10..24")
        check(self.penalty > 0, f"quality: penalty={self.penalty}: expected more than 0")


def files(config: Config) -> list[Path]:
    """The encoder's folder, where it is one."""
    return config.reading.files()


@dataclasses.dataclass(frozen=True)
class Model:
    """The ridge and, where there is one, the reader; how they are put together; and what follows from the score."""

    ridge: ridge.Ridge
    reader: readers.Head | readers.Tuned | None
    blend: np.ndarray
    """Factors of the ridge and of the reader, and what is added."""
    thresholds: Mapping[str, Threshold]
    """By language, and `all`."""
    faults: faults.Faults

    def quality(self, texts: pa.Array | pa.ChunkedArray) -> np.ndarray:
        """The score of each text, 0..6, to 2 decimals."""
        read = self.reader.raw(texts) if self.reader is not None and len(texts) else 0.0
        return _score(self.blend, self.ridge.raw(texts), read)

    def least(self, langs: np.ndarray) -> np.ndarray:
        """The threshold of each language."""
        return np.array([self.thresholds.get(lang, self.thresholds[ALL]).value for lang in langs])


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Learn from `inputs["seeds"]` and write `meta["quality"]`, `["least_quality"]` and `["fault"]` on `inputs["documents"]`; the model is saved beside them.

    `least_quality` is the threshold of the document's language; `fault`, of those below it, is the paper's fault that is most probable.
    """
    seeds = labelled.load(labelled.inputs_of(inputs), config.label_key, config.test_share, config.seed)
    scores = _scores(seeds)
    if min(len(seeds.train), len(seeds.test)) < LEAST_SEEDS:
        raise RecordError(f"{inputs['seeds']}: {len(seeds.train)} seeds to learn from and {len(seeds.test)} to measure on; "
                          f"at least {LEAST_SEEDS} each are needed")
    marks = faults.marks_of(seeds.ids, [meta.get(config.faults_key) for meta in seeds.metas])
    labelled_rows = np.array([config.faults_key in meta for meta in seeds.metas], bool)
    out.mkdir(parents=True, exist_ok=True)
    model, taught = learn(config, seeds, scores, (marks, labelled_rows), out)
    _save(out, model)
    if config.reading.reads:
        shutil.rmtree(out / manifest.PASSES, ignore_errors=True)        # taught anew, on a GPU not bit for bit: no shard of a killed try may stay
    counts = tables.sift_all(engine, inputs["documents"], "documents", lambda table: sieve(config, model, table), out, on_gpu=config.reading.reads)
    notes = {"seeds_train": len(seeds.train), "seeds_test": len(seeds.test), **measured(config, seeds, scores, (marks, labelled_rows), model),
             "thresholds": {lang: dataclasses.asdict(one) for lang, one in model.thresholds.items()}, "teaching": taught,
             "low_by_fault": {name.removeprefix("fault_"): n for name, n in sorted(counts.notes.items()) if name.startswith("fault_")},
             "warnings": [one.warning(lang, config.precision) for lang, one in model.thresholds.items() if not config.threshold and one.precision < config.precision]}
    return dataclasses.replace(counts, notes=notes)


def learn(config: Config, seeds: labelled.Seeds, scores: np.ndarray, faulty: tuple[dict, np.ndarray], out: Path) -> tuple[Model, dict]:
    """Both models, thresholds and faults, from the seeds that are not kept for the test; a fine-tuned encoder is saved in `out`."""
    texts, truth, langs = seeds.texts.take(pa.array(seeds.train)), scores[seeds.train], seeds.langs[seeds.train]
    folds = linear.folds_of([seeds.ids[k] for k in seeds.train], truth >= config.good, config.seed)
    unseen = np.zeros(len(truth))
    for fold in np.unique(folds):
        rest = np.flatnonzero(folds != fold)
        unseen[folds == fold] = ridge.fit(texts.take(pa.array(rest)), truth[rest], bits=config.bits, penalty=config.penalty).raw(texts.take(pa.array(np.flatnonzero(folds == fold))))
    reader, read, rows, blend, notes = None, 0.0, np.arange(len(truth)), np.array([1.0, 0.0, 0.0]), {}
    if config.reading.reads:
        lesson = readers.Seeds(texts=texts, targets=truth, folds=folds, judge=lambda raw, target: -float(np.abs(raw - target).mean()), seed=config.seed)
        learnt = readers.learn(config.reading, lesson, out)
        reader, rows, read, notes = learnt.reader, learnt.rows, learnt.unseen, learnt.notes
        columns = np.column_stack([unseen[rows], read, np.ones(len(rows))])
        blend = np.round(np.linalg.lstsq(columns, truth[rows], rcond=None)[0], 6)
    said = _score(blend, unseen[rows], read)
    thresholds = choose(said, truth[rows] >= config.good, langs[rows], config.precision, config.threshold)
    marks, known = faulty
    own = known[seeds.train]
    taught = faults.learn(texts.take(pa.array(np.flatnonzero(own))), {name: mark[seeds.train][own] for name, mark in marks.items()}, folds[own], config.bits)
    return Model(ridge.fit(texts, truth, bits=config.bits, penalty=config.penalty), reader, blend, thresholds, taught), notes


def sieve(config: Config, model: Model, table: pa.Table) -> tuple[pa.Table, pa.Table, Counter, pa.Table]:
    """(kept, dropped, how many below the threshold have which fault, nearly dropped) of one shard, every row marked."""
    scores, least = model.quality(table["text"]), model.least(np.array(table["lang"].to_pylist(), object))
    low = scores < least
    written, said = [f"{score:.2f}" for score in scores], np.full(len(scores), None, object)
    said[low] = model.faults.of(table["text"].take(pa.array(np.flatnonzero(low))))
    marked = tables.with_meta(table, quality=written, least_quality=[f"{value:.2f}" for value in least], fault=said.tolist())
    rules = {"low_quality": low}
    details = {"low_quality": pa.array([f"{score} {fault}" if fault else score for score, fault in zip(written, said, strict=True)], pa.string())}
    close = near.nearest(marked, rules, {"low_quality": least / np.maximum(scores, 1e-9)}, details)
    return *tables.sift(marked, rules if config.drop else {}, details), Counter(f"fault_{fault}" for fault in said[low]), close


def measured(config: Config, seeds: labelled.Seeds, scores: np.ndarray, faulty: tuple[dict, np.ndarray], model: Model) -> dict:
    """On the seeds kept out: by language the scores and what is called good, and the faults."""
    texts, truth, langs = seeds.texts.take(pa.array(seeds.test)), scores[seeds.test], seeds.langs[seeds.test]
    predicted = model.quality(texts)
    said, good = predicted >= model.least(langs), truth >= config.good
    marks, known = faulty
    asked = np.flatnonzero(known[seeds.test])
    named = model.faults.of(texts.take(pa.array(asked)))
    return {
        "quality": {lang: measure(predicted[rows], truth[rows]) for lang, rows in seeds.by_lang().items()},
        "good": {lang: agreement(said[rows], good[rows]) for lang, rows in seeds.by_lang().items()},
        "faults": {name: agreement(named == name, mark[seeds.test][asked]) for name, mark in marks.items() if name in model.faults.models},
        "faults_unlearnt": sorted(set(marks) - set(model.faults.models)),
    }


def agreement(said: np.ndarray, truth: np.ndarray) -> dict:
    """Precision and recall, 0..1 to 4 decimals, and the number of documents; 0 where a ratio has no denominator."""
    both = int((said & truth).sum())
    return {"precision": round(both / max(int(said.sum()), 1), 4), "recall": round(both / max(int(truth.sum()), 1), 4), "n": len(truth)}


def measure(predicted: np.ndarray, truth: np.ndarray) -> dict:
    """Spearman's rank correlation (0 where one side is constant), mean absolute error in points, and the number of documents."""
    return {"spearman": spearman(predicted, truth), "mae": round(float(np.abs(predicted - truth).mean()), 4), "n": len(truth)}


def _score(blend: np.ndarray, ridge_said: np.ndarray, read: np.ndarray | float) -> np.ndarray:
    return np.round(np.clip(blend[0] * ridge_said + blend[1] * read + blend[2], 0, BEST), 2)


def _scores(seeds: labelled.Seeds) -> np.ndarray:
    scores = []
    for row_id, label in zip(seeds.ids, seeds.labels, strict=True):
        try:
            score = float(label)
        except ValueError:
            score = -1.0
        if not 0 <= score <= BEST:
            raise RecordError(f"seed {row_id}: quality {label!r}: expected a number, 0..{BEST}")
        scores.append(score)
    return np.array(scores)


def _save(out: Path, model: Model) -> None:
    head = dataclasses.asdict(model.reader) if isinstance(model.reader, readers.Head) else {}
    kinds = {f"fault_{name}_{key}": value for name, (one, known) in model.faults.models.items()
             for key, value in {**dataclasses.asdict(one), "known": np.append(known.weights, known.intercept)}.items()}
    np.savez(out / MODEL, **dataclasses.asdict(model.ridge), blend=model.blend, **{f"threshold_{lang}": one.value for lang, one in model.thresholds.items()},
             **{f"head_{key}": value for key, value in head.items()}, **kinds)
