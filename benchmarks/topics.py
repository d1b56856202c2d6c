"""Do the lexicon's labels agree with the departments and diseases that real sets carry? `python benchmarks/topics.py ../shared/data`

The labels that come with toyhom (all internal medicine), cmtmedqa and MedQuAD (its focus) are hidden from the lexicon and compared with what it finds
in the words; the peer is what always saying the set's commonest label would agree with. Then the coverage of all sets together.
"""

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pyarrow as pa
from tables import publish, row, versions

from aquilamed.core import tables
from aquilamed.core.sources import known
from aquilamed.engine.local import Local
from aquilamed.instruct import importing, lexicon, topics


def agreement(table: pa.Table, source: str, kind: str) -> tuple[dict, Counter]:
    """The table's line for one set, and (carried, found) where they differ."""
    config, words = topics.Config(), lexicon.load()
    table = table.filter(pa.compute.equal(table["source"], source))
    carried = topics.given_departments(config, table, words) if kind == "department" else topics.given_diseases(config, table, words)
    found = topics.by_lexicon(config, table)[0 if kind == "department" else 1]
    both = [(a, b) for a, b in zip(carried, found, strict=True) if a and b]
    n_carried = sum(a is not None for a in carried)
    hits = sum(a == b for a, b in both)
    commonest = Counter(a for a in carried if a).most_common(1)[0][1]
    line = row(f"{kind} of {source}", hits / max(n_carried, 1), commonest / max(n_carried, 1), "always the commonest", unit="share equal", runs=1, equal=True,
               n=len(table), carried=n_carried, found=len(both), share_of_found=round(hits / max(len(both), 1), 4))
    return line, Counter(pair for pair in both if pair[0] != pair[1])


def main(data: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        importing.run(importing.Config(sources=tuple(known.conversations(data).values())), {}, out / "talks", Local(1))
        table = tables.read(out / "talks", "conversations")
        topics.by_lexicon(topics.Config(), table.slice(0, 10))
        start = time.process_time()
        counts = topics.run(topics.Config(), {"conversations": out / "talks"}, out / "topics", Local(1))
        seconds = time.process_time() - start
    made = [agreement(table, source, kind) for source, kind in (("toyhom", "department"), ("cmtmedqa", "department"), ("medquad", "disease"))]
    publish("topics", [line for line, _ in made], versions("pyarrow", "numba"))
    for line, differ in made:
        sys.stdout.write(f"{line['work']}: carried {line['carried']} of {line['n']}, found {line['found']}, equal {line['ours']:.3f} of the carried, {line['share_of_found']:.3f} of the found\n")
        sys.stdout.writelines(f"    {a} -> {b}: {n}\n" for (a, b), n in differ.most_common(8))
    langs = counts.langs
    sys.stdout.write(f"all sets: {counts.n_out} conversations, {counts.notes['n_departments']} departments, {counts.notes['n_diseases']} diseases, "
                     f"zh:en {100 * langs['zh'] / (langs['zh'] + langs['en']):.0f}:{100 * langs['en'] / (langs['zh'] + langs['en']):.0f}, {counts.n_out / seconds:.0f} conversations a CPU-second\n")
    sys.stdout.write("departments: " + ", ".join(f"{name} {n}" for name, n in counts.notes["departments"].items()) + "\n")
    sys.stdout.write("most named diseases: " + ", ".join(f"{name} {n}" for name, n in list(counts.notes["diseases"].items())[:20]) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data"))
