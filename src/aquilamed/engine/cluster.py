"""The Ray engine: the same verb as tasks of an existing Ray cluster. Only files travel between passes.

The run folder, and every file that a recipe names, must have the same path on every node (a shared file system). A task whose
worker dies is made again; a job writes its files whole or not at all, so twice is as good as once. See docs/clusters.md.
"""

import functools
import itertools
import os
import socket
from collections.abc import Callable, Sequence

from aquilamed.core.errors import AquilamedError, ConfigError, WorkerDied
from aquilamed.core.pace import Pace, Tell, silent

RETRIES = 5
"""How often a job is begun again after its worker or node died."""


AHEAD = 2
"""Jobs that an actor has been given: the one that it does, and the next."""


class Ray:
    """`map(fn, items)` as Ray tasks of one CPU each, or on actors with a GPU each; results in the order of `items`.

    `address`: `host:port` or `ray://host:port`; empty: `RAY_ADDRESS`, else the cluster that runs on this machine.

    Raises:
        ConfigError: Ray is not installed, or no cluster answers.
    """

    name = "ray"

    def __init__(self, address: str = "", tell: Tell = silent):
        self.tell = tell
        self.ray = _connected(address or os.environ.get("RAY_ADDRESS", "auto"))
        self.workers = max(1, int(self.ray.cluster_resources().get("CPU", 1)))

    def map(self, fn: Callable, items: Sequence, *, holds_lock: bool = False, on_gpu: bool = False) -> list:
        """`[fn(item) for item in items]`; what `fn` raises ends the pass, and no further job is given out. Every job has a process anyway.

        `on_gpu`: `fn` asks a model; where the cluster has GPUs, an actor on each keeps it loaded from job to job.
        """
        gpus = min(int(self.ray.cluster_resources().get("GPU", 0)), len(items)) if on_gpu else 0
        start, at_once = (self._by_actors(gpus), AHEAD * gpus) if gpus else (self._by_tasks(), self.workers)
        shared, here, left = self.ray.put(fn), os.getcwd(), iter(enumerate(items))
        waiting, results, pace = {}, [None] * len(items), Pace(len(items), self.tell)
        while True:
            for place, item in itertools.islice(left, at_once - len(waiting)):
                waiting[start(shared, item, here)] = place
            if not waiting:
                return results
            (done,), _ = self.ray.wait(list(waiting), num_returns=1)
            results[waiting.pop(done)] = self._result(done)
            pace.done()

    def _by_tasks(self) -> Callable:
        return self.ray.remote(num_cpus=1, max_retries=RETRIES)(_applied).remote

    def _by_actors(self, n: int) -> Callable:
        """Jobs go to `n` actors in turn; one that dies begins again with the jobs that it had not done."""
        made = self.ray.remote(num_cpus=1, num_gpus=1, max_restarts=RETRIES, max_task_retries=RETRIES)(_Judge)
        actors = itertools.cycle([made.remote() for _ in range(n)])
        return lambda *job: next(actors).apply.remote(*job)

    def _result(self, reference):
        """A job's result, or the error that a user can mend as it was raised on the node."""
        try:
            return self.ray.get(reference)
        except (self.ray.exceptions.WorkerCrashedError, self.ray.exceptions.ActorDiedError) as error:
            raise WorkerDied(f"the worker of a job died {RETRIES + 1} times; is there memory enough on the nodes? "
                             "Run the same command again: what is done is kept") from error
        except self.ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, AquilamedError | OSError):
                raise error.cause from None
            raise


class _Judge:
    """A process with a GPU of its own; what `fn` loads once (`models.encoder`) stays loaded."""

    def apply(self, fn: Callable, item, folder: str):
        return _applied(fn, item, folder)


def _applied(fn: Callable, item, folder: str):
    """One job on a node, in the folder in which the command was given: relative paths mean the same there."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise ConfigError(f"{folder} is not there on the node {os.uname().nodename} ({error.strerror}): "
                          "every node needs the run folder and the data at the same path (a shared file system)") from error
    return fn(item)


@functools.cache
def _connected(address: str):
    try:
        import ray
    except ImportError as error:
        raise ConfigError("--engine ray needs the package ray: pip install 'aquilamed[ray]'") from error
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is sent to anybody
    try:
        _answers(address)
        ray.init(address=address, log_to_driver=False, logging_level="ERROR", ignore_reinit_error=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigError(f"no Ray cluster answers at {address!r} ({str(error).splitlines()[0]}); start one (docs/clusters.md: `ray start --head`) "
                          "or set RAY_ADDRESS=host:port") from error
    return ray


def _answers(address: str) -> None:
    """Ray itself would wait for minutes for a node that is not there."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host, int(port)), timeout=10).close()
