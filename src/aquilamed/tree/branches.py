"""Log-probabilities of continuations after prompts, every shared beginning computed once.

Prompts that begin alike (the same few-shot examples) become one tree: what they share is the root, the rest of each its
child, the continuations its grandchildren.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from aquilamed.tree import pack, score

MIN_SHARED = 32
"""Tokens of common beginning from which prompts are worth a common root."""
GROUP_GROWTH = 3
"""A tree of several prompts is at most this many times its shared beginning, or one pack, whichever is more."""


@dataclasses.dataclass(frozen=True)
class Branch:
    """A prompt and what may follow it, as token ids; every part has at least one."""

    prompt: tuple[int, ...]
    continuations: tuple[tuple[int, ...], ...]

    def longest(self) -> int:
        """Tokens of the prompt with its longest continuation: what the model must hold."""
        return len(self.prompt) + max(map(len, self.continuations))

    def total(self) -> int:
        return len(self.prompt) + sum(map(len, self.continuations))


def logp(network, branches: Sequence[Branch], *, pack_tokens: int = 0, tick: Callable[[int], None] = lambda done: None) -> list[list[float]]:
    """For each branch, for each continuation, the sum of its tokens' log p in nats. Equal branches are computed once."""
    distinct = sorted(set(branches), key=lambda branch: (branch.prompt, branch.continuations))
    room = pack_tokens or score.default_pack(network)
    trees, leaves = [], []
    for group in _groups(distinct, room):
        tree, ends = _tree(group)
        trees.append(tree)
        leaves.append((group, ends))
    found: dict[Branch, list[float]] = {}
    for (group, ends), losses in zip(leaves, score.nll(network, trees, pack_tokens=room, tick=tick), strict=True):
        for branch, segments in zip(group, ends, strict=True):
            found[branch] = [-float(losses[segment].sum()) for segment in segments]
    return [found[branch] for branch in branches]


def _groups(branches: Sequence[Branch], room: int) -> Iterator[list[Branch]]:
    """Runs of sorted branches that share a beginning worth a root and fit a tree together."""
    shared = [0, *(_shared(a.prompt, b.prompt) for a, b in pairwise(branches))]
    group: list[Branch] = []
    root = 0
    for branch, common in zip(branches, shared, strict=False):
        common = min(common, root or common)
        grown = common + sum(one.total() - common for one in (*group, branch))
        if group and common >= max(MIN_SHARED, root // 2) and grown <= max(room, GROUP_GROWTH * common):
            root = common
        else:
            if group:
                yield group
            group, root = [], 0
        group.append(branch)
    if group:
        yield group


def _tree(group: Sequence[Branch]) -> tuple[pack.Tree, list[list[int]]]:
    """The group's tree, and for each branch the segments of its continuations."""
    root = min(_shared(group[0].prompt, branch.prompt) for branch in group) if len(group) > 1 else 0
    parts = [pack.segment(group[0].prompt[:root], False)] if root else []
    ends: list[list[int]] = []
    for branch in group:
        parts.append(pack.segment(branch.prompt[root:], False, 0 if root else pack.ROOT))
        stem = len(parts) - 1
        ends.append(list(range(stem + 1, stem + 1 + len(branch.continuations))))
        parts.extend(pack.segment(ids, True, stem) for ids in branch.continuations)
    return tuple(parts), ends


def _shared(a: Sequence[int], b: Sequence[int]) -> int:
    """Length of the common beginning, at least one token short of both."""
    limit = min(len(a), len(b)) - 1
    return next((i for i in range(limit) if a[i] != b[i]), limit)
