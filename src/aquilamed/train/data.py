"""Records to trees on disk, and the order in which training meets them.

`trees.arrow` (Arrow IPC, memory-mapped) holds a row per segment: unit, tree, record, parent, ids, asked. A unit is what
one count of the batch size means: a full window of documents in pre-training, a conversation, a pair. The token ledger
says what became of every token: trained + context + dropped by reason = all.
"""

import dataclasses
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.core.config import check
from aquilamed.core.errors import TrainingStopped
from aquilamed.train import ranks
from aquilamed.train.settings import Optim
from aquilamed.tree.score import CPU_PACK
from aquilamed.tree.pack import Pack, Segment, Tree, pack, size

SCHEMA = pa.schema([
    ("unit", pa.int32()), ("tree", pa.int32()), ("record", pa.string()), ("parent", pa.int32()),
    ("ids", pa.list_(pa.int32())), ("asked", pa.list_(pa.bool_())),
])
FILE = "trees.arrow"


@dataclasses.dataclass
class Ledger:
    """What became of records and their tokens."""

    records: Counter = dataclasses.field(default_factory=Counter)
    """`trained`, or the reason of a drop -> records."""
    tokens: Counter = dataclasses.field(default_factory=Counter)
    """`trained`, `context`, or the reason of a drop -> tokens."""
    langs: Counter = dataclasses.field(default_factory=Counter)
    """Language -> trained tokens."""
    repeated: int = 0
    """Trained tokens of records that the mix drew more than once, without their first time; part of `trained`."""

    def keep(self, tree: Tree, lang: str, times: int = 1) -> None:
        """Count `tree`, which stands `times` times in the data."""
        n_trained = int(sum(part.asked.sum() for part in tree))
        self.tokens["trained"] += times * n_trained
        self.tokens["context"] += times * (size(tree) - n_trained)
        self.langs[lang] += times * n_trained
        self.repeated += (times - 1) * n_trained

    def as_notes(self) -> dict:
        return {"token_ledger": dict(self.tokens), "trained_tokens_by_lang": dict(self.langs), "repeated_tokens": self.repeated}


def write(path: Path, units: Iterable[Sequence[tuple[str, Tree]]]) -> int:
    """Write units of (record id, tree); return how many there were. Whole or not at all."""
    partial, n_units, n_trees = path.with_name(path.name + ".partial"), 0, 0
    with pa.ipc.new_file(partial, SCHEMA) as writer:
        for n_units, unit in enumerate(units, start=1):
            rows = []
            for record, tree in unit:
                rows += [{"unit": n_units - 1, "tree": n_trees, "record": record, "parent": part.parent,
                          "ids": part.ids, "asked": part.asked} for part in tree]
                n_trees += 1
            writer.write_table(pa.Table.from_pylist(rows, schema=SCHEMA))
    os.replace(partial, path)
    return n_units


class Units:
    """The units of a `trees.arrow`, memory-mapped, by number."""

    def __init__(self, path: Path):
        self.table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
        unit = self.table["unit"].to_numpy()
        self.starts = np.append(np.searchsorted(unit, np.arange(unit[-1] + 1 if len(unit) else 0)), len(unit))
        if not len(unit):
            raise TrainingStopped(f"{path.parent}: nothing to train on: every record was dropped; see its dropped/ folder and the step before")

    def __len__(self) -> int:
        return len(self.starts) - 1

    def sizes(self) -> np.ndarray:
        """Tokens of each unit."""
        lengths = np.append(0, np.cumsum(pc.list_value_length(self.table["ids"]).to_numpy()))
        return lengths[self.starts[1:]] - lengths[self.starts[:-1]]

    def trees(self, number: int) -> list[tuple[int, Tree]]:
        """(tree number, tree) of unit `number`."""
        low = self.starts[number]
        rows = self.table.slice(low, self.starts[number + 1] - low).to_pylist()
        found: dict[int, list[Segment]] = {}
        for row in rows:
            part = Segment(np.asarray(row["ids"], np.int32), np.asarray(row["asked"], bool), row["parent"])
            found.setdefault(row["tree"], []).append(part)
        return [(tree, tuple(parts)) for tree, parts in found.items()]

    def all_trees(self) -> list[Tree]:
        """Every tree, in tree order."""
        return [tree for number in range(len(self)) for _, tree in self.trees(number)]


@dataclasses.dataclass(frozen=True)
class Order:
    """Which units each optimizer step takes: a pure function of (seed, epoch, index)."""

    n_units: int
    batch: int
    """Units a step; the last step of an epoch takes what is left."""
    epochs: int
    seed: int
    sizes: np.ndarray | None = None
    """Tokens of each unit, where a step is so many tokens."""
    tokens: int = 0
    """Tokens a step, where `sizes` are given: all steps of an epoch take about as many, on average at least this."""

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.n_units // self.batch) if self.sizes is None else max(int(self.sizes.sum()) // self.tokens, 1)

    @property
    def steps(self) -> int:
        return self.steps_per_epoch * self.epochs

    def units(self, step: int) -> np.ndarray:
        """The units of 0-based `step`."""
        epoch, index = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng([self.seed, epoch]).permutation(self.n_units)
        if self.sizes is None:
            return order[index * self.batch:(index + 1) * self.batch]
        begins = np.cumsum(self.sizes[order]) - self.sizes[order]
        return order[begins * self.steps_per_epoch // int(self.sizes.sum()) == index]


def ordered(units: Units, optim: Optim) -> Order:
    """The order in which `units` are trained.

    Raises:
        ConfigError: a unit has more tokens than a step may take.
    """
    if not optim.batch_tokens:
        return Order(len(units), optim.batch, optim.epochs, optim.seed)
    sizes = units.sizes()
    check(int(sizes.max()) <= optim.batch_tokens, f"batch_tokens={optim.batch_tokens}: a unit has {int(sizes.max()):,} tokens; expected at least as many")
    return Order(len(units), optim.batch, optim.epochs, optim.seed, sizes, optim.batch_tokens)


def packs(units: Units, numbers: Iterable[int], length: int) -> Iterator[tuple[Pack, list[int]]]:
    """Packs of the given units' trees, each with the tree numbers that its `tree_S` means."""
    return packed([pair for number in numbers for pair in units.trees(number)], length)


def packed(pairs: Sequence[tuple[int, Tree]], length: int) -> Iterator[tuple[Pack, list[int]]]:
    """Packs of (tree number, tree), of at most `length` tokens but for longer trees."""
    longest = max(length, *(size(tree) for _, tree in pairs))
    for one in pack([tree for _, tree in pairs], longest):
        yield one, [pairs[i][0] for i in one.tree_S]


def pack_length(network, optim: Optim) -> int:
    """Tokens of one forward pass."""
    on_cpu = ranks.device(network).type == "cpu"
    return optim.micro_tokens or (CPU_PACK if on_cpu else optim.length)


def shortest(packs: Sequence[tuple[Pack, list[int]]]) -> tuple[Pack, list[int]]:
    """The one of fewest tokens: what a rank without work of its own passes through the network."""
    return min(packs, key=lambda one: len(one[0]))
