"""All conversations of a step from the best score down, for stages that choose in that order."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.core import tables
from aquilamed.core.config import check

KIND = "conversations"


class Ranking(NamedTuple):
    """The rows of all shards, numbered through in order of shards."""

    starts: np.ndarray
    """Shard -> number of its first row; then how many rows there are."""
    ids: pa.ChunkedArray
    order: np.ndarray
    """Row numbers by falling score, then by id: the same however the rows are cut into shards."""


def ranked(folder: Path, columns: Sequence[str] = ()) -> tuple[Ranking, dict[str, pa.ChunkedArray]]:
    """The ranking of the conversations in `folder`; and of `columns` (keys of meta, or `lang`) what each row has.

    Raises:
        ConfigError: a conversation has no score that is a number.
    """
    made = []
    for path in tables.shards(folder, KIND):
        table = tables.load(path)
        picked = {name: table[name] if name == "lang" else tables.meta_column(table, name) for name in columns}
        made.append(pa.table({"id": table["id"], "_score": _scores(table, folder), **picked}))
    whole = pa.concat_tables(made)
    order = pc.sort_indices(whole, [("_score", "descending"), ("id", "ascending")]).to_numpy()
    starts = np.cumsum([0, *map(len, made)])
    return Ranking(starts, whole["id"], order), {name: whole[name] for name in columns}


def _scores(table: pa.Table, folder: Path) -> pa.ChunkedArray:
    scores = tables.meta_number(table, "score")
    lacks = pc.index(scores.is_null(), True).as_py()
    check(lacks < 0, f"{folder}: record {table['id'][lacks].as_py()} has no score that is a number; let this step read from instruct.score" if lacks >= 0 else "")
    return scores
