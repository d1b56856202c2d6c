"""Texts as material in a question to a judge: between marks that no text can forge, each speaker named in the question's language."""

import re

MARKS = ("conversation", "answer_A", "answer_B", "answer", "reference", "criterion")
"""What may stand in angle brackets around material."""
_FORGED = re.compile(rf"[<＜](?=\s*[/／]?\s*(?:{'|'.join(MARKS)})\s*[>＞])", re.IGNORECASE)
_SPEAKERS = {"zh": {"system": "说明：", "user": "患者：", "assistant": "医生："}, "en": {"system": "Note: ", "user": "Patient: ", "assistant": "Doctor: "}}


def language(lang: str) -> str:
    """In which language a text in `lang` is judged: Chinese for zh and mixed text, English for the rest."""
    return "zh" if lang in ("zh", "mixed") else "en"


def between(mark: str, text: str) -> str:
    """`text` between `<mark>` and `</mark>`; a mark that it holds itself loses its first bracket, in any width."""
    return f"<{mark}>\n{_FORGED.sub('‹', text)}\n</{mark}>"


def conversation(messages: list[dict], lang: str) -> str:
    """The messages between marks, a speaker before each."""
    speakers = _SPEAKERS[language(lang)]
    return between("conversation", "\n".join(speakers[message["role"]] + message["content"] for message in messages))
