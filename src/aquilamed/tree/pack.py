"""Trees of token segments, and packing them into sequences of bounded length without cutting any.

Shape suffixes: T positions of a pack, S its segments, L asked tokens.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from aquilamed.core.errors import ConfigError

ROOT = -1


@dataclasses.dataclass(frozen=True)
class Segment:
    """A run of tokens that follows its parent's last token."""

    ids: np.ndarray
    """Token ids, int32, at least one."""
    asked: np.ndarray
    """Bool, same length: the tokens whose log-probability is wanted, each given everything before it in the tree."""
    parent: int = ROOT
    """Index of the parent segment in its tree; `ROOT` for none. Parents come before children."""


Tree = tuple[Segment, ...]


@dataclasses.dataclass(frozen=True)
class Pack:
    """Several trees in one sequence: position t sees u <= t where u's segment is t's own or an ancestor."""

    ids_T: np.ndarray
    positions_T: np.ndarray
    """Distance from the tree's root, not from the start of the pack."""
    segment_T: np.ndarray
    parent_S: np.ndarray
    at_L: np.ndarray
    """Position whose output predicts the asked token; a parent's last position may be asked by several children."""
    target_L: np.ndarray
    owner_L: np.ndarray
    """Segment of the asked token."""
    tree_S: np.ndarray
    """Index, in the packed list, of the tree each segment came from; segments of a tree are consecutive and in order."""

    def __len__(self) -> int:
        return len(self.ids_T)

    def asking(self, some_L: np.ndarray) -> "Pack":
        """The same pack with some of its asks alone."""
        return dataclasses.replace(self, at_L=self.at_L[some_L], target_L=self.target_L[some_L], owner_L=self.owner_L[some_L])


def segment(ids: Sequence[int], asked: Sequence[bool] | bool, parent: int = ROOT) -> Segment:
    """A checked segment; `asked` may be one value for all tokens. A root's first token can't be asked and is not."""
    if not len(ids):
        raise ConfigError("a segment needs at least one token")
    wanted = np.broadcast_to(np.asarray(asked, bool), (len(ids),)).copy()
    if parent == ROOT:
        wanted[0] = False
    return Segment(np.asarray(ids, np.int32), wanted, parent)


def size(tree: Tree) -> int:
    """Tokens the tree takes in a pack."""
    return sum(len(part.ids) for part in tree)


def best_fit(sizes: Sequence[int], length: int) -> list[list[int]]:
    """Indices grouped so that each group's sizes sum to at most `length`: best fit, longest first.

    Raises:
        ConfigError: one is longer than `length`; its index is named.
    """
    order = sorted(range(len(sizes)), key=lambda i: (-sizes[i], i))
    if order and sizes[order[0]] > length:
        raise ConfigError(f"sequence {order[0]} has {sizes[order[0]]} tokens, more than the length {length}")
    by_room: dict[int, list[int]] = {}
    groups: list[list[int]] = []
    for index in order:
        room = min((r for r in by_room if r >= sizes[index]), default=None)
        if room is None:
            group, room = len(groups), length
            groups.append([])
        else:
            group = by_room[room].pop()
            if not by_room[room]:
                del by_room[room]
        groups[group].append(index)
        by_room.setdefault(room - sizes[index], []).append(group)
    return groups


def pack(trees: Sequence[Tree], length: int) -> list[Pack]:
    """Lay `trees` out in as few packs of at most `length` tokens as best fit finds; none is cut.

    Raises:
        ConfigError: a tree is longer than `length`.
    """
    groups = best_fit([size(tree) for tree in trees], length)
    return [lay([trees[i] for i in group], group) for group in groups]


def lay(trees: Sequence[Tree], numbers: Sequence[int]) -> Pack:
    """One pack of `trees`; `numbers` are their indices in the caller's list."""
    ids, positions, segments, parents, origin, asks = [], [], [], [], [], []
    at = 0
    for tree, number in zip(trees, numbers, strict=True):
        first = len(parents)
        ends: list[tuple[int, int]] = []
        for part in tree:
            root = part.parent == ROOT
            last, depth = (-1, 0) if root else ends[part.parent]
            before = np.concatenate(([last], np.arange(at, at + len(part.ids) - 1)))
            asks.append(np.stack([before[part.asked], part.ids[part.asked], np.full(part.asked.sum(), len(parents))]))
            ids.append(part.ids)
            positions.append(np.arange(depth, depth + len(part.ids)))
            segments.append(np.full(len(part.ids), len(parents)))
            parents.append(ROOT if root else first + part.parent)
            origin.append(number)
            at += len(part.ids)
            ends.append((at - 1, depth + len(part.ids)))
    at_L, target_L, owner_L = np.concatenate(asks, axis=1).astype(np.int64)
    return Pack(np.concatenate(ids).astype(np.int64), np.concatenate(positions).astype(np.int64), np.concatenate(segments),
                np.asarray(parents), at_L, target_L, owner_L, np.asarray(origin))
