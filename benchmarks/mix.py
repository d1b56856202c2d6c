"""The mix: drawing documents to token budgets on columns, beside the same draw on one Python object a document, and the whole step beside bare reading and writing.

    python benchmarks/mix.py            10k, 100k and 1M documents; about three minutes on two cores

Each figure is CPU seconds of a process of its own; runs alternate, medians are printed, peak memory is what the draw adds to it.
"""

import dataclasses
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from importlib import metadata
from pathlib import Path

import numpy as np

from aquilamed.core import tables
from aquilamed.corpus import budget, mix
from aquilamed.engine.local import Local

SIZES, RUNS = (10_000, 100_000, 1_000_000), 3
STEP_SIZES = (10_000, 100_000, 1_000_000)
RESULT = Path(__file__).parent / "results" / "mix.json"


def columns(n: int) -> budget.Rows:
    """`n` rows of three sources and six cells, some of which can't be drawn."""
    rng = np.random.default_rng(0)
    return budget.Rows(cell=rng.integers(-1, 6, n).astype(np.int8), source=rng.integers(0, 3, n).astype(np.int32), tokens=rng.integers(20, 900, n).astype(float),
                       chance=rng.random(n), key=rng.integers(0, 2**63, n).astype(np.uint64), sources=("books", "papers", "web"))


def config_for(n: int) -> mix.Config:
    return mix.Config(budget_tokens=n * 120, medical_share=0.6, instruction_share=0.2, max_epochs=1)


@dataclasses.dataclass(frozen=True)
class Row:
    """A document as one object."""

    cell: str
    tokens: float
    order: tuple[float, int]


def as_objects(rows: budget.Rows) -> list[Row | None]:
    cells = rows.cell.tolist()
    return [Row(mix.CELLS[cell], n, (share, key)) if cell >= 0 else None
            for cell, n, share, key in zip(cells, rows.tokens.tolist(), rows.chance.tolist(), rows.key.tolist(), strict=True)]


def draw_objects(budgets: dict[str, float], rows: list[Row | None]) -> np.ndarray:
    """The draw without repeats, a document at a time."""
    drawn, got = np.zeros(len(rows), bool), defaultdict(float)
    for place in sorted((k for k, row in enumerate(rows) if row), key=lambda k: rows[k].order):
        row = rows[place]
        if got[row.cell] < budgets[row.cell]:
            drawn[place] = True
            got[row.cell] += row.tokens
    return drawn


def documents(folder: Path, n: int) -> None:
    """`n` documents of about 1 kB in shards of 16 MB."""
    rng = np.random.default_rng(0)
    zh, en = ("".join(chr(c) for c in rng.integers(0x4E00, 0x8000, 4000)), " ".join(str(w) for w in rng.integers(0, 9999, 4000)))
    per_shard = 16_000
    for number, start in enumerate(range(0, n, per_shard)):
        rows = []
        for k in range(start, min(n, start + per_shard)):
            at = int(rng.integers(0, 3000))
            rows.append({"id": f"{k * 2654435761 % 2**32:08x}{k:024x}", "text": zh[at:at + 340] if k % 2 else en[at:at + 1000], "lang": ("en", "zh")[k % 2], "source": ("web", "books")[k % 5 == 0],
                         "license": "MIT", "meta": {"file": "f", "row": str(k), "domain": ("medical", "general")[k % 3 == 0], "quality": f"{k % 7:.2f}"}})
        tables.write(folder / "documents" / tables.part(number), tables.from_rows("documents", rows))


def child(work: str, n: int, folder: str) -> dict:
    """Do one work; what it took and what came out."""
    source = Path(folder) / f"{n}"
    if work == "step":
        before, cpu = _peak(), time.process_time()
        counts = mix.run(dataclasses.replace(config_for(n), min_quality=2.0, instruction_share=0.0, max_epochs=4), {"documents": source}, Path(folder) / "out", Local(2))
        return {"cpu": time.process_time() - cpu, "mb": _peak() - before, "result": counts.n_out + sum(counts.dropped.values())}
    if work == "copy":
        before, cpu, n_rows = _peak(), time.process_time(), 0
        for path in tables.shards(source, "documents"):
            table = tables.load(path)
            tables.write(Path(folder) / "copy" / path.name, table)
            n_rows += len(table)
        return {"cpu": time.process_time() - cpu, "mb": _peak() - before, "result": n_rows}
    rows = columns(n)
    plan = budget.Plan(budgets=config_for(n).budgets(), source_shares={}, max_epochs=1)
    before, cpu = _peak(), time.process_time()
    drawn = draw_objects(plan.budgets, as_objects(rows)) if work == "objects" else budget.draw(plan, rows)[0] > 0
    return {"cpu": time.process_time() - cpu, "mb": _peak() - before, "result": int(np.flatnonzero(drawn).sum())}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(ours: str, peer: str, n: int, folder: str) -> list[dict]:
    """[ours, peer]: medians over alternating runs."""
    found: dict[str, list[dict]] = {ours: [], peer: []}
    for _ in range(RUNS):
        for work in found:
            done = subprocess.run([sys.executable, __file__, "--child", work, str(n), folder], capture_output=True, text=True, check=True, env=os.environ)
            found[work].append(json.loads(done.stdout))
    return [{"cpu": statistics.median(run["cpu"] for run in runs), "mb": statistics.median(run["mb"] for run in runs), "result": runs[0]["result"]} for runs in found.values()]


def row(work: str, figures: list[dict], n: int, peer_name: str) -> dict:
    ours, peer = figures
    return {"work": work, "ours": round(n / ours["cpu"]), "peer": round(n / peer["cpu"]), "peer_name": peer_name, "ratio": round(peer["cpu"] / ours["cpu"], 2), "unit": "documents per CPU-second",
            "runs": RUNS, "equal": ours["result"] == peer["result"], "ours_cpu_seconds": round(ours["cpu"], 3), "ours_peak_mb": round(ours["mb"]), "peer_peak_mb": round(peer["mb"])}


def main() -> None:
    rows = [row(f"draw, {n:,} documents", measured("columns", "objects", n, ""), n, "one Python object a document") for n in SIZES]
    with tempfile.TemporaryDirectory() as folder:
        for n in STEP_SIZES:
            documents(Path(folder) / str(n), n)
            rows.append(row(f"whole step, {n:,} documents of 1 kB", measured("step", "copy", n, folder), n, "floor: the same shards read and written"))
    for made in rows:
        print(f"{made['work']:42} {made['ours']:>12,} {made['peer']:>12,} {made['unit']}  x {made['ratio']}  {made['ours_peak_mb']} MB against {made['peer_peak_mb']} MB  equal {made['equal']}")
    versions = {name: metadata.version(name) for name in ("numpy", "pyarrow")}
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps({"machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}", "versions": versions, "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if "--child" in sys.argv:
        print(json.dumps(child(sys.argv[2], int(sys.argv[3]), sys.argv[4])))
    else:
        main()
