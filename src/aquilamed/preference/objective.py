"""Objective pairs: the true option chosen, a wrong one rejected, as letter, as text and as one sentence. paper 2.3.1

They are meant against forgetting: the model keeps its knowledge while it learns the manner of answers. Of a question with several right options the whole set is
chosen over the same set with one true option swapped for a wrong one. Benchmarks are refused here; near-copies of their items are for `hygiene.decontaminate`,
without whose certificate `train.dpo` takes no pairs.
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from aquilamed.core import manifest, tables
from aquilamed.core.chance import chooser
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.text import content_id
from aquilamed.models import wording
from aquilamed.preference import faults, sentences

VERSION = 2
BENCHMARKS, SCORED = "evals.benchmarks", "scored"
"""The stage that makes benchmarks, and the mark in meta that it leaves on their questions."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    as_letter: bool = True
    """Pairs whose answers are `B. text`, or `A, C` where several are right, with the options listed. paper 2.3.1 (form open)"""
    as_text: bool = True
    """Pairs whose answers are the options' texts, one a line, without options. ours: the fact, not only the letter"""
    as_sentence: bool = True
    """Pairs whose answers are one sentence around these texts. ours: the fact in the form of an answer"""
    max_pairs: int = 0
    """Most pairs, drawn by chance of the question's id; 0 makes all. paper 2.3.2: 3,708"""
    seed: int = 1
    """Of the wrong option, the sentence and the draw."""

    def __post_init__(self):
        check(self.max_pairs >= 0, f"max_pairs={self.max_pairs}: expected 0 or more")


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write `preferences/` from `inputs["questions"]` (training questions, never a benchmark's).

    Dropped: `no_wrong_option`, `over_cap`. Counts are pairs, but for questions without a wrong option.

    Raises:
        ConfigError: the questions are a benchmark's.
    """
    questions = list(tables.rows(inputs["questions"], "questions"))
    _check_origin(inputs["questions"], questions)
    usable = [q for q in questions if wrong_of(q)]
    made = sorted((pair for q in usable for pair in pairs(q, config)), key=lambda p: content_id(str(config.seed), *words(p)))
    kept = made[:config.max_pairs or None]
    table = tables.from_rows("preferences", kept)
    tables.scatter(out, "preferences", table)
    rest = [{**tables.make("preferences", pair), "reason": "over_cap"} for pair in made[len(kept):]]
    rest += [{**q, "reason": "no_wrong_option"} for q in questions if not wrong_of(q)]
    tables.write_dropped_rows(out, "preferences", rest)
    dropped = Counter(row["reason"] for row in rest)
    forms = dict(sorted(Counter(pair["meta"]["form"] for pair in kept).items()))
    return Counts(n_in=len(kept) + len(rest), n_out=len(kept), dropped=dropped, langs=tables.langs(table), notes={"forms": forms})


def pairs(question: dict, config: Config) -> list[dict]:
    """The question's pairs; the wrong option belongs to the question, not to the order."""
    right, mistaken = sorted(question["answers"]), swapped(question, config.seed)
    texts = [[question["options"][i] for i in indices] for indices in (right, mistaken)]
    forms = []
    if config.as_letter:
        forms.append(("letter", wording.messages(question, ())[-1]["content"], [_letters(question, indices) for indices in (right, mistaken)]))
    if config.as_text and not question["context"]:
        forms.append(("text", question["stem"], ["\n".join(some) for some in texts]))
    if config.as_sentence and not question["context"]:
        forms.append(("sentence", sentences.asked(question), [sentences.answered(question, some, config.seed) for some in texts]))
    origin = {key: question[key] for key in ("lang", "source", "license")}
    return [{**origin, "kind": "objective", "prompt": [{"role": "user", "content": asked}], "chosen": good, "rejected": bad,
             "meta": {**question["meta"], "question": question["id"], "form": form, "key": _key(question, right, mistaken, lettered=form == "letter" and len(right) > 1)}}
            for form, asked, (good, bad) in forms]


def swapped(question: dict, seed: int) -> list[int]:
    """The right options with one of them, drawn by chance, swapped for a wrong one."""
    right = sorted(question["answers"])
    chance = chooser(seed, question["id"])
    wrong = int(chance.choice(wrong_of(question)))
    out = int(chance.choice(right))
    return sorted({*right, wrong} - {out})


def wrong_of(question: dict) -> list[int]:
    """The options that are not right; one that says the same as a right one (some exams print it twice) is not wrong."""
    right = {faults.bare(question["options"][i]) for i in question["answers"]}
    return [i for i, option in enumerate(question["options"]) if i not in question["answers"] and faults.bare(option) not in right]


def words(pair: dict) -> tuple[str, str, str]:
    return pair["prompt"][0]["content"], pair["chosen"], pair["rejected"]


def _letters(question: dict, indices: Sequence[int]) -> str:
    if len(indices) == 1:
        return f"{wording.LETTERS[indices[0]]}. {question['options'][indices[0]]}"
    return ("、" if sentences.language_of(question) == "zh" else ", ").join(wording.LETTERS[i] for i in indices)


def _key(question: dict, right: Sequence[int], mistaken: Sequence[int], *, lettered: bool) -> str:
    """What the right answer names and what it must not, as JSON: letters or texts, as the form does. `preference.lint` holds the pair to it."""
    names = wording.LETTERS if lettered else [sentences.ended(option) for option in question["options"]]
    return json.dumps({"right": [names[i] for i in right], "wrong": [names[i] for i in mistaken if i not in right]}, ensure_ascii=False)


def _check_origin(folder: Path, questions: list[dict]) -> None:
    made = next((body for path in (folder, *folder.parents[:2]) if (body := manifest.read(path))), None)
    marked = next((question for question in questions if SCORED in question["meta"]), None)
    named = f"record {marked['id']} of {marked['source']}" if marked else BENCHMARKS
    check((made or {}).get("stage") != BENCHMARKS and not marked,
          f"{folder}: holds benchmark questions ({named}); pairs must be made from training questions: let this step read from instruct.questions")
