"""Makes what a recipe's steps have not made yet.

A stage is a module with three public names; nothing is registered anywhere:

    VERSION: int      raised by hand when equal settings give other output
    class Config      frozen keyword-only dataclass
    def run(config, inputs: Mapping[str, Path], out: Path, engine) -> Counts

and, where needed, two more: `files(config) -> list[Path]`, the files outside the run folder that it reads (their bytes
become part of the identity), and `RESUMES = True`, where a killed run is continued instead of begun again.
"""

import contextlib
import dataclasses
import importlib
import inspect
import json
import os
import platform
import re
import runpy
import shutil
import subprocess
import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

import aquilamed
from aquilamed.core import config as settings
from aquilamed.core import manifest, pace
from aquilamed.core.errors import AquilamedError, ConfigError, StaleOutput
from aquilamed.core.sources.remote import Remote


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """One numbered folder of a run."""

    name: str
    """Unique in the recipe; part of the folder's name."""
    stage: str
    """Module path below the package: `corpus.rules`."""
    config: object
    """The stage's `Config`."""
    inputs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Input name -> an earlier step's name, `step/part` for a part of its folder, or `path:FOLDER` for one outside."""
    paper: str = "ours"
    """The paper's section, or `ours`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """An ordered list of steps; what a recipe file's `recipe()` returns."""

    name: str
    steps: tuple[Step, ...]
    about: str = ""
    """One line shown by `plan` and on the report."""

    def __post_init__(self):
        made: list[str] = []
        for name in (self.name, *(step.name for step in self.steps)):
            settings.check(re.fullmatch(r"\w[\w.-]*", name) is not None, f"{name!r}: a recipe's and a step's name become a folder's: letters, digits, '-', '_' and '.' alone")
        for step in self.steps:
            settings.check(step.name not in made, f"step {step.name!r} stands twice in the recipe {self.name!r}")
            for key, value in step.inputs.items():
                source = value.partition("/")[0]
                settings.check(value.startswith("path:") or source in made,
                               f"step {step.name!r}: input {key!r} names {source!r}, which no earlier step makes{settings.nearest(source, made)}")
            made.append(step.name)

    def numbered(self, home: Path) -> list[tuple[Step, Path]]:
        """Each step with its folder."""
        return [(step, home / self.name / f"{number:02d}-{step.name}") for number, step in enumerate(self.steps, start=1)]

    def with_settings(self, assignments: Sequence[str]) -> "Recipe":
        """Apply `step.field=value` overrides, those of a step together: what some of them ask for others may give, in any order.

        Raises:
            ConfigError: an unknown step or field (the nearest name is offered) or a value that does not fit.
        """
        steps = {step.name: step for step in self.steps}
        wanted: dict[str, dict[str, str]] = defaultdict(dict)
        for assignment in assignments:
            target, equals, value = assignment.partition("=")
            name, dot, key = target.partition(".")
            settings.check(bool(equals and dot), f"--set {assignment}: expected step.field=value")
            settings.check(name in steps, f"--set {assignment}: no step {name!r}{settings.nearest(name, steps)}")
            wanted[name][key] = value
        for name, values in wanted.items():
            try:
                steps[name] = dataclasses.replace(steps[name], config=settings.override(steps[name].config, values))
            except ConfigError as error:
                given = " ".join(f"--set {name}.{key}={value}" for key, value in values.items())
                raise ConfigError(f"{given}: step {name!r}: {error}") from error
        return dataclasses.replace(self, steps=tuple(steps.values()))

    def allowing_uncertified(self) -> "Recipe":
        """Let every training step take data that no certificate vouches for."""
        holders = [step.name for step in self.steps if "allow_uncertified" in {field.name for field in dataclasses.fields(step.config)}]
        return self.with_settings([f"{name}.allow_uncertified=true" for name in holders])


def load(path: Path) -> Recipe:
    """The recipe that `path` describes: a Python file with `def recipe() -> Recipe`.

    Raises:
        ConfigError: no such file, no `recipe()`, or it fails; the line is named.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: no such recipe file")
    try:
        with _beside(path):
            make_recipe = runpy.run_path(str(path)).get("recipe")
            made = make_recipe() if callable(make_recipe) else None
    except AquilamedError as error:
        raise ConfigError(f"{_place(path, error)}: {error}") from error
    except (SyntaxError, TypeError, NameError, AttributeError, ImportError, ValueError, LookupError) as error:
        raise ConfigError(f"{_place(path, error)}: {type(error).__name__}: {error}{'; is a comma missing after the only one of a list?' if 'is not iterable' in str(error) else ''}{_reads(path, error)}") from error
    settings.check(callable(make_recipe), f"{path}: needs a function recipe() that returns a Recipe")
    settings.check(isinstance(made, Recipe), f"{path}: recipe() returned {type(made).__name__}, expected a Recipe")
    return made


def _place(path: Path, error: Exception) -> str:
    """`recipes/own.py, line 12`: where in the recipe, or in one beside it that it imports, `error` came up."""
    frames = _frames(path, error)
    return f"{path.with_name(Path(frames[-1].filename).name)}, line {frames[-1].lineno}" if frames else str(path)


def _reads(path: Path, error: Exception) -> str:
    """What stands in that line: Python's own errors don't say which of many `Config` they mean."""
    frames = _frames(path, error)
    return f", in: {frames[-1].line}" if frames else ""


def _frames(path: Path, error: Exception) -> list[traceback.FrameSummary]:
    """Those of `error` in the recipe's folder, the innermost last."""
    return [frame for frame in traceback.extract_tb(error.__traceback__) if (file := Path(frame.filename)).is_file() and file.resolve().parent == path.resolve().parent]


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[None]:
    """Let a recipe import the recipes in its own folder."""
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def stage_of(step: Step):
    """The step's stage module, checked.

    Raises:
        ConfigError: no such stage, or a config of another stage.
    """
    try:
        module = importlib.import_module(f"aquilamed.{step.stage}")
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("aquilamed"):
            raise ConfigError(f"step {step.name!r}: stage {step.stage} needs the package {error.name}; see the README's set-up") from error
        raise ConfigError(f"step {step.name!r}: there is no stage {step.stage!r}") from error
    settings.check(isinstance(step.config, module.Config), f"step {step.name!r}: config is not {step.stage}.Config")
    return module


def select(recipe: Recipe, first: str, last: str) -> tuple[int, int]:
    """Indices of the first and last step to make; all of them where the names are empty."""
    names = [step.name for step in recipe.steps]
    for name in filter(None, (first, last)):
        settings.check(name in names, f"no step {name!r}{settings.nearest(name, names)}")
    return (names.index(first) if first else 0), (names.index(last) if last else len(names) - 1)


def run(recipe: Recipe, home: Path, engine, say: Callable[[str], None], *, first: str = "", last: str = "", replace: bool = False) -> None:
    """Make every step from `first` to `last` that is not made already; say one line a step.

    Raises:
        StaleOutput: a finished step has other settings or inputs, and `replace` is False.
        FolderBusy: another process runs this recipe here.
    """
    low, high = select(recipe, first, last)
    for step in recipe.steps[low:high + 1]:
        files_of(step)                      # a stage or file that is missing is told now, not after hours of earlier steps
    with manifest.lock(home / recipe.name):
        for index, (step, out) in enumerate(recipe.numbered(home)):
            if index > high:
                break
            if index < low:
                settings.check(manifest.read(out) is not None, f"--from {first}: the earlier step {step.name!r} is not made yet")
                continue
            made = manifest.read(out)
            identity = identity_of(recipe, step, home)
            if replace and made and made["fingerprint"] != identity.fingerprint:
                move_aside(out)
            if manifest.is_done(out, identity):
                say(f"{out.name}: up to date")
                continue
            say(f"{out.name} …")
            body = make(recipe, step, identity, home, out, engine)
            say(f"{out.name}: {summary(body)}")


def make(recipe: Recipe, step: Step, identity: manifest.Identity, home: Path, out: Path, engine) -> dict:
    """Run one step and seal it; whatever an earlier, killed try left is removed or, where the stage resumes, kept."""
    module = stage_of(step)
    _clear(out, identity, keep=getattr(module, "RESUMES", False))
    manifest.begin(out, identity)
    began = time.monotonic()
    if together() and getattr(module, "TOGETHER", False):
        from aquilamed.train import ranks
        ranks.tell(step.name)
    with pace.heard_by(engine.tell):
        counts = module.run(step.config, input_paths(recipe, step, home), out, engine)
    return manifest.seal(out, identity, counts, step=step.name, paper=step.paper,
                         seconds=time.monotonic() - began, provenance={**provenance(engine), "input_paths": input_names(recipe, step, home)})


def together() -> bool:
    """Whether torchrun started this process beside others."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def follow(recipe: Recipe, home: Path, engine) -> None:
    """What every rank but the first does: wait for the steps that all ranks make, and make them with it."""
    from aquilamed.train import ranks
    folders = {step.name: (step, out) for step, out in recipe.numbered(home)}
    while name := ranks.heard():
        step, out = folders[name]
        stage_of(step).run(step.config, input_paths(recipe, step, home), out, engine)


def identity_of(recipe: Recipe, step: Step, home: Path) -> manifest.Identity:
    """What the step's output would be made from.

    Raises:
        ConfigError: an input is not made yet.
    """
    module = stage_of(step)
    inputs = {name: _digest(path) for name, path in input_paths(recipe, step, home).items()}
    for path in files_of(step):
        short, whole = f"file:{path.name}", f"file:{path.url if isinstance(path, Remote) else path.as_posix()}"
        inputs[whole if short in inputs else short] = path.digest if isinstance(path, Remote) else _digest(path)  # two folders may hold a train.jsonl each
    return manifest.Identity(stage=step.stage, version=module.VERSION, config=step.config, inputs=inputs)


def files_of(step: Step) -> list[Path | Remote]:
    """What the step reads outside the run.

    Raises:
        ConfigError: it is not there, or there is no such stage.
    """
    module = stage_of(step)
    try:
        found = module.files(step.config) if "files" in vars(module) else []
    except AquilamedError as error:
        raise ConfigError(f"step {step.name!r}: {error}") from error
    for path in found:
        settings.check(isinstance(path, Remote) or path.exists(), f"step {step.name!r}: {path}: not there")
    return found


class Inputs(dict):
    """Input name -> folder; a name that the stage asks for and the recipe does not give is a mistake in the recipe."""

    def __init__(self, step: str):
        super().__init__()
        self.step = step

    def __missing__(self, name: str):
        raise ConfigError(f"step {self.step!r}: its stage needs an input {name!r}{settings.nearest(name, self) if self else ''}; name it in inputs=")


def input_paths(recipe: Recipe, step: Step, home: Path) -> Inputs:
    """Input name -> folder."""
    folders = {made.name: folder for made, folder in recipe.numbered(home)}
    found = Inputs(step.name)
    for key, value in step.inputs.items():
        name, _, rest = value.partition("/")
        found[key] = Path(value[5:]) if value.startswith("path:") else folders[name] / rest
    return found


def input_names(recipe: Recipe, step: Step, home: Path) -> dict[str, str]:
    """Input name -> folder, as the manifest records it."""
    return {name: path.as_posix() for name, path in input_paths(recipe, step, home).items()}


def move_aside(out: Path) -> Path:
    """Rename `out` to the first free `NN-step.old-K`."""
    number = 1
    while (aside := out.with_name(f"{out.name}.old-{number}")).exists():
        number += 1
    return out.rename(aside)


def summary(body: dict) -> str:
    """`1,200 in, 1,100 out, dropped 100 (too_short 60, symbols 40), 3 s` of a manifest, and a line for each warning in its notes."""
    counts = body["counts"]
    reasons = ", ".join(f"{reason} {n:,}" for reason, n in sorted(counts["dropped"].items(), key=lambda item: -item[1]))
    dropped = f", dropped {sum(counts['dropped'].values()):,} ({reasons})" if reasons else ""
    warnings = "".join(f"\n  warning: {line}" for line in body["notes"].get("warnings", ()))
    return f"{counts['in']:,} in, {counts['out']:,} out{dropped}, {body['seconds']:.0f} s{warnings}"


def provenance(engine) -> dict:
    """Where and with what a step was made; recorded, never hashed."""
    packages = {}
    for name in ("aquilamed", "torch", "transformers", "pyarrow", "numpy", "numba", "peft", "liger-kernel"):
        try:
            packages[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            packages[name] = aquilamed.__version__ if name == "aquilamed" else ""
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "cores": len(os.sched_getaffinity(0)), "engine": engine.name, "workers": engine.workers,
        "python": platform.python_version(), "machine": platform.machine(), "packages": packages, "git": _commit(),
    }


def _clear(out: Path, identity: manifest.Identity, *, keep: bool) -> None:
    """Remove an unfinished try, unless it is of equal settings and can be continued: the stage resumes, or passes over shards were begun."""
    if not out.exists():
        return
    begun = out / manifest.IDENTITY
    old = json.loads(begun.read_text(encoding="utf-8")) if begun.exists() else None
    if (keep or (out / manifest.PASSES).exists()) and old == settings.as_json(identity):
        for half in out.rglob("*.partial"):
            half.unlink()
        return
    if keep and old and (out / "checkpoints").exists():
        changed = "\n".join(f"  {line}" for line in manifest.differences(old, settings.as_json(identity)))
        raise StaleOutput(f"{out} holds an unfinished run with other settings:\n{changed}\n"
                          f"Go back to those settings to continue it, or remove the folder to begin again.")
    shutil.rmtree(out)


def _digest(path: Path) -> str:
    """The digest of a sealed folder (of the step that `path` is or lies in), or of the bytes of a file or folder outside."""
    for folder in (path, *path.parents[:2]):
        if (body := manifest.read(folder)) is not None:
            return body["digest"]
    if path.is_file():
        return manifest.file_sha256(path)
    if path.is_dir() and not (path / manifest.IDENTITY).exists():
        names = {p.relative_to(path).as_posix(): manifest.file_sha256(p) for p in sorted(path.rglob("*")) if p.is_file()}
        return manifest.sha256(settings.canonical_json(names).encode())
    raise ConfigError(f"{path}: not there, or its step has not finished")


def _commit() -> str:
    where = Path(inspect.getfile(aquilamed)).parent
    try:
        done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=where, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


__all__ = ["AquilamedError", "Recipe", "Step", "load", "run"]
