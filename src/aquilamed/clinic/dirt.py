"""The dirt of the web, laid on clean pages; every piece says in `truth` what was done to it."""

import dataclasses
from collections.abc import Callable

import numpy as np

from aquilamed.clinic import identifiers
from aquilamed.clinic.exam import LETTERS, Question
from aquilamed.clinic.facts import Facts
from aquilamed.clinic.pages import Page
from aquilamed.clinic.phrasing import pick, shuffled

QUALITY = {
    "clean": 6, "exact_duplicate": 6, "near_duplicate": 6, "identifiers": 5, "leak": 5, "boilerplate": 4, "stub": 3,
    "ad": 2, "spliced": 1, "unsafe": 1, "garbled": 0,
}
"""What happened to a page -> its true quality, 0..6: 6 a whole clean page (once or several times), 5 whole with a foreign
line, 4 with boilerplate, 3 a stub, 2 laden with advertising, 1 spliced or unsafe, 0 unreadable."""

FAULTS = {"ad": ("advertising",), "boilerplate": ("media_editing",), "spliced": ("spliced",), "garbled": ("ungrammatical",)}
"""What happened to a page -> which of the paper's five faults it then has (`corpus.asking.FAULTS`); other dirt is none of them."""

EDITS = {
    "zh": (("通常", "一般"), ("还可", "亦可"), ("医生", "大夫"), ("立即", "立刻"), ("患者", "病人"), ("可能", "或许")),
    "en": (("usually", "commonly"), ("mainly", "chiefly"), ("Doctors", "Physicians"), ("doctors", "physicians"), ("at once", "right away"),
           ("may", "might"), ("main", "chief"), ("Patients", "People"), ("key", "crucial")),
}
TAILS = {"zh": ("（转载）", "完。", "编辑：小李", "阅读：1024", "收藏"), "en": ("(Reposted)", "The end.", "Edited by staff", "Views: 1024", "Share")}
LEAK_INTRO = {"zh": ("练习题：", "考一考：", "真题回顾："), "en": ("Practice question:", "Test yourself:", "From a past exam:")}
ANSWER_LINE = {"zh": "答案：{letter}", "en": "Answer: {letter}"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spill:
    """What the dirt is made of, for one page."""

    facts: Facts
    other: Page
    """An unrelated page in the same language, for splicing."""
    question: Question | None
    """A held-out question in the page's language, for a leak."""


def dirty(kind: str, page: Page, spill: Spill, rng: np.random.Generator) -> tuple[str, dict]:
    """The page's text with dirt of `kind` on it, and what the truth says beyond the kind."""
    return _WAYS[kind](page, spill, rng)


def _insert(text: str, lines: list[str], rng: np.random.Generator) -> str:
    """`lines` put between the paragraphs of `text`, each at a place of its own choosing."""
    paragraphs = text.split("\n")
    for line in lines:
        paragraphs.insert(int(rng.integers(0, len(paragraphs) + 1)), line)
    return "\n".join(paragraphs)


def _snippets(spill: Spill, kind: str, lang: str, n: int, rng: np.random.Generator) -> list[str]:
    return [record[lang] for record in shuffled(rng, spill.facts.dirt[kind])[:n]]


def _ad(page: Page, spill: Spill, rng: np.random.Generator) -> tuple[str, dict]:
    return _insert(page.text, _snippets(spill, "ad", page.lang, int(rng.integers(2, 4)), rng), rng), {}


def _boilerplate(page: Page, spill: Spill, rng: np.random.Generator) -> tuple[str, dict]:
    lines = _snippets(spill, "boilerplate", page.lang, int(rng.integers(2, 4)), rng)
    return "\n".join([lines[0], page.text, *lines[1:]]), {}


def _unsafe(page: Page, spill: Spill, rng: np.random.Generator) -> tuple[str, dict]:
    lines = _snippets(spill, "unsafe", page.lang, int(rng.integers(1, 3)), rng)
    return _insert(page.text, lines, rng), {"snippets": lines}


def _identifiers(page: Page, spill: Spill, rng: np.random.Generator) -> tuple[str, dict]:
    line, planted = identifiers.line(page.lang, rng)
    return _insert(page.text, [line], rng), {"identifiers": planted}


def _leak(page: Page, spill: Spill, rng: np.random.Generator) -> tuple[str, dict]:
    question = spill.question
    answer = ANSWER_LINE[page.lang].format(letter=LETTERS[question.answer])
    block = "\n".join([pick(rng, LEAK_INTRO[page.lang]), question.printed(), *([answer] if rng.random() < 0.7 else [])])
    return _insert(page.text, [block], rng), {"question": question.id}


def _spliced(page: Page, spill: Spill, rng: np.random.Generator) -> tuple[str, dict]:
    """The first half of one page and the second of another, each cut where it happens to be."""
    cut = lambda text: round(len(text) * (0.4 + 0.2 * float(rng.random())))  # noqa: E731
    first, second = page.text[:cut(page.text)], spill.other.text[cut(spill.other.text):]
    return first.rstrip() + ("" if page.lang == "zh" else " ") + second.lstrip(), {"spliced_with": spill.other.subject}


def _near_duplicate(page: Page, spill: Spill, rng: np.random.Generator) -> tuple[str, dict]:
    """One word exchanged, where there is one to exchange, and a short line added."""
    fitting = [edit for edit in EDITS[page.lang] if edit[0] in page.text]
    text = page.text.replace(*pick(rng, fitting), 1) if fitting else page.text
    return f"{text}\n{pick(rng, TAILS[page.lang])}", {}


def _exact_duplicate(page: Page, spill: Spill, rng: np.random.Generator) -> tuple[str, dict]:
    return page.text, {}


def _garbled(page: Page, spill: Spill, rng: np.random.Generator) -> tuple[str, dict]:
    ways = (_mojibake, _scrambled, _noise) if page.lang == "zh" else (_scrambled, _noise)
    way = pick(rng, ways)
    return way(page, spill, rng), {"way": way.__name__.strip("_")}


def _mojibake(page: Page, spill: Spill, rng: np.random.Generator) -> str:
    return page.text.encode().decode("gb18030", errors="replace")


def _scrambled(page: Page, spill: Spill, rng: np.random.Generator) -> str:
    """Words, or characters in Chinese, in no order."""
    pieces = list(page.text.replace("\n", "")) if page.lang == "zh" else page.text.split()
    return ("" if page.lang == "zh" else " ").join(shuffled(rng, pieces))


def _noise(page: Page, spill: Spill, rng: np.random.Generator) -> str:
    return "\n".join(_snippets(spill, "garbled", page.lang, 4, rng))


_WAYS: dict[str, Callable] = {
    "ad": _ad, "boilerplate": _boilerplate, "unsafe": _unsafe, "identifiers": _identifiers, "leak": _leak, "spliced": _spliced,
    "near_duplicate": _near_duplicate, "exact_duplicate": _exact_duplicate, "garbled": _garbled,
}
KINDS = (*_WAYS, "stub")
