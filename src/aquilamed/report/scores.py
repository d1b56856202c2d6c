"""What each stage gained and cost: the ledger as a table, and the same with intervals as small charts."""

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from aquilamed.report.ledger import Cell, Key, cells_of, order_of
from aquilamed.report.markup import Html, both, join, percent, section, tag
from aquilamed.report.plots import ticks
from aquilamed.report.runs import Run

LANG_ORDER = {"zh": 0, "en": 1}
TASK_ORDER = {"bpb-medical": 1, "bpb-general": 2, "preferences-subjective": 3, "preferences-objective": 4, "preferences-vote": 5, "samples": 6}
"""Exams come first."""
LIMITS = {"passed": "limit passed", "doubtful": "limit passed, not beyond doubt", "kept": "within limit"}
"""What the ledger says of a limit -> how it is told."""
WIDTH, ROW, LEFT, RIGHT, TOP = 340, 24, 74, 58, 12
"""Of a small chart, in its own units: width, height of a stage, room for names and figures, room above."""


def show(run: Run) -> Html:
    """The section; empty where the run has no ledger yet."""
    order, cells = order_of(run.ledger), cells_of(run.ledger)
    if not cells:
        return Html("")
    keys = in_order(cells)
    chance = chances(run)
    about = tag("p", "Every stage on the same items. Small type: 95 % interval. Change against ", tag("b", order[0]), ", paired: ",
                tag("span", "▲ gained", class_="gained"), " and ", tag("span", "▼ lost", class_="lost"),
                " where the interval of the difference excludes zero and p, adjusted for all rows of the stage (Holm), is at most .05, else ", tag("span", "= same", class_="same"),
                ". Scores in percent, changes in points; bits per byte (bpb) fall when better. A change's tooltip tells its p and the smallest change that these items can show.", class_="about")
    charts = tag("div", [_chart(key, [cells[key][stage] for stage in order if stage in cells[key]], chance.get(key)) for key in keys], class_="charts")
    return section("ledger", "What each stage gained and cost", "各阶段得失", about, _table(order, keys, cells), charts)


def in_order(keys: Iterable[Key]) -> list[Key]:
    """Exams first, then bits per byte, preferences, samples; of one task Chinese first, both together last."""
    return sorted(keys, key=lambda key: (TASK_ORDER.get(key[0], 0), key[0], key[2], LANG_ORDER.get(key[1], 2)))


def _table(order: list[str], keys: list[Key], cells: dict[Key, dict[str, Cell]]) -> Html:
    heads = [tag("th", both("Task", "任务"), scope="col")] + [tag("th", stage, scope="col", class_="number") for stage in order]
    body, last = [], None
    for key in keys:
        row = cells[key]
        first = tag("th", tag("b", key[0]) if key[0] != last else tag("b", key[0], class_="again"), " ", tag("span", key[1], class_=f"lang {key[1]}"), " ",
                    tag("small", f"{key[2]} · n {max(cell.n for cell in row.values()):,}"), scope="row")
        body.append(tag("tr", first, [_cell(row.get(stage), stage, stage == order[0]) for stage in order], class_="first" if key[0] != last else None))
        last = key[0]
    return tag("table", tag("thead", tag("tr", heads)), tag("tbody", body), class_="stack ledger")


def _cell(cell: Cell | None, stage: str, is_first: bool) -> Html:
    if cell is None:
        return tag("td", "–", class_="number", data_label=stage)
    remarks = [f"{cell.unparsed:,} unparsed"] if cell.unparsed else []
    lines = [tag("span", cell.written(cell.score, unit=False), class_="score"),
             tag("small", f"{cell.written(cell.low, unit=False)} – {cell.written(cell.high, unit=False)}")]
    if not is_first and cell.delta is not None:
        lines.append(tag("span", cell.change(), class_=f"change {cell.verdict}", title=cell.doubt()))
    lines += [tag("small", remark) for remark in remarks]
    if cell.limit and not is_first:
        lines.append(tag("small", LIMITS[cell.limit], class_="lost" if cell.limit == "passed" else None))
    return tag("td", tag("div", lines, class_="cell"), class_="number", data_label=stage)


def _chart(key: Key, row: list[Cell], chance: float | None) -> Html:
    """Dots and whiskers of one task over the stages."""
    values = [value for cell in row for value in (cell.low, cell.high)] + ([chance] if chance is not None else [])
    room = 0.08 * (max(values) - min(values) or abs(max(values)) or 1)
    low, high = min(values) - room, max(values) + room
    height = TOP + ROW * len(row) + 22
    place = lambda value: LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)  # noqa: E731
    marks = []
    for value in ticks(low, high, 3):
        marks += [tag("line", x1=place(value), x2=place(value), y1=TOP - 4, y2=height - 20, class_="grid"),
                  tag("text", row[0].written(value, unit=False), x=place(value), y=height - 6, class_="tick middle")]
    if chance is not None:
        marks += [tag("line", x1=place(chance), x2=place(chance), y1=TOP - 4, y2=height - 20, class_="chance")]
    for number, cell in enumerate(row):
        y = TOP + ROW * number + ROW / 2
        marks += [tag("text", cell.stage if len(cell.stage) < 11 else cell.stage[:9] + "…", tag("title", cell.stage), x=LEFT - 10, y=y + 4, class_="name end"),
                  tag("line", x1=place(cell.low), x2=place(cell.high), y1=y, y2=y, class_=f"whisker {cell.verdict}"),
                  tag("circle", cx=place(cell.score), cy=y, r=4, class_=f"dot {cell.verdict}"),
                  tag("text", cell.written(cell.score, unit=False), x=WIDTH, y=y + 4, class_="value end")]
    title = join([tag("b", key[0]), " ", tag("span", key[1], class_=f"lang {key[1]}"), " ", tag("small", key[2]),
                  tag("small", f" · chance {percent(chance)}", class_="chance-note") if chance is not None else ""])
    picture = tag("svg", marks, viewBox=f"0 0 {WIDTH} {height}", role="img", aria_label=f"{key[0]} {key[1]} {key[2]} by stage")
    return tag("figure", tag("figcaption", title), picture)


def chances(run: Run) -> dict[Key, float]:
    """What guessing would score: one half for preferences, the mean share of right options for multiple choice."""
    found: dict[Key, float] = {key: 0.5 for key in cells_of(run.ledger) if key[0].startswith("preferences")}
    for _, step in run.scored()[:1]:
        found |= guessing(step.folder / "answers.parquet")
    return found


def guessing(path: Path) -> dict[Key, float]:
    """From the options that the answers to each question were chosen from."""
    if not path.is_file():
        return {}
    import pyarrow.parquet as pq
    shares: dict[Key, list[float]] = defaultdict(list)
    for row in pq.read_table(path, columns=["task", "lang", "reading", "raw"]).to_pylist():
        raw = json.loads(row["raw"])
        n_options = raw.get("n_options") or len(raw.get("logp") or ())
        if n_options and "answers" in raw:
            for lang in (row["lang"], "all"):
                shares[row["task"], lang, row["reading"]].append(len(raw["answers"]) / n_options)
    return {key: sum(values) / len(values) for key, values in shares.items()}
