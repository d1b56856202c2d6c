"""A first scorer of instructions and answers that needs no model: from the text's own surface, in either language.

Scores run 1..6 as Deita's do (Liu et al. 2024), so that the published scorers or a remote judge can take its place.
paper 2.2.1
"""

import math
import re
from collections import Counter

from aquilamed.core.text import fold

_UNIT = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|[a-z]+(?:'[a-z]+)?|\d+(?:\.\d+)?")
_DETAIL = re.compile(r"\d|[：:；;]|\n")
_PUSH = re.compile(r"加微信|点击|扫码|咨询热线|免费热线|click here|call now|subscribe|www\.|https?://", re.IGNORECASE)
_END = re.compile(r"[。！？!?.…）)\"”』」*`]\s*$")


def units(text: str) -> list[str]:
    """Han characters, Latin words and numbers of the folded text."""
    return _UNIT.findall(fold(text))


def complexity(instruction: str) -> float:
    """1..6: how much an instruction asks for, from its distinct units and its details (numbers, clauses, lines)."""
    found = units(instruction)
    distinct, details = len(set(found)), len(_DETAIL.findall(instruction))
    return _clip(1 + 0.9 * math.log2(1 + distinct / 6) + 0.3 * math.log2(1 + details))


def quality(instruction: str, answer: str) -> float:
    """1..6: how full, varied, to the point and finished an answer is; advertising and repetition cost."""
    asked, found = set(units(instruction)), units(answer)
    if not found:
        return 1.0
    fullness = min(math.log2(1 + len(found) / 8), 3.5)
    on_topic = len(asked & set(found)) / max(min(len(asked), 12), 1)
    finished = 0.5 if _END.search(answer) else 0.0
    cost = 4 * repetition(found) + 2 * bool(_PUSH.search(answer))
    return _clip(1 + fullness + min(on_topic, 1.0) + finished - cost)


def repetition(found: list[str], n: int = 4) -> float:
    """Share, 0..1, of the text's n-grams that say again what an earlier one said."""
    grams = Counter(tuple(found[i:i + n]) for i in range(len(found) - n + 1))
    total = sum(grams.values())
    return 1 - len(grams) / total if total else 0.0


def overlap(one: str, other: str) -> float:
    """Jaccard similarity, 0..1, of the two texts' sets of unit pairs."""
    pairs = [set(zip(found, found[1:], strict=False)) or set(found) for found in (units(one), units(other))]
    return len(pairs[0] & pairs[1]) / max(len(pairs[0] | pairs[1]), 1)


def _clip(score: float) -> float:
    return round(min(max(score, 1.0), 6.0), 3)
