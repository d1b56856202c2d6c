"""`aquilamed plan`: what a recipe would do, with the settings it would do it with, and what is done already."""

from pathlib import Path

from aquilamed import pipeline
from aquilamed.core import manifest
from aquilamed.core.config import as_json
from aquilamed.core.errors import ConfigError, StaleOutput
from aquilamed.pipeline import Recipe, Step


def forecast(recipe: Recipe, home: Path, first: str = "", last: str = "") -> list[dict]:
    """One row a step from `first` to `last`: folder, stage, paper section, state (done, to make, stale), settings, counts where done, and `awaits`: which of
    the steps before it that it is made from are not done."""
    begin, end = pipeline.select(recipe, first, last)
    rows, open_steps = [], {}
    for number, (step, folder) in enumerate(recipe.numbered(home)):
        row = _row(recipe, step, folder, home)
        row["awaits"] = sorted({open_steps[source] for value in step.inputs.values() if (source := value.partition("/")[0]) in open_steps})
        if row["state"] != "done" or row["awaits"]:
            open_steps[step.name] = folder.name
        rows += [row] if begin <= number <= end else []
    return rows


def _row(recipe: Recipe, step: Step, folder: Path, home: Path) -> dict:
    state, differs = "to make", []
    made = manifest.read(folder)
    pipeline.stage_of(step)
    if made:
        try:
            state = "done" if manifest.is_done(folder, pipeline.identity_of(recipe, step, home)) else "to make"
        except StaleOutput as error:
            state, differs = "stale", [line.strip() for line in str(error).splitlines()[1:-1]]
        except ConfigError as error:
            state, differs = "stale", [str(error)]
    return {
        "folder": folder.name, "stage": step.stage, "paper": step.paper, "state": state, "differs": differs, "inputs": dict(step.inputs),
        "config": as_json(step.config), "counts": made["counts"] if made else None, "seconds": made["seconds"] if made else None,
    }


def as_text(recipe: Recipe, rows: list[dict]) -> str:
    """The rows as a table, the settings that matter under each step."""
    lines = [f"{recipe.name}: {recipe.about}" if recipe.about else recipe.name, ""]
    for row in rows:
        done = f", {row['counts']['in']:,} in, {row['counts']['out']:,} out, {row['seconds']:.0f} s" if row["counts"] else ""
        told = f"; made from an earlier {', '.join(row['awaits'])}" if row["awaits"] and row["state"] == "done" else ""
        lines.append(f"{row['folder']:<26}{row['stage']:<24}{'§ ' + row['paper'] if row['paper'][:1].isdigit() else row['paper']:<18}{row['state']}{done}{told}")
        lines += [f"    {line}" for line in row["differs"]]
        shown = ", ".join(f"{key}={value}" for key, value in _flat(row["config"]).items())
        if shown:
            lines.append(f"    {shown if len(shown) <= 300 else shown[:297] + '...'}")
    return "\n".join(lines)


def _flat(config: dict, prefix: str = "") -> dict:
    """Leaves by dotted key; long lists only by their length."""
    found = {}
    for key, value in config.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = f"[{len(value)}]" if isinstance(value, list) and len(str(value)) > 60 else value
    return found
