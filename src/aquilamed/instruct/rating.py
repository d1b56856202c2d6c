"""A language model rates a question's complexity and its answer's quality, 1..6, asked twice in opposite order; every word of the questions is ours.

Deita asks ChatGPT for rankings to teach its scorers with (Liu et al. 2024); here the same two scales are asked for at once. paper 2.2.1
"""

import dataclasses
from collections.abc import Sequence

from aquilamed.core.config import check
from aquilamed.hygiene import identifiers
from aquilamed.models import remote, structured

_TOLD = {
    "zh": "你在为医学对话模型挑选训练数据。下面是用户的一句话和医生或助手的回答。请给两项各打一个 1 到 6 的整数分。{scales}。长短本身不加分也不减分。只输出一行 JSON：{form}",
    "en": ("You choose training data for a medical dialogue model. Below are what a user says and what a doctor or an assistant answers. Give each of two scales a whole number from 1 to 6. {scales}. "
           "Length by itself neither earns nor costs points. Reply with one line of JSON and nothing else: {form}"),
}
_SCALES = {
    "zh": (("complexity 是用户这句话要求的难度：1 为寒暄或一句常识即可，6 为须综合多项症状、检查、用药与限制才能回答", "quality 是回答的质量：1 为答非所问、有误或敷衍，6 为切题、正确、完整、清楚"),
           ("quality 是回答的质量：6 为切题、正确、完整、清楚，1 为答非所问、有误或敷衍", "complexity 是用户这句话要求的难度：6 为须综合多项症状、检查、用药与限制才能回答，1 为寒暄或一句常识即可")),
    "en": (("complexity: how much the user's words ask for; 1 small talk or one common fact, 6 an answer that must weigh several symptoms, tests, drugs and limits against each other",
            "quality: how good the answer is; 1 beside the point, wrong or careless, 6 to the point, right, complete and clear"),
           ("quality: how good the answer is; 6 to the point, right, complete and clear, 1 beside the point, wrong or careless",
            "complexity: how much the user's words ask for; 6 an answer that must weigh several symptoms, tests, drugs and limits against each other, 1 small talk or one common fact")),
}
_FORMS = ('{"complexity": 1, "quality": 1}', '{"quality": 6, "complexity": 6}')


@dataclasses.dataclass(frozen=True, kw_only=True)
class Judge:
    """Who is asked."""

    endpoint: remote.Endpoint = remote.Endpoint()
    """The language model. ours; the paper uses Deita's scorers"""
    max_distance: float = 1.0
    """Points, from 0, that the two answers may lie apart on either scale; the score is their mean, and a turn further apart has none. ours; paper 2.1.1 drops labels 2 apart"""
    max_chars: int = 6000
    """A turn of more characters is not sent and has no score, from 1. ours: for the cost"""

    def __post_init__(self):
        check(self.max_distance >= 0, f"judge: max_distance={self.max_distance}: expected 0 or more")
        check(self.max_chars >= 1, f"judge: max_chars={self.max_chars}: expected 1 or more")


def ratings(judge: Judge, turns: Sequence[tuple[str, str, str]]) -> tuple[list[tuple[float, float] | str], list[remote.Reply]]:
    """(complexity, quality) of each (question, answer, language), or why it has none: too_long, refused, unparsed, scores_disagree; and what was asked for them."""
    sent = [turn for turn in turns if len(turn[0]) + len(turn[1]) <= judge.max_chars]
    masked = [(*identifiers.mask([asked, said], lang)[0], lang) for asked, said, lang in sent]
    answers = remote.ask(judge.endpoint, [question(turn, wording) for turn in masked for wording in (0, 1)]) if masked else []
    told = dict(zip(sent, (settled(judge, *pair) for pair in zip(answers[::2], answers[1::2], strict=True)), strict=True))
    return [told.get(turn, "too_long") for turn in turns], answers


def question(turn: tuple[str, str, str], wording: int) -> list[dict]:
    """The messages that ask for both scales; `wording` 0 or 1."""
    asked, said, lang = turn
    lang = "zh" if lang in ("zh", "mixed") else "en"
    told = _TOLD[lang].replace("{scales}", ("；" if lang == "zh" else ". ").join(_SCALES[lang][wording])).replace("{form}", _FORMS[wording])
    return [{"role": "system", "content": told}, {"role": "user", "content": f"<user>\n{asked}\n</user>\n<answer>\n{said}\n</answer>"}]


def read(reply: str) -> tuple[int, int] | None:
    """(complexity, quality), or None where the reply is not of the form asked for; never a guess."""
    found = structured.read_object(reply) or {}
    figures = (found.get("complexity"), found.get("quality"))
    fine = len(found) == 2 and all(isinstance(figure, int) and not isinstance(figure, bool) and 1 <= figure <= 6 for figure in figures)
    return figures if fine else None


def settled(judge: Judge, first: remote.Reply, second: remote.Reply) -> tuple[float, float] | str:
    """What two replies agree on, or why they don't."""
    if first.text is None or second.text is None:
        return "refused"
    one, other = read(first.text), read(second.text)
    if one is None or other is None:
        return "unparsed"
    if max(abs(a - b) for a, b in zip(one, other, strict=True)) > judge.max_distance:
        return "scores_disagree"
    return (one[0] + other[0]) / 2, (one[1] + other[1]) / 2
