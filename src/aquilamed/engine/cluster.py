"""The Ray engine: the same verb as tasks of an existing Ray cluster. Only files travel between passes.

The run folder, and every file that a recipe names, must have the same path on every node (a shared file system). A task whose
worker dies is made again; a job writes its files whole or not at all, so twice is as good as once. See docs/clusters.md.
"""

import functools
import os
import socket
from collections.abc import Callable, Sequence

from aquilamed.core.errors import AquilamedError, ConfigError, WorkerDied
from aquilamed.engine.pace import Pace, Tell, silent

RETRIES = 5
"""How often a job is begun again after its worker or node died."""


class Ray:
    """`map(fn, items)` as Ray tasks of one CPU each; results in the order of `items`.

    `address`: `host:port` or `ray://host:port`; empty: `RAY_ADDRESS`, else the cluster that runs on this machine.

    Raises:
        ConfigError: Ray is not installed, or no cluster answers.
    """

    name = "ray"

    def __init__(self, address: str = "", tell: Tell = silent):
        self.tell = tell
        self.ray = _connected(address or os.environ.get("RAY_ADDRESS", "auto"))
        self.workers = max(1, int(self.ray.cluster_resources().get("CPU", 1)))

    def map(self, fn: Callable, items: Sequence, *, holds_lock: bool = False) -> list:
        """`[fn(item) for item in items]`; what `fn` raises ends the pass and the jobs that have not begun. Every job has a process anyway."""
        job = self.ray.remote(num_cpus=1, max_retries=RETRIES)(_applied)
        shared, here = self.ray.put(fn), os.getcwd()
        waiting = {job.remote(shared, item, here): place for place, item in enumerate(items)}
        results, pace = [None] * len(items), Pace(len(items), self.tell)
        try:
            while waiting:
                (done,), _ = self.ray.wait(list(waiting), num_returns=1)
                results[waiting.pop(done)] = self._result(done)
                pace.done()
        finally:
            for left in waiting:
                self.ray.cancel(left)
        return results

    def _result(self, reference):
        """A job's result, or the error that a user can mend as it was raised on the node."""
        try:
            return self.ray.get(reference)
        except self.ray.exceptions.WorkerCrashedError as error:
            raise WorkerDied(f"the worker of a job died {RETRIES + 1} times; is there memory enough on the nodes? "
                             "Run the same command again: what is done is kept") from error
        except self.ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, AquilamedError | OSError):
                raise error.cause from None
            raise


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
