"""Objective pairs: the true option chosen, a wrong one rejected, as letter with text and as text alone. paper 2.3.1

They are meant against forgetting: the model keeps its knowledge while it learns the manner of answers.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from aquilamed.core import tables
from aquilamed.core.chance import chooser
from aquilamed.core.counts import Counts
from aquilamed.core.text import content_id
from aquilamed.models import wording

VERSION = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    as_letter: bool = True
    """Pairs whose answers are `B. text`, with the options listed. paper 2.3.1 (form open)"""
    as_text: bool = True
    """Pairs whose answers are the option's text, without options. ours: the fact, not only the letter"""
    max_pairs: int = 0
    """Most pairs, drawn by chance of the question's id; 0 makes all. paper 2.3.2: 3,708"""
    seed: int = 1
    """Of the wrong option and the draw."""


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write `preferences/` from `inputs["questions"]` (training questions, never a benchmark's).

    Dropped: `no_wrong_option`, `over_cap`. Counts are pairs, but for questions without a wrong option.
    """
    questions = list(tables.rows(inputs["questions"], "questions"))
    usable = [q for q in questions if len(q["answers"]) < len(q["options"])]
    made = sorted((pair for q in usable for pair in pairs(q, config)), key=lambda p: content_id(str(config.seed), *words(p)))
    kept = made[:config.max_pairs or None]
    table = tables.from_rows("preferences", kept)
    tables.scatter(out, "preferences", table)
    rest = [{**tables.make("preferences", pair), "reason": "over_cap"} for pair in made[len(kept):]]
    rest += [{**q, "reason": "no_wrong_option"} for q in questions if len(q["answers"]) == len(q["options"])]
    tables.write_dropped_rows(out, "preferences", rest)
    dropped = Counter(row["reason"] for row in rest)
    return Counts(n_in=len(kept) + len(rest), n_out=len(kept), dropped=dropped, langs=tables.langs(table))


def pairs(question: dict, config: Config) -> list[dict]:
    """The question's pairs; the wrong option belongs to the question, not to the order."""
    wrong_indices = [i for i in range(len(question["options"])) if i not in question["answers"]]
    wrong = int(chooser(config.seed, question["id"]).choice(wrong_indices))
    right = sorted(question["answers"])[0]
    listed = wording.messages(question, ())[-1]["content"]
    text = question["options"].__getitem__
    forms = []
    if config.as_letter and len(question["answers"]) == 1:
        forms.append((listed, f"{wording.LETTERS[right]}. {text(right)}", f"{wording.LETTERS[wrong]}. {text(wrong)}"))
    if config.as_text and not question["context"]:
        forms.append((question["stem"], text(right), text(wrong)))
    origin = {key: question[key] for key in ("lang", "source", "license", "meta")}
    return [{**origin, "kind": "objective", "prompt": [{"role": "user", "content": asked}], "chosen": good, "rejected": bad}
            for asked, good, bad in forms]


def words(pair: dict) -> tuple[str, str, str]:
    return pair["prompt"][0]["content"], pair["chosen"], pair["rejected"]
