"""A judge's grades beside labels that dialogues carry, by doctors or by another judge: does it put them in the same order, and is it milder? ours

Every answer of a dialogue is graded in the words of `evals.grading`, as in the tasks; a dialogue's grade is the mean over its answers. What is sent has its identifiers masked.
"""

import dataclasses
import json
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from aquilamed.core import resample, tables
from aquilamed.core.chance import share
from aquilamed.core.config import check, nearest
from aquilamed.core.counts import Counts
from aquilamed.core.errors import RecordError
from aquilamed.core.manifest import write_json
from aquilamed.core.ranks import spearman
from aquilamed.evals import grading
from aquilamed.hygiene import identifiers
from aquilamed.models import comparing, remote

VERSION = 1
MEAN = "mean"
AGREEMENT = "agreement.json"
_LABEL = re.compile(r"([^\n:：]+)[:：]\s*(\d+(?:\.\d+)?)")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    judge: remote.Endpoint
    """Who grades; the one of the tasks."""
    n: int = 200
    """Dialogues drawn, by chance of their ids, from 1; each costs a request an answer. ours"""
    labels: str = "scores"
    """Key of meta with the labels, `Accuracy: 4`, one or several, on the scale 1..5."""
    pairs: Mapping[str, str] = dataclasses.field(default_factory=lambda: {"fluency": "Linguistic Quality", "completeness": "Helpfulness", "proficiency": "Accuracy"})
    """Aspect -> the label that means about the same; the means of all aspects and all labels are compared in any case. ours, for DISC-MedLLM's labels"""
    group: str = "case"
    """Key of meta that dialogues about the same complaint share: they are drawn together in the intervals."""
    seed: int = 0
    """Of the draw and the bootstrap."""

    def __post_init__(self):
        check(bool(self.judge.base_url), "labelled: judge needs an endpoint: nothing can be compared without its grades")
        check(self.n >= 1, f"labelled: n={self.n}: expected 1 or more")
        for aspect in self.pairs:
            check(aspect in grading.ASPECTS, f"labelled: pairs: {aspect!r} is no aspect{nearest(aspect, grading.ASPECTS)}")


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write agreement.json, and the graded dialogues of `inputs["conversations"]` with the judge's replies in `meta["judge_replies"]`.

    Dropped of those drawn: judge_refused, unparsed: a dialogue any of whose answers could not be graded.

    Raises:
        RecordError: a dialogue has no labels, or not one that `pairs` names; nothing has been asked then.
    """
    rows = sorted(tables.rows(inputs["conversations"], "conversations"), key=lambda row: (share(config.seed, row["id"]), row["id"], row["source"]))[:config.n]
    for row in rows:
        labels_of(row, config)
    asked = [requests(row) for row in rows]
    replies = remote.ask(config.judge, [request for some in asked for request in some], grading.GRADES)
    found, left, kept = iter(replies), [], []
    for row, some in zip(rows, asked, strict=True):
        said = [next(found).text for _ in some]
        row["meta"] |= {"judge": config.judge.model, "judge_replies": json.dumps(said, ensure_ascii=False)}
        reason = _reason(said)
        left.append({**row, "reason": reason}) if reason else kept.append(row)
    tables.scatter(out, "conversations", tables.from_rows("conversations", kept))
    tables.write_dropped_rows(out, "conversations", left)
    write_json(out / AGREEMENT, agreement(kept, config))
    asked_for = {**remote.usage(replies), "paid": remote.account(config.judge)}
    return Counts(n_in=len(rows), n_out=len(kept), dropped=Counter(row["reason"] for row in left), langs=Counter(row["lang"] for row in kept),
                  notes={"asked": asked_for, "sent": "dialogues whose identifiers hygiene.identifiers had masked"})


def requests(row: Mapping) -> list[list[dict]]:
    """One for each answer of the dialogue, with the turns before it; masked."""
    words, _ = identifiers.mask([message["content"] for message in row["messages"]], row["lang"])
    turns = [{"role": message["role"], "content": word} for message, word in zip(row["messages"], words, strict=True)]
    return [grading.grade(turns[:end], turn["content"], "", row["lang"]) for end, turn in enumerate(turns) if turn["role"] == "assistant"]


def agreement(rows: Sequence[Mapping], config: Config) -> dict:
    """For each pair of aspect and label, and for the means, how far they agree; from the rows alone."""
    labels = [labels_of(row, config) for row in rows]
    grades = [np.mean([grading.read_grades(reply) for reply in json.loads(row["meta"]["judge_replies"])], axis=0) for row in rows]
    groups = [row["meta"].get(config.group) or row["id"] for row in rows]
    found = {MEAN: against([float(one.mean()) for one in grades], [statistics.fmean(one.values()) for one in labels], groups, seed=config.seed, key=MEAN)} if rows else {}
    for aspect, label in config.pairs.items() if rows else ():
        place = grading.ASPECTS.index(aspect)
        found[f"{aspect} ~ {label}"] = against([float(one[place]) for one in grades], [one[label] for one in labels], groups, seed=config.seed, key=aspect)
    return {"judge": config.judge.model, "n": len(rows), "groups": len(set(groups)), "agreement": found}


def against(given: Sequence[float], labels: Sequence[float], groups: Sequence[str], *, seed: int, key: str) -> dict:
    """How far grades agree with labels of the same things, each with a 95 % interval by bootstrap over groups.

    `spearman`: rank correlation. `kappa`: quadratically weighted. `shift`: the mean of grade less label, above 0 where the judge is milder.
    """
    one, other = np.asarray(given, float), np.asarray(labels, float)
    members = defaultdict(list)
    for number, group in enumerate(groups):
        members[group].append(number)
    places = [np.array(numbers) for _, numbers in sorted(members.items())]

    def figure(statistic: Callable[[np.ndarray, np.ndarray], float | None]) -> dict:
        def of(drawn: np.ndarray) -> float | None:
            rows = np.concatenate([places[number] for number in drawn])
            return statistic(one[rows], other[rows])
        return dict(zip(("value", "low", "high"), resample.interval(np.arange(len(places)), of, seed=seed, key=key), strict=True))
    return {"n": len(one), "spearman": figure(spearman), "kappa": figure(_weighted), "shift": figure(lambda a, b: float((a - b).mean()))}


def _weighted(one: np.ndarray, other: np.ndarray) -> float | None:
    """Quadratically weighted kappa, which needs no whole numbers: the mean squared distance against that of the two shuffled (Lin's concordance)."""
    by_chance = one.var() + other.var() + (one.mean() - other.mean()) ** 2
    return None if by_chance <= 0 else 1 - float(((one - other) ** 2).mean() / by_chance)


def labels_of(row: Mapping, config: Config) -> dict[str, float]:
    """Name -> label of a dialogue.

    Raises:
        RecordError: it has none, or lacks one that is compared.
    """
    found = {name.strip(): float(value) for name, value in _LABEL.findall(row["meta"].get(config.labels, ""))}
    where = f"conversation {row['id']} ({row['source']}): meta[{config.labels!r}]"
    if not found:
        raise RecordError(f"{where} holds no labels like 'Accuracy: 4'; name their key in labels=")
    for label in config.pairs.values():
        if label not in found:
            raise RecordError(f"{where} has no label {label!r}{nearest(label, found)}; mend pairs=")
    return found


def _reason(said: Sequence[str | None]) -> str:
    if None in said:
        return comparing.REFUSED
    return "" if all(grading.read_grades(reply) for reply in said) else comparing.UNPARSED
