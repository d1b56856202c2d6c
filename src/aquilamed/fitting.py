"""`aquilamed plan RECIPE --on 24xA100-40G`: tokens, steps, memory, time and disk of every training step on a machine, and what would fit where it does not.

What a step will meet is known where its input is made, follows from a mix's budget or a selection's size where they name one, and is else assumed; the
table says which.
"""

import dataclasses
import itertools
from pathlib import Path

from aquilamed.core import manifest
from aquilamed.core.config import check
from aquilamed.core.errors import ConfigError
from aquilamed.core.pace import duration
from aquilamed.pipeline import Recipe, Step
from aquilamed.train import data, flops, forecast, machines
from aquilamed.train.machines import Machine
from aquilamed.train.settings import Optim

TRAINS = {"train.pretrain": "documents", "train.sft": "conversations", "train.dpo": "preferences"}
"""Stage -> the input whose records it trains on."""
PER_RECORD = {"train.sft": 512, "train.dpo": 768}
"""Tokens of a conversation and of a pair, at most the step's `length`, where nothing is made yet. ours: an assumption"""
ASKED = {"train.pretrain": 1.0, "train.sft": 0.6, "train.dpo": 0.4}
"""Share of them that is trained. ours: an assumption"""
FULL = 0.95
"""Share of a device's memory that a plan may use."""


Steps = dict[str, tuple[Step, Path]]
"""Name -> a recipe's step and its folder."""


@dataclasses.dataclass(frozen=True)
class Load:
    """What a training step meets in an epoch."""

    units: float
    tokens: float
    origin: str
    """`made`, `budget`, or `assumed`: how far the numbers are known."""


def fit(recipe: Recipe, home: Path, machine: Machine, shape: Path) -> list[dict]:
    """One row for each training step: its load, its needs, its time on `machine`, whether it fits.

    Raises:
        ConfigError: there is no training step, or the model's shape is not known.
    """
    steps = {step.name: (step, folder) for step, folder in recipe.numbered(home)}
    trained = [name for name, (step, _) in steps.items() if step.stage in TRAINS]
    check(bool(trained), f"{recipe.name}: has no training steps to plan")
    source = shape if shape != Path() else _shape_of(recipe, steps)
    return [_row(name, steps, machine, source) for name in trained]


def _row(name: str, steps: Steps, machine: Machine, source: Path) -> dict:
    step, folder = steps[name]
    optim: Optim = step.config.optim
    load = _load(step, folder, steps)
    n_steps = max(1, round(load.tokens / optim.batch_tokens if optim.batch_tokens else load.units / optim.batch)) * optim.epochs
    judged = "heldout" in step.inputs and (optim.epochs > 1 or optim.judge_every > 0)
    need = _needs(source, optim, load, step.stage, machine, judged)
    network = forecast.empty(source, optim, on_gpu=machine.device.on_gpu)
    rate = machine.device.flops or flops.rate(network.config.get_text_config(), 512)
    seconds = (need.flops + need.extra_flops) / (machine.n * rate * machine.device.utilisation)
    fits = need.total <= FULL * machine.device.memory
    return {
        "folder": folder.name, "stage": step.stage, "parameters": need.n_params, "trained": need.n_trained, "tokens": round(load.tokens * optim.epochs), "units": round(load.units), "origin": load.origin,
        "steps": n_steps, "tokens_per_step": round(load.tokens * optim.epochs / n_steps), "memory": {part: round(value) for part, value in need.memory.items()}, "memory_total": round(need.total),
        "device_memory": round(machine.device.memory), "fits": fits, "seconds": round(seconds), "flops": need.flops, "utilisation": machine.device.utilisation, "disk": round(need.disk),
        "would_fit": [] if fits else _would_fit(source, optim, load, step.stage, machine, judged),
    }


def _needs(source: Path, optim: Optim, load: Load, stage: str, machine: Machine, judged: bool) -> forecast.Needs:
    return forecast.needs(forecast.empty(source, optim, on_gpu=machine.device.on_gpu), optim, load.tokens, asked_share=ASKED[stage], machine=machine, judged=judged)


def _would_fit(source: Path, optim: Optim, load: Load, stage: str, machine: Machine, judged: bool) -> list[str]:
    """Changes with which the step fits, the least of them first: single ones, then pairs, then more devices."""
    least = min(optim.length, 1024)
    singles = {"optim.recompute=true": {"recompute": True}, f"optim.micro_tokens={least}": {"micro_tokens": least}, "optim.mode=lora": {"mode": "lora"}}
    singles |= {"optim.offload=true": {"offload": True}} if machine.n > 1 else {}
    singles = {name: change for name, change in singles.items() if any(getattr(optim, key) != value for key, value in change.items())}
    fits = lambda change, on: _needs(source, dataclasses.replace(optim, **change), load, stage, on, judged).total <= FULL * on.device.memory  # noqa: E731
    for n in (1, 2, 3):
        found = [" ".join(names) for names in itertools.combinations(singles, n) if fits({key: value for name in names for key, value in singles[name].items()}, machine)]
        if found:
            return found
    if machine.name != machines.LAPTOP:
        for more in (2, 4, 8, 16, 32):
            if fits({"recompute": True}, dataclasses.replace(machine, n=machine.n * more)):
                return [f"optim.recompute=true on {machine.n * more} such devices"]
    return []


def _load(step: Step, folder: Path, steps: Steps) -> Load:
    optim, kind = step.config.optim, TRAINS[step.stage]
    trees = folder / data.FILE
    if trees.exists():
        units = data.Units(trees)
        return Load(len(units), float(units.sizes().sum()), "made")
    size, made = _upstream(step.inputs[kind], steps)
    if step.stage == "train.pretrain":
        check(size > 0, f"{step.name}: nothing says how many tokens it will train on: make the step before, or give its mix a budget_tokens")
        return Load(size / optim.length, float(size), made)
    check(size > 0, f"{step.name}: nothing says how many {kind} it will train on: make the step before, or name a max_records or max_pairs")
    return Load(size, size * float(min(PER_RECORD[step.stage], optim.length)), f"{made}, {min(PER_RECORD[step.stage], optim.length)} tokens each assumed")


def _upstream(name: str, steps: Steps) -> tuple[float, str]:
    """Records or budgeted tokens of the step `name` or of the first one before it that says."""
    while (found := steps.get(name.partition("/")[0])) is not None:
        step, done = found[0], manifest.read(found[1])
        for field in ("budget_tokens", "max_records", "max_pairs"):
            if getattr(step.config, field, 0):
                return float(getattr(step.config, field)), f"its {field}"
        if done and step.stage != "corpus.mix":
            return float(done["counts"]["out"]), "records made"
        name = next(iter(step.inputs.values()), "")
    return 0.0, ""


def _shape_of(recipe: Recipe, steps: Steps) -> Path:
    """Where the base model's settings are: the made step's folder, or what `models.prepare` names."""
    for step, folder in steps.values():
        if step.stage != "models.prepare":
            continue
        if (folder / "model" / "config.json").exists():
            return folder / "model"
        if step.config.source.startswith("embedded:"):
            from aquilamed.models import embedded
            return embedded.ensure(step.config.source.removeprefix("embedded:"))
        if Path(step.config.source).is_dir():
            return Path(step.config.source)
        raise ConfigError(f"{step.name}: {step.config.source} is not here, so its size is not known: name a config.json with --shape (recipes/shapes/7b.json is one)")
    raise ConfigError(f"{recipe.name}: no step of models.prepare names a base model; name a config.json with --shape")


def as_text(machine: Machine, rows: list[dict]) -> str:
    """The rows as a table, the memory of each by its parts, and a line for what does not fit."""
    measured = "" if machine.device.on_gpu else ", matrix products as measured on this machine"
    lines = [f"on {machine.name}: {machine.n} x {machine.device.memory / 1e9:.0f} GB, {machine.device.utilisation:.0%} of the matmul peak assumed{measured}", "",
             f"{'step':<22}{'parameters':>12}{'tokens':>10}{'steps':>9}{'a step':>10}{'memory':>10}{'time':>18}{'disk':>9}"]
    for row in rows:
        lines.append(f"{row['folder']:<22}{_short(row['parameters']):>12}{_short(row['tokens']):>10}{row['steps']:>9,}{_short(row['tokens_per_step']):>10}{row['memory_total'] / 1e9:>7.1f} GB"
                     f"{duration(row['seconds']):>18}{row['disk'] / 1e9:>6.0f} GB{'' if row['fits'] else '   does not fit'}")
        lines.append("    " + ", ".join(f"{part} {value / 1e9:.1f}" for part, value in row["memory"].items() if value >= 5e7) + f" GB; {row['origin']}")
    total = sum(row["seconds"] for row in rows)
    return "\n".join([*lines, "", f"together {duration(total)}"])


def refuse(machine: Machine, rows: list[dict]) -> None:
    """Raise where a step does not fit.

    Raises:
        ConfigError: with what would fit.
    """
    poor = [row for row in rows if not row["fits"]]
    if poor:
        said = [f"{row['folder']} needs {row['memory_total'] / 1e9:.1f} GB of a device's {row['device_memory'] / 1e9:.0f}; "
                + (f"would fit: {'; or '.join(row['would_fit'])}" if row["would_fit"] else "nothing that can be set makes it fit: take a smaller model or larger devices") for row in poor]
        raise ConfigError(f"the plan does not fit on {machine.name}: " + "\n  ".join(said))


def _short(number: float) -> str:
    for unit, size in (("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return f"{number:.0f}"
