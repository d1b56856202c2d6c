"""The data card, in English and in Chinese: the same sections in the same order."""

from collections.abc import Callable

import numpy as np

from aquilamed.release import funnel, gaps, licences
from aquilamed.release.facts import HELDOUT, TRAIN, Facts
from aquilamed.release.gaps import percent
from aquilamed.release.markdown import code, quoted, size, table

FILES = {"en": "README.md", "zh": "README_zh.md"}
NOTICE = {
    "en": "Not for clinical use. Data for research; neither they nor a model trained on them may guide the care of patients.",
    "zh": "不得用于临床。仅供研究；本数据及用其训练的模型均不得用于指导诊疗。",
}
PURPOSE = {
    "documents": {"en": "texts for continued pre-training (CPT)", "zh": "继续预训练（CPT）文本"},
    "conversations": {"en": "conversations for supervised fine-tuning (SFT)", "zh": "监督微调（SFT）对话"},
    "preferences": {"en": "pairs of a better and a worse answer for preference training (DPO)", "zh": "偏好训练（DPO）所用的优劣回答对"},
}
COLUMNS = {
    "id": {"en": "hash of the record's words", "zh": "记录文本的哈希值"}, "text": {"en": "the text", "zh": "正文"},
    "messages": {"en": "the turns: role and content; the last is the assistant's", "zh": "各轮的角色与内容；末轮为助手"}, "prompt": {"en": "the turns before the answers", "zh": "回答之前的各轮"},
    "chosen": {"en": "the better answer", "zh": "较好的回答"}, "rejected": {"en": "the worse answer", "zh": "较差的回答"},
    "kind": {"en": "what form it has: the table below counts them", "zh": "记录的形式，见下表统计"},
    "lang": {"en": "zh, en, mixed or other", "zh": "zh 中文、en 英文、mixed 混合、other 其他"}, "source": {"en": "the set that the record came from", "zh": "记录所属的来源数据集"},
    "license": {"en": "licence of that source", "zh": "该来源的许可"}, "meta": {"en": "where it stood in its source, and what the steps found out about it", "zh": "在来源中的位置，以及各步骤得出的信息"},
}
LANGS = {"zh": ("Chinese", "中文"), "en": ("English", "英文"), "mixed": ("both in one", "中英混合"), "other": ("other", "其他")}
KINDS = {
    "single": ("one turn", "单轮"), "multi": ("several turns", "多轮"), "exam": ("exam question", "考题"), "subjective": ("subjective pair", "主观偏好对"), "objective": ("objective pair", "客观偏好对"),
    "vote": ("voted or imported pair", "投票或导入的偏好对"), "medical": ("medical", "医学"), "general": ("general", "通用"), "instruction": ("instruction", "指令"),
}
ROLES = {"system": ("System", "系统"), "user": ("User", "用户"), "assistant": ("Assistant", "助手"), "text": ("Text", "正文"), "chosen": ("Better answer", "较好的回答"), "rejected": ("Worse answer", "较差的回答")}
SCORES = {
    "score": ("score: complexity × quality, mean of the turns", "分数：复杂度 × 质量，各轮平均"), "complexity": ("complexity of the questions", "问题的复杂度"), "answer_quality": ("quality of the answers", "回答的质量"), "quality": ("quality", "质量"),
    "relevance": ("context relevance", "上下文相关性"),
}
SCORERS = {
    "surface": ("the surface of the texts alone (length, variety, words of the question in the answer): no model has read them", "仅依据文本表面（长度、用词变化、回答与问题的重合），没有模型读过"),
    "deita": ("Deita's models", "Deita 的模型"), "remote": ("a language model, asked twice", "语言模型，询问两次"), "distilled": ("regressors taught with another scorer's scores of a sample", "由另一评分者的抽样分数训练的回归器"),
}
DISGUISES = {
    "verbatim": ("as it is", "原样"), "case": ("other case", "大小写不同"), "width": ("full-width letters", "全角字符"), "script": ("traditional or simplified script", "繁简转换"), "spacing": ("other spacing", "空格不同"),
    "punctuation": ("other punctuation", "标点不同"), "options_shuffled": ("options in another order", "选项乱序"), "half_stem": ("half of the question only", "只含半个题干"), "short": ("short questions", "短题"), "all": ("all at once", "以上全部"),
}
QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
LONGEST = 30
"""Most lines in a table of departments or diseases."""
Say = Callable[[str, str], str]
"""(English, Chinese) -> the one of the card's language."""


def text(config, facts: Facts, lang: str) -> str:
    """The card in `lang`, from its title on."""
    def say(en: str, zh: str) -> str:
        return zh if lang == "zh" else en
    about = config.about_zh if lang == "zh" else config.about
    other = f"[中文]({FILES['zh']})" if lang == "en" else f"[English]({FILES['en']})"
    parts = [f"# {config.title}", other, f"> **{NOTICE[lang]}**", summary(config, facts, lang), about, _warning(facts, say), _load(config, say), _columns(facts, lang, say)]
    sections = (_composition, _licences, _funnel, _scores, _coverage, _certificate, _splits, _examples, _gaps)
    parts += [part for section in sections for part in section(facts, say)]
    parts += [say("## Files", "## 文件"), say("`SHA256SUMS` holds the SHA-256 of every file (`sha256sum -c SHA256SUMS`), `croissant.json` the Croissant metadata.",
                                          "`SHA256SUMS` 为各文件的 SHA-256（以 `sha256sum -c SHA256SUMS` 校验），`croissant.json` 为 Croissant 元数据。")]
    return "\n\n".join(part for part in parts if part) + "\n"


def summary(config, facts: Facts, lang: str) -> str:
    """What the set is, in a sentence."""
    counts = {split: census.n for split, census in facts.censuses.items()}
    shares = [(name, n) for name, n in facts.all.by(1).most_common() if n]
    if lang == "zh":
        kept = f"训练 {counts[TRAIN]:,} 条" + (f"，留出 {counts[HELDOUT]:,} 条" if HELDOUT in counts else "")
        return f"{PURPOSE[facts.kind]['zh']}，版本 {config.version}：{kept}；" + "、".join(f"{LANGS[name][1]} {percent(n / facts.all.n)}" for name, n in shares) + "。"
    kept = f"{counts[TRAIN]:,} records for training" + (f", {counts[HELDOUT]:,} held out" if HELDOUT in counts else "")
    purpose = PURPOSE[facts.kind]["en"]
    return f"{purpose[0].upper()}{purpose[1:]}, version {config.version}: {kept}; " + ", ".join(f"{LANGS[name][0]} {percent(n / facts.all.n)}" for name, n in shares) + "."


def _warning(facts: Facts, say: Say) -> str:
    """The strictest duties, named with the sources that bring them."""
    lines = []
    for rank in range(licences.WARNED):
        sources = facts.all.under(lambda name, rank=rank: licences.strictness(name) == rank)
        if not sources:
            continue
        duty, share = licences.DUTIES[licences.STRICTNESS[rank]], percent(sources.total() / facts.all.n)
        en, zh = gaps.named(sources)
        lines.append("> " + say(f"**{duty.en[0].upper()}{duty.en[1:]}** – {share} of the records: {en}.", f"**{duty.zh}** – 占记录的 {share}：{zh}。"))
    head = say("> **Mind the licences:** the whole may be used only as its strictest part allows.", "> **注意许可：** 整体的使用须遵守其中最严格的许可。")
    return "\n>\n".join([head, *lines]) if lines else ""


def _load(config, say: Say) -> str:
    lines = ["```python", "from datasets import load_dataset", "", f'data = load_dataset("{config.title}")    # {say("the path of this folder", "本文件夹的路径")}', f'data["{TRAIN}"][0]', "```"]
    return "\n".join(lines)


def _columns(facts: Facts, lang: str, say: Say) -> str:
    from aquilamed.core.records import SCHEMAS
    keys = say("Fields of `meta`: ", "`meta` 的字段：") + say(", ", "、").join(code(key) for key in sorted(facts.all.keys)) + say(".", "。") if facts.all.keys else ""
    return "\n\n".join(filter(None, (table([say("Column", "列"), say("What it holds", "内容")], [(code(name), COLUMNS[name][lang]) for name in SCHEMAS[facts.kind].names]), keys)))


def _composition(facts: Facts, say: Say) -> list[str]:
    """Source × language × kind, with records and bytes; languages; turns."""
    heads = [say("Source", "来源"), say("Language", "语言"), say("Kind", "类型"), say("Records", "记录"), say("Share", "占比"), say("Of them held out", "其中留出"), say("Size of the texts", "文本大小")]
    whole, cells = facts.all, {}
    held = facts.censuses[HELDOUT].records if HELDOUT in facts.censuses else {}
    for (source, lang, kind, name), n in whole.records.items():
        old = cells.get((source, lang, kind), (0, 0, 0))
        cell = (source, lang, kind, name)
        cells[source, lang, kind] = (old[0] + n, old[1] + held.get(cell, 0), old[2] + whole.bytes[cell])
    rows = [(code(source), say(*LANGS[lang]), say(*KINDS.get(kind, (kind, kind))), n, percent(n / whole.n), out, size(bytes_)) for (source, lang, kind), (n, out, bytes_) in sorted(cells.items(), key=lambda item: (item[0][0], list(LANGS).index(item[0][1]), item[0][2]))]
    total = (f"**{say('all', '合计')}**", "", "", whole.n, percent(1), sum(held.values()), size(whole.bytes.total()))
    mixed = [step.body["notes"]["estimated_tokens"] for step in facts.way.steps[-1:] if "estimated_tokens" in step.body["notes"]]
    tokens = say("The mix estimates {:,} tokens.", "配比步骤估计共 {:,} 个词元。").format(mixed[0]) if mixed else ""
    return [say("## What it is made of", "## 构成"), table(heads, [*rows, total], numbers=(3, 4, 5, 6)), tokens, _turns(facts, say)]


def _turns(facts: Facts, say: Say) -> str:
    """How many of the conversations have how many answers."""
    if facts.kind != "conversations":
        return ""
    bounds = ((1, 1), (2, 2), (3, 5), (6, 10), (11, 10**9))
    counts = [(low, high, sum(n for messages, n in facts.all.turns.items() if low <= (messages + 1) // 2 <= high)) for low, high in bounds]
    rows = [(f"{low}" if low == high else f"{low}–{high}" if high < 10**9 else f"≥ {low}", n, percent(n / facts.all.n)) for low, high, n in counts if n]
    return table([say("Turns", "轮数"), say("Records", "记录"), say("Share", "占比")], rows, numbers=(1, 2))


def _licences(facts: Facts, say: Say) -> list[str]:
    """Every source with its licence, the strictest first."""
    found: dict[tuple[str, str], int] = {}
    for (source, _, _, name), n in facts.all.records.items():
        found[source, name] = found.get((source, name), 0) + n
    ranked = sorted(found.items(), key=lambda item: (licences.strictness(item[0][1]), item[0]))
    rows = [(code(source), code(name or licences.UNKNOWN), say(licences.duty(name).en, licences.duty(name).zh), n, percent(n / facts.all.n)) for (source, name), n in ranked]
    about = say("As declared when the source was imported; what a licence asks is a summary, not legal advice.", "以导入来源时的声明为准；许可要求为概括，并非法律意见。")
    return [say("## Licences", "## 许可"), about, table([say("Source", "来源"), say("Licence", "许可"), say("What it asks", "要求"), say("Records", "记录"), say("Share", "占比")], rows, numbers=(3, 4))]


def _funnel(facts: Facts, say: Say) -> list[str]:
    """Every step from the imports to the set."""
    lang, sum_ = say("en", "zh"), funnel.balance(facts.way, facts.all.n)
    heads = [say("Step", "步骤"), say("Takes from", "取自"), say("What it does", "作用"), say("In", "入"), say("Out", "出"), say("Dropped", "剔除"), say("By reason", "按理由")]
    rows = [(code(step.name), say(", ", "、").join(code(one.name) for one in facts.way.before(step)) or say("files", "文件"), funnel.what(step, lang), step.n_in, step.n_out, step.n_dropped,
             say(", ", "、").join(f"{code(reason)} {n:,}" for reason, n in step.drops) or "–") for step in facts.way.steps]
    parts = [(sum_.read, "read from files", "读入文件"), (sum_.made, "made or used again by steps", "由步骤新增或重复使用"), (-sum_.dropped, "dropped", "剔除"), (-sum_.aside, "left aside (not drawn, or held out)", "未取用（未抽中或留出）")]
    told = " ".join(f"{'−' if n < 0 else '+'} {abs(n):,} {say(en, zh)}" for n, en, zh in parts if n).removeprefix("+ ")
    closing = f"{told} = **{sum_.left:,}** " + say("in this set.", "条，即本数据集。")
    about = say("In every step, what comes in is what goes out and what is dropped.", "每一步的输入都等于输出与剔除之和。")
    return [say("## How it was made", "## 制作过程"), about, table(heads, rows, numbers=(3, 4, 5)), closing]


def _scores(facts: Facts, say: Say) -> list[str]:
    """Quantiles of each score in each language, of the whole set."""
    rows = []
    for (key, lang), values in sorted(facts.all.scores.items(), key=lambda item: (list(SCORES).index(item[0][0]), list(LANGS).index(item[0][1]))):
        rows.append((say(*SCORES[key]), say(*LANGS[lang]), len(values), *(f"{value:.2f}" for value in np.quantile(np.sort(values), QUANTILES))))
    scorers = dict.fromkeys(step.body["config"]["backend"] for step in facts.way.steps if step.stage == "instruct.score")
    told = [say("Who scored the conversations: {}.", "对话评分者：{}。").format(say("; ", "；").join(say(*SCORERS[name]) for name in scorers))] if scorers and rows else []
    heads = [say("Score", "分数"), say("Language", "语言"), say("Records", "记录"), say("Lowest", "最低"), "10 %", "25 %", say("Median", "中位数"), "75 %", "90 %", say("Highest", "最高")]
    return [say("## Scores", "## 分数分布"), table(heads, rows, numbers=range(2, 10)), *told] if rows else []


def _coverage(facts: Facts, say: Say) -> list[str]:
    """Departments, diseases and languages, beside what the paper says of its set."""
    departments, diseases, langs = facts.all.label("department"), facts.all.label("disease"), facts.all.by(1)
    if facts.kind == "documents" or not (departments or diseases):
        return []
    both = langs["zh"] + langs["en"]
    ratio = f"{100 * langs['zh'] / both:.0f} : {100 * langs['en'] / both:.0f}" if both else "–"
    claims = [(say("Departments", "科室"), len(departments), "15+"), (say("Diseases", "疾病"), len(diseases), "100+"), (say("Chinese : English", "中文 : 英文"), ratio, "86 : 14")]
    parts = [say("## Coverage", "## 覆盖范围"), table(["", say("Here", "本数据集"), say("The Aquila-Med paper, of its SFT set", "Aquila-Med 论文（其 SFT 数据）")], claims, numbers=(1, 2))]
    for key, found, en, zh in (("department", departments, "Department", "科室"), ("disease", diseases, "Disease", "疾病")):
        ranked = sorted(found.items(), key=lambda item: (-item[1].total(), item[0]))
        shown = [(facts.name(key, name, say("en", "zh")), n.total(), n["zh"], n["en"], n.total() - n["zh"] - n["en"]) for name, n in ranked[:LONGEST]]
        shown += [(say(f"{len(ranked) - LONGEST} more", f"其余 {len(ranked) - LONGEST} 种"), *map(sum, zip(*((n.total(), n["zh"], n["en"], n.total() - n["zh"] - n["en"]) for _, n in ranked[LONGEST:]), strict=True)))] if len(ranked) > LONGEST else []
        parts.append(table([say(en, zh), say("Records", "记录"), say("Chinese", "中文"), say("English", "英文"), say("Else", "其他")], shown, numbers=(1, 2, 3, 4)))
    return parts


def _certificate(facts: Facts, say: Say) -> list[str]:
    """Which benchmarks every record was searched for, and how surely leaks are found."""
    head, found = say("## Benchmarks searched for", "## 评测题目比对"), facts.certified
    if not found.benchmarks:
        return [head, say("**No certificate covers every record:** not all were searched for the items of the same benchmarks.", "**没有覆盖每条记录的证书：** 并非所有记录都与同样的评测题目比对过。")]
    about = say(f"Every record was searched for the items of these benchmarks; dropped because they held one: {found.found:,}.", f"每条记录都与下列评测的题目比对过；因含有题目而剔除：{found.found:,} 条。")
    planted = [(say(*DISGUISES.get(change, (change, change))), n, hit, percent(hit / n)) for change, (n, hit) in sorted(found.planted.items()) if n]
    return [head, about, table([say("Benchmark", "评测"), say("Items", "题目")], [(code(source), n) for source, n in found.benchmarks.items()], numbers=(1,)),
            say("How surely a leak is found, measured on leaks that the step planted itself, by disguise:", "泄漏的检出率，以步骤自行植入的泄漏衡量，按伪装方式列出：") if planted else "",
            table([say("Disguise", "伪装方式"), say("Planted", "植入"), say("Found", "检出"), say("Share", "检出率")], planted, numbers=(1, 2, 3))]


def _splits(facts: Facts, say: Say) -> list[str]:
    """How many records each split has, and how they were parted."""
    rows = [(code(split), census.n, *(census.by(1)[lang] for lang in ("zh", "en")), size(census.bytes.total())) for split, census in facts.censuses.items()]
    cut = _cut(facts, say) if facts.parted else ""
    return [say("## Splits", "## 划分"), cut, table([say("Split", "部分"), say("Records", "记录"), say("Chinese", "中文"), say("English", "英文"), say("Size of the texts", "文本大小")], rows, numbers=(1, 2, 3, 4))]


def _cut(facts: Facts, say: Say) -> str:
    config = facts.parted.body["config"]
    like, share, most = f"{config['threshold']:g}", percent(config["share"]), f"{config['max_chars']:,}"
    about = say(f"Whole clusters of like texts (Jaccard similarity of {like} or more) are held out, {share} of them by chance, at most {most} characters of a kind and language: no near-copy of what was parted stands on both sides.",
                f"以相似文本（Jaccard 相似度不低于 {like}）的聚类为单位随机留出，比例 {share}，每种类型与语言至多 {most} 字符：所划分的近似文本不会分处两侧。")
    added = say(f" What steps after `{facts.parted.name}` brought in was not compared with it.", f"`{facts.parted.name}` 之后的步骤加入的内容未与留出部分比对。")
    return about if facts.parted == facts.way.steps[-1] else about + added


def _examples(facts: Facts, say: Say) -> list[str]:
    head = say("## Examples", "## 样例")
    if not facts.screened:
        return [head, say("None are shown: not every record was screened for identifiers.", "不展示：并非每条记录都经过个人标识筛查。")]
    shown = []
    for row in facts.examples:
        shown.append(f"**{code(row['source'])} · {say(*LANGS[row['lang']])}**")
        shown.append("\n>\n".join(f"> **{say(*ROLES[role])}**\n>\n{quoted(said)}" for role, said in row["said"]))
        shown += [say(f"… {row['skipped']} more messages", f"… 其余 {row['skipped']} 条消息")] if row["skipped"] else []
    about = say("Those with the smallest ids: as good as drawn by chance. Long ones are cut.", "取编号最小者，等同随机抽取；过长者已截断。")
    return [head, about, *shown] if shown else []


def _gaps(facts: Facts, say: Say) -> list[str]:
    return [say("## Known gaps", "## 已知不足"), "\n".join(f"- {say(*line)}" for line in gaps.find(facts))]
