"""How often each row is drawn so that every cell meets its token budget: arithmetic on columns, for millions of rows.

Within a cell the sources that have a share of their own are one group each, all others are one group together. Whole rows are taken in an
order of chance; what holds less than its budget is drawn again, `max_epochs` times at most.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

SLACK = 1e-9
"""Share of a budget that rounding may cost before the budget counts as missed."""


@dataclasses.dataclass(frozen=True, eq=False)
class Rows:
    """What decides how often each row is drawn, a column each."""

    cell: np.ndarray
    """Number of the row's cell; -1: the row can't be drawn."""
    source: np.ndarray
    """Number of the row's source in `sources`."""
    tokens: np.ndarray
    chance: np.ndarray
    """Place in the order of chance, [0, 1)."""
    key: np.ndarray
    """First 8 bytes of the id: order of rows with equal chance."""
    sources: tuple[str, ...]

    @staticmethod
    def joined(parts: Sequence["Rows"]) -> "Rows":
        """The rows of all parts, one after another; sources are numbered in the order of their names."""
        sources = sorted({name for part in parts for name in part.sources})
        places = {name: number for number, name in enumerate(sources)}
        renamed = [np.array([places[name] for name in part.sources], np.int32)[part.source] for part in parts]
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ("cell", "tokens", "chance", "key")}
        return Rows(**columns, source=np.concatenate(renamed), sources=tuple(sources))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What is asked for."""

    budgets: Mapping[str, float]
    """Cell -> tokens, in the order of the cells' numbers."""
    source_shares: Mapping[str, Mapping[str, float]]
    """Cell -> source -> share of the cell's budget."""
    max_epochs: int


def draw(plan: Plan, rows: Rows) -> tuple[np.ndarray, dict]:
    """(how often each row is drawn, notes: what each cell and source asked for and got). The last row of a group may pass its budget."""
    times = np.zeros(len(rows.cell), np.int16)
    order = np.lexsort((rows.key, rows.chance)).astype(np.int32 if len(times) < 1 << 31 else np.int64)
    order = order[rows.cell[order] >= 0]
    cells, warnings = {}, []
    for number, (cell, asked) in enumerate(plan.budgets.items()):
        mine = order[rows.cell[order] == number]
        budgets = _fill(plan, cell, mine, rows, times)
        if asked or len(mine):
            cells[cell] = _account(asked, budgets, mine, rows, times)
            warnings += _warnings(plan, cell, cells[cell])
    got = sum(found["got"] for found in cells.values())
    for found in cells.values():
        found["share"] = round(found["got"] / max(got, 1), 4)
    drawn, n_rows = np.unique(times[times > 0], return_counts=True)
    return times, {
        "estimated_tokens": got, "repeated_tokens": sum(found["repeated"] for found in cells.values()), "cells": cells,
        "short": sorted(cell for cell, found in cells.items() if found["got"] < found["asked"]), "warnings": warnings,
        "documents_by_epochs": {str(k): n for k, n in zip(drawn.tolist(), n_rows.tolist(), strict=True)}}


def allot(budget: float, held: np.ndarray, shares: np.ndarray, max_epochs: int) -> np.ndarray:
    """Tokens from each group: its share of `budget`, at most `max_epochs` times what it holds; what one lacks the others give, by their shares."""
    given, most = np.zeros(len(held)), held * max_epochs
    for _ in held:
        free = (given < most) & (shares > 0)
        lacking = budget - given.sum()
        if lacking <= SLACK * budget or not free.any():
            break
        given[free] = np.minimum(most, given + lacking * shares / shares[free].sum())[free]
    return given


def repeats(tokens: np.ndarray, budget: float, max_epochs: int) -> np.ndarray:
    """How often each row is drawn, in this order, so that together they first reach `budget`: all of them as often as fits, the first ones once more."""
    before = np.concatenate([[0.0], np.cumsum(tokens)])
    whole = int(min(budget // before[-1], max_epochs)) if before[-1] else 0
    once_more = (before[:-1] < budget - whole * before[-1]) & (whole < max_epochs)
    return (whole + once_more).astype(np.int16)


def _fill(plan: Plan, cell: str, mine: np.ndarray, rows: Rows, times: np.ndarray) -> dict[str, float]:
    """Draw the rows `mine` of a cell into `times`; what each source with a share of its own was to give."""
    shares = plan.source_shares.get(cell, {})
    named = [rows.sources.index(name) if name in rows.sources else -1 for name in shares]
    group = np.full(len(mine), len(named))
    for number, source in enumerate(named):
        group[rows.source[mine] == source] = number
    tokens = rows.tokens[mine]
    held = np.array([tokens[group == number].sum() for number in range(len(named) + 1)])
    wanted = np.array([*shares.values(), max(0.0, 1 - sum(shares.values()))])
    given = allot(plan.budgets[cell], held, wanted, plan.max_epochs)
    for number, budget in enumerate(given):
        here = group == number
        times[mine[here]] = repeats(tokens[here], budget, plan.max_epochs)
    return {name: plan.budgets[cell] * share for name, share in shares.items()}


def _account(asked: float, budgets: Mapping[str, float], mine: np.ndarray, rows: Rows, times: np.ndarray) -> dict:
    """What a cell asked for, holds and got, and the same of each of its sources."""
    tokens, drawn, source = rows.tokens[mine], times[mine], rows.source[mine]
    got = np.bincount(source, tokens * drawn, len(rows.sources))
    held = np.bincount(source, tokens, len(rows.sources))
    documents = np.bincount(source[drawn > 0], minlength=len(rows.sources))
    total = float((tokens * drawn).sum())
    sources = {}
    for number, name in enumerate(rows.sources):
        if held[number] or name in budgets:
            sources[name] = {"got": round(float(got[number])), "share": round(float(got[number]) / max(total, 1), 4), "documents": int(documents[number]),
                             **({"asked": round(budgets[name])} if name in budgets else {})}
    for name in set(budgets) - set(sources):
        sources[name] = {"got": 0, "share": 0.0, "documents": 0, "asked": round(budgets[name])}
    return {"asked": round(asked), "got": round(total), "held": round(float(tokens.sum())), "documents": int((drawn > 0).sum()),
            "repeated": round(float((tokens * np.maximum(drawn - 1, 0)).sum())), "sources": dict(sorted(sources.items()))}


def _warnings(plan: Plan, cell: str, found: Mapping) -> list[str]:
    """A line for the cell and for each source that misses its budget."""
    why = f"all that its {found['documents']:,} documents give when drawn {plan.max_epochs} times" if found["documents"] else "it holds no document"
    lines = [f"{cell}: {found['got']:,} of {found['asked']:,} tokens, {why}"] if found["got"] < found["asked"] else []
    for name, source in found["sources"].items():
        if source["got"] < source.get("asked", 0):
            lines.append(f"{cell}, source {name}: {source['got']:,} of {source['asked']:,} tokens; the other sources give what it lacks")
    return lines
