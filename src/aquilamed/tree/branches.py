"""Log-probabilities of continuations after prompts, every shared beginning computed once; and what it takes to go on after them.

Prompts and continuations become the tree of their common beginnings (`trie`). What fits a pack is read as a tree in it;
a beginning that more than a pack follows (worked examples) is read once, and its keys and values stay for those packs.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import torch

from aquilamed.core import pace
from aquilamed.core.errors import ModelUnavailable
from aquilamed.tree import mask, pack, score, trie
from aquilamed.tree.score import Past
from aquilamed.tree.trie import Node

PASS_COST = 32
"""Tokens that take as long as one more pass: a beginning is read for itself where reading it again with each branch would take more than these. Measured on a CPU."""
END = -1
"""Stands in an ask for the token id where a prompt's end is asked for: what it takes to go on after it."""


@dataclasses.dataclass(frozen=True)
class Branch:
    """A prompt and what may follow it, as token ids; every part has at least one."""

    prompt: tuple[int, ...]
    continuations: tuple[tuple[int, ...], ...]
    open: bool = False
    """Whether somebody goes on after the prompt."""

    def longest(self) -> int:
        """Tokens of the prompt with its longest continuation: what the model must hold."""
        return len(self.prompt) + max(map(len, self.continuations), default=0)

    def total(self) -> int:
        return len(self.prompt) + sum(map(len, self.continuations))

    def read(self, index: int) -> tuple[tuple[int, ...], list[trie.Ask]]:
        """What must be read for a continuation, and what is asked on the way."""
        ids = self.continuations[index]
        return self.prompt + ids[:-1], [(len(self.prompt) - 1 + k, token) for k, token in enumerate(ids)]


@dataclasses.dataclass(frozen=True)
class End:
    """A prompt that was read but for its last token, which whoever goes on reads first."""

    last: int
    """Its last token."""
    past: Past | None
    layers: score.Layers
    """Each layer's keys and values, (1, heads, tokens, width), of what stands between `past` and the last token."""

    def __len__(self) -> int:
        """Tokens of the whole prompt."""
        return 1 + self.layers[0][0].shape[2] + (self.past.length if self.past else 0)


GoOn = Callable[[int, End], None]
"""(index of the branch, its prompt's end)."""


@dataclasses.dataclass(frozen=True)
class Found:
    """What was asked, and what it took."""

    logp: list[list[float]]
    """For each branch, for each continuation, the sum of its tokens' log p in nats."""
    n_read: int
    """Tokens that went through the model."""
    n_least: int
    """Tokens that must be read at the least: those of the distinct beginnings."""


def logp(network, branches: Sequence[Branch], *, pack_tokens: int = 0) -> list[list[float]]:
    """For each branch, for each continuation, the sum of its tokens' log p in nats."""
    return read(network, branches, pack_tokens=pack_tokens).logp


def read(network, branches: Sequence[Branch], *, pack_tokens: int = 0, go_on: GoOn | None = None) -> Found:
    """`branches` through the model, whatever is equal once. A continuation's last token is only asked for, never read.

    `go_on`, which open branches need, gets the end of each one's prompt as soon as it is read; equal prompts have the same one.
    """
    tree, spent = _tree(branches), [0]
    least = sum(node.size for node in tree.roots)
    told = pace.Pace(least, pace.listener(), "tokens")

    def count(done: int) -> None:
        spent[0] += done
        told.done(done)
    reader = _Reader(network, pack_tokens or score.default_pack(network), count, np.full(tree.n_asks, np.nan), _ended(branches, tree, go_on))
    was_training = network.training
    network.eval()
    with torch.no_grad():
        reader.read(tree.roots, None)
    network.train(was_training)
    values = [[sum(float(reader.found[tree.numbers[ids][ask]]) for ask in asks) for ids, asks in map(branch.read, range(len(branch.continuations)))] for branch in branches]
    return Found(values, spent[0], least)


def end(network, prompt: Sequence[int]) -> End:
    """The end of one prompt."""
    found: list[End] = []
    read(network, [Branch(tuple(prompt), (), open=True)], go_on=lambda _, end: found.append(end))
    return found[0]


TOLERANCE = {torch.float32: 2e-3, torch.bfloat16: 0.25}
"""Largest difference in nats that rounding alone makes for a token, by the weights' type."""


def self_check(network, ids: Sequence[int]) -> float:
    """Largest difference in nats between branches after a kept beginning and plain passes, on `ids` (8 or more).

    Raises:
        ModelUnavailable: it is above `TOLERANCE`: the model does not honour masks or kept keys, so its scores would be wrong.
    """
    some = tuple(int(token) for token in ids)
    asked = [Branch(some[:-3], ((some[-2],), some[-2:])), Branch((*some[:-3], some[0]), (some[1:4],))]
    found = [value for values in logp(network, asked, pack_tokens=4) for value in values]
    plain = [_plain(network, branch.prompt, ids) for branch in asked for ids in branch.continuations]
    worst = max(abs(a - b) for a, b in zip(found, plain, strict=True))
    limit = 3 * TOLERANCE[network.dtype]                    # of three tokens at most
    if not worst <= limit:
        raise ModelUnavailable(f"log-probabilities by branches and by plain passes differ by {worst:.2g} nats on this model (limit {limit:.2g}); its architecture can't be scored on the prefix tree")
    return worst


def _plain(network, prompt: tuple[int, ...], ids: tuple[int, ...]) -> float:
    """The sum of log p of `ids` after `prompt` by one ordinary pass."""
    whole = torch.tensor([prompt + ids], device=next(network.parameters()).device)
    with torch.no_grad():
        logp_TV = network(whole).logits[0].float().log_softmax(-1)
    return sum(logp_TV[at - 1, whole[0, at]].item() for at in range(len(prompt), whole.shape[1]))


@dataclasses.dataclass(frozen=True)
class _Tree:
    roots: list[Node]
    numbers: dict[tuple[int, ...], dict[trie.Ask, int]]
    """Tokens read -> what is asked on the way -> its number."""
    n_asks: int


def _tree(branches: Sequence[Branch]) -> _Tree:
    wanted: dict[tuple[int, ...], set[trie.Ask]] = {}
    for branch in branches:
        for index in range(len(branch.continuations)):
            read, asks = branch.read(index)
            wanted.setdefault(read, set()).update(asks)
        if branch.open:
            wanted.setdefault(branch.prompt, set()).add((len(branch.prompt) - 1, END))
    reads = sorted(wanted)
    roots, numbers = trie.build(reads, [sorted(wanted[read]) for read in reads])
    return _Tree(roots, dict(zip(reads, numbers, strict=True)), 1 + max((number for some in numbers for number in some.values()), default=-1))


def _ended(branches: Sequence[Branch], tree: _Tree, go_on: GoOn | None) -> Callable[[int, End], None]:
    """(number of the ask, end) -> tells each branch's."""
    having: dict[int, list[int]] = {}
    for index, branch in enumerate(branches):
        if branch.open:
            having.setdefault(tree.numbers[branch.prompt][len(branch.prompt) - 1, END], []).append(index)

    def ended(number: int, end: End) -> None:
        for index in having[number]:
            go_on(index, end)
    return ended


@dataclasses.dataclass(frozen=True)
class _Reader:
    """Nodes through the model, each after what stands before it."""

    network: object
    room: int
    tick: Callable[[int], None]
    found: np.ndarray
    """The log-probability of each ask, by its number."""
    ended: Callable[[int, End], None]

    def read(self, nodes: Sequence[Node], past: Past | None) -> None:
        """`nodes` and all below them: small ones together in packs, of large ones first the node and then what follows it."""
        small = [node for node in nodes if node.size <= self.room]
        for group in pack.best_fit([node.size for node in small], self.room):
            self._pass([small[index] for index in group], past)
        for node in nodes:
            if node.size <= self.room:
                continue
            if len(node.ids) * (len(node.children) - 1) >= PASS_COST or len(node.children) < 2:
                kept = self._pass([node.alone()], past, keep=bool(node.children))
                self.read(node.children, kept)
            else:
                self.read([child.after(node, index == 0) for index, child in enumerate(node.children)], past)

    def _pass(self, nodes: Sequence[Node], past: Past | None, keep: bool = False) -> Past | None:
        whole, number_L = _laid(nodes)
        ends_L = whole.target_L == END
        one = whole.asking(~ends_L)
        nll_L, layers = score.read(self.network, one, past, keep or bool(ends_L.any()))
        self.found[number_L[~ends_L]] = -nll_L.double().cpu().numpy()
        seen_SS = mask.ancestors(one.parent_S)
        for number, at in zip(number_L[ends_L], whole.at_L[ends_L], strict=True):
            before = np.flatnonzero(seen_SS[one.segment_T[at]][one.segment_T[:at]])
            self.ended(number, End(int(one.ids_T[at]), past, _own(layers, before, len(one))))
        self.tick(len(one))
        return score.kept_of(self.network, layers, len(one) + (past.length if past else 0)) if keep else None


def _own(layers: score.Layers, at: np.ndarray, length: int) -> score.Layers:
    """The keys and values at these places of the pack of that `length` that `layers` end with."""
    places = torch.from_numpy(at).to(layers[0][0].device)
    return tuple((keys[:, :, -length:].index_select(2, places), values[:, :, -length:].index_select(2, places)) for keys, values in layers)


def _laid(nodes: Sequence[Node]) -> tuple[pack.Pack, np.ndarray]:
    """The nodes with all below them in one sequence, and the number of each ask."""
    ids, positions, segments, parents, asks, origin = [], [], [], [], [], []

    def lay(node: Node, parent: int, depth: int, root: int) -> None:
        here, before = len(parents), sum(map(len, ids))
        parents.append(parent)
        origin.append(root)
        ids.append(node.ids)
        positions.append(np.arange(depth, depth + len(node.ids)))
        segments.append(np.full(len(node.ids), here))
        asks.extend((before + at, target, here, number) for at, target, number in node.asks)
        for child in node.children:
            lay(child, here, depth + len(node.ids), root)

    for root, node in enumerate(nodes):
        lay(node, pack.ROOT, 0, root)
    at_L, target_L, owner_L, number_L = np.array(asks, np.int64).reshape(-1, 4).T
    whole = pack.Pack(np.concatenate([np.asarray(some, np.int64) for some in ids]), np.concatenate(positions), np.concatenate(segments), np.asarray(parents), at_L, target_L, owner_L, np.asarray(origin))
    return whole, number_L
