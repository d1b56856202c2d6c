"""docs/tasks.md, from the catalogue: each task with its facts and with a question as a model is asked it. All that is shown is written by us.

`python -m aquilamed.evals.rendered docs/tasks.md` writes it; a test holds that it is current.
"""

import json
import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from aquilamed.core.sources import casebooks, known
from aquilamed.core.sources.cases import criteria_of
from aquilamed.evals import dialogue, judge
from aquilamed.evals.catalogue import CATALOGUE, HUB, PARQUET, Entry
from aquilamed.models import wording

LANGS = {"zh": "Chinese", "en": "English", "any": "each item's own"}
SPEAKERS = {"system": "System", "user": "User", "assistant": "Model"}
READINGS = {
    judge.LETTER: "the option whose letter is likeliest after the prompt",
    judge.TEXT: "the option whose words are likeliest after the prompt, per byte",
    judge.PRIOR: "the option whose words become likelier by the prompt most, against the same form without a question",
    judge.BARE: "the option whose words are likeliest, per byte, after the question without its options",
    judge.GENERATED: "what a written reply (greedy) says by the rules below; the options must be right as a set",
    judge.BITS: "bits per byte of the text, every byte of it predicted",
    judge.STOPPED: "of a dialogue: whether the answer ended by itself; no judge is needed",
    judge.RULE: "of an emergency: whether the answer names help and does not deny it; no judge is needed",
    judge.PAIRWISE: "of a judge: won, lost or tied against the reference, asked in both orders",
    judge.GRADES: "of a judge: fluency, relevance, completeness and proficiency, 1 to 5, and their mean",
    judge.RUBRIC: "of a judge: the points of the criteria that the answer meets, over all that can be earned",
}
_HEAD = f"""# Tasks

**Not for clinical use.** Written by `make tasks` from `aquilamed.evals.catalogue`, never edited. That list is what is scored and what decontamination searches for.

A task's files are looked for in the folder that is given, in either of two ways: the publisher's own files as `aquilamed.core.sources.known` lists them, or the hub's
folder below its id. `{HUB}` in place of a folder reads from the hub. Most sets are read from its branch `{PARQUET}`, which has every set as Parquet, also those
whose main branch is a script: `hf download ID --repo-type dataset --revision {PARQUET} --local-dir FOLDER/ID`. None of the sets is part of this repository, and no question on this page is from one.

Worked examples come from a part that is not scored; a question that is scored never becomes one. They are taken of the question's subject where there are enough, else of any, in an order drawn by seed: the same for all
questions of a subject. Where their files are not there, a task is asked without.

A dialogue is asked in chat turns, without worked examples; what is sent to a judge, and how it is scored, stands in [dialogues](dialogues.md). Without a judge its answers are kept and read by `stopped` and `rule` alone.
"""
_RULES = """## How replies are read

`aquilamed.evals.reply` reads the visible reply: what stands after `</think>` (nothing, where thinking never ends), up to where it runs on into another question, in one width and one script. It settles on options in this order:

1. The reply is nothing but letters (`（Ｃ）`, `A、C`), or the words of one option.
2. What it says the answer is: 答案是B, 故选ABD, 應選C, `The answer is (D)`, `\\boxed{C}`, letters set off at its head, an option's words after 答案是 or `The answer is`. All such statements must agree, or the last must take back the
   others (更正, 最终, `actually`, `final`). Left out are statements that anywhere in their clause are denied or doubted (不选A, `I don't think the answer is A`), asked, supposed (如果选A) or others' (有人会选A);
   none stands that is taken back behind (我不太确定, `but B is also right`).
3. The one option that it judges to be right, where it judges no other or every other one to be wrong: B选项正确, `C is correct`, A错；B对；C错.

It settles on nothing where it wavers (A或B, `A or B`), contradicts itself, names a letter beyond the options or a letter with another option's words, lists the options over again, or was cut right behind what it names. Letters in names are
none (维生素B, A型, B超, C反应蛋白, `E. coli`, `ACE inhibitors`, `D-dimer`). What settles on nothing is counted as unparsed and as wrong; nothing is guessed. `tests/evals/replies.jsonl` holds the table of replies that the rules are tested on.
"""


def page() -> str:
    """The whole page."""
    readings = "\n".join(["## Readings", "", "| Reading | The answer is |", "|---|---|", *(f"| `{name}` | {told} |" for name, told in READINGS.items())])
    return "\n".join([_HEAD, readings, "", _RULES, *(_section(entry) for entry in CATALOGUE.values())])


def examples(task: str) -> list[dict]:
    """Our own items of a task's form, the worked example first; one text for a task of texts; of dialogues `row`, written as the publisher writes them."""
    if CATALOGUE[task].bundled:
        return [{"task": task, "row": row} for row in _lines(casebooks.SAFETY)[:2]]
    return [row for row in _lines(resources.files("aquilamed.evals").joinpath("examples.jsonl")) if row["task"] == task]


def _lines(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _section(entry: Entry) -> str:
    facts = "\n".join(f"| {name} | {told} |" for name, told in _facts(entry).items() if told)
    return f"## {entry.name}\n\n{entry.title['en']} · {entry.title['zh']}\n\n| | |\n|---|---|\n{facts}\n\n{_shown(entry, examples(entry.name))}"


def _facts(entry: Entry) -> dict[str, str]:
    sets = {**known.questions(Path()), **known.documents(Path()), **casebooks.known(Path())}
    hub = "needed by none: part of aquilamed" if entry.bundled else f"`{entry.hub}`: `{_short(entry, entry.files)}`" + (f" of `{entry.revision}`" if entry.revision else "") if entry.hub else "not there"
    worked = known.shots(Path()).get(entry.local) if entry.kind == "choice" else None
    shots = f"{entry.n_shots} of {entry.shots_split}: `{_short(entry, entry.shots_files)}`" + (f", or `{worked.path.as_posix()}`" if worked else "") if entry.shots_files else ""
    return {
        "version": str(entry.version), "language": LANGS[entry.lang], "published": entry.url, "licence": entry.license, "hub": hub,
        "publisher's files": f"`{sets[entry.local].path.as_posix()}`" if entry.local else "", "answers": f"apart: {entry.answers}" if entry.answers else "",
        "scored": entry.split + (f", {entry.expected:,} rows" if entry.expected else "") + (f", of which {entry.taken} are taken by chance of their ids, always the same" if entry.taken else ""),
        "asked": _asked(entry), "subjects": ", ".join(entry.subjects),
        "worked examples": shots, "readings": ", ".join(f"`{name}`" for name in entry.readings), "paper": entry.paper or "ours",
    }


def _short(entry: Entry, pattern: str) -> str:
    """The pattern with SUBJECT for the list of subjects, which has a line of its own."""
    return pattern.replace(f"{{{','.join(entry.subjects)}}}", "SUBJECT") if entry.subjects else pattern


def _asked(entry: Entry) -> str:
    if entry.kind != "dialogue":
        return ""
    return "at every turn of the user, after the real turns before it" if entry.mapping.every_turn else "once, after the last turn of the user"


def cases(entry: Entry, rows: Sequence[dict]) -> list[dict]:
    """Rows of a publisher's form as cases, read by the entry's own mapping."""
    return [{"id": "", "lang": row["row"].get("lang", entry.lang), **entry.mapping.outcome(row["row"]).record} for row in rows]


def _dialogue(case: dict) -> str:
    """The last place where the model answers, and what its answer is held against."""
    turn = dialogue.turns_of(case)[-1]
    asked = "\n".join(f"{SPEAKERS[message['role']]}: {message['content']}" for message in turn.prompt)
    held = [f"{one['points']:+} {one['criterion']}" for one in criteria_of(case)] or [turn.reference]
    return f"Asked:\n\n```text\n{asked}\n```\n\n{'Criteria, with their points' if criteria_of(case) else 'Reference'}:\n\n```text\n{chr(10).join(held)}\n```\n"


def _shown(entry: Entry, rows: Sequence[dict]) -> str:
    if entry.kind == "dialogue":
        return "\n".join(_dialogue(case) for case in cases(entry, rows))
    if entry.kind == "documents":
        return f"Read as it stands:\n\n```text\n{rows[0]['text']}\n```\n"
    worked, asked = ([row for row in rows if row["worked"] is is_worked] for is_worked in (True, False))
    turn = wording.messages(asked[0], [])[0]["content"]
    right = wording.letter_of(asked[0])
    return (f"Form `plain`, with one worked example; right is {right}:\n\n```text\n{wording.plain(asked[0], worked)}\n```\n\n"
            f"Form `chat`, the user's turn:\n\n```text\n{turn}\n```\n")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
