"""Does a model know the order in which a question's options are printed? Who has not read the question can't.

The options of a question can be listed in any order, so a model that never saw it should not find the printed order likelier than another
(exchangeability: Oren et al. 2023, arXiv 2310.17623, for the order of a benchmark's questions; Ni et al. 2024, arXiv 2409.01790, for that of options). The
question is the root of a prefix tree and each order a child: all hold the same tokens, so neither length nor difficulty is in the comparison, which is
what a bare loss (Min-K%) can't rule out. Printed orders also follow habits that any exam teaches. So what is compared is how much likelier an order became
since the reference model; options that speak of others (`none of the above`, 以上均是) keep their place; questions whose options are sorted, or
are those of another question of the task, are left out.
"""

import dataclasses
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from aquilamed.core import tables
from aquilamed.core.chance import chooser
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.manifest import write_json
from aquilamed.core.text import fold
from aquilamed.evals import drawing, results, stats
from aquilamed.evals.results import ALL
from aquilamed.models import chat, folders, wording
from aquilamed.models.folders import Model
from aquilamed.tree import branches
from aquilamed.tree.branches import Branch

VERSION = 1
FILE, ORDERS = "memorised.json", "orders.parquet"
SCHEMA = pa.schema([("task", pa.string()), ("id", pa.string()), ("lang", pa.string()), ("orders", pa.int32()), ("beaten", pa.float64()), ("likeliest", pa.bool_()), ("lead", pa.float64())])
"""orders.parquet: a row for each question that could be asked."""
_PLACED = re.compile(r"以上|上述|前述|均(?:是|不|可|对|非)|都(?:是|不|对)|\b(?:above|below|both|neither|none of|all of|any of)\b|^\W*[A-H][\W和与及]*(?:(?:and|or|和|与|及)?[\W]*[A-H])+\W*$", re.IGNORECASE)
"""An option that speaks of other options: its place is no matter of chance."""
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    tasks: tuple[str, ...] = ()
    """Benchmarks to ask, by the name of their source; empty for all that the benchmarks step marked."""
    limit: int = 100
    """Questions a task and language, drawn by seed; 0 for all. ours: 100 show a mean preference of 8 points"""
    orders: int = 20
    """Orders of each question's options, the printed one among them, 6 or more; fewer where there are no more. ours: a clean model has the printed
    order first in one of 20, so a single question that is marked so has p = .05"""
    max_tokens: int = 2048
    """A question with its options may be so long; longer ones are dropped as `too_long`."""
    seed: int = 0
    """Of the draw of questions and orders."""

    def __post_init__(self):
        check(self.limit >= 0, f"limit={self.limit}: expected 0 or more")
        check(self.orders >= 6, f"orders={self.orders}: expected 6 or more; with fewer a single question tells nothing")
        check(self.max_tokens >= 16, f"max_tokens={self.max_tokens}: expected 16 or more")


@dataclasses.dataclass(frozen=True)
class Listed:
    """A question and the orders its options are listed in; the first is the printed one."""

    question: dict
    branch: Branch


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write memorised.json and orders.parquet. `inputs`: `model`, `benchmarks` and, to be compared with, `reference`: the model that training began from.

    Dropped: `sorted`, `few_orders`, `shared_options`, `too_long`.
    """
    model = folders.load(inputs["model"])
    questions = drawing.marked(inputs["benchmarks"], config.tasks, config.limit, config.seed)
    ready, dropped = listed(model, questions, config)
    found = logp(model, ready)
    if "reference" in inputs:
        found = [now - then for now, then in zip(found, logp(folders.load(inputs["reference"]), ready), strict=True)]
    rows = [row(one.question, values) for one, values in zip(ready, found, strict=True)]
    tables.write(out / ORDERS, pa.Table.from_pylist(rows, schema=SCHEMA))
    write_json(out / FILE, {"against": "reference" if "reference" in inputs else "", "rows": summarise(rows)})
    tables.write_dropped_rows(out, "questions", [{**question, "reason": reason, "detail": detail} for question, reason, detail in dropped])
    return Counts(n_in=len(questions), n_out=len(rows), dropped=Counter(reason for _, reason, _ in dropped), langs=Counter(one["lang"] for one in rows),
                  notes={"memorised": {" ".join((one["task"], one["lang"])): {key: one[key] for key in ("n", "beaten", "low", "likeliest", "chance")} for one in summarise(rows)}})


def listed(model: Model, questions: Sequence[dict], config: Config) -> tuple[list[Listed], list[tuple[dict, str, str]]]:
    """The questions that can be asked, and (question, reason, detail) of the rest."""
    often = Counter((question["source"], tuple(question["options"])) for question in questions)
    ready, dropped = [], []
    for question in sorted(questions, key=lambda question: (question["source"], question["id"])):
        many = often[question["source"], tuple(question["options"])]
        found = orders_of(question, config.orders, config.seed)
        if many > 1 or is_sorted(question["options"]) or len(found) < 6:
            dropped.append((question, "shared_options" if many > 1 else "few_orders" if len(found) < 6 else "sorted", ""))
            continue
        branch = _branch(model.tokenizer, question, found)
        ready.append(Listed(question, branch)) if branch.longest() <= config.max_tokens else dropped.append((question, "too_long", f"{branch.longest()} tokens"))
    return ready, dropped


def orders_of(question: dict, n: int, seed: int) -> list[tuple[int, ...]]:
    """Up to `n` distinct orders of the options, the printed one first; options that speak of others stay where they are."""
    options = question["options"]
    free = [k for k, option in enumerate(options) if not _PLACED.search(option)]
    chance, printed = chooser(seed, f"orders/{question['id']}"), tuple(range(len(options)))
    found = dict.fromkeys([printed])
    while len(found) < min(n, math.factorial(len(free))):
        order = list(printed)
        for place, k in zip(free, chance.permutation(free).tolist(), strict=True):
            order[place] = k
        found[tuple(order)] = None
    return list(found)


def is_sorted(options: Sequence[str]) -> bool:
    """Whether three options or more rise or fall by their first number, by letter (alphabetic script) or by length: an order that needs no memory."""
    free = [fold(option) for option in options if not _PLACED.search(option)]
    numbers = [float(match[0]) for option in free if (match := _NUMBER.search(option))]
    keys = [[len(option) for option in free], *([numbers] if len(numbers) == len(free) else []), *([free] if all(option[:1].isascii() for option in free) else [])]
    return len(free) > 2 and any(some in (sorted(some), sorted(some, reverse=True)) and len(set(some)) > 1 for some in keys)


def row(question: dict, values: np.ndarray) -> dict:
    """What the likelihoods of a question's orders, the printed one first, amount to."""
    printed, others = values[0], values[1:]
    return {"task": question["source"], "id": question["id"], "lang": question["lang"], "orders": len(values),
            "beaten": round(float(((others < printed) + 0.5 * (others == printed)).mean()), 6), "likeliest": bool(printed > others.max()),
            "lead": round(float(printed - others.mean()), 6)}


def summarise(rows: Sequence[dict]) -> list[dict]:
    """A row for each task and language: `beaten`, the mean share of other orders that are less likely than the printed one (.5 for a clean model), with its interval."""
    found = []
    for task, some in sorted(results.by(rows, "task").items()):
        parts = results.by(some, "lang")
        for lang, part in sorted({**parts, **({ALL: some} if len(parts) > 1 else {})}.items()):
            beaten = stats.mean([one["beaten"] for one in part], [one["id"] for one in part])
            low, high = (round(min(1.0, max(0.0, value)), 6) for value in (beaten.low, beaten.high))
            found.append({"task": task, "lang": lang, "n": len(part), "beaten": round(beaten.value, 6), "low": low, "high": high,
                          "likeliest": sum(one["likeliest"] for one in part), "chance": round(sum(1 / one["orders"] for one in part), 3),
                          "lead": round(sum(one["lead"] for one in part) / len(part), 6)})
    return found


def _branch(tokenizer, question: dict, orders: Sequence[tuple[int, ...]]) -> Branch:
    head = wording.body({**question, "options": []}) + "\n"
    lists = [wording.body({**question, "options": [question["options"][k] for k in order]})[len(head):] for order in orders]
    return Branch(tuple(chat.text_ids(tokenizer, head)), tuple(tuple(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in lists))


def logp(model: Model, ready: Sequence[Listed]) -> list[np.ndarray]:
    """log p of each order, nats, rounded so that batches make no difference."""
    return [np.round(values, 4) for values in branches.logp(model.network, [one.branch for one in ready])]
