"""Puts right documents that were read in a wrong encoding, where that can be proven. A stage of its own, since a filter changes no text."""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from aquilamed.core import tables
from aquilamed.core.counts import Counts
from aquilamed.core.records import make
from aquilamed.core.text import language
from aquilamed.corpus import mojibake

VERSION = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Nothing to set: what is proven is put right, all else is left to `corpus.rules`. paper: nothing of it; ours"""


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """`inputs["documents"]`, none dropped; notes count what was put right, by the wrong reading."""
    return tables.sift_all(engine, inputs["documents"], "documents", sieve, out)


def sieve(table: pa.Table) -> tuple[pa.Table, pa.Table, Counter]:
    """(all rows, none dropped, how many were put right by the wrong reading). A row put right has a new id and language; `meta` holds how
    (`repaired`) and its id before (`repaired_from`)."""
    suspect = mojibake.suspects(table["text"]).combine_chunks()
    rows = tables.to_rows(table.filter(suspect))
    counted: Counter = Counter()
    changed = [_row(row, counted) for row in rows]
    none = table.slice(0, 0).append_column("reason", pa.array([], pa.string())).append_column("detail", pa.array([], pa.string()))
    if not counted:
        return table, none, counted
    places = iter(range(len(table), len(table) + len(changed)))
    order = [next(places) if flag else number for number, flag in enumerate(suspect.to_pylist())]
    return pa.concat_tables([table, tables.from_rows("documents", changed).cast(table.schema)]).take(pa.array(order)), none, counted


def _row(row: dict, counted: Counter) -> dict:
    text, way = mojibake.repaired(row["text"])
    if not way:
        return row
    counted[f"repaired {way}"] += 1
    meta = {**row["meta"], "repaired": way, "repaired_from": row["id"]}
    return make("documents", {**row, "text": text, "lang": language(text), "meta": meta})
