"""Warnings while a model trains: a loss that jumps, chosen answers that become less likely, sampled answers that grow, shrink or lose their variety.

They follow from the figures of metrics.jsonl alone, so that a run that was broken off warns as a whole one does.
"""

import statistics
from collections import deque
from collections.abc import Iterable, Mapping

WINDOW, LEAST = 50, 20
"""Steps that a figure is compared with: at most, and at least."""
SPIKE = 6.0
"""Standard deviations above the mean of the window from which a loss has jumped. ours"""
HIGHER = 1.1
"""And so many times the mean: where a loss hardly moves, six deviations are nothing."""
FALL = 20.0
"""Nats by which the chosen answers have become less likely, mean over `LEAST` steps, from which DPO forgets rather than prefers. ours"""

DRIFT = 2.0
"""How many times as long or as short as before training sampled answers are in DPO when they have drifted: it should change what is said, not how much. ours"""
COLLAPSE = 0.2
"""Share of the sampled answers' entropy before training, below which the model says the same whatever the chance. ours"""


class Watch:
    """What the steps so far gave cause for."""

    def __init__(self, rows: Iterable[Mapping] = ()):
        self.losses: deque[float] = deque(maxlen=WINDOW)
        self.gains: deque[float] = deque(maxlen=LEAST)
        self.first: Mapping = {}
        """What was sampled before training."""
        self.prefers = False
        """Whether it is DPO that trains."""
        self.quiet: dict[str, int] = {}
        """Kind of alarm -> the step before which it is not given again."""
        self.alarms: list[str] = []
        for row in rows:
            self.look(row)

    def look(self, row: Mapping) -> list[str]:
        """The alarms of one line of metrics.jsonl."""
        self.prefers |= "margin" in row
        said = {"spike": self._spike(row), "fall": self._fall(row), "drift": self._drift(row), "collapse": self._collapse(row)}
        found = [alarm for kind, text in said.items() if text and (alarm := self._given(kind, row["step"], text))]
        if "sampled_entropy" in row and not self.first:
            self.first = row
        self.alarms += found
        return found

    def _spike(self, row: Mapping) -> str:
        if "loss" not in row:
            return ""
        before, loss = list(self.losses), row["loss"]
        self.losses.append(loss)
        if len(before) < LEAST:
            return ""
        mean, spread = statistics.fmean(before), statistics.pstdev(before)
        jumped = loss > mean + SPIKE * spread and loss > HIGHER * mean
        return f"the loss jumped to {loss:.4g}, {mean:.4g} before; look at the step's data with `aquilamed show --tokens`, or lower optim.lr" if jumped else ""

    def _fall(self, row: Mapping) -> str:
        if "chosen_logp_change" not in row:
            return ""
        self.gains.append(row["chosen_logp_change"])
        mean = statistics.fmean(self.gains)
        fell = len(self.gains) == LEAST and mean < -FALL
        return f"chosen answers are {-mean:.3g} nats less likely than under the reference; lower optim.lr, raise beta, or set anchor" if fell else ""

    def _drift(self, row: Mapping) -> str:
        if "sampled_tokens" not in row or not self.first or not self.prefers:
            return ""
        before, now = self.first["sampled_tokens"], row["sampled_tokens"]
        drifted = not before / DRIFT < now < before * DRIFT
        return f"sampled answers have {now:.3g} tokens, {before:.3g} before training; see samples.jsonl, set per_token, or match the lengths of the pairs" if drifted else ""

    def _collapse(self, row: Mapping) -> str:
        if "sampled_entropy" not in row or not self.first:
            return ""
        before, now = self.first["sampled_entropy"], row["sampled_entropy"]
        return f"the entropy of sampled answers fell from {before:.3g} to {now:.3g} nats a token; see samples.jsonl, lower optim.lr, or train fewer epochs" if now < COLLAPSE * before else ""

    def _given(self, kind: str, step: int, text: str) -> str:
        if step < self.quiet.get(kind, 0):
            return ""
        self.quiet[kind] = step + WINDOW
        return f"step {step}: {text}"
