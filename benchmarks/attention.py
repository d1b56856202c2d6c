"""Attention in bands beside PyTorch's over the whole mask: tokens a second of passes with and without gradients, taking turns in one process.

    python benchmarks/attention.py [--runs 5] [--threads 2]

Packs of drawn token ids, which change nothing in the time, through the embedded base model. `equal`: the pack's loss is the
same to 1e-5 of its size; `largest_difference` is that of a single token's, in nats.
"""

import argparse
import sys
import time
from unittest import mock

import numpy as np
import tables
import torch

from aquilamed.models import embedded, folders
from aquilamed.tree import mask, pack, score

PACKS = {"512 tokens, one document": (512, 1), "512 tokens, three documents": (512, 3), "1,024 tokens, one document": (1024, 1), "1,024 tokens, four documents": (1024, 4)}
CLOSE = 1e-5


def drawn(tokens: int, documents: int) -> pack.Pack:
    rng = np.random.default_rng(0)
    return pack.lay([(pack.segment(rng.integers(10, 60_000, tokens // documents), True),) for _ in range(documents)], range(documents))


def read(network, one: pack.Pack) -> dict:
    began = time.perf_counter()
    nll_L, _ = score.read(network.eval(), one)
    return {"seconds": time.perf_counter() - began, "nll": nll_L}


def trained(network, one: pack.Pack) -> dict:
    network.zero_grad()
    began = time.perf_counter()
    nll_L = score.pack_nll(network.train(), one)
    nll_L.sum().backward()
    return {"seconds": time.perf_counter() - began, "nll": nll_L.detach()}


def whole(work, *given) -> dict:
    """`work` without bands on the mask, so that transformers' own function runs."""
    with mock.patch.object(mask, "banded", lambda mask, seen: mask):
        return work(*given)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    network, rows = folders.load(embedded.ensure(embedded.TRIMMED), device="cpu", trained=True).network, []
    for name, sizes in PACKS.items():
        one = drawn(*sizes)
        for kind, work in (("read", read), ("trained", trained)):
            work(network, one)
            (ours, mine), (other, theirs) = tables.alternate(given.runs, [lambda work=work, one=one: work(network, one), lambda work=work, one=one: whole(work, network, one)])
            sums, far = (ours["nll"].sum().item(), other["nll"].sum().item()), (ours["nll"] - other["nll"]).abs().max().item()
            rows.append(tables.row(f"{kind}: {name}", len(one) / mine, len(one) / theirs, "the whole mask", unit="tokens/s", runs=given.runs, equal=bool(np.isclose(*sums, rtol=CLOSE)), largest_difference=far, threads=given.threads))
    tables.publish("attention", rows, tables.versions("torch", "transformers"))
    sys.exit(any(not row["equal"] for row in rows))


if __name__ == "__main__":
    main()
