"""Our share of training.py: WORK MODEL FOLDER, where FOLDER holds trees.arrow. Prints seconds, memory, losses and tokens as JSON."""

import dataclasses
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from training import SETTINGS

from aquilamed.train import data, loop, objectives, reference, session
from aquilamed.train.loop import Job

PACES = 10
"""Measurements of the machine's products beside every step, 0.2 s each."""
GROUPS = {
    "matrix products": ("aten::mm", "aten::addmm", "aten::addmm_", "aten::bmm"),
    "attention": ("scaled_dot_product", "flash_attention", "efficient_attention"),
    "optimizer": ("adamw", "foreach_norm", "clip_grad"),
    "softmax of the vocabulary": ("logsumexp", "aten::exp_", "index_put", "aten::max", "aten::amax", "aten::exp"),
}


def main() -> None:
    work, folder = sys.argv[1], Path(sys.argv[3])
    units, optim = data.Units(folder / data.FILE), SETTINGS["cpt" if work in ("where", "share", "compiled") else work]
    optim = dataclasses.replace(optim, compile=work == "compiled")
    model = session.open_model(Path(sys.argv[2]), optim)
    with tempfile.TemporaryDirectory() as name:
        out, objective, network = Path(name), objectives.tokens, session.scored(model, optim)
        reference.CACHE = out / "cache"
        began = time.perf_counter()
        if work == "dpo":
            objective = objectives.Dpo(0.1, reference.logp(network, model.folder, units.all_trees(), optim, out))
        job = Job(network, units, objective, optim, out)
        if work in ONE_BY_ONE:
            print(json.dumps(ONE_BY_ONE[work](job)))
            return
        loop.train(job)
        seconds = time.perf_counter() - began
        lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    print(json.dumps({
        "seconds": seconds, "units": len(units), "tokens": sum(line["tokens"] for line in lines), "asked": sum(line["asked"] for line in lines), "losses": [line["loss"] for line in lines],
        "margins": [line.get("margin") for line in lines], "peak_bytes": loop.allocator.peak_bytes()}))


def share(job: Job) -> dict:
    """Each step's arithmetic a second beside that of plain products, timed right before and right after it: a machine that others use is as busy for both."""
    loop.allocator.keep_freed_memory()
    order, optimizer = data.ordered(job.units, job.optim), loop.make_optimizer(job.network, job.optim)
    loop.keep_gradients(job.network)
    job.network.train()
    paces, rates, losses = [products(job)], [], []
    for step in range(order.steps):
        began = time.perf_counter()
        figures = loop.one_step(job, optimizer, order, step)
        rates.append(figures["flops"] / (time.perf_counter() - began))
        losses.append(figures["loss"])
        paces.append(products(job))
    shares = [2 * rate / (before + after) for rate, before, after in zip(rates, paces, paces[1:], strict=False)]
    return {"share": statistics.median(shares[1:]), "shares": [round(value, 4) for value in shares], "gflops": [round(value / 1e9, 1) for value in rates],
            "matmul_gflops": [round(value / 1e9, 1) for value in paces], "losses": losses, "peak_bytes": loop.allocator.peak_bytes()}


def products(job: Job) -> float:
    """Floating-point operations a second: the median of ten of the loop's own measurements, each the fastest of several products."""
    return statistics.median(loop.flops.peak(job.network.network, data.pack_length(job.network, job.optim)) for _ in range(PACES))


def where(job: Job) -> dict:
    """Share of a step's time by kind of work, and of the matrix products' part what their floating-point operations need at the machine's peak."""
    import torch
    from torch.profiler import ProfilerActivity, profile
    loop.allocator.keep_freed_memory()
    order, optimizer = data.ordered(job.units, job.optim), loop.make_optimizer(job.network, job.optim)
    loop.keep_gradients(job.network)
    loop.one_step(job, optimizer, order, 0)
    began = time.perf_counter()
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        figures = loop.one_step(job, optimizer, order, 1)
    seconds = time.perf_counter() - began
    spent = Counter()
    for event in seen.key_averages():
        kind = next((kind for kind, names in GROUPS.items() if any(name == event.key or (not name.startswith("aten") and name in event.key.lower()) for name in names)), "norms, activations, copies")
        spent[kind] += event.self_cpu_time_total / 1e6
    floor = figures["flops"] / loop.flops.peak(job.network.network, data.pack_length(job.network, job.optim))
    return {"seconds": round(seconds, 3), "threads": torch.get_num_threads(), "at the matmul peak": round(floor, 3), **{kind: round(value, 3) for kind, value in spent.most_common()}}


ONE_BY_ONE = {"where": where, "share": share, "compiled": share}
"""Works whose steps are timed one by one, outside the loop."""

if __name__ == "__main__":
    main()
