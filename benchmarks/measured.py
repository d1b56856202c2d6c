"""What a command costs with all its children: CPU seconds, wall seconds, most bytes held by one process.

    python benchmarks/measured.py REPORT COMMAND...

A process of its own, since Linux counts what a parent held before `exec` as its child's peak.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple


class Cost(NamedTuple):
    cpu: float
    """Seconds, user and system."""
    wall: float
    peak: int
    """Most bytes that one of its processes held."""


def measure(command: list, log: Path) -> Cost:
    """Run `command` to its end, its output in `log`.

    Raises:
        SystemExit: it failed; its last lines are told.
    """
    report = log.with_suffix(".json")
    with log.open("w") as file:
        done = subprocess.run([sys.executable, __file__, report, *map(str, command)], stdout=file, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: failed\n{log.read_text()[-2000:]}")
    return Cost(**json.loads(report.read_text()))


def main() -> None:
    report, *command = sys.argv[1:]
    began = time.monotonic()
    code = subprocess.call(command)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    Path(report).write_text(json.dumps({"cpu": used.ru_utime + used.ru_stime, "wall": time.monotonic() - began, "peak": used.ru_maxrss * 1024}))
    raise SystemExit(code)


if __name__ == "__main__":
    main()
