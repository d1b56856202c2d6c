"""Records on disk: zstd Parquet shards, and the one way rows are dropped.

A step's folder holds `<kind>/part-00000.parquet …` and, for what it dropped, `dropped/<kind>-00000.parquet` with the
same columns and `reason`, `detail`; `near/<kind>-00000.parquet` holds some of what it nearly dropped (`core.near`). Shards are made once, at import, by id (`scatter`); every later step keeps them, so
no output depends on the order, the sharding or the number of workers of what came in.
"""

import dataclasses
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aquilamed.core import manifest, runs
from aquilamed.core.counts import Counts
from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.core.records import SCHEMAS, make

REASONS = [pa.field("reason", pa.string()), pa.field("detail", pa.string())]


def shards(folder: Path, kind: str) -> list[Path]:
    """The Parquet files of `kind` in `folder` (its sub-folder of that name, or itself), in order.

    Raises:
        ConfigError: there are none.
    """
    inside = folder / kind if (folder / kind).is_dir() else folder
    found = sorted(inside.glob("*.parquet"))
    if not found:
        raise ConfigError(f"{folder}: holds no {kind}; check which step this input should name")
    return found


def load(path: Path) -> pa.Table:
    """One shard.

    Raises:
        RecordError: the file is damaged or not Parquet.
    """
    try:
        return pq.read_table(path, partitioning=None)
    except (pa.ArrowInvalid, OSError) as error:
        raise RecordError(f"{path}: not a whole Parquet file ({error}); make it again") from error


def read(folder: Path, kind: str) -> pa.Table:
    """All rows of `kind` in `folder`; for tables that fit in memory."""
    return pa.concat_tables([load(path) for path in shards(folder, kind)])


def rows(folder: Path, kind: str) -> Iterator[dict]:
    """The rows of `kind` one by one, `meta` as a dict, a shard in memory at a time."""
    for path in shards(folder, kind):
        yield from to_rows(load(path))


def to_rows(table: pa.Table) -> list[dict]:
    """`table` as dicts, `meta` as a dict."""
    found = table.to_pylist()
    for row in found:
        row["meta"] = dict(row.get("meta") or ())
    return found


def from_rows(kind: str, items: Iterable[dict]) -> pa.Table:
    """Rows -> table of `kind`; `id` and `lang` are made where absent.

    Raises:
        RecordError: a row lacks a key or a value has another type; the id and the key are named.
    """
    made = [row if row.get("id") else make(kind, row) for row in items]
    try:
        return pa.Table.from_pylist([{**row, "meta": list((row.get("meta") or {}).items())} for row in made], schema=SCHEMAS[kind])
    except (pa.ArrowInvalid, pa.ArrowTypeError, KeyError) as error:
        raise RecordError(f"a row does not fit the {kind} columns: {error}") from error


def write(path: Path, table: pa.Table) -> None:
    """Write `table` whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    pq.write_table(table, partial, compression="zstd", store_schema=True)
    os.replace(partial, path)


def write_stream(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch], *, rows_per_group: int = 10_000) -> None:
    """Write batches as one file, whole or not at all; the bytes do not depend on how the rows come in batches."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with pq.ParquetWriter(partial, schema, compression="zstd", store_schema=True) as file:
        waiting = schema.empty_table()
        for batch in batches:
            waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch])])
            while len(waiting) >= rows_per_group:
                file.write_table(waiting.slice(0, rows_per_group).combine_chunks(), row_group_size=rows_per_group)
                waiting = waiting.slice(rows_per_group)
        file.write_table(waiting.combine_chunks(), row_group_size=rows_per_group)
    os.replace(partial, path)


def write_array(path: Path, array: np.ndarray) -> None:
    """Write an array as .npy, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        np.save(file, array)
    os.replace(partial, path)


def part(number: int) -> str:
    """The file name of shard `number`."""
    return f"part-{number:05d}.parquet"


def sift(table: pa.Table, rules: Mapping[str, object], details: Mapping[str, object] | None = None) -> tuple[pa.Table, pa.Table]:
    """(kept, dropped): a row is dropped by the first rule whose mask is true for it.

    `rules` maps a reason to a boolean mask (numpy or Arrow, length of the table); `details` may map a reason to a
    string array that says more. Dropped rows carry `reason` and `detail`.
    """
    reason = pa.nulls(len(table), pa.string())
    detail = pa.nulls(len(table), pa.string())
    for name, mask in reversed(list(rules.items())):
        mask = pa.array(mask, pa.bool_()) if not isinstance(mask, pa.Array | pa.ChunkedArray) else mask
        reason = pc.if_else(mask, pa.scalar(name), reason)
        detail = pc.if_else(mask, (details or {}).get(name, pa.scalar(None, pa.string())), detail)
    kept = pc.is_null(reason)
    dropped = table.append_column(REASONS[0], reason).append_column(REASONS[1], detail).filter(pc.invert(kept))
    return table.filter(kept), dropped


def count(kept: pa.Table, dropped: pa.Table) -> Counts:
    """The counts of one sift."""
    return Counts(
        n_in=len(kept) + len(dropped), n_out=len(kept), dropped=Counter(dropped["reason"].to_pylist()),
        langs=Counter(kept["lang"].to_pylist()),
    )


Sieve = Callable[[pa.Table], tuple]
"""One shard -> (kept, dropped) and, where it has them, figures that it counts and the rows that it nearly dropped (`core.near`). Pure and picklable."""


def sift_all(engine, source: Path, kind: str, sieve: Sieve, out: Path, *, on_gpu: bool = False) -> Counts:
    """Run `sieve` over every shard of `source`; shard k in is shard k out; what a killed try has done is not done again.

    The sums of what the sieve counts are the notes. `on_gpu`: the sieve asks a model.
    """
    def one(job: tuple[int, Path]) -> Counts:
        number, path = job
        return saved(out, kind, number) or save(out, kind, number, *sieve(load(path)))
    done = engine.map(one, list(enumerate(shards(source, kind))), on_gpu=on_gpu)
    notes = sum((Counter(part.notes) for part in done), Counter())
    return dataclasses.replace(Counts.total(done), notes=dict(sorted(notes.items())))


def save(out: Path, kind: str, number: int, kept: pa.Table, dropped: pa.Table, counted: Mapping[str, int] | None = None, near: pa.Table | None = None) -> Counts:
    """Write shard `number` of a step's kept, dropped and nearly dropped rows; return their counts, with `counted` as notes."""
    write(out / kind / part(number), kept)
    for folder, table in (("dropped", dropped), ("near", near)):
        if table is not None and len(table):
            write(out / folder / f"{kind}-{number:05d}.parquet", table)
    counts = dataclasses.replace(count(kept, dropped), notes=dict(counted or {}))
    _tally(out, kind, number).parent.mkdir(exist_ok=True)
    manifest.write_json(_tally(out, kind, number), vars(counts))
    return counts


def saved(out: Path, kind: str, number: int) -> Counts | None:
    """The counts of shard `number` if an earlier, killed try of this step has written it whole."""
    path = _tally(out, kind, number)
    if not path.exists():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    return Counts(**{**found, "dropped": Counter(found["dropped"]), "langs": Counter(found["langs"])})


def _tally(out: Path, kind: str, number: int) -> Path:
    return out / manifest.PASSES / f"{kind}-{number:05d}.json"


def scatter(out: Path, kind: str, table: pa.Table, *, shard_bytes: int = runs.SHARD_BYTES) -> None:
    """Write `table` as shards by id: a power of two of them, each sorted by id, then source, file and row.

    The result depends on the set of rows alone, not on their order.
    """
    rows_by_id = [runs.ordered(table)]
    n = runs.n_shards(runs.weight(table), shard_bytes)
    for number in range(n):
        write(out / kind / part(number), runs.slices(rows_by_id, number, n))


def merge(engine, found: Sequence[Path], total: int, place: Callable[[int], Path]) -> None:
    """Write the rows of the runs `found`, whose weights sum to `total`, as shards by id; `place(number)` is a shard's file."""
    n = runs.n_shards(total)

    def one(number: int) -> None:
        if not place(number).exists():
            write(place(number), runs.slices([runs.opened(path) for path in found], number, n))
    engine.map(one, range(n))


def with_meta(table: pa.Table, **values: Iterable[str | None]) -> pa.Table:
    """`table` with `meta[key]` of each row set to its value under that keyword; None takes the key away."""
    metas = [dict(meta or ()) for meta in table["meta"].to_pylist()]
    for key, column in values.items():
        for meta, value in zip(metas, column, strict=True):
            if value is None:
                meta.pop(key, None)
            else:
                meta[key] = value
    place = table.schema.get_field_index("meta")
    column = pa.array([list(meta.items()) for meta in metas], table.schema.field(place).type)
    return table.set_column(place, table.schema.field(place), column)


def meta_column(table: pa.Table, key: str) -> pa.ChunkedArray:
    """`meta[key]` of each row, null where it has none."""
    return pc.map_lookup(table["meta"], pa.scalar(key), "last")


def meta_number(table: pa.Table, key: str) -> pa.ChunkedArray:
    """`meta[key]` of each row as a float64, null where it has none or one that is no number."""
    said = meta_column(table, key)
    return pc.cast(pc.if_else(pc.match_substring_regex(said, r"^-?\d{1,300}(\.\d+)?([eE][-+]?\d{1,2})?$"), said, pa.scalar(None, pa.string())), pa.float64())


def meta_of(table: pa.Table, key: str) -> list[str | None]:
    """`meta[key]` of each row, None where it has none."""
    return meta_column(table, key).to_pylist()


def langs(table: pa.Table) -> Counter:
    """Language -> rows."""
    return Counter(table["lang"].to_pylist())


def write_dropped_rows(out: Path, kind: str, items: list[dict]) -> None:
    """Write rows of `kind` that carry a `reason`, in order of id, as `dropped_rows` makes them."""
    if items:
        write(out / "dropped" / f"{kind}-00000.parquet", dropped_rows(kind, sorted(items, key=lambda row: row["id"])))


def dropped_rows(kind: str, items: list[dict]) -> pa.Table:
    """Rows that carry a `reason` as a table; of rows that are not of `kind` the words are JSON in `detail`."""
    fits = [set(SCHEMAS[kind].names) <= set(row) for row in items]
    made = [row if fit else {"id": row["id"], "lang": row["lang"], "detail": json.dumps(row, ensure_ascii=False, default=str), "reason": row["reason"]}
            for row, fit in zip(items, fits, strict=True)]
    schema = pa.schema([*SCHEMAS[kind], *REASONS])
    return pa.Table.from_pylist([{**row, "meta": list((row.get("meta") or {}).items())} for row in made], schema=schema)
