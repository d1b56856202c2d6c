"""Which questions of a benchmarks step are asked, and which solved ones go before each of them; no model is needed to know."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from aquilamed.core import tables
from aquilamed.core.chance import chooser, share
from aquilamed.core.config import check, nearest
from aquilamed.core.errors import ConfigError
from aquilamed.evals import results
from aquilamed.evals.benchmarks import CASES, SCORED


def exams(folder: Path, *, tasks: Sequence[str], limit: int, seed: int) -> Iterator[tuple[str, list[dict], list[dict]]]:
    """(task, its questions to ask, its pool of solved ones) of the benchmarks step in `folder`; all its tasks where none are named.

    Raises:
        ConfigError: a task of which nothing is marked for scoring.
    """
    by_task, talks = _scored(folder, "questions"), _cases(folder)
    for name in tasks:
        check(name in by_task or name in talks, f"no benchmark {name!r} is marked for scoring in {folder}{nearest(name, {**by_task, **talks})}")
    shots = results.by(list(tables.rows(folder / "shots", "questions")) if (folder / "shots").is_dir() else [], "source")
    for name in [name for name in tasks if name in by_task] if tasks else sorted(by_task):
        yield name, drawn(by_task[name], limit, seed, "lang"), shots.get(name, [])


def cases(folder: Path, *, tasks: Sequence[str], limit: int, seed: int) -> dict[str, list[dict]]:
    """Task -> its cases to ask, of the benchmarks step in `folder`; all that it has where no tasks are named."""
    return {name: drawn(some, limit, seed, "lang") for name, some in sorted(_cases(folder).items()) if name in tasks or not tasks}


def _cases(folder: Path) -> dict[str, list[dict]]:
    return _scored(folder / CASES, "conversations") if (folder / CASES).is_dir() else {}


def _scored(folder: Path, kind: str) -> dict[str, list[dict]]:
    """Task -> its items that are marked for scoring."""
    return results.by([row for row in tables.rows(folder, kind) if row["meta"].get(SCORED) == "1"], "source")


def marked(folder: Path, tasks: Sequence[str], limit: int, seed: int) -> list[dict]:
    """The questions to ask, of all `tasks` together.

    Raises:
        ConfigError: as `exams`.
    """
    return [question for _, questions, _ in exams(folder, tasks=tasks, limit=limit, seed=seed) for question in questions]


def drawn(items: Sequence[dict], limit: int, seed: int, *keys: str) -> list[dict]:
    """Distinct items; where `limit` is not 0, that many of each combination of `keys`, by chance of their ids."""
    groups = results.by(unique(items), *keys).values()
    ordered = (sorted(group, key=lambda item: (share(seed, item["id"]), item["id"])) for group in groups)
    return [item for group in ordered for item in (group[:limit] if limit else group)]


def unique(items: Sequence[dict]) -> list[dict]:
    """The first of each id."""
    return list({item["id"]: item for item in reversed(items)}.values())


class Shots:
    """Worked examples from a pool: of the question's task and language, of its subject where there are enough, else of any."""

    def __init__(self, pool: Sequence[dict], n_shots: int, seed: int, by: str = "subject"):
        self.pool, self.n_shots, self.seed, self.by = sorted(pool, key=lambda shot: shot["id"]), n_shots, seed, by
        self.known: dict[tuple, list[dict]] = {}

    def of(self, question: Mapping) -> list[dict]:
        """`n_shots` solved questions, drawn for the question's subject or, with `by` question, for the question itself.

        Raises:
            ConfigError: there are fewer.
        """
        if not self.n_shots:
            return []
        key = (question["source"], question["lang"], question["subject"])
        if key not in self.known:
            self.known[key] = self._candidates(*key)
        candidates = self.known[key]
        drawn_for = question["id"] if self.by == "question" else "\x1f".join(key[:2])
        chosen = chooser(self.seed, drawn_for).permutation(len(candidates))[:self.n_shots]
        return [candidates[i] for i in chosen]

    def _candidates(self, source: str, lang: str, subject: str) -> list[dict]:
        fitting = [shot for shot in self.pool if (shot["source"], shot["lang"]) == (source, lang) and len(shot["answers"]) == 1]
        near = [shot for shot in fitting if shot["subject"] == subject]
        candidates = near if len(near) >= self.n_shots else fitting
        if len(candidates) < self.n_shots:
            raise ConfigError(f"task {source} ({lang}): {self.n_shots} worked examples wanted, {len(candidates)} declared; "
                              "declare more in the benchmarks step's shots, or set n_shots=0")
        return candidates
