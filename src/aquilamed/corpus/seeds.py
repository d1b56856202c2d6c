"""Labelled documents, split into those a model learns from and those it is measured on."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from aquilamed.core import chance, tables
from aquilamed.core.errors import RecordError

INPUT = "seeds"


@dataclasses.dataclass(frozen=True)
class Seeds:
    """Documents with one label each, in order of id, so that what is learnt does not depend on their order."""

    texts: pa.ChunkedArray
    langs: np.ndarray
    labels: list[str]
    ids: list[str]
    rounds: np.ndarray
    """The input that each came from: `seeds`, `seeds-2`."""
    metas: list[dict]
    is_test: np.ndarray

    @property
    def train(self) -> np.ndarray:
        return np.flatnonzero(~self.is_test)

    @property
    def test(self) -> np.ndarray:
        return np.flatnonzero(self.is_test)

    def by_lang(self) -> dict[str, np.ndarray]:
        """`all` and every language -> the test documents, by their place among the test documents."""
        return {"all": np.arange(len(self.test)), **_groups(self.langs[self.test])}

    def by_round(self) -> dict[str, np.ndarray]:
        """Every input -> its test documents, by their place among the test documents."""
        return _groups(self.rounds[self.test])


def inputs_of(inputs: Mapping[str, Path]) -> dict[str, Path]:
    """The inputs that hold seeds: `seeds`, and those of later rounds, `seeds-2` and so on."""
    return {name: folder for name, folder in inputs.items() if name == INPUT or name.startswith(f"{INPUT}-")}


def load(folders: Mapping[str, Path], key: str, test_share: float, seed: int) -> Seeds:
    """The seeds in `folders`, their labels from `meta[key]`; of equal ids the first round's counts, then the first label in alphabetical order.

    Raises:
        RecordError: a seed has no such label; its id is named.
    """
    found: dict[str, tuple] = {}
    for name, folder in sorted(folders.items(), key=lambda item: (len(item[0]), item[0])):
        table = tables.read(folder, "documents")
        rows = zip(table["id"].to_pylist(), tables.meta_of(table, key), table["text"].to_pylist(), table["lang"].to_pylist(), table["meta"].to_pylist(), strict=True)
        for row_id, label, text, lang, meta in rows:
            if label is None:
                raise RecordError(f"{folder}: seed {row_id} has no meta[{key!r}]; label it or leave it out")
            if row_id not in found or (name == found[row_id][3] and label < found[row_id][0]):
                found[row_id] = (label, text, lang, name, dict(meta or ()))
    ids = sorted(found)
    labels, texts, langs, rounds, metas = ([found[row_id][k] for row_id in ids] for k in range(5))
    return Seeds(texts=pa.chunked_array([pa.array(texts, pa.string())]), langs=np.array(langs, object), labels=labels, ids=ids, rounds=np.array(rounds, object),
                 metas=metas, is_test=np.array([chance.share(seed, row_id) < test_share for row_id in ids], bool))


def _groups(values: np.ndarray) -> dict[str, np.ndarray]:
    return {str(value): np.flatnonzero(values == value) for value in np.unique(values)}
