"""How well found spans meet the known ones.

A known span is recalled where a found one of its kind covers at least half of it; a found span is right where a known one of its kind covers at least
half of it. `exact` spans agree at both ends. `covered` is the share of the known spans' characters inside any found span, whatever its kind: what masking
hides.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable

Span = tuple[int, int, str]
"""Start, end, kind."""


@dataclasses.dataclass
class Score:
    """Counts of one kind."""

    known: int = 0
    recalled: int = 0
    exact: int = 0
    found: int = 0
    right: int = 0
    chars: int = 0
    covered: int = 0

    @property
    def recall(self) -> float:
        return self.recalled / max(self.known, 1)

    @property
    def precision(self) -> float:
        return self.right / max(self.found, 1)

    def __add__(self, other: "Score") -> "Score":
        return Score(*(a + b for a, b in zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)))


def by_kind(pairs: Iterable[tuple[Iterable[Span], Iterable[Span]]]) -> dict[str, Score]:
    """Kind -> its counts over (known, found) of every text."""
    scores: dict[str, Score] = defaultdict(Score)
    for known, found in pairs:
        known, found = [tuple(span) for span in known], [tuple(span) for span in found]
        for span in known:
            score = scores[span[2]]
            score.known += 1
            score.recalled += any(_half(span, other) for other in found)
            score.exact += span in found
            score.chars += span[1] - span[0]
            score.covered += sum(_shared(span, other) for other in found)
        for span in found:
            scores[span[2]].found += 1
            scores[span[2]].right += any(_half(span, other) for other in known)
    return dict(sorted(scores.items()))


def total(scores: dict[str, Score]) -> Score:
    """The sum over kinds."""
    return sum(scores.values(), Score())


def _shared(a: Span, b: Span) -> int:
    return max(0, min(a[1], b[1]) - max(a[0], b[0]))


def _half(span: Span, other: Span) -> bool:
    return span[2] == other[2] and 2 * _shared(span, other) >= span[1] - span[0]
