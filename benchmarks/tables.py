"""What every benchmark shares: children whose CPU time is taken, alternating runs, the printed table and the JSON file (docs/formats.md)."""

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

RESULTS = Path(__file__).with_name("results")


def child(python: str, script: str, *arguments: str, threads: int = 1) -> dict:
    """The JSON object that `script`, a file beside this one, prints last when run by `python`; it holds `seconds`, the time of the work."""
    done = subprocess.run([python, str(Path(__file__).with_name(script)), *arguments], stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": str(threads)})
    return json.loads(done.stdout.strip().splitlines()[-1])


def alternate(runs: int, works: Sequence[Callable[[], dict]]) -> list[tuple[dict, float]]:
    """(last answer with the median of its `peak_bytes`, median of `seconds`) of each work; the works take turns, so that a busy machine slows all alike."""
    found: list[list[dict]] = [[] for _ in works]
    for _ in range(runs):
        for work, answers in zip(works, found, strict=True):
            answers.append(work())
    median = lambda key, answers: statistics.median(answer[key] for answer in answers)  # noqa: E731
    return [({**answers[-1], **({"peak_bytes": median("peak_bytes", answers)} if "peak_bytes" in answers[-1] else {})}, median("seconds", answers)) for answers in found]


def row(work: str, ours: float, peer: float, peer_name: str, *, unit: str, runs: int, equal: bool, **more) -> dict:
    """A line of the table; for a unit such as documents/s, where more is better. `more` is kept in the file."""
    return {"work": work, "ours": round(ours, 4), "peer": round(peer, 4), "peer_name": peer_name, "ratio": round(ours / peer, 3) if peer else None,
            "unit": unit, "runs": runs, "equal": equal, **more}


def machine() -> str:
    """Processor, cores and system."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        cpu = next((line.split(":", 1)[1].strip() for line in info.read_text(encoding="utf-8").splitlines() if line.startswith("model name")), cpu)
    return f"{cpu}, {os.cpu_count()} cores, {platform.system()}"


def versions(*packages: str) -> dict[str, str]:
    """Of Python and of installed packages."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in packages}}


def version_of(python: str, package: str) -> str:
    """The version of a package in a peer's environment."""
    code = f"from importlib import metadata; print(metadata.version({package!r}))"
    return subprocess.run([python, "-c", code], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def publish(name: str, rows: list[dict], found: dict[str, str]) -> None:
    """Print `rows` as a table and write results/<name>.json; rows of earlier runs with other works are kept."""
    path = RESULTS / f"{name}.json"
    before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"rows": [], "versions": {}}
    done = {made["work"] for made in rows}
    kept = [old for old in before["rows"] if old["work"] not in done]
    RESULTS.mkdir(exist_ok=True)
    whole = {"machine": machine(), "versions": {**before["versions"], **found}, "rows": [*kept, *rows]}
    path.write_text(json.dumps(whole, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    show(name, rows, found)


def show(name: str, rows: list[dict], found: dict[str, str]) -> None:
    """Print `rows` as a table and keep nothing."""
    columns = ("work", "ours", "peer", "peer_name", "ratio", "unit", "runs", "equal")
    lines = [columns, *[tuple(str(made[column]) for column in columns) for made in rows]]
    widths = [max(len(line[k]) for line in lines) for k in range(len(columns))]
    sys.stdout.writelines("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n" for line in lines)
