"""Several steps' records of one kind as one: each record once, shards by id.

Two passes with only files between them: 1. each shard of each step, sorted by id; 2. ranges of ids: of records that came again one stays. In memory at
once: a shard or a range a worker, and the ids of a draw.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from aquilamed.core import chance, manifest, runs, tables
from aquilamed.core.counts import Counts


def join(engine, out: Path, kind: str, folders: Iterable[Path], *, most: int = 0, shares: Mapping[Path, float] | None = None, seed: int = 0) -> Counts:
    """Write the union of `folders`; of equal ids the first in order of source, file and row stays, and of all `most` drawn by chance (0: all).

    `shares`: folder -> the most that it may be of the whole, drawn by chance. Dropped: `exact_duplicate`, `over_share`, `over_cap`. The result depends on
    the set of rows alone.
    """
    folders, passes = list(folders), out / manifest.PASSES
    parts = [path for folder in folders for path in tables.shards(folder, kind)]
    over = _over(folders, kind, shares, seed) if shares else set()
    taken = [passes / f"joined-{number}.arrow" for number in range(len(parts))]
    n = runs.n_shards(sum(engine.map(lambda job: _spilled(*job), list(zip(parts, taken, strict=True)))))
    drawn = _drawn(taken, most, seed) if most else None
    stays = [passes / f"kept-{number}.arrow" for number in range(n)]

    def one(number: int) -> tuple[Counts, int]:
        table = runs.slices([runs.opened(path) for path in taken], number, n)
        ids = table["id"].to_pylist()
        again = [k > 0 and ids[k] == ids[k - 1] for k in range(len(ids))]
        kept, dropped = tables.sift(table, {"exact_duplicate": again, "over_share": [i in over for i in ids], "over_cap": [drawn is not None and i not in drawn for i in ids]})
        runs.spill(stays[number], kept)
        if len(dropped):
            tables.write(out / "dropped" / f"{kind}-{number:05d}.parquet", dropped)
        return tables.count(kept, dropped), runs.weight(kept)
    done = engine.map(one, range(n))
    tables.merge(engine, stays, sum(weight for _, weight in done), lambda number: out / kind / tables.part(number))
    return Counts.total(counts for counts, _ in done)


def _spilled(path: Path, to: Path) -> int:
    """Write a shard sorted by id; its weight."""
    table = tables.load(path)
    runs.spill(to, table)
    return runs.weight(table)


def _drawn(taken: Sequence[Path], most: int, seed: int) -> set[str]:
    """`most` ids drawn by chance."""
    first: list[tuple[float, str]] = []
    for path in taken:
        first = heapq.nsmallest(most, {*first, *((chance.share(seed, i), i) for i in runs.opened(path)["id"].to_pylist())})
    return {i for _, i in first}


def _over(folders: Sequence[Path], kind: str, shares: Mapping[Path, float], seed: int) -> set[str]:
    """The ids that are too many: those of a folder with a share beyond it, by chance, that no folder without one has too."""
    whole = [tables.load(path)["id"].to_pylist() for folder in folders if folder not in shares for path in tables.shards(folder, kind)]
    n_others = len(np.unique(np.array([int(i[:16], 16) for ids in whole for i in ids], np.uint64)))
    n_all = n_others / (1 - sum(shares.values()))
    over: set[str] = set()
    for folder, share in shares.items():
        ids = {i for path in tables.shards(folder, kind) for i in tables.load(path)["id"].to_pylist()}
        over |= set(sorted(ids, key=lambda i: (chance.share(seed, i), i))[int(n_all * share):])
    return over.difference(*whole)
