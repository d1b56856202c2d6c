"""A model behind an OpenAI-compatible endpoint, on the multiple-choice tasks of a benchmarks step.

Only the reading `generated` can be had: an endpoint gives no log-probability of an option that the model did not choose. Identifiers are masked
before anything is sent. A request that got no answer is never graded: it is dropped as `refused`, or stops the step with what was answered kept.
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from aquilamed.core import tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.manifest import write_json
from aquilamed.core.text import content_id
from aquilamed.evals import drawing, judge, results
from aquilamed.evals.task import Answer
from aquilamed.hygiene import identifiers
from aquilamed.models import remote, wording

VERSION = 1
ASKED = 1
"""Version of how items are put: raised by hand when equal items are asked in another way."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    endpoint: remote.Endpoint
    """The model that is asked; nothing is sent to any other place."""
    tasks: tuple[str, ...] = ()
    """Benchmarks to score, by the name of their source; empty for all that the benchmarks step marked. paper 3.1"""
    limit: int = 0
    """Questions a task and language, drawn by seed from those marked; 0 for all. ours: cost"""
    n_shots: int = 0
    """Worked examples before a question, as earlier turns, 0..16. paper 3.1: 3 for MMLU after continued pre-training"""
    shots: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Task -> worked examples, where a task needs another number than `n_shots`."""
    seed: int = 0
    """Of draws, worked examples and bootstrap."""

    def __post_init__(self):
        check(bool(self.endpoint.base_url), "endpoint: base_url is empty: name the OpenAI-compatible server that is to be asked")
        check(self.limit >= 0, f"limit={self.limit}: expected 0 or more")
        for task, n_shots in {"n_shots": self.n_shots, **self.shots}.items():
            check(0 <= n_shots <= 16, f"shots: {task}={n_shots}: expected 0..16")


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write answers.parquet and results.json.

    Raises:
        ModelUnavailable: the endpoint keeps failing or a budget might be passed; run again to go on from the replies that are kept.
    """
    asked, masked = [], Counter()
    for task, questions, pool in drawing.exams(inputs["benchmarks"], tasks=config.tasks, limit=config.limit, seed=config.seed):
        drawer = drawing.Shots(pool, config.shots.get(task, config.n_shots), config.seed)
        for question in sorted(questions, key=lambda q: q["id"]):
            messages, kinds = _masked(wording.messages(question, drawer.of(question)), question["lang"])
            masked += kinds
            asked.append((task, question, messages))
    replies = remote.ask(config.endpoint, [messages for _, _, messages in asked])
    rows = [_answer(question, messages, reply).row(task, ASKED) | {"difficulty": question["meta"].get("difficulty", "")}
            for (task, question, messages), reply in zip(asked, replies, strict=True) if reply.text is not None]
    refused = [question for (_, question, _), reply in zip(asked, replies, strict=True) if reply.text is None]
    results.write_answers(out / results.ANSWERS, rows)
    write_json(out / results.RESULTS, results.report(results.read_answers(out), config.seed))
    if refused:
        tables.write_dropped_rows(out, "questions", [{**question, "reason": "refused", "detail": ""} for question in refused])
    notes = {"asked": remote.usage(replies), "paid": remote.account(config.endpoint), "masked": dict(sorted(masked.items())),
             "cut": sum(reply.cut for reply in replies), "sent": "questions whose identifiers hygiene.identifiers had masked"}
    return Counts(n_in=len(asked), n_out=len(rows), dropped=Counter({"refused": len(refused)} if refused else {}), langs=Counter(row["lang"] for row in rows), notes=notes)


def _masked(messages: Sequence[dict], lang: str) -> tuple[list[dict], Counter]:
    """The messages without what identifies a person, and how many findings of each kind were replaced."""
    texts, kinds = identifiers.mask([message["content"] for message in messages], lang)
    return [{**message, "content": text} for message, text in zip(messages, texts, strict=True)], kinds


def _answer(question: dict, messages: Sequence[dict], reply: remote.Reply) -> Answer:
    """The answer with all that came back; thinking before the reply stays in it, and is not read."""
    raw = {"answers": list(question["answers"]), "text": reply.text, "n_options": len(question["options"]), "options": list(question["options"]), "cut": reply.cut}
    return Answer(id=question["id"], reading=judge.GENERATED, raw=raw, lang=question["lang"], subject=question["subject"] or "",
                  group=content_id(question["context"]) if question["context"] else "", prompt=json.dumps(messages, ensure_ascii=False) if len(messages) > 1 else messages[0]["content"])
