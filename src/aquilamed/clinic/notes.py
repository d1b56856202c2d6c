"""The stage `clinic.notes`: clinical notes of made-up people in which the place of every identifier is known.

`notes.jsonl` holds one note a line: `id`, `text`, `lang` (zh, en, mixed), `script` (zh, hant, en, mixed), `form` (admission, chat, ...), `split`,
`traits`, `spans` `[[start, end, kind], ...]`. Notes of the split `heldout` are made from forms that the recogniser was not tuned on. Every note also holds
hard negatives (`clinic.chart`), which no span covers: doses, values, codes, citations, eponyms, hospitals, hotlines.
"""

import dataclasses
import functools
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from aquilamed.clinic import chart, people, person_numbers
from aquilamed.clinic import facts as knowledge
from aquilamed.clinic.facts import Facts
from aquilamed.clinic.phrasing import pick
from aquilamed.core.chance import chooser
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.manifest import write_json

VERSION = 1
TEMPLATES = Path(__file__).parent / "notes"
_HEAD = re.compile(r"^## (\w+) (\w+)\n", re.MULTILINE)
_CHOICE = re.compile(r"\[\[(.*?)\]\]")
_SLOT = re.compile(r"\{(\w+)\}")
_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {0x20: 0x3000}
_BLANKS = re.compile(r"(?<![A-Za-z.])[ \u3000]+(?![A-Za-z])")
"""Blanks that a typist may leave out: not beside a Latin word."""
_DAILY = ("labs", "orders", "codes", "cited", "eponym")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """How many notes there are."""

    seed: int = 0
    """Seed of every choice; any integer."""
    n_notes: int = 1000
    """Notes in Chinese and as many in English, 1 or more; a fifth as many mix both. ours: each kind of identifier stands some dozen times in each
    language."""
    wide_share: float = 0.1
    """Share, 0..1, of the Chinese and mixed notes in full-width digits and letters. ours"""
    tight_share: float = 0.2
    """Share, 0..1, of them without any space between fields. ours"""

    def __post_init__(self):
        check(self.n_notes >= 1, f"notes: n_notes={self.n_notes}: expected 1 or more")
        for name in ("wide_share", "tight_share"):
            check(0 <= getattr(self, name) <= 1, f"notes: {name}={getattr(self, name)}: expected 0..1")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Template:
    """A form with slots: `{slot}`, and `[[this|or that]]`."""

    script: str
    form: str
    split: str
    text: str

    @property
    def lang(self) -> str:
        return "zh" if self.script == "hant" else self.script


def files(config: Config) -> list[Path]:
    """The facts and the templates."""
    return [*knowledge.fact_files(), *sorted(TEMPLATES.glob("*.txt"))]


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write `notes.jsonl` and, with the number of spans by language and kind, `truth.json`."""
    notes = generate(config, knowledge.load())
    with (out / "notes.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(note, ensure_ascii=False) + "\n" for note in notes)
    kinds: dict[str, Counter] = {}
    for note in notes:
        kinds.setdefault(note["lang"], Counter()).update(kind for _, _, kind in note["spans"])
    write_json(out / "truth.json", {lang: dict(sorted(found.items())) for lang, found in kinds.items()})
    langs = Counter(note["lang"] for note in notes)
    return Counts(n_in=len(notes), n_out=len(notes), langs=langs)


def generate(config: Config, facts: Facts) -> list[dict]:
    """The notes, language by language; every template of a language in turn."""
    made = []
    for lang, n in (("zh", config.n_notes), ("en", config.n_notes), ("mixed", -(-config.n_notes // 5))):
        family = [template for template in templates() if template.lang == lang]
        made += [note(config, facts, family[number % len(family)], number) for number in range(n)]
    return made


@functools.cache
def templates(folder: Path = TEMPLATES) -> tuple[Template, ...]:
    """All templates; those of files named `*_heldout` are held out."""
    found = []
    for path in sorted(folder.glob("*.txt")):
        split = "heldout" if path.stem.endswith("_heldout") else "tuning"
        _, *parts = _HEAD.split(path.read_text(encoding="utf-8"))
        found += [Template(script=script, form=form, split=split, text=text.strip()) for script, form,
                  text in zip(parts[::3], parts[1::3], parts[2::3], strict=True)]
    return tuple(found)


def note(config: Config, facts: Facts, template: Template, number: int) -> dict:
    """One note with its spans."""
    key = f"note/{template.lang}/{number}"
    rng = chooser(config.seed, key)
    pieces = _filled(template, facts, rng)
    pieces, traits = _typed(pieces, rng, config) if template.script != "en" else (pieces, [])
    text, spans = "", []
    for piece, kind in pieces:
        if kind:
            spans.append([len(text), len(text) + len(piece), kind])
        text += piece
    return {"id": f"{template.lang}-{number:05d}", "text": text, "lang": template.lang, "script": template.script, "form": template.form,
            "split": template.split,
            "traits": traits, "spans": spans}


def _filled(template: Template, facts: Facts, rng: np.random.Generator) -> list[tuple[str, str]]:
    """(text, kind or nothing) of every piece of a note."""
    text = _CHOICE.sub(lambda match: pick(rng, match[1].split("|")), template.text)
    fill = _fillers(template.script, facts, rng)
    pieces = []
    for place, part in enumerate(_SLOT.split(text)):
        pieces.append(fill(part) if place % 2 else (part, ""))
    return pieces


def _fillers(script: str, facts: Facts, rng: np.random.Generator) -> Callable[[str], tuple[str, str]]:
    """What fills a slot: the people of the note stay the same, everything else is drawn anew."""
    people_here = _people(script, rng)
    chart_script = "zh" if script == "mixed" else script
    places = people.PLACES[chart_script]
    numbers = person_numbers.NUMBERS | person_numbers.BY_SCRIPT[chart_script]

    def fill(slot: str) -> tuple[str, str]:
        if slot in people_here:
            return people_here[slot], "name"
        if slot in numbers:
            kind, make = numbers[slot]
            return make(rng), kind
        return _placed(slot, places, rng) or (_charted(slot, chart_script, facts, rng), "")
    return fill


def _placed(slot: str, places: dict, rng: np.random.Generator) -> tuple[str, str] | None:
    if slot in ("phone", "landline", "fax"):
        return places["landline" if slot == "fax" else slot](rng), "fax" if slot == "fax" else "phone"
    if slot in ("address", "town"):
        return places[slot](rng), "address"
    if slot == "email":
        return people.email(rng), "email"
    if slot == "qq":
        return person_numbers.digits(rng, 9), "chat_account"
    if slot == "postcode":
        return (people.postcode_en(rng) if places is people.PLACES["en"] else "9" + person_numbers.digits(rng, 5)), "postcode"
    return None


def _charted(slot: str, script: str, facts: Facts, rng: np.random.Generator) -> str:
    if slot in _DAILY:
        return chart.sentence(slot, script, facts, rng)
    if slot == "hospital":
        return pick(rng, chart.HOSPITALS[script])
    if slot in ("age", "n", "bed"):
        return str(rng.integers(*{"age": (18, 90), "n": (2, 20), "bed": (1, 60)}[slot]))
    return {"condition": chart.condition, "symptom": chart.symptom, "drug": chart.drug, "told": chart.told}[slot](script, facts, rng)


def _people(script: str, rng: np.random.Generator) -> dict[str, str]:
    """Slot -> name of everyone in the note."""
    roles = ("patient", "kin", "doctor", "doctor2", "nurse")
    found: dict[str, str] = {}
    if script in ("zh", "mixed"):
        found = {role: people.name_zh(rng) for role in roles}
    if script == "hant":
        found = {role: people.name_hant(rng) for role in roles}
    for role in roles if script in ("en", "mixed") else ():
        given, family = people.name_en(rng)
        forms = {"_first": given, "_last": family, "_up": f"{given} {family}".upper(),
                 "_rev": pick(rng, (f"{family}, {given}", f"{family.upper()}, {given.upper()}")), "_en": f"{given} {family}"}
        middle = pick(rng, ("", "", f" {pick(rng, 'ABCDEFGHJKLMNPRSTW')}."))
        found = ({} if script == "mixed" else {role: f"{given}{middle} {family}"}) | {role + form: value for form, value in forms.items()} | found
    return found


def _typed(pieces: list[tuple[str, str]], rng: np.random.Generator, config: Config) -> tuple[list[tuple[str, str]], list[str]]:
    """The pieces as another typist would have them: without spaces, with half-width colons, or in full width."""
    tight, plain, wide = rng.random() < config.tight_share, rng.random() < 0.2, rng.random() < config.wide_share
    if tight:
        pieces = [(piece if kind else _BLANKS.sub("", piece), kind) for piece, kind in pieces]
    if plain:
        pieces = [(piece.replace("：", ":"), kind) for piece, kind in pieces]
    if wide:
        pieces = [(piece.translate(_WIDE), kind) for piece, kind in pieces]
    return pieces, [name for name, has in (("tight", tight), ("plain", plain), ("wide", wide)) if has]
