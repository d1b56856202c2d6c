"""Exam questions as conversations, in the very words that evaluation asks with. paper 2.2.1: CMB-Exam among the sources

Each question becomes up to two conversations: the options listed, and the bare question answered by the right option's text.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from aquilamed.core import tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.models import wording

VERSION = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    answer: Literal["letter", "text"] = "letter"
    """What answers the listed options: `B. text`, or the text alone, which a small model learns from far fewer examples. ours"""
    bare: bool = True
    """Also ask the question without options. ours: the fact, not only the letter, should be learnt"""

    def __post_init__(self):
        check(self.answer in ("letter", "text"), f"answer={self.answer}: expected letter or text")


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write `conversations/` from `inputs["questions"]`; n_in and n_out count conversations."""
    rows = [row for question in tables.rows(inputs["questions"], "questions") for row in conversations(question, config)]
    table = tables.from_rows("conversations", rows)
    tables.scatter(out, "conversations", table)
    return Counts(n_in=len(rows), n_out=len(rows), langs=Counter(table["lang"].to_pylist()))


def conversations(question: dict, config: Config) -> list[dict]:
    """The question's conversations, with its licence, source and origin."""
    texts = texts_of(question)
    said = [answer_of(question) if config.answer == "letter" else texts] + ([texts] if config.bare and not question["context"] else [])
    asked = [wording.messages(question, ())[-1]["content"], question["stem"]]
    origin = {**{key: question[key] for key in ("lang", "source", "license")}, "meta": {**question["meta"], "question": question["id"]}}
    return [{**origin, "kind": "exam", "messages": [{"role": "user", "content": a}, {"role": "assistant", "content": s}]}
            for a, s in zip(asked, said, strict=False)]


def answer_of(question: dict) -> str:
    """`B. 心内科`; several right options one a line."""
    return "\n".join(f"{wording.LETTERS[i]}. {question['options'][i]}" for i in sorted(question["answers"]))


def texts_of(question: dict) -> str:
    """The right options' texts, one a line."""
    return "\n".join(question["options"][i] for i in sorted(question["answers"]))
