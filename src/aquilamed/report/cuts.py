"""What was cut out of documents because it stands in many, and how well identifiers are found in notes whose every identifier is known."""

from collections import Counter
from pathlib import Path

from aquilamed.report.examples import MOST, masked
from aquilamed.report.markup import Html, both, folded, section, table, tag, whole
from aquilamed.report.runs import Run, Step, read_json

CUT, KNOWN = "cut", "identifiers.json"
ABOUT = ("Paragraphs that stand in many documents and were taken out of all of them; the commonest first, identifiers masked.", "在许多文档中重复出现、已从全部文档中删去的段落；按出现次数排列，个人标识已遮盖。")
ABOUT_NOTES = (
    "On made-up clinical notes in which the place of every identifier is known. Real notes hold forms that these lack: read a sample of your own before you rely on it.",
    "以合成病历衡量，其中每个标识的位置均已知。真实病历另有其未含的写法：使用前请抽读本院病历。")


def show(run: Run) -> Html:
    """The section; empty where nothing was cut and no notes were searched."""
    blocks = [block for step in run.of("hygiene.repeats") if (block := _cuts(step))]
    return section("cuts", "Paragraphs cut, identifiers found", "删去的段落与识别的个人标识", blocks, [_known(step) for step in run.of("clinic.screened")])


def _cuts(step: Step) -> Html | None:
    found = paragraphs(step.folder / CUT)
    rows = [[tag("span", lang, class_=f"lang {lang}"), whole(n), masked((text, ""), lang)[0]] for lang, n, text in found]
    heads = [("", ""), ("Documents", "文档"), ("Paragraph", "段落")]
    return tag("div", tag("h3", step.label, " ", tag("small", step.stage)), _about(ABOUT), table(heads, rows, numbers=(1,))) if rows else None


def paragraphs(folder: Path) -> list[tuple[str, int, str]]:
    """(language, documents it was cut from, paragraph): of each language the commonest, at most `MOST`."""
    import pyarrow.parquet as pq

    from aquilamed.core import text
    counted: Counter[str] = Counter()
    for path in sorted(folder.glob("*.parquet")):
        counted.update(pq.read_table(path, columns=["text"], partitioning=None)["text"].to_pylist())
    by_lang: dict[str, list[tuple[str, int, str]]] = {}
    for paragraph, n in sorted(counted.items(), key=lambda item: (-item[1], item[0])):
        some = by_lang.setdefault(text.language(paragraph), [])
        some += [(text.language(paragraph), n, paragraph)] if len(some) < MOST else []
    return [row for lang in sorted(by_lang, key=lambda lang: (lang != "zh", lang)) for row in by_lang[lang]]


def _known(step: Step) -> Html:
    """Precision and recall by language, and by kind on a click."""
    heads = [("", ""), ("Kind", "种类"), ("Known", "已知"), ("Precision", "精确率"), ("Recall", "召回率"), ("Characters hidden", "遮盖字符")]
    found = read_json(step.folder / KNOWN) or {}
    rows = {lang: [[tag("span", lang, class_=f"lang {lang}"), kind.replace("_", " "), whole(one["n"]), *(f"{one[name]:.3f}" for name in ("precision", "recall", "covered"))]
                   for kind, one in kinds.items()] for lang, kinds in found.items()}
    numbers = (2, 3, 4, 5)
    each = [folded(both(f"By kind, {lang}", "按种类"), table(heads, some[1:], numbers=numbers)) for lang, some in rows.items()]
    return tag("div", tag("h3", step.label, " ", tag("small", step.stage)), _about(ABOUT_NOTES), table(heads, [some[0] for some in rows.values()], numbers=numbers), each)


def _about(lines: tuple[str, str]) -> list[Html]:
    return [tag("p", line, class_="about", lang=lang) for line, lang in zip(lines, (None, "zh-Hans"), strict=True)]
