"""How far a pass over the shards is, how fast it goes, and how long it will take."""

import threading
import time
from collections.abc import Callable

Tell = Callable[[int, int, float], None]
"""(jobs done, jobs in all, seconds since the pass began), called after each job, one call at a time."""


def silent(done: int, total: int, seconds: float) -> None:
    """Tells nobody."""


class Pace:
    """Counts the finished jobs of one pass, from whatever thread they come."""

    def __init__(self, total: int, tell: Tell):
        self.total, self.tell = total, tell
        self.n_done, self.began, self.lock = 0, time.monotonic(), threading.Lock()

    def done(self) -> None:
        with self.lock:
            self.n_done += 1
            self.tell(self.n_done, self.total, time.monotonic() - self.began)


def spelled(done: int, total: int, seconds: float) -> str:
    """`12 of 40 shards, 2.4 a second, 12 s left`."""
    rate = done / max(seconds, 1e-9)
    pace = f"{rate:.1f} a second" if rate >= 1 else f"{rate * 60:.1f} a minute"
    return f"{done:,} of {total:,} shards, {pace}, {duration((total - done) / max(rate, 1e-9))} left"


def duration(seconds: float) -> str:
    """`12 s`, `3 min 05 s`, `2 h 07 min`, `13 days 19 h`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole >= 48 * 3600:
        return f"{whole // 86400:,} days {whole % 86400 // 3600} h"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
