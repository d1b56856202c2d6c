"""The linter of pairs: drops those that would harm, counts what looks odd, measures how far length alone tells the chosen answer. ours

A poisoned set is refused with a table. Benchmark items are not searched for again: the notes tell of the certificates that the pairs come with.
"""

import dataclasses
import functools
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.core import tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.errors import RecordError
from aquilamed.core.text import content_id
from aquilamed.hygiene import certificate, identifiers
from aquilamed.hygiene.screen import check_kinds
from aquilamed.hygiene.texts import texts_of
from aquilamed.preference import faults, lengths

VERSION = 1
KIND = "preferences"
BAD = ("empty", "identical", "wrong_language", "worse_by_check", "contradicted", "identifiers")
"""Reasons that count as bad."""
MATCHED = "length_matched"
FINDINGS = pa.schema([(name, pa.string()) for name in ("id", "source", "cell", "reason", "detail", "remark", "twin", "side")]
                     + [("chosen", pa.int64()), ("rejected", pa.int64())])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """What is refused, and whether lengths are balanced."""

    max_bad_share: float = 1.0
    """Largest share of bad pairs, 0..1, with which the step still passes; 1 refuses nothing. ours: of a set that was tampered with, more is wrong than what is found"""
    kinds: tuple[str, ...] = identifiers.KINDS
    """Kinds of identifier that make a pair bad, of `hygiene.identifiers.KINDS`; surrogates of `hygiene.screen` are none. ours: all"""
    match_lengths: bool = False
    """Whether pairs are left out, as few as can be, until the longer answer is chosen as often as rejected in each kind, language and bin of length
    ratios. ours: where length tells too much"""
    seed: int = 1
    """Of which pairs are left out for that."""

    def __post_init__(self):
        check(0 <= self.max_bad_share <= 1, f"lint: max_bad_share={self.max_bad_share}: expected a share, 0..1")
        check_kinds("lint", self.kinds)


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Sift `inputs["preferences"]`; dropped: those of `BAD`, and `length_matched`. The tables by source and cell are in the notes.

    Raises:
        RecordError: a larger share than `max_bad_share` is bad; nothing is written.
    """
    shards = tables.shards(inputs[KIND], KIND)
    parts = engine.map(functools.partial(look, config.kinds), shards)
    found = settled(pa.concat_tables(parts))
    by_source = _by_source(found)
    _check_share(config, found, by_source)
    before = _lengths(found)
    found = matched(found, config.seed) if config.match_lengths else found
    starts = np.cumsum([0, *map(len, parts)]).tolist()

    def one(job: tuple[int, Path]) -> Counts:
        number, path = job
        reasons, details = (found[name].slice(starts[number], len(parts[number])) for name in ("reason", "detail"))
        masks = {reason: pc.fill_null(pc.equal(reasons, reason), False) for reason in (*BAD, MATCHED)}
        return tables.saved(out, KIND, number) or tables.save(out, KIND, number, *tables.sift(tables.load(path), masks, dict.fromkeys(masks, details)))
    counts = Counts.total(engine.map(one, list(enumerate(shards))))
    notes = {"pairs": by_source, "lengths": before, **({"lengths_matched": _lengths(found)} if config.match_lengths else {})}
    return dataclasses.replace(counts, notes={**notes, **certificate.notes(inputs[KIND], KIND, allow=True)})


def look(kinds: tuple[str, ...], path: Path) -> pa.Table:
    """What one shard's pairs show by themselves, a row each, as FINDINGS."""
    table = tables.load(path)
    who = identifiers.inspect(texts_of(KIND, table), kinds)[0].to_pylist()
    rows = []
    for pair, kinds_found in zip(tables.to_rows(table), who, strict=True):
        reason, detail = faults.of(pair)
        if not reason and kinds_found:
            reason, detail = "identifiers", kinds_found
        one, other = (content_id(pair[name]) for name in ("chosen", "rejected"))
        twin = content_id(*(message["content"] for message in pair["prompt"]), *sorted((one, other)))
        rows.append({"id": pair["id"], "source": pair["source"], "cell": f"{pair['kind']} {pair['lang']}", "reason": reason or None, "detail": detail or None,
                     "remark": faults.remark(pair) or None, "twin": twin, "side": "first" if one < other else "second",
                     "chosen": len(pair["chosen"]), "rejected": len(pair["rejected"])})
    return pa.Table.from_pylist(rows, schema=FINDINGS)


def settled(found: pa.Table) -> pa.Table:
    """`found` with the pairs that another pair contradicts: the same prompt and answers, the other one chosen."""
    sides = defaultdict(set)
    for twin, side in zip(found["twin"].to_pylist(), found["side"].to_pylist(), strict=True):
        sides[twin].add(side)
    both = [twin for twin, seen in sides.items() if len(seen) > 1]
    hit = pc.and_(pc.is_null(found["reason"]), pc.is_in(found["twin"], value_set=pa.array(both, pa.string())))
    return _marked(found, hit, "contradicted", "another pair prefers the other answer to the same prompt")


def matched(found: pa.Table, seed: int) -> pa.Table:
    """`found` with the pairs to leave out so that lengths balance."""
    stays = np.flatnonzero(pc.is_null(found["reason"]))
    some = found.take(pa.array(stays))
    keys = list(zip(*(some[name].to_pylist() for name in ("id", "source")), strict=True))
    gone = lengths.unmatched(some["cell"].to_pylist(), some["chosen"].to_numpy(), some["rejected"].to_numpy(), keys, seed)
    mask = np.zeros(len(found), bool)
    mask[stays[gone]] = True
    return _marked(found, pa.array(mask), MATCHED, "its length ratio is more often chosen than rejected, or the other way round")


def _marked(found: pa.Table, hit: pa.Array | pa.ChunkedArray, reason: str, detail: str) -> pa.Table:
    for name, value in (("reason", reason), ("detail", detail)):
        found = found.set_column(found.schema.get_field_index(name), name, pc.if_else(hit, pa.scalar(value), found[name]))
    return found


def _lengths(found: pa.Table) -> dict:
    kept = found.filter(pc.is_null(found["reason"]))
    return lengths.by_cell(kept["cell"].to_pylist(), kept["chosen"].to_numpy(), kept["rejected"].to_numpy())


def _by_source(found: pa.Table) -> dict[str, dict[str, int]]:
    """Source -> `pairs`, each reason and each remark that occurs (remarks of pairs that stay)."""
    counted: dict[str, Counter] = defaultdict(Counter)
    for source, reason, remark in zip(*(found[name].to_pylist() for name in ("source", "reason", "remark")), strict=True):
        counted[source].update(["pairs", *filter(None, [reason or remark])])
    return {source: dict(figures) for source, figures in sorted(counted.items())}


def _check_share(config: Config, found: pa.Table, by_source: Mapping[str, Mapping[str, int]]) -> None:
    bad = found.filter(pc.is_valid(found["reason"]))
    if len(bad) <= config.max_bad_share * len(found):
        return
    example = min(zip(bad["id"].to_pylist(), bad["reason"].to_pylist(), strict=True))
    raise RecordError(f"{len(bad):,} of {len(found):,} pairs are bad, a share of {len(bad) / len(found):.3f}; max_bad_share={config.max_bad_share}\n{_table(by_source, BAD)}\n"
                      f"e.g. record {example[0]} ({example[1]}). Mend the source or take it out; a higher max_bad_share drops these pairs and goes on.")


def _table(by_source: Mapping[str, Mapping[str, int]], reasons: Sequence[str]) -> str:
    heads = ["source", "pairs", *(reason for reason in reasons if any(reason in figures for figures in by_source.values()))]
    rows = [heads, *([source, *(f"{figures.get(name, 0):,}" for name in heads[1:])] for source, figures in by_source.items())]
    widths = [max(len(row[k]) for row in rows) for k in range(len(heads))]
    return "\n".join("  " + "  ".join(cell.rjust(width) if k else cell.ljust(width) for k, (cell, width) in enumerate(zip(row, widths, strict=True))) for row in rows)
