"""What every test may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the project; the test is skipped where it is absent."""
    folder = Path(__file__).resolve().parents[1] / "../shared/data"
    if not folder.is_dir():
        pytest.skip("../shared/data is absent: real files can't be tested here")
    return folder.resolve()


@pytest.fixture(scope="session")
def cluster():
    """A Ray of two workers on this machine and, as far as it is concerned, of one GPU: jobs that ask a model go to an actor.

    What asks for it is marked `ray`: `make test` runs that by itself, for a Ray that has to share two cores may take its driver down with it.
    """
    import ray

    from aquilamed.engine.cluster import Ray
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(num_cpus=2, num_gpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield Ray(address="auto")
    ray.shutdown()
