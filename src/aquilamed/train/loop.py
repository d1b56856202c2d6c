"""The one training loop: pre-training, SFT and DPO differ only in the units and the objective they pass."""

import dataclasses
import json
import math
import resource
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch

from aquilamed.core.errors import TrainingStopped
from aquilamed.train import checkpoint, data
from aquilamed.train.objectives import Loss
from aquilamed.train.settings import Optim
from aquilamed.tree import score

Validate = Callable[[], float]
"""() -> mean held-out loss in nats."""


@dataclasses.dataclass
class Job:
    """What one training step of a recipe trains."""

    network: torch.nn.Module
    units: data.Units
    objective: Callable[..., Loss]
    optim: Optim
    out: Path
    validate: Validate | None = None
    """Asked after every epoch; the best epoch's weights are what training ends with. paper 2.2.2"""


def train(job: Job) -> dict:
    """Train to the end, from the newest checkpoint if there is one; return the figures for the manifest.

    Killing the process at any moment and calling again gives, bit for bit on a CPU, the weights of an unbroken run.

    Raises:
        TrainingStopped: a loss or gradient is not finite; the step is named and the last checkpoint is kept.
    """
    order = data.Order(len(job.units), job.optim.batch, job.optim.epochs, job.optim.seed)
    torch.manual_seed(job.optim.seed)
    optimizer = make_optimizer(job.network, job.optim)
    state = checkpoint.load(job.out / "checkpoints", job.network, optimizer) or {"step": 0, "tokens": 0, "best": None, "best_weights": None, "history": []}
    saver = _Saver(job, optimizer, state)
    with _Metrics(job.out / "metrics.jsonl", state["step"]) as metrics, saver:
        job.network.train()
        while state["step"] < order.steps:
            began = time.monotonic()
            figures = one_step(job, optimizer, order, state["step"])
            state["step"] += 1
            state["tokens"] += figures["tokens"]
            metrics.add(state, figures, time.monotonic() - began)
            if state["step"] % order.steps_per_epoch == 0 and job.validate:
                _judge(job, state, metrics)
            saver.maybe(last=False)
    if state["best_weights"] is not None:
        checkpoint.put(job.network, state["best_weights"])
    job.network.eval()
    return {"steps": order.steps, "tokens": state["tokens"], "final_loss": metrics.last_loss, "heldout_loss_by_epoch": state["history"], "best_epoch": state["best"]}


def one_step(job: Job, optimizer, order: data.Order, step: int) -> dict:
    """Forward and backward over the step's packs, one division by the global count, one update."""
    optimizer.zero_grad(set_to_none=True)
    length = job.optim.micro_tokens or (score.CPU_PACK if next(job.network.parameters()).device.type == "cpu" else job.optim.length)
    total, sums = torch.zeros((), dtype=torch.float64), Counter()
    for pack, trees in data.packs(job.units, order.units(step), length):
        loss = job.objective(job.network, pack, trees)
        loss.total.backward()
        total += loss.total.detach().double().cpu()
        sums.update({"count": loss.count, "tokens": len(pack), "asked": len(pack.at_L), **loss.figures})
    trained = [parameter for parameter in job.network.parameters() if parameter.grad is not None]
    for parameter in trained:
        parameter.grad /= sums["count"]
    norm = float(torch.nn.utils.clip_grad_norm_(trained, job.optim.clip))
    if not (math.isfinite(total) and math.isfinite(norm)):
        raise TrainingStopped(f"{job.out.name}: step {step + 1}: loss {float(total) / sums['count']:.4g}, gradient norm {norm:.4g}: not finite; "
                              "lower optim.lr or look at the step's data with `aquilamed show --tokens`")
    rate = learning_rate(step, order.steps, job.optim)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    shown = {name: sums[name] / sums["count"] for name in sums if name not in ("count", "tokens", "asked")}
    return {"loss": float(total) / sums["count"], "lr": rate, "grad_norm": norm, "count": sums["count"], "tokens": sums["tokens"], "asked": sums["asked"], **shown}


def learning_rate(step: int, steps: int, optim: Optim) -> float:
    """Rate of 0-based `step`: linear up to `lr`, then half a cosine down to 0."""
    warm = math.ceil(optim.warmup * steps)
    if step < warm:
        return optim.lr * (step + 1) / warm
    return optim.lr * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(steps - warm, 1)))


def make_optimizer(network, optim: Optim) -> torch.optim.AdamW:
    """AdamW with weight decay on matrices only."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": optim.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=optim.lr, betas=(0.9, optim.beta2), fused=True)


def _judge(job: Job, state: dict, metrics: "_Metrics") -> None:
    """Held-out loss after an epoch; remember the weights if it is the best so far."""
    loss = job.validate()
    state["history"].append(loss)
    if loss <= min(state["history"]):
        state["best"] = len(state["history"])
        keep = job.optim.epochs > 1
        state["best_weights"] = {name: value.clone() for name, value in checkpoint.trained_state(job.network).items()} if keep else None
    metrics.note({"step": state["step"], "heldout_loss": loss})
    job.network.train()


class _Saver:
    """Checkpoints every so many seconds and on SIGTERM."""

    def __init__(self, job: Job, optimizer, state: dict):
        self.job, self.optimizer, self.state = job, optimizer, state
        self.saved, self.asked = time.monotonic(), False

    def __enter__(self):
        try:
            self.old = signal.signal(signal.SIGTERM, self._ask)
        except ValueError:          # not the main thread: no signal reaches us
            self.old = None
        return self

    def __exit__(self, *_):
        if self.old is not None:
            signal.signal(signal.SIGTERM, self.old)

    def _ask(self, *_):
        self.asked = True

    def maybe(self, *, last: bool) -> None:
        if last or self.asked or time.monotonic() - self.saved > self.job.optim.save_seconds:
            extra = {key: value for key, value in self.state.items() if key != "step"}
            checkpoint.save(self.job.out / "checkpoints", self.state["step"], self.job.network, self.optimizer, extra)
            self.saved = time.monotonic()
        if self.asked:
            raise KeyboardInterrupt


class _Metrics:
    """metrics.jsonl: a line a step; lines past the step that training resumes from are dropped."""

    def __init__(self, path: Path, step: int):
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        kept = [line for line in lines if line.endswith("}") and json.loads(line)["step"] <= step]
        path.write_text("".join(line + "\n" for line in kept), encoding="utf-8")
        self.path, self.last_loss = path, None

    def __enter__(self):
        self.file = self.path.open("a", encoding="utf-8")
        return self

    def __exit__(self, *_):
        self.file.close()

    def add(self, state: dict, figures: dict, seconds: float) -> None:
        self.last_loss = figures["loss"]
        peak = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        self.note({"step": state["step"], **figures, "tokens_seen": state["tokens"], "tokens_per_s": round(figures["tokens"] / seconds, 2), "peak_bytes": peak})

    def note(self, row: dict) -> None:
        self.file.write(json.dumps(row) + "\n")
        self.file.flush()
