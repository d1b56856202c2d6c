"""The stage `clinic.write`: the whole synthetic clinic as raw files, in the shapes that users have.

| file | shape | one row is |
|---|---|---|
| web.jsonl | page, title, text, truth | a page of the dirty web, medical or general |
| seeds.jsonl | text, label, quality, faults | a labelled document (pages that web.jsonl does not hold) |
| consultations.json | ShareGPT: conversations[{from, value}] | a consultation of 1 to 4 exchanges |
| qa.jsonl | Alpaca: instruction, input, output | one question about one fact |
| general_chat.jsonl | Alpaca | one instruction that is not medical |
| exam_train.jsonl | question, options, answer, subject, lang | a four-option question in a training wording |
| exam_heldout.jsonl | the same | the benchmark: in wordings never trained on |
| truth.json | | how many of each kind of dirt there are, by language |
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from aquilamed.clinic import consultations, exam, phrasing, spoiled, web
from aquilamed.clinic import facts as knowledge
from aquilamed.clinic.facts import LANGS, Facts
from aquilamed.core.chance import share
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.errors import ConfigError
from aquilamed.core.manifest import write_json

VERSION = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """How large the clinic is. Every number is per language; zh and en tell the same facts."""

    seed: int = 0
    """Seed of every choice; any integer."""
    n_conditions: int = 0
    """Conditions told of, drawn by chance and spread over the departments; 0 = all. ours: a small clinic for short runs."""
    n_drugs: int = 0
    """Drugs told of, spread over the classes; 0 = all."""
    n_pages_per_fact: int = 5
    """Clean pages about each condition or drug, 1 or more, each in another layout. ours: a small model needs a fact in several wordings."""
    n_general: int = 0
    """Clean pages about other things than medicine; 0 = one of every general fact."""
    dirt_share: float = 0.35
    """Share of dirty pages in web.jsonl, 0..0.9; the kinds in equal parts. ours: every filter meets enough cases for its precision and recall."""
    talk_dirt_share: float = 0.1
    """Share of spoiled conversations in consultations.json and of spoiled pairs in qa.jsonl, 0..0.9 (see `clinic.spoiled`). ours, as above."""
    n_seeds: int = 240
    """Labelled seeds, medical and general in turn, of all qualities 0..6. ours; the paper had 20k (2.1.1)."""
    n_consultations: int = 400
    """Clean consultations of 1 to 4 exchanges."""
    n_qa: int = 800
    """Clean single questions about one fact."""
    n_general_chat: int = 0
    """Instructions that are not medical; 0 = one for every general fact."""
    n_exam_train: int = 600
    """Four-option questions in training wordings."""
    n_exam_heldout: int = 250
    """Held-out four-option questions in wordings used nowhere else; every fact they ask is stated in the pages. Fewer are
    written where the clinic is too small."""
    heldout_facts: Literal["asked", "unasked"] = "asked"
    """Whether exam_train may ask the same facts in other words (`asked`), or never does (`unasked`: they stand in pages and
    consultations alone). ours: a short run can learn the first; the second is the harder test."""

    def __post_init__(self):
        for field in ("n_conditions", "n_drugs", "n_general", "n_seeds", "n_consultations", "n_qa", "n_general_chat", "n_exam_train", "n_exam_heldout"):
            check(getattr(self, field) >= 0, f"{field}={getattr(self, field)}: expected 0 or more")
        check(self.n_pages_per_fact >= 1, f"n_pages_per_fact={self.n_pages_per_fact}: expected 1 or more, or the facts would be stated nowhere")
        check(self.heldout_facts in ("asked", "unasked"), f"heldout_facts={self.heldout_facts}: expected asked or unasked")
        for field in ("dirt_share", "talk_dirt_share"):
            check(0 <= getattr(self, field) <= 0.9, f"{field}={getattr(self, field)}: expected 0..0.9")


def files(config: Config) -> list[Path]:
    """The facts."""
    found = knowledge.fact_files()
    missing = [path for path in found if not path.is_file()]
    if missing:
        raise ConfigError(f"{missing[0]}: the facts file is missing; install the package again")
    return found


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write all files; a row in is a row out."""
    facts = knowledge.load()
    rows = generate(config, facts)
    for name, found in rows.items():
        if name.endswith(".json"):
            write_json(out / name, found)
        else:
            _write_lines(out / name, found)
    write_json(out / "truth.json", truth(rows))
    langs = Counter(_lang(row) for found in rows.values() for row in found)
    return Counts(n_in=langs.total(), n_out=langs.total(), langs=langs, notes={"rows": {name: len(found) for name, found in rows.items()}})


def generate(config: Config, facts: Facts) -> dict[str, list[dict]]:
    """File name -> its rows."""
    source = web.Source(facts=facts, subjects=chosen(config, facts), general=_first(config, facts.general, config.n_general, "general"), seed=config.seed)
    heldout, train = exams(config, facts, source.subjects)
    writer = web.Writer(source)
    pages, seeds = [], []
    for lang in LANGS:
        clean = web.clean_rows(writer, lang, config.n_pages_per_fact)
        n_dirty = round(len(clean) * config.dirt_share / (1 - config.dirt_share))
        leaks = [question for question in heldout if question.lang == lang]
        pages += clean + web.dirty_rows(writer, lang, clean, n_dirty if leaks else 0, leaks)
        seeds += web.seed_rows(writer, lang, config.n_seeds)
    return {
        "web.jsonl": web.mixed(pages, config.seed, "page"), "seeds.jsonl": web.mixed(seeds, config.seed, "text"),
        "consultations.json": [_sharegpt(talk) for talk in _with_dirt(config, facts, _talks(config, facts, source.subjects), spoiled.TALK_KINDS, heldout)],
        "qa.jsonl": [_alpaca(talk) for talk in _with_dirt(config, facts, _answers(config, facts, source.subjects), spoiled.ANSWER_KINDS, heldout)],
        "general_chat.jsonl": [_alpaca(row) for row in _general_chat(config, facts)],
        "exam_train.jsonl": [question.row() for question in train], "exam_heldout.jsonl": [question.row() for question in heldout],
    }


def chosen(config: Config, facts: Facts) -> tuple[dict, ...]:
    """The conditions, spread over departments, and the drugs, spread over classes."""
    conditions = _spread(facts.conditions, config.n_conditions, lambda condition: condition["department"], config.seed)
    drugs = _spread(facts.drugs, config.n_drugs, lambda drug: drug["class"]["en"], config.seed)
    return conditions + drugs


def exams(config: Config, facts: Facts, subjects: tuple[dict, ...]) -> tuple[list[exam.Question], list[exam.Question]]:
    """(held-out, training) questions; they never share a wording, and share facts only where `heldout_facts` says so."""
    asked = exam.facts_asked(subjects, config.seed)
    fit = exam.facts_asked(subjects, config.seed, lambda subject, attribute: not exam.gives_away(facts, subject, attribute))
    apart = config.heldout_facts == "unasked"
    kept = fit[:min(config.n_exam_heldout, len(asked) // 2 if apart else len(fit))]
    names = {(subject["id"], attribute) for subject, attribute in kept} if apart else set()
    rest = [fact for fact in asked if (fact[0]["id"], fact[1]) not in names]
    heldout = [_question(config, facts, subjects, fact, lang, "exam", 0) for fact in kept for lang in LANGS]
    train = [_question(config, facts, subjects, rest[number % len(rest)], lang, "train", number // len(rest))
             for number in range(config.n_exam_train) for lang in LANGS]
    return heldout, train


def truth(rows: Mapping[str, list[dict]]) -> dict:
    """How much of what the files hold, by language."""
    def counted(name: str, key) -> dict:
        found: dict[str, Counter] = {lang: Counter() for lang in LANGS}
        for row in rows[name]:
            found[_lang(row)][str(key(row))] += 1
        return {lang: dict(sorted(counter.items())) for lang, counter in found.items()}
    return {
        "rows": {name: len(found) for name, found in rows.items()},
        "web": {"dirt": counted("web.jsonl", lambda row: row["truth"]["dirt"]), "domain": counted("web.jsonl", lambda row: row["truth"]["domain"])},
        "consultations": {"dirt": counted("consultations.json", lambda row: row["truth"]["dirt"])},
        "qa": {"dirt": counted("qa.jsonl", lambda row: row["truth"]["dirt"])},
        "seeds": {"quality": counted("seeds.jsonl", lambda row: row["quality"]), "label": counted("seeds.jsonl", lambda row: row["label"])},
        "exam_heldout": {"attribute": counted("exam_heldout.jsonl", lambda row: row["attribute"])},
        "exam_train": {"attribute": counted("exam_train.jsonl", lambda row: row["attribute"])},
    }


def _spread(records: tuple[dict, ...], n: int, group, seed: int) -> tuple[dict, ...]:
    """`n` of `records` (0 = all) so that no group has two more than another that has some left; in the order of the facts."""
    if n == 0 or n >= len(records):
        return records
    seen: Counter = Counter()
    ranked = []
    for record in sorted(records, key=lambda record: share(seed, f"chosen/{record['id']}")):
        ranked.append((seen[group(record)], share(seed, f"chosen/{record['id']}"), record["id"]))
        seen[group(record)] += 1
    kept = {key for _, _, key in sorted(ranked)[:n]}
    return tuple(record for record in records if record["id"] in kept)


def _first(config: Config, records: tuple[dict, ...], n: int, what: str) -> tuple[dict, ...]:
    order = sorted(records, key=lambda record: share(config.seed, f"{what}/{record['id']}"))
    return tuple(order[:n] if n else order)


def _question(config: Config, facts: Facts, subjects: tuple[dict, ...], fact: tuple[dict, str], lang: str, family: str, turn: int) -> exam.Question:
    subject, attribute = fact
    stems = phrasing.train_stems(attribute, lang) if family == "train" else phrasing.exam_stems(attribute, lang)
    start = int(share(config.seed, f"stem/{family}/{subject['id']}/{attribute}/{lang}") * len(stems))
    return exam.make(facts, subjects, fact, lang, stems[(start + turn) % len(stems)], config.seed)


def _rounds(config: Config, records: tuple[dict, ...], n: int, what: str) -> Iterable[tuple[dict, int]]:
    """`n` records and how often each came before: all once in an order of chance, then all again."""
    order = _first(config, records, 0, what)
    for number in range(n):
        yield order[number % len(order)], number // len(order)


def _talks(config: Config, facts: Facts, subjects: tuple[dict, ...]) -> list[dict]:
    conditions = tuple(subject for subject in subjects if subject["kind"] == "condition")
    return [consultations.conversation(facts, subject, lang, number, config.seed)
            for subject, number in _rounds(config, conditions, config.n_consultations, "talks") for lang in LANGS]


def _answers(config: Config, facts: Facts, subjects: tuple[dict, ...]) -> list[dict]:
    return [consultations.question_answer(facts, subject, lang, number, config.seed)
            for subject, number in _rounds(config, subjects, config.n_qa, "qa") for lang in LANGS]


def _with_dirt(config: Config, facts: Facts, clean: list[dict], kinds: tuple[str, ...], heldout: list[exam.Question]) -> list[dict]:
    """The conversations and spoiled ones among them, in an order of chance."""
    found = list(clean)
    for lang in LANGS:
        own = [talk for talk in clean if talk["lang"] == lang]
        leaks = [question for question in heldout if question.lang == lang]
        found += spoiled.spoil(facts, own, kinds, config.talk_dirt_share, leaks, config.seed)
    places = [share(config.seed, f"{kinds}/{place}") for place in range(len(found))]
    return [talk for _, talk in sorted(zip(places, found, strict=True), key=lambda pair: pair[0])]


def _general_chat(config: Config, facts: Facts) -> list[dict]:
    records = _first(config, facts.general, config.n_general_chat, "chat")
    return [consultations.general_answer(record, lang, config.seed) for record in records for lang in LANGS]


def _sharegpt(talk: dict) -> dict:
    said = [{"from": who, "value": text} for turn in talk["turns"] for who, text in zip(("human", "gpt"), turn, strict=True)]
    return {"conversations": said, "lang": talk["lang"], "subject": talk["subject"], "about": talk["about"], "truth": talk["truth"]}


def _alpaca(talk: dict) -> dict:
    (asked, answered), = talk["turns"]
    return {"instruction": asked, "input": "", "output": answered, "lang": talk["lang"], "subject": talk["subject"],
            "about": talk["about"], "attribute": talk["attribute"], "truth": talk["truth"]}


def _lang(row: dict) -> str:
    return row["truth"]["lang"] if "truth" in row else row["lang"]


def _write_lines(path: Path, rows: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
