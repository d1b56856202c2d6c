"""An engine that dies on the way, as a process does that is killed between two jobs."""

from collections.abc import Callable

from aquilamed.engine.local import Local


class Killed(Exception):
    pass


class Breaking(Local):
    """Dies when it begins job number `last`, counted through all passes."""

    def __init__(self, last: int):
        super().__init__(1)
        self.left = last

    def map(self, fn, items, **how):
        def one(item):
            self.left -= 1
            if self.left < 0:
                raise Killed
            return fn(item)
        return super().map(one, items, **how)


def continued_everywhere(run: Callable, check: Callable) -> int:
    """Kill `run(engine, k)` before its job k, go on with it in the same place and `check(counts, k)`, for every k; how many jobs there are."""
    at = 0
    while True:
        try:
            run(Breaking(at), at)
        except Killed:
            check(run(Local(1), at), at)
            at += 1
            continue
        return at
