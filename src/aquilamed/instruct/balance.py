"""Caps by department, disease and language, the best scores first. paper 1, 2.2.3: 15+ departments, 100+ diseases, zh:en 86:14

A share is one of what comes out: caps are lowered until what is left keeps to them, so that the card can state them.
"""

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit

from aquilamed.core import tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.errors import ConfigError
from aquilamed.instruct import ranking

VERSION = 1
KIND = ranking.KIND
BINS = ("department", "disease", "lang")
REASONS = ("over_department", "over_disease", "over_language")
UNLABELLED = ""
LEAST = 20
"""Fewer conversations than this and a share of them means nothing."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """The most of each."""

    department: float = 0.0
    """Most of one department: a share of what comes out where below 1, else a number; 0: no cap. ours: the paper gives no caps"""
    disease: float = 0.0
    """The same for one disease: 0.05 is at most 5 %."""
    unlabelled: float = 0.0
    """The same for what has no department, and for what has no disease: a bin of its own, that the caps above leave alone."""
    languages: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Language -> its share among these languages, summing to 1: `{"zh": 0.86, "en": 0.14}`; empty: as it comes. Others are left alone. paper 2.2.3"""

    def __post_init__(self):
        for name in ("department", "disease", "unlabelled"):
            value = getattr(self, name)
            check(math.isfinite(value) and (0 <= value < 1 or value == int(value) >= 1), f"balance: {name}={value}: expected a share below 1 or a whole number")
        total = sum(self.languages.values())
        check(not self.languages or abs(total - 1) < 1e-6 and 0 < min(self.languages.values()) < 1, f"balance: languages={dict(self.languages)}: expected shares of two or more that sum to 1")


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Sift `inputs["conversations"]` in order of score, then id; reasons: over_department, over_disease, over_language; detail: the bin.

    Raises:
        ConfigError: a conversation has no score, or the caps can't be kept because there are too few bins; the cap is named.
    """
    rank, columns = ranking.ranked(inputs[KIND], BINS)
    names, bins = _numbered([columns[name] for name in BINS])
    why = settle(config, names, bins[rank.order])
    reason = np.empty(len(why), np.int8)
    reason[rank.order] = why

    def one(job: tuple[int, Path]) -> Counts:
        number, path = job
        here = slice(rank.starts[number], rank.starts[number + 1])
        told = {name: reason[here] == k for k, name in enumerate(REASONS)}
        details = {name: pa.array([names[place][1] or "unlabelled" for place in bins[here, k].tolist()], pa.string()) for k, name in enumerate(REASONS)}
        return tables.saved(out, KIND, number) or tables.save(out, KIND, number, *tables.sift(tables.load(path), told, details))
    counts = Counts.total(engine.map(one, list(enumerate(tables.shards(inputs[KIND], KIND)))))
    stays = [names[place] for place in bins[reason < 0].ravel().tolist()]
    kept = {kind: dict(Counter(name or "unlabelled" for k, name in stays if k == number).most_common()) for number, kind in enumerate(BINS)}
    return dataclasses.replace(counts, notes={f"{kind}s": found for kind, found in kept.items()})


def settle(config: Config, names: list[tuple[int, str]], bins: np.ndarray) -> np.ndarray:
    """For rows in order of choice, and the bin of each kind of each: -1 if it stays, else the number of the first reason.

    Raises:
        ConfigError: shares can't be kept.
    """
    caps, of_langs = _caps(config, names)
    is_share = caps < 1
    why = np.full(len(bins), -1, np.int8)
    total, n_langs = len(bins), int(of_langs[bins[:, 2]].sum())
    while True:
        limits = np.where(is_share, np.ceil(np.round(caps * np.where(of_langs, n_langs, total), 6)), caps)
        why = walk(bins, limits)
        stays = why < 0
        left = int(stays.sum()), int(of_langs[bins[stays, 2]].sum())
        if left[0] < LEAST <= total and is_share.any():
            raise ConfigError(_too_few(config, names, bins))
        before, (total, n_langs) = (total, n_langs), (min(total, left[0]), min(n_langs, left[1]))
        if before == (total, n_langs):
            return why


@njit(nogil=True, cache=True)
def walk(bins, limits):
    """-1 for each row all of whose bins have room when it comes, else which of its bins had none."""
    room, why = limits.copy(), np.full(len(bins), -1, np.int8)
    for row in range(len(bins)):
        for k in range(bins.shape[1]):
            if room[bins[row, k]] < 1:
                why[row] = k
                break
        if why[row] < 0:
            for k in range(bins.shape[1]):
                room[bins[row, k]] -= 1
    return why


def _caps(config: Config, names: list[tuple[int, str]]) -> tuple[np.ndarray, np.ndarray]:
    """(the cap of each bin, infinite where it has none; whether it is one of the languages with a share)."""
    of_kind = (config.department, config.disease)
    said = [config.languages.get(name, 0) if kind == 2 else config.unlabelled if name == UNLABELLED else of_kind[kind] for kind, name in names]
    return np.array([cap or np.inf for cap in said]), np.array([kind == 2 and name in config.languages for kind, name in names], bool)


def _numbered(columns: list[pa.ChunkedArray]) -> tuple[list[tuple[int, str]], np.ndarray]:
    """((kind, name) of every bin; each row's bin of each kind)."""
    names, bins = [], []
    for kind, column in enumerate(columns):
        coded = pc.fill_null(column, UNLABELLED).combine_chunks().dictionary_encode()
        bins.append(coded.indices.to_numpy() + len(names))
        names += [(kind, name) for name in coded.dictionary.to_pylist()]
    return names, np.stack(bins, axis=1).astype(np.int64)


def _too_few(config: Config, names: list[tuple[int, str]], bins: np.ndarray) -> str:
    found = [len({name for k, name in names if k == kind and name}) for kind in range(2)]
    return (f"balance: department={config.department}, disease={config.disease}, unlabelled={config.unlabelled}, languages={dict(config.languages)}: of {len(bins)} conversations with "
            f"{found[0]} departments and {found[1]} diseases fewer than {LEAST} would stay; raise the shares, or give numbers")
