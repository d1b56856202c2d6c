"""Threads and processes: order, errors, a process that dies, and what is said of the pace."""

import io
import os
import signal
from pathlib import Path

import pytest

from aquilamed import progress
from aquilamed.core import pace
from aquilamed.core.errors import RecordError, WorkerDied
from aquilamed.engine import local
from aquilamed.engine.local import Local


@pytest.mark.parametrize("holds_lock", [False, True], ids=["threads", "processes"])
def test_results_keep_the_order_and_errors_come_as_raised(holds_lock):
    assert Local(2).map(lambda n: (n, os.getpid() == os.getppid()), range(20), holds_lock=holds_lock) == [(n, False) for n in range(20)]
    assert Local(2).map(len, [], holds_lock=holds_lock) == []

    def failing(number):
        if number == 3:
            raise RecordError("乙.jsonl, row 3: not JSON")
        return number
    with pytest.raises(RecordError, match="^乙.jsonl, row 3: not JSON$"):
        Local(2).map(failing, range(6), holds_lock=holds_lock)


def test_work_that_holds_the_lock_leaves_this_process_and_kernels_do_not():
    here = os.getpid()
    assert here not in Local(2).map(lambda _: os.getpid(), range(4), holds_lock=True)
    assert set(Local(2).map(lambda _: os.getpid(), range(4))) == {here}


def test_a_process_that_dies_loses_nothing(tmp_path):
    def job(number: int) -> int:
        marker = Path(tmp_path / f"died-{number}")
        if number % 5 == 0 and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number * number
    assert Local(2).map(job, range(8), holds_lock=True) == [n * n for n in range(8)]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_process_that_always_dies_is_told(monkeypatch):
    monkeypatch.setattr(local, "RETRIES", 1)
    with pytest.raises(WorkerDied, match="died 2 times in this pass; is there memory enough.*what is done is kept"):
        Local(2).map(lambda _: os.kill(os.getpid(), signal.SIGKILL), range(3), holds_lock=True)


def test_the_pace_by_hand():
    assert str(pace.Progress(12, 40, 5.0)) == "12 of 40 shards, 2.4 a second, 12 s left"
    assert str(pace.Progress(1, 1001, 36.0)) == "1 of 1,001 shards, 1.7 a minute, 10 h 00 min left"
    assert str(pace.Progress(12, 40, 5.0, "steps", 2, "loss 2.3")) == "12 of 40 steps, 2.0 a second, 14 s left, loss 2.3"
    assert pace.duration(185) == "3 min 05 s"


def test_a_long_pass_tells_a_line_every_ten_seconds_and_a_short_one_nothing():
    file = io.StringIO()
    with progress.shown_on(file) as tell:
        for done, seconds in ((1, 4.0), (2, 9.9), (3, 11.0), (4, 19.0), (5, 22.0), (6, 40.0)):
            tell(pace.Progress(done, 6, seconds))
        for done in (1, 2, 3):
            tell(pace.Progress(done, 3, done * 0.5))
    assert file.getvalue() == "  3 of 6 shards, 16.4 a minute, 11 s left\n  5 of 6 shards, 13.6 a minute, 4 s left\n"


def test_two_passes_one_within_the_other_keep_their_ten_seconds():
    file = io.StringIO()
    with progress.shown_on(file) as tell:
        for seconds in (11.0, 12.0, 23.0):
            tell(pace.Progress(int(seconds), 40, seconds, "steps"))
            tell(pace.Progress(1, 2, 3.0, "tokens"))
    assert [line.split()[0] for line in file.getvalue().splitlines()] == ["11", "23"]


def test_a_bar_gives_way_to_a_pass_that_goes_on_for_a_second_and_to_no_shorter_one():
    bar = progress.Bar(io.StringIO())
    seen = []
    for at in (pace.Progress(1, 9, 2.0, "steps"), pace.Progress(1, 5, 0.5, "tokens"), pace.Progress(5, 5, 0.9, "tokens"), pace.Progress(1, 7, 1.5, "tokens"), pace.Progress(7, 7, 2.0, "tokens"), pace.Progress(2, 9, 4.0, "steps"),
               pace.Progress(9, 9, 9.0, "steps")):
        bar(at)
        seen.append(bar.of)
    assert seen == [("steps", 9)] * 3 + [("tokens", 7), (), ("steps", 9), ()]


def test_what_runs_below_is_heard_on_the_listeners_thread_alone():
    heard = []

    def job(n: int) -> None:
        pace.Pace(n, pace.listener(), "tokens").done(n + 3)
    with pace.heard_by(heard.append):
        Local(2).map(job, [5])
        Local(2).map(job, [6, 7])
    job(8)
    assert [(at.done, at.total, at.unit) for at in heard] == [(5, 5, "tokens")]
