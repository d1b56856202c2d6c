"""A finished set as a folder that can be published: Parquet files, data cards in two languages, Croissant metadata, checksums. ours

`dataset/TITLE/` is loaded by `datasets.load_dataset(path)`; nothing in it depends on when or where it was made. What a record's `meta` holds becomes
a column of named fields. The cards tell where every record came from and what was dropped on the way, read from the manifests.
"""

import dataclasses
import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.core import manifest, tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.errors import RecordError
from aquilamed.release import card, census, croissant, facts, header
from aquilamed.release.facts import HELDOUT, TRAIN

VERSION = 2
FOLDER, SUMS = "dataset", "SHA256SUMS"
"""The set lies in FOLDER under its own title: `datasets` tells local sets apart by their folder's name."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """What the set is and how it is called."""

    kind: Literal["documents", "conversations", "preferences"]
    """Record kind: for pre-training, fine-tuning, preference training."""
    title: str
    """Name of the set: letters, digits, dots, dashes and underscores, as the hub wants it."""
    about: str = ""
    """A sentence or two on the set, for the English card; empty: none."""
    about_zh: str = ""
    """The same for the Chinese card."""
    version: str = "1.0.0"
    """Of the set, as in MAJOR.MINOR.PATCH."""
    published: str = ""
    """The day of publication, YYYY-MM-DD, for Croissant; empty: left out. ours: a date of its own would make other bytes every day"""
    creator: str = ""
    """Who publishes it; empty: left out."""
    url: str = ""
    """Where it will lie; empty: left out."""
    cite: str = ""
    """How it wants to be cited; empty: left out."""
    n_examples: int = 2
    """Records shown on the cards in Chinese, and as many in English; none are shown of records that were not screened for identifiers."""

    def __post_init__(self):
        check(bool(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.title)), f"title={self.title!r}: expected letters, digits, dots, dashes and underscores, the first a letter or digit")
        check(self.n_examples >= 0, f"n_examples={self.n_examples}: expected 0 or more")
        check(not self.published or pc.is_valid(_day(self.published)).as_py(), f"published={self.published!r}: expected a day, YYYY-MM-DD")
        check(bool(self.version) and all(part.isdigit() for part in self.version.split(".")), f"version={self.version!r}: expected MAJOR.MINOR.PATCH")


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write `dataset/TITLE/` from `inputs[config.kind]` and, where given, `inputs["heldout"]`, which no record of the former may be in.

    Raises:
        RecordError: a record stands in both, or the steps that made them can't be traced.
    """
    splits = {TRAIN: inputs[config.kind], **({HELDOUT: inputs[HELDOUT]} if HELDOUT in inputs else {})}
    shards = [(split, path) for split, folder in splits.items() for path in tables.shards(folder, config.kind)]
    taken = engine.map(functools.partial(census.take, config.kind), [path for _, path in shards])
    full = [(split, path) for (split, path), one in zip(shards, taken, strict=True) if one.n]
    check(any(split == TRAIN for split, _ in full), f"{inputs[config.kind]}: holds no {config.kind} to publish")
    _check_apart(engine, full)
    whole = {split: sum((one for (name, _), one in zip(shards, taken, strict=True) if name == split), start=census.EMPTY) for split in splits}
    found = facts.gather(config.kind, splits, {split: one for split, one in whole.items() if one.n}, config.n_examples)
    folder = out / FOLDER / config.title
    engine.map(functools.partial(_publish, sorted(found.all.keys)), _named(full, folder / "data"))
    _describe(config, found, folder)
    return Counts(n_in=found.all.n, n_out=found.all.n, langs=found.all.by(1), notes={split: one.n for split, one in found.censuses.items()})


def _describe(config: Config, found: facts.Facts, folder: Path) -> None:
    """Cards, metadata and checksums beside the files in `data/`."""
    files = {path.relative_to(folder).as_posix(): (manifest.file_sha256(path), path.stat().st_size) for path in sorted(folder.glob("data/*.parquet"))}
    columns = tables.load(folder / next(iter(files))).schema
    manifest.write_json(folder / "croissant.json", croissant.metadata(config, found, files, columns))
    for lang, name in card.FILES.items():
        (folder / name).write_text((header.yaml(config, found, files) if name == "README.md" else "") + card.text(config, found, lang), encoding="utf-8")
    listed = [f"{manifest.file_sha256(path)}  {path.relative_to(folder).as_posix()}" for path in sorted(folder.rglob("*")) if path.is_file() and path.name != SUMS]
    (folder / SUMS).write_text("\n".join(listed) + "\n", encoding="utf-8")


def _named(full: list[tuple[str, Path]], folder: Path) -> list[tuple[Path, Path]]:
    """(shard, file to write), named as the hub names them."""
    named = []
    for split in dict.fromkeys(split for split, _ in full):
        paths = [path for name, path in full if name == split]
        named += [(path, folder / f"{split}-{number:05d}-of-{len(paths):05d}.parquet") for number, path in enumerate(paths)]
    return named


def _publish(keys: list[str], job: tuple[Path, Path]) -> None:
    """Write a shard with its `meta` as named fields: readers of Parquet know those, few know maps."""
    source, path = job
    table = tables.load(source)
    place = table.schema.get_field_index("meta")
    columns = [tables.meta_column(table, key).combine_chunks() for key in keys]
    fields = pa.StructArray.from_arrays(columns, keys) if keys else pa.nulls(len(table), pa.string())
    tables.write(path, table.set_column(place, "meta", fields))


def _check_apart(engine, full: list[tuple[str, Path]]) -> None:
    held = pa.array([row for split, path in full if split == HELDOUT for row in tables.load(path)["id"].to_pylist()], pa.string())
    both = engine.map(lambda path: pc.sum(pc.is_in(tables.load(path)["id"], value_set=held)).as_py() or 0, [path for split, path in full if split == TRAIN])
    if sum(both):
        raise RecordError(f"{sum(both)} records stand in the training split and in the held-out one; both inputs should name one step of hygiene.holdout")


def _day(text: str) -> pa.Scalar:
    return pc.strptime(pa.scalar(text), format="%Y-%m-%d", unit="s", error_is_null=True)
