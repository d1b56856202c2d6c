"""What the linter found in preference pairs, and how far length alone tells the chosen answer."""

from collections.abc import Mapping

from aquilamed.report.markup import Html, both, join, percent, section, signed, table, tag, whole
from aquilamed.report.runs import Run, Step

FIGURES = ("n", "longer_chosen", "log_ratio", "auc")
"""Of `preference.lengths.bias`, in the order of the columns."""
ABOUT = (
    "Bad pairs are dropped; what a pair that stays may be meant to do is only counted (chosen refuses, rejected in other language). "
    "Lengths, of the pairs that stay: how often the longer answer is the chosen one, the mean of ln(chosen / rejected), and the chance that a chosen answer is longer than a rejected one; 50 %, 0 and 0.5 where length tells nothing.",
    "问题偏好对已剔除；可能有意为之的情形（所选回答为拒答、落选回答用了别的语言）只计数。长度一表只看保留的偏好对：较长回答被选中的比例、ln(选中/落选) 的均值、选中回答长于落选回答的概率；"
    "若长度不含信息，三者分别为 50 %、0 与 0.5。")


def show(run: Run) -> Html:
    """The section; empty where no pairs were linted."""
    blocks = [_block(step) for step in run.of("preference.lint")]
    about = [tag("p", line, class_="about", lang=lang) for line, lang in zip(ABOUT, (None, "zh-Hans"), strict=True)]
    return section("pairs", "Preference pairs, linted", "偏好对检查", about if blocks else "", blocks)


def _block(step: Step) -> Html:
    return tag("div", tag("h3", step.label, " ", tag("small", step.stage)), _found(step.notes["pairs"]), _lengths(step.notes), tag("p", _certified(step.notes), class_="about"))


def _found(by_source: Mapping[str, Mapping[str, int]]) -> Html:
    names = sorted({name for figures in by_source.values() for name in figures} - {"pairs"})
    heads = [("Source", "来源"), ("Pairs", "偏好对"), *((name.replace("_", " "), "") for name in names)]
    rows = [[tag("b", source), *(whole(figures[name]) if name in figures else "–" for name in ("pairs", *names))] for source, figures in by_source.items()]
    return table(heads, rows, numbers=range(1, len(heads)))


def _lengths(notes: Mapping) -> Html:
    """A line for each kind and language; with what it was after matching."""
    after = notes.get("lengths_matched", {})
    heads = [("Kind and language", "类型与语言"), ("Pairs", "偏好对"), ("Longer one chosen", "长者被选中"), ("ln ratio", "长度比对数"), ("AUC", "")]
    rows = [[cell, *(join([_figure(name, figures[name]), *((" → ", _figure(name, after[cell][name])) if cell in after else ())]) for name in FIGURES)]
            for cell, figures in notes["lengths"].items()]
    return table(heads, rows, numbers=range(1, len(heads)))


def _figure(name: str, value: float) -> str:
    return {"n": whole, "longer_chosen": percent, "log_ratio": lambda share: signed(share, 2)}.get(name, lambda share: f"{share:.3f}")(value)


def _certified(notes: Mapping) -> Html:
    if "certified" in notes:
        return join([both("Searched for benchmark items: ", "已对照基准检查："), ", ".join(f"{name} {one['n']:,}" for name, one in notes["certified"].items())])
    return join([both("Not searched for benchmark items before this step: ", "此前未对照基准检查："), notes["uncertified"]])
