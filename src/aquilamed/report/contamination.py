"""Whether scores owe anything to benchmark items in the training text: the split by what was found there, and what models know of printed orders."""

from aquilamed.report.markup import Html, both, join, percent, section, signed, table, tag, whole
from aquilamed.report.ledger import GRADES
from aquilamed.report.runs import Run, Step, read_json

ABOUT_SPLIT = (
    "Items that stood in the raw training text, before decontamination took those records out, beside the rest. What counts is the last change: how much more a stage gained on items that were found. Small type: "
    "95 % interval. Visible: the smallest difference of the two scores that so few items can show.",
    "按题目是否曾出现在去污染之前的原始训练文本中分组。关键看最后一列：某阶段在“曾出现”的题目上比在其余题目上多提高了多少。小字为 95 % 区间；“可辨”为这些题目数所能分辨的最小差异。")
ABOUT_ORDERS = (
    "A model that never read a question has no reason to find the printed order of its options likelier than another. Beaten: mean share of other orders that are less likely, .5 for a clean model; first: questions "
    "whose printed order is the likeliest of all, beside how many would be by chance. Compared with the reference model, so that habits of printing do not count.",
    "没有读过某题的模型，没有理由认为选项的印刷顺序比其他顺序更可能。“胜出”为不如印刷顺序可能的其他顺序所占比例的平均值，未受污染时为 0.5；“居首”为印刷顺序最可能的题数与偶然期望数。与参照模型相比，以排除出题习惯的影响。")


def show(run: Run) -> Html:
    """The section; empty where nothing was measured."""
    return section("contamination", "Contamination", "数据污染", [part for part in (_split(run), _orders(run)) if part])


def _split(run: Run) -> Html | None:
    heads = [("Task", "任务"), ("", ""), ("Stage", "阶段"), ("Found", "曾出现"), ("Rest", "其余"), ("Score, found", "得分，曾出现"), ("Score, rest", "得分，其余"), ("Difference", "差"), ("Visible", "可辨"),
             ("Gained more on found", "曾出现者多提高")]
    found = [one for step in run.of("evals.overlap") for one in sorted(read_json(step.folder / "overlap.json")["rows"], key=_cell)]
    held = {_cell(one) for one in found if one["n_found"]}
    rows = [[f"{one['task']} {one['reading']}", _lang(one), one["stage"], whole(one["n_found"]), whole(one["n_rest"]), _share(one, "found"), _share(one, "rest"), _points(one, "apart"),
             "–" if one["visible"] is None else f"{100 * one['visible']:.1f}", _points(one, "gain_apart")] for one in found if _cell(one) in held]
    shown = table(heads, rows, numbers=range(3, 10)) if rows else None
    return tag("div", tag("h3", both("Scores by what the training text held", "按训练文本是否含有该题")), _about(ABOUT_SPLIT), shown, _not_found([one for one in found if _cell(one) not in held])) if found else None


def _not_found(rest: list[dict]) -> Html | None:
    """One line for all of which no item was found: there is nothing to split, at any stage."""
    clean = {_cell(one): one["n_rest"] for one in rest}
    named = ", ".join(f"{task} {lang} {reading} ({whole(n)})" for (task, reading, lang), n in clean.items())
    return tag("p", tag("small", both("Of these no item was found", "以下各项无一题被发现"), ": ", named)) if clean else None


def _cell(one: dict) -> tuple[str, str, str]:
    return one["task"], one["reading"], one["lang"]


def _orders(run: Run) -> Html | None:
    heads = [("Step", "步骤"), ("Task", "任务"), ("", ""), ("n", ""), ("Beaten", "胜出"), ("First", "居首"), ("By chance", "偶然期望"), ("Lead, nats", "领先")]
    rows = [_order(step, one) for step in run.of("evals.memorised") for one in read_json(step.folder / "memorised.json")["rows"]]
    return tag("div", tag("h3", both("Does it know the printed order of options?", "是否记得选项的印刷顺序")), _about(ABOUT_ORDERS), table(heads, rows, numbers=range(3, 8))) if rows else None


def _order(step: Step, one: dict) -> list[object]:
    beaten = join([percent(one["beaten"]), " ", tag("small", f"{100 * one['low']:.0f}–{100 * one['high']:.0f}")])
    return [tag("b", step.label), one["task"], _lang(one), whole(one["n"]), tag("span", beaten, class_="lost" if one["low"] > 0.5 else None), whole(one["likeliest"]), f"{one['chance']:.1f}",
            signed(one["lead"], 2)]


def _lang(one: dict) -> Html:
    return tag("span", one["lang"], class_=f"lang {one['lang']}")


def _share(one: dict, name: str) -> Html | str:
    if one[name] is None:
        return "–"
    low, high = one[f"{name}_low"], one[f"{name}_high"]
    if one["reading"] == GRADES:
        return join([f"{one[name]:.2f} ", tag("small", f"{low:.1f}–{high:.1f}")])
    return join([percent(one[name]), " ", tag("small", f"{100 * low:.0f}–{100 * high:.0f}")])


def _points(one: dict, name: str) -> Html | str:
    if one[name] is None:
        return "–"
    scale, digits = (1, 1) if one["reading"] == GRADES else (100, 0)
    shown = join([signed(scale * one[name], digits + 1), " ", tag("small", f"{signed(scale * one[name + '_low'], digits)} – {signed(scale * one[name + '_high'], digits)}")])
    return tag("span", shown, class_="lost" if one[name + "_low"] > 0 else None)


def _about(lines: tuple[str, str]) -> list[Html]:
    return [tag("p", line, class_="about", lang=lang) for line, lang in zip(lines, (None, "zh-Hans"), strict=True)]
