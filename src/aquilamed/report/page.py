"""report.html of a run, from the manifests and small JSON files of its finished steps, and items.html beside it: each one file that needs no network."""

import os
from importlib import resources
from pathlib import Path

from aquilamed.report import accounts, answers, contamination, curves, cuts, exams, examples, flow, headline, items, judges, limits, origins, pairs, quality, runs, scores, tails
from aquilamed.report.markup import Html, both, join, tag

PAGE, LEDGER = "report.html", "ledger.json"
NOTICE = ("Not for clinical use", "不得用于临床")
ABOUT_NOTICE = ("Research software; its models must not guide the care of patients.", "本软件及其模型仅供研究，不得用于指导诊疗。")
SECTIONS = (scores.show, exams.show, judges.show, limits.show, contamination.show, flow.show, accounts.conservation, accounts.data, curves.show, quality.show, tails.show, examples.show, cuts.show, pairs.show, answers.show,
            origins.sources, origins.provenance)
"""In the order of the page; each maps a run to markup, empty where the run has nothing to show there."""


def write(run_folder: Path) -> Path:
    """Write `report.html`, and `ledger.json` and `items.html` where there is something for them, into the run's folder; return the report's path.

    Raises:
        ConfigError: the folder holds no finished step of a run.
    """
    run = runs.load(run_folder)
    if run.ledger_step:
        _put(run_folder / LEDGER, (run.ledger_step.folder / LEDGER).read_text(encoding="utf-8"))
    items.write(run, run_folder / items.ITEMS)
    _put(run_folder / PAGE, render(run))
    return run_folder / PAGE


def render(run: runs.Run) -> Html:
    """The whole page."""
    sections = [made for made in (show(run) for show in SECTIONS) if made]
    return join([opening(f"{run.name} – aquilamed", "report.css"), tag("main", headline.show(run), sections), closing("report.js")])


def opening(title: str, *styles: str) -> Html:
    """A page up to where its content begins; the notice is the first thing on it."""
    head = tag("head", Html('<meta charset="utf-8"/><meta name="viewport" content="width=device-width, initial-scale=1"/>'),
               tag("title", title), tag("style", [_file(name) for name in styles]))
    return join([Html('<!doctype html>\n<html lang="en">'), head, Html("<body>"), _notice("header")])


def closing(script: str) -> Html:
    """A page from where its content ends."""
    return join([_notice("footer"), tag("script", _file(script)), Html("</body></html>")])


def _notice(place: str) -> Html:
    return tag(place, tag("strong", both(*NOTICE)), tag("span", both(*ABOUT_NOTICE), class_="about"), class_="notice")


def _file(name: str) -> Html:
    return Html(resources.files("aquilamed.report").joinpath(name).read_text(encoding="utf-8"))


def _put(path: Path, content: str) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(content, encoding="utf-8")
    os.replace(partial, path)
