"""Where a training step's figures go besides metrics.jsonl: TensorBoard's files, and the services that a recipe names."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from aquilamed.core.errors import ModelUnavailable

FOLDER = "tracked"
PROJECT = "aquilamed"


class Trackers:
    """All those of a step; a line is for each of them the figures of one optimizer step."""

    def __init__(self, names: Sequence[str], out: Path, step: int):
        """`step` is what training goes on from: what was told of later ones is taken back where that is possible.

        Raises:
            ModelUnavailable: a tracker's package is not installed.
        """
        self.sinks = [OPENED[name](out, step) for name in names]

    def close(self) -> None:
        for _, close in self.sinks:
            close()

    def add(self, row: Mapping) -> None:
        figures = {name: value for name, value in row.items() if name != "step" and isinstance(value, int | float)}
        for log, _ in self.sinks:
            log(figures, row["step"])


Sink = tuple[Callable[[dict, int], None], Callable[[], None]]
"""What takes the figures of a step, and what ends it."""


def _tensorboard(out: Path, step: int) -> Sink:
    writer = _package("tensorboard", "torch.utils.tensorboard").SummaryWriter(out / FOLDER / "tensorboard", purge_step=step + 1)

    def log(figures: dict, at: int) -> None:
        for name, value in figures.items():
            writer.add_scalar(name, value, at)
        writer.flush()
    return log, writer.close


def _wandb(out: Path, step: int) -> Sink:
    (out / FOLDER).mkdir(exist_ok=True)
    run = _package("wandb", "wandb").init(project=PROJECT, group=out.parent.name, name=f"{out.parent.name}/{out.name}", dir=out / FOLDER)
    return lambda figures, at: run.log(figures, step=at), run.finish


def _trackio(out: Path, step: int) -> Sink:
    run = _package("trackio", "trackio").init(project=PROJECT, group=out.parent.name, name=f"{out.parent.name}-{out.name}", resume="allow", auto_log_gpu=False, auto_log_cpu=False)
    return lambda figures, at: run.log(figures, step=at), run.finish


def _package(name: str, module: str):
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ModelUnavailable(f"optim.watch.trackers names {name}, which is not installed: pip install {name}") from error


OPENED = {"tensorboard": _tensorboard, "trackio": _trackio, "wandb": _wandb}
