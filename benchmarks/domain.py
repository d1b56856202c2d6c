"""The domain classifier: F1 for medical on held-out documents of both languages, beside TF-IDF with logistic regression; the cascade's speed.

    python benchmarks/domain.py            twenty minutes on two cores, nearly all of it the embedded model reading 13,000 texts

Chinese: CSL, 医学 against the other twelve categories. Taught with the titles of its train split and the titles and abstracts of its dev split,
measured on the titles and abstracts of its test split (the publisher's; nothing here was chosen on it). English: medical documents are split by
source (taught with openstax_nursing, MTS dialogues and three institutes of MedQuAD; held out openstax_anatomy, ACI dialogues and three other
institutes), general ones by document (philosophy, wiki, C4, Alpaca). Its weaknesses: sources differ in style, so the task is easier than the
web; C4 may hold medical pages that count as general here.
"""

import csv
import json
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import tables as bench

from aquilamed.core import chance, records
from aquilamed.core.sources import known
from aquilamed.corpus import classify, importing
from aquilamed.corpus import seeds as labelled
from aquilamed.corpus.readers import EMBEDDED, Reading
from aquilamed.engine.local import Local
from aquilamed.models.encoder_settings import Settings

DATA = Path("../shared/data")
CUT = 1200
"""Characters of an English document; longer ones are represented by their beginning."""
HELD_INSTITUTES = ("5_NIDDK_QA", "7_SeniorHealth_QA", "9_CDC_QA")
TOKENS = 64
PAPER = 0.84
READING = Reading(model=EMBEDDED, tuning=Settings(max_tokens=TOKENS))


def csl() -> list[tuple[str, bool, bool]]:
    """(text, medical, held out)."""
    folder = DATA / "pretrain/zh_mixed/csl"
    read = lambda name: [line.split("\t") for line in (folder / name).read_text(encoding="utf-8").splitlines()]  # noqa: E731
    abstracts = {row[2]: row[1] for part in ("dev", "test") for row in read(f"ts/{part}.tsv")}
    return [(f"{title}\n{abstracts[title]}" if title in abstracts else title, category == "医学", part == "test")
            for part in ("train", "dev", "test") for _, title, category in read(f"cls_ctg/{part}.tsv")]


def english(tmp: Path) -> list[tuple[str, bool, bool]]:
    """(text, medical, held out)."""
    sources = tuple(known.documents(DATA)[name] for name in ("openstax_anatomy", "openstax_nursing", "openstax_philosophy", "wiki_demo", "c4_demo"))
    importing.run(importing.Config(sources=sources, max_chars=4000), {}, tmp, Local(2))
    from aquilamed.core import tables
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


def seeds_of(items: list[tuple[str, bool, bool]]) -> tuple[labelled.Seeds, np.ndarray]:
    once = {records.make("documents", {"text": text})["id"]: (text, medical, held) for text, medical, held in items}
    ids = sorted(once)
    texts, medical, held = ([once[row_id][k] for row_id in ids] for k in range(3))
    langs = [records.make("documents", {"text": text})["lang"] for text in texts]
    langs = np.array(["zh" if lang in ("zh", "mixed") else "en" for lang in langs], object)
    found = labelled.Seeds(texts=pa.chunked_array([pa.array(texts)]), langs=langs, labels=["medical" if m else "general" for m in medical], ids=ids,
                           rounds=np.full(len(ids), "seeds", object), metas=[{} for _ in ids], is_test=np.array(held, bool))
    return found, np.array(medical, bool)


def peer(seeds: labelled.Seeds, truth: np.ndarray) -> tuple[dict, float]:
    """scikit-learn's TF-IDF of characters by one to three, logistic regression, its threshold chosen as ours is: (F1 by language, documents/s)."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    from aquilamed.corpus.calibration import best_f1
    texts = seeds.texts.to_pylist()
    words = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), sublinear_tf=True, max_features=300_000)
    columns, own = words.fit_transform([texts[k] for k in seeds.train]), truth[seeds.train]
    model = LogisticRegression(C=10, class_weight="balanced", max_iter=200)
    threshold = best_f1(cross_val_predict(model, columns, own, cv=3, method="predict_proba")[:, 1], own)
    model.fit(columns, own)
    began = time.perf_counter()
    said = model.predict_proba(words.transform([texts[k] for k in seeds.test]))[:, 1] >= threshold
    rate = len(seeds.test) / (time.perf_counter() - began)
    return {lang: classify.measure(said[rows], truth[seeds.test][rows])["f1"] for lang, rows in seeds.by_lang().items()}, rate


def stream(n: int = 10_000) -> pa.Array:
    """A mixed corpus of one-kilobyte documents, real ones and the clinic's web."""
    import corpora
    return pa.array([row["text"] for row in corpora.documents(n).to_pylist()])


def pace(model, texts: pa.Array, *, linear: bool = False) -> tuple[float, float]:
    """(documents/s on two threads, share read)."""
    judge = (lambda part: model.linear.raw(part)) if linear else (lambda part: model.judge(part).read)
    parts = [texts.slice(start, 500) for start in range(0, len(texts), 500)]
    judge(parts[0])
    began = time.perf_counter()
    found = Local(2).map(judge, parts)
    return len(texts) / (time.perf_counter() - began), 0.0 if linear else float(np.concatenate(found).mean())


def main() -> None:
    import tempfile
    with tempfile.TemporaryDirectory() as folder:
        seeds, truth = seeds_of([*csl(), *english(Path(folder))])
        model, _ = classify.learn(classify.Config(reading=READING), seeds, truth, Path(folder))
    found = classify.measured(seeds, truth, model)
    theirs, their_rate = peer(seeds, truth)
    texts = stream()
    rate, read = pace(model, texts)
    lone, _ = pace(model, texts, linear=True)
    rows = [bench.row(f"F1 {lang}, {name}", found["models"][name][lang]["f1"], theirs[lang], "TF-IDF + logistic regression", unit="F1", runs=1, equal=True,
                      n=found["models"][name][lang]["n"], precision=found["models"][name][lang]["precision"], recall=found["models"][name][lang]["recall"])
            for lang in ("zh", "en", "all") for name in ("linear", "encoder", "cascade")]
    rows += [bench.row("F1 zh against the paper's on its own data", found["models"]["encoder"]["zh"]["f1"], PAPER, "paper: multilingual BERT", unit="F1", runs=1, equal=False),
             bench.row("n-grams, held-out and web texts", lone, their_rate, "TF-IDF + logistic regression", unit="documents/s", runs=1, equal=False),
             bench.row("cascade, two cores, 10,000 mixed documents", rate, 2000, "asked for", unit="documents/s", runs=1, equal=True, read_share=round(read, 4), test_read_share=found["test_read_share"],
                       calibration_error=found["calibration_error"], low=model.low, high=model.high, threshold=model.threshold)]
    bench.publish("domain", rows, bench.versions("numpy", "numba", "scikit-learn", "torch", "transformers"))


if __name__ == "__main__":
    main()
