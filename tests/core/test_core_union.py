"""Records of several steps as one: by hand, the same for any order and sharding, and in bounded memory."""

import pyarrow as pa
import pytest

from aquilamed.core import chance, runs, tables, union
from aquilamed.engine.local import Local


def row(number, source="s", words="", file="f", **meta):
    text = f"{words}{'高血压应当规律服药' if number % 2 else 'asthma needs an inhaler'} {number}"
    return {"text": text, "source": source, "license": "MIT", "meta": {"file": file, "row": str(number), **meta}}


def folder(path, rows, n_shards=1):
    """Shards in the order of the rows, not of their ids, as a step that makes ids anew leaves them."""
    for number in range(n_shards):
        tables.write(path / "documents" / tables.part(number), tables.from_rows("documents", rows[number::n_shards]))
    return path


def written(out):
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*.parquet"))}


@pytest.fixture
def small_shards(monkeypatch):
    """Shards of about 40 kB of weight."""
    whole = runs.n_shards
    monkeypatch.setattr(runs, "n_shards", lambda total, shard_bytes=40_000: whole(total, shard_bytes))


def test_of_equal_records_the_first_source_file_and_row_stays(tmp_path):
    one = folder(tmp_path / "one", [row(1, "b", mark="1"), row(2, "b", file="g", mark="2"), row(3, mark="3")])
    two = folder(tmp_path / "two", [row(1, "a", mark="4"), row(2, "b", file="f", mark="5"), row(4, mark="6")])
    counts = union.join(Local(1), tmp_path / "out", "documents", [one, two])
    assert counts.as_json() == {"in": 6, "out": 4, "dropped": {"exact_duplicate": 2}} and counts.langs == {"zh": 2, "en": 2}
    assert {found["meta"]["mark"] for found in tables.rows(tmp_path / "out", "documents")} == {"4", "5", "3", "6"}
    dropped = tables.to_rows(tables.load(tmp_path / "out/dropped/documents-00000.parquet"))
    assert {(found["meta"]["mark"], found["reason"]) for found in dropped} == {("1", "exact_duplicate"), ("2", "exact_duplicate")}


@pytest.mark.parametrize("most", [0, 150])
def test_order_sharding_and_workers_change_no_byte_and_the_draw_is_by_chance(tmp_path, small_shards, most):
    rows = [row(k, f"s{k % 3}") for k in range(400)] + [row(k, "z") for k in range(0, 400, 4)]
    inputs = [[folder(tmp_path / "a", rows[:300], 3), folder(tmp_path / "b", rows[300:], 2)], [folder(tmp_path / "c", rows[:150:-1], 1), folder(tmp_path / "d", rows[150::-1], 5)]]
    counts = [union.join(Local(1 + k), tmp_path / f"out{k}", "documents", some, most=most, seed=7) for k, some in enumerate(inputs)]
    assert counts[0] == counts[1] and written(tmp_path / "out0") == written(tmp_path / "out1")
    ids = {tables.make("documents", one)["id"] for one in rows}
    wanted = set(sorted(ids, key=lambda i: (chance.share(7, i), i))[:most or None])
    table = tables.read(tmp_path / "out0", "documents")
    assert sorted(table["id"].to_pylist()) == sorted(wanted) and "z" not in table["source"].to_pylist()
    assert len(tables.shards(tmp_path / "out0", "documents")) > 1
    dropped = counts[0].dropped
    assert dropped["exact_duplicate"] == 100 and dropped["over_cap"] == (400 - most if most else 0)
    assert tables.read(tmp_path / "out0", "documents").equals(runs.ordered(table))


def test_memory_does_not_grow_with_the_rows(tmp_path, small_shards):
    def peak(n):
        parts = [folder(tmp_path / f"{n}-{k}", [row(number, words="字" * 100) for number in range(k * 200, k * 200 + 200)]) for k in range(n)]
        before, pool = pa.default_memory_pool(), pa.proxy_memory_pool(pa.default_memory_pool())
        pa.set_memory_pool(pool)
        try:
            counts = union.join(Local(1), tmp_path / f"out-{n}", "documents", parts)
        finally:
            pa.set_memory_pool(before)
        assert counts.n_out == 200 * n
        return pool.max_memory()
    assert peak(32) < 1.5 * peak(4)
