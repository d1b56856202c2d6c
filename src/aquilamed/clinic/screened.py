"""The stage `clinic.screened`: what the screen for identifiers finds in the made-up notes, against the known spans.

`identifiers.json`: language -> kind (`all` first) -> precision and recall, 0..1, the number of known spans, and `covered`, the share of their
characters that masking hides. Real notes have forms that these lack: read a sample of your own.
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from aquilamed.clinic import scoring
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.manifest import write_json
from aquilamed.hygiene import charts, check_digits, dates, identifiers, names, numbers, places

VERSION = 1
FOUND = "identifiers.json"
NOTES = "notes.jsonl"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """What the notes are taken for."""

    records: str = "found"
    """`found`: a note must look like a patient's record by itself; `all`: every note is taken for one, as in `hygiene.screen`. ours"""

    def __post_init__(self):
        check(self.records in ("found", "all"), f"screened: records={self.records!r}: expected found or all")


def files(config: Config) -> list[Path]:
    """The recogniser's own code: no figure outlives it."""
    return [Path(module.__file__) for module in (identifiers, charts, dates, names, numbers, places, check_digits)]


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Search the notes of `inputs["notes"]`, a step of `clinic.notes`; the notes themselves stay where they are."""
    lines = (inputs["notes"] / NOTES).read_text(encoding="utf-8").splitlines()
    found = engine.map(lambda some: [_pair(config, line) for line in some], [lines[start:start + 200] for start in range(0, len(lines), 200)])
    pairs = [pair for some in found for pair in some]
    by_lang = {lang: _measured([pair for name, pair in pairs if name == lang]) for lang in sorted({name for name, _ in pairs}, key=("zh", "en", "mixed").index)}
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / FOUND, by_lang)
    total = {lang: kinds["all"] for lang, kinds in by_lang.items()}
    return Counts(n_in=len(lines), n_out=len(lines), langs=Counter(name for name, _ in pairs), notes={"identifiers": total})


def _pair(config: Config, line: str) -> tuple[str, tuple]:
    """(language, (known, found)) of one note."""
    note = json.loads(line)
    return note["lang"], (note["spans"], identifiers.find(note["text"], is_record=config.records == "all"))


def _measured(pairs: list[tuple]) -> dict[str, dict]:
    scores = scoring.by_kind(pairs)
    return {kind: {"precision": round(score.precision, 4), "recall": round(score.recall, 4), "covered": round(score.covered / max(score.chars, 1), 4), "n": score.known, "found": score.found}
            for kind, score in {"all": scoring.total(scores), **scores}.items()}
