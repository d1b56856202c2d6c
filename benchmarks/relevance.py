"""Context relevance of real dialogues: the prefix tree beside separate forward passes, in dialogue tokens a minute, and the largest difference between their ratios.

    python benchmarks/relevance.py                          every set, both peers, two threads: about fifteen minutes on two quiet cores
    python benchmarks/relevance.py --sets cmtmedqa --dialogues 4 --runs 1

The dialogues are drawn by chance from CMtMedQA, MTS-Dialog and ACI-Bench, those with two turns or more, as the importer reads them; the model is the
embedded base. Both sides get them as tokens; rendering is not counted. The peers do what eq. 1-3 say with a stock transformers model: each turn after
its history and by itself, the loss from the model's own logits; `one pass a turn` a sequence at a time, `padded batches` by length and of at most
2,048 padded tokens. `equal`: every ratio is the same to 1e-4. `passed` and `peer_passed` are the tokens that go through the model on either side: what the
tree can win by itself, which grows with the turns of a dialogue. The rows `all` are those of the sets together.

Rows `bfloat16` set the tree with the model in bfloat16 (`cpu_weights` of the step) beside the tree in float32: faster where the CPU multiplies bfloat16 by itself, and not exact; `equal` there
means that no ratio moves by more than 0.02.
"""

import argparse
import copy
import dataclasses
import functools
import itertools
import tempfile
import time
from pathlib import Path

import numpy as np
import tables as bench
import torch

from aquilamed.core import chance, tables
from aquilamed.core.sources import known
from aquilamed.engine.local import Local
from aquilamed.instruct import importing, relevance
from aquilamed.models import embedded, folders, prepare
from aquilamed.tree import pack, score

DATA = Path("../shared/data")
SETS = {"cmtmedqa": 6, "mts_dialog": 12, "aci_bench": 1}
"""Set -> dialogues drawn where none are asked for: a peer's pass over one of ACI's takes minutes."""
CLOSE, NEAR = 1e-4, 0.02
PADDED = 2048


def drawn(name: str, most: int) -> list[list[dict]]:
    """Dialogues of two turns or more."""
    with tempfile.TemporaryDirectory() as tmp:
        importing.run(importing.Config(sources=(known.conversations(DATA)[name],)), {}, Path(tmp), Local(1))
        rows = [row for row in tables.rows(Path(tmp), "conversations") if row["kind"] == "multi"]
    return [row["messages"] for row in sorted(rows, key=lambda row: chance.share(0, row["id"]))[:most]]


def ours(model: folders.Model, trees: list[pack.Tree]) -> list[float]:
    """As `relevance.relevances`, from trees."""
    apart = [relevance.pieces(tree, score.default_pack(model.network)) for tree in trees]
    losses = iter(score.nll(model.network, list(itertools.chain(*apart))))
    return [ratio for some in apart for ratio in relevance.ratios(relevance.joined([next(losses) for _ in some]))]


def sequences(tree: pack.Tree) -> list[tuple[np.ndarray, np.ndarray]]:
    """(what comes before, turn): of every turn after the first, with its history and then without."""
    n = len(tree) // 2
    ids = [part.ids.astype(np.int64) for part in tree]
    return [(before, ids[k]) for k in range(2, n + 1) for before in (np.concatenate(ids[:k]), ids[0])]


def one_pass_a_turn(model: folders.Model, trees: list[pack.Tree]) -> list[float]:
    losses = []
    for before, turn in itertools.chain.from_iterable(map(sequences, trees)):
        ids = torch.from_numpy(np.concatenate([before, turn]))[None]
        labels = ids.clone()
        labels[0, :len(before)] = -100
        losses.append(model.network(input_ids=ids, labels=labels).loss.item())
    return _ratios(losses)


def padded_batches(model: folders.Model, trees: list[pack.Tree]) -> list[float]:
    whole = list(itertools.chain.from_iterable(map(sequences, trees)))
    order = sorted(range(len(whole)), key=lambda k: len(whole[k][0]) + len(whole[k][1]))
    losses, batch = [0.0] * len(whole), []
    for place, number in enumerate(order):
        batch.append(number)
        longer = sum(map(len, whole[order[place + 1]])) if place + 1 < len(order) else PADDED
        if (len(batch) + 1) * longer > PADDED:
            for k, loss in zip(batch, _padded(model, [whole[k] for k in batch]), strict=True):
                losses[k] = loss
            batch = []
    return _ratios(losses)


def _padded(model: folders.Model, some: list[tuple[np.ndarray, np.ndarray]]) -> list[float]:
    longest = max(len(before) + len(turn) for before, turn in some)
    ids, labels, mask = torch.zeros(len(some), longest, dtype=torch.long), torch.full((len(some), longest), -100), torch.zeros(len(some), longest, dtype=torch.long)
    for row, (before, turn) in enumerate(some):
        end = len(before) + len(turn)
        ids[row, :end], mask[row, :end] = torch.from_numpy(np.concatenate([before, turn])), 1
        labels[row, len(before):end] = ids[row, len(before):end]
    logits = model.network(input_ids=ids, attention_mask=mask).logits[:, :-1]
    nll = torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels[:, 1:], reduction="none")
    return (nll.sum(1) / (labels[:, 1:] >= 0).sum(1)).tolist()


def _ratios(losses: list[float]) -> list[float]:
    return [a / b for a, b in zip(losses[::2], losses[1::2], strict=True)]


def in_bfloat16(model: folders.Model, trees: list[pack.Tree]) -> list[float]:
    """`ours` by a copy of the model; making it is no part of the time of a corpus."""
    return ours(dataclasses.replace(model, network=halved(model.network)), trees)


@functools.cache
def halved(network: torch.nn.Module) -> torch.nn.Module:
    return copy.deepcopy(network).to(torch.bfloat16)


PEERS = {"transformers, one pass a turn": one_pass_a_turn, "transformers, padded batches": padded_batches}
FLOAT32 = "the tree in float32"


def timed(work, model: folders.Model, trees: list[pack.Tree]) -> dict:
    began = time.perf_counter()
    with torch.no_grad():
        found = work(model, trees)
    return {"seconds": time.perf_counter() - began, "ratios": found}


def compared(name: str, peer: str, trees: list[pack.Tree], mine: tuple[dict, float], theirs: tuple[dict, float], asked: argparse.Namespace) -> dict:
    """A row: both sides' tokens a minute, and the largest difference between their ratios."""
    tokens = sum(sum(len(part.ids) for part in tree[:len(tree) // 2 + 1]) for tree in trees)
    apart = float(np.abs(np.array(mine[0]["ratios"]) - np.array(theirs[0]["ratios"])).max())
    return bench.row(f"{name}, {peer.partition(', ')[2]}".removesuffix(", "), 60 * tokens / mine[1], 60 * tokens / theirs[1], peer, unit="dialogue tokens/min", runs=asked.runs, equal=apart <= (NEAR if peer == FLOAT32 else CLOSE),
                     dialogues=len(trees), tokens=tokens, ratios=len(mine[0]["ratios"]), largest_difference=float(f"{apart:.2g}"), threads=asked.threads,
                     passed=sum(map(pack.size, trees)), peer_passed=sum(map(pack.size, trees)) if peer == FLOAT32 else sum(len(before) + len(turn) for tree in trees for before, turn in sequences(tree)))


def together(peer: str, rows: list[dict]) -> dict:
    """The row of all sets: all tokens by the time that all took."""
    sums = {key: sum(row[key] for row in rows) for key in ("dialogues", "tokens", "ratios", "passed", "peer_passed")}
    ours_minutes, peer_minutes = (sum(row["tokens"] / row[side] for row in rows) for side in ("ours", "peer"))
    return bench.row(f"all, {peer.partition(', ')[2] or 'bfloat16'}", sums["tokens"] / ours_minutes, sums["tokens"] / peer_minutes, peer, unit=rows[0]["unit"], runs=rows[0]["runs"], equal=all(row["equal"] for row in rows),
                     **sums, largest_difference=max(row["largest_difference"] for row in rows), threads=rows[0]["threads"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--dialogues", type=int, default=0, help="of each set; 0: as many as fit twenty minutes")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    model = folders.load(embedded.ensure(embedded.TRIMMED, embedded.CACHE), device="cpu")
    prepare.give_chatml(model)
    rows = []
    for name in asked.sets:
        talks = drawn(name, asked.dialogues or SETS[name])
        trees = [tree for talk in talks if (tree := relevance.turn_tree(model.tokenizer, talk))]
        timed(ours, model, trees[:1])
        timed(in_bfloat16, model, trees[:1])
        works = [lambda work=work, trees=trees: timed(work, model, trees) for work in (ours, in_bfloat16, *PEERS.values())]
        mine, half, *others = bench.alternate(asked.runs, works)
        rows += [compared(name, peer, trees, mine, theirs, asked) for peer, theirs in zip(PEERS, others, strict=True)]
        rows.append(compared(f"{name}, bfloat16", FLOAT32, trees, half, mine, asked))
    if len(asked.sets) > 1:
        rows += [together(peer, [row for row in rows if row["peer_name"] == peer]) for peer in (*PEERS, FLOAT32)]
    bench.publish("relevance", rows, bench.versions("torch", "transformers", "numpy"))


if __name__ == "__main__":
    main()
