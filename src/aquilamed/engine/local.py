"""The embedded engine: the threads of this process. Kernels release the interpreter lock; see design notes in docs/decisions.md."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor


class Local:
    """`map(fn, items)` on `workers` threads; results in the order of `items`."""

    def __init__(self, workers: int = 0):
        self.workers = workers or len(os.sched_getaffinity(0))

    def map(self, fn: Callable, items: Sequence) -> list:
        with ThreadPoolExecutor(self.workers) as pool:
            return list(pool.map(fn, items))
