"""What is asked, what came back, and what it amounts to."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from aquilamed.core.config import canonical_json
from aquilamed.core.manifest import sha256
from aquilamed.evals import judge

if TYPE_CHECKING:
    from aquilamed.models.folders import Model      # scoring alone needs torch: replays and comparisons start at once

SCHEMA = pa.schema([
    ("task", pa.string()), ("reading", pa.string()), ("version", pa.int32()), ("id", pa.string()), ("lang", pa.string()),
    ("subject", pa.string()), ("difficulty", pa.string()), ("group", pa.string()), ("prompt_hash", pa.string()), ("prompt", pa.string()),
    ("raw", pa.string()), ("parsed", pa.string()), ("score", pa.float64()), ("bits", pa.float64()), ("bytes", pa.int64()),
])
"""answers.parquet: one row for an item and a reading, sorted by task, reading and id."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """One item's answer in one reading; `raw` holds all that its score is made of."""

    id: str
    reading: str
    """letter, letter-averaged, text, text-prior, bare, generated, harness, bits, logprob, margin, stopped, rule, grades, rubric or pairwise:NAME: see `judge`."""
    raw: dict
    lang: str
    subject: str = ""
    group: str = ""
    """Items that share it are not independent; empty for an item of its own."""
    prompt: str = ""
    """What the model was shown; empty where the item itself is (documents)."""
    judged_by: str = ""
    """Which judge with which wording gave the score. Empty: no judge."""
    limits: str = ""
    """What else decides the score: `48 tokens` of a reply at most. It and the judge are part of the prompt's hash, so that scores of two judges or two lengths are never compared."""

    @property
    def parsed(self) -> str | None:
        return judge.judge(self.reading, self.raw)[0]

    @property
    def score(self) -> float | None:
        """None where a judge was to give it and did not."""
        return judge.judge(self.reading, self.raw)[1]

    def row(self, task: str, version: int) -> dict:
        """The answer as a row of answers.parquet."""
        parsed, score = judge.judge(self.reading, self.raw)
        decided_by = "".join(f"\x1f{part}" for part in (self.prompt or self.id, self.judged_by, self.limits))
        return {
            "task": task, "reading": self.reading, "version": version, "id": self.id, "lang": self.lang, "subject": self.subject,
            "group": self.group or self.id, "prompt_hash": sha256(decided_by.encode())[:16], "prompt": self.prompt,
            "raw": canonical_json(self.raw), "parsed": parsed, "score": score,
            "bits": self.raw.get("bits"), "bytes": self.raw.get("bytes") if self.reading == judge.BITS else None,
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asked:
    """All answers to a task's items, and the items that could not be asked."""

    answers: list[Answer]
    dropped: list[tuple[dict, str, str]]
    """(item, reason, detail)."""
    tokens: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Of multiple choice: `read`, the tokens that went through the model, and `least`, those that must. Of an endpoint's answers: as `remote.usage`, and `cut`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """Items of one kind of record and how a model is asked them."""

    name: str
    kind: str
    """Record kind of the items: questions, documents, preferences, conversations."""
    items: Sequence[dict]
    ask: Callable[["Model", Sequence[dict]], Asked]
    version: int = 1
    """Raised by hand when equal items are asked in another way."""

    def rows(self, asked: Asked) -> list[dict]:
        """The answers as rows of answers.parquet, each with its item's `meta["difficulty"]`, empty where the source gives none."""
        metas = {item["id"]: item.get("meta") or {} for item in self.items}
        return [answer.row(self.name, self.version) | {"difficulty": (metas.get(answer.id) or metas.get(answer.group, {})).get("difficulty", "")} for answer in asked.answers]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """A task in one reading: the score with its 95 % interval, over all items and by language, subject and difficulty."""

    task: str
    reading: str
    version: int
    n: int
    score: float | None
    low: float | None
    high: float | None
    visible: float | None
    """Smallest difference from another model on as many other items that is found in four tries of five (`power`)."""
    unparsed: int
    """Items whose answer settles on nothing: counted as wrong, and counted here. Of judged readings: items without a judgement, left out of n and score."""
    by_lang: Mapping[str, Mapping]
    """Language -> the same six figures."""
    by_subject: Mapping[str, Mapping]
    by_difficulty: Mapping[str, Mapping]
    """As the source grades its items; empty where it does not."""
    prompt_hash: str
    """Of all prompts: equal hashes mean the same items asked in the same words."""
    mean_margin: float | None = None
    """Of reading `margin`: beta x the mean difference of log-ratios, nats."""
    order: Mapping[str, object] | None = None
    """Of reading `letter-averaged`: what the place of an option did to the answers (`order.bias`)."""
