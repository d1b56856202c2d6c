"""Every seed is labelled twice, by a language model or by labels that the data carry; what the two don't agree on is dropped. paper 2.1.1

Identifiers are masked before anything is sent; the documents that come out are as they came in, with their labels in `meta`.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa

from aquilamed.core import tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.errors import RecordError
from aquilamed.corpus import asking
from aquilamed.corpus.agreement import by_lang
from aquilamed.hygiene import identifiers
from aquilamed.models import remote

VERSION = 1
SPREAD = 2
"""Two scores this far apart are dropped. paper 2.1.1"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """What is asked, and of whom."""

    ask: Literal["domain", "quality"] = "domain"
    """`domain`: medical or general, written to `meta["label"]`. `quality`: 0..6 and the paper's five faults, written to `meta["quality"]`
    (the mean of the two) and `meta["faults"]` (those that both name). paper 2.1.1"""
    endpoint: remote.Endpoint = remote.Endpoint()
    """The language model; without `base_url` nothing is sent, and the labels are read from `given`. paper 2.1.1: a model that it does not name"""
    given: tuple[str, str] = ("label_1", "label_2")
    """Keys of meta that hold the two labels where there is no endpoint; for quality the faults are looked for in `faults_1` and `faults_2`."""
    max_chars: int = 3000
    """Characters shown of a document, from 200; of a longer one the beginning and a piece of the end. ours: what a judgement needs, and no more cost"""

    def __post_init__(self):
        check(self.ask in ("domain", "quality"), f"label: ask={self.ask}: expected domain or quality")
        check(len(self.given) == 2, f"label: given={self.given}: expected two keys of meta")
        check(self.max_chars >= 200, f"label: max_chars={self.max_chars}: expected 200 or more")


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Label `inputs["documents"]`; dropped: `labels_disagree`, `scores_disagree`, `unparsed`, `refused`.

    The shards are asked about one after another by this process, which has the key; what a killed run was told is not asked again.
    """
    used: list[remote.Reply] = []
    done = []
    for number, path in enumerate(tables.shards(inputs["documents"], "documents")):
        counts = tables.saved(out, "documents", number)
        if counts is None:
            pairs, replies = pairs_of(config, tables.load(path))
            used += replies
            counts = tables.save(out, "documents", number, *sieve(config, pairs, tables.load(path)))
        done.append(counts)
    notes = {"agreement": _agreement(out, config.ask), **(_asked(config.endpoint, used) if config.endpoint.base_url else {})}
    return dataclasses.replace(Counts.total(done), notes=notes)


def _asked(endpoint: remote.Endpoint, replies: Sequence[remote.Reply]) -> dict:
    return {"asked": remote.usage(replies), "paid": remote.account(endpoint), "sent": "texts whose identifiers hygiene.identifiers had masked"}


Pair = tuple[str | None, str | None]
"""Two labels as text (`medical`, or `5 advertising,spliced`); None: refused; the empty text: unparsed."""


def pairs_of(config: Config, table: pa.Table) -> tuple[list[Pair], list[remote.Reply]]:
    """The two labels of each row, and what was asked for them."""
    if not config.endpoint.base_url:
        return [(_given(config, row, 0), _given(config, row, 1)) for row in tables.to_rows(table)], []
    question = asking.domain if config.ask == "domain" else asking.quality
    rows = zip(table["text"].to_pylist(), table["lang"].to_pylist(), strict=True)
    shown = [(asking.excerpt(identifiers.mask([text], lang)[0][0], config.max_chars), lang) for text, lang in rows]
    replies = remote.ask(config.endpoint, [question(text, lang, wording) for text, lang in shown for wording in (0, 1)])
    said = [None if reply.text is None else _parsed(config.ask, reply.text) for reply in replies]
    return list(zip(said[::2], said[1::2], strict=True)), replies


def sieve(config: Config, pairs: Sequence[Pair], table: pa.Table) -> tuple[pa.Table, pa.Table]:
    """(kept, dropped) of one shard, every row with both labels in meta and, where they agree, the one that counts."""
    refused = np.array([None in pair for pair in pairs], bool)
    unparsed = np.array(["" in pair for pair in pairs], bool) & ~refused
    whole = ~(refused | unparsed)
    first, second = ([pair[k] if fine else None for pair, fine in zip(pairs, whole, strict=True)] for k in (0, 1))
    if config.ask == "domain":
        apart = np.array([a != b for a, b in zip(first, second, strict=True)], bool)
        reason, settled = "labels_disagree", {"label": first}
    else:
        scores = np.array([(_score(a), _score(b)) if a else (0, 0) for a, b in zip(first, second, strict=True)], float).reshape(-1, 2)
        apart = np.abs(scores[:, 0] - scores[:, 1]) >= SPREAD
        both = [",".join(sorted(_faults(a) & _faults(b))) if a else None for a, b in zip(first, second, strict=True)]
        reason, settled = "scores_disagree", {"quality": [f"{value:g}" for value in scores.mean(axis=1)], "faults": both}
    kept = whole & ~apart
    both_read = {"label_1": first, "label_2": second} if config.ask == "domain" else {"quality_1": first, "quality_2": second}
    marked = _marked(tables.with_meta(table, **both_read), kept, settled)          # also where they are None: what an earlier reading said is gone
    details = {reason: pa.array([f"{a} / {b}" for a, b in pairs], pa.string())}
    return tables.sift(marked, {"refused": refused, "unparsed": unparsed, reason: whole & apart}, details)


def _marked(table: pa.Table, rows: np.ndarray, values: Mapping[str, Sequence[str | None]]) -> pa.Table:
    """`table` with meta set in `rows` alone."""
    metas = [dict(meta or ()) for meta in table["meta"].to_pylist()]
    for k in np.flatnonzero(rows):
        metas[k] |= {key: column[k] for key, column in values.items()}
    place = table.schema.get_field_index("meta")
    return table.set_column(place, table.schema.field(place), pa.array([list(meta.items()) for meta in metas], table.schema.field(place).type))


def _given(config: Config, row: dict, which: int) -> str:
    """A label that the data carry, in the form of `Pair`.

    Raises:
        RecordError: there is none, or it is none of those asked for; the document is named.
    """
    key, meta = config.given[which], row["meta"]
    if key not in meta:
        raise RecordError(f"document {row['id']} has no meta[{key!r}]; name the keys of the two labels in given, or configure an endpoint")
    if config.ask == "domain":
        return meta[key]
    faults = [fault for fault in meta.get(f"faults_{which + 1}", "").split(",") if fault]
    unknown = sorted(set(faults) - set(asking.FAULTS))
    try:
        score = float(meta[key])
    except ValueError:
        score = -1.0
    if unknown or not 0 <= score <= asking.BEST:
        raise RecordError(f"document {row['id']}: meta[{key!r}]={meta[key]!r}, faults {','.join(faults)!r}: expected 0..{asking.BEST} and faults out of {', '.join(asking.FAULTS)}")
    return f"{score:g} {','.join(sorted(faults))}"


def _parsed(ask: str, reply: str) -> str:
    if ask == "domain":
        return asking.read_domain(reply) or ""
    found = asking.read_quality(reply)
    return f"{found[0]:g} {','.join(sorted(found[1]))}" if found else ""


def _score(label: str) -> float:
    return float(label.partition(" ")[0])


def _faults(label: str) -> set[str]:
    return {fault for fault in label.partition(" ")[2].split(",") if fault}


def _agreement(out: Path, ask: str) -> dict:
    """How far the labels agree, by language, over the rows that have two: those that came out and those that were dropped for it."""
    keys = ("label_1", "label_2") if ask == "domain" else ("quality_1", "quality_2")
    folders = [out, *([out / "dropped"] if (out / "dropped").is_dir() else [])]
    found = [(row["lang"], *(row["meta"][key].partition(" ")[0] for key in keys))
             for folder in folders for row in tables.rows(folder, "documents") if all(key in row["meta"] for key in keys)]
    langs, first, second = ([row[k] for row in found] for k in range(3))
    return by_lang(langs, first, second)
