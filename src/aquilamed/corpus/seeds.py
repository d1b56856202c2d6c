"""Labelled documents, split into those a model learns from and those it is measured on."""

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa

from aquilamed.core import chance, tables
from aquilamed.core.errors import RecordError


@dataclasses.dataclass(frozen=True)
class Seeds:
    """Documents with one label each, in order of id, so that what is learnt does not depend on their order."""

    texts: pa.ChunkedArray
    langs: np.ndarray
    labels: list[str]
    ids: list[str]
    is_test: np.ndarray

    @property
    def train(self) -> np.ndarray:
        return np.flatnonzero(~self.is_test)

    @property
    def test(self) -> np.ndarray:
        return np.flatnonzero(self.is_test)

    def by_lang(self) -> dict[str, np.ndarray]:
        """`all` and every language -> the test documents, by their place among the test documents."""
        langs = self.langs[self.test]
        return {"all": np.arange(len(langs)), **{str(lang): np.flatnonzero(langs == lang) for lang in np.unique(langs)}}


def load(folder: Path, key: str, test_share: float, seed: int) -> Seeds:
    """The seeds in `folder`, their labels from `meta[key]`; of equal ids the first label in alphabetical order counts.

    Raises:
        RecordError: a seed has no such label; its id is named.
    """
    table = tables.read(folder, "documents")
    labels = tables.meta_of(table, key)
    ids = table["id"].to_pylist()
    if None in labels:
        raise RecordError(f"{folder}: seed {ids[labels.index(None)]} has no meta[{key!r}]; label it or leave it out")
    order = sorted(range(len(ids)), key=lambda k: (ids[k], labels[k]))
    order = [k for place, k in enumerate(order) if place == 0 or ids[order[place - 1]] != ids[k]]
    table = table.take(pa.array(order, pa.int64()))
    ids = table["id"].to_pylist()
    return Seeds(texts=table["text"], langs=np.array(table["lang"].to_pylist(), object), labels=[labels[k] for k in order], ids=ids,
                 is_test=np.array([chance.share(seed, row_id) < test_share for row_id in ids], bool))
