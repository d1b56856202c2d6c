"""Deita selection scores: s = c * q for each turn, c the instruction's complexity, q the answer's quality, 1..6 each. paper 2.2.1

A dialogue's score is the mean over its turns. Four scorers: the text's surface, Deita's models, a language model asked twice, or regressors taught with
the scores of one of these. A score that the input has already is kept as `score_<scorer>`, and the notes tell how far both agree: so two scorers are
compared by two steps, one after the other.
"""

import dataclasses
import functools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa

from aquilamed.core import tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.errors import ConfigError
from aquilamed.core.ranks import spearman
from aquilamed.core.text import number
from aquilamed.instruct import distil, rating
from aquilamed.instruct.turns import Rating, Turn, turns_of, written
from aquilamed.models import remote, surface

VERSION = 2
KIND = "conversations"
BACKENDS = ("surface", "deita", "remote", "distilled")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Deita:
    """Deita's two models; docs/formats.md says how their weights are made loadable."""

    complexity: str = "hkust-nlp/deita-complexity-scorer"
    """Folder or hub id. paper 2.2.1: Deita"""
    quality: str = "hkust-nlp/deita-quality-scorer"
    """Folder or hub id; one model may do both. paper 2.2.1: Deita"""
    max_tokens: int = 2048
    """A turn of more tokens gets no score, from 1. ours: what the models were made for"""

    def __post_init__(self):
        check(bool(self.complexity and self.quality), "score: deita: expected a folder or hub id in complexity and in quality")
        check(self.max_tokens >= 1, f"score: deita.max_tokens={self.max_tokens}: expected 1 or more")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    backend: Literal["surface", "deita", "remote", "distilled"] = "surface"
    """Who scores. `surface`: the text alone, ours. `deita`: Deita's models. `remote`: a language model, asked twice. `distilled`: regressors taught with the scores in the
    input `teacher`, a step of this stage. paper 2.2.1: Deita's models"""
    deita: Deita = Deita()
    """Of `deita`: its two models."""
    judge: rating.Judge = rating.Judge()
    """Of `remote`: who is asked, and how far two answers may lie apart."""
    lesson: distil.Lesson = distil.Lesson()
    """Of `distilled`: how the regressors are taught."""

    def __post_init__(self):
        check(self.backend in BACKENDS, f"score: backend={self.backend}: expected one of {', '.join(BACKENDS)}")
        check(self.backend != "remote" or bool(self.judge.endpoint.base_url), "score: backend=remote needs judge.endpoint: set base_url and model")


def files(config: Config) -> list[Path]:
    """The folders of Deita's models, where they are asked and are folders."""
    names = (config.deita.complexity, config.deita.quality) if config.backend == "deita" else ()
    return [Path(name) for name in dict.fromkeys(names) if Path(name).is_dir()]


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write every conversation with `meta["score"]`, `["scorer"]`, `["complexity"]`, `["answer_quality"]` and `["turn_scores"]`.

    A turn without a rating is left out of the mean and counted; only a conversation without any rated turn is dropped, with the reason of its first:
    too_long, refused, unparsed, scores_disagree. `instruct.select` drops by score.

    Raises:
        ConfigError: `distilled` without the input `teacher`.
    """
    used: list[remote.Reply] = []
    rate, notes = _rater(config, inputs, used)
    sieve = functools.partial(scored, config.backend, rate)
    counts = _in_turn(inputs[KIND], sieve, out) if config.backend == "remote" else tables.sift_all(engine, inputs[KIND], KIND, sieve, out, on_gpu=config.backend == "deita")
    asked = {"asked": remote.usage(used)} if config.backend == "remote" else {}
    return dataclasses.replace(counts, notes={**counts.notes, **notes, **asked, **_figures(tables.rows(out, KIND))})


Rate = Callable[[Sequence[Turn]], Sequence[Rating]]


def _rater(config: Config, inputs: Mapping[str, Path], used: list[remote.Reply]) -> tuple[Rate, dict]:
    """Who scores, and what its making tells; `used` gets what was asked of an endpoint."""
    if config.backend == "deita":
        return functools.partial(_by_deita, config.deita), {}
    if config.backend == "remote":
        return functools.partial(_by_judge, config.judge, used), {}
    if config.backend == "distilled":
        if "teacher" not in inputs:
            raise ConfigError("score: backend=distilled needs the input teacher: a step of instruct.score whose scores are to be learnt")
        student, notes = distil.learn(config.lesson, inputs["teacher"])
        return student.ratings, notes
    return _by_surface, {}


def _by_surface(turns: Sequence[Turn]) -> list[Rating]:
    return [(surface.complexity(asked), surface.quality(asked, said)) for asked, said, _ in turns]


def _by_deita(models: Deita, turns: Sequence[Turn]) -> list[Rating]:
    from aquilamed.models import deita
    found = deita.ratings(models.complexity, models.quality, [(asked, said) for asked, said, _ in turns], models.max_tokens)
    return ["too_long" if one is None else one for one in found]


def _by_judge(judge: rating.Judge, used: list[remote.Reply], turns: Sequence[Turn]) -> list[Rating]:
    found, replies = rating.ratings(judge, turns)
    used += replies
    return found


def _in_turn(source: Path, sieve: tables.Sieve, out: Path) -> Counts:
    """As `tables.sift_all`, by this process, which has the endpoint's key; what a killed run was told is not asked again."""
    done = [tables.saved(out, KIND, number) or tables.save(out, KIND, number, *sieve(tables.load(path))) for number, path in enumerate(tables.shards(source, KIND))]
    return dataclasses.replace(Counts.total(done), notes=dict(sorted(sum((Counter(part.notes) for part in done), Counter()).items())))


def scored(backend: str, rate: Rate, table: pa.Table) -> tuple[pa.Table, pa.Table, Counter]:
    """(kept, dropped, turns counted) of one shard."""
    rows = tables.to_rows(table)
    turns = [turns_of(row) for row in rows]
    rated = iter(rate([turn for some in turns for turn in some]))
    found = [[next(rated) for _ in some] for some in turns]
    why = [some[0] if some and all(isinstance(one, str) for one in some) else None for some in found]
    marked = [{**row, "meta": row["meta"] if reason else _marked(row["meta"], backend, some)} for row, some, reason in zip(rows, found, why, strict=True)]
    counted = Counter(f"turns_{one if isinstance(one, str) else 'scored'}" for some in found for one in some)
    rules = {name: [reason == name for reason in why] for name in sorted({reason for reason in why if reason})}
    return *tables.sift(tables.from_rows(KIND, marked), rules), counted


def _marked(meta: Mapping[str, str], backend: str, found: list[Rating]) -> dict[str, str]:
    """Meta with the new score; one of another scorer's goes under its name."""
    before = meta.get("scorer", backend)
    kept = {**meta, **({f"score_{before}": meta["score"]} if before != backend and "score" in meta else {})}
    kept.pop(f"score_{backend}", None)
    fine = np.array([one for one in found if not isinstance(one, str)]).reshape(-1, 2)
    complexity, quality = fine.mean(axis=0) if len(fine) else (0.0, 0.0)
    score = fine.prod(axis=1).mean() if len(fine) else 0.0
    return {**kept, "score": f"{score:.3f}", "scorer": backend, "complexity": f"{complexity:.3f}", "answer_quality": f"{quality:.3f}", "turn_scores": written(found)}


def _figures(rows: Iterable[dict]) -> dict:
    """Quantiles of the scores, and how far they agree with the other scorers', within languages."""
    values: list[float] = []
    pairs: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for row in rows:
        values.append(float(row["meta"]["score"]))
        for other in BACKENDS:
            if (theirs := number(row["meta"].get(f"score_{other}"))) is not None:
                pairs[other, row["lang"]].append((values[-1], theirs))
    shape = np.quantile(values, [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1]).round(3).tolist() if values else []
    agreement: dict[str, dict] = defaultdict(dict)
    for (other, lang), both in sorted(pairs.items()):
        agreement[other][lang] = {"spearman": spearman(*np.array(both).T), "n": len(both)}
    return {"score_quantiles": shape, **({"agreement": dict(agreement)} if agreement else {})}
