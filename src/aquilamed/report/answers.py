"""Sampled answers: the same questions to every stage of training, side by side."""

import re

from aquilamed.report.markup import Html, folded, join, percent, section, tag, whole
from aquilamed.report.runs import Run, read_json

SHORT = 360
"""Characters shown before an answer is folded; the rest is one click away."""


def show(run: Run) -> Html:
    """The section; empty where no stage was sampled."""
    stages = [(stage, found) for stage, step in run.scored() if (found := read_json(step.folder / "samples.json"))]
    prompts: dict[str, dict] = {}
    for stage, found in stages:
        for sample in found.get("samples", []):
            asked = prompts.setdefault(sample["id"], {"prompt": sample["prompt"], "lang": sample.get("lang", ""), "answers": {}})
            asked["answers"][stage] = sample
    blocks = [_block(asked, [stage for stage, _ in stages]) for asked in prompts.values()]
    return section("samples", "What each stage answers", "各阶段的回答样例", _summary(stages) if blocks else "", blocks)


def _summary(stages: list[tuple[str, dict]]) -> Html:
    """Share of answers that ended by themselves, and mean length, by stage and language."""
    lines = []
    for stage, found in stages:
        figures = [f"{lang}: {percent(some['stopped_share'], 0)} end by themselves, {some['mean_characters']:.0f} characters" for lang, some in (found.get("summary") or {}).items()]
        lines.append(tag("li", tag("b", stage), " ", "; ".join(figures)))
    return tag("ul", lines, class_="summary")


def _block(asked: dict, stages: list[str]) -> Html:
    cards = [_card(stage, asked["answers"][stage]) for stage in stages if stage in asked["answers"]]
    return tag("article", tag("h3", tag("span", asked["lang"], class_=f"lang {asked['lang']}"), " ", asked["prompt"], class_="prompt", lang=asked["lang"] or None), tag("div", cards, class_="cards"))


def _card(stage: str, sample: dict) -> Html:
    text, stopped = sample.get("text", ""), sample.get("stopped")
    state = tag("span", "stopped" if stopped else "cut off", class_="flag" if stopped else "flag cut") if stopped is not None else ""
    length = f"{whole(sample['tokens'])} tokens" if "tokens" in sample else f"{len(text):,} characters"
    return tag("div", tag("p", tag("b", stage), " ", state, " ", tag("small", length), class_="who"), _answer(text), class_="card", lang=sample.get("lang"))


def _answer(text: str) -> Html:
    if not text.strip():
        return tag("p", "(empty)", class_="answer none")
    text = re.sub(r"\n\s*\n\s*\n", lambda blank: f"\n↵ × {blank[0].count(chr(10))}\n", text)
    if len(text) <= SHORT:
        return tag("p", text, class_="answer")
    return folded(join([tag("span", text[:SHORT], class_="answer"), tag("span", f" … all {len(text):,} characters", class_="more")]), tag("p", text, class_="answer"), class_="long")
