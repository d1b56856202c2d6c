"""The one training loop: pre-training, SFT and DPO differ only in the units and the objective they pass."""

import dataclasses
import math
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch

from aquilamed.core.errors import TrainingStopped
from aquilamed.core.pace import Tell, silent
from aquilamed.train import allocator, checkpoint, data, flops, ranks
from aquilamed.train.heldout import Validate, gave_up
from aquilamed.train.metrics import Metrics
from aquilamed.train.objectives import Loss
from aquilamed.train.sampling import Sample
from aquilamed.train.settings import Optim
from aquilamed.tree import score


@dataclasses.dataclass
class Job:
    """What one training step of a recipe trains."""

    network: score.Scored
    """Sharded where several ranks train."""
    units: data.Units
    objective: Callable[..., Loss]
    optim: Optim
    out: Path
    validate: Validate | None = None
    """Asked after every epoch, or every so many steps; the best weights are what training ends with. paper 2.2.2"""
    sample: Sample | None = None
    """Asked before the first step and after every `optim.watch.sample_every`."""
    tell: Tell = silent
    """Hears of every step."""


def train(job: Job) -> dict:
    """Train to the end, from the newest checkpoint if there is one; return the figures for the manifest.

    Killing the process at any moment and calling again gives, bit for bit on a CPU, the weights of an unbroken run.

    Raises:
        TrainingStopped: a loss or gradient is not finite; the step is named and the last checkpoint is kept.
    """
    allocator.keep_freed_memory()
    order = data.ordered(job.units, job.optim)
    torch.manual_seed(job.optim.seed + ranks.rank())
    optimizer = make_optimizer(job.network, job.optim)
    state = checkpoint.load(job.out / "checkpoints", job.network, optimizer) or {"step": 0, "tokens": 0, "best": None, "best_weights": None, "history": []}
    saver = _Saver(job, optimizer, state)
    keep_gradients(job.network)
    pace = flops.peak(job.network.network, data.pack_length(job.network, job.optim)) * ranks.size()
    with Metrics(job.out, job.optim.watch, state["step"], order.steps, pace, job.tell) as metrics, saver:
        job.network.train()
        if job.sample and not state["step"]:
            metrics.sampled(0, job.sample(0))
        while state["step"] < order.steps and not gave_up(state["history"], job.optim.patience):
            began = time.monotonic()
            figures = one_step(job, optimizer, order, state["step"])
            state["step"] += 1
            state["tokens"] += figures["tokens"]
            metrics.add(state, figures, time.monotonic() - began)
            if job.validate and (state["step"] % (job.optim.judge_every or order.steps_per_epoch) == 0 or state["step"] == order.steps):
                _judge(job, state, metrics, order.steps)
            if job.sample and state["step"] % job.optim.watch.sample_every == 0:
                metrics.sampled(state["step"], job.sample(state["step"]))
            saver.maybe()
    if state["best_weights"] is not None:
        checkpoint.put(job.network, state["best_weights"])
    job.network.eval()
    optimizer.zero_grad(set_to_none=True)
    return {"steps": state["step"], "tokens": state["tokens"], "final_loss": metrics.last_loss, "heldout_loss": state["history"], "best_step": state["best"], "matmul_peak_flops": round(pace),
            **({"stopped_early": f"{job.optim.patience} held-out scores in a row no better than the best"} if state["step"] < order.steps else {}),
            **({"warnings": metrics.watch.alarms} if metrics.watch.alarms else {})}


def one_step(job: Job, optimizer, order: data.Order, step: int) -> dict:
    """Forward and backward over the step's packs, one division by the global count, one update."""
    optimizer.zero_grad(set_to_none=ranks.size() > 1)
    device, shape = ranks.device(job.network), flops.shape_of(job.network.network)
    found, counts, figures = list(data.packs(job.units, order.units(step), data.pack_length(job.network, job.optim))), Counter(), Counter()
    for (pack, trees), counted in ranks.share(found, data.shortest):
        loss = job.objective(job.network, pack, trees)
        (loss.total if counted else 0 * loss.total).backward()
        counts.update({name: n * counted for name, n in (("count", loss.count), ("tokens", len(pack)), ("asked", len(pack.at_L)), ("flops", shape.of(pack)))})
        figures.update({name: value.detach().double() * counted for name, value in {"loss": loss.total, **loss.figures}.items()})
    counts = {name: int(n) for name, n in ranks.sums(counts, torch.device("cpu")).items()}
    trained = [parameter for parameter in job.network.parameters() if parameter.grad is not None]
    for parameter in trained:
        parameter.grad /= counts["count"]
    norm = ranks.whole(torch.nn.utils.clip_grad_norm_(trained, job.optim.clip))
    shown = ranks.sums({**{name: value / counts["count"] for name, value in figures.items()}, "grad_norm": norm / ranks.size()}, device)
    if not (math.isfinite(shown["loss"]) and math.isfinite(shown["grad_norm"])):
        raise TrainingStopped(f"{job.out.name}: step {step + 1}: loss {shown['loss']:.4g}, gradient norm {shown['grad_norm']:.4g}: not finite; "
                              "lower optim.lr or look at the step's data with `aquilamed show --tokens`")
    rate = learning_rate(step, order.steps, job.optim)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    return {"loss": shown.pop("loss"), "lr": rate, "grad_norm": shown.pop("grad_norm"), **counts, **shown}


def keep_gradients(network: score.Scored) -> None:
    """Give every trained weight its gradient's memory, once for all steps; the embedding's rows that no token names then need not be added.

    Not where several ranks share the weights: FSDP2 keeps its own.
    """
    if ranks.size() > 1:
        return
    for parameter in network.parameters():
        if parameter.requires_grad and parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    network.network.get_input_embeddings().sparse = True


def learning_rate(step: int, steps: int, optim: Optim) -> float:
    """Rate of 0-based `step`: linear up to `lr`, then down to 0 as `schedule` says."""
    warm = math.ceil(optim.warmup * steps)
    if step < warm:
        return optim.lr * (step + 1) / warm
    if optim.schedule == "wsd":
        return optim.lr * min(1.0, (steps - step) / max(math.ceil(optim.decay * steps), 1))
    gone = (step - warm) / max(steps - warm, 1)
    return optim.lr * (1 - gone if optim.schedule == "linear" else 0.5 * (1 + math.cos(math.pi * gone)))


def make_optimizer(network, optim: Optim) -> torch.optim.AdamW:
    """AdamW with weight decay on matrices only."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": optim.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=optim.lr, betas=(0.9, optim.beta2), fused=True)


def _judge(job: Job, state: dict, metrics: Metrics, last: int) -> None:
    """Held-out loss; remember the weights if it is the best so far, unless they are those of the only time that it is asked."""
    loss = job.validate()
    state["history"].append(loss)
    if loss <= min(state["history"]):
        state["best"] = state["step"]
        keep = state["step"] < last
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

    def maybe(self) -> None:
        """Save where any rank finds that it is time; the ranks agree on it."""
        asked = ranks.any_of(self.asked)
        if asked or ranks.any_of(time.monotonic() - self.saved > self.job.optim.save_seconds):
            extra = {key: value for key, value in self.state.items() if key != "step"}
            checkpoint.save(self.job.out / "checkpoints", self.state["step"], self.job.network, self.optimizer, extra, keep=self.job.optim.keep_checkpoints)
            self.saved = time.monotonic()
        if asked:
            raise KeyboardInterrupt
