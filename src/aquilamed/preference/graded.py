"""Pairs from dialogues that a judge has scored: of several answers to the same words the one in the better dialogue is chosen. ours

A score is given to a whole dialogue, and its first reply after what both have in common stands for it: `meta["judge"]` says so. Scores near the ceiling differ by
noise, so dialogues that are not `min_gap` apart are a tie and make no pair.
"""

import dataclasses
import itertools
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from aquilamed.core import tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.errors import RecordError
from aquilamed.core.text import content_id

VERSION = 1
_SCORE = re.compile(r"(?:^|[:：\s,;])(-?\d+(?:\.\d+)?)(?=\s|[,;]|$)")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    scores: str = "scores"
    """Key of meta that holds a dialogue's scores: one number or several (`Accuracy: 4`), of which the mean counts."""
    min_gap: float = 0.5
    """Least difference of two means, in points of the judge's scale, from which one is better. ours: two of four scores of 1 to 5, a point apart"""
    every_pair: bool = False
    """Whether all pairs of dialogues are made, or only the best against the worst of each prompt. ours: pairs of one prompt are not independent"""

    def __post_init__(self):
        check(self.min_gap > 0, f"graded: min_gap={self.min_gap}: expected more than 0")


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write `preferences/` from `inputs["conversations"]`; counts are pairs, and dialogues that no other one begins like.

    Dropped: `tie`, `equal_answers`, `alone`. Notes: dialogues by mean score, and how many ties are between dialogues of the highest one.

    Raises:
        RecordError: a dialogue has no score; its id is named.
    """
    groups: dict[str, list[tuple[float, dict]]] = defaultdict(list)
    for row in tables.rows(inputs["conversations"], "conversations"):
        groups[content_id(*(message["content"] for message in _opening(row)))].append((_score(row, config.scores), row))
    scored = [one for group in groups.values() for one in group]
    best = max((score for score, _ in scored), default=0.0)
    made = [(pair_of(worse, better), worse, better) for group in groups.values() for worse, better in candidates(group, config)]
    reasons = [_reason(pair, better[0] - worse[0], config) for pair, worse, better in made]
    table = tables.from_rows("preferences", [pair for (pair, *_), reason in zip(made, reasons, strict=True) if not reason])
    tables.scatter(out, "preferences", table)
    rest = [{**tables.make("preferences", pair), "reason": reason} for (pair, *_), reason in zip(made, reasons, strict=True) if reason]
    rest += [{**group[0][1], "reason": "alone"} for group in groups.values() if len(group) == 1]
    tables.write_dropped_rows(out, "preferences", rest)
    at_ceiling = sum(reason == "tie" and worse[0] == best for (_, worse, _), reason in zip(made, reasons, strict=True))
    by_score = {f"{score:g}": n for score, n in sorted(Counter(round(score, 3) for score, _ in scored).items())}
    notes = {"prompts": len(groups), "dialogues_by_score": by_score, "ties_at_ceiling": at_ceiling}
    return Counts(n_in=len(table) + len(rest), n_out=len(table), dropped=Counter(row["reason"] for row in rest), langs=tables.langs(table), notes=notes)


def candidates(group: list[tuple[float, dict]], config: Config) -> Iterator[tuple[tuple[float, dict], tuple[float, dict]]]:
    """(worse, better) dialogues of one prompt; of equal scores the smaller id is the worse."""
    ranked = sorted(group, key=lambda one: (one[0], one[1]["id"], one[1]["source"]))
    if config.every_pair:
        yield from itertools.combinations(ranked, 2)
    elif len(ranked) > 1:
        yield ranked[0], ranked[-1]


def pair_of(worse: tuple[float, dict], better: tuple[float, dict]) -> dict:
    """The pair of the first replies that differ, after the words that both dialogues share."""
    (low, bad), (high, good) = worse, better
    apart = next((k for k, (one, other) in enumerate(zip(bad["messages"], good["messages"], strict=False)) if one != other), 0)
    at = apart if good["messages"][apart]["role"] == "assistant" else len(_opening(good))
    meta = {**good["meta"], "chosen_score": f"{high:g}", "rejected_score": f"{low:g}",
            "conversation": good["id"], "rejected_conversation": bad["id"], "judge": "of whole dialogues"}
    meta |= {f"rejected_{key}": value for key, value in bad["meta"].items() if good["meta"].get(key) != value and key not in ("file", "row")}
    origin = {key: good[key] for key in ("lang", "source", "license")}
    return {**origin, "kind": "subjective", "prompt": good["messages"][:at], "chosen": good["messages"][at]["content"], "rejected": bad["messages"][at]["content"], "meta": meta}


def _opening(row: dict) -> list[dict]:
    """The turns before the first answer."""
    return list(itertools.takewhile(lambda message: message["role"] != "assistant", row["messages"]))


def _score(row: dict, key: str) -> float:
    found = [float(value) for value in _SCORE.findall(row["meta"].get(key, ""))]
    if not found:
        raise RecordError(f"conversation {row['id']} ({row['source']}): meta[{key!r}] holds no number; name the key of the judge's scores in scores=")
    return statistics.mean(found)


def _reason(pair: dict, gap: float, config: Config) -> str:
    if gap < config.min_gap:
        return "tie"
    return "equal_answers" if content_id(pair["chosen"]) == content_id(pair["rejected"]) else ""
