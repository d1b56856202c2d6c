"""Every filter against the ground truth that the bundled clinic's pages and conversations carry: precision and recall by reason and language.

The truth travels in `meta` under keys that begin with `truth_` (the recipe's sources name them). It is no part of a text or an id, no filter
reads it and nothing is trained on it; only this page does.
"""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterator

from aquilamed.core.intervals import Interval, wilson
from aquilamed.report.runs import Run, Step

DIRT = ("ad", "boilerplate", "garbled", "identifiers", "leak", "spliced", "stub", "unsafe")
KINDS = {
    "garbled": ("garbled",), "mojibake": ("garbled",), "scrambled": ("garbled",), "symbols": ("garbled",), "punctuation": ("garbled",), "digits": ("garbled",), "other_language": ("garbled",),
    "too_short": ("stub",), "boilerplate": ("ad", "boilerplate"), "unsafe": ("unsafe",), "identifier": ("identifiers",),
    "exact_duplicate": ("exact_duplicate", "duplicate"), "near_duplicate": ("near_duplicate",), "script_twin": ("near_duplicate",), "benchmark": ("leak",),
    "unrelated_turns": ("off_topic",), "redundant_turns": ("echo",), "low_score": ("curt",),
}
"""Reason -> the kinds of dirt (`clinic.dirt`, `clinic.spoiled`) that it is for; a reason that is not here is for all that its stage is to find."""
DUTIES = {
    "corpus.rules": ("ad", "boilerplate", "garbled", "identifiers", "stub", "unsafe"), "hygiene.screen": ("identifiers", "unsafe"), "hygiene.decontaminate": ("leak",),
    "hygiene.dedup": ("exact_duplicate", "near_duplicate", "duplicate"), "instruct.select": ("off_topic", "echo", "curt"),
}
"""Stage -> the kinds that it is to find; one that it finds none of has a line of its own, with the reason `NONE`."""
NONE = "(none)"
DUPLICATES = ("hygiene.dedup", "instruct.join")
MARKED = {"corpus.classify": "medical", "corpus.quality": "low_quality"}
"""Stages that mark every document -> what the mark says; measured whether or not they drop by it."""
KIND = {"corpus": "documents", "instruct": "conversations"}
"""Parts of the pipeline whose records may carry a truth -> the kind of record."""
GOOD = 4.0
"""From which true quality a page is good, where no step of the run says otherwise."""
QUOTAS = ("over_budget", "over_cap")
"""Reasons that say nothing about a record."""


@dataclasses.dataclass(frozen=True)
class Page:
    """The truth about one row of a step, and what became of it."""

    lang: str
    dirt: str
    domain: str
    quality: float
    original: str
    """The page that it was made from by planting a duplicate, or itself."""
    same: str
    """Equal for all pages that hold the same text but for order and small changes."""
    reason: str
    """Empty: kept."""
    marks: dict
    """`domain`, `quality` and `least_quality` as the filters see them."""


@dataclasses.dataclass(frozen=True)
class Measure:
    """One reason of one step in one language."""

    step: Step
    reason: str
    meant_for: tuple[str, ...]
    lang: str
    n_dropped: int
    precision: Interval
    """Of those dropped for the reason, the share that the reason is for."""
    n_clean: int
    """Clean pages among those wrongly dropped for the reason."""
    n_there: int
    """Rows that came in and that the reason is for."""
    recall: Interval
    """Share of them that this reason dropped."""
    dropped_by_any: Interval
    """Share of them that the step dropped, for whatever reason."""


def measures(run: Run) -> list[Measure]:
    """Of every step whose rows carry a truth."""
    good = next((float(step.config["good"]) for step in run.steps if "good" in step.config), GOOD)
    return [found for step in run.steps if step.group in KIND for found in measure(step, pages(step), good)]


def pages(step: Step) -> list[Page]:
    """The rows of a step that carry a truth, kept and dropped."""
    return [] if not _has_truth(step) else [page for reason, rows in _tables(step) for page in _pages(reason, rows)]


def measure(step: Step, found: list[Page], good: float = GOOD) -> list[Measure]:
    """One line for each reason and language; pages of a true quality below `good` are those that a step for quality is to find."""
    lines, reasons = [], _reasons(step, found)
    for lang in sorted({page.lang for page in found}, key=lambda lang: (lang != "zh", lang)):
        mine = [page for page in found if page.lang == lang]
        lines += [_of_copies(step, reason, lang, mine) if step.stage in DUPLICATES else _of_reason(step, reason, lang, mine, good) for reason in reasons]
        lines += _unfound(step, reasons, lang, mine)
    return sorted(lines, key=lambda line: (line.reason == NONE, line.reason, line.meant_for))


def kinds_of(step: Step, reason: str) -> tuple[str, ...]:
    """The kinds of dirt that a reason of a step is for."""
    return KINDS.get(reason) or DUTIES.get(step.stage, DIRT)


def _reasons(step: Step, found: list[Page]) -> list[str]:
    marked = [MARKED[step.stage]] if step.stage in MARKED else []
    dropped = {page.reason for page in found} - {"", *QUOTAS}
    return [*marked, *sorted(dropped - {"general", "low_quality"})]


def _unfound(step: Step, reasons: list[str], lang: str, mine: list[Page]) -> Iterator[Measure]:
    """A line for each kind that the stage is to find, that came in, and that no reason of the step is for."""
    covered = {kind for reason in reasons for kind in kinds_of(step, reason)}
    texts = Counter(page.same for page in mine)
    for kind in DUTIES.get(step.stage, ()):
        there = [page for page in mine if page.dirt == kind and (step.stage not in DUPLICATES or texts[page.same] > 1)]
        if there and kind not in covered:
            n, by_any = len(there), sum(bool(page.reason) for page in there)
            yield Measure(step, NONE, (kind,), lang, 0, wilson(0, 0), 0, n, wilson(0, n), wilson(by_any, n))


def _of_reason(step: Step, reason: str, lang: str, mine: list[Page], good: float) -> Measure:
    meant_for, is_said, is_true, some = _question(step, reason, good)
    asked = [page for page in mine if some(page)]
    said, there = [page for page in asked if is_said(page)], [page for page in asked if is_true(page)]
    both = sum(is_true(page) for page in said)
    by_any = sum(bool(page.reason) and page.reason not in QUOTAS or is_said(page) for page in there)
    return Measure(step, reason, meant_for, lang, len(said), wilson(both, len(said)), sum(page.dirt == "clean" and not is_true(page) for page in said),
                   len(there), wilson(both, len(there)), wilson(by_any, len(there)))


def _question(step: Step, reason: str, good: float) -> tuple:
    """(what the reason is for, whether a page was said to be so, whether it truly is, which pages are asked about)."""
    if reason == "medical":
        return ("medical",), lambda page: page.marks["domain"] == "medical", lambda page: page.domain == "medical", lambda page: True
    if reason in ("low_quality", "below_quality"):
        said = (lambda page: page.reason == reason) if reason == "below_quality" else (lambda page: float(page.marks["quality"]) < float(page.marks["least_quality"]))
        return (f"quality < {good:g}",), said, lambda page: page.quality < good, lambda page: reason == "low_quality" or page.marks["domain"] == "medical"
    kinds = kinds_of(step, reason)
    return kinds, lambda page: page.reason == reason, lambda page: page.dirt in kinds, lambda page: True


def _of_copies(step: Step, reason: str, lang: str, mine: list[Page]) -> Measure:
    """A drop is right where another record of the same text stays; of an original and its planted duplicates all but one are to go, whichever."""
    kinds, stays = kinds_of(step, reason), {page.same for page in mine if not page.reason}
    originals: dict[str, list[Page]] = defaultdict(list)
    for page in mine:
        if page.dirt in ("clean", *kinds):
            originals[page.original].append(page)
    surplus = {original: len(family) - 1 for original, family in originals.items()}
    said = [page for page in mine if page.reason == reason]
    wrong = [page for page in said if page.same not in stays]
    there = sum(surplus.values())
    gone, by_any = (sum(min(surplus[original], sum(is_gone(page) for page in family)) for original, family in originals.items())
                    for is_gone in (lambda page: page.reason == reason, lambda page: bool(page.reason)))
    return Measure(step, reason, kinds, lang, len(said), wilson(len(said) - len(wrong), len(said)), sum(page.dirt == "clean" for page in wrong),
                   there, wilson(gone, there), wilson(by_any, there))


def _has_truth(step: Step) -> bool:
    first = next(iter(sorted((step.folder / KIND[step.group]).glob("*.parquet"))), None)
    if first is None:
        return False
    from aquilamed.core import tables
    return any(tables.meta_of(tables.load(first), "truth_dirt"))


def _tables(step: Step) -> Iterator[tuple[object, object]]:
    """(reasons or None, table without texts) of every kept and dropped file of a step."""
    import pyarrow.parquet as pq
    for path in sorted((step.folder / KIND[step.group]).glob("*.parquet")):
        yield None, pq.read_table(path, columns=["id", "lang", "meta"], partitioning=None)
    for path in sorted((step.folder / "dropped").glob(f"{KIND[step.group]}-*.parquet")):
        table = pq.read_table(path, columns=["id", "lang", "meta", "reason"], partitioning=None)
        yield table["reason"].to_pylist(), table


def _pages(reasons: list[str] | None, table) -> Iterator[Page]:
    from aquilamed.core import tables
    keys = ("truth_lang", "truth_dirt", "truth_domain", "truth_quality", "truth_page", "truth_of", "truth_same", "domain", "quality", "least_quality")
    columns = [tables.meta_of(table, key) for key in keys]
    origins = zip(reasons or [""] * len(table), table["id"].to_pylist(), table["lang"].to_pylist(), strict=True)
    for (reason, row_id, row_lang), row in zip(origins, zip(*columns, strict=True), strict=True):
        lang, dirt, true_domain, true_quality, page, of, same, domain, quality, least = row
        if dirt:
            yield Page(lang or row_lang, dirt, true_domain or "", float(true_quality or "nan"), of or page or row_id, same or page or row_id, reason, {"domain": domain, "quality": quality or "nan", "least_quality": least or "nan"})
