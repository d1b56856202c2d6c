"""What a training step says of itself: metrics.jsonl, alarms, the recipe's trackers, and the command line."""

import json
import time
from pathlib import Path

import torch

from aquilamed.core.pace import Progress, Tell
from aquilamed.train import alarms, allocator, ranks
from aquilamed.train.settings import Watching
from aquilamed.train.trackers import Trackers

FILE = "metrics.jsonl"


class Metrics:
    """Written by rank 0, a line a step; lines past the step that training goes on from are dropped."""

    def __init__(self, out: Path, watching: Watching, step: int, steps: int, pace: float, tell: Tell):
        self.path, self.pace, self.steps, self.tell = out / FILE, pace, steps, tell
        self.began, self.before, self.last_loss, self.file, self.watch, self.trackers = time.monotonic(), step, None, None, alarms.Watch(), Trackers((), out, step)
        if ranks.rank():
            return
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        kept = [line for line in lines if line.endswith("}") and json.loads(line)["step"] <= step]
        self.path.write_text("".join(line + "\n" for line in kept), encoding="utf-8")
        self.watch = alarms.Watch(map(json.loads, kept))
        self.trackers = Trackers(watching.trackers, out, step)

    def __enter__(self):
        self.file = self.path.open("a", encoding="utf-8") if ranks.rank() == 0 else None
        return self

    def __exit__(self, *_):
        self.trackers.close()
        if self.file:
            self.file.close()

    def add(self, state: dict, figures: dict, seconds: float) -> None:
        """The figures of one optimizer step, which took so many seconds."""
        self.last_loss = figures["loss"]
        peak = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else allocator.peak_bytes()
        share, rate = round(figures.pop("flops") / seconds / self.pace, 4), round(figures["tokens"] / seconds, 2)
        self.note({"step": state["step"], **figures, "tokens_seen": state["tokens"], "tokens_per_s": rate, "model_flops_share": share, "peak_bytes": peak})
        self.tell(Progress(state["step"], self.steps, time.monotonic() - self.began, "steps", self.before, f"loss {figures['loss']:.4g}, {rate:,.0f} tokens/s"))

    def sampled(self, step: int, figures: dict) -> None:
        """The figures of the fixed questions' answers."""
        self.note({"step": step, **figures})

    def note(self, row: dict) -> None:
        """A line, and an alarm's after it where there is cause."""
        if not self.file:
            return
        for line in (row, *({"step": row["step"], "alarm": alarm} for alarm in self.watch.look(row))):
            self.file.write(json.dumps(line) + "\n")
        self.file.flush()
        self.trackers.add(row)
