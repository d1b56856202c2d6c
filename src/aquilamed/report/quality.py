"""How good the filters are, measured on what they never saw: the clinic's ground truth, labelled seeds, planted leaks."""

from collections.abc import Iterator, Mapping, Sequence

from aquilamed.core.intervals import Interval
from aquilamed.report import truth
from aquilamed.report.markup import Html, both, join, percent, section, table, tag, whole
from aquilamed.report.runs import Run, Step, read_json

MEASURES = ("precision", "recall", "f1", "spearman", "mae")
FINDERS = ("hygiene.screen", "hygiene.dedup", "corpus.rules", "instruct.score", "instruct.relevance", "instruct.select", "preference.subjective")
"""Stages whose notes tell what they found without a truth to measure it by."""
CERTIFICATE = "certificate.json"
ABOUT_TRUTH = (
    "Pages and conversations of the bundled clinic say what was done to them. Flagged: dropped for the reason, or marked so. Precision: of those, the share that is of the kinds the reason is meant for. Recall: of "
    "those kinds, the share flagged for this reason, and by the step for any reason. Of copies all but one are to go, whichever. Small type: 95 % interval (Wilson). No filter sees the truth; "
    "nothing is trained on it.",
    "内置合成门诊的每个网页和对话都记有它被做过什么改动。判出：因该理由被剔除或被标记；精确率：其中确属该理由所针对种类的比例；召回率：该种类中因此理由（或因本步骤任一理由）被判出的比例。"
    "重复的只留一份，留哪份不论。小字为 95 % 区间（Wilson）。过滤器看不到真值，训练也不使用真值。")
"""What the table of the ground truth shows, in English and Chinese."""


def show(run: Run) -> Html:
    """The section; empty where no step measured itself."""
    measured = [(step, path, found) for step in run.steps for path, found in _measured(step.notes, ())]
    columns = [name for name in MEASURES if any(name in found for *_, found in measured)]
    heads = [("Filter", "过滤器"), ("Of", "对象"), *((_title(name), "") for name in columns), ("n", "")]
    rows = [[tag("b", step.label), " · ".join(path), *(_figure(found.get(name)) for name in columns), whole(found["n"]) if "n" in found else "–"]
            for step, path, found in measured]
    about = tag("p", both("Shares 0 to 1, on seeds kept out of the filter's own training; mean error in points of the 0 to 6 scale. Agreement: two scorers on the same conversations.",
                           "取值 0 至 1，种子未参与该过滤器的训练；平均误差以 0 至 6 分计。agreement 为两种打分器在相同对话上的一致性。"), class_="about")
    seeds = [tag("h3", both("Measured on labelled seeds", "以标注种子衡量")), about, table(heads, rows, numbers=range(2, len(heads)))] if rows else ""
    parts = [_truth(truth.measures(run)), seeds, _leaks(run), _others(run)]
    return section("filters", "How good the filters are", "过滤器质量", [part for part in parts if part])


def _truth(found: Sequence[truth.Measure]) -> Html | None:
    """Precision and recall of every reason on pages of which the truth is known."""
    heads = [("Filter", "过滤器"), ("Reason", "理由"), ("Meant for", "针对"), ("", ""), ("Flagged", "判出"), ("Precision", "精确率"), ("Clean lost", "误伤"), ("Of that kind", "该类总数"),
             ("Recall", "召回率"), ("By any reason", "任一理由")]
    rows = [[_named(tag("b", one.step.label), found[k - 1:k], one, "step"), _named(one.reason, found[k - 1:k], one, "reason"), _named(_kinds(one), found[k - 1:k], one, "reason"),
             tag("span", one.lang, class_=f"lang {one.lang}"), whole(one.n_dropped), _share(one.precision), whole(one.n_clean), whole(one.n_there), _share(one.recall), _share(one.dropped_by_any)]
            for k, one in enumerate(found)]
    about = [tag("p", ABOUT_TRUTH[0], class_="about"), tag("p", ABOUT_TRUTH[1], class_="about", lang="zh-Hans")]
    return tag("div", tag("h3", both("Measured on the clinic's ground truth", "以内置合成门诊的真值衡量")), about, table(heads, rows, numbers=(4, 5, 6, 7, 8, 9), class_="truths")) if rows else None


def _kinds(one: truth.Measure) -> str:
    return "any dirt" if one.meant_for == truth.DIRT else ", ".join(one.meant_for)


def _named(name: object, before: Sequence[truth.Measure], one: truth.Measure, what: str) -> Html:
    """`name`, marked as said already where the line before says the same."""
    again = bool(before) and before[0].step == one.step and (what == "step" or before[0].reason == one.reason)
    return tag("span", name, class_="again" if again else None)


def _share(found: Interval) -> Html | str:
    return "–" if found.value != found.value else join([percent(found.value), " ", tag("small", f"{100 * found.low:.0f}–{100 * found.high:.0f}")])


def _measured(notes: Mapping, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Mapping]]:
    """Every mapping in the notes that holds a measure, with the keys that lead to it."""
    for key, value in notes.items():
        if isinstance(value, Mapping):
            if any(isinstance(value.get(name), int | float) for name in MEASURES):
                yield (*path, key), value
            else:
                yield from _measured(value, (*path, key))


def _title(name: str) -> str:
    return {"f1": "F1", "mae": "Mean error"}.get(name, name.capitalize())


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _leaks(run: Run) -> Html | None:
    """The decontamination certificates: what was searched for, and how many planted leaks were found, by disguise."""
    rows = []
    for step in run.of("hygiene.decontaminate"):
        found = read_json(step.folder / CERTIFICATE) or {}
        planted = found.get("planted") or {"n": step.notes.get("planted", 0), "recall": step.notes.get("planted_recall")}
        changes = ", ".join(f"{name} {hits['found']}/{hits['n']}" for name, hits in (planted.get("by_change") or {}).items())
        searched = ", ".join(f"{one['source']} {one['n']:,}" for one in found.get("benchmarks", [])) or whole(step.notes.get("n_items", 0))
        rows.append([tag("b", step.label), searched, whole(step.notes.get("items_not_searchable", 0)), whole(step.n_dropped),
                     f"{_figure(planted.get('recall'))}", whole(planted.get("n", 0)), changes or "–"])
    heads = [("Decontamination", "去污染"), ("Searched for", "基准"), ("Not searchable", ""), ("Leaks removed", ""), ("Planted recall", ""), ("Planted", ""), ("By disguise", "")]
    return tag("div", tag("h3", both("Benchmark leaks", "基准泄漏")), table(heads, rows, numbers=(2, 3, 4, 5))) if rows else None


def _others(run: Run) -> Html | None:
    """Screening, deduplication and scoring: what was found, by kind."""
    rows = [row for step in run.of(*FINDERS) if (row := _found(step))]
    return tag("div", tag("h3", both("What the other filters found", "其他过滤器的发现")),
               table([("Filter", "过滤器"), ("Found", "发现")], rows, class_="found")) if rows else None


def _found(step: Step) -> list[object] | None:
    found = [tag("div", tag("span", name.removeprefix("n_").replace("_", " "), class_="key"), " ", _written(value)) for name, value in step.notes.items()
             if not isinstance(value, Mapping | Sequence) or value]
    return [tag("b", step.label), join(found)] if found else None


def _written(value: object) -> str:
    """A figure, a row of quantiles, or figures by name."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_written(inner)}" for key, inner in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " · ".join(_written(inner) for inner in value)
    return whole(value) if isinstance(value, int) else f"{value:.3f}" if isinstance(value, float) else str(value)
