"""Sequences as the tree of their common beginnings: each distinct beginning is one node, so its tokens are the least that must be read."""

import dataclasses
from collections.abc import Iterator, Sequence
from itertools import groupby

Ask = tuple[int, int]
"""(index of the token after which it is asked, token id whose log-probability is wanted)."""


@dataclasses.dataclass(frozen=True)
class Node:
    """Tokens that all sequences below it share."""

    ids: tuple[int, ...]
    asks: tuple[tuple[int, int, int], ...]
    """(index in `ids` of the token after which it is asked, token id asked for, number of the ask)."""
    children: tuple["Node", ...]
    size: int
    """Tokens of the node and of all below it."""

    def alone(self) -> "Node":
        """The node without what is below it."""
        return Node(self.ids, self.asks, (), len(self.ids))

    def after(self, before: "Node", first: bool) -> "Node":
        """The node with its parent's tokens in front; the parent's asks too where it is the `first` child."""
        moved = tuple((at + len(before.ids), target, number) for at, target, number in self.asks)
        return Node(before.ids + self.ids, (before.asks if first else ()) + moved, self.children, self.size + len(before.ids))


def build(reads: Sequence[tuple[int, ...]], asks: Sequence[Sequence[Ask]]) -> tuple[list[Node], list[dict[Ask, int]]]:
    """The tree of `reads` (sorted, distinct, none empty), and for each of them the number of each of its asks.

    What is asked of a common beginning has one number in all that share it; numbers count from 0.
    """
    numbers: list[dict[Ask, int]] = [{} for _ in reads]
    count = 0

    def node(rows: range, depth: int) -> Node:
        nonlocal count
        head = reads[rows[0]]
        end = len(head) if len(rows) == 1 else shared(head, reads[rows[-1]])
        found: dict[Ask, int] = {}
        for row in rows:
            for at, target in asks[row]:
                if depth <= at < end and (at, target) not in found:
                    found[at, target] = count
                    count += 1
                if depth <= at < end:
                    numbers[row][at, target] = found[at, target]
        below = rows[1:] if len(head) == end else rows
        children = tuple(node(part, end) for part in _by_token(reads, below, end))
        return Node(head[depth:end], tuple((at - depth, target, number) for (at, target), number in found.items()), children, end - depth + sum(child.size for child in children))

    return [node(part, 0) for part in _by_token(reads, range(len(reads)), 0)], numbers


def shared(a: Sequence[int], b: Sequence[int]) -> int:
    """Length of the common beginning."""
    low, high = 0, min(len(a), len(b))
    while low < high:                                       # slices are compared by C, tokens one by one are not
        middle = (low + high + 1) // 2
        low, high = (middle, high) if a[low:middle] == b[low:middle] else (low, middle - 1)
    return low


def _by_token(reads: Sequence[tuple[int, ...]], rows: range, at: int) -> Iterator[range]:
    """Runs of `rows` with the same token at `at`."""
    for _, same in groupby(rows, key=lambda row: reads[row][at]):
        part = list(same)
        yield range(part[0], part[-1] + 1)
