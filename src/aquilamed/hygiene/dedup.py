"""Drops exact and near duplicates; of each cluster the best stays: by quality where it is known, then length, then id. paper 2.2.1

Near means alike in shingles on folded text: width, case and Han script (traditional or simplified) make no difference. With an
`index` of what stayed, later data are compared with it without doing the old work again.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa

from aquilamed.core import manifest, near, tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.errors import ConfigError
from aquilamed.hygiene import clusters as passes
from aquilamed.hygiene import minhash
from aquilamed.hygiene.clusters import Clusters, Shard

VERSION = 2
INDEX, ABOUT = "index", "about.json"
SEEN = "seen"
"""Inputs whose name begins so are folders of earlier steps with an index."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Which records count as the same."""

    kind: Literal["documents", "conversations", "preferences"] = "documents"
    """Record kind; the whole text of a record is compared."""
    threshold: float = 0.8
    """Least Jaccard similarity of 5-gram shingles at which two records are near duplicates, (0, 1]. ours: the usual value; the paper names none"""
    index: bool = False
    """Whether to write `index/` for the records that stay (about 250 bytes each), so that a later step can name this one as its input `seen`."""

    def __post_init__(self):
        check(0 < self.threshold <= 1, f"dedup: threshold={self.threshold}: expected a share above 0 and up to 1")


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Sift `inputs[config.kind]`, also against the kept records of inputs called `seen…`.

    Reasons: `exact_duplicate` (equal but for width, case and blanks), `script_twin` (equal but for Han script), `near_duplicate`;
    detail: the id that stays.
    """
    likeness = minhash.Likeness(config.threshold)
    seen = [shard for name in sorted(inputs) if name.startswith(SEEN) for shard in _indexed(inputs[name], config)]
    starts = np.cumsum([0, *(shard.n for shard in seen)])
    seen = [dataclasses.replace(shard, start=int(start)) for shard, start in zip(seen, starts, strict=False)]
    new = passes.shards_of(inputs[config.kind], config.kind, out / manifest.PASSES / INDEX, int(starts[-1]))
    found = passes.find(engine, [*seen, *new], config.kind, likeness, out / manifest.PASSES)

    def one(job: tuple[int, Shard]) -> Counts:
        number, shard = job
        return tables.saved(out, config.kind, number) or _sift(config, found, shard, number, out)
    counts = Counts.total(engine.map(one, list(enumerate(new))))
    if config.index:
        manifest.write_json(out / INDEX / ABOUT, _about(config))
    return dataclasses.replace(counts, notes=_notes(found))


def clusters(texts: pa.Array | list[str], ids: pa.Array | list[str], threshold: float) -> np.ndarray:
    """The content cluster of each text, named by the smallest id in it; for few texts and splits that must not share content."""
    texts, ids = (x if isinstance(x, pa.Array | pa.ChunkedArray) else pa.array(x, pa.string()) for x in (texts, ids))
    likeness = minhash.Likeness(threshold)
    named, position = np.unique(np.array(ids.to_pylist(), object), return_inverse=True)
    first = np.full(len(named), len(ids))
    np.minimum.at(first, position, np.arange(len(ids)))
    texts, order = texts.take(pa.array(first)), np.arange(len(named))
    keys = minhash.band_keys(texts, likeness.n_rows)
    coded = np.unique(np.concatenate([minhash.candidates(band, order, order) for band in keys]))
    pairs = np.c_[coded >> 32, coded & 0xFFFFFFFF]
    alike = minhash.similarities(pairs, *minhash.shingle_sets(texts)) >= threshold
    return named[minhash.components(len(named), pairs[alike])][position]


def _sift(config: Config, found: Clusters, shard: Shard, number: int, out: Path) -> Counts:
    """Write what stays and what goes of one shard, and the index of what stays."""
    table = tables.load(shard.path)
    places, inside = found.of(shard.start, len(table))
    keeper = np.searchsorted(found.rows, found.keeper[places])
    goes = found.keeper[places] != found.rows[places]
    twin = found.facts["twin"].to_numpy()
    kinds = {"exact_duplicate": goes & found.is_exact[places], "script_twin": goes & (twin[places] == twin[keeper]), "near_duplicate": goes}
    rules = {reason: np.zeros(len(table), bool) for reason in kinds}
    for reason, holds in kinds.items():
        rules[reason][inside[holds]] = True
    kept_id = pa.nulls(len(table), pa.string()).to_numpy(zero_copy_only=False)
    kept_id[inside] = found.facts["id"].take(pa.array(keeper)).to_numpy(zero_copy_only=False)
    kept, dropped = tables.sift(table, rules, dict.fromkeys(rules, pa.array(kept_id, pa.string())))
    if config.index:
        _write_index(shard, ~rules["near_duplicate"], out / INDEX, tables.part(number).removesuffix(".parquet"))
    return tables.save(out, config.kind, number, kept, dropped, near=_nearly(config, found, shard, table, rules))


def _nearly(config: Config, found: Clusters, shard: Shard, table: pa.Table, rules: Mapping[str, np.ndarray]) -> pa.Table:
    """The kept rows likest to another one; detail: its id."""
    row = found.near["row"].to_numpy()
    inside = slice(*np.searchsorted(row, (shard.start, shard.start + len(table))))
    places = row[inside] - shard.start
    likeness, other = np.zeros(len(table)), pa.nulls(len(table), pa.string()).to_numpy(zero_copy_only=False)
    likeness[places] = near.of_limit(found.near["similarity"].to_numpy()[inside], config.threshold)
    other[places] = found.near["other"].to_numpy()[inside]
    return near.nearest(table, rules, {"near_duplicate": likeness}, {"near_duplicate": pa.array(other, pa.string())})


def _write_index(shard: Shard, stays: np.ndarray, folder: Path, name: str) -> None:
    """The keys of the rows that stay, numbered as they are written."""
    keys, rows, ids = (np.load(shard.file(part)) for part in ("keys", "rows", "ids"))
    chosen = stays[rows]
    number = np.cumsum(stays) - 1
    shape = (len(rows), int(stays.sum()))
    tables.write_array(folder / f"keys-{name}.npy", keys[chosen].reshape(shape))
    tables.write_array(folder / f"rows-{name}.npy", number[rows[chosen]].astype(np.uint32).reshape(shape))
    tables.write_array(folder / f"ids-{name}.npy", ids[stays])


def _indexed(folder: Path, config: Config) -> Sequence[Shard]:
    """The shards of an earlier step, with their index.

    Raises:
        ConfigError: it has none, or one for other settings.
    """
    path = folder / INDEX / ABOUT
    if not path.exists():
        raise ConfigError(f"{folder}: has no index to compare with; make that step with index=True")
    about = json.loads(path.read_text(encoding="utf-8"))
    if about != _about(config):
        raise ConfigError(f"{folder}: its index was made for {about}, this step compares {_about(config)}; use equal settings")
    return passes.shards_of(folder, config.kind, folder / INDEX, is_seen=True)


def _about(config: Config) -> dict:
    return {"kind": config.kind, "rows_per_band": minhash.Likeness(config.threshold).n_rows, "version": VERSION}


def _notes(found: Clusters) -> dict:
    _, sizes = np.unique(found.keeper, return_counts=True)
    return {"n_clusters": len(sizes), "largest_cluster": int(sizes.max(initial=1))}
