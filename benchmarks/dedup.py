"""Near-dedup end to end beside datatrove, text-dedup and Data-Juicer on a corpus with planted near-duplicates; growth; memory.

    python benchmarks/dedup.py --datatrove PYTHON --text-dedup PYTHON --data-juicer PYTHON
    python benchmarks/dedup.py --parts growth,pairs        some of it again; the rows of the other parts stay

Each PYTHON is the interpreter of an environment of its own with that package (datatrove: also spacy, jieba, tokenizers and xxhash<4). Without it the
peer is left out. Every figure is CPU seconds of a process and its children, start included; two workers each.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pyarrow as pa

import judged
import planted
from measured import Cost, measure

HERE = Path(__file__).parent
FLOOR = 29_000
"""Documents per CPU second below which reading, hashing and writing can't be brought by what the design measured."""
GROWTH = (10_000, 100_000, 1_000_000)
PAIRED = (200_000, 800_000)


class Bench:
    """The corpora, the runs on them and the rows of the result."""

    def __init__(self, home: Path, interpreters: dict[str, str], runs: int):
        self.home, self.interpreters, self.runs = home, interpreters, runs
        self.rows: list[dict] = []
        home.mkdir(parents=True, exist_ok=True)

    def corpus(self, n: int, shape: planted.Shape = planted.Shape()) -> Path:
        return planted.make(self.home / f"{n}-{shape.share}-{shape.mean_bytes}", n, shape, jsonl=n <= 200_000 and shape == planted.Shape())

    def ours(self, corpus: Path, what: str = "dedup") -> Cost:
        out = self.home / "out" / what
        shutil.rmtree(out, ignore_errors=True)
        return measure([sys.executable, HERE / "dedup_ours.py", corpus, out, what], self.home / f"{what}.log")

    def peer(self, name: str, way: str, corpus: Path) -> tuple[Cost, set[str]]:
        """What a peer's run costs, and the names it keeps."""
        out = self.home / "out" / f"{name}-{way}"
        shutil.rmtree(out, ignore_errors=True)
        script = HERE / "peers" / f"{name.replace('-', '_')}_minhash.py"
        cost = measure([self.interpreters[name], script, corpus / "jsonl", out, way], self.home / f"{name}-{way}.log")
        return cost, kept_by(out)

    def add(self, work: str, unit: str, ours: float, peer: tuple[str, float | None] = ("", None), *, equal: bool = True, less_is_more: bool = False) -> None:
        """A row of the result, printed."""
        name, value = peer
        ratio = None if not value or not ours else value / ours if less_is_more else ours / value
        shown = "" if value is None else f"{value:12,.4g}  {name}{'' if ratio is None else f'  x {ratio:.3g}'}{'' if equal else '  (not the same work)'}"
        print(f"{work:52} {ours:12,.4g} {unit:10} {shown}", flush=True)
        self.rows.append({"work": work, "ours": round(ours, 4), "peer": value and round(value, 4), "peer_name": name, "ratio": ratio and round(ratio, 3), "unit": unit,
                          "runs": self.runs, "equal": equal})


def kept_by(out: Path) -> set[str]:
    """The `id` of every row in `kept` folders below `out`: JSON lines or Arrow streams."""
    names = {json.loads(line)["id"] for path in out.rglob("kept/*.jsonl") if path.is_file() for line in path.open(encoding="utf-8")}
    for path in out.rglob("kept/*.arrow"):
        names |= set(pa.ipc.open_stream(pa.memory_map(str(path))).read_all()["id"].to_pylist())
    return names


def rate(n: int, costs: list[Cost]) -> float:
    """Documents per CPU second, the median."""
    return statistics.median(n / cost.cpu for cost in costs)


def quality(bench: Bench, corpus: Path, n: int) -> judged.Verdict:
    """What ours found at `n` documents, in all detail."""
    verdict = judged.judge(corpus, judged.names_of(bench.home / "out/dedup"))
    for lang in ("zh", "en"):
        bench.add(f"precision {lang} ({verdict.n_dropped[lang]} dropped of {n})", "share", verdict.precision[lang])
    for key, share in verdict.recall.items():
        bench.add(f"recall {key} ({verdict.n_pairs[key]} pairs)", "share", share)
    return verdict


def against_peers(bench: Bench, n: int, peers: list[tuple[str, str]]) -> None:
    """Ours, the copy and each (peer, way) on the same `n` documents."""
    corpus = bench.corpus(n)
    bench.ours(corpus)
    results, costs, copies = [], [], []
    for name, way in peers:
        results.append((name, way, *bench.peer(name, way, corpus)))
        costs.append(bench.ours(corpus))
    while len(copies) < bench.runs:
        copies.append(bench.ours(corpus, "copy"))
        costs.append(bench.ours(corpus))
    print(f"\n{n:,} documents")
    ours = rate(n, costs)
    bench.add(f"dedup, {n} documents", "docs/CPU-s", ours, ("reading and writing alone", rate(n, copies)), equal=False)
    bench.add(f"dedup, {n} documents", "docs/CPU-s", ours, ("floor of the design", FLOOR), equal=False)
    verdict = quality(bench, corpus, n)
    for name, way, cost, kept in results:
        theirs = judged.judge(corpus, kept)
        equal = all(abs(theirs.recall[lang] - verdict.recall[lang]) <= 0.01 for lang in ("zh", "en"))
        label = f"{name} {version(bench.interpreters[name], name)}, {way}"
        bench.add(f"dedup, {n} documents", "docs/CPU-s", ours, (label, n / cost.cpu), equal=equal)
        bench.add(f"peak memory of a process, {n} documents", "bytes", statistics.median(c.peak for c in costs), (label, cost.peak), less_is_more=True)
        for lang in ("zh", "en"):
            bench.add(f"recall {lang}, {n} documents", "share", verdict.recall[lang], (label, theirs.recall[lang]))
            bench.add(f"precision {lang}, {n} documents", "share", verdict.precision[lang], (label, theirs.precision[lang]))


def growth(bench: Bench) -> None:
    """Cost and memory at each size; the last row is how much the time of a document grows from the last size but one."""
    print("\ngrowth")
    spent = {}
    for n in GROWTH:
        corpus = bench.corpus(n)
        costs = [bench.ours(corpus) for _ in range(bench.runs)]
        spent[n] = statistics.median(cost.cpu / n for cost in costs)
        bench.add(f"CPU time of a document, {n} documents", "us", 1e6 * spent[n])
        bench.add(f"peak memory, {n} documents", "bytes", statistics.median(cost.peak for cost in costs))
    quality(bench, corpus, GROWTH[-1])
    bench.add(f"time of a document, {GROWTH[-1]} over {GROWTH[-2]}", "ratio", spent[GROWTH[-1]] / spent[GROWTH[-2]])


def memory_of_pairs(bench: Bench) -> None:
    """Bytes for each row that stands in a pair: short documents that all do, in shards of one size."""
    print("\nmemory of pairs")
    found = []
    for n in PAIRED:
        corpus = bench.corpus(n, planted.Shape(share=1.0, mean_bytes=300))
        costs = [bench.ours(corpus) for _ in range(bench.runs)]
        pairs = np.unique(np.concatenate([np.load(path) for path in (bench.home / "out/dedup/passes").glob("pairs-*.npy")]))
        n_rows = len(np.unique(np.r_[pairs >> 32, pairs & 0xFFFFFFFF]))
        found.append((n_rows, statistics.median(cost.peak for cost in costs)))
        bench.add(f"peak memory, {n_rows} rows in {len(pairs)} pairs", "bytes", found[-1][1])
    bench.add("memory for each row in a pair", "bytes", (found[1][1] - found[0][1]) / (found[1][0] - found[0][0]))


def version(interpreter: str, name: str) -> str:
    package = {"data-juicer": "py-data-juicer"}.get(name, name)
    return subprocess.run([interpreter, "-c", f"from importlib import metadata; print(metadata.version('{package}'))"],
                          capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--home", type=Path, default=Path("runs/benchmarks/dedup"), help="where corpora and outputs are kept, about 3 GB")
    for name in ("datatrove", "text-dedup", "data-juicer"):
        asked.add_argument(f"--{name}", metavar="PYTHON", default="", help=f"interpreter with {name}; left out: no comparison")
    asked.add_argument("--small", type=int, default=20_000, help="documents of the comparison with every peer and setting")
    asked.add_argument("--large", type=int, default=200_000, help="documents of the comparison with each peer's own settings")
    asked.add_argument("--parts", default="small,large,growth,pairs", help="what to run")
    asked.add_argument("--runs", type=int, default=3, help="runs of ours; a peer runs once")
    given = asked.parse_args()
    peers = {name: python for name in ("datatrove", "text-dedup", "data-juicer") if (python := getattr(given, name.replace("-", "_")))}
    for name in {"datatrove", "text-dedup", "data-juicer"} - set(peers):
        print(f"{name}: left out, no interpreter given")
    bench = Bench(given.home, peers, given.runs)
    parts = {"small": lambda: against_peers(bench, given.small, [(name, way) for name in peers for way in ("default", "alike")]),
             "large": lambda: against_peers(bench, given.large, [(name, "default") for name in peers]),
             "growth": lambda: growth(bench), "pairs": lambda: memory_of_pairs(bench)}
    for part in given.parts.split(","):
        bench.rows = []
        parts[part]()
        (given.home / f"rows-{part}.json").write_text(json.dumps(bench.rows), encoding="utf-8")
    rows = [row for part in parts if (path := given.home / f"rows-{part}.json").exists() for row in json.loads(path.read_text(encoding="utf-8"))]
    versions = {name: metadata.version(name) for name in ("numpy", "pyarrow", "numba")} | {name: version(python, name) for name, python in peers.items()}
    machine = f"{platform.machine()}, {len(os.sched_getaffinity(0))} shared cores, {platform.python_implementation()} {platform.python_version()}"
    result = HERE / "results" / "dedup.json"
    result.parent.mkdir(exist_ok=True)
    result.write_text(json.dumps({"machine": machine, "versions": versions, "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
