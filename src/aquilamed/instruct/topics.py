"""Gives every conversation a department and a disease, so that the paper's coverage (15+ departments, 100+ diseases) is a table. paper 1, 2.2.3

What the data carry counts first, by one table of names; then what a remote model says, if the recipe names one, twice; else the lexicon decides: the disease
that is named most, a question weighing more than an answer, and the department of what is named. The paper doesn't say how it counted.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.core import tables
from aquilamed.core import text as texts
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.hygiene import phrases
from aquilamed.instruct import lexicon, topic_judge
from aquilamed.models import remote

VERSION = 1
KIND = "conversations"
FOUND = ("lexicon", "judge")
"""Values of `department_from` that this stage found, and no publisher gave."""


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
    endpoint: remote.Endpoint = remote.Endpoint()
    """A language model that is asked, twice, about every conversation of which the data don't give both labels; without `base_url` nothing is sent. Where its two
    replies don't name the same department the lexicon's labels stand. ours: a lexicon can't tell what a question without the name of a disease is about"""
    max_chars: int = 3000
    """Characters of a conversation that it is shown, from 200. ours: what the complaint is stands at the beginning"""

    def __post_init__(self):
        check(self.max_chars >= 200, f"topics: max_chars={self.max_chars}: expected 200 or more")
        check(self.question_weight >= 1, f"topics: question_weight={self.question_weight}: expected 1 or more")
        check(self.least >= 0, f"topics: least={self.least}: expected 0 or more")
        check(0 <= self.sign_weight <= 1, f"topics: sign_weight={self.sign_weight}: expected 0..1")


def files(config: Config) -> list[Path]:
    """The lists: other ones make another output."""
    return [_list(config), lexicon.DEPARTMENTS]


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write every conversation with `meta["department"]` and `meta["disease"]` where they are known; nothing is dropped.

    `department_from` is `given`, `judge` or `lexicon`; a name that the data carried as `department` stays in `department_given`. Notes: the coverage table, the names
    of what is in it and, with an endpoint, how the remote model's replies came out and on how many departments it and the lexicon are one. With one the shards are
    asked about one after another by this process, which has the key; what a killed run was told is not asked again.
    """
    words, used = lexicon.load(_list(config)), []

    def labelled(table: pa.Table) -> tuple[pa.Table, pa.Table, Counter]:
        verdicts = _judged(config, table, words, used)
        made = label(config, table, verdicts)
        counted = Counter({f"{kind}/{name}": n for kind in ("department", "disease") for name, n in Counter(tables.meta_of(made, kind)).items() if name})
        kept, dropped = tables.sift(made, {})
        return kept, dropped, counted + Counter({f"judge/{name}": n for name, n in _beside(config, table, verdicts).items()})
    if config.endpoint.base_url:
        done = [tables.saved(out, KIND, number) or tables.save(out, KIND, number, *labelled(tables.load(path))) for number, path in enumerate(tables.shards(inputs[KIND], KIND))]
        counts = dataclasses.replace(Counts.total(done), notes=sum((Counter(part.notes) for part in done), Counter()))
    else:
        counts = tables.sift_all(engine, inputs[KIND], KIND, labelled, out)
    found = {kind: {name.partition("/")[2]: n for name, n in counts.notes.items() if name.startswith(f"{kind}/")} for kind in ("department", "disease")}
    said = {name: counts.notes.get(f"judge/{name}", 0) for name in (*topic_judge.OUTCOMES, "unlisted_disease", "both_know", "both_same")}
    return dataclasses.replace(counts, notes={f"{kind}s": dict(sorted(numbers.items(), key=lambda pair: (-pair[1], pair[0]))) for kind, numbers in found.items()}
                               | {f"n_{kind}s": len(numbers) for kind, numbers in found.items()}
                               | {"names": {kind: {name: words.names[kind][name] for name in numbers} for kind, numbers in found.items()}}
                               | ({"judge": said, "asked": remote.usage(used), "paid": remote.account(config.endpoint), "sent": "texts whose identifiers hygiene.identifiers had masked"}
                                  if config.endpoint.base_url else {}))


def _judged(config: Config, table: pa.Table, words: lexicon.Lexicon, used: list[remote.Reply]) -> list[topic_judge.Verdict | None]:
    """What the remote model says of each row of which the data don't give both labels; None of the others, and of all without an endpoint."""
    verdicts: list[topic_judge.Verdict | None] = [None] * len(table)
    if config.endpoint.base_url:
        told = zip(given_departments(config, table, words), given_diseases(config, table, words), strict=True)
        places = [place for place, pair in enumerate(told) if None in pair]
        said, replies = topic_judge.ask(config.endpoint, tables.to_rows(table.take(pa.array(places, pa.int64()))), words, config.max_chars)
        used.extend(replies)
        for place, verdict in zip(places, said, strict=True):
            verdicts[place] = verdict
    return verdicts


def _beside(config: Config, table: pa.Table, verdicts: Sequence[topic_judge.Verdict | None]) -> Counter:
    """How the verdicts came out, and of those rows for which the lexicon knows a department, too, how many have the same."""
    said = [verdict for verdict in verdicts if verdict]
    pairs = [(verdict.department, ours) for verdict, ours in zip(verdicts, by_lexicon(config, table)[0], strict=True) if verdict and verdict.department and ours] if said else []
    return topic_judge.counted(said) + Counter(both_know=len(pairs), both_same=sum(a == b for a, b in pairs))


def label(config: Config, table: pa.Table, verdicts: Sequence[topic_judge.Verdict | None] = ()) -> pa.Table:
    """`table` with its labels in meta; `verdicts`: those of a remote model, one a row."""
    words = lexicon.load(_list(config))
    found = list(zip(*by_lexicon(config, table), ["lexicon"] * len(table), strict=True))
    for place, verdict in enumerate(verdicts):
        if verdict and verdict.outcome == topic_judge.AGREED:
            found[place] = (verdict.department, verdict.disease, "judge")
    told, named = given_departments(config, table, words), given_diseases(config, table, words)
    known = {*words.departments, None}
    kept = [before or (None if old in known else old) for before, old in zip(tables.meta_of(table, "department_given"), tables.meta_of(table, "department"), strict=True)]
    whence = ["given" if t else source if d else None for t, (d, _, source) in zip(told, found, strict=True)]
    return tables.with_meta(table, department=[t or d for t, (d, _, _) in zip(told, found, strict=True)], department_from=whence, department_given=kept,
                            disease=[n or d for n, (_, d, _) in zip(named, found, strict=True)])


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
    """The department that each row's meta names; what an earlier run of this stage found is no such name."""
    columns = [tables.meta_of(table, key) for key in ("department_from", *config.given)]
    return [next((words.given[texts.fold(name)] for name in names if name and texts.fold(name) in words.given), None) if whence not in FOUND else None
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
