"""From the imports to the set: every step's records in and out, and a sum that closes."""

import dataclasses

from aquilamed.core.lineage import Lineage
from aquilamed.core.manifest import Made

WHAT = {
    "corpus.importing": ("read from files", "读入文件"), "corpus.repair": ("wrong readings of bytes undone", "修复编码错误"), "corpus.rules": ("rules: length, symbols, repetition, safety, privacy", "规则过滤：长度、符号、重复、安全、隐私"),
    "corpus.classify": ("medical or general", "医学与通用分类"), "corpus.quality": ("quality scored", "质量评分"), "corpus.mix": ("mixed to a budget", "按预算配比"), "corpus.sample": ("sample drawn", "抽样"),
    "corpus.label": ("labelled by a model, asked twice", "由模型标注两次"), "hygiene.dedup": ("copies and near-copies removed", "去除重复与近似重复"), "hygiene.repeats": ("paragraphs that stand in many texts cut", "删去多处重复的段落"),
    "hygiene.screen": ("searched for unsafe words and identifiers", "检查不安全内容与个人标识"), "hygiene.decontaminate": ("searched for benchmark items", "比对评测题目"), "hygiene.holdout": ("split into training and held out", "划分训练与留出"),
    "instruct.importing": ("read from files", "读入文件"), "instruct.questions": ("exam questions read from files", "读入考题"), "instruct.exam": ("exam questions as conversations", "考题转为对话"), "instruct.join": ("joined", "合并"),
    "instruct.score": ("complexity × quality scored", "复杂度 × 质量评分"), "instruct.relevance": ("context relevance scored", "上下文相关性评分"), "instruct.select": ("selected by score", "按分数筛选"),
    "instruct.diverse": ("questions near a better one's removed", "去除与更优者相近的问题"), "instruct.balance": ("capped by department, disease, language", "按科室、疾病、语言设上限"),
    "instruct.topics": ("department and disease labelled", "标注科室与疾病"), "instruct.safety": ("answers that do harm dropped", "剔除有害的回答"), "instruct.safe_answers": ("safe conversations of ours added", "加入自编的安全对话"),
    "preference.lint": ("pairs checked for faults", "检查偏好对的缺陷"), "preference.graded": ("pairs of judged dialogues", "由评分对话成对"),
    "preference.importing": ("pairs read from files", "读入偏好对"), "preference.votes": ("pairs from people's votes", "由人工投票成对"), "preference.objective": ("pairs of a right and a wrong option", "由正确与错误选项成对"),
    "preference.subjective": ("pairs of a better and a worse answer", "由较好与较差的回答成对"), "preference.join": ("joined", "合并"),
}
"""Stage -> what it does, in English and Chinese."""


@dataclasses.dataclass(frozen=True)
class Balance:
    """read + made == dropped + aside + left."""

    read: int
    """By imports."""
    made: int
    """By steps that make more records than came to them, or take the same ones twice."""
    dropped: int
    aside: int
    """That came out of a step and were not taken by the next: held out, or not drawn."""
    left: int
    """In the set."""


def balance(way: Lineage, n: int) -> Balance:
    """Of a set of `n` records."""
    read = sum(step.n_in for step in way.steps if not way.links[step.folder])
    made = aside = 0
    for step in way.steps:
        users = [other for other in way.steps if step.folder in way.links[other.folder]]
        made += step.n_out * max(len(users) - 1, 0)
        difference = sum(one.n_out for one in way.before(step)) - step.n_in if way.links[step.folder] else 0
        made, aside = made + max(-difference, 0), aside + max(difference, 0)
    rest = way.steps[-1].n_out - n
    return Balance(read, made, sum(step.n_dropped for step in way.steps), aside + rest, n)


def what(step: Made, lang: str) -> str:
    return WHAT.get(step.stage, (step.stage, step.stage))[lang == "zh"]
