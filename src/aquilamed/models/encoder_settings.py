"""How an encoder reads and is fine-tuned; apart from `models.encoder`, so that a recipe needs no torch to say it."""

import dataclasses

from aquilamed.core.config import check


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """How an encoder reads, and how it is fine-tuned. The paper's: batch 64 and 2e-5 (domain), batch 128 and 3e-4 (quality), 10 epochs."""

    max_tokens: int = 512
    """Tokens read of a text, from 8; the rest is not looked at. ours: what BERT can hold"""
    lr: float = 2e-5
    """Peak learning rate, above 0; linear warm-up, then linear to 0. paper 2.1.1"""
    batch: int = 64
    """Texts an update, from 1. paper 2.1.1"""
    epochs: int = 10
    """Most passes over the seeds, from 1; the best one on the development seeds is kept. paper 2.1.1"""
    patience: int = 3
    """Epochs without a gain after which training ends, from 1. ours"""
    warmup: float = 0.1
    """Share of the updates, 0..1, over which the rate rises from 0. ours; the paper does not say"""
    weight_decay: float = 0.01
    """Of AdamW, from 0. ours; the paper does not say"""

    def __post_init__(self):
        check(self.max_tokens >= 8, f"max_tokens={self.max_tokens}: expected 8 or more")
        check(self.lr > 0, f"lr={self.lr}: expected more than 0")
        check(min(self.batch, self.epochs, self.patience) >= 1, "batch, epochs and patience: expected 1 or more")
        check(0 <= self.warmup <= 1 and self.weight_decay >= 0, "warmup: expected 0..1; weight_decay: 0 or more")
