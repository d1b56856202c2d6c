"""Two evaluations side by side, on the items that both answered, and only where both were asked in the same words.

A change counts as gained or lost where its p, adjusted over all lines of the comparison (Holm), is at most 0.05, as in the ledger.
"""

from collections.abc import Sequence
from pathlib import Path

from aquilamed.core.config import check
from aquilamed.evals import judge, ledger, results

SEED = 0
"""Of the bootstrap: two people who compare the same folders see the same intervals."""


def compare(old: Path, new: Path) -> dict:
    """`rows`: a line for each task, language and reading of both; `left_out`: what only one of them has.

    Raises:
        ConfigError: they share no task, or an item was asked in another way.
    """
    olds, news = (ledger.cells_of(results.read_answers(folder)) for folder in (old, new))
    both = sorted(olds.keys() & news.keys())
    rows = ledger.settled([line for key in both if (line := _line(key, olds[key], news[key]))])
    check(bool(rows), f"{old} and {new} have no item in common: {_tasks(olds)} against {_tasks(news)}")
    left = [{"task": task, "lang": lang, "reading": reading, "only_in": str(folder), "n": len(cells[task, lang, reading])}
            for folder, cells, others in ((old, olds, news), (new, news, olds)) for task, lang, reading in sorted(cells.keys() - others.keys())]
    return {"old": str(old), "new": str(new), "rows": rows, "left_out": left}


def _line(key: tuple[str, str, str], old: Sequence[dict], new: Sequence[dict]) -> dict | None:
    """Figures of both on their common items; None where they have none."""
    task, lang, reading = key
    shared = {row["id"] for row in old} & {row["id"] for row in new}
    if not shared:
        return None
    a, b = ([row for row in rows if row["id"] in shared] for rows in (old, new))
    found = ledger.compare(a, b, SEED, f"{task} ({lang}, {reading})")
    before, after = (results.figures(rows, SEED) for rows in (a, b))
    moves = _moves(a, b)
    return {"task": task, "lang": lang, "reading": reading, "n": len(shared), "n_old": len(old), "n_new": len(new), "old": before["score"], "new": after["score"],
            "delta": found["delta"], "low": found["low"], "high": found["high"], "p": found["p"], "p_adjusted": None, "visible": found["visible"], "verdict": found["verdict"],
            "gained": moves.count(1), "lost": moves.count(-1), "unparsed_old": before["unparsed"], "unparsed_new": after["unparsed"]}


def _moves(old: Sequence[dict], new: Sequence[dict]) -> list[int]:
    """1 for an item that became better, -1 for one that became worse, 0 for the rest."""
    before = {row["id"]: row["score"] for row in old}
    up = -1 if new[0]["reading"] in judge.LOWER_IS_BETTER else 1
    return [up * ((row["score"] > before[row["id"]]) - (row["score"] < before[row["id"]])) for row in new]


def _tasks(cells: ledger.Cells) -> str:
    return ", ".join(sorted({key[0] for key in cells})) or "none"
