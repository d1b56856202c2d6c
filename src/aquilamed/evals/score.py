"""One model, every task: its answers, kept whole, and what they amount to. Lined up with other stages by `ledger`."""

import dataclasses
import functools
import json
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from aquilamed.core import manifest, pace, tables
from aquilamed.core.chance import share
from aquilamed.core.config import check, nearest
from aquilamed.core.counts import Counts
from aquilamed.core.errors import ModelUnavailable
from aquilamed.core.manifest import write_json
from aquilamed.evals import choice, dialogue, drawing, judge, parts, perplexity, preferences, results, sampling, tally
from aquilamed.evals.task import Answer, Task
from aquilamed.models import folders
from aquilamed.models.folders import Model
from aquilamed.tree import branches

VERSION = 7
PROBE = "患者发热三天，体温三十九度。 The patient has had a fever for three days; the temperature is 39 degrees."
"""What the start-up check reads."""
SAMPLES_TASK, PREFERENCES, BPB = "samples", "preferences-", "bpb-"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    tasks: tuple[str, ...] = ()
    """Benchmarks to score, by the name of their source; empty for all that the benchmarks step marked. paper 3.1"""
    limit: int = 0
    """Questions a task and language, drawn by seed from those marked; 0 for all. ours: time"""
    form: choice.Form = "plain"
    """`plain` text or `chat` turns. ours: one form for every stage, or differences of form would pass for progress"""
    forms: Mapping[str, choice.Form] = dataclasses.field(default_factory=dict)
    """Task -> form, where a task needs another one than `form`."""
    readings: tuple[str, ...] = (judge.LETTER, judge.TEXT, judge.GENERATED)
    """Of letter, letter-averaged (over the orders of the options), text, text-prior (text less what it is likely anyway), bare (text, options not listed), generated (a reply, read by rule), harness (lm-eval's own prompts and reading, of its tasks alone). ours: the paper does not say"""
    rotations: int = 0
    """Orders of the options in reading letter-averaged; 0 for as many as a question has. ours: with all, every option stands at every place once"""
    n_shots: int = 0
    """Worked examples before a question, 0..16. paper 3.1: 3 for MMLU after continued pre-training"""
    shots: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Task -> worked examples, where a task needs another number than `n_shots`: some sets publish none."""
    shots_by: choice.Drawn = "subject"
    """`subject`: its questions share their worked examples; `question`: each has its own. ours: shared ones are read once, four times as fast"""
    max_tokens: int = 2048
    """What the model is given at once, prompt and answer; longer items are dropped as `too_long`. ours: the paper trains on 2048 (2.2.2)"""
    window: int = 512
    """Tokens a window of a held-out document, 2 or more. ours: a CPU gains nothing from longer ones"""
    heldout_bytes: int = 40_000
    """UTF-8 bytes of held-out documents a domain and language, whole documents drawn by seed; 0 for all. ours: time"""
    preferences: int = 200
    """Held-out pairs a kind and language, drawn by seed; 0 for all. ours: time"""
    beta: float = 0.03
    """Factor of the reward margin, above 0. paper 2.3.2"""
    samples: tuple[str, ...] = ()
    """Questions whose answers are kept as text; empty for ours (`sampling.PROMPTS`)."""
    sample_tokens: int = 128
    """Most new tokens of a sampled answer; 0 leaves the samples out. ours: time"""
    reply_tokens: int = 48
    """Most new tokens of a reply in reading `generated`. ours: enough to name an option"""
    temperature: float = 0.0
    """Of the samples, 0 or more; 0 is greedy. ours: stages differ by their weights alone"""
    dialogues: dialogue.Settings = dialogue.Settings()
    """How the cases of the benchmarks step are asked, and who judges the answers. paper 3.2"""
    versions: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Task -> version of how its items are put and read, as the catalogue has it; 1 where none is named."""
    seed: int = 0
    """Of draws, worked examples, sampling and bootstrap."""

    def __post_init__(self):
        unknown = [reading for reading in self.readings if reading not in judge.CHOICE_READINGS]
        check(not unknown, f"readings: {unknown[0] if unknown else ''!r} is none{nearest(str(unknown[:1]), judge.CHOICE_READINGS)}")
        for task, form in {"form": self.form, **self.forms}.items():
            check(form in ("plain", "chat"), f"forms: {task}={form}: expected plain or chat")
        for name in ("limit", "heldout_bytes", "preferences", "sample_tokens", "temperature"):
            check(getattr(self, name) >= 0, f"{name}={getattr(self, name)}: expected 0 or more")
        for task, n_shots in {"n_shots": self.n_shots, **self.shots}.items():
            check(0 <= n_shots <= 16, f"shots: {task}={n_shots}: expected 0..16")
        check(self.rotations >= 0, f"rotations={self.rotations}: expected 0 or more")
        check(self.shots_by in ("subject", "question"), f"shots_by={self.shots_by}: expected subject or question")
        check(self.max_tokens >= 16, f"max_tokens={self.max_tokens}: expected 16 or more")
        check(self.window >= 2, f"window={self.window}: expected 2 or more")
        check(self.reply_tokens >= 1, f"reply_tokens={self.reply_tokens}: expected 1 or more")
        check(self.beta > 0, f"beta={self.beta}: expected above 0")


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write answers.parquet, samples.json and results.json; a killed run goes on with the first task that it had not finished.

    `inputs`: `model`, a model folder or a training step; and any of `benchmarks`, `cases` (the benchmarks step again, where its dialogues are to be asked, too),
    `heldout` (documents with `meta["domain"]`), `preferences`, `reference` (a model, or a scored step that holds the same pairs).
    """
    model = folders.load(inputs["model"])
    _check_template(config, inputs, model)
    branches.self_check(model.network, model.tokenizer(PROBE, add_special_tokens=False)["input_ids"])
    rows, dropped, seconds, tokens = [], [], {}, {}
    tasks = _tasks(config, inputs, out)
    for number, task in enumerate(tasks, start=1):
        began = time.monotonic()
        with pace.heard_by(_noting(engine.tell, f"{task.name}, {number} of {len(tasks)} tasks")):
            part = parts.kept(out, task) or parts.keep(out, task, task.ask(model, task.items))
        rows += part.rows
        dropped += [(task.kind, *item) for item in part.dropped]
        seconds[task.name] = round(time.monotonic() - began, 1)
        tokens.update({task.name: part.tokens} if part.tokens else {})
        if task.name == SAMPLES_TASK:
            _write_samples(out, part.rows)
    check(bool(rows or dropped), "nothing to score: give benchmarks, heldout or preferences as input, or sample_tokens above 0")
    results.write_answers(out / results.ANSWERS, rows)
    write_json(out / results.RESULTS, results.report(results.read_answers(out), config.seed))
    tally.write_dropped(out, dropped)
    return tally.counts(rows, dropped, {"task_seconds": seconds, "task_tokens": tokens, **dialogue.paid(config.dialogues)})


def _noting(tell: pace.Tell, note: str) -> pace.Tell:
    return lambda at: tell(dataclasses.replace(at, note=note))


def _check_template(config: Config, inputs: Mapping[str, Path], model: Model) -> None:
    needs = config.sample_tokens or {"preferences", "cases"} & set(inputs) or "chat" in (config.form, *config.forms.values())
    if needs and not model.tokenizer.chat_template:
        raise ModelUnavailable(f"{inputs['model']}: has no chat template, which samples, dialogues, preferences and the form `chat` need; "
                               "name a step of models.prepare or a training step")


def _tasks(config: Config, inputs: Mapping[str, Path], out: Path) -> list[Task]:
    tasks = _choice_tasks(config, inputs["benchmarks"]) if "benchmarks" in inputs else []
    check("benchmarks" in inputs or not config.tasks, "tasks are named, but the step has no input benchmarks")
    if "cases" in inputs:
        cases = drawing.cases(inputs["cases"], tasks=config.tasks, limit=config.dialogues.limit, seed=config.seed)
        tasks += dialogue.tasks(cases, config.dialogues, max_tokens=config.max_tokens, seed=config.seed, passes=out / manifest.PASSES)
    for name in config.tasks:
        check(name in {task.name for task in tasks}, f"task {name!r} is a dialogue: name the benchmarks step as the input `cases`, too")
    if "heldout" in inputs:
        tasks += _bpb_tasks(config, inputs["heldout"])
    if "preferences" in inputs:
        tasks += _preference_tasks(config, inputs)
    if config.sample_tokens:
        ask = functools.partial(sampling.sample, max_new_tokens=config.sample_tokens, temperature=config.temperature, seed=config.seed)
        tasks.append(Task(name=SAMPLES_TASK, kind="", items=sampling.items(config.samples), ask=ask))
    tally.check_versions(config.versions, (task.name for task in tasks))
    return [dataclasses.replace(task, version=config.versions.get(task.name, 1)) for task in tasks]


def _choice_tasks(config: Config, folder: Path) -> list[Task]:
    tasks = []
    for name, questions, pool in drawing.exams(folder, tasks=config.tasks, limit=config.limit, seed=config.seed):
        style = choice.Style(form=config.forms.get(name, config.form), readings=config.readings, max_tokens=config.max_tokens,
                             n_shots=config.shots.get(name, config.n_shots), max_new_tokens=config.reply_tokens, seed=config.seed, shots_by=config.shots_by, rotations=config.rotations)
        tasks.append(Task(name=name, kind="questions", items=questions, ask=functools.partial(choice.score_choices, style=style, shots=pool)))
    for name in (*config.forms, *config.shots):
        check(name in {task.name for task in tasks}, f"forms or shots name {name!r}, which is not scored{nearest(name, [task.name for task in tasks])}")
    return tasks


def _bpb_tasks(config: Config, folder: Path) -> list[Task]:
    by_domain: dict[str, list[dict]] = defaultdict(list)
    for document in tables.rows(folder, "documents"):
        check("domain" in document["meta"], f"{folder}: document {document['id']} has no meta domain; name a step that labels or mixes domains")
        by_domain[document["meta"]["domain"]].append(document)
    tasks = []
    for domain, documents in sorted(by_domain.items()):
        order = lambda document: (share(config.seed, document["id"]), document["id"])  # noqa: E731
        some = [d for same in results.by(drawing.unique(documents), "lang").values() for d in perplexity.within_bytes(same, config.heldout_bytes, order)]
        ask = functools.partial(perplexity.bits_per_byte, window=config.window)
        tasks.append(Task(name=BPB + domain, kind="documents", items=some, ask=ask))
    return tasks


def _preference_tasks(config: Config, inputs: Mapping[str, Path]) -> list[Task]:
    """One of each kind of pair: exam options and doctors' answers are learnt in different measure, and languages hold them in different shares."""
    pairs = drawing.drawn(list(tables.rows(inputs["preferences"], "preferences")), config.preferences, config.seed, "kind", "lang")
    known = _reference(inputs["reference"], pairs, config.max_tokens) if "reference" in inputs else {}
    ask = functools.partial(preferences.score_pairs, max_tokens=config.max_tokens, beta=config.beta, reference=known)
    return [Task(name=f"{PREFERENCES}{kind}", kind="preferences", items=some, ask=ask) for kind, some in sorted(results.by(pairs, "kind").items())]


def _reference(source: Path, pairs: Sequence[dict], max_tokens: int) -> dict[str, preferences.PairLogp]:
    """The pairs' log-probs under the reference: read from a scored step, or computed with a model."""
    if (source / results.ANSWERS).exists():
        return preferences.from_rows(results.read_answers(source))
    return preferences.logps(folders.load(source), pairs, max_tokens)


def _write_samples(out: Path, rows: Sequence[dict]) -> None:
    answers = [Answer(id=row["id"], reading=row["reading"], raw=json.loads(row["raw"]), lang=row["lang"], prompt=row["prompt"]) for row in rows]
    shown = [{"id": a.id, "lang": a.lang, "prompt": a.prompt, **a.raw} for a in answers]
    write_json(out / results.SAMPLES, {"summary": sampling.summary(answers), "samples": shown})
