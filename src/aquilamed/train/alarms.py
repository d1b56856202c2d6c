"""Warnings while a model trains: a loss that jumps, chosen answers that become less likely.

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


class Watch:
    """What the steps so far gave cause for."""

    def __init__(self, rows: Iterable[Mapping] = ()):
        self.losses: deque[float] = deque(maxlen=WINDOW)
        self.gains: deque[float] = deque(maxlen=LEAST)
        self.quiet: dict[str, int] = {}
        """Kind of alarm -> the step before which it is not given again."""
        self.alarms: list[str] = []
        for row in rows:
            self.look(row)

    def look(self, row: Mapping) -> list[str]:
        """The alarms of one step's figures."""
        found = [alarm for kind, text in (("spike", self._spike(row)), ("fall", self._fall(row))) if text and (alarm := self._given(kind, row["step"], text))]
        self.alarms += found
        return found

    def _spike(self, row: Mapping) -> str:
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

    def _given(self, kind: str, step: int, text: str) -> str:
        if step < self.quiet.get(kind, 0):
            return ""
        self.quiet[kind] = step + WINDOW
        return f"step {step}: {text}"
