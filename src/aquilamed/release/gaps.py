"""What a set lacks, computed: a reader of the card should not have to find out."""

from collections.abc import Iterator

from aquilamed.release import licences
from aquilamed.release.census import LABELS, SCORES
from aquilamed.release.facts import HELDOUT, Facts

SMALL_LANGUAGE, LARGE_SOURCE, FEW = 0.2, 0.5, 20
"""Share of the records below which a language is said to be small; above which a source is said to dominate; records below which a department is thin."""
NAMED = 12
"""Most names in a list."""
Line = tuple[str, str]
"""The same sentence in English and in Chinese."""


def find(facts: Facts) -> list[Line]:
    """The gaps, the gravest first."""
    return [*_care(facts), *_licences(facts), *_languages(facts), *_sources(facts), *_kinds(facts), *_labels(facts), *_scores(facts)]


def _care(facts: Facts) -> Iterator[Line]:
    if not facts.screened:
        yield ("Not every record went through a step that drops or masks what identifies a person: it may hold personal data.", "并非每条记录都经过剔除或遮盖个人标识的步骤：可能含有个人信息。")
    if not facts.looked_at:
        yield ("Not every record was searched for unsafe words.", "并非每条记录都经过不安全内容检查。")
    if not facts.certified.benchmarks:
        yield ("No certificate tells of benchmarks whose items were searched for in every record: scores of models trained on it can't be trusted.",
               "没有证书证明每条记录都与同样的评测题目比对过：用它训练的模型，其评测分数不可信。")
    if not facts.deduplicated:
        yield ("Copies and near-copies were not removed on every way to the set.", "并非所有来源都去除了重复与近似重复。")
    if HELDOUT not in facts.censuses:
        yield ("There is no held-out split.", "没有留出部分。")
    yield ("No doctor has read it record by record.", "未经医生逐条审阅。")


def _licences(facts: Facts) -> Iterator[Line]:
    lost = facts.all.under(lambda name: licences.strictness(name) == 0)
    if lost:
        en, zh = named(lost)
        yield f"No licence is known of {en}: leave these out before you pass the set on.", f"{zh}的许可不明：对外提供前应先去除。"


def _languages(facts: Facts) -> Iterator[Line]:
    langs = facts.all.by(1)
    for lang, en, zh in (("zh", "Chinese", "中文"), ("en", "English", "英文")):
        share = langs[lang] / facts.all.n
        if not langs[lang]:
            yield f"There is no {en}.", f"没有{zh}。"
        elif share < SMALL_LANGUAGE:
            yield f"{en} is {percent(share)} of the records.", f"{zh}仅占记录的 {percent(share)}。"


def _sources(facts: Facts) -> Iterator[Line]:
    for source, n in facts.all.by(0).most_common(1):
        if n / facts.all.n > LARGE_SOURCE:
            yield (f"One source dominates: `{source}` gives {percent(n / facts.all.n)} of the records.", f"单一来源占主导：`{source}` 占记录的 {percent(n / facts.all.n)}。")


def _kinds(facts: Facts) -> Iterator[Line]:
    if facts.kind == "conversations":
        share = facts.all.by(2)["multi"] / facts.all.n
        if not share:
            yield "There are no conversations of more than one turn.", "没有多轮对话。"
        elif share < SMALL_LANGUAGE:
            yield f"Conversations of more than one turn are {percent(share)} of the records.", f"多轮对话仅占 {percent(share)}。"


def _labels(facts: Facts) -> Iterator[Line]:
    for key, en, zh in zip(LABELS, ("department", "disease"), ("科室", "疾病"), strict=True) if facts.kind != "documents" else ():
        found = {value: langs.total() for value, langs in facts.all.label(key).items()}
        known = sum(found.values()) / facts.all.n
        if known < 1:
            yield f"{percent(1 - known)} of the records name no {en}.", f"{percent(1 - known)} 的记录未标注{zh}。"
        thin = {value: n for value, n in found.items() if n < FEW}
        if key == "department" and thin:
            chinese = {facts.name(key, value, "zh"): n for value, n in thin.items()}
            yield f"Departments with fewer than {FEW} records: {named(thin)[0]}.", f"不足 {FEW} 条的科室：{named(chinese)[1]}。"


def _scores(facts: Facts) -> Iterator[Line]:
    have = {key for key, _ in facts.all.scores}
    wanted = {"documents": ("quality",), "conversations": ("score", "relevance"), "preferences": ()}[facts.kind]
    missing = [key for key in SCORES if key in wanted and key not in have]
    if missing:
        listed = [f"`{key}`" for key in missing]
        yield f"Not scored by {', '.join(listed)}.", f"未评分：{'、'.join(listed)}。"


def percent(share: float) -> str:
    """`0.4 %`, `12 %`; what is not nothing is never said to be 0, what is not all never 100."""
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.995 <= share < 1:
        return "> 99 %"
    return f"{100 * share:.1f} %" if 0 < share < 0.1 else f"{100 * share:.0f} %"


def named(found: dict[str, int]) -> Line:
    """`a (12), b (3) …`, the largest first, in both languages."""
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    more = " …" if len(ranked) > NAMED else ""
    return ", ".join(f"{name} ({n:,})" for name, n in ranked[:NAMED]) + more, "、".join(f"{name}（{n:,}）" for name, n in ranked[:NAMED]) + more
