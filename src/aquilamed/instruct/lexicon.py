"""Departments and diseases by name, in both languages: `departments.jsonl` and `diseases.jsonl` beside this file, written by us (Apache-2.0).

The diseases are the clinic's and more. A department also has `signs`, words that point to it where no disease is named, and `given`, the names by which
public sets call it.
"""

import functools
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from aquilamed.core import text as texts
from aquilamed.core.errors import ConfigError
from aquilamed.hygiene import phrases

DISEASES = Path(__file__).with_name("diseases.jsonl")
"""A line: {"id", "department", "zh": [names], "en": [names]}, and "general": true where the names are of many diseases (`cancer`): they count 0.4."""
DEPARTMENTS = Path(__file__).with_name("departments.jsonl")
"""A line: {"id", "zh", "en", "given": [names], "signs": [words]}."""

GENERAL = 0.4
"""What a mention counts of names that stand for many diseases."""


class Lexicon(NamedTuple):
    """What is looked for."""

    phrases: phrases.Phrases
    departments: list[str]
    diseases: list[str]
    department_of: np.ndarray
    """Label -> number of its department."""
    disease_of: np.ndarray
    """Label -> number of the disease; -1: a sign."""
    weight_of: np.ndarray
    """Label -> what a mention of it counts."""
    given: dict[str, str]
    """Folded name of a department in some set -> department."""
    names: dict[str, dict[str, list[str]]]
    """`department` and `disease` -> id -> its English and its Chinese name, for readers."""


@functools.cache
def load(diseases: Path = DISEASES) -> Lexicon:
    """The lexicon, with another list of diseases if one is given.

    Raises:
        ConfigError: the list can't be read, or a line has another form or an unknown department; it is named.
    """
    departments = [json.loads(line) for line in DEPARTMENTS.read_text(encoding="utf-8").splitlines()]
    places = {row["id"]: place for place, row in enumerate(departments)}
    found = _diseases(diseases, places)
    said = {f"sign {row['id']}": [row["zh"], row["en"], *row["signs"]] for row in departments}
    said |= {f"disease {row['id']}": [*row["zh"], *row["en"]] for row in found}         # after the signs: of a phrase in both it is the disease's
    made = phrases.compiled(said, most_labels=len(said), any_number=False)
    ids = [*[row["id"] for row in departments], *[row["department"] for row in found]]
    given = {texts.fold(name): row["id"] for row in departments for name in (row["id"], row["zh"], row["en"], *row["given"])}
    names = {"department": {row["id"]: [row["en"], row["zh"]] for row in departments}, "disease": {row["id"]: [(row[lang] or [row["id"]])[0] for lang in ("en", "zh")] for row in found}}
    weights = [*[1.0] * len(departments), *[GENERAL if row.get("general") else 1.0 for row in found]]
    return Lexicon(phrases=made, departments=list(places), diseases=[row["id"] for row in found], department_of=np.array([places[department] for department in ids]),
                   disease_of=np.r_[np.full(len(departments), -1), np.arange(len(found))], weight_of=np.array(weights), given=given, names=names)


def best(row: np.ndarray, what: np.ndarray, weight: np.ndarray, n_rows: int, least: float = 0.0) -> np.ndarray:
    """For each row the `what` with the largest sum of weights, of equal ones the first named; -1 where none has `least`."""
    n_kinds = int(what.max(initial=0)) + 1
    keys, first, inverse = np.unique(row * n_kinds + what, return_index=True, return_inverse=True)
    total = np.bincount(inverse, weights=weight, minlength=len(keys))
    order = np.lexsort((first, -total, keys // n_kinds))
    _, leads = np.unique((keys // n_kinds)[order], return_index=True)
    chosen = np.full(n_rows, -1)
    leaders = order[leads]
    leaders = leaders[total[leaders] >= least]
    chosen[(keys // n_kinds)[leaders]] = (keys % n_kinds)[leaders]
    return chosen


def _diseases(path: Path, departments: dict[str, int]) -> list[dict]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"diseases {path}: can't be read as UTF-8 text ({error})") from error
    found: dict[str, dict] = {}
    for number, line in enumerate(lines, start=1):
        where = f"diseases {path.name}, line {number}"
        try:
            row = json.loads(line)
            names, department = [*row["zh"], *row["en"]], row["department"]
            phrases.compiled({row["id"]: names})
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ConfigError(f'{where}: expected {{"id", "department", "zh": [...], "en": [...]}} ({error})') from error
        if department not in departments or not names or row["id"] in found:
            raise ConfigError(f"{where}: needs names, an id of its own and a department out of {', '.join(departments)}")
        found[row["id"]] = row
    return list(found.values())
