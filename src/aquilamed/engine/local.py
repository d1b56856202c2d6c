"""The embedded engine: the threads of this process, or processes where work holds the interpreter lock. See docs/decisions.md."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from aquilamed.core.errors import WorkerDied
from aquilamed.core.pace import Pace, Tell, silent

RETRIES = 3
"""How often what is left of a pass is begun again after a process died."""


class Local:
    """`map(fn, items)` on `workers` threads or processes; results in the order of `items`."""

    name = "local"

    def __init__(self, workers: int = 0, tell: Tell = silent):
        self.workers = workers or len(os.sched_getaffinity(0))
        self.tell = tell

    def map(self, fn: Callable, items: Sequence, *, holds_lock: bool = False, on_gpu: bool = False) -> list:
        """`[fn(item) for item in items]`; what `fn` raises ends the pass, jobs that have not begun are left out.

        `holds_lock`: `fn` is Python rather than kernels, and long enough to be worth processes of its own. `on_gpu`: `fn` asks a model, which this
        process loads once; the threads take turns at it.
        """
        pace = Pace(len(items), self.tell)
        if holds_lock and self.workers > 1 and len(items) > 1:
            return self._in_processes(fn, items, pace)

        def counted(item):
            result = fn(item)
            pace.done()
            return result

        if len(items) == 1:                                     # on this thread, so that whoever listens hears how far the one job is
            return [counted(items[0])]
        with ThreadPoolExecutor(self.workers) as pool:
            return list(pool.map(counted, items))

    def _in_processes(self, fn: Callable, items: Sequence, pace: Pace) -> list:
        from joblib.externals.loky import get_reusable_executor
        results: dict[int, object] = {}
        for _ in range(RETRIES + 1):
            pool = get_reusable_executor(max_workers=self.workers, timeout=60)
            places = {pool.submit(fn, item): place for place, item in enumerate(items) if place not in results}
            try:
                for done in as_completed(places):
                    results[places[done]] = done.result()
                    pace.done()
                return [results[place] for place in range(len(items))]
            except BrokenProcessPool:
                continue
            finally:
                for left in places:
                    left.cancel()
        raise WorkerDied(f"a worker process died {RETRIES + 1} times in this pass; is there memory enough? Use fewer --workers "
                         "and run the same command again: what is done is kept")
