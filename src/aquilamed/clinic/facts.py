"""The facts behind the synthetic clinic: read once, checked, and never changed.

Every text of a fact stands in both languages. Facts that are not wrong for one another (`not_wrong`) are never offered
as wrong answers, in either direction.
"""

import dataclasses
import functools
import json
from collections.abc import Iterator
from pathlib import Path

from aquilamed.core.errors import RecordError

BUNDLED = Path(__file__).parent / "facts"
LANGS = ("zh", "en")
CONDITION_KEYS = ("about", "cause", "test", "treatment", "advice", "red_flag")
DRUG_KEYS = ("class", "used_for", "side_effect", "caution", "how", "about")
ATTRIBUTES = {
    "condition": ("department", "symptom", "cause", "test", "treatment"),
    "drug": ("class", "used_for", "side_effect", "caution"),
}
"""Kind of subject -> what can be asked about it."""
NOT_WRONG = {"condition": ATTRIBUTES["condition"][1:], "drug": ATTRIBUTES["drug"]}
DIRT_KINDS = ("ad", "boilerplate", "unsafe", "garbled")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Facts:
    """All facts, in the order of their files; each is the JSON object of its line plus `kind`."""

    departments: dict[str, dict]
    conditions: tuple[dict, ...]
    drugs: tuple[dict, ...]
    general: tuple[dict, ...]
    dirt: dict[str, tuple[dict, ...]]
    """Kind of dirt -> snippets."""

    @property
    def subjects(self) -> tuple[dict, ...]:
        """Conditions, then drugs."""
        return self.conditions + self.drugs

    def value(self, subject: dict, attribute: str, lang: str) -> str:
        """The short text that answers `attribute` about `subject`."""
        if attribute == "department":
            return self.departments[subject["department"]][lang]
        if attribute == "symptom":
            return subject["symptoms"][0][lang]
        return subject[attribute][lang]


def fact_files(folder: Path = BUNDLED) -> list[Path]:
    """The files that `load` reads, by name."""
    fixed = [folder / f"{name}.jsonl" for name in ("departments", "drugs", "general", "dirt")]
    return sorted([*fixed, *folder.glob("conditions*.jsonl")])


@functools.cache
def load(folder: Path = BUNDLED) -> Facts:
    """Read and check every fact in `folder`.

    Raises:
        RecordError: a line is not what its file should hold; file, line and key are named.
    """
    found = {path: list(_lines(path)) for path in fact_files(folder)}
    named = {path.stem: lines for path, lines in found.items()}
    conditions = [pair for stem, lines in named.items() if stem.startswith("conditions") for pair in lines]
    if not conditions:
        raise RecordError(f"{folder}: no conditions*.jsonl with facts in it; check that the package is whole")
    departments = {record["id"]: record for record, _ in _unique(named["departments"])}
    for record, where in named["departments"]:
        _bilingual(record, "", where)
    for record, where in _unique(conditions):
        _check_condition(record, where, departments)
    for record, where in _unique(named["drugs"]):
        _check_subject(record, where, "drug", DRUG_KEYS)
    _check_known(conditions)
    _check_known(named["drugs"])
    return Facts(
        departments=departments, conditions=tuple(record for record, _ in conditions),
        drugs=tuple(record for record, _ in named["drugs"]), general=_general(named["general"]), dirt=_dirt(named["dirt"]),
    )


def _lines(path: Path) -> Iterator[tuple[dict, str]]:
    if not path.is_file():
        raise RecordError(f"{path}: the facts file is missing; check that the package is whole")
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            where = f"{path.name} line {number}"
            try:
                record = json.loads(line)
            except json.JSONDecodeError as error:
                raise RecordError(f"{where}: not a JSON object ({error})") from error
            yield record, where


def _unique(pairs: list[tuple[dict, str]]) -> list[tuple[dict, str]]:
    first: dict[str, str] = {}
    for record, where in pairs:
        key = record.get("id")
        if not key:
            raise RecordError(f"{where}: needs an id")
        if key in first:
            raise RecordError(f"{where}: id {key!r} stands already in {first[key]}; rename one")
        first[key] = where
    return pairs


def _bilingual(value: object, key: str, where: str) -> None:
    for lang in LANGS:
        text = value.get(lang) if isinstance(value, dict) else None
        if not isinstance(text, str) or not text.strip():
            raise RecordError(f"{where}: {key or 'record'} has no text in {lang!r}; every fact stands in both languages")


def _check_subject(record: dict, where: str, kind: str, keys: tuple[str, ...]) -> None:
    record["kind"] = kind
    _bilingual(record, "", where)
    for key in keys:
        _bilingual(record.get(key), key, where)
    for attribute in NOT_WRONG[kind]:
        if not isinstance(record.get("not_wrong", {}).get(attribute), list):
            raise RecordError(f"{where}: not_wrong.{attribute} should be a list of ids")


def _check_condition(record: dict, where: str, departments: dict[str, dict]) -> None:
    _check_subject(record, where, "condition", CONDITION_KEYS)
    if record.get("department") not in departments:
        raise RecordError(f"{where}: unknown department {record.get('department')!r}; there are: {', '.join(departments)}")
    if len(record.get("symptoms", ())) < 3:
        raise RecordError(f"{where}: symptoms should be 3 to 5, the most characteristic first")
    for number, symptom in enumerate(record["symptoms"]):
        _bilingual(symptom, f"symptoms[{number}]", where)
    for lang in LANGS:
        if not isinstance(record.get("aliases", {}).get(lang), list):
            raise RecordError(f"{where}: aliases.{lang} should be a list, empty where there are none")


def _check_known(pairs: list[tuple[dict, str]]) -> None:
    known = {record["id"] for record, _ in pairs}
    for record, where in pairs:
        for attribute, ids in record["not_wrong"].items():
            unknown = [key for key in ids if key not in known]
            if unknown:
                raise RecordError(f"{where}: not_wrong.{attribute} names {unknown[0]!r}, which no line defines")


def _general(pairs: list[tuple[dict, str]]) -> tuple[dict, ...]:
    for record, where in _unique(pairs):
        record["kind"] = "general"
        _bilingual(record, "", where)
        _bilingual(record.get("topic"), "topic", where)
    return tuple(record for record, _ in pairs)


def _dirt(pairs: list[tuple[dict, str]]) -> dict[str, tuple[dict, ...]]:
    found: dict[str, list[dict]] = {kind: [] for kind in DIRT_KINDS}
    for record, where in pairs:
        if record.get("kind") not in found:
            raise RecordError(f"{where}: kind {record.get('kind')!r} should be one of {', '.join(DIRT_KINDS)}")
        _bilingual(record, "", where)
        found[record["kind"]].append(record)
    empty = [kind for kind, records in found.items() if not records]
    if empty:
        raise RecordError(f"dirt.jsonl: no line of kind {empty[0]!r}; each kind needs one at least")
    return {kind: tuple(records) for kind, records in found.items()}
