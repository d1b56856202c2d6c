"""Rows on their way to shards by id: runs sorted by id, on disk, and the slices of them that make one shard.

What comes in may be larger than memory: a job holds one run, and a shard is merged from the slices of all runs that fall into it.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

SHARD_BYTES = 64 << 20
"""About how large a shard may be, in bytes of its words."""
RUN_BYTES = 64 << 20
"""About how large a run may be."""
PREFIXES = 1 << 16
"""Values of the first four hex digits of an id: the most shards there can be."""


class Runs:
    """Writes tables of one schema as the runs `STEM-NAME-K.arrow`, each of about RUN_BYTES."""

    def __init__(self, stem: Path, name: str):
        self.stem, self.name = stem, name
        self.waiting: list[pa.Table] = []
        self.weight = 0
        self.written: list[tuple[str, int]] = []

    def add(self, table: pa.Table) -> None:
        self.waiting.append(table)
        self.weight += weight(table)
        if self.weight >= RUN_BYTES:
            self._flush()

    def close(self) -> list[tuple[str, int]]:
        """(file, weight) of every run."""
        self._flush()
        return self.written

    def _flush(self) -> None:
        table = pa.concat_tables(self.waiting) if self.waiting else None
        if table is not None and len(table):
            path = self.stem.with_name(f"{self.stem.name}-{self.name}-{len(self.written)}.arrow")
            spill(path, table)
            self.written.append((str(path), self.weight))
        self.waiting, self.weight = [], 0


def ordered(table: pa.Table) -> pa.Table:
    """`table` by id, then source, file and row: the one order of the rows of a shard."""
    if not len(table):
        return table
    keyed = table
    for key in ("file", "row"):
        keyed = keyed.append_column(f"_{key}", pc.fill_null(pc.map_lookup(table["meta"], pa.scalar(key), "first"), ""))
    return table.take(pc.sort_indices(keyed, [(key, "ascending") for key in ("id", "source", "_file", "_row")])).combine_chunks()


def weight(table: pa.Table) -> int:
    """Bytes of the words of `table` and 256 a row for the rest, however its rows are chunked: weights add up."""
    return 256 * len(table) + sum(_bytes(chunk) for column in table.columns for chunk in column.chunks)


def n_shards(total: int, shard_bytes: int = SHARD_BYTES) -> int:
    """How many shards rows of the weight `total` make: a power of two."""
    n = 1
    while n * shard_bytes < total and n < PREFIXES:
        n *= 2
    return n


def slices(runs: Sequence[pa.Table], number: int, n: int) -> pa.Table:
    """The rows of shard `number` of `n`, in order."""
    low, high = (f"{edge * PREFIXES // n:04x}" for edge in (number, number + 1))
    parts = [run.slice(start, (_first(run, high) if number + 1 < n else len(run)) - start) for run in runs for start in [_first(run, low)]]
    return ordered(pa.concat_tables(parts))


def spill(path: Path, table: pa.Table) -> None:
    """Write `table` as a run, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with pa.OSFile(str(partial), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(ordered(table))
    os.replace(partial, path)


def opened(path: Path) -> pa.Table:
    """A run, mapped into memory: only what is looked at is read."""
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def _first(run: pa.Table, prefix: str) -> int:
    """Where ids from `prefix` on begin."""
    ids, low, high = run["id"], 0, len(run)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if ids[middle].as_py() < prefix else (low, middle)
    return low


def _bytes(column: pa.Array) -> int:
    """Bytes of every string in a column, nested ones too, those of a map left out."""
    kind = column.type
    if pa.types.is_list(kind):
        return _bytes(column.flatten())
    if pa.types.is_struct(kind):
        return sum(_bytes(field) for field in column.flatten())
    return (pc.sum(pc.binary_length(column)).as_py() or 0) if pa.types.is_string(kind) or pa.types.is_large_string(kind) else 0
