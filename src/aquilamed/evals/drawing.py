"""Which questions of a benchmarks step are asked, and which solved ones go before each of them; no model is needed to know."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from aquilamed.core import tables
from aquilamed.core.chance import chooser, share
from aquilamed.core.config import check, nearest
from aquilamed.core.errors import ConfigError
from aquilamed.evals import results


def exams(folder: Path, *, tasks: Sequence[str], limit: int, seed: int) -> Iterator[tuple[str, list[dict], list[dict]]]:
    """(task, its questions to ask, its pool of solved ones) of the benchmarks step in `folder`; all its tasks where none are named.

    Raises:
        ConfigError: a task of which nothing is marked for scoring.
    """
    by_task = results.by([q for q in tables.rows(folder, "questions") if q["meta"].get("scored") == "1"], "source")
    for name in tasks:
        check(name in by_task, f"no benchmark {name!r} is marked for scoring in {folder}{nearest(name, by_task)}")
    shots = results.by(list(tables.rows(folder / "shots", "questions")) if (folder / "shots").is_dir() else [], "source")
    for name in tasks or sorted(by_task):
        yield name, drawn(by_task[name], limit, seed, "lang"), shots.get(name, [])


def drawn(items: Sequence[dict], limit: int, seed: int, *keys: str) -> list[dict]:
    """Distinct items; where `limit` is not 0, that many of each combination of `keys`, by chance of their ids."""
    groups = results.by(unique(items), *keys).values()
    ordered = (sorted(group, key=lambda item: (share(seed, item["id"]), item["id"])) for group in groups)
    return [item for group in ordered for item in (group[:limit] if limit else group)]


def unique(items: Sequence[dict]) -> list[dict]:
    """The first of each id."""
    return list({item["id"]: item for item in reversed(items)}.values())


def shots_for(question: Mapping, pool: Sequence[dict], n_shots: int, seed: int, chosen: dict[tuple, list[dict]]) -> list[dict]:
    """`n_shots` solved questions of the question's task and language: of its subject where there are enough, else of any; remembered in `chosen`.

    Raises:
        ConfigError: there are fewer.
    """
    if not n_shots:
        return []
    key = (question["source"], question["lang"], question["subject"])
    if key not in chosen:
        fitting = [shot for shot in pool if (shot["source"], shot["lang"]) == key[:2] and len(shot["answers"]) == 1]
        near = [shot for shot in fitting if shot["subject"] == question["subject"]]
        candidates = sorted(near if len(near) >= n_shots else fitting, key=lambda shot: shot["id"])
        if len(candidates) < n_shots:
            raise ConfigError(f"task {key[0]} ({key[1]}): {n_shots} worked examples wanted, {len(candidates)} declared; "
                              "declare more in the benchmarks step's shots, or set n_shots=0")
        order = chooser(seed, "\x1f".join(key[:2])).permutation(len(candidates))
        chosen[key] = [candidates[i] for i in order[:n_shots]]
    return chosen[key]
