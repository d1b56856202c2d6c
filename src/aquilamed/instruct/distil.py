"""Regressors taught with scores that a dear scorer gave a sample, so that millions of turns are affordable; measured on conversations kept out.

The same ridge regression on n-grams and the shape of the text as `corpus.quality`'s. paper 2.2.1 scores everything with Deita's models
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from aquilamed.core import chance, tables
from aquilamed.core.config import check
from aquilamed.core.errors import RecordError
from aquilamed.core.ranks import spearman
from aquilamed.core.text import number
from aquilamed.hygiene import ridge
from aquilamed.instruct.turns import NONE, turns_of

LEAST = 20
"""Turns to learn from, and as many to measure on."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lesson:
    """How the regressors are taught."""

    test_share: float = 0.2
    """Share, (0, 1), of the teacher's conversations kept out to measure on. ours"""
    bits: int = 18
    """The n-grams are hashed into 2**bits columns, 10..24. ours"""
    penalty: float = 0.03
    """Weight of the L2 penalty, above 0. ours: as in corpus.quality"""
    seed: int = 0
    """Splits the teacher's conversations."""

    def __post_init__(self):
        check(0 < self.test_share < 1, f"lesson: test_share={self.test_share}: expected a share above 0 and below 1")
        check(10 <= self.bits <= 24, f"lesson: bits={self.bits}: expected 10..24")
        check(self.penalty > 0, f"lesson: penalty={self.penalty}: expected more than 0")


@dataclasses.dataclass(frozen=True)
class Student:
    """What was learnt."""

    complexity: ridge.Ridge
    quality: ridge.Ridge

    def ratings(self, turns: Sequence[tuple[str, str, str]]) -> list[tuple[float, float]]:
        """(complexity, quality) of each (question, answer, language), held to 1..6."""
        if not turns:
            return []
        found = np.column_stack([self.complexity.raw(_asked(turns)), self.quality.raw(_whole(turns))])
        return [(c, q) for c, q in np.round(np.clip(found, 1, 6), 3).tolist()]


def learn(lesson: Lesson, teacher: Path) -> tuple[Student, dict]:
    """The regressors, and how far they agree with the teacher on conversations that they were not taught with.

    Raises:
        RecordError: a conversation of the teacher's has no scores of its turns, or there are too few.
    """
    found = sorted(_scored(teacher))
    is_test = np.array([chance.share(lesson.seed, f"lesson/{row_id}") < lesson.test_share for row_id, *_ in found], bool)
    turns, scores = [turn for _, turn, _ in found], np.array([score for *_, score in found]).reshape(-1, 2)
    taught, tested = ([turn for turn, test in zip(turns, is_test, strict=True) if test == wanted] for wanted in (False, True))
    if min(len(taught), len(tested)) < LEAST:
        raise RecordError(f"{teacher}: {len(taught)} scored turns to learn from and {len(tested)} to measure on; at least {LEAST} each are needed")
    fit = {"bits": lesson.bits, "penalty": lesson.penalty}
    student = Student(ridge.fit(_asked(taught), scores[~is_test, 0], **fit), ridge.fit(_whole(taught), scores[~is_test, 1], **fit))
    return student, {"turns_taught": len(taught), "unseen": measured(student, tested, scores[is_test])}


def measured(student: Student, turns: Sequence[tuple[str, str, str]], truth: np.ndarray) -> dict:
    """complexity, quality and their product -> language -> rank correlation, mean error in points, and turns."""
    said, langs = np.array(student.ratings(turns)), np.array([lang for *_, lang in turns], object)
    pairs = {"complexity": (said[:, 0], truth[:, 0]), "quality": (said[:, 1], truth[:, 1]), "score": (said.prod(axis=1), truth.prod(axis=1))}
    return {name: {str(lang): {"spearman": spearman(a[langs == lang], b[langs == lang]), "mae": round(float(np.abs(a - b)[langs == lang].mean()), 4), "n": int((langs == lang).sum())}
                   for lang in np.unique(langs)} for name, (a, b) in pairs.items()}


def _scored(teacher: Path):
    """(id, turn, (complexity, quality)) of every turn that has a score."""
    for row in tables.rows(teacher, "conversations"):
        told = row["meta"].get("turn_scores")
        if told is None:
            raise RecordError(f"{teacher}: conversation {row['id']} has no meta['turn_scores']; let the input `teacher` be a step of instruct.score")
        turns, figures = turns_of(row), [one if one == NONE else tuple(map(number, one.partition("*")[::2])) for one in told.split()]
        if len(turns) != len(figures) or any(None in one for one in figures):
            raise RecordError(f"{teacher}: conversation {row['id']}: meta['turn_scores']={told!r}: expected one pair such as 3.120*4.500, or {NONE}, for each of its {len(turns)} turns")
        yield from ((row["id"], turn, one) for turn, one in zip(turns, figures, strict=True) if one != NONE)


def _asked(turns: Sequence[tuple[str, str, str]]) -> pa.Array:
    return pa.array([asked for asked, *_ in turns], pa.string())


def _whole(turns: Sequence[tuple[str, str, str]]) -> pa.Array:
    return pa.array([f"{asked}\n{said}" for asked, said, _ in turns], pa.string())
