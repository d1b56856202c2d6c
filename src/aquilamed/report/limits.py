"""What each gate asked of the stage before it, and what was allowed."""

from aquilamed.report.ledger import BITS
from aquilamed.report.markup import Html, join, percent, section, signed, table, tag
from aquilamed.report.runs import Run

TOLD = {"passed": "passed", "doubtful": "passed, not beyond doubt", "kept": "kept"}
ABOUT = ("A small, fixed panel is put to the base model and to each stage. A gate lets the run go on while no loss lies beyond its limit with its whole 95 % interval.",
         "每个阶段之后都以同一小组固定题目和留出文本考查模型；只有当损失的 95 % 区间全部超出上限时，流程才会停止。")


def show(run: Run) -> Html:
    """The section; empty where the run has no gate."""
    heads = [("Gate", "关卡"), ("Task", "任务"), ("", ""), ("n", ""), ("Change", "变化"), ("Allowed loss", "允许的损失"), ("Limit", "上限")]
    rows = [[tag("b", step.label), f"{one['task']} {one['reading']}", tag("span", one["lang"], class_=f"lang {one['lang']}"), one["n"], _change(one), _figure(one, one["allowed"]),
             tag("span", TOLD[one["limit"]], class_="lost" if one["limit"] == "passed" else None)] for step in run.of("evals.gate") for one in step.notes.get("limits", ())]
    about = [tag("p", line, class_="about", lang=lang) for line, lang in zip(ABOUT, (None, "zh-Hans"), strict=True)]
    return section("limits", "Limits", "上限", about, table(heads, rows, numbers=(3, 4, 5))) if rows else Html("")


def _change(one: dict) -> Html | str:
    if one["delta"] is None:
        return "–"
    sign = lambda value: signed(value, 3) if one["reading"] == BITS else signed(100 * value, 1)  # noqa: E731
    return join([sign(one["delta"]), " ", tag("small", f"{sign(one['delta_low'])} – {sign(one['delta_high'])}")])


def _figure(one: dict, value: float) -> str:
    return f"{value:.3f}" if one["reading"] == BITS else percent(value)
