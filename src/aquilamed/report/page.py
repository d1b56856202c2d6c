"""report.html of a run: one file that needs no network, from the manifests and small JSON files of its finished steps."""

import os
from importlib import resources
from pathlib import Path

from aquilamed.report import accounts, answers, contamination, curves, cuts, examples, flow, headline, limits, origins, pairs, quality, runs, scores, tails
from aquilamed.report.markup import Html, both, join, tag

PAGE, LEDGER = "report.html", "ledger.json"
NOTICE = ("Not for clinical use", "不得用于临床")
ABOUT_NOTICE = ("Research software; its models must not guide the care of patients.", "本软件及其模型仅供研究，不得用于指导诊疗。")
SECTIONS = (scores.show, limits.show, contamination.show, flow.show, accounts.conservation, accounts.data, curves.show, quality.show, tails.show, examples.show, cuts.show, pairs.show, answers.show,
            origins.sources, origins.provenance)
"""In the order of the page; each maps a run to markup, empty where the run has nothing to show there."""


def write(run_folder: Path) -> Path:
    """Write `report.html`, and `ledger.json` where there is one, into the run's folder; return the page's path.

    Raises:
        ConfigError: the folder holds no finished step of a run.
    """
    run = runs.load(run_folder)
    if run.ledger_step:
        _put(run_folder / LEDGER, (run.ledger_step.folder / LEDGER).read_text(encoding="utf-8"))
    _put(run_folder / PAGE, render(run))
    return run_folder / PAGE


def render(run: runs.Run) -> Html:
    """The whole page."""
    head = tag("head", Html('<meta charset="utf-8"/><meta name="viewport" content="width=device-width, initial-scale=1"/>'),
               tag("title", f"{run.name} – aquilamed"), tag("style", _file("report.css")))
    sections = [made for made in (show(run) for show in SECTIONS) if made]
    body = tag("body", _notice("header"), tag("main", headline.show(run), sections), _notice("footer"), tag("script", _file("report.js")))
    return join([Html("<!doctype html>\n"), tag("html", head, body, lang="en")])


def _notice(place: str) -> Html:
    return tag(place, tag("strong", both(*NOTICE)), tag("span", both(*ABOUT_NOTICE), class_="about"), class_="notice")


def _file(name: str) -> Html:
    return Html(resources.files("aquilamed.report").joinpath(name).read_text(encoding="utf-8"))


def _put(path: Path, content: str) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(content, encoding="utf-8")
    os.replace(partial, path)
