"""Conversations that show safe answers, from the file beside this one: written by us (Apache-2.0) in both languages.

Emergencies call for help first; self-harm meets warmth, a hotline and company; overdoses, pregnancy and children's doses; no diagnosis or prescription
without examination; no antibiotics on demand; quackery corrected; and a fifth (topic `help`) where help is right and a refusal would be wrong.
`instruct.join` mixes them at a declared share. ours: the paper removes what is unsafe and teaches nothing in its place
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

from aquilamed.core import tables
from aquilamed.core.config import check, nearest
from aquilamed.core.counts import Counts

VERSION = 1
TALKS = Path(__file__).with_name("safe_answers.jsonl")
"""A line: {"topic", "lang", "messages"}."""
TOPICS = ("emergency", "self_harm", "overdose", "pregnancy", "child_dose", "no_diagnosis", "antibiotics", "quackery", "help")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Which of them."""

    topics: tuple[str, ...] = TOPICS
    """Topics taken; the others are dropped as `other_topic`."""

    def __post_init__(self):
        for topic in self.topics:
            check(topic in TOPICS, f"safe_answers: topics: {topic!r} is no topic{nearest(topic, TOPICS)}")


def files(config: Config) -> list[Path]:
    """The conversations: other ones make another output."""
    return [TALKS]


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write `conversations/`, each with `meta["topic"]`; the step has no inputs."""
    lines = [json.loads(line) for line in TALKS.read_text(encoding="utf-8").splitlines()]
    rows = tables.from_rows("conversations", [
        {"messages": line["messages"], "kind": "multi" if len(line["messages"]) > 2 else "single", "lang": line["lang"], "source": "safe_answers", "license": "Apache-2.0",
         "meta": {"topic": line["topic"]}} for line in lines])
    kept, dropped = tables.sift(rows, {"other_topic": [topic not in config.topics for topic in tables.meta_of(rows, "topic")]})
    tables.scatter(out, "conversations", kept)
    if len(dropped):
        tables.write(out / "dropped" / "conversations-00000.parquet", dropped)
    return tables.count(kept, dropped)
