"""An exam question's options as one sentence, in its own language; every word here is ours."""

from collections.abc import Sequence

from aquilamed.core.chance import chooser
from aquilamed.core.text import language, narrow

ASK = {"zh": "请用一句话回答。", "en": "Answer in one sentence."}
"""Put behind the question, so that the bare text stays the answer to the bare question."""
FRAMES = {
    "zh": ("正确答案是：{}。", "应当选择：{}。", "这道题的答案为“{}”。", "就这个问题而言，答案是：{}。", "综合来看，应选“{}”。"),
    "en": ("The correct answer is: {}.", "What should be chosen here is: {}.", "The answer to this question is “{}”.", "Of the options, it is this: {}.",
           "My answer would be “{}”."),
}
"""Sentences around what is answered, true for one option and for several."""
_END = "。．.；;，,、 \t\n　"


def language_of(question: dict) -> str:
    """In which of the two languages a question is to be answered: its stem's; short options of numbers and Latin names must not decide."""
    found = language(question["stem"])
    return "zh" if (question["lang"] if found == "other" else found) in ("zh", "mixed") else "en"


def asked(question: dict) -> str:
    """The stem with the wish for a sentence."""
    return f"{question['stem']}\n{ASK[language_of(question)]}"


def answered(question: dict, texts: Sequence[str], seed: int) -> str:
    """`texts` in the frame that belongs to the question: right and wrong answers get the same words around them."""
    lang = language_of(question)
    said = [ended(text) for text in texts]
    joined = _and(lang, said)
    return chooser(seed, f"sentence {question['id']}").choice(FRAMES[lang]).item().format(joined)


def ended(text: str) -> str:
    """An option without the stop at its end, which the sentence has itself."""
    bare = text.strip()
    return bare.rstrip(_END) if narrow(bare).rstrip(_END) else bare


def _and(lang: str, said: Sequence[str]) -> str:
    if lang == "zh":
        return "、".join(said)
    return f"{', '.join(said[:-1])} and {said[-1]}" if len(said) > 1 else said[0]
