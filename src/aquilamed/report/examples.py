"""Ten examples each of what a filter dropped and of what it nearly dropped, by reason, Chinese and English in turn, identifiers masked."""

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from aquilamed.report.markup import Html, both, folded, join, section, tag, whole
from aquilamed.report.runs import Run, Step
from aquilamed.report.truth import QUOTAS

MOST, CHARACTERS = 10, 300
"""Examples of a kind; characters shown of each."""
ABOUT = (
    f"Of each reason at most {MOST}, Chinese and English in turn, cut at {CHARACTERS} characters; what the screen knows as an identifier is masked. Dropped: those with the smallest ids, as good as drawn by "
    "chance. Nearly dropped: the kept ones nearest to the limit, of reasons that have one.",
    f"每种理由至多 {MOST} 条，中英文均衡，截至 {CHARACTERS} 字；筛查能识别的个人标识均已遮盖。剔除：取编号最小者，等同随机抽取；险些剔除：保留下来而最接近界限者。")
GROUPS = ("corpus", "instruct", "preference")
"""Parts of the pipeline whose filters are shown."""
BEFORE = 60
"""Characters shown before the first identifier where that lies further on than is shown."""


Place = tuple[tuple[float, str], Path, int]
"""((nearness with a minus, id), file, row): in the order in which examples are taken."""


@dataclasses.dataclass(frozen=True)
class Example:
    """One record, masked and cut."""

    text: str
    lang: str
    detail: str
    dirt: str
    """What the ground truth says, where there is one."""


def show(run: Run) -> Html:
    """The section; empty where no filter has dropped anything."""
    blocks = [block for step in run.steps if step.group in GROUPS if (block := _block(step))]
    about = [tag("p", line, class_="about", lang=lang) for line, lang in zip(ABOUT, (None, "zh-Hans"), strict=True)]
    return section("examples", "What the filters dropped, and what they nearly dropped", "剔除与险些剔除的样例", about if blocks else "", blocks)


def _block(step: Step) -> Html | None:
    dropped, near = chosen(step, "dropped"), chosen(step, "near")
    counts = dict(step.drops)
    reasons = [_reason(reason, counts.get(reason, 0), dropped.get(reason, []), near.get(reason, []))
               for reason in sorted({*dropped, *near}, key=lambda reason: (-counts.get(reason, 0), reason))]
    return tag("div", tag("h3", step.label, " ", tag("small", step.stage)), reasons, class_="examples") if reasons else None


def _reason(reason: str, n: int, dropped: list[Example], near: list[Example]) -> Html:
    head = join([tag("b", reason), " ", tag("small", f"{whole(n)} dropped" if n else "marked, not dropped", f" · {len(near)} shown that nearly were" if near else "")])
    sides = [tag("div", tag("p", both(*names), class_="what"), [card(example) for example in found] or tag("p", "–", class_="none"))
             for names, found in ((("Dropped", "剔除"), dropped), (("Nearly dropped", "险些剔除"), near)) if found or names[0] == "Dropped"]
    return folded(head, tag("div", sides, class_="sides"))


def card(example: Example) -> Html:
    """A record with what is known of it above its text."""
    who = [tag("span", example.lang, class_=f"lang {example.lang}"), " ", tag("small", example.detail), " ", tag("small", both("truth", "真值"), f": {example.dirt}", class_="truth") if example.dirt else ""]
    return tag("div", tag("p", who, class_="who"), tag("p", example.text, class_="answer", lang=example.lang if example.lang in ("zh", "en") else None), class_="example")


def chosen(step: Step, folder: str) -> dict[str, list[Example]]:
    """Reason -> examples from the step's `dropped` or `near`: the same ones however the rows lie in files."""
    first: dict[tuple[str, str], list[Place]] = defaultdict(list)
    for path in sorted((step.folder / folder).glob("*.parquet")):
        for key, place in _places(path):
            first[key] = sorted([*first[key], place])[:MOST]
    rows = _rows(sorted({(path, number) for places in first.values() for _, path, number in places}))
    found = {}
    for reason in sorted({reason for reason, _ in first}):
        by_lang = {lang: [rows[path, number] for _, path, number in places] for (name, lang), places in first.items() if name == reason}
        found[reason] = [_example(row) for row in in_turn(by_lang)]
    return found


def in_turn(by_lang: dict[str, list[dict]]) -> list[dict]:
    """At most `MOST` rows, a language at a time, Chinese first; where one has no more the others fill up; no record twice."""
    order = sorted(by_lang, key=lambda lang: (("zh", "en").index(lang) if lang in ("zh", "en") else 2, lang))
    picked: dict[str, dict] = {}
    for place in range(MOST):
        for lang in order:
            if place < len(by_lang[lang]) and len(picked) < MOST:
                picked.setdefault(by_lang[lang][place]["id"], by_lang[lang][place])
    return sorted(picked.values(), key=lambda row: order.index(row["lang"] or ""))


def _places(path: Path) -> Iterator[tuple[tuple[str, str], Place]]:
    """(reason, language) and the place of each row of a file that may be shown; texts are not read."""
    import pyarrow.parquet as pq
    if path.name.startswith("raw-"):
        return
    file = pq.ParquetFile(path)
    keys = [name for name in ("id", "lang", "reason", "nearness") if name in file.schema_arrow.names]
    found: dict[tuple[str, str], list[Place]] = defaultdict(list)
    for number, row in enumerate(file.read(columns=keys).to_pylist()):
        if row["reason"] not in QUOTAS:
            found[row["reason"], row["lang"] or ""].append(((-row.get("nearness", 0.0), row["id"]), path, number))
    for key, places in found.items():
        yield from ((key, place) for place in sorted(places)[:MOST])


def _rows(places: Iterable[tuple[Path, int]]) -> dict[tuple[Path, int], dict]:
    import pyarrow as pa
    from aquilamed.core import tables
    found = {}
    for path, some in itertools.groupby(places, key=lambda place: place[0]):
        numbers = [number for _, number in some]
        rows = tables.to_rows(tables.load(path).take(pa.array(numbers, pa.int64())))
        found |= {(path, number): {**row, "kind_of_record": path.name.rpartition("-")[0]} for number, row in zip(numbers, rows, strict=True)}
    return found


def _example(row: dict) -> Example:
    text, detail = masked(_words(row), row["lang"], checked=row["reason"] != "identifier")
    return Example(text, row["lang"] or "", detail, row["meta"].get("truth_dirt", ""))


def _words(row: dict) -> tuple[str, str]:
    from aquilamed.core import records
    kind = row["kind_of_record"]
    has_words = row.get({"documents": "text", "conversations": "messages", "preferences": "prompt", "questions": "stem"}[kind]) is not None
    return "\n".join(records.words_of(kind, row)) if has_words else "", row["detail"] or ""


def masked(words: tuple[str, str], lang: str, *, checked: bool = True) -> tuple[str, str]:
    """(text, detail) with identifiers replaced, then cut: a cut one would not be known for what it is. `checked` as in `hygiene.identifiers.mask`."""
    from aquilamed.hygiene import identifiers
    (text, detail), _ = identifiers.mask(list(words), lang, checked=checked)
    first = next((place for place, (old, new) in enumerate(zip(words[0], text, strict=False)) if old != new), 0)
    start = max(0, first - BEFORE) if first > CHARACTERS - BEFORE else 0
    shown = text[start:start + CHARACTERS]
    return ("… " if start else "") + shown + (" …" if start + CHARACTERS < len(text) else ""), detail[:80]
