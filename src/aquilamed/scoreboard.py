"""What `aquilamed eval` prints: scores, a replay and a comparison, as tables and as JSON."""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from aquilamed import evaluating
from aquilamed.core import manifest
from aquilamed.evals import results
from aquilamed.evals.replay import Replay

FIGURES = ("n", "score", "low", "high", "visible", "unparsed")


def lines(report: Mapping) -> list[dict]:
    """A row for each task, reading and language of results.json; `all` where there are several languages."""
    rows = []
    for result in report["results"]:
        cells = result["by_lang"] if len(result["by_lang"]) == 1 else {"all": result, **result["by_lang"]}
        rows += [{"task": result["task"], "lang": lang, "reading": result["reading"], "version": result["version"], **{name: cell[name] for name in FIGURES}} for lang, cell in cells.items()]
    return rows


def scores(run: Path, step: Path) -> dict:
    """Everything that is told of a finished evaluation."""
    body, asked = manifest.read(step) or {}, evaluating.asked_of(run)
    notes = body.get("notes", {})
    found = {"folder": str(run), "model": asked.get("model", ""), "rows": lines(results.read_report(step)),
             "not_asked": body.get("counts", {}).get("dropped", {}), "n_shots": asked.get("n_shots", {}), "left_out": asked.get("left_out", []), "dialogues": asked.get("dialogues", [])}
    return found | {key: notes[key] for key in ("asked", "paid", "masked", "cut", "judge") if key in notes}


def as_table(found: Mapping) -> str:
    """Scores in percent; bits per byte as they are."""
    heads = ("task", "language", "reading", "shots", "n", "score", "95 % interval", "visible", "unparsed")
    shots = found["n_shots"]
    rows = [(row["task"], row["lang"], row["reading"], str(shots.get(row["task"], "")), f"{row['n']:,}", _figure(row, row["score"]),
             f"{_figure(row, row['low'])} – {_figure(row, row['high'])}", _figure(row, row["visible"]), f"{row['unparsed']:,}") for row in found["rows"]]
    told = [table(heads, rows, numbers=(3, 4, 5, 6, 7, 8)), "visible: the smallest difference from another model on as many other items that is found in four tries of five"]
    if found["not_asked"]:
        told.append("not asked, and in no score: " + ", ".join(f"{reason} {n:,}" for reason, n in sorted(found["not_asked"].items())))
    if "asked" in found:
        asked = found["asked"]
        told.append(f"{asked['requests']:,} requests, {asked['cached']:,} from the cache, {asked['refused']:,} refused (never graded), {found['cut']:,} replies cut; "
                    f"{asked['prompt_tokens']:,} + {asked['reply_tokens']:,} tokens paid; masked: {', '.join(f'{kind} {n}' for kind, n in found['masked'].items()) or 'nothing'}")
    if "judge" in found:
        told.append(f"judged by {found['judge']['model']}: {found['judge']['prompt_tokens']:,} + {found['judge']['reply_tokens']:,} tokens paid to it so far, by all runs together; how far it can be trusted is on the page")
    elif found.get("dialogues"):
        told.append(f"not judged, for no judge was named; stopped: ended by itself; rule: names help in an emergency: {', '.join(found['dialogues'])}")
    told += [f"left out: {one['task']}" for one in found["left_out"]]
    return "\n".join(told)


def replayed(found: Replay) -> dict:
    """A replay as JSON."""
    return {"folder": str(found.folder), "rows": lines(found.report), "same": not found.differs, "rules_then": found.rules, "rules_now": found.report["rules"],
            "rule_changes": found.changes, "answers_judged_otherwise": found.moved, "figures_that_differ": found.differs}


def replay_as_text(found: Replay) -> str:
    """The numbers, whether they are those on disk, and why not."""
    told = [f"{found.folder}", as_table({"rows": lines(found.report), "n_shots": {}, "not_asked": {}, "left_out": []})]
    told.append("the same numbers as in results.json" if not found.differs else f"{len(found.differs)} figures differ from results.json: " + ", ".join(found.differs[:12]) + (" …" if len(found.differs) > 12 else ""))
    if found.changes:
        told += [f"the rules have changed since (then {found.rules}, now {found.report['rules']}):", *(f"  {line}" for line in found.changes)]
    told += [f"judged otherwise: {name}: {n:,} answers" for name, n in found.moved.items()]
    return "\n".join(told)


COMPARED = ("task", "language", "reading", "n", "A", "B", "B − A", "95 % interval", "p", "adjusted", "gained", "lost", "verdict")
ABOUT = "on the items that both answered; percent and points, bits per byte and grades as they are; gained or lost where p, adjusted over all lines, is at most 0.05"


def comparison_as_text(found: Mapping) -> str:
    """A line for each task, language and reading that both have."""
    told = [f"A: {found['old']}", f"B: {found['new']}", table(COMPARED, _compared(found), numbers=tuple(range(3, 12))), ABOUT]
    told += [f"left out: {one['task']} {one['lang']} {one['reading']} ({one['n']:,} items): only in {one['only_in']}" for one in found["left_out"]]
    return "\n".join(told)


def comparison_as_markdown(found: Mapping) -> str:
    """The same as a page: what was compared, in both languages, and a table."""
    lines = [f"| {' | '.join(cells)} |" for cells in (COMPARED, ("---",) * len(COMPARED), *_compared(found))]
    told = ["# Two models on every item · 两个模型逐题对比", "**Not for clinical use.** Printed by `aquilamed eval --compare A B --markdown`, never edited: " + ABOUT + ".",
            "**不得用于临床。** 由 `aquilamed eval --compare A B --markdown` 生成，从不手改：只比较双方都回答过的题目；数字为百分数与百分点，每字节比特数（bits）与等级分照原值；p 经全部行校正（adjusted）后不大于 0.05 时，gained 为提高，lost 为下降。",
            f"A: `{found['old']}`, B: `{found['new']}`", "\n".join(lines)]
    return "\n\n".join(told)


def _compared(found: Mapping) -> list[tuple[str, ...]]:
    rows = []
    for row in found["rows"]:
        delta, low, high = (_difference(row, row[key]) for key in ("delta", "low", "high"))
        n = f"{row['n']:,}" if row["n"] == row["n_old"] == row["n_new"] else f"{row['n']:,} of {row['n_old']:,}/{row['n_new']:,}"
        rows.append((row["task"], row["lang"], row["reading"], n, _figure(row, row["old"]), _figure(row, row["new"]), delta, f"{low} – {high}",
                     _p(row["p"]), _p(row["p_adjusted"]), f"{row['gained']:,}", f"{row['lost']:,}", row["verdict"]))
    return rows


def listing_as_text(rows: Sequence[Mapping]) -> str:
    """The catalogue."""
    heads = ("task", "language", "what", "items", "shots", "hub id", "licence", *(("files",) if "there" in rows[0] else ()))
    cells = [(row["task"], row["lang"], row["title"], f"{row['n']:,}" if row["n"] else "", str(row["n_shots"] or ""), row["hub"], row["license"],
              *(("there" if row["there"] else "not there",) if "there" in row else ())) for row in rows]
    return table(heads, cells, numbers=(3, 4))


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> str:
    """Columns as wide as their widest cell; a Han character is two columns of a terminal wide."""
    widths = [max(map(_width, column)) for column in zip(heads, *rows, strict=True)]
    put = lambda text, width, right: " " * (width - _width(text)) + text if right else text + " " * (width - _width(text))  # noqa: E731
    return "\n".join("  ".join(put(text, width, k in numbers) for k, (text, width) in enumerate(zip(row, widths, strict=True))).rstrip() for row in (heads, *rows))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _figure(row: Mapping, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if row["reading"] == "bits" else f"{value:.2f}" if row["reading"] == "grades" else f"{100 * value:.1f}"


def _p(value: float) -> str:
    return f"{value:.3g}" if value >= 0.001 else "<0.001"


def _difference(row: Mapping, value: float) -> str:
    return (f"{value:+.3f}" if row["reading"] == "bits" else f"{value:+.2f}" if row["reading"] == "grades" else f"{100 * value:+.1f}").replace("-", "−")
