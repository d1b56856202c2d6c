"""kill -9 at twenty points: what comes out in the end is what an unbroken run gives."""

import os
import random
import signal
import time
from pathlib import Path

from corpus_run import make, recipe

from aquilamed.core import manifest
from aquilamed.engine.local import Local

KILLS, RUNS = 20, 4


def digests(home: Path) -> list[str]:
    return [manifest.read(folder)["digest"] for _, folder in recipe().numbered(home)]


def killed(home: Path, seconds: float) -> None:
    """Run in a process of its own, with everything imported already, and kill it after so many seconds."""
    process = os.fork()
    if process == 0:
        make(home, Local(2))
        os._exit(0)
    time.sleep(seconds)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)


def test_killed_twenty_times_and_still_the_same(tmp_path):
    make(tmp_path / "whole", Local(2))
    began = time.monotonic()
    make(tmp_path / "again", Local(2))
    chance, seconds = random.Random(3), time.monotonic() - began
    states = set()
    for home in (tmp_path / f"killed-{number}" for number in range(RUNS)):
        for _ in range(KILLS // RUNS):
            killed(home, chance.random() * seconds / 2)
            states.add(tuple(sorted(path.relative_to(home).as_posix() for path in home.rglob("*"))))
        make(home, Local(2))
        assert digests(home) == digests(tmp_path / "whole") == digests(tmp_path / "again")
        assert not list(home.rglob("*.partial")) and not list(home.rglob(manifest.PASSES))
    assert len(states) > KILLS / 2, "the kills met too few different states of the run"
