"""What a remote judge made of each stage's dialogues, and how far it can be trusted, in one table each."""

from collections.abc import Iterator, Mapping

from aquilamed.report.markup import Html, both, join, percent, section, signed, table, tag, whole
from aquilamed.report.runs import Run, read_json

ABOUT = (
    "Win and loss need both orders of the answers; grades run from 1 to 5; a rubric is the share of its points. What could not be judged is in no figure. Position and length: how far the place or the longer answer "
    "decides, from −1 to 1, 0 without bias; for grades the rank correlation with length. Same again: verdicts that were equal when the same was asked twice.",
    "两种先后次序一致才算赢或输；评分为 1 到 5；评分标准为所得分数占比。无法评判的不计入。位置、长度：先后次序或篇幅起决定作用的程度，−1 至 1，无偏为 0；评分一栏为与长度的秩相关。再问一致：同题再问时结论相同的比例。")
HEADS = [("Stage", "阶段"), ("Task", "任务"), ("", ""), ("Judge", "评判者"), ("Judged", "已评"), ("Not", "未评"), ("Outcome", "结果"), ("Position", "位置"), ("Length", "长度"), ("Same again", "再问一致")]


def show(run: Run) -> Html:
    """The section; empty where nobody judged."""
    rows = [[tag("b", stage), one["task"], one["reading"], ", ".join(one["judges"]), whole(one["n"]), whole(sum(one["not_judged"].values())), *_figures(one)] for stage, one in _judged(run)]
    about = [tag("p", line, class_="about", lang=lang) for line, lang in zip(ABOUT, (None, "zh-Hans"), strict=True)]
    return section("judges", "Dialogues by judge", "对话评判", about, table(HEADS, rows, numbers=range(4, 10))) if rows else Html("")


def _judged(run: Run) -> Iterator[tuple[str, Mapping]]:
    for stage, step in run.shown():
        for one in (read_json(step.folder / "results.json") or {}).get("judged", []):
            yield stage, one


def _figures(one: Mapping) -> list[Html | str]:
    """Outcome, position, length, same again."""
    if not one["n"]:
        return ["–"] * 4
    trust = one["trust"]
    length = _bias(trust["length_bias"]) if "length_bias" in trust else signed(trust["length_correlation"], 2) if "length_correlation" in trust else "–"
    return [_outcome(one), _bias(trust["position_bias"]) if "position_bias" in trust else "–", length, _share(trust["self_agreement"]["equal"])]


def _outcome(one: Mapping) -> Html:
    if "win" in one:
        return join([tag("span", both(*names), f" {percent(one[key]['value'])} ", class_="place") for key, names in (("win", ("won", "赢")), ("tie", ("tied", "平")), ("loss", ("lost", "输")))])
    if "aspects" in one:
        return join([tag("span", f"{aspect} {found['value']:.2f} ", class_="place") for aspect, found in one["aspects"].items()])
    return join([tag("span", f"{tag_name.partition(':')[2] or tag_name} {percent(found['value'])} ", class_="place") for tag_name, found in one["tags"].items()])


def _bias(found: Mapping) -> Html | str:
    if found["value"] is None:
        return "–"
    shown = join([signed(found["value"], 2), " ", tag("small", f"{signed(found['low'], 2)} – {signed(found['high'], 2)}")])
    return tag("span", shown, class_="lost" if found["low"] > 0 or found["high"] < 0 else None)


def _share(found: Mapping) -> Html | str:
    return "–" if found["value"] is None else join([percent(found["value"]), " ", tag("small", f"{100 * found['low']:.0f}–{100 * found['high']:.0f}")])
