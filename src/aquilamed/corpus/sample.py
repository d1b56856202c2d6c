"""Documents drawn to be labelled: as many of each language, by chance that belongs to the document. paper 2.1.1

The first round draws from the corpus; later ones from the uncertain band that `corpus.classify` marked, less what is labelled already.
"""

import dataclasses
import heapq
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from aquilamed.core import chance, tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.records import SCHEMAS

VERSION = 1
LANGS = ("zh", "en")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """How many, and from where."""

    n: int = 20_000
    """Documents drawn, from 2. paper 2.1.1"""
    zh_share: float = 0.5
    """Share, 0..1, of Chinese ones; a language that has too few gives all it has, and `short` in the notes says so. paper 2.1.1: 1:1"""
    uncertain_share: float = 0.0
    """Share, 0..1, drawn from the documents whose `meta["uncertain"]` is 1; the others come from the whole rest. 0 in the first round. ours: figure 2 draws a loop, no numbers"""
    seed: int = 0
    """Of the chance."""

    def __post_init__(self):
        check(self.n >= 2, f"sample: n={self.n}: expected 2 or more")
        for name in ("zh_share", "uncertain_share"):
            check(0 <= getattr(self, name) <= 1, f"sample: {name}={getattr(self, name)}: expected 0..1")

    def wanted(self) -> dict[tuple[str, bool], int]:
        """(language, uncertain) -> documents."""
        found = {}
        for lang, n in zip(LANGS, (round(self.n * self.zh_share), self.n - round(self.n * self.zh_share)), strict=True):
            unsure = round(n * self.uncertain_share)
            found |= {(lang, True): unsure, (lang, False): n - unsure}
        return found


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Draw from `inputs["documents"]`; rows whose id stands in an input called `labelled…` are left out, as `labelled`.

    What is not drawn is counted as `not_drawn` and stays in the input: it is written nowhere a second time.
    """
    known = {row_id for name, folder in inputs.items() if name.startswith("labelled") for path in tables.shards(folder, "documents") for row_id in tables.load(path)["id"].to_pylist()}
    paths = tables.shards(inputs["documents"], "documents")
    parts = engine.map(lambda path: candidates(config, known, path), paths)
    chosen = {row_id for cell, n in config.wanted().items() for _, row_id in heapq.nsmallest(n, {item for part, _ in parts for item in part[cell]})}
    taken = set()
    pieces = []
    for path, (part, _) in zip(paths, parts, strict=True):
        here = {row_id for items in part.values() for _, row_id in items} & chosen
        if here:
            pieces.append(_rows(tables.load(path), here - taken))
            taken |= here
    table = pa.concat_tables(pieces) if pieces else SCHEMAS["documents"].empty_table()
    tables.scatter(out, "documents", table)
    n_in = sum(seen["in"] for _, seen in parts)
    dropped = Counter({"labelled": sum(seen["labelled"] for _, seen in parts)})
    dropped["not_drawn"] = n_in - len(table) - dropped["labelled"]
    return Counts(n_in=n_in, n_out=len(table), dropped=+dropped, langs=tables.langs(table), notes={"short": _short(config, tables.langs(table))})


def candidates(config: Config, known: set[str], path: Path) -> tuple[dict[tuple[str, bool], list], Counter]:
    """The rows of one shard that may be drawn, by cell, as (chance, id), no more than are wanted of all shards; and how many there were."""
    table, wanted = tables.load(path), config.wanted()
    found: dict[tuple[str, bool], list] = {cell: [] for cell in wanted}
    counted = Counter({"in": len(table)})
    for row_id, lang, unsure in zip(table["id"].to_pylist(), table["lang"].to_pylist(), tables.meta_of(table, "uncertain"), strict=True):
        if row_id in known:
            counted["labelled"] += 1
        elif (cell := (lang, unsure == "1" and config.uncertain_share > 0)) in found:
            found[cell].append((chance.share(config.seed, row_id), row_id))
    return {cell: heapq.nsmallest(wanted[cell], items) for cell, items in found.items()}, counted


def _rows(table: pa.Table, ids: set[str]) -> pa.Table:
    """The first row of each id."""
    seen: set[str] = set()
    places = []
    for place, row_id in enumerate(table["id"].to_pylist()):
        if row_id in ids and row_id not in seen:
            seen.add(row_id)
            places.append(place)
    return table.take(pa.array(places, pa.int64()))


def _short(config: Config, got: Counter) -> dict[str, int]:
    """Language -> how many documents it lacks."""
    wanted = {lang: config.wanted()[lang, True] + config.wanted()[lang, False] for lang in LANGS}
    return {lang: n - got[lang] for lang, n in wanted.items() if got[lang] < n}
