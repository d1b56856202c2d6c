"""Scores of every task: by reading and language where there is no ledger to show them, and by subject everywhere."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

from aquilamed.report.markup import Html, both, folded, join, percent, section, table, tag
from aquilamed.report.runs import Run, Step, read_json
from aquilamed.report.scores import guessing
from aquilamed.report.whiskers import Mark, chart

ASKED = "asked.json"
READINGS = ("letter", "letter-averaged", "text", "text-prior", "bare", "generated")
"""Which reading a view of subjects takes: the first of these that there is, so that it can't be the flattering one."""
DECIMALS = {"bits": 3, "grades": 2}
"""Readings that are no shares, and how they are written."""
MOST = 40
"""Subjects in a picture, the largest first."""


def show(run: Run) -> Html:
    """The section; empty where nothing was scored."""
    stages = [(name, step, found["results"]) for name, step in run.shown() if (found := read_json(step.folder / "results.json"))]
    if not stages:
        return Html("")
    name, step, results = stages[-1]
    chance = guessing(step.folder / "answers.parquet")
    pictures = [] if run.ledger else [_task(task, some, chance) for task, some in _by_task(results)]
    subjects = [made for task, some in _by_task(results) if (made := _subjects(task, some, stages[0][2] if len(stages) > 1 else None, chance))]
    about = tag("p", "Share right with its 95 % interval", f", of {name}" if len(stages) > 1 else "", "; dotted: what guessing gives. ",
                "Unparsed answers count as wrong and are counted." if not run.ledger else f"Hollow: {stages[0][0]}.", class_="about")
    left = (read_json(run.folder / ASKED) or {}).get("left_out", [])
    inside = [tag("div", pictures, class_="charts wide") if pictures else "", _readings(results) if pictures else "", _unasked(step), _left(left)]
    if subjects:
        inside.append(tag("div", tag("h3", both("By subject", "按科目")), tag("div", subjects, class_="charts wide")))
    inside = join([*inside, _orders(results)])
    return section("tasks", "Scores by task", "各任务得分", about, inside) if inside else Html("")


def _by_task(results: Sequence[Mapping]) -> Iterator[tuple[str, list[Mapping]]]:
    """What has a score, by task and whether it is a share; sampled answers have a section of their own."""
    some = sorted((r for r in results if r["task"] != "samples" and r["score"] is not None), key=lambda r: (r["task"], r["reading"] in DECIMALS, _rank(r["reading"]), r["reading"]))
    return ((task, list(group)) for (task, _), group in itertools.groupby(some, key=lambda r: (r["task"], r["reading"] in DECIMALS)))


def _rank(reading: str) -> int:
    return READINGS.index(reading) if reading in READINGS else len(READINGS)


def _task(task: str, results: Sequence[Mapping], chance: Mapping) -> Html:
    """One task: a line for each reading and language."""
    marks = []
    for result in results:
        langs = result["by_lang"] if len(result["by_lang"]) > 1 else {}
        for lang, some in ({"all": result} | langs).items() if langs else result["by_lang"].items():
            marks += [_mark(f"{result['reading']} {lang}", some, result["reading"])] if some["score"] is not None else []
    known = {value for key, value in chance.items() if key[0] == task and key[1] == "all"}
    title = join([tag("b", task), " ", tag("small", f"n {max(result['n'] for result in results):,}"), tag("small", f" · chance {percent(min(known))}") if known else ""])
    return tag("figure", tag("figcaption", title), chart(marks, f"{task} by reading and language", chance=min(known, default=None), in_percent=results[0]["reading"] not in DECIMALS))


def _mark(name: str, found: Mapping, reading: str, before: float | None = None) -> Mark:
    note = f"{found['score']:.{DECIMALS[reading]}f}" if reading in DECIMALS else f"{100 * found['score']:.1f}"
    unparsed = f" ({found['unparsed']:,} ?)" if found["unparsed"] else ""
    return Mark(name, found["low"], found["score"], found["high"], f"{note}{unparsed} · {found['n']:,}", before)


def _readings(results: Sequence[Mapping]) -> Html:
    unparsed = sum(result["unparsed"] for result in results)
    said = "The right column: score, answers that settle on nothing (?), items."
    return tag("p", tag("small", said if unparsed else "The right column: score, items."))


def _unasked(step: Step) -> Html:
    """Items that could not be asked, by reason."""
    return tag("p", tag("small", "Not asked, and in no score: ", ", ".join(f"{reason} {n:,}" for reason, n in step.drops))) if step.drops else Html("")


def _orders(results: Sequence[Mapping]) -> Html:
    """What the place of an option did to the answers, where the options were shown in several orders."""
    rows = []
    for result in results:
        if order := result.get("order"):
            places = [f"{place} {100 * picked:.1f} ({100 * order['right'].get(place, 0.0):.1f})" for place, picked in order["picked"].items()]
            rows.append([result["task"], percent(order["changed"]), join([tag("span", place, class_="place") for place in places]),
                         join([tag("span", f"{place} {100 * value:.1f}", class_="place") for place, value in order["accuracy"].items()])])
    heads = [("Task", "任务"), ("Answers that change with the order", "随选项顺序改变的回答"), ("Taken at each place, % (right there)", "各位置被选比例（应选比例）"), ("Right, by the place of the right option, %", "按正确选项位置的正确率")]
    return tag("div", tag("h3", both("Does the order of the options matter?", "选项顺序的影响")), table(heads, rows)) if rows else Html("")


def _left(left: Sequence[Mapping]) -> Html:
    """Tasks that `all` could not ask."""
    return tag("p", tag("small", "Left out, for their files were not there: ", ", ".join(one["task"] for one in left))) if left else Html("")


def _subjects(task: str, results: Sequence[Mapping], before: Sequence[Mapping] | None, chance: Mapping) -> Html | None:
    """One task by subject; None where it has none. A task of many subjects is folded."""
    result = results[0]
    subjects = {name: some for name, some in result["by_subject"].items() if name and some["score"] is not None}
    if len(subjects) < 2 or result["reading"] in DECIMALS:
        return None
    olds = {name: some for old in before or () if (old["task"], old["reading"]) == (task, result["reading"]) for name, some in old["by_subject"].items()}
    largest = sorted(subjects, key=lambda name: (-subjects[name]["n"], name))[:MOST]
    marks = [_mark(name, subjects[name], result["reading"], olds.get(name, {}).get("score")) for name in largest]
    picture = chart(marks, f"{task} by subject", chance=chance.get((task, "all", result["reading"])))
    left = tag("small", f" · the {MOST} largest of {len(subjects):,} subjects") if len(subjects) > MOST else ""
    title = join([tag("b", task), " ", tag("small", result["reading"]), left])
    if len(marks) <= 12:
        return tag("figure", tag("figcaption", title), picture)
    return tag("figure", folded(join([title, tag("small", f" · {len(marks)} subjects")]), picture))
