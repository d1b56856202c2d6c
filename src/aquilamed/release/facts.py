"""All that a card tells, gathered from the records and from the manifests of the steps that made them."""

import dataclasses
import functools
from pathlib import Path

from aquilamed.core import lineage, records, tables
from aquilamed.core.errors import RecordError, Uncertified
from aquilamed.core.manifest import Made
from aquilamed.hygiene import certificate, identifiers
from aquilamed.release.census import EMPTY, Census

TRAIN, HELDOUT = "train", "heldout"
SCREENS = {"hygiene.screen": lambda body: True, "corpus.rules": lambda body: True}
"""Stages that look for identifiers and for unsafe words in every record."""
CLEAN = {stage: lambda body: body["config"].get("identifiers", "drop") != "report" for stage in SCREENS}
"""The same, where identifiers that were found do not go on as they were."""
DEDUP = {"hygiene.dedup": lambda body: True}
CHARACTERS, MESSAGES = 300, 4
"""Shown of each message of an example; messages shown of its turns."""


@dataclasses.dataclass(frozen=True)
class Certified:
    """Which benchmarks the records were searched for."""

    benchmarks: dict[str, int]
    """Source -> items; empty where some records have no certificate."""
    found: int
    """Records that were dropped for containing an item."""
    planted: dict[str, tuple[int, int]]
    """Disguise -> leaks planted by the steps themselves, and those of them found."""


@dataclasses.dataclass(frozen=True)
class Facts:
    """Of one set."""

    kind: str
    censuses: dict[str, Census]
    """Split -> its census; a split without records is left out."""
    way: lineage.Lineage
    certified: Certified
    examples: list[dict]
    """Records of the training split, masked and cut."""
    screened: bool
    """Whether identifiers were dropped or masked on every way to the set."""
    looked_at: bool
    """Whether every record was looked at for unsafe words."""
    deduplicated: bool
    parted: Made | None
    """The step of hygiene.holdout that the held-out part is of."""

    def name(self, key: str, value: str, lang: str) -> str:
        """What readers call a department or a disease; in Chinese its id stands behind, for it is what `meta` holds."""
        names = [step.body["notes"].get("names", {}).get(key, {}).get(value) for step in self.way.steps if step.stage == "instruct.topics"]
        zh = next((found[1] for found in names if found), value)
        return f"{zh} {value}" if lang == "zh" and zh != value else value

    @functools.cached_property
    def all(self) -> Census:
        """The census of all splits."""
        return sum(self.censuses.values(), start=EMPTY)


def gather(kind: str, splits: dict[str, Path], censuses: dict[str, Census], n_examples: int) -> Facts:
    """The facts of the records in the folders of the splits.

    Raises:
        RecordError: the way of the training records can't be traced, or the held-out ones are not of a step on it.
    """
    folder, way = splits[TRAIN], lineage.trace(splits[TRAIN])
    held = next((step for step in way.steps if HELDOUT in splits and step.folder == lineage.step_of(splits[HELDOUT])), None)
    if HELDOUT in splits and held is None:
        raise RecordError(f"{splits[HELDOUT]}: not of a step that the training records came through; name the held-out part of the step that parted them")
    screened = way.all_pass(CLEAN)
    shown = examples(kind, folder, n_examples) if screened else []
    parted = held if held and held.stage == "hygiene.holdout" and HELDOUT in censuses else None
    return Facts(kind, censuses, way, certified(folder), shown, screened, way.all_pass(SCREENS), way.all_pass(DEDUP), parted)


def certified(folder: Path) -> Certified:
    """What the certificates on the way to `folder` say together."""
    try:
        covered, found = certificate.covered(folder), certificate.certificates(folder)
    except Uncertified:
        return Certified({}, 0, {})
    planted: dict[str, tuple[int, int]] = {}
    for one in found:
        for change, hits in one["planted"]["by_change"].items():
            n, hit = planted.get(change, (0, 0))
            planted[change] = n + hits["n"], hit + hits["found"]
    return Certified({source: one["n"] for source, one in sorted(covered.items())}, sum(one["counts"]["dropped"].get("benchmark", 0) for one in found), planted)


def examples(kind: str, folder: Path, n: int) -> list[dict]:
    """The `n` records with the smallest ids of Chinese and of English: as good as drawn by chance. Identifiers are masked once more."""
    wanted = {"zh": n, "en": n}
    found: list[dict] = []
    for path in tables.shards(folder, kind) if n else ():
        for row in tables.to_rows(tables.load(path)) if any(wanted.values()) else ():
            if wanted.get(row["lang"]):
                wanted[row["lang"]] -= 1
                found.append(_shown(kind, row))
    return sorted(found, key=lambda row: row["lang"] != "zh")


def _shown(kind: str, row: dict) -> dict:
    """`source`, `lang` and (speaker, words) of a record."""
    words, _ = identifiers.mask(records.words_of(kind, row), row["lang"])
    turns = row.get("messages") or row.get("prompt") or ()
    roles = [*(message["role"] for message in turns), *(["chosen", "rejected"] if kind == "preferences" else [] if turns else ["text"])]
    said = [(role, _cut(text)) for role, text in zip(roles, words, strict=True)]
    skipped = max(len(turns) - MESSAGES, 0)
    return {"source": row["source"], "lang": row["lang"], "said": said[:MESSAGES] + said[MESSAGES + skipped:] if skipped else said, "skipped": skipped}


def _cut(said: str) -> str:
    return said if len(said) <= CHARACTERS else said[:CHARACTERS] + " …"
