"""Ray tasks and threads give the same bytes; a worker that dies loses nothing; errors come back as they were raised."""

import os
import signal
from pathlib import Path

import pytest
from corpus_run import make, recipe

from aquilamed import cli
from aquilamed.core import manifest
from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.engine.cluster import Ray
from aquilamed.engine.local import Local


def test_without_a_cluster_the_message_says_how_to_start_one():
    with pytest.raises(ConfigError, match=r"no Ray cluster answers at '127.0.0.1:1'.*ray start --head"):
        Ray(address="127.0.0.1:1")


def test_the_command_line_says_so_too(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    (tmp_path / "r.py").write_text("from aquilamed.pipeline import Recipe\ndef recipe():\n    return Recipe(name='r', steps=())\n")
    assert cli.main(["run", str(tmp_path / "r.py"), "--home", str(tmp_path), "--engine", "ray"]) == 2
    assert "no Ray cluster answers" in capsys.readouterr().err


@pytest.mark.ray
def test_two_ray_workers_one_and_two_threads_give_the_same_bytes(cluster, tmp_path):
    for name, which in (("ray", cluster), ("one", Local(1)), ("two", Local(2))):
        make(tmp_path / name, which)
    for step, folder in recipe().numbered(tmp_path / "ray"):
        bodies = [manifest.read(tmp_path / name / "corpus" / folder.name) for name in ("ray", "one", "two")]
        assert bodies[0]["outputs"] == bodies[1]["outputs"] == bodies[2]["outputs"], step.name
        assert bodies[0]["counts"] == bodies[1]["counts"] == bodies[2]["counts"]
    assert len(list((tmp_path / "ray/corpus").glob("*-dedup/documents/*.parquet"))) > 8
    assert manifest.read(folder)["provenance"]["engine"] == "ray"


@pytest.mark.ray
def test_a_worker_that_dies_loses_nothing(cluster, tmp_path):
    def job(number: int) -> int:
        marker = Path(tmp_path / f"died-{number}")
        if number % 3 == 0 and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number * number
    assert cluster.map(job, range(8)) == [k * k for k in range(8)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["died-0", "died-3", "died-6"]


@pytest.mark.ray
def test_what_a_job_raises_comes_back_as_it_was_raised(cluster):
    def job(number: int) -> int:
        if number == 2:
            raise RecordError("甲.jsonl, row 2: no key 'text'")
        return number
    with pytest.raises(RecordError, match="^甲.jsonl, row 2: no key 'text'$"):
        cluster.map(job, range(4))


@pytest.mark.ray
def test_order_of_results_and_relative_paths(cluster, tmp_path, monkeypatch):
    (tmp_path / "字.txt").write_text("好", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert cluster.map(lambda number: (number, Path("字.txt").read_text(encoding="utf-8")), range(5)) == [(k, "好") for k in range(5)]
    assert cluster.map(len, []) == []
