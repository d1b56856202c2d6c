"""How a multiple-choice question is put, in its own language; every word here is ours."""

import dataclasses
import string
from collections.abc import Sequence

LETTERS = string.ascii_uppercase
"""How options are named."""


@dataclasses.dataclass(frozen=True)
class Words:
    """The words around a question in one language."""

    context: str
    question: str
    answer: str
    lead: str
    """What stands between `answer` and the answer's first letter."""
    one: str
    """The chat instruction where one option is right."""
    several: str
    """Before a question with several right options, in either form."""


WORDS = {
    "zh": Words(context="材料：", question="题目：", answer="答案：", lead="",
                one="选出正确的一项。", several="选出所有正确的选项。"),
    "en": Words(context="Context: ", question="Question: ", answer="Answer:", lead=" ",
                one="Choose the one right option.",
                several="Choose every right option."),
}


def words_for(lang: str) -> Words:
    """Chinese words for zh and mixed text, English for the rest."""
    return WORDS["zh" if lang in ("zh", "mixed") else "en"]


def body(question: dict) -> str:
    """Context, stem and lettered options, one a line."""
    words = words_for(question["lang"])
    options = [f"{LETTERS[i]}. {option}" for i, option in enumerate(question["options"])]
    context = [words.context + question["context"]] if question["context"] else []
    return "\n".join([*context, words.question + question["stem"], *options])


def plain(question: dict, shots: Sequence[dict]) -> str:
    """The question as running text that ends where the answer begins; worked examples before it. As exam papers do, it says so where several options are right."""
    words = words_for(question["lang"])
    solved = [f"{body(shot)}\n{words.answer}{words.lead}{letter_of(shot)}\n\n" for shot in shots]
    told = f"{words.several}\n" if len(question["answers"]) > 1 else ""
    return "".join(solved) + f"{told}{body(question)}\n{words.answer}"


def bare(question: dict) -> str:
    """The stem alone as running text that ends where the answer begins."""
    words = words_for(question["lang"])
    return f"{words.question}{question['stem']}\n{words.answer}"


def messages(question: dict, shots: Sequence[dict]) -> list[dict]:
    """The question as the user's turn; worked examples as earlier turns."""
    turns: list[dict] = []
    for shot in shots:
        turns += [{"role": "user", "content": _asked(shot)}, {"role": "assistant", "content": letter_of(shot)}]
    return [*turns, {"role": "user", "content": _asked(question)}]


def letter_of(question: dict) -> str:
    """`B`, or `AC` where several are right."""
    return "".join(LETTERS[index] for index in sorted(question["answers"]))


def _asked(question: dict) -> str:
    words = words_for(question["lang"])
    return f"{words.one if len(question['answers']) == 1 else words.several}\n\n{body(question)}"
