"""kill -9 at twenty points: what comes out in the end is what an unbroken run gives."""

import itertools
import multiprocessing
import os
import random
import signal
from pathlib import Path

from corpus_run import make, recipe

from aquilamed.core import manifest
from aquilamed.engine.local import Local

KILLS, RUNS = 20, 4


def digests(home: Path) -> list[str]:
    return [manifest.read(folder)["digest"] for _, folder in recipe().numbered(home)]


class Renames:
    """Stands for `os.replace`, by which every file comes to its place: counts, and kills the process at one of them."""

    def __init__(self, last: int = -1, *, is_done: bool = True):
        self.n, self.last, self.is_done, self.replace, self.numbers = 0, last, is_done, os.replace, itertools.count(1)

    def __call__(self, *paths) -> None:
        number = self.n = next(self.numbers)            # in one go: another thread's rename must not hide this one's number
        if number == self.last and not self.is_done:
            os.kill(os.getpid(), signal.SIGKILL)
        self.replace(*paths)
        if number == self.last:
            os.kill(os.getpid(), signal.SIGKILL)


FRESH = multiprocessing.get_context("forkserver")
"""Children of a server that has imported what they need and nothing else: a fork of this process would take the threads of other tests with it."""
FRESH.set_forkserver_preload(["corpus_run"])


def _made(home: Path, renames: Renames) -> None:
    os.replace = renames
    make(home, Local(2))


def killed(home: Path, renames: Renames) -> bool:
    """Run in a process of its own; whether it was killed."""
    process = FRESH.Process(target=_made, args=(home, renames))
    process.start()
    process.join()
    return process.exitcode == -signal.SIGKILL


def test_killed_twenty_times_and_still_the_same(tmp_path, monkeypatch):
    renames = Renames()
    monkeypatch.setattr(os, "replace", renames)
    make(tmp_path / "whole", Local(2))
    monkeypatch.undo()
    assert renames.n > 300
    chance, n_killed = random.Random(3), 0
    for home in (tmp_path / f"killed-{number}" for number in range(RUNS)):
        for _ in range(KILLS // RUNS):
            n_killed += killed(home, Renames(chance.randint(1, renames.n // 10), is_done=chance.random() < 0.5))
        make(home, Local(2))
        assert digests(home) == digests(tmp_path / "whole")
        assert not list(home.rglob("*.partial")) and not list(home.rglob(manifest.PASSES))
    assert n_killed == KILLS
