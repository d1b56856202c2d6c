"""What is wrong with conversations found on the web: laid on clean ones, each labelled in `truth`.

| kind | what | what should find it |
|---|---|---|
| duplicate | a conversation that stands in the file already | deduplication |
| unsafe | a reply with unsafe words | the safety screen |
| off_topic | the last reply belongs to another conversation | context relevance above 1 |
| echo | the last reply repeats the one before | very small context relevance |
| curt | a reply that says nothing | quality score |
| leak | a held-out exam question with its answer | decontamination |
"""

import numpy as np

from aquilamed.clinic import dirt
from aquilamed.clinic.exam import LETTERS, Question
from aquilamed.clinic.facts import Facts
from aquilamed.clinic.phrasing import pick
from aquilamed.core.chance import chooser

TALK_KINDS = ("duplicate", "unsafe", "off_topic", "echo")
ANSWER_KINDS = ("duplicate", "unsafe", "curt", "leak")
CURT = {"zh": ("去医院看看吧。", "不清楚。", "见上条回复。", "问医生。"), "en": ("Go see a doctor.", "Not sure.", "See above.", "Ask your doctor.")}

Talk = dict
"""{"about", "lang", "subject", "turns": [(said, answered)], "truth"} as `consultations` makes it."""


def spoil(facts: Facts, clean: list[Talk], kinds: tuple[str, ...], share: float, leaks: list[Question], seed: int) -> list[Talk]:
    """Spoiled conversations, the kinds in turn, so many that they are `share` of all; made from `clean` ones of the same language."""
    n = round(len(clean) * share / (1 - share)) if clean else 0
    found = []
    for number in range(n):
        kind = kinds[number % len(kinds)]
        rng = chooser(seed, f"spoiled/{'/'.join(kinds)}/{clean[0]['lang']}/{number}")
        long = [talk for talk in clean if len(talk["turns"]) > 1]
        needs_two = kind in ("off_topic", "echo")
        if (needs_two and not long) or (kind == "leak" and not leaks):
            continue
        talk = pick(rng, long if needs_two else clean)
        made = _leak(pick(rng, leaks), talk) if kind == "leak" else {**talk, "turns": _turns(kind, talk, clean, facts, rng)}
        found.append({**made, "truth": {"dirt": kind, "lang": talk["lang"]}})
    return found


def _turns(kind: str, talk: Talk, clean: list[Talk], facts: Facts, rng: np.random.Generator) -> list[tuple[str, str]]:
    """The turns of `talk` with its last reply spoiled."""
    *before, (said, answered) = talk["turns"]
    if kind == "unsafe":
        answered = (answered + " " if talk["lang"] == "en" else answered) + pick(rng, facts.dirt["unsafe"])[talk["lang"]]
    elif kind == "off_topic":
        answered = pick(rng, [other for other in clean if other["about"] != talk["about"]] or clean)["turns"][-1][1]
    elif kind == "echo":
        answered = before[-1][1]
    elif kind == "curt":
        answered = pick(rng, CURT[talk["lang"]])
    return [*before, (said, answered)]


def _leak(question: Question, talk: Talk) -> Talk:
    answer = dirt.ANSWER_LINE[question.lang].format(letter=LETTERS[question.answer])
    return {**talk, "about": question.about, "attribute": question.attribute, "turns": [(question.printed(), answer)]}
