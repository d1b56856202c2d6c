"""What a set is made of, counted shard by shard: sources, languages, kinds, licences, scores, departments."""

import dataclasses
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.core import tables
from aquilamed.core.text import number
from aquilamed.hygiene.texts import texts_of

SCORES = ("score", "complexity", "answer_quality", "quality", "relevance")
"""Keys of `meta` that hold a number that records were chosen by."""
LABELS = ("department", "disease")
"""Keys of `meta` that say what a record is about."""


@dataclasses.dataclass(frozen=True)
class Census:
    """Of any number of shards; they add up."""

    records: Counter
    """(source, language, kind, licence) -> records."""
    bytes: Counter
    """The same -> bytes of their words in UTF-8."""
    keys: frozenset[str]
    """Keys of `meta` that occur."""
    scores: dict[tuple[str, str], list[float]]
    """(key, language) -> the values."""
    labels: Counter
    """(key, value, language) -> records."""
    turns: Counter
    """Messages in a record -> records; of documents none."""

    def __add__(self, other: "Census") -> "Census":
        scores = {key: self.scores.get(key, []) + other.scores.get(key, []) for key in self.scores.keys() | other.scores.keys()}
        return Census(self.records + other.records, self.bytes + other.bytes, self.keys | other.keys, scores, self.labels + other.labels, self.turns + other.turns)

    @property
    def n(self) -> int:
        return self.records.total()

    def by(self, place: int) -> Counter:
        """Records by one of source (0), language (1), kind (2), licence (3)."""
        found: Counter = Counter()
        for cell, n in self.records.items():
            found[cell[place]] += n
        return found

    def under(self, wanted: Callable[[str], bool]) -> Counter:
        """Source -> records under a licence that is `wanted`."""
        found: Counter = Counter()
        for (source, _, _, name), n in sorted(self.records.items()):
            if wanted(name):
                found[source] += n
        return found

    def label(self, key: str) -> dict[str, Counter]:
        """Value -> language -> records."""
        found: dict[str, Counter] = {}
        for (name, value, lang), n in sorted(self.labels.items()):
            if name == key:
                found.setdefault(value, Counter())[lang] += n
        return found


EMPTY = Census(Counter(), Counter(), frozenset(), {}, Counter(), Counter())


def take(kind: str, path: Path) -> Census:
    """The census of one shard."""
    table = tables.load(path)
    kinds = pc.fill_null(tables.meta_column(table, "domain"), "–") if kind == "documents" else table["kind"]
    size = pc.binary_length(texts_of(kind, table))
    cells = pa.table({"source": table["source"], "lang": table["lang"], "kind": kinds, "license": table["license"], "bytes": size})
    grouped = cells.group_by(["source", "lang", "kind", "license"]).aggregate([("bytes", "count"), ("bytes", "sum")]).to_pylist()
    records, sizes = Counter(), Counter()
    for row in grouped:
        cell = tuple(row[key] or "" for key in ("source", "lang", "kind", "license"))
        records[cell] += row["bytes_count"]
        sizes[cell] += row["bytes_sum"] or 0
    metas = table["meta"].combine_chunks()
    keys = frozenset(pc.unique(metas.keys).to_pylist()) if len(table) else frozenset()
    return Census(records, sizes, keys, _scores(table, keys), _labels(table, keys), _turns(kind, table))


def _scores(table: pa.Table, keys: frozenset[str]) -> dict[tuple[str, str], list[float]]:
    found: dict[tuple[str, str], list[float]] = {}
    for key in SCORES:
        for lang, value in zip(table["lang"].to_pylist(), tables.meta_of(table, key), strict=True) if key in keys else ():
            if (figure := number(value)) is not None:
                found.setdefault((key, lang), []).append(figure)
    return found


def _labels(table: pa.Table, keys: frozenset[str]) -> Counter:
    langs = table["lang"].to_pylist()
    return Counter((key, value, lang) for key in LABELS if key in keys for lang, value in zip(langs, tables.meta_of(table, key), strict=True) if value)


def _turns(kind: str, table: pa.Table) -> Counter:
    field = {"conversations": "messages", "preferences": "prompt"}.get(kind)
    return Counter(pc.list_value_length(table[field]).to_pylist()) if field else Counter()
