"""Results and samples as lm-eval 0.4.13 lays them out, so that tools made for its files read ours.

A task's readings stand as lm-eval's filters: `acc,letter`, `acc,generated`. Standard errors are lm-eval's (of the mean, items as independent); our
intervals stay in results.json. Whether a continuation was the greedy one is not measured, so that place in a response holds `None`.
"""

import json
import math
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from aquilamed.core import manifest, tables
from aquilamed.core.manifest import sha256
from aquilamed.evals import judge, results
from aquilamed.models import wording

SCHEMA = "0.4.13"
"""The lm-eval whose writer this follows."""
BITS_METRIC = "bits_per_byte"


def write(step: Path, report: Mapping, out: Path) -> Path:
    """Write `out/MODEL/results_TIME.json` and a `samples_TASK_TIME.jsonl` for each task; return the folder. The time is that of the evaluation."""
    body, rows = manifest.read(step) or {}, results.read_answers(step)
    model = _model(step, body)
    made = _time(body)
    folder = out / re.sub(r'["<>:/|\\?*\[\]]+', "__", model)
    folder.mkdir(parents=True, exist_ok=True)
    stamp = time.strftime("%Y-%m-%dT%H-%M-%S.000000", made)
    docs, hashes = _docs(step, body), {}
    for task, some in sorted(results.by(rows, "task").items()):
        samples = _samples(some, docs, body.get("config", {}))
        hashes[task] = sha256("".join(sample["doc_hash"] + sample["prompt_hash"] + sample["target_hash"] for sample in samples).encode())
        (folder / f"samples_{task}_{stamp}.jsonl").write_text("".join(json.dumps(sample, ensure_ascii=False) + "\n" for sample in samples), encoding="utf-8")
    (folder / f"results_{stamp}.json").write_text(json.dumps(_aggregated(report, rows, body, model, hashes), ensure_ascii=False, indent=2), encoding="utf-8")
    return folder


def metric_of(reading: str) -> str:
    """What lm-eval would call a score in this reading, with the reading as its filter."""
    return f"{BITS_METRIC},none" if reading == judge.BITS else f"acc,{reading}" if reading in judge.CHOICE_READINGS else f"score,{reading}"


def _aggregated(report: Mapping, rows: Sequence[dict], body: Mapping, model: str, hashes: Mapping[str, str]) -> dict:
    """The content of results_….json."""
    config, provenance = body.get("config", {}), body.get("provenance", {})
    tasks = results.by(report["results"], "task")
    scores = {cell: [row["score"] for row in some if row["score"] is not None] for cell, some in results.by(rows, "task", "reading").items()}
    sizes = {task: len({row["id"] for row in some}) for task, some in results.by(rows, "task").items()}
    endpoint = config.get("endpoint") or {}
    return {
        "results": {task: _figures(task, some, scores, sizes[task]) for task, some in tasks.items()},
        "group_subtasks": {task: [] for task in tasks},
        "configs": {task: {"task": task, "num_fewshot": _n_shots(config, task), "metadata": {"version": some[0]["version"]}} for task, some in tasks.items()},
        "versions": {task: some[0]["version"] for task, some in tasks.items()},
        "n-shot": {task: _n_shots(config, task) for task in tasks},
        "higher_is_better": {task: {metric_of(r["reading"]).partition(",")[0]: r["reading"] not in judge.LOWER_IS_BETTER for r in some} for task, some in tasks.items()},
        "n-samples": {task: {"original": sizes[task], "effective": sizes[task]} for task in tasks},
        "config": {"model": "aquilamed", "model_args": {"base_url": endpoint["base_url"], "model": model} if endpoint else {"pretrained": model}, "limit": config.get("limit") or None,
                   "random_seed": report["seed"], "fewshot_seed": report["seed"]},
        "git_hash": provenance.get("git", ""), "date": time.mktime(_time(body)), "pretty_env_info": json.dumps(provenance.get("packages", {})),
        "transformers_version": provenance.get("packages", {}).get("transformers", ""), "lm_eval_version": f"{SCHEMA} (written by aquilamed {provenance.get('packages', {}).get('aquilamed', '')})",
        "upper_git_hash": None, "task_hashes": dict(hashes), "model_source": "aquilamed", "model_name": model, "model_name_sanitized": re.sub(r'["<>:/|\\?*\[\]]+', "__", model),
        "system_instruction": None, "system_instruction_sha": None, "fewshot_as_multiturn": bool(endpoint) or config.get("form") == "chat", "chat_template": None, "chat_template_sha": None,
        "total_evaluation_time_seconds": str(body.get("seconds", 0.0)),
    }


def _figures(task: str, some: Sequence[Mapping], scores: Mapping, n: int) -> dict:
    found = {"name": task, "alias": task, "sample_len": n}
    for result in some:
        metric, _, reading = metric_of(result["reading"]).partition(",")
        found |= {f"{metric},{reading}": "N/A" if result["score"] is None else result["score"], f"{metric}_stderr,{reading}": "N/A" if metric == BITS_METRIC else _stderr(scores[task, result["reading"]])}
    return found


def _stderr(values: Sequence[float]) -> float | str:
    """Of the mean, as lm-eval takes it."""
    n = len(values)
    if n < 2:
        return "N/A"
    mean = sum(values) / n
    return math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1) / n)


def _samples(rows: Sequence[dict], docs: Mapping[str, dict], config: Mapping) -> list[dict]:
    """The lines of samples_….jsonl: by item, then reading."""
    numbers = {id: number for number, id in enumerate(sorted({row["id"] for row in rows}))}
    return [_sample(row, numbers[row["id"]], docs.get(row["id"]), config) for row in sorted(rows, key=lambda row: (row["id"], row["reading"]))]


def _sample(row: dict, number: int, question: dict | None, config: Mapping) -> dict:
    raw = json.loads(row["raw"])
    doc = {"id": row["id"], "lang": row["lang"], "subject": row["subject"], **({key: question[key] for key in ("stem", "options", "answers", "context")} if question else {})}
    target = "".join(wording.LETTERS[index] for index in sorted(raw.get("answers", [])))
    metric, _, reading = metric_of(row["reading"]).partition(",")
    arguments, said = _requests(row, raw, doc, "" if config.get("forms", {}).get(row["task"], config.get("form")) == "chat" else wording.words_for(row["lang"]).lead)
    score = [-row["bits"] * math.log(2), row["bytes"]] if metric == BITS_METRIC else row["score"]
    return {
        "doc_id": number, "doc": doc, "target": target, "arguments": {f"gen_args_{k}": {"arg_0": a, "arg_1": b} for k, (a, b) in enumerate(arguments)},
        "resps": [[one] for one in said], "filtered_resps": said, "filter": reading, "metrics": [metric],
        "doc_hash": sha256(json.dumps(doc, indent=2, ensure_ascii=False).encode()), "prompt_hash": sha256(arguments[0][0].encode()), "target_hash": sha256(target.encode()), metric: score,
    }


def _requests(row: dict, raw: dict, doc: dict, lead: str) -> tuple[list[tuple], list]:
    """(context, continuation or settings) of each request, and what came back for it; `lead` stands between our prompt and an answer.

    Reading `text-prior` has lm-eval's two rounds of `acc_mutual_info`: each option after the prompt, then each after the form alone.
    """
    if "logp" in raw and "orders" not in raw:
        shown = wording.LETTERS[:len(raw["logp"])] if row["reading"] == judge.LETTER else doc.get("options", [""] * len(raw["logp"]))
        words = raw.get("words") or [lead + text for text in shown]
        contexts = [(row["prompt"], raw["logp"]), *([(raw["cue"], raw["prior"])] if "cue" in raw else [])]
        return [(context, text) for context, _ in contexts for text in words], [[str(value), "None"] for _, values in contexts for value in values]
    if "text" in raw:
        return [(row["prompt"], {"do_sample": False})], [raw["text"]]
    return [(row["prompt"], "")], [json.dumps(raw, ensure_ascii=False)]


def _docs(step: Path, body: Mapping) -> dict[str, dict]:
    """Question id -> its row, from the benchmarks step of the same run; empty where it is not beside."""
    wanted = body.get("inputs", {}).get("benchmarks")
    folders = [folder for folder in sorted(step.parent.iterdir()) if (folder / "questions").is_dir() and (made := manifest.read(folder)) and made["digest"] == wanted]
    return {row["id"]: row for folder in folders for row in tables.rows(folder, "questions")}


def _model(step: Path, body: Mapping) -> str:
    """What `aquilamed eval` was asked to score, or what the step's manifest says."""
    asked = step.parent / "asked.json"
    if asked.is_file():
        return json.loads(asked.read_text(encoding="utf-8"))["model"]
    endpoint = body.get("config", {}).get("endpoint") or {}
    return endpoint.get("model") or body.get("provenance", {}).get("input_paths", {}).get("model", "") or "unknown"


def _n_shots(config: Mapping, task: str) -> int:
    return config.get("shots", {}).get(task, config.get("n_shots", 0))


def _time(body: Mapping) -> time.struct_time:
    """When the evaluation was finished, by its manifest."""
    return time.strptime(body.get("provenance", {}).get("time", "1970-01-01T00:00:00")[:19], "%Y-%m-%dT%H:%M:%S")
