"""The domain classifier beside TF-IDF with logistic regression: F1 for medical, what the cascade loses against reading everything, and its speed.

    python benchmarks/domain.py            ten minutes on two cores, nearly all of it the embedded model reading
    python benchmarks/domain.py --tuned    an hour: `csl` alone, the embedded model's first twelve layers fine-tuned on all thirteen categories; printed, not kept
    python benchmarks/domain.py --encoder FOLDER    the same with an encoder of Hugging Face's (`small_encoder.py` makes a folder of one); half an hour with that

Three tasks. `csl`: CSL's papers, 医学 against the other twelve categories, taught with the titles of its train split and the titles and abstracts
of its dev split, measured on the titles and abstracts of its test split (the publisher's). `corpus`: what the step is for: 3,000 seeds drawn from
a mixed corpus of one-kilobyte documents in both languages, labelled by source (CSL by category, the clinic's pages by their truth), measured on
documents that no seed was cut from; the cascade's speed and loss are those of this corpus. `new sources`: English seeds from openstax_nursing, MTS
dialogues and three institutes of MedQuAD, measured on openstax_anatomy, ACI dialogues and three other institutes, against philosophy, wiki, C4
and Alpaca: more of a shift than seeds drawn from the corpus ever see. C4 may hold medical pages that count as general here.
"""

import csv
import dataclasses
import functools
import json
import sys
import tempfile
import time
from pathlib import Path

import corpora
import numpy as np
import pyarrow as pa
import tables as bench

from aquilamed.clinic import facts, write
from aquilamed.core import chance, records, tables
from aquilamed.core.sources import known
from aquilamed.corpus import classify, importing
from aquilamed.corpus import seeds as labelled
from aquilamed.corpus.cascade import Cascade, Classifier
from aquilamed.corpus.readers import EMBEDDED, EMBEDDED_TUNED, Reading
from aquilamed.engine.local import Local
from aquilamed.models.encoder_settings import Settings

DATA = Path("../shared/data")
CUT = 1200
"""Characters of an English document; longer ones are represented by their beginning."""
HELD_INSTITUTES = ("5_NIDDK_QA", "7_SeniorHealth_QA", "9_CDC_QA")
TOKENS = 128
PAPER = 0.84
MEDICAL = classify.Config().positive_labels
READING = Reading(model=EMBEDDED, tuning=Settings(max_tokens=TOKENS))
TUNED = Reading(model=EMBEDDED_TUNED, layer=12, tuning=Settings(max_tokens=TOKENS, lr=5e-5, batch=32, epochs=3))
ENCODER = Reading(model="an encoder's folder", tuning=Settings(max_tokens=TOKENS, lr=1e-4, batch=32, epochs=4))


def csl() -> list[tuple[str, str, bool]]:
    """(text, category, held out)."""
    folder = DATA / "pretrain/zh_mixed/csl"
    read = lambda name: [line.split("\t") for line in (folder / name).read_text(encoding="utf-8").splitlines()]  # noqa: E731
    abstracts = {row[2]: row[1] for part in ("dev", "test") for row in read(f"ts/{part}.tsv")}
    return [(f"{title}\n{abstracts[title]}" if title in abstracts else title, category, part == "test")
            for part in ("train", "dev", "test") for _, title, category in read(f"cls_ctg/{part}.tsv")]


def english(tmp: Path) -> list[tuple[str, bool, bool]]:
    """(text, medical, held out) of English documents from other sources than the seeds are from."""
    sources = tuple(known.documents(DATA)[name] for name in ("openstax_anatomy", "openstax_nursing", "openstax_philosophy", "wiki_demo", "c4_demo"))
    importing.run(importing.Config(sources=sources, max_chars=4000), {}, tmp, Local(2))
    found = []
    for row in tables.rows(tmp, "documents"):
        medical, held = row["source"] in ("openstax_anatomy", "openstax_nursing"), row["source"] == "openstax_anatomy"
        group = row["meta"].get("module") or row["id"] if row["source"] != "wiki_demo" else row["meta"]["row"]
        found.append((row["text"][:CUT], medical, held if medical else chance.share(0, group) < 0.4))
    found += [(text, True, held) for text, held in (*_medquad(), *_dialogues())]
    alpaca = json.loads((DATA / "instruct/alpaca_en_demo.json").read_text(encoding="utf-8"))
    texts = ["\n".join(filter(None, (row["instruction"], row["input"], row["output"]))) for row in alpaca]
    found += [(text[:CUT], False, chance.share(0, text) < 0.4) for text in texts]
    return [item for item in found if chance.share(1, item[0]) < _share(item)]


def _share(item: tuple[str, bool, bool]) -> float:
    """About as many medical as general documents, and few enough for the embedded model to read."""
    return 0.35 if item[1] else 0.7


def _medquad():
    import xml.etree.ElementTree as tree
    for path in sorted((DATA / "instruct/medquad").glob("*/*.xml")):
        for pair in tree.parse(path).iter("QAPair"):
            answer = pair.findtext("Answer") or ""
            if len(answer) > 80:
                yield " ".join(answer.split())[:CUT], path.parent.name in HELD_INSTITUTES


def _dialogues():
    for name, held in (("mts_dialog_train.csv", False), ("aci_bench_train.csv", True)):
        with (DATA / "instruct" / name).open(encoding="utf-8", newline="") as file:
            yield from ((row["dialogue"][:CUT], held) for row in csv.DictReader(file))


def seeds_of(items: list[tuple[str, bool | str, bool]]) -> tuple[labelled.Seeds, np.ndarray]:
    once = {records.make("documents", {"text": text})["id"]: (text, label, held) for text, label, held in items}
    ids = sorted(once)
    texts, named, held = ([once[row_id][k] for row_id in ids] for k in range(3))
    labels = [name if isinstance(name, str) else ("medical" if name else "general") for name in named]
    langs = [records.make("documents", {"text": text})["lang"] for text in texts]
    langs = np.array(["zh" if lang in ("zh", "mixed") else "en" for lang in langs], object)
    found = labelled.Seeds(texts=pa.chunked_array([pa.array(texts)]), langs=langs, labels=labels, ids=ids,
                           rounds=np.full(len(ids), "seeds", object), metas=[{} for _ in ids], is_test=np.array(held, bool))
    return found, np.isin(labels, MEDICAL)


def peer(seeds: labelled.Seeds, truth: np.ndarray) -> tuple[dict, float]:
    """scikit-learn's TF-IDF of characters by one to three and logistic regression, taught for each language and its threshold chosen as ours are: (F1 by language, documents/s)."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    from aquilamed.corpus.calibration import best_f1
    texts, said, seconds = np.array(seeds.texts.to_pylist(), object), np.zeros(len(truth), bool), 0.0
    for lang in np.unique(seeds.langs):
        train, test = (np.flatnonzero((seeds.langs == lang) & side) for side in (~seeds.is_test, seeds.is_test))
        if min(truth[train].sum(), (~truth[train]).sum()) < 10:
            continue                                          # a handful of pages in another language: called general
        words = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), sublinear_tf=True, max_features=300_000)
        columns, own = words.fit_transform(texts[train]), truth[train]
        model = LogisticRegression(C=10, class_weight="balanced", max_iter=200)
        threshold = best_f1(cross_val_predict(model, columns, own, cv=5, method="predict_proba")[:, 1], own)
        model.fit(columns, own)
        began = time.perf_counter()
        said[test] = model.predict_proba(words.transform(texts[test]))[:, 1] >= threshold
        seconds += time.perf_counter() - began
    return {lang: classify.measure(said[seeds.test][rows], truth[seeds.test][rows])["f1"] for lang, rows in seeds.by_lang().items()}, len(seeds.test) / seconds


def corpus() -> list[tuple[str, bool, bool]]:
    """(text, medical, held out) of a mixed corpus; what is cut from one document, or tells the same facts, is held out together."""
    rows = [(row["id"], row["text"], label) for row in corpora.whole(DATA) if (label := _label(row)) is not None]
    pages = write.generate(write.Config(), facts.load())["web.jsonl"]
    rows += [(row["truth"]["same"], row["text"], row["truth"]["domain"] == "medical") for row in pages]
    return [(piece, label, chance.share(0, f"held/{name}") < 0.3) for name, text, label in rows for piece in corpora.pieces(text)]


def _label(row: dict) -> bool | None:
    """Whether a document is medical by its source; None where the source does not say."""
    if row["source"] == "csl_ts":
        return _categories(row["meta"]["file"])[int(row["meta"]["row"]) - 1] == "医学"
    return None if row["source"] == "c4_demo" else row["source"] in ("openstax_anatomy", "openstax_nursing", "tcm_ancient_books")


@functools.cache
def _categories(name: str) -> list[str]:
    """The categories of CSL's rows, which are in the same order in all its files."""
    return [line.split("\t")[2] for line in (DATA / "pretrain/zh_mixed/csl/cls_ctg" / name).read_text(encoding="utf-8").splitlines()]


def drawn(seeds: labelled.Seeds, n: int) -> labelled.Seeds:
    """The same, with `n` of the documents that are not held out, by chance."""
    order = sorted(seeds.train.tolist(), key=lambda k: chance.share(2, seeds.ids[k]))
    rows = np.sort(np.concatenate([order[:n], seeds.test]))
    some = {name: [getattr(seeds, name)[k] for k in rows] for name in ("labels", "ids", "metas")}
    return labelled.Seeds(texts=seeds.texts.take(pa.array(rows)), langs=seeds.langs[rows], rounds=seeds.rounds[rows], is_test=seeds.is_test[rows], **some)


def pace(model: Classifier, seeds: labelled.Seeds) -> tuple[float, float]:
    """(documents/s on two threads over all of `seeds`, the median of three runs; share read)."""
    parts = [(seeds.texts.slice(start, 1000), seeds.langs[start:start + 1000]) for start in range(0, len(seeds.ids), 1000)]
    judge = lambda part: model.judge(*part).read  # noqa: E731
    judge(parts[0])
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        found = Local(2).map(judge, parts)
        seconds.append(time.perf_counter() - began)
    return len(seeds.ids) / sorted(seconds)[1], float(np.concatenate(found).mean())


def task(name: str, items: list[tuple[str, bool | str, bool]], n_seeds: int = 0, reading: Reading = READING) -> tuple[list[dict], Classifier, labelled.Seeds, float]:
    """(rows of F1 by language and model, the classifier, all the documents, documents/s of the peer)."""
    everything, _ = seeds_of(items)
    seeds = drawn(everything, n_seeds) if n_seeds else everything
    truth = np.isin(seeds.labels, MEDICAL)
    with tempfile.TemporaryDirectory() as folder:
        model, taught = classify.learn(classify.Config(reading=reading), seeds, truth, Path(folder))
    found = classify.measured(seeds, truth, model)
    theirs, their_rate = peer(seeds, truth)
    bounds = {lang: {"low": one.low, "high": one.high, "threshold": one.threshold} for lang, one in model.cascades.items()}
    langs = [lang for lang in ("zh", "en", "all") if lang in theirs and (lang != "all" or len(theirs) > 2)]
    rows = [bench.row(f"{name}: F1 {lang}, {kind}", scores[lang]["f1"], theirs[lang], "TF-IDF + logistic regression", unit="F1", runs=1, equal=True,
                      n=scores[lang]["n"], precision=scores[lang]["precision"], recall=scores[lang]["recall"], seeds=len(seeds.train),
                      **({"read_share": found["test_read_share"], "calibration_error": found["calibration_error"], "by_lang": bounds, "teaching": taught} if kind == "cascade" else {}))
            for lang in langs for kind, scores in found["models"].items()]
    return rows, model, everything, their_rate


def main() -> None:
    if sys.argv[1:]:
        reading = TUNED if sys.argv[1] == "--tuned" else dataclasses.replace(ENCODER, model=sys.argv[2])
        print(json.dumps([{key: row[key] for key in ("work", "ours", "n", "precision", "recall", "teaching") if key in row} for row in task("csl", csl(), reading=reading)[0]], indent=1))
        return
    with tempfile.TemporaryDirectory() as folder:
        rows, papers, titles, _ = task("csl", csl())
        rows += task("new sources", english(Path(folder)))[0]
    found, model, documents, their_rate = task("corpus", corpus(), n_seeds=3000)
    scores = {(row["work"].split("F1 ")[1]): row["ours"] for row in found}
    rows += [*found, bench.row("csl: F1 zh against the paper's on its own data", next(row["ours"] for row in rows if row["work"] == "csl: F1 zh, cascade"), PAPER,
                               "paper: multilingual BERT", unit="F1", runs=1, equal=False)]
    rate, read = pace(model, documents)
    rows += [bench.row(f"corpus: the cascade, two cores, {len(documents.ids):,} documents", rate, 2000, "asked for", unit="documents/s", runs=3, equal=True, read_share=round(read, 4),
                       f1_lost=round(scores["all, encoder"] - scores["all, cascade"], 4)),
             bench.row("corpus: n-grams alone", pace(model.each(Cascade.by_ngrams), documents)[0], their_rate, "TF-IDF + logistic regression", unit="documents/s", runs=3, equal=True)]
    rate, read = pace(papers, titles)
    rows.append(bench.row(f"csl: the cascade, two cores, {len(titles.ids):,} titles and papers", rate, 2000, "asked for", unit="documents/s", runs=3, equal=True, read_share=round(read, 4)))
    bench.publish("domain", rows, bench.versions("numpy", "numba", "scikit-learn", "torch", "transformers"))


if __name__ == "__main__":
    main()
