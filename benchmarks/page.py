"""What was measured, as pages: writes docs/benchmarks.md and the short table of both READMEs from `benchmarks/results`.

    python benchmarks/page.py            (or `make measured`)

No figure is typed by hand: run a benchmark, then this.
"""

import json
import re
from pathlib import Path
from typing import NamedTuple

import tables

ROOT = Path(__file__).resolve().parents[1]
PAGE, READMES = ROOT / "docs/benchmarks.md", {"en": ROOT / "README.md", "zh": ROOT / "README_zh.md"}
BLOCK = re.compile(r"(?<=<!-- measured -->\n).*?(?=<!-- end -->)", re.DOTALL)
HEAD = {"en": ("Work", "Beside", "Times as fast", "Memory, ours and theirs"), "zh": ("工作", "对照", "速度倍数", "内存：我们与对方")}
IN_CHINESE = {"its defaults": "默认设置", "default": "默认设置", "reference computed before": "预先计算参考模型", "packing": "打包", "blocks": "定长块", "one pass a turn": "每轮一次前向"}


class Goal(NamedTuple):
    """What was asked for before anything was measured."""

    rows: str
    """Regular expression of the rows it is asked of: their work, a blank and the peer's name."""
    least: float
    of: str = "ratio"
    """`ratio` or `ours`."""


class Section(NamedTuple):
    """A part of the page: some rows of one file."""

    title: str
    chinese: str
    file: str
    about: tuple[str, str]
    """What is compared, in English and Chinese."""
    goals: tuple[Goal, ...] = ()
    skip: str = "^$"
    """Rows that say nothing to a reader who wants the whole, as a regular expression."""


class Line(NamedTuple):
    """A row of the READMEs' table."""

    file: str
    works: tuple[str, ...]
    """How its rows in the file begin."""
    peer: str
    """Beginning of the peer's name."""
    label: tuple[str, str]
    """English and Chinese."""


SECTIONS = (
    Section("Training", "训练", "training",
            ("The embedded base model, both cores, float32, the same tokens; `equal` holds losses, and DPO's margins, against the peer's where both meet the data in one order.",
             "内置基础模型，两核，float32，相同的 token；双方数据顺序一致时，`equal` 核对损失（DPO 还有差值）。"),
            (Goal("^dpo: speed.*defaults", 3), Goal("^dpo: speed.*reference", 2), Goal("^(dpo|sft): peak memory", 2), Goal("^sft: speed.*TRL", 1.5), Goal("^cpt: speed", 1.1), Goal("matmul peak", 0.75, "ours"))),
    Section("Multiple choice", "选择题评测", "evaluation",
            ("Three worked examples, the same prompts, lm-eval at the best of the batch sizes that were tried (`own`: 8 alone); `fixed`: the same examples for all questions of a subject, `drawn`: others for each, `own`: lm-eval's own prompts and reading, `replies`: written replies of at most 48 tokens; both without examples. `equal`: every prediction or reply is the same.",
             "三个示例，相同的提示，lm-eval 用所试批量中最好的（`own` 只试了 8）；`fixed`：一科共用示例，`drawn`：每题各抽，`own`：lm-eval 自己的提示与读法，`replies`：最多 48 个 token 的书面回答；二者不给示例。`equal`：每题预测或回答相同。"),
            (Goal("^(fixed|drawn|replies).*memory", 0.83), Goal("^fixed(?!.*memory)", 4), Goal("^drawn(?!.*memory)", 1.5))),
    Section("Memory of exam questions", "是否记得考题", "memorised",
            ("The embedded base model trained on pages among which exam questions stand as printed, as often as named: the share of questions whose printed order of options became the likeliest of 20 (by chance .05), beside a threshold on likelihood that needs to know which questions are unseen.",
             "内置基础模型在夹有原样考题的文本上训练（次数如行名）：各题的印刷选项顺序成为 20 种顺序中最可能者的比例（偶然为 0.05），与需要事先知道哪些题未见过的似然阈值法对比。")),
    Section("Context relevance", "上下文相关性", "relevance",
            ("Eq. 1-3 of the paper over real dialogues; what the tree wins grows with the turns of a dialogue. Rows `bfloat16` set the tree with the model in bfloat16 beside the tree in float32.",
             "对真实对话计算论文式 1–3；轮数越多，前缀树省得越多。`bfloat16` 行是同一前缀树在 bfloat16 与 float32 下的对比。"),
            (Goal("^all, (one|padded)", 5), Goal("^all, (?!padded)", 20_000, "ours"))),
    Section("Selection", "数据选择", "selection",
            ("Does choosing help? Bits per byte of held-out answers, equal token budgets, three draws; a ratio above 1 is fewer bits. The intervals stand in the file.",
             "选择数据有用吗？留出回答的每字节比特数，token 预算相同，抽三次；比值大于 1 表示比特更少，区间见文件。")),
    Section("Corpus filters", "语料过滤", "corpus",
            ("In `rules` the peer runs its own rules, so the work is not the same; in `same rules` datatrove runs ours.", "`rules` 中对方用自己的规则，工作并不相同；`same rules` 中 datatrove 运行我们的规则。"),
            (Goal("^rules", 20), Goal("^same rules", 10), Goal("^all filters", 4000, "ours"))),
    Section("Near duplicates", "近似去重", "dedup",
            ("Planted near-duplicates of both languages; recall by kind of change stands in the file.", "植入的中英文近似重复；各类改动的召回率见文件。"),
            (Goal("^dedup.* datatrove", 50), Goal("^recall", 0.985, "ours"), Goal("^precision", 0.995, "ours")), r"^recall (zh|en) [^(]"),
    Section("Medical or not", "领域分类", "domain",
            ("`csl`: titles of Chinese papers, `new sources`: English sets that were not trained on, `corpus`: sets that were. Of each the cascade was to lose at most 0.01 F1 against the encoder, which its goal column does not show.", "`csl`：中文论文标题；`new sources`：未参与训练的英文来源；`corpus`：参与训练的来源。级联（cascade）的 F1 应比编码器（encoder）至多低 0.01，目标栏未标出此项。"),
            (Goal("^csl: F1 zh, cascade", 0.9, "ours"), Goal("the cascade, two cores", 2000, "ours"))),
    Section("Identifiers", "个人标识", "identifiers",
            ("Synthetic clinical notes with known spans; the `heldout` forms were not looked at while the rules were written.", "合成病历，标识位置已知；编写规则时未看过 `heldout` 写法。"),
            (Goal("^recall", 0.98, "ours"), Goal("^precision", 0.95, "ours"))),
    Section("Decontamination", "去污染", "decontamination", ("Planted leaks of benchmark items, by what was done to them.", "植入的评测题泄漏，按改动方式分列。"), (Goal("^recall, verbatim", 1, "ours"),)),
    Section("Repair", "乱码修复", "repair", ("Text read in a wrong encoding.", "以错误编码读入的文本。")),
    Section("Attention in bands", "分带注意力", "attention", ("On a CPU, beside one mask over the whole pack.", "在 CPU 上，与整包一个掩码相比。")),
)
LINES = (
    Line("training", ("dpo",), "TRL, its defaults", ("DPO, multi-turn pairs, two epochs", "DPO，多轮偏好对，两轮")),
    Line("training", ("dpo",), "TRL, reference", ("the same", "同上")),
    Line("training", ("sft",), "TRL, packing", ("SFT on dialogues of mixed length", "SFT，长短不一的对话")),
    Line("training", ("sft",), "LLaMA-Factory, packing", ("the same", "同上")),
    Line("training", ("cpt",), "Hugging Face Trainer", ("Pre-training", "预训练")),
    Line("evaluation", ("fixed",), "lm-eval", ("Multiple choice, examples fixed per subject", "选择题，每科固定示例")),
    Line("evaluation", ("drawn",), "lm-eval", ("Multiple choice, examples drawn per question", "选择题，每题各抽示例")),
    Line("relevance", ("all",), "transformers, one pass", ("Context relevance of dialogues", "对话的上下文相关性")),
    Line("corpus", ("same rules",), "datatrove", ("Corpus rules, the same rules", "语料规则，规则相同")),
    Line("dedup", ("dedup, 200000", "peak memory of a process, 200000"), "datatrove", ("Near duplicates, 200,000 documents", "近似去重，20 万篇")),
    Line("dedup", ("dedup, 200000", "peak memory of a process, 200000"), "text-dedup", ("the same", "同上")),
    Line("dedup", ("dedup, 200000", "peak memory of a process, 200000"), "data-juicer", ("the same", "同上")),
)


def found(file: str) -> dict:
    return json.loads((tables.RESULTS / f"{file}.json").read_text(encoding="utf-8"))


def number(value: float | None) -> str:
    """`26,230`, `133.2`, `0.9998`; a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def cells(row: dict) -> list[str]:
    """Memory is told in bytes, where a larger share of a gigabyte is better."""
    ours, peer, unit = row["ours"], row["peer"] if row["peer_name"] else None, row["unit"]
    if "gigabytes" in row and unit == "1/GB":
        ours, peer, unit = row["gigabytes"]["ours"], row["gigabytes"]["peer"], "GB"
    if unit == "bytes" and ours >= 1e6:
        ours, peer, unit = ours / 1e9, peer and peer / 1e9, "GB"
    ratio = f"{row['ratio']:.2f}" if row["ratio"] and row["peer_name"] else "–"
    return [row["work"], number(ours), number(peer), unit, row["peer_name"] or "–", ratio, str(row["runs"]), "yes" if row["equal"] else "no"]


def table(head: tuple[str, ...], lines: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, ["---"] * len(head), *lines))


def goal(row: dict, goals: tuple[Goal, ...]) -> str:
    """`3 ×`, `3 ×, not reached`, `0.75`; a dash where nothing was asked for."""
    asked = [one for one in goals if re.search(one.rows, f"{row['work']} {row['peer_name']}") and row[one.of] is not None]
    return "; ".join(f"{number(one.least)}{' ×' if one.of == 'ratio' else ''}{'' if row[one.of] >= one.least else ', not reached'}" for one in asked) or "–"


def section(one: Section) -> str:
    made = found(one.file)
    rows = [[*cells(row), goal(row, one.goals)] for row in made["rows"] if not re.search(one.skip, row["work"])]
    versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
    return (f"\n## {one.title} · {one.chinese}\n\n{one.about[0]}\n\n{one.about[1]}\n\n`benchmarks/{one.file}.py` on {made['machine']}; {versions}.\n\n"
            + table(("Work", "Ours", "Peer", "Unit", "Peer's name", "Ratio", "Runs", "Equal", "Goal"), rows))


def page() -> str:
    """docs/benchmarks.md."""
    return ("# What was measured beside other tools · 与其他工具的对比\n\n"
            "Made by `make measured` from `benchmarks/results`; each script tells at its top how to run it and where its peers come from. Runs take turns on the same machine and count by their median; "
            "a ratio above 1 means that we are ahead; `equal` is the check that both did the same work. Goals were set before anything was measured; those that were not reached stand here, too. "
            "Nothing was measured on a GPU: none was at hand.\n\n"
            "由 `make measured` 根据 `benchmarks/results` 生成；各脚本开头写明如何运行、对照工具从何而来。同一台机器上轮流运行，取中位数；比值大于 1 表示我们领先；`equal` 表示已核对双方做了同样的工作。目标在测量之前定下，未达到的（not reached）也列在此处。没有可用的 GPU，故未在 GPU 上测量。\n"
            + "".join(map(section, SECTIONS)))


def short(lang: str) -> str:
    """The READMEs' table."""
    return table(HEAD[lang], [line_cells(line, lang) for line in LINES])


def line_cells(line: Line, lang: str) -> list[str]:
    """A row; where several sets were measured, from the least to the most, and the memory of the largest."""
    rows = [row for row in found(line.file)["rows"] if row["work"].startswith(line.works) and row["peer_name"].startswith(line.peer)]
    speed = sorted(row["ratio"] for row in rows if "memory" not in row["work"])
    memory = [row["gigabytes"] for row in rows if "gigabytes" in row] + [{side: row[side] / 1e9 for side in ("ours", "peer")} for row in rows if row["unit"] == "bytes"]
    most = max(memory, key=lambda one: one["ours"], default=None)
    peer, _, how = rows[0]["peer_name"].partition(", ")
    chinese = f"{peer}（{IN_CHINESE.get(how, how.replace('batch', '批量'))}）"
    beside = chinese if how and lang == "zh" else rows[0]["peer_name"]
    return [line.label[lang == "zh"], beside, " – ".join(f"{value:.1f}" for value in (speed[:1] + speed[-1:] if len(speed) > 1 else speed)),
            f"{most['ours']:.1f} · {most['peer']:.1f} GB" if most else "–"]


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")
    for lang, path in READMES.items():
        path.write_text(BLOCK.sub(lambda _, lang=lang: short(lang), path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
