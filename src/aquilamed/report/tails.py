"""How scores and context relevance are spread, by language, and real dialogues from both tails of the relevance."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from aquilamed.report.examples import Example, card
from aquilamed.report.markup import Html, both, section, tag, whole
from aquilamed.report.plots import Line, chart
from aquilamed.report.runs import Run, Step

EACH, MESSAGES, CHARACTERS = 3, 8, 120
"""Dialogues of each tail and language; messages shown of each; characters of a message."""
FIGURES = {"instruct.score": {"score": ("Score", "得分"), "complexity": ("Complexity of the questions", "指令复杂度"), "answer_quality": ("Quality of the answers", "回答质量")},
           "instruct.relevance": {"relevance": ("Context relevance", "上下文相关性")}}
"""Stage -> the figures that it writes to meta, and their names."""
STYLES = {"zh": "main", "en": "second"}
ABOUT = (
    "All conversations in order of the figure, each language by itself: how high it is at which share of them. Faint lines: the limits of the selection. Relevance is the loss of a turn with its history over "
    "that without: above 1 the history misleads, near 0 the turn repeats it.",
    "各语言的全部对话按该指标从低到高排列：横轴为对话的累计占比，纵轴为指标值；淡线为筛选界限。相关性为某一轮在有、无上文时损失之比：大于 1 表示上文误导，接近 0 表示重复上文。")

Found = tuple[float, str, str]
"""(figure, id, language) of a conversation."""


def show(run: Run) -> Html:
    """The section; empty where nothing was scored yet."""
    panels = [panel for step in run.of(*FIGURES) if (panel := _panel(run, step))]
    about = [tag("p", line, class_="about", lang=lang) for line, lang in zip(ABOUT, (None, "zh-Hans"), strict=True)]
    return section("scores-spread", "How scores and relevance are spread", "得分与相关性的分布", about if panels else "", panels)


def _panel(run: Run, step: Step) -> Html | None:
    found = figures(step, FIGURES[step.stage])
    charts = [tag("figure", tag("figcaption", both(*FIGURES[step.stage][key]), tag("small", _numbers(values))), _curves(values, limits_of(run, step) if key == "relevance" else {}))
              for key, values in found.items()]
    tails = [tag("div", tag("p", both(*names), class_="what"), [card(example) for example in some]) for names, some in _tails(step, found.get("relevance", []))]
    return tag("div", tag("h3", step.label, " ", tag("small", step.stage)), tag("div", charts, class_="charts"), tag("div", tails, class_="sides") if tails else "", class_="panel") if charts else None


def figures(step: Step, keys: Mapping[str, object]) -> dict[str, list[Found]]:
    """The figures in the meta of a step's conversations, in order; keys that none has are left out."""
    found: dict[str, list[Found]] = defaultdict(list)
    for row in _rows(step, ["id", "lang", "meta"]):
        meta = dict(row["meta"] or ())
        for key in keys:
            if meta.get(key):
                found[key].append((float(meta[key]), row["id"], row["lang"]))
    return {key: sorted(found[key]) for key in keys if key in found}


def limits_of(run: Run, step: Step) -> dict[str, list[float]]:
    """Language -> lowest and highest relevance kept by the first selection that reads from this step."""
    later = (one for one in run.of("instruct.select") if any(source is step for _, source in run.sources(one)))
    return next((one.notes["relevance_limits"] for one in later if one.notes.get("relevance_limits")), {})


def tails(found: Sequence[Found]) -> tuple[list[Found], list[Found]]:
    """(lowest, highest) dialogues of every language, Chinese first."""
    langs = sorted({lang for *_, lang in found}, key=lambda lang: (("zh", "en").index(lang) if lang in STYLES else 2, lang))
    own = [[one for one in found if one[2] == lang] for lang in langs]
    return [one for some in own for one in some[:EACH]], [one for some in own for one in some[max(EACH, len(some) - EACH):][::-1]]


def _numbers(values: Sequence[Found]) -> str:
    return " " + ", ".join(f"{lang} {whole(sum(one[2] == lang for one in values))}" for lang in STYLES if any(one[2] == lang for one in values))


def _curves(values: Sequence[Found], limits: Mapping[str, Sequence[float]]) -> Html:
    import numpy as np
    shares = np.linspace(0, 1, 101)
    own = {lang: [value for value, _, its in values if its == lang] for lang in dict.fromkeys([*STYLES, *sorted({one[2] for one in values})])}
    lines = [Line(list(zip((100 * shares).tolist(), np.quantile(some, shares).tolist(), strict=True)), STYLES.get(lang, "faint"), lang) for lang, some in own.items() if some]
    ends = sorted({end for lang, some in limits.items() if own.get(lang) for end in some})
    return chart([*(Line([(0.0, end), (100.0, end)], "faint") for end in ends), *lines], height=190, unit="% of the conversations", zero=True)


def _tails(step: Step, found: Sequence[Found]) -> Iterator[tuple[tuple[str, str], list[Example]]]:
    low, high = tails(found)
    wanted = {one[1]: one for one in (*low, *high)}
    texts = {row["id"]: row for row in _rows(step, ["id", "lang", "messages"], set(wanted)) if row["id"] in wanted} if wanted else {}
    for names, some in ((("Lowest relevance", "相关性最低"), low), (("Highest relevance", "相关性最高"), high)):
        if some:
            yield names, [_example(texts[one[1]], one[0]) for one in some]


def _example(row: dict, relevance: float) -> Example:
    """The first messages, masked whole and then cut."""
    from aquilamed.hygiene import identifiers
    messages = row["messages"]
    texts, _ = identifiers.mask([message["content"] for message in messages[:MESSAGES]], row["lang"])
    lines = [f"{message['role']}: {text[:CHARACTERS]}{' …' if len(text) > CHARACTERS else ''}" for message, text in zip(messages, texts, strict=False)]
    return Example("\n".join(lines + (["…"] if len(messages) > MESSAGES else [])), row["lang"], f"relevance {relevance:.3f}, {len(messages)} messages", "")


def _rows(step: Step, columns: list[str], ids: set[str] | None = None) -> Iterator[dict]:
    """The step's conversations, or those of `ids`; a file in memory at a time."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
    for path in sorted((step.folder / "conversations").glob("*.parquet")):
        table = pq.read_table(path, columns=columns, partitioning=None)
        yield from (table if ids is None else table.filter(pc.is_in(table["id"], pa.array(sorted(ids))))).to_pylist()
