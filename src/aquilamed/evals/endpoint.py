"""A model behind an OpenAI-compatible endpoint, on the exams and dialogues of a benchmarks step.

Of exams only the reading `generated` can be had: an endpoint gives no log-probability of an option that the model did not choose. Identifiers are masked
before anything is sent. A request that got no answer is never graded: it is dropped as `refused`, or stops the step with what was answered kept.
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.manifest import PASSES, write_json
from aquilamed.core.text import content_id
from aquilamed.evals import dialogue, drawing, judge, results, tally
from aquilamed.evals.task import Answer, Task
from aquilamed.hygiene import identifiers
from aquilamed.models import remote, wording

VERSION = 3


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
    dialogues: dialogue.Settings = dialogue.Settings()
    """How the cases of the benchmarks step are asked, and who judges the answers. paper 3.2"""
    versions: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Task -> version of how its items are put and read, as the catalogue has it; 1 where none is named."""
    seed: int = 0
    """Of draws, worked examples and bootstrap."""

    def __post_init__(self):
        check(bool(self.endpoint.base_url), "endpoint: base_url is empty: name the OpenAI-compatible server that is to be asked")
        check(self.limit >= 0, f"limit={self.limit}: expected 0 or more")
        for task, n_shots in {"n_shots": self.n_shots, **self.shots}.items():
            check(0 <= n_shots <= 16, f"shots: {task}={n_shots}: expected 0..16")


@dataclasses.dataclass(frozen=True)
class Found:
    """What came back for some tasks."""

    rows: list[dict]
    dropped: list[tally.Dropped]
    asked: Counter
    """As `remote.usage`, and `cut`."""
    masked: Counter
    """Kind of identifier -> how many were replaced before anything was sent."""


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write answers.parquet and results.json.

    `inputs`: `benchmarks`, and `cases` (the benchmarks step again, where its dialogues are to be asked, too).

    Raises:
        ModelUnavailable: the endpoint or the judge keeps failing or a budget might be passed; run again to go on from the replies that are kept.
    """
    parts = [_exams(config, inputs["benchmarks"]), *(_dialogue(config, task) for task in _dialogues(config, inputs, out))]
    rows, dropped = ([one for part in parts for one in getattr(part, name)] for name in ("rows", "dropped"))
    results.write_answers(out / results.ANSWERS, rows)
    write_json(out / results.RESULTS, results.report(results.read_answers(out), config.seed))
    tally.write_dropped(out, dropped)
    asked, masked = (sum((getattr(part, name) for part in parts), Counter()) for name in ("asked", "masked"))
    told = {key: asked[key] for key in (*remote.usage([]), "cut")}
    notes = {"cut": told.pop("cut"), "asked": told, "paid": remote.account(config.endpoint), "masked": dict(sorted(masked.items())),
             "sent": "questions and conversations whose identifiers hygiene.identifiers had masked", **dialogue.paid(config.dialogues)}
    return tally.counts(rows, dropped, notes)


def _exams(config: Config, folder: Path) -> Found:
    """All exams of the benchmarks step in `folder`, in one go."""
    asked, masked = [], Counter()
    for task, questions, pool in drawing.exams(folder, tasks=config.tasks, limit=config.limit, seed=config.seed):
        drawer = drawing.Shots(pool, config.shots.get(task, config.n_shots), config.seed)
        for question in sorted(questions, key=lambda q: q["id"]):
            messages, kinds = _masked(wording.messages(question, drawer.of(question)), question["lang"])
            masked += kinds
            asked.append((task, question, messages))
    replies = remote.ask(config.endpoint, [messages for _, _, messages in asked])
    limits = f"{config.endpoint.max_tokens} tokens"
    rows = [_answer(question, messages, reply, limits).row(task, config.versions.get(task, 1)) | {"difficulty": question["meta"].get("difficulty", "")}
            for (task, question, messages), reply in zip(asked, replies, strict=True) if reply.text is not None]
    refused = [("questions", question, "refused", "") for (_, question, _), reply in zip(asked, replies, strict=True) if reply.text is None]
    return Found(rows, refused, Counter(remote.usage(replies)) + Counter(cut=sum(reply.cut for reply in replies)), masked)


def _dialogues(config: Config, inputs: Mapping[str, Path], out: Path) -> list[Task]:
    """The tasks of cases; their answers wait in the step's passes, so that a judge that stops the step does not have them made again."""
    found = drawing.cases(inputs["cases"], tasks=config.tasks, limit=config.dialogues.limit, seed=config.seed) if "cases" in inputs else {}
    made = dialogue.tasks(found, config.dialogues, max_tokens=0, seed=config.seed, passes=out / PASSES)
    return [dataclasses.replace(task, version=config.versions.get(task.name, 1)) for task in made]


def _dialogue(config: Config, task: Task) -> Found:
    """One task of cases."""
    found = task.ask(config.endpoint, task.items)
    masked = sum((_masked(turn.prompt, case["lang"])[1] for case in task.items for turn in dialogue.turns_of(case)), Counter())
    return Found(task.rows(found), [(task.kind, *one) for one in found.dropped], Counter(found.tokens), masked)


def _masked(messages: Sequence[dict], lang: str) -> tuple[list[dict], Counter]:
    """The messages without what identifies a person, and how many findings of each kind were replaced."""
    texts, kinds = identifiers.mask([message["content"] for message in messages], lang)
    return [{**message, "content": text} for message, text in zip(messages, texts, strict=True)], kinds


def _answer(question: dict, messages: Sequence[dict], reply: remote.Reply, limits: str) -> Answer:
    """The answer with all that came back; thinking before the reply stays in it, and is not read."""
    raw = {"answers": list(question["answers"]), "text": reply.text, "n_options": len(question["options"]), "options": list(question["options"]), "cut": reply.cut}
    return Answer(id=question["id"], reading=judge.GENERATED, raw=raw, lang=question["lang"], subject=question["subject"] or "",
                  group=content_id(question["context"]) if question["context"] else "", prompt=json.dumps(messages, ensure_ascii=False) if len(messages) > 1 else messages[0]["content"], limits=limits)
