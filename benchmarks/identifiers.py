"""Identifiers: recall and precision on the clinic's notes, false positives on real corpora, speed, and presidio-analyzer beside us.

    python benchmarks/identifiers.py --data ../shared/data --peer PYTHON

`--peer` is the interpreter of an environment with presidio-analyzer and spacy; without it its rows are left out, as are the corpora without `--data`.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib import metadata
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.clinic import facts, notes, scoring
from aquilamed.core import tables
from aquilamed.core.sources import known
from aquilamed.core.sources.gather import gather
from aquilamed.engine.local import Local
from aquilamed.hygiene import identifiers
from aquilamed.hygiene.texts import texts_of

RESULTS = Path(__file__).parent / "results" / "identifiers.json"
RUNS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--peer")
    parser.add_argument("--notes", type=int, default=1000)
    args = parser.parse_args()
    made = notes.generate(notes.Config(n_notes=args.notes), facts.load())
    quality = table_of(made)
    rows = [row for row in quality if row["kind"] == "all"]
    work = [{"work": f"recall, {row['lang']}, {row['split']} forms", "ours": row["recall"], "peer": None, "peer_name": "", "ratio": None, "unit": "share",
             "runs": 1, "equal": True} for row in rows]
    work += [{"work": f"precision, {row['lang']}, {row['split']} forms", "ours": row["precision"], "peer": None, "peer_name": "", "ratio": None,
              "unit": "share", "runs": 1, "equal": True} for row in rows]
    body = {"machine": f"{platform.processor() or platform.machine()}, {platform.system()}",
            "versions": {name: metadata.version(name) for name in ("pyarrow", "numba")},
            "notes": dict(Counter(f"{note['lang']} {note['split']}" for note in made)), "quality": quality}
    if args.peer:
        work += against_presidio(made, args.peer)
    if args.data:
        body["false_positives"], speed = on_corpora(args.data)
        work += speed
    body["rows"] = work
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    show(body)


def spans(text: str) -> list[tuple[int, int, str]]:
    return [tuple(item) for item in identifiers.find(text)]


def table_of(made: list[dict]) -> list[dict]:
    """Recall, precision and exact share by split, language and kind."""
    found = {note["id"]: spans(note["text"]) for note in made}
    out = []
    for split in ("tuning", "heldout"):
        for lang in ("zh", "en", "mixed"):
            scores = scoring.by_kind((note["spans"], found[note["id"]]) for note in made if (note["split"], note["lang"]) == (split, lang))
            for kind, score in [*scores.items(), ("all", scoring.total(scores))]:
                out.append({"split": split, "lang": lang, "kind": kind, "known": score.known, "recall": round(score.recall, 4),
                            "precision": round(score.precision, 4),
                            "exact": round(score.exact / max(score.known, 1), 4), "covered": round(score.covered / max(score.chars, 1), 4)})
    return out


def against_presidio(made: list[dict], python: str) -> list[dict]:
    """Rows of both on the English notes: documents for each CPU-second, recall and precision."""
    english = [note for note in made if note["lang"] == "en"]
    texts, ours, theirs = [note["text"] for note in english], [], []
    for text in texts[:50]:
        identifiers.find(text)
    for _ in range(RUNS):
        start = time.process_time()
        mine = [spans(text) for text in texts]
        ours.append(len(texts) / (time.process_time() - start))
        done = subprocess.run([python, str(Path(__file__).with_name("presidio_peer.py"))], input=json.dumps(texts), capture_output=True, text=True,
                              check=True)
        peer = json.loads(done.stdout)
        theirs.append(len(texts) / peer["seconds"])
    speed, peer_speed = statistics.median(ours), statistics.median(theirs)
    wanted = {kind for note in english for *_, kind in note["spans"]}
    totals = [scoring.total(scoring.by_kind((note["spans"], [tuple(span) for span in found if span[2] in wanted]) for note,
                                            found in zip(english, each, strict=True)))
              for each in (mine, peer["spans"])]
    rows = [{"work": "English notes", "ours": round(speed, 1), "peer": round(peer_speed, 1), "unit": "documents per CPU-second",
             "ratio": round(speed / peer_speed, 2), "runs": RUNS, "equal": False}]
    for name in ("recall", "precision"):
        a, b = (getattr(score, name) for score in totals)
        rows.append({"work": f"English notes: {name} over all kinds", "ours": round(a, 4), "peer": round(b, 4), "unit": "share",
                     "ratio": round(a / max(b, 1e-9), 2), "runs": 1, "equal": False})
    return [{**row, "peer_name": "presidio-analyzer, blank pipeline"} for row in rows]


def on_corpora(top: Path) -> tuple[list[dict], list[dict]]:
    """(what is found in each real set for each million characters, the row of the screen's speed)."""
    counted, texts = [], []
    for kind in ("documents", "conversations", "preferences"):
        for name, source in getattr(known, kind)(top).items():
            with tempfile.TemporaryDirectory() as folder:
                gather(kind, [source], Path(folder), Local(1), on_bad_row="drop", **({"max_chars": 20000} if kind == "documents" else {}))
                found = texts_of(kind, tables.read(Path(folder), kind)).cast(pa.string())
            texts.append(found)
            flagged = [text for text, kinds in zip(found.to_pylist(), identifiers.kinds_of(found).to_pylist(), strict=True) if kinds]
            kinds = Counter(item.kind for text in flagged for item in identifiers.find(text))
            chars = pc.sum(pc.utf8_length(found)).as_py()
            counted.append({"source": name, "chars": chars, "texts": len(found), "flagged": len(flagged), "found": dict(sorted(kinds.items())),
                            "per_million": {kind: round(n / chars * 1e6, 2) for kind, n in sorted(kinds.items())}})
    return counted, [screen_speed(pa.concat_arrays(texts))]


def screen_speed(texts: pa.Array) -> dict:
    """CPU microseconds that the search for identifiers takes for 1 kB of real text that holds none."""
    clean = texts.filter(pc.is_null(identifiers.kinds_of(texts)))
    spent = []
    for _ in range(RUNS):
        start = time.process_time()
        identifiers.kinds_of(clean)
        spent.append(time.process_time() - start)
    kilobytes = pc.sum(pc.binary_length(clean)).as_py() / 1000
    return {"work": f"clean real text ({len(clean)} texts, {kilobytes / 1000:.1f} MB)", "ours": round(statistics.median(spent) / kilobytes * 1e6, 1),
            "peer": 60.0, "peer_name": "our own bound",
            "ratio": round(60 / (statistics.median(spent) / kilobytes * 1e6), 2), "unit": "CPU microseconds per kB", "runs": RUNS, "equal": True}


def show(body: dict) -> None:
    print(f"{'split':8} {'lang':6} {'kind':18} {'known':>6} {'recall':>7} {'precision':>9} {'exact':>7} {'covered':>7}")
    for row in body["quality"]:
        print(f"{row['split']:8} {row['lang']:6} {row['kind']:18} {row['known']:6} {row['recall']:7.4f} {row['precision']:9.4f} {row['exact']:7.4f} {row['covered']:7.4f}")
    for row in body.get("false_positives", ()):
        print(f"{row['source']:24} {row['chars'] / 1e6:7.2f} M chars  {row['flagged']:5} of {row['texts']:6} texts  {row['per_million']}")
    for row in body["rows"]:
        print(f"{row['work']:52} {row['ours']:>10} {row['peer']!s:>10} {row['ratio']!s:>7} {row['unit']} {row['peer_name']}")


if __name__ == "__main__":
    sys.exit(main())
