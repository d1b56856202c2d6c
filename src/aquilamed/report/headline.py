"""The head of the report: whose run it is, and the handful of figures one would ask for first."""

from collections import Counter
from collections.abc import Sequence

from aquilamed.report import items
from aquilamed.report.ledger import Cell, cells_of, order_of
from aquilamed.report.markup import Html, both, compact, join, percent, signed, tag
from aquilamed.report.runs import Run, Step, read_json

IMPORTS = ("corpus.importing", "instruct.importing", "instruct.questions", "preference.importing")
TRAINING = ("train.pretrain", "train.sft", "train.dpo")
LANGUAGES = {"zh": "中文", "en": "English", "all": "both", "mixed": "mixed", "other": "other"}
LARGE = {"letter": 0, "text": 1, "text-prior": 2, "bare": 3, "generated": 4}
"""Order in which a reading is chosen for the headline; fixed beforehand, so that it can't be the flattering one."""


def show(run: Run) -> Html:
    """Title, origin and tiles."""
    made = max((step.body["provenance"].get("time", "") for step in run.steps), default="")
    is_eval = run.is_evaluation
    lines = [tag("p", "aquilamed · ", both("evaluation", "评测") if is_eval else both("run report", "运行报告"), class_="kicker"), tag("h1", run.name)]
    lines.append(tag("p", " · ".join(filter(None, [made[:16].replace("T", " "), *_model(run, is_eval)])), class_="origin"))
    if items.are_there(run):
        lines.append(tag("p", tag("a", both("Every single item, to search and filter", "逐题浏览、搜索与筛选"), " →", href=items.ITEMS), class_="origin"))
    if run.unfinished:
        lines.append(tag("p", tag("b", both("This run is not complete.", "运行尚未完成。")), " Begun and not finished: ", ", ".join(run.unfinished),
                         ". Only finished steps are shown.", class_="remark"))
    lines += [tag("p", tag("b", step.label, " "), warning, class_="remark") for step in run.steps for warning in step.notes.get("warnings", ())]
    tiles = [None if is_eval else _rows(run), _tokens(run), _exam(run), *_bits(run), _preference(run), _safety(run), *([] if run.ledger else _scores(run))]
    return tag("div", lines, tag("div", [tile for tile in tiles if tile], class_="tiles"), class_="title")


def _scores(run: Run) -> list[Html]:
    """A tile for each task of the last model scored, in the first reading of `LARGE`; nine at most, the largest tasks."""
    found = [read_json(step.folder / "results.json") for _, step in run.scored()[-1:]]
    by_task: dict[str, dict] = {}
    for result in sorted((r for some in found if some for r in some["results"] if r["reading"] in LARGE), key=lambda r: LARGE[r["reading"]]):
        by_task.setdefault(result["task"], result)
    largest = sorted(by_task, key=lambda task: (-by_task[task]["n"], task))[:9]
    return [_score(by_task[task]) for task in sorted(largest)]


def _score(result: dict) -> Html:
    unparsed = f"{result['unparsed']:,} unparsed, counted as wrong" if result["unparsed"] else ""
    return _tile((result["task"], ""), percent(result["score"]), f"95 % interval {percent(result['low'])} to {percent(result['high'])}, n = {result['n']:,}", result["reading"], unparsed)


def _model(run: Run, is_eval: bool) -> list[str]:
    """`gemma-3-270m, 217,000,000 parameters`, and its licence; of an evaluation the model that was asked."""
    step = next(iter(run.of("models.prepare")), None)
    if not step:
        return [f"model {read_json(run.folder / 'asked.json').get('model', '')}"] if is_eval else []
    source, size = step.notes.get("source", ""), step.notes.get("parameters")
    return [f"base model {source}" + (f", {compact(size)} parameters" if size else ""), f"licence {step.notes.get('license', 'unknown')}"]


def _tile(names: tuple[str, str], figure: object, *small: object) -> Html:
    return tag("div", tag("p", both(*names) if names[1] else names[0], class_="what"), tag("p", figure, class_="figure"), [tag("p", line, class_="small") for line in small if line], class_="tile")


def _rows(run: Run) -> Html | None:
    steps = run.of(*IMPORTS)
    if not steps:
        return None
    sources = {name for step in steps for name in step.notes.get("rows", {})}
    return _tile(("Source rows in", "输入行数"), f"{sum(step.n_in for step in steps):,}", f"{len(sources)} sources, {len(steps)} imports" if sources else "")


def trained(steps: Sequence[Step]) -> Counter:
    """Language -> trained tokens over all steps and epochs."""
    total: Counter = Counter()
    for step in steps:
        epochs = step.config.get("optim", {}).get("epochs", 1)
        total.update({lang: n * epochs for lang, n in step.notes.get("trained_tokens_by_lang", {}).items()})
    return total


def _tokens(run: Run) -> Html | None:
    total = trained(run.of(*TRAINING))
    if not total:
        return None
    by_lang = [f"{LANGUAGES.get(lang, lang)} {compact(n)}" for lang, n in total.most_common()]
    return _tile(("Trained tokens", "训练词元"), compact(total.total()), " · ".join(by_lang), "all training steps and epochs")


def _pairs(run: Run, wanted) -> list[tuple[Cell, Cell]]:
    """(first stage, last stage) of every ledger line that `wanted` accepts."""
    order = order_of(run.ledger)
    cells = cells_of(run.ledger)
    found = []
    for key in sorted(cells):
        stages = cells[key]
        if wanted(key) and order[0] in stages and order[-1] in stages and len(order) > 1:
            found.append((stages[order[0]], stages[order[-1]]))
    return found


def _exam(run: Run) -> Html | None:
    """The largest multiple-choice task, one that is held out before others, in the first reading of `LARGE`."""
    pairs = _pairs(run, lambda key: key[2] in LARGE)
    if not pairs:
        return None
    rank = lambda pair: ("held" not in pair[1].task, LARGE[pair[1].reading], pair[1].lang != "all", -pair[1].n, pair[1].task)  # noqa: E731
    old, new = min(pairs, key=rank)
    small = f"95 % interval {percent(new.low)} to {percent(new.high)}, n = {new.n:,}"
    return _tile(("Exam accuracy", "考试正确率"), _move(percent(old.score), percent(new.score), new), small, f"{new.task} · {new.lang} · {new.reading}")


def _bits(run: Run) -> list[Html]:
    """One tile for medical, one for general text."""
    tiles = []
    for task, names in (("bpb-medical", ("Medical bits per byte", "医学文本每字节比特数")), ("bpb-general", ("General bits per byte", "通用文本每字节比特数"))):
        pairs = _pairs(run, lambda key, task=task: key[0] == task and key[1] != "all") or _pairs(run, lambda key, task=task: key[0] == task)
        if pairs:
            pairs = sorted(pairs, key=lambda pair: (pair[1].lang != "zh", pair[1].lang))
            lines = [tag("span", tag("small", LANGUAGES.get(new.lang, new.lang), " "), _change(new), class_="pair") for _, new in pairs]
            small = [f"{LANGUAGES.get(new.lang, new.lang)} {old.score:.3f} → {new.score:.3f}" for old, new in pairs]
            tiles.append(_tile(names, join(lines), *small, "lower is better"))
    return tiles


def _preference(run: Run) -> Html | None:
    pairs = _pairs(run, lambda key: key[0].startswith("preferences"))
    if not pairs:
        return None
    old, new = min(pairs, key=lambda pair: (pair[1].reading != "logprob", pair[1].lang != "all", -pair[1].n))
    small = f"95 % interval {percent(new.low)} to {percent(new.high)}, n = {new.n:,}"
    return _tile(("Preference accuracy", "偏好正确率"), _move(percent(old.score), percent(new.score), new), small, f"{new.task} · {new.lang} · {new.reading}")


def _safety(run: Run) -> Html | None:
    """Emergencies of the safety set whose answer sends for help first, by the rule that needs no judge."""
    pairs = _pairs(run, lambda key: key[0] == "safety" and key[2] == "rule")
    if not pairs:
        return None
    old, new = min(pairs, key=lambda pair: pair[1].lang != "all")
    small = f"95 % interval {percent(new.low)} to {percent(new.high)}, n = {new.n:,}"
    return _tile(("Emergencies sent for help", "急症先求救"), _move(percent(old.score), percent(new.score), new), small, f"safety · {new.lang} · by rule, no judge")


def _move(old: str, new: str, cell: Cell) -> Html:
    return join([tag("span", old, " → ", class_="from"), tag("span", new, class_=cell.verdict or None)])


def _change(cell: Cell) -> Html:
    shown = "–" if cell.delta is None else signed(cell.delta, 3)
    return tag("span", shown, class_=cell.verdict or None)
