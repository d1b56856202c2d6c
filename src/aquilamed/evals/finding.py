"""Where answers lie: in a scored step's folder, or in the folder of the run that holds it."""

from pathlib import Path

from aquilamed.core import manifest
from aquilamed.core.config import check
from aquilamed.evals.results import ANSWERS


def scored_steps(folder: Path) -> list[Path]:
    """`folder` itself where it holds answers, else the finished steps in it that do, by number.

    Raises:
        ConfigError: there are none.
    """
    check(folder.is_dir(), f"{folder}: no such folder; give a folder of `aquilamed eval`, a step of evals.score, or a run's folder")
    if (folder / ANSWERS).exists():
        return [folder]
    inside = sorted(path for path in folder.iterdir() if (path / ANSWERS).exists() and ".old-" not in path.name)
    found = [path for path in inside if manifest.read(path) is not None]
    half = f" ({', '.join(path.name for path in inside)} was begun and not finished: run the same command again)" if inside else ""
    check(bool(found), f"{folder}: holds no {ANSWERS}{half}; give a folder of `aquilamed eval`, a step of evals.score, or a run's folder")
    return found


def scored_step(folder: Path) -> Path:
    """The one folder with answers that `folder` means.

    Raises:
        ConfigError: it holds none, or several; they are named.
    """
    found = scored_steps(folder)
    check(len(found) == 1, f"{folder}: holds the answers of {len(found)} models; give one of {', '.join(str(path) for path in found)}")
    return found[0]
