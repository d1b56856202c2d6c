"""Paragraph repeats on 200k documents: documents per CPU second of each action, and whether a cut gives back the documents as they were.

    python benchmarks/repeats.py
    python benchmarks/repeats.py --data ../shared/data      what is cut from real data sets (docs/formats.md says which)

The documents are those of planted.py without families, in three paragraphs each; 30 % get one to three of 200 lines of furniture.
"""

import argparse
import itertools
import json
import os
import platform
import shutil
import statistics
import sys
from collections import Counter
from importlib import metadata
from pathlib import Path

import numpy as np
import pyarrow as pa

import planted
from aquilamed.core import runs, tables
from aquilamed.core.sources import known
from aquilamed.corpus import importing
from aquilamed.engine.local import Local
from aquilamed.hygiene import repeats
from measured import measure

HERE = Path(__file__).parent
N_FURNITURE, SHARE = 200, 0.3
ACTIONS = ("cut", "drop", "report")


def furniture(lang: str) -> list[str]:
    """Lines of three clauses that no document has by chance."""
    found = planted.clauses(lang)
    return ["".join(found[place] for place in (7 * k, -7 * k - 1, len(found) // 2 + k)).replace("\n", "").strip() for k in range(N_FURNITURE // 2)]


def lines_of(words: str) -> list[str]:
    """A document's clauses in three paragraphs."""
    words = words.replace("\n", "")
    thirds = [k * len(words) // 3 for k in range(4)]
    return [words[a:b] for a, b in itertools.pairwise(thirds)]


def make(folder: Path, n: int) -> tuple[Path, Path]:
    """(corpus with furniture, corpus without)."""
    folders = folder / "with", folder / "without"
    if (folders[1] / "done").exists():
        return folders
    for number in range(-(-n // planted.CHUNK)):
        rng = np.random.default_rng((1, number))
        plain, dirty, names = [], [], []
        for lang in ("zh", "en"):
            kinds = furniture(lang)
            for k, words in enumerate(planted.drawn(lang, planted.CHUNK // 2, 1000, rng).to_pylist()):
                lines = lines_of(words)
                plain.append("\n".join(lines))
                for _ in range(rng.integers(1, 4) if rng.random() < SHARE else 0):
                    lines.insert(rng.integers(len(lines) + 1), kinds[rng.integers(len(kinds))])
                dirty.append("\n".join(lines))
                names.append(f"{lang}{number}.{k}")
        for where, texts in zip(folders, (dirty, plain), strict=True):
            half = planted.CHUNK // 2
            table = pa.concat_tables([planted.table(lang, texts[a:a + half], names[a:a + half]) for lang, a in (("zh", 0), ("en", half))])
            runs.spill(where / f"run-{number:05d}.arrow", table)
    for where in folders:
        spilled = sorted(where.glob("*.arrow"))
        weight = sum(runs.weight(runs.opened(path)) for path in spilled)
        tables.merge(Local(2), spilled, weight, lambda number, where=where: where / "documents" / tables.part(number))
        for path in spilled:
            path.unlink()
    (folders[1] / "done").touch()
    return folders


def by_name(folder: Path) -> dict[str, str]:
    return {row["meta"]["row"]: row["text"] for row in tables.rows(folder, "documents")}


def show_real(data: Path, home: Path) -> None:
    """Print every paragraph that is cut from the public sets, and from how many documents."""
    shutil.rmtree(home, ignore_errors=True)
    counts = importing.run(importing.Config(sources=tuple(known.documents(data).values())), {}, home / "in", Local(2))
    done = repeats.run(repeats.Config(), {"documents": home / "in"}, home / "out", Local(2))
    print(f"{counts.n_out:,} documents: {done.notes}; dropped {dict(done.dropped)}")
    found = Counter((row["text"], row["documents"]) for row in tables.read(home / "out" / "cut", "cut").to_pylist())
    for (words, n), times in found.most_common():
        print(f"{times:6} times in {n:6} documents  {words[:120]}")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--home", type=Path, default=Path("runs/benchmarks/repeats"), help="where corpora and outputs are kept")
    asked.add_argument("--n", type=int, default=200_000, help="documents")
    asked.add_argument("--runs", type=int, default=3)
    asked.add_argument("--data", type=Path, help="folder of the public sets: only show what is cut from them")
    given = asked.parse_args()
    if given.data:
        show_real(given.data, given.home / "real")
        return
    corpus, without = make(given.home / f"{given.n}", given.n)
    costs = {what: [] for what in ("copy", *ACTIONS)}
    for what in [*ACTIONS, *(what for _ in range(given.runs) for what in costs)]:
        out = given.home / "out" / what
        shutil.rmtree(out, ignore_errors=True)
        costs[what].append(measure([sys.executable, HERE / "dedup_ours.py", corpus, out, what], given.home / f"{what}.log"))
    equal = by_name(given.home / "out/cut") == by_name(without)
    rates = {what: statistics.median(given.n / cost.cpu for cost in found[-given.runs:]) for what, found in costs.items()}
    rows = [{"work": f"paragraph repeats, {what}, {given.n} documents", "ours": round(rates[what]), "peer": round(rates["copy"]), "peer_name": "reading and writing alone",
             "ratio": round(rates[what] / rates["copy"], 3), "unit": "docs/CPU-s", "runs": given.runs, "equal": equal} for what in ACTIONS]
    rows.append({"work": f"peak memory of cut, {given.n} documents", "ours": max(cost.peak for cost in costs["cut"]), "peer": None, "peer_name": "", "ratio": None,
                 "unit": "bytes", "runs": given.runs, "equal": equal})
    for row in rows:
        print(f"{row['work']:48} {row['ours']:>14,} {row['unit']:10} {row['peer_name']} {row['peer'] or '':,}" if row["peer"] else f"{row['work']:48} {row['ours']:>14,} {row['unit']}")
    print("every cut document is as it was before the furniture:", equal)
    machine = f"{platform.machine()}, {len(os.sched_getaffinity(0))} shared cores, {platform.python_implementation()} {platform.python_version()}"
    result = HERE / "results" / "repeats.json"
    result.parent.mkdir(exist_ok=True)
    result.write_text(json.dumps({"machine": machine, "versions": {name: metadata.version(name) for name in ("numpy", "pyarrow", "numba")}, "rows": rows}, indent=1) + "\n",
                      encoding="utf-8")


if __name__ == "__main__":
    main()
