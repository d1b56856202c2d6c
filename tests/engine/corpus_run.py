"""A corpus recipe over many small shards, for engines."""

from pathlib import Path

from aquilamed import pipeline
from aquilamed.core import runs
from aquilamed.pipeline import Recipe, Step

SMOKE = Path(__file__).resolve().parents[2] / "recipes" / "smoke.py"
SHARD_BYTES = 20_000


def recipe() -> Recipe:
    """The smoke recipe's corpus, from the raw clinic to the held-out split."""
    whole = pipeline.load(SMOKE)
    names = [step.name for step in whole.steps]
    chosen = whole.steps[names.index("clinic"):names.index("text") + 1]
    return Recipe(name="corpus", steps=chosen)


def make(home: Path, engine, last: str = "") -> None:
    runs.n_shards.__defaults__ = (SHARD_BYTES,)
    try:
        pipeline.run(recipe(), home, engine, lambda line: None, last=last)
    finally:
        runs.n_shards.__defaults__ = (runs.SHARD_BYTES,)
