"""Decontamination: recall on planted leaks, false alarms on real records, speed.

    python benchmarks/decontamination.py [--data ../shared/data]

The items are the public exams of docs/formats.md, the records the public documents and conversations; without that folder the clinic's exam and
pages are used. Every real record that is taken for a leak is printed with the item and its share, to be read: none of these sets is
known to hold an exam, so each is either a leak that nobody knew or a false alarm.
"""

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

import corpora
import pyarrow as pa
import tables as shown

from aquilamed.clinic import facts, write
from aquilamed.core import tables
from aquilamed.core.sources import Questions, known
from aquilamed.core.sources.gather import gather
from aquilamed.engine.local import Local
from aquilamed.hygiene import decontaminate, searcher
from aquilamed.hygiene.texts import texts_of

STRICTNESS = ((13, 8), (10, 8), (8, 6))
"""Fewest Han characters and words that a record must cover; the first is what decontamination uses."""


def items(data: Path, home: Path) -> list[dict]:
    """The exams' questions."""
    if data.is_dir():
        gather("questions", list(known.questions(data).values()), home / "items", Local(2), on_bad_row="drop")
        return list(tables.rows(home / "items", "questions"))
    rows = write.generate(write.Config(), facts.load())["exam_heldout.jsonl"]
    made = [Questions(subject="subject").outcome(row).record for row in rows]
    return tables.to_rows(tables.from_rows("questions", [{**row, "source": "clinic", "license": "Apache-2.0"} for row in made]))


def records(data: Path, home: Path) -> list[tuple[str, Path]]:
    """(kind, folder) of real records."""
    if not data.is_dir():
        tables.scatter(home / "documents", "documents", tables.from_rows("documents", [row for row in corpora.clinic() if row["meta"]["dirt"] != "leak"]))
        return [("documents", home / "documents")]
    for kind in ("documents", "conversations"):
        gather(kind, list(vars(known)[kind](data).values()), home / kind, Local(2), on_bad_row="drop", max_chars=20_000 if kind == "documents" else 0)
    return [(kind, home / kind) for kind in ("documents", "conversations")]


def alarms(found: searcher.Searcher, folders: list[tuple[str, Path]]) -> tuple[list[dict], int, float]:
    """(the records taken for leaks, records in all, CPU seconds of searching)."""
    hits, n, seconds = [], 0, 0.0
    found.search(pa.array(["warm up"]))
    for kind, folder in folders:
        for path in tables.shards(folder, kind):
            table = tables.load(path)
            began = time.process_time()
            answers = found.search(texts_of(kind, table))
            seconds, n = seconds + time.process_time() - began, n + len(table)
            hits += [{"record": f"{table['source'][row].as_py()}:{table['id'][row].as_py()}", "item": found.name(hit.item), "share": round(hit.share, 2),
                      "stem": found.questions[hit.item]["stem"][:100]} for row, hit in enumerate(answers) if hit]
    return hits, n, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=corpora.DATA)
    data = parser.parse_args().data
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        questions, folders = items(data, Path(folder)), records(data, Path(folder))
        for han, words in STRICTNESS:
            searcher.FEWEST_HAN, searcher.FEWEST_WORDS = han, words
            found = decontaminate.searcher_of(questions, decontaminate.Config())
            hits, n, seconds = alarms(found, folders)
            planted = decontaminate.recall(found, decontaminate.Config(n_planted=400))["by_change"]
            name = f"at least {han} Han characters or {words} words"
            half = {lang: one["recall"] for lang, one in planted["half_stem"]["by_lang"].items()}
            rows.append(shown.row(f"false alarms, {name}", len(hits) / n, 0, "", unit="share of records", runs=1, equal=True, records=n, alarms=len(hits),
                                  items=len(questions), half_stem=half))
            if (han, words) == STRICTNESS[0]:
                rows += [shown.row(f"recall, {change}", one["recall"], 0, "", unit="share of planted leaks", runs=1, equal=True, by_lang=one["by_lang"])
                         for change, one in planted.items()]
                rows.append(shown.row("searching real records", n / seconds, 0, "", unit="records/CPU-s", runs=1, equal=True))
                listed = hits
    for (stem, item), times in Counter((hit["stem"], hit["item"]) for hit in listed).most_common():
        shown.sys.stdout.write(f"{times} x {item.split(':')[0]}: {stem}\n")
    rows[0]["listed"] = [{key: hit[key] for key in ("record", "item", "share")} for hit in listed]        # an exam's words stay out of the repository
    shown.publish("decontamination", rows, shown.versions("aquilamed", "numba", "opencc"))


if __name__ == "__main__":
    main()
