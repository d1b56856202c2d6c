"""Gives every conversation a department and a disease, so that the paper's coverage (15+ departments, 100+ diseases) is a table. paper 1, 2.2.3

What the data carry counts first, by one table of names; else the lexicon decides: the disease that is named most, a question weighing more than an
answer, and the department of what is named. No model is asked: the paper doesn't say how it counted.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.core import tables
from aquilamed.core import text as texts
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.hygiene import phrases
from aquilamed.instruct import lexicon

VERSION = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Where labels come from."""

    given: tuple[str, ...] = ("subdepartment", "department")
    """Keys of meta that may name a department; the first whose value the table knows is taken. ours: the sets' own label is a person's"""
    given_disease: tuple[str, ...] = ("focus",)
    """Keys of meta that may name a disease."""
    question_weight: float = 3.0
    """Mentions in an answer that one in a question equals, from 1. ours: an answer names what else it might be"""
    sign_weight: float = 0.5
    """Mentions of a disease that a sign of a department equals, 0..1. ours: a name says more than a symptom"""
    least: float = 1.0
    """Least sum of mentions that makes a label, from 0; 1: a disease anywhere, a sign in a question or two in answers. ours: with less, twice as many general
    instructions have a department"""
    diseases: Path = Path("")
    """A list of diseases to use in place of ours (the form: `instruct.lexicon`); empty: ours."""

    def __post_init__(self):
        check(self.question_weight >= 1, f"topics: question_weight={self.question_weight}: expected 1 or more")
        check(self.least >= 0, f"topics: least={self.least}: expected 0 or more")
        check(0 <= self.sign_weight <= 1, f"topics: sign_weight={self.sign_weight}: expected 0..1")


def files(config: Config) -> list[Path]:
    """The lists: other ones make another output."""
    return [_list(config), lexicon.DEPARTMENTS]


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write every conversation with `meta["department"]` and `meta["disease"]` where they are known; nothing is dropped.

    `department_from` is `given` or `lexicon`; a name that the data carried as `department` stays in `department_given`. Notes: the coverage table, and the names of what is in it.
    """
    names = lexicon.load(_list(config)).names

    def labelled(table: pa.Table) -> tuple[pa.Table, pa.Table, Counter]:
        made = label(config, table)
        counted = Counter({f"{kind}/{name}": n for kind in ("department", "disease") for name, n in Counter(tables.meta_of(made, kind)).items() if name})
        kept, dropped = tables.sift(made, {})
        return kept, dropped, counted
    counts = tables.sift_all(engine, inputs["conversations"], "conversations", labelled, out)
    found = {kind: {name.partition("/")[2]: n for name, n in counts.notes.items() if name.startswith(f"{kind}/")} for kind in ("department", "disease")}
    return dataclasses.replace(counts, notes={f"{kind}s": dict(sorted(numbers.items(), key=lambda pair: (-pair[1], pair[0]))) for kind, numbers in found.items()}
                               | {f"n_{kind}s": len(numbers) for kind, numbers in found.items()}
                               | {"names": {kind: {name: names[kind][name] for name in numbers} for kind, numbers in found.items()}})


def label(config: Config, table: pa.Table) -> pa.Table:
    """`table` with its labels in meta."""
    words = lexicon.load(_list(config))
    department, disease = by_lexicon(config, table)
    told, named = given_departments(config, table, words), given_diseases(config, table, words)
    known = {*words.departments, None}
    kept = [before or (None if old in known else old) for before, old in zip(tables.meta_of(table, "department_given"), tables.meta_of(table, "department"), strict=True)]
    whence = ["given" if t else "lexicon" if d else None for t, d in zip(told, department, strict=True)]
    return tables.with_meta(table, department=[t or d for t, d in zip(told, department, strict=True)], department_from=whence, department_given=kept,
                            disease=[n or d for n, d in zip(named, disease, strict=True)])


def by_lexicon(config: Config, table: pa.Table) -> tuple[list[str | None], list[str | None]]:
    """(department, disease) of each conversation from its words alone."""
    words = lexicon.load(_list(config))
    messages = table["messages"].combine_chunks()
    said = messages.flatten()
    found = phrases.find(pc.struct_field(said, "content"), words.phrases)
    weight_of = np.where(pc.equal(pc.struct_field(said, "role"), "user").to_numpy(zero_copy_only=False), config.question_weight, 1.0)
    row, disease = pc.list_parent_indices(messages).to_numpy()[found.text], words.disease_of[found.label]
    weight = weight_of[found.text] * words.weight_of[found.label]
    is_named = disease >= 0
    diseases = lexicon.best(row[is_named], disease[is_named], weight[is_named], len(table), config.least)
    departments = lexicon.best(row, words.department_of[found.label], weight * np.where(is_named, 1, config.sign_weight), len(table), config.least)
    return _names(departments, words.departments), _names(diseases, words.diseases)


def given_departments(config: Config, table: pa.Table, words: lexicon.Lexicon) -> list[str | None]:
    """The department that each row's meta names; what an earlier run of this stage found in the words is no such name."""
    columns = [tables.meta_of(table, key) for key in ("department_from", *config.given)]
    return [next((words.given[texts.fold(name)] for name in names if name and texts.fold(name) in words.given), None) if whence != "lexicon" else None
            for whence, *names in zip(*columns, strict=True)]


def given_diseases(config: Config, table: pa.Table, words: lexicon.Lexicon) -> list[str | None]:
    """The disease that each row's meta names."""
    named = [" ".join(filter(None, names)) for names in zip(*(tables.meta_of(table, key) for key in config.given_disease), strict=True)] or [""] * len(table)
    found = phrases.find(pa.array(named, pa.string()), words.phrases)
    disease = words.disease_of[found.label]
    return _names(lexicon.best(found.text[disease >= 0], disease[disease >= 0], np.ones(int((disease >= 0).sum())), len(table)), words.diseases)


def _names(numbers: np.ndarray, names: list[str]) -> list[str | None]:
    return [names[number] if number >= 0 else None for number in numbers]


def _list(config: Config) -> Path:
    return config.diseases if config.diseases.name else lexicon.DISEASES
