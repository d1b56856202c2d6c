"""Paragraphs that stand in many documents: navigation, notices, signatures. paper 2.1.1

Three passes with only files between them: 1. each shard: its paragraphs and in how many of its documents each stands; 2. ranges of
hashes: those of enough documents in all; 3. each shard: cut, drop or report. Whole copies count too, so it belongs after dedup.
In memory at once: a shard or KEYS_AT_ONCE paragraphs a worker; the repeated ones lie in a file of 12 bytes each.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa

from aquilamed.core import manifest, records, tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.hygiene.paragraphs import Paragraphs, paragraphs

VERSION = 1
KIND, CUT = "documents", "cut"
KEYS_AT_ONCE = 1 << 22
"""Paragraphs that a job of the second pass holds."""
CUT_SCHEMA = pa.schema([("id", pa.string()), ("before", pa.string()), ("line", pa.int32()), ("text", pa.string()), ("documents", pa.int64())])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Which paragraphs count as repeated, and what happens to them."""

    action: Literal["cut", "drop", "report"] = "cut"
    """`cut`: repeated paragraphs are taken out wherever they stand, the id is made anew, `meta["paragraphs_cut"]` counts them and `cut/` holds
    them; `drop`: documents mostly made of them go; `report`: all stay, with `meta["repeated_share"]`. ours: the paper names boilerplate only"""
    min_documents: int = 10
    """Documents in which a paragraph must stand, 2 or more. ours: fewer are quotations as often as furniture"""
    min_tokens: int = 8
    """Tokens (Han characters, words, numbers) that a paragraph must have, 1 or more. ours: shorter ones are headings, which recur rightly:
    `Adverse Effects and Contraindications`, `临床表现`; short furniture is what corpus.rules knows by its phrases"""
    max_share: float = 0.5
    """`drop`: largest share of a document's characters in repeated paragraphs, 0..1. ours"""
    min_left_chars: int = 20
    """`cut`: characters other than blanks that must be left, 1 or more; else the document is dropped whole as `only_repeats`. ours"""

    def __post_init__(self):
        check(self.min_documents >= 2, f"repeats: min_documents={self.min_documents}: expected 2 or more")
        check(self.min_tokens >= 1, f"repeats: min_tokens={self.min_tokens}: expected 1 or more")
        check(0 <= self.max_share <= 1, f"repeats: max_share={self.max_share}: expected a share, 0 to 1")
        check(self.min_left_chars >= 1, f"repeats: min_left_chars={self.min_left_chars}: expected 1 or more")


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Sift `inputs["documents"]`. Reasons: `only_repeats` (cut), `repeated_paragraphs` (drop; detail: the share)."""
    shards, passes = list(enumerate(tables.shards(inputs[KIND], KIND))), out / manifest.PASSES
    engine.map(lambda job: _count(config, *job, passes), shards)
    _select(engine, len(shards), config.min_documents, passes)

    def one(job: tuple[int, Path]) -> Counts:
        return tables.saved(out, KIND, job[0]) or _settle(config, *job, out)
    done = engine.map(one, shards)
    notes = Counter(repeated_paragraphs=len(_load(passes, "repeated")))
    for part in done:
        notes.update(part.notes)
    return dataclasses.replace(Counts.total(done), notes=dict(sorted(notes.items())))


def _count(config: Config, number: int, path: Path, passes: Path) -> None:
    """Write the hashes of a shard's paragraphs, ascending, and how many documents hold each."""
    if _file(passes, f"held-{number}").exists():
        return
    found = paragraphs(tables.load(path)["text"])
    chosen = found.tokens >= config.min_tokens
    keys, owner = found.key[chosen], found.owner[chosen]
    order = np.lexsort((owner, keys))
    keys, owner = keys[order], owner[order]
    is_first = np.r_[True, (keys[1:] != keys[:-1]) | (owner[1:] != owner[:-1])][:len(keys)]
    keys, held = np.unique(keys[is_first], return_counts=True)
    tables.write_array(_file(passes, f"keys-{number}"), keys)
    tables.write_array(_file(passes, f"held-{number}"), held.astype(np.uint32))


def _select(engine, n_shards: int, least: int, passes: Path) -> None:
    """Write the hashes of the paragraphs that at least `least` documents hold, ascending, and their documents."""
    if _file(passes, "documents").exists():
        return
    n_ranges = max(1, -(-sum(len(_load(passes, f"keys-{number}")) for number in range(n_shards)) // KEYS_AT_ONCE))
    edges = [np.uint64(min((k << 64) // n_ranges, (1 << 64) - 1)) for k in range(n_ranges + 1)]

    def one(k: int) -> tuple[np.ndarray, np.ndarray]:
        return _frequent(n_shards, edges[k], edges[k + 1] if k + 1 < n_ranges else None, least, passes)
    keys, held = (np.concatenate(columns) for columns in zip(*engine.map(one, range(n_ranges)), strict=True))
    tables.write_array(_file(passes, "repeated"), keys)
    tables.write_array(_file(passes, "documents"), held.astype(np.uint32))


def _frequent(n_shards: int, low: np.uint64, high: np.uint64 | None, least: int, passes: Path) -> tuple[np.ndarray, np.ndarray]:
    """(hashes, documents) of the paragraphs from `low` to below `high` that enough documents hold."""
    parts = []
    for number in range(n_shards):
        keys, held = _load(passes, f"keys-{number}"), _load(passes, f"held-{number}")
        inside = slice(np.searchsorted(keys, low), len(keys) if high is None else np.searchsorted(keys, high))
        parts.append((keys[inside], held[inside]))
    keys, place = np.unique(np.concatenate([keys for keys, _ in parts]), return_inverse=True)
    held = np.bincount(place, np.concatenate([held for _, held in parts]), len(keys)).astype(np.int64)
    return keys[held >= least], held[held >= least]


class Marks(NamedTuple):
    """What of a shard is repeated."""

    found: Paragraphs
    documents: np.ndarray
    """Documents that hold each paragraph; 0 where it is not repeated."""
    repeated_chars: np.ndarray
    """Characters other than blanks of each text in repeated paragraphs."""
    other_chars: np.ndarray
    """The same in others."""

    @property
    def share(self) -> np.ndarray:
        return self.repeated_chars / np.maximum(self.repeated_chars + self.other_chars, 1)


def _settle(config: Config, number: int, path: Path, out: Path) -> Counts:
    """Write what stays, what goes and what is cut of one shard."""
    table = tables.load(path)
    marks = _marks(table["text"], config.min_tokens, out / manifest.PASSES)
    spelled = [f"{share:.4f}" for share in marks.share.tolist()]
    if config.action == "drop":
        rules, detail = {"repeated_paragraphs": marks.share > config.max_share}, pa.array(spelled, pa.string())
        return tables.save(out, KIND, number, *tables.sift(table, rules, dict.fromkeys(rules, detail)))
    is_hit = marks.repeated_chars > 0
    if config.action == "report":
        rows = np.flatnonzero(is_hit)
        changed = tables.with_meta(table.take(pa.array(rows)), repeated_share=[spelled[row] for row in rows.tolist()])
        return tables.save(out, KIND, number, *tables.sift(_replaced(table, rows, changed), {}), {"documents_reported": len(rows)})
    is_lost = is_hit & (marks.other_chars < config.min_left_chars)
    rows = np.flatnonzero(is_hit & ~is_lost)
    changed, cuts = _cut(table.take(pa.array(rows)), rows, marks)
    if len(cuts):
        tables.write(out / CUT / tables.part(number), cuts)
    kept, dropped = tables.sift(_replaced(table, rows, changed), {"only_repeats": is_lost})
    return tables.save(out, KIND, number, kept, dropped, {"documents_cut": len(rows), "paragraphs_cut": len(cuts)})


def _marks(texts: pa.ChunkedArray, min_tokens: int, passes: Path) -> Marks:
    found, known = paragraphs(texts), _load(passes, "repeated")
    documents = np.zeros(len(found.key), np.int64)
    if len(known):
        place = np.minimum(np.searchsorted(known, found.key), len(known) - 1)
        is_known = (known[place] == found.key) & (found.tokens >= min_tokens)
        documents[is_known] = _load(passes, "documents")[place[is_known]]
    chars = [np.bincount(found.owner, found.chars * which, len(texts)).astype(np.int64) for which in (documents > 0, documents == 0)]
    return Marks(found, documents, *chars)


def _cut(table: pa.Table, numbers: np.ndarray, marks: Marks) -> tuple[pa.Table, pa.Table]:
    """The documents `numbers` of a shard without their repeated paragraphs; and these, one row each, in order."""
    bounds = zip(*(np.searchsorted(marks.found.owner, numbers, side) for side in ("left", "right")), strict=True)
    made, cuts = [], []
    for row, (begin, end) in zip(tables.to_rows(table), bounds, strict=True):
        lines, held = row["text"].split("\n"), marks.documents[begin:end].tolist()
        left = "\n".join(line for line, n in zip(lines, held, strict=True) if not n).strip("\n")
        meta = {**row["meta"], "paragraphs_cut": str(sum(n > 0 for n in held))}
        made.append(records.make(KIND, {**row, "text": left, "meta": meta}))
        cuts += [{"id": made[-1]["id"], "before": row["id"], "line": k + 1, "text": lines[k], "documents": n} for k, n in enumerate(held) if n]
    return tables.from_rows(KIND, made), pa.Table.from_pylist(cuts, CUT_SCHEMA)


def _replaced(table: pa.Table, numbers: np.ndarray, rows: pa.Table) -> pa.Table:
    """`table` with the rows `numbers` (ascending) replaced by `rows`."""
    order = np.arange(len(table))
    order[numbers] = len(table) + np.arange(len(numbers))
    return pa.concat_tables([table, rows.select(table.column_names).cast(table.schema)]).take(pa.array(order)).combine_chunks()


def _file(passes: Path, name: str) -> Path:
    return passes / f"{name}.npy"


def _load(passes: Path, name: str) -> np.ndarray:
    return np.load(_file(passes, name), mmap_mode="r")
