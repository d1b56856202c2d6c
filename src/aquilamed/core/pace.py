"""How far something long is, how fast it goes, and how long it will take: a pass over the shards, a training, a model's answers.

What runs deep below a step tells whoever listens (`heard_by`); where nobody does, and on other threads than the listener's, nothing is said.
"""

import contextlib
import contextvars
import dataclasses
import threading
import time
from collections.abc import Callable, Iterator


@dataclasses.dataclass(frozen=True)
class Progress:
    """What is known at one moment."""

    done: int
    total: int
    seconds: float
    """Since this process began."""
    unit: str = "shards"
    before: int = 0
    """Of `done`, what was there when it began."""
    note: str = ""

    @property
    def rate(self) -> float:
        """Units a second."""
        return max(self.done - self.before, 1e-9) / max(self.seconds, 1e-9)

    @property
    def left(self) -> float:
        """Seconds, at that rate."""
        return (self.total - self.done) / self.rate

    def __str__(self) -> str:
        """`12 of 40 shards, 2.4 a second, 12 s left`."""
        pace = f"{self.rate:.1f} a second" if self.rate >= 1 else f"{self.rate * 60:.1f} a minute"
        return f"{self.done:,} of {self.total:,} {self.unit}, {pace}, {duration(self.left)} left{', ' if self.note else ''}{self.note}"


Tell = Callable[[Progress], None]
"""Called after each job or step, one call at a time."""


def silent(progress: Progress) -> None:
    """Tells nobody."""


_listener: contextvars.ContextVar[Tell] = contextvars.ContextVar("listener", default=silent)


@contextlib.contextmanager
def heard_by(tell: Tell) -> Iterator[None]:
    """Within it `listener` is `tell`."""
    before = _listener.set(tell)
    try:
        yield
    finally:
        _listener.reset(before)


def listener() -> Tell:
    """Whoever hears what is done on this thread."""
    return _listener.get()


class Pace:
    """Counts what is done of one pass, from whatever thread it comes."""

    def __init__(self, total: int, tell: Tell, unit: str = "shards"):
        self.total, self.tell, self.unit = total, tell, unit
        self.n_done, self.began, self.lock = 0, time.monotonic(), threading.Lock()

    def done(self, n: int = 1) -> None:
        with self.lock:
            self.n_done = min(self.n_done + n, self.total)
            self.tell(Progress(self.n_done, self.total, time.monotonic() - self.began, self.unit))


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
