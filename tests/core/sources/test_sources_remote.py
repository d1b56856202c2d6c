"""Object stores: listed, fetched, read as local files are; what can't be reached is told in one message."""

import bz2
import gzip
import json
import lzma
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from object_store import serving

from aquilamed import cli, pipeline
from aquilamed.core import manifest, tables
from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.core.sources import Documents, Reading, Source, files, remote
from aquilamed.core.sources.gather import gather
from aquilamed.engine.local import Local

ROWS = [{"text": "高血压患者应低盐饮食。"}, {"text": "Asthma is treated with inhalers."}]


def lines(rows) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


def source(path, **options):
    return Source(name=options.pop("name", "web"), path=path, format="jsonl", mapping=Documents(), license="MIT", **options)


@pytest.fixture(autouse=True)
def credentials(monkeypatch):
    for name, value in (("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "y"), ("AWS_EC2_METADATA_DISABLED", "true")):
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(("name", "pack"), [("a.jsonl", bytes), ("a.jsonl.gz", gzip.compress), ("a.jsonl.bz2", bz2.compress), ("a.jsonl.xz", lzma.compress),
                                            ("a.jsonl.zst", zstd)])
def test_compressed_files_are_read_and_cut_off_ones_told(tmp_path, name, pack):
    (tmp_path / name).write_bytes(pack(lines(ROWS * 500)))
    counts = gather("documents", [source(tmp_path)], tmp_path / "out", Local(1))
    assert counts.n_in == 1000 and counts.notes["encodings"] == {"web": {"utf-8": 1}}
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[:len(whole) // 2 - 3])
    with pytest.raises(RecordError, match="a.jsonl.*(cut off)"):
        gather("documents", [source(tmp_path)], tmp_path / "out2", Local(1))
    assert not (tmp_path / "out2/documents").exists()


def test_objects_of_a_bucket_are_read_like_local_files(tmp_path):
    objects = {"medical/zh/一.jsonl": lines(ROWS[:1]), "medical/en/b.jsonl.gz": gzip.compress(lines(ROWS[1:])), "medical/en/notes.txt": b"x", "other/c.jsonl": lines(ROWS)}
    for name, data in objects.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    gather("documents", [source(tmp_path / "medical")], tmp_path / "local", Local(1))
    with serving(objects) as options:
        gather("documents", [source(f"s3://medical{options}")], tmp_path / "far", Local(2))
        assert [one.name for one in remote.listing(f"s3://medical/*/*.jsonl{options}", bool)] == ["zh/一.jsonl"]
        turned = "?" + "&".join(reversed(options[1:].split("&")))       # no wildcard, whichever option stands first
        assert turned.startswith("?region=") and [one.name for one in remote.listing(f"s3://medical/**/*.gz{turned}", bool)] == ["en/b.jsonl.gz"]
        assert [one.name for one in remote.listing(f"s3://medical/en/?.jsonl.gz{options}", bool)] == ["b.jsonl.gz"]
        assert [one.name for one in remote.listing(f"s3://medical/en/b.jsonl.gz{options}", bool)] == ["b.jsonl.gz"]
    files_of = [{path.name: path.read_bytes() for path in (tmp_path / name).rglob("*.parquet")} for name in ("local", "far")]
    assert files_of[0] == files_of[1] and len(tables.read(tmp_path / "far", "documents")) == 2
    assert not list((tmp_path / "far").rglob("fetched-*"))


RECIPE = """
from aquilamed.core.sources import Documents, Source
from aquilamed.corpus import importing
from aquilamed.pipeline import Recipe, Step
def recipe():
    web = Source(name="web", path={path!r}, format="jsonl", mapping=Documents(), license="MIT")
    return Recipe(name="r", steps=(Step(name="web", stage="corpus.importing", config=importing.Config(sources=(web,))),))
"""


def test_an_object_that_changes_makes_the_step_stale(tmp_path):
    objects = {"medical/a.jsonl": lines(ROWS)}
    with serving(objects) as options:
        (tmp_path / "r.py").write_text(RECIPE.format(path=f"s3://medical/a.jsonl{options}"))
        run = ["run", str(tmp_path / "r.py"), "--home", str(tmp_path / "runs")]
        assert cli.main(run) == 0 == cli.main(run)
        objects["medical/a.jsonl"] = lines(ROWS[:1])
        assert cli.main(run) == 2
        assert cli.main([*run, "--replace"]) == 0
    recipe = pipeline.load(tmp_path / "r.py")
    assert manifest.read(recipe.numbered(tmp_path / "runs")[0][1])["counts"]["in"] == 1


@pytest.mark.parametrize(("path", "says"), [
    ("s3://medical/a.jsonl?endpoint_override=127.0.0.1:9&scheme=http&region=us-east-1", "the store can't be read .*check the address, the network and your credentials"),
    ("hf://datasets/some/set@main/a.jsonl", "hf://datasets/some/set@main/a.jsonl: "),
    ("nosuch://place/a.jsonl", "nosuch://place/a.jsonl: "),
])
def test_a_store_that_is_not_there_is_told(tmp_path, capsys, path, says, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    (tmp_path / "r.py").write_text(RECIPE.format(path=path))
    assert cli.main(["run", str(tmp_path / "r.py"), "--home", str(tmp_path / "runs")]) == 2
    told = capsys.readouterr().err
    assert re.search(says, told) and "Traceback" not in told and not list((tmp_path / "runs").rglob("manifest.json"))


def test_no_permission_and_an_empty_bucket_are_told(tmp_path):
    with serving({"medical/a.jsonl": b""}, refuses=True) as options, pytest.raises(ConfigError, match="can't be read .*(ACCESS_DENIED|denied|403).*credentials"):
        gather("documents", [source(f"s3://medical/a.jsonl{options}")], tmp_path / "out", Local(1))
    with serving({"medical/a.txt": b"x"}) as options, pytest.raises(ConfigError, match="nothing there that fits; check the bucket"):
        gather("documents", [source(f"s3://medical{options}")], tmp_path / "out", Local(1))


def test_a_key_in_the_address_is_refused_and_not_shown(tmp_path):
    with pytest.raises(ConfigError, match="a key in the address would reach the manifest") as told:
        gather("documents", [source("s3://AKIA:secret@medical/a.jsonl")], tmp_path / "out", Local(1))
    assert "secret" not in str(told.value) and "AKIA" not in str(told.value)


def test_an_error_in_an_object_names_it_by_its_url(tmp_path):
    with serving({"medical/a.jsonl": lines(ROWS) + '{"text": "断'.encode()}) as options, pytest.raises(RecordError, match=r"s3://medical/a\.jsonl.*, row 3: not JSON"):
        gather("documents", [source(f"s3://medical/a.jsonl{options}")], tmp_path / "out", Local(1))


def test_a_large_file_is_read_in_ranges_with_its_own_line_numbers(tmp_path, monkeypatch):
    rows = [{"text": f"第{n}条记录，内容各不相同。" * (n % 7 + 1)} for n in range(400)]
    (tmp_path / "a.jsonl").write_bytes(lines(rows) + b"\n")
    gather("documents", [source(tmp_path / "a.jsonl")], tmp_path / "whole", Local(1))
    monkeypatch.setattr("aquilamed.core.sources.gather.PART_BYTES", 3000)
    monkeypatch.setattr("aquilamed.core.sources.gather.LOAD_BYTES", 3000)
    counts = gather("documents", [source(tmp_path / "a.jsonl")], tmp_path / "parts", Local(2))
    assert counts.notes["encodings"] == {"web": {"utf-8": 1}} and counts.n_in == 400
    found = [{path.name: path.read_bytes() for path in (tmp_path / name).rglob("*.parquet")} for name in ("whole", "parts")]
    assert found[0] == found[1]
    (tmp_path / "a.jsonl").write_bytes(lines(rows[:399]) + b"{broken\n")
    with pytest.raises(RecordError, match=r"a\.jsonl, row 400: not JSON"):
        gather("documents", [source(tmp_path / "a.jsonl")], tmp_path / "out", Local(1))


@pytest.mark.parametrize(("name", "data", "says"), [
    ("a.jsonl", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "a PNG picture, not a text file"),
    ("a.jsonl", bytes(range(128, 256)) * 40, "not UTF-8 .byte 0, line 1. nor GB18030"),
    ("a.jsonl", b"\x1f\x8b" + bytes(100), "gzip data without .gz in its name"),
    ("a.jsonl", lines(ROWS) + b'{"text": "\xff"}\n', "not UTF-8 .byte 101, line 3."),
    ("a.jsonl", lines([{"text": {"deep": ["x"]}}]), "row 1: .*text"),
    ("a.jsonl", b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", "row 1: lists and objects nested more than 200 deep"),
])
def test_junk_is_told_with_its_place_and_nothing_is_left(tmp_path, capsys, name, data, says):
    (tmp_path / name).write_bytes(data)
    (tmp_path / "r.py").write_text(RECIPE.format(path=str(tmp_path / name)))
    assert cli.main(["run", str(tmp_path / "r.py"), "--home", str(tmp_path / "runs")]) == 2
    told = capsys.readouterr().err
    assert re.search(says, told) and name in told and "Traceback" not in told
    assert not list((tmp_path / "runs").rglob("manifest.json")) and not list((tmp_path / "runs").rglob("documents"))


def test_a_line_of_500_mb_is_refused_without_being_held(tmp_path):
    with (tmp_path / "a.jsonl").open("wb") as file:
        file.write(b'{"text": "')
        file.seek(500 << 20)
        file.write(b'"}\n')
    reading = Reading(format="jsonl", encoding="latin-1")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(RecordError, match="a.jsonl, line 1: longer than 64 MB; .*declare format='json'"):
        list(files.rows(tmp_path / "a.jsonl", reading))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000, "kilobytes"


def test_a_file_that_may_not_grow_stops_the_run_with_a_message(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(lines([{"text": f"{n} " + "".join(chr(0x4E00 + (n * 7919 + k * 104729) % 20000) for k in range(2000))} for n in range(300)]))
    (tmp_path / "r.py").write_text(RECIPE.format(path=str(tmp_path / "a.jsonl")))
    command = f"ulimit -f 200; exec {sys.executable} -m aquilamed run r.py"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[1])})
    assert done.returncode == 2 and "a file grew beyond the limit" in done.stderr and "Traceback" not in done.stderr
    assert not list((tmp_path / "runs").rglob("manifest.json"))
