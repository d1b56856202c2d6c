"""The embedded engine: the threads of this process. Kernels release the interpreter lock; see design notes in docs/decisions.md."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from aquilamed.engine.pace import Pace, Tell, silent


class Local:
    """`map(fn, items)` on `workers` threads; results in the order of `items`."""

    name = "local"

    def __init__(self, workers: int = 0, tell: Tell = silent):
        self.workers = workers or len(os.sched_getaffinity(0))
        self.tell = tell

    def map(self, fn: Callable, items: Sequence) -> list:
        """`[fn(item) for item in items]`; what `fn` raises ends the pass, jobs that have not begun are left out."""
        pace = Pace(len(items), self.tell)

        def counted(item):
            result = fn(item)
            pace.done()
            return result

        with ThreadPoolExecutor(self.workers) as pool:
            return list(pool.map(counted, items))
