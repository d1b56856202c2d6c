"""Settings that every training stage shares."""

import dataclasses
from typing import Literal

from aquilamed.core.config import NEUTRAL, check


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lora:
    """Low-rank adapters; merged into the weights at the end of the step."""

    rank: int = 16
    """Rank of each adapter. ours: peft's usual order of size"""
    alpha: float = 32.0
    """Scale; the adapter's output is multiplied by alpha / rank."""
    dropout: float = 0.0
    """Share of adapter inputs dropped, 0..1."""
    bits: int = 0
    """4 or 8: the frozen weights are held in so many bits while the adapters are trained on them (NF4: Dettmers et al. 2023, arXiv 2305.14314; LLM.int8: arXiv
    2208.07339), on one device; they are merged into the whole weights. 0: as they are. ours"""
    export: bool = False
    """Whether the adapters are also saved by themselves, as peft reads them, in the step's `adapters` folder. ours"""

    def __post_init__(self):
        check(self.rank > 0, f"lora.rank={self.rank}: expected 1 or more")
        check(0 <= self.dropout < 1, f"lora.dropout={self.dropout}: expected 0..1")
        check(self.bits in (0, 4, 8), f"lora.bits={self.bits}: expected 0, 4 or 8")


TRACKERS = ("tensorboard", "trackio", "wandb")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Watching:
    """How a training step can be looked at; changes no result."""

    trackers: tuple[str, ...] = ()
    """Where the figures of metrics.jsonl go besides: `tensorboard` (files in the step's `tracked` folder), `trackio` (on this machine), `wandb` (leaves it, unless
    WANDB_MODE=offline). Neither texts nor sampled answers are sent."""
    sample_every: int = 0
    """Steps after which the model answers the fixed questions of `train.sampling` in both languages, into samples.jsonl, and before the first; 0: never. ours"""
    sample_tokens: int = 64
    """Most tokens of such an answer, 1 or more. ours"""

    def __post_init__(self):
        for name in self.trackers:
            check(name in TRACKERS, f"watch.trackers: {name!r}: expected one of {', '.join(TRACKERS)}")
        check(self.sample_every >= 0 and self.sample_tokens > 0, "watch.sample_every: expected 0 or more; watch.sample_tokens: 1 or more")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Optim:
    """The optimizer, its schedule and its batch."""

    lr: float
    """Peak learning rate."""
    batch: int
    """Units a step: windows of `length` tokens in pre-training, conversations in SFT, pairs in DPO."""
    batch_tokens: int = 0
    """Tokens a step, at least the longest unit's, in place of `batch`: every step of an epoch takes about as many; 0: `batch` counts units. ours"""
    length: int
    """Longest sequence, tokens. paper: 4096 in CPT, 2048 in SFT"""
    epochs: int = 1
    """Passes over the data."""
    warmup: float = 0.05
    """Share of the steps, 0..1, over which the rate rises linearly from 0. paper 2.1.3"""
    schedule: Literal["cosine", "linear", "wsd"] = "cosine"
    """How the rate falls to 0 after the warm-up: by half a cosine, linearly, or not before the last `decay` of the steps (warm-up, stable, decay;
    Hu et al. 2024, arXiv 2404.06395). paper 2.1.3: cosine"""
    decay: float = 0.2
    """Share of the steps, 0..1, over which `wsd` falls linearly to 0. ours: a tenth or more sufficed there"""
    weight_decay: float = 0.1
    """Of matrices only. paper 2.2.2"""
    beta2: float = 0.95
    """Second-moment decay of AdamW; the first is 0.9. ours: usual for language models"""
    clip: float = 1.0
    """Largest global gradient norm. ours: usual for language models"""
    dropout: float = 0.0
    """Share of attention weights dropped, 0..1. paper 2.2.2: 0.1 in SFT"""
    micro_tokens: int = 0
    """Tokens of one forward pass; changes memory and speed, never the result. 0: `length` on GPU, 512 on CPU."""
    recompute: bool = False
    """Whether a layer's activations are computed again in the backward pass instead of kept: a third more arithmetic, a fraction of the memory, the same result. ours"""
    offload: bool = False
    """With several ranks: weights, gradients and moments lie in CPU memory and come to the GPU a layer at a time; slower, for what fits no other way. ours"""
    compile: bool = False
    """Whether the layers are compiled (torch.compile): half a minute at the start, then a tenth less memory on a CPU at the same speed (`benchmarks/results/training.json`), which
    needs a C++ compiler for it; the same result but for rounding. ours"""
    attention: Literal["sdpa", "flex"] = "sdpa"
    """`flex`, on a GPU alone: FlexAttention, which leaves out the blocks of a pack that nobody sees, and needs no mask of the length's square. ours: not yet the default, for
    no GPU was at hand to measure it on"""
    mode: Literal["full", "lora"] = "full"
    """Train all weights, or adapters."""
    lora: Lora = Lora()
    """Used where `mode` is lora."""
    judge_every: int = 0
    """Steps after which the held-out records are scored, where a step of a recipe is given any; 0: after each epoch. The best weights are what the step ends with. paper 2.2.2"""
    patience: int = 0
    """Held-out scores in a row that are no better than the best, after which training ends; 0: it goes on to the end. ours"""
    watch: Watching = dataclasses.field(default=Watching(), metadata=NEUTRAL)
    """How the step can be looked at while it trains."""
    save_seconds: float = dataclasses.field(default=180.0, metadata=NEUTRAL)
    """Time between checkpoints; changes no result."""
    keep_checkpoints: int = dataclasses.field(default=1, metadata=NEUTRAL)
    """The newest that are kept while a step trains, 1 or more; none is after it. ours"""
    seed: int = 1
    """Of the data order, dropout and adapter initialisation."""

    def __post_init__(self):
        check(self.lr > 0, f"lr={self.lr}: expected more than 0")
        check(self.batch > 0 and self.epochs > 0, f"batch={self.batch}, epochs={self.epochs}: expected 1 or more")
        check(min(self.batch_tokens, self.judge_every, self.patience) >= 0, "batch_tokens, judge_every, patience: expected 0 or more")
        check(self.length >= 8, f"length={self.length}: expected 8 or more tokens")
        check(0 <= self.warmup < 1, f"warmup={self.warmup}: expected a share of the steps, 0..1")
        check(0 < self.decay <= 1, f"decay={self.decay}: expected a share of the steps above 0, up to 1")
        check(self.schedule != "wsd" or self.warmup + self.decay <= 1, f"warmup={self.warmup}, decay={self.decay}: together more than all steps")
        check(0 <= self.dropout < 1, f"dropout={self.dropout}: expected 0..1")
        check(self.keep_checkpoints >= 1, f"keep_checkpoints={self.keep_checkpoints}: expected 1 or more")
        check(self.save_seconds > 0, f"save_seconds={self.save_seconds}: expected more than 0")
