"""items.html: every single item with what each stage answered, to search and to filter; one file that needs no network.

The items lie in the page as JSON, some hundreds to a block, and are read block by block, so that thousands of them don't hold the browser up.
Whatever an item says is shown as text and never as markup.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from aquilamed.hygiene import alphabet
from aquilamed.report.markup import Html, both, join, tag
from aquilamed.report.runs import Run, Step

ITEMS, ANSWERS = "items.html", "answers.parquet"
BLOCK = 200
"""Items of one block of JSON."""
COLUMNS = ("task", "reading", "id", "lang", "subject", "prompt", "raw", "parsed", "score")
READINGS = ("letter", "letter-averaged", "text", "text-prior", "bare", "generated")
"""The order in which readings are shown; others follow by name."""


def collect(run: Run) -> dict | None:
    """All that the page shows: `stages`, `tasks`, `readings`, `prefixes` and `items`; None where nothing was scored.

    An item's keys are short, for there are many: t task, l language, s subject, i id, q stem, c context, o options, k right options, p prompts, each
    as (number of its prefix, the rest), a answers, each as (reading, stage, parsed, score, prompt, raw).
    """
    import pyarrow.parquet as pq
    stages = [(name, step) for name, step in run.shown() if (step.folder / ANSWERS).is_file()]
    if not stages:
        return None
    found: dict[tuple[str, str], dict] = {}
    readings: set[str] = set()
    for number, (_, step) in enumerate(stages):
        for row in pq.read_table(step.folder / ANSWERS, columns=list(COLUMNS)).to_pylist():
            readings.add(row["reading"])
            _add(found, number, row)
    order = [*(name for name in READINGS if name in readings), *sorted(readings - set(READINGS))]
    words = {name: question for _, step in stages for name, question in _questions(run, step).items()}
    items = [_finished(found[key], words.get(key[1]), order) for key in sorted(found, key=lambda key: (key[1] not in words, key))]       # exams first
    tasks = sorted({item["t"] for item in items})
    return {"stages": [name for name, _ in stages], "tasks": tasks, "readings": order, "prefixes": _share_prefixes(items), "items": items}


def are_there(run: Run) -> bool:
    """Whether anything was scored."""
    return any((step.folder / ANSWERS).is_file() for _, step in run.shown())


def write(run: Run, path: Path) -> Path | None:
    """Write the page of `run`; None where nothing was scored."""
    found = collect(run)
    if found is None:
        return None
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8") as file:
        file.writelines(_page(run, found))
    os.replace(partial, path)
    return path


def _page(run: Run, found: Mapping) -> Iterator[str]:
    """The page in pieces: its frame, then the blocks of items."""
    from aquilamed.report import page
    items = found["items"]
    traditional = alphabet.simplified_of()
    head = {key: found[key] for key in ("stages", "tasks", "readings", "prefixes")} | {
        "n": len(items), "fold": ["".join(map(chr, traditional)), "".join(map(chr, traditional.values()))]}
    yield page.opening(f"{run.name} – items – aquilamed", "report.css", "items.css")
    yield tag("main", _title(run, found), _tools(), _panes())
    yield _data("head", head)
    for start in range(0, len(items), BLOCK):
        yield _data("block", items[start:start + BLOCK])
    yield page.closing("items.js")


def _title(run: Run, found: Mapping) -> Html:
    back = tag("a", "← ", both("report", "报告"), href="report.html")
    said = f"{len(found['items']):,} items · {len(found['tasks'])} tasks · {', '.join(found['stages'])}"
    return tag("div", tag("p", back, " · aquilamed · ", both("single items", "逐题浏览"), class_="kicker"), tag("h1", run.name), tag("p", said, class_="origin"), class_="title browser-title")


def _tools() -> Html:
    """The search box and the filters; their options are filled in by the script, from the data."""
    choices = [("task", "Task", "任务"), ("lang", "Language", "语言"), ("reading", "Reading", "读法"), ("stage", "Stage", "阶段"), ("state", "Outcome", "结果")]
    search = tag("label", tag("span", both("Search", "搜索")), tag("input", type="search", id="search", autocomplete="off", spellcheck="false",
                                                                 placeholder="fever · 发热"), class_="wide")
    selects = [tag("label", tag("span", both(english, chinese)), tag("select", id=name)) for name, english, chinese in choices]
    apart = tag("label", tag("input", type="checkbox", id="apart"), " ", tag("span", both("stages disagree", "各阶段不一致"), id="apart-word"), class_="check")
    return tag("form", search, selects, apart, id="tools", role="search")


def _panes() -> Html:
    how = "↑ ↓ move, Enter opens, Esc goes back, / searches · ↑ ↓ 移动，Enter 打开，Esc 返回，/ 搜索"
    listed = tag("div", tag("div", id="rows"), id="list", role="listbox", tabindex="0", aria_label="Items 题目列表")
    noscript = tag("noscript", tag("p", "This page needs JavaScript to show the items; nothing is fetched. 本页需要 JavaScript，不会联网。", class_="remark"))
    return tag("div", noscript, tag("p", id="count", role="status", aria_live="polite"), tag("p", how, class_="keys"),
               tag("div", listed, tag("article", id="item", tabindex="-1", aria_label="Item 题目"), class_="panes"))


def _data(kind: str, value: object) -> Html:
    """JSON that can't end its element or begin another, whatever it holds."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return join(["\n", tag("script", Html(text), type="application/json", class_=kind)])


def _add(found: dict[tuple[str, str], dict], stage: int, row: Mapping) -> None:
    """Put an answer to its item."""
    item = found.setdefault((row["task"], row["id"]), {"t": row["task"], "l": row["lang"], "s": row["subject"] or "", "i": row["id"], "p": [], "a": []})
    if row["prompt"] and row["prompt"] not in item["p"]:
        item["p"].append(row["prompt"])
    prompt = item["p"].index(row["prompt"]) if row["prompt"] else -1
    item["a"].append([row["reading"], stage, row["parsed"], row["score"], prompt, json.loads(row["raw"])])


def _finished(item: dict, question: Mapping | None, order: Sequence[str]) -> dict:
    """The item with its question's words, readings as numbers, and no `answers` or `options` in a `raw` where the question says them."""
    if question:
        item |= {"q": question["stem"], "o": question["options"], "k": question["answers"]} | ({"c": question["context"]} if question["context"] else {})
    for answer in item["a"]:
        answer[0] = order.index(answer[0])
        if "answers" in answer[5]:
            item.setdefault("k", answer[5]["answers"])
        known = {"answers": item.get("k"), "options": item.get("o")}
        answer[5] = {key: value for key, value in answer[5].items() if key not in known or value != known[key]}
    item["a"].sort(key=lambda answer: answer[:2])
    return item


def _questions(run: Run, step: Step) -> dict[str, dict]:
    """Question id -> its row, of the benchmarks that the step asked."""
    from aquilamed.core import tables
    folders = [source.folder for name, source in run.sources(step) if name == "benchmarks" and (source.folder / "questions").is_dir()]
    return {row["id"]: row for folder in folders for row in tables.rows(folder, "questions")}


def _share_prefixes(items: Sequence[dict]) -> list[str]:
    """Worked examples stand before many prompts: each such beginning once, and every prompt as (its number, the rest)."""
    prefixes = [""]
    groups: dict[tuple, list[dict]] = {}
    for item in items:
        groups.setdefault((item["t"], item["l"], item["s"]), []).append(item)
    for group in groups.values():
        shared = os.path.commonprefix([prompt for item in group for prompt in item["p"]]) if len(group) > 1 else ""
        shared = shared[:shared.rfind("\n") + 1]
        number = 0
        if len(shared) > 80:
            prefixes.append(shared)
            number = len(prefixes) - 1
        for item in group:
            item["p"] = [[number, prompt[len(prefixes[number]):]] for prompt in item["p"]]
    return prefixes
