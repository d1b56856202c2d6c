"""The synthetic web: clean and dirty pages of both domains, and labelled seeds made of other pages."""

import dataclasses
from collections import Counter

import numpy as np

from aquilamed.clinic import dirt, pages
from aquilamed.clinic.exam import Question
from aquilamed.clinic.facts import Facts
from aquilamed.clinic.pages import Page
from aquilamed.clinic.phrasing import pick, shuffled
from aquilamed.core.chance import chooser, share

HOST = "https://clinic.example.org"
SEED_KINDS = ("clean", "clean", "ad", "clean", "boilerplate", "spliced", "clean", "stub", "garbled", "clean", "unsafe", "identifiers")
"""What the labelled seeds go through, so that every quality occurs."""
_LONE = ("stub", "leak", "near_duplicate")
"""Kinds of dirt that only medical pages get: general ones are short."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """What pages are made of."""

    facts: Facts
    subjects: tuple[dict, ...]
    """Conditions and drugs of this clinic."""
    general: tuple[dict, ...]
    seed: int


@dataclasses.dataclass
class Writer:
    """Makes pages that were not made before: counts the pages of each subject and language."""

    source: Source
    made: Counter = dataclasses.field(default_factory=Counter)

    def subject(self, subject: dict, lang: str) -> Page:
        return self._next(subject, lang, lambda number: pages.subject_page(self.source.facts, subject, lang, number, self.source.seed))

    def general(self, record: dict, lang: str) -> Page:
        """A page about `record` and two more things of its topic drawn by chance: general facts are short."""
        def make(number: int) -> Page:
            others = [other for other in self.source.general if other["id"] != record["id"] and other["topic"] == record["topic"]]
            order = shuffled(chooser(self.source.seed, f"company/{record['id']}"), others)
            more = [order[(2 * number + place) % len(order)] for place in range(min(2, len(order)))]
            return pages.general_page((record, *more), lang, number, self.source.seed)
        return self._next(record, lang, make)

    def any(self, lang: str, rng: np.random.Generator, *, medical: bool) -> Page:
        """A fresh page of the domain about something drawn by `rng`."""
        if medical:
            return self.subject(pick(rng, self.source.subjects), lang)
        return self.general(pick(rng, self.source.general), lang)

    def stub(self, lang: str) -> Page:
        """The next stub; a subject has a second one only when all have one."""
        number = self.made["stub", lang]
        self.made["stub", lang] += 1
        order = sorted(self.source.subjects, key=lambda subject: share(self.source.seed, f"stub/{subject['id']}"))
        return pages.stub_page(order[number % len(order)], lang, number, self.source.seed)

    def _next(self, subject: dict, lang: str, make) -> Page:
        number = self.made[subject["id"], lang]
        self.made[subject["id"], lang] += 1
        return make(number)


def clean_rows(writer: Writer, lang: str, n_pages: int) -> list[dict]:
    """Every subject's first `n_pages` pages and one of every general fact."""
    source = writer.source
    found = [writer.subject(subject, lang) for subject in source.subjects for _ in range(n_pages)]
    found += [writer.general(record, lang) for record in source.general]
    return [_row(page, number, "clean", {}) for number, page in enumerate(found)]


def dirty_rows(writer: Writer, lang: str, clean: list[dict], n: int, leaks: list[Question]) -> list[dict]:
    """`n` dirty pages, the kinds in turn; duplicates are of rows in `clean`, all others of pages written for the purpose."""
    rows = []
    for number in range(n):
        kind = dirt.KINDS[number % len(dirt.KINDS)]
        rng = chooser(writer.source.seed, f"dirt/{lang}/{number}")
        if kind.endswith("duplicate"):
            rows.append(_duplicate(writer, kind, clean, number, rng))
        else:
            rows.append(_dirtied(writer, kind, lang, number, rng, leaks))
    return rows


def seed_rows(writer: Writer, lang: str, n: int) -> list[dict]:
    """`n` labelled documents, medical and general in turn."""
    rows = []
    for number in range(n):
        kind = SEED_KINDS[(number // 2) % len(SEED_KINDS)]
        rng = chooser(writer.source.seed, f"seeds/{lang}/{number}")
        medical = number % 2 == 0
        kind = "clean" if kind in _LONE and not medical else kind
        page, text, _ = _make(writer, kind, lang, rng, medical=medical, leaks=[])
        rows.append({"text": text, "label": "medical" if page.kind != "general" else "general", "quality": dirt.QUALITY[kind], "faults": ",".join(dirt.FAULTS.get(kind, ())),
                     "lang": lang, "dirt": kind, "about": page.subject})
    return rows


def mixed(rows: list[dict], seed: int, key: str) -> list[dict]:
    """`rows` in an order of chance."""
    return sorted(rows, key=lambda row: (share(seed, f"order/{row[key]}"), row[key]))


def _dirtied(writer: Writer, kind: str, lang: str, number: int, rng: np.random.Generator, leaks: list[Question]) -> dict:
    medical = kind in _LONE or not writer.source.general or rng.random() < 0.75
    page, text, more = _make(writer, kind, lang, rng, medical=medical, leaks=leaks)
    return _row(dataclasses.replace(page, text=text), number, kind, more)


def _make(writer: Writer, kind: str, lang: str, rng: np.random.Generator, *, medical: bool, leaks: list[Question]) -> tuple[Page, str, dict]:
    if kind == "stub":
        page = writer.stub(lang)
        return page, page.text, {}
    page = writer.any(lang, rng, medical=medical)
    if kind == "clean":
        return page, page.text, {}
    spill = dirt.Spill(facts=writer.source.facts, other=_unrelated(writer, page, rng) if kind == "spliced" else page,
                       question=pick(rng, leaks) if kind == "leak" else None)
    text, more = dirt.dirty(kind, page, spill, rng)
    return page, text, more


def _unrelated(writer: Writer, page: Page, rng: np.random.Generator) -> Page:
    """A page of the same domain and language about something of another department or class."""
    if page.kind == "general":
        others = [record for record in writer.source.general if record["id"] != page.subject]
        return writer.general(pick(rng, others), page.lang)
    ours = next(subject for subject in writer.source.subjects if subject["id"] == page.subject)
    others = [other for other in writer.source.subjects if other["kind"] != ours["kind"] or other.get("department") != ours.get("department")]
    return writer.subject(pick(rng, others or list(writer.source.subjects)), page.lang)


def _duplicate(writer: Writer, kind: str, clean: list[dict], number: int, rng: np.random.Generator) -> dict:
    fitting = [row for row in clean if kind not in _LONE or row["truth"]["domain"] == "medical"]
    row = pick(rng, fitting)
    truth = row["truth"]
    page = Page(title=row["title"], text=row["text"], lang=truth["lang"], subject=truth["about"], kind=truth["kind"], layout=truth["layout"])
    spill = dirt.Spill(facts=writer.source.facts, other=page, question=None)
    text, _ = dirt.dirty(kind, page, spill, rng)
    return _row(dataclasses.replace(page, text=text), number, kind, {"of": row["page"], "same": truth["same"]})


def _row(page: Page, number: int, kind: str, more: dict) -> dict:
    """A line of web.jsonl; pages with an equal `same` hold the same text but for order, opening and small changes."""
    address = f"{HOST}/{page.lang}/{page.subject}/{kind.replace('_', '-')}-{number:05d}"
    same = f"{page.lang}/{'+'.join(sorted(page.told))}" if page.told and kind != "spliced" else address
    truth = {"domain": "general" if page.kind == "general" else "medical", "dirt": kind, "quality": dirt.QUALITY[kind], "lang": page.lang,
             "about": page.subject, "kind": page.kind, "layout": page.layout, "same": same, **more}
    return {"page": address, "title": page.title, "text": page.text, "truth": truth}
