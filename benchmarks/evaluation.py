"""Multiple choice beside lm-eval: same model, items, prompts, precision and threads, alternating; loading the model is not counted, tokenising is.

    python benchmarks/evaluation.py --lmeval VENV/bin/python [--works fixed drawn own replies] [--limit 100] [--runs 3] [--threads 2] [--model FOLDER]

`fixed`: three worked examples, the same for all questions of a set. `drawn`: three for each question, from 64. lm-eval is given our prompts as they are and the same options.
`own`: lm-eval's own prompts and reading of `medqa_4options`, `medmcqa`, `pubmedqa` and medical MMLU, its task files with the publishers' files as data (no hub), without worked examples.
`replies`: greedy replies of at most 48 tokens, without worked examples, up to an empty line or another question; `equal`: the same text, sign by sign.
lm-eval runs at the best of `--batches`, found by one run of each on the first set of a work. `equal` says that all predictions are identical and no option's log-probability differs by
more than 1e-4. `tokens`: `least` is what must be read whoever reads (the distinct beginnings of all prompts), then what each read, padding included. A work that is not named keeps its rows.
lm-eval lives in an environment of its own: `pip install torch==2.13.0`, then `pip install -c constraints.txt lm_eval[hf]`. Nothing is downloaded.
"""

import argparse
import csv
import io
import json
import sys
import tempfile
from pathlib import Path

import tables as results
from training import base

from aquilamed.core import chance, tables
from aquilamed.core.sources import known
from aquilamed.engine.local import Local
from aquilamed.evals import benchmarks, choice, drawing
from aquilamed.models import wording

DATA = Path("../shared/data")
WORKS = ("fixed", "drawn", "own", "replies")
SETS = {"MedQA-US": "medqa_us_test", "MMLU clinical knowledge": "mmlu_test", "MedMCQA": "medmcqa_dev"}
OWN = {"medqa_4options": "medqa_us_test", "medmcqa": "medmcqa_dev", "pubmedqa": "pubmedqa_test", "mmlu": "mmlu_test"}
POOL = {"fixed": 3, "drawn": 64, "replies": 0}
"""Questions that are not scored, from which worked examples come."""
SHOTS = 3
CLOSE = 1e-4
ASKED = {"fixed": 4.0, "drawn": 1.5}
MAX_TOKENS = 8192
UNTIL = ("\n\n", "\nQuestion:")
"""Where a reply ends; ours does so at any other way, too, in which another question may begin."""


def style(work: str) -> choice.Style:
    """How a work's questions are put and read."""
    if work == "own":
        return choice.Style(form="plain", readings=("harness",), max_tokens=MAX_TOKENS)
    if work == "replies":
        return choice.Style(form="plain", readings=("generated",), max_tokens=MAX_TOKENS)
    return choice.Style(form="plain", readings=("letter",), max_tokens=MAX_TOKENS, n_shots=SHOTS, shots_by="subject" if work == "fixed" else "question")


def questions(folder: Path) -> dict[str, list[dict]]:
    """Each set's questions in the order of a draw; English ones, since lm-eval's words are English."""
    names = sorted({*SETS.values(), *OWN.values()})
    config = benchmarks.Config(sources=tuple(known.questions(DATA)[name] for name in names))
    benchmarks.run(config, {}, folder, Local(1))
    rows = sorted(tables.rows(folder, "questions"), key=lambda row: (chance.share(0, row["id"]), row["id"]))
    return {name: [row for row in rows if row["source"] == name and row["lang"] == "en"] for name in names}


def lay_ours(work: str, name: str, rows: list[dict], limit: int, folder: Path) -> None:
    """Our questions and their pool, and the same prompts and options for lm-eval."""
    if name == "MMLU clinical knowledge":
        rows = [row for row in rows if row["subject"] == "clinical_knowledge"]
    pool, asked = rows[:POOL[work]], rows[POOL[work]:POOL[work] + limit]
    write(folder, asked, pool)
    how = style(work)
    shots = drawing.Shots(pool, how.n_shots, how.seed, how.shots_by)
    docs = [{"id": row["id"], "prompt": wording.plain(row, shots.of(row)), "choices": [f" {letter}" for letter in wording.LETTERS[:len(row["options"])]], "answer": row["answers"][0]} for row in asked]
    lines(folder / "ours.jsonl", docs)
    kind = {"output_type": "generate_until", "generation_kwargs": {"until": UNTIL, "do_sample": False, "max_gen_toks": how.max_new_tokens}, "metric_list": [{"metric": "exact_match"}]} \
        if work == "replies" else {"output_type": "multiple_choice", "doc_to_choice": "choices", "metric_list": [{"metric": "acc"}]}
    task = {"task": "ours", "doc_to_text": "prompt", "doc_to_target": "answer", "target_delimiter": "", "test_split": "test", **kind}
    (folder / "tasks.json").write_text(json.dumps([{"data": "ours.jsonl", **task}]), encoding="utf-8")


def cut(text: str) -> str:
    """A reply up to where lm-eval ends it."""
    for end in UNTIL:
        text = text.split(end)[0]
    return text


def lay_own(task: str, rows: list[dict], limit: int, folder: Path) -> None:
    """Our questions, and the same rows of the publishers' files as lm-eval's task files want them."""
    asked = rows[:limit]
    write(folder, asked, [])
    if task == "mmlu":
        subjects = sorted({row["subject"] for row in asked})
        made = [(f"mmlu_{subject}", [row for row in asked if row["subject"] == subject]) for subject in subjects]
    else:
        made = [(task, asked)]
    for name, some in made:
        lines(folder / f"{name}.jsonl", [published(task, row) for row in some])
    (folder / "tasks.json").write_text(json.dumps([{"data": f"{name}.jsonl", "own": name} for name, _ in made]), encoding="utf-8")


def published(task: str, row: dict) -> dict:
    """The row of the publisher's file that our question was read from, with the hub's column names."""
    raw = _row_of(OWN[task], row["meta"])
    if task == "medqa_4options":
        ordered = [raw["options"][letter] for letter in "ABCD"]
        return {"id": row["id"], "sent1": raw["question"], "sent2": "", **{f"ending{k}": text for k, text in enumerate(ordered)}, "label": "ABCD".index(raw["answer_idx"])}
    if task == "medmcqa":
        return {"id": row["id"], **{key: raw[key] for key in ("question", "opa", "opb", "opc", "opd")}, "cop": raw["cop"] - 1}
    if task == "pubmedqa":
        return {"id": row["id"], **{key: raw[key] for key in ("QUESTION", "CONTEXTS", "final_decision")}}
    return {"id": row["id"], "question": raw[0], "choices": raw[1:5], "answer": "ABCD".index(raw[5])}


def _row_of(source: str, meta: dict) -> dict | list:
    if source not in _files:
        _files[source] = _load(source)
    found = _files[source]
    return found[meta["published"]] if "published" in meta else found[meta["file"]][int(meta["row"])]


_files: dict[str, dict] = {}


def _load(source: str) -> dict:
    """A publisher's file by its own ids, or by file and row."""
    top = DATA / "benchmarks"
    if source == "medmcqa_dev":
        return {row["id"]: row for row in read_lines(top / "medmcqa/dev.json")}
    if source == "pubmedqa_test":
        return json.loads((top / "pubmedqa/ori_pqal.json").read_text(encoding="utf-8"))
    if source == "medqa_us_test":
        return {"phrases_no_exclude_test.jsonl": dict(enumerate(read_lines(top / "medqa_us/phrases_no_exclude_test.jsonl"), 1))}
    return {path.name: by_line(path) for path in sorted((top / "mmlu").glob("*_test.csv"))}


def by_line(path: Path) -> dict[int, list[str]]:
    """Rows of a CSV file by the line they begin at."""
    found, reader = {}, csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
    line = 1
    for row in reader:
        found[line], line = row, reader.line_num + 1
    return found


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def lines(path: Path, rows: list[dict]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def write(folder: Path, asked: list[dict], pool: list[dict]) -> None:
    lines(folder / "questions.jsonl", asked)
    lines(folder / "pool.jsonl", pool)


def compare(work: str, name: str, given: argparse.Namespace, folder: Path) -> list[dict]:
    """A row for the speed and one for the memory."""
    ours = lambda: results.child(sys.executable, "ours_evaluation.py", work, str(given.model), str(folder), threads=given.threads)  # noqa: E731
    peer = lambda batch: results.child(given.lmeval, "peer_lmeval.py", str(given.model), str(folder), str(batch), threads=given.threads)  # noqa: E731
    if work not in given.best:
        given.best[work] = min(given.batches, key=lambda batch: peer(batch)["seconds"]) if len(given.batches) > 1 else given.batches[0]
    batch = given.best[work]
    (mine, my_seconds), (other, their_seconds) = results.alternate(given.runs, [ours, lambda: peer(batch)])
    n, same = len(mine["picked"]), mine["picked"].keys() == other["picked"].keys()
    differs = [id for id in mine["picked"] if mine["picked"][id] != other["picked"].get(id)]
    largest = max((abs(a - b) for id in mine["logp"] if id in other["logp"] for a, b in zip(mine["logp"][id], other["logp"][id], strict=True)), default=0.0)
    equal = same and not differs and largest <= CLOSE and mine["right"] == other["right"]
    more = {"questions": n, "right": {"ours": mine["right"], "peer": other["right"]}, "differing": differs, "largest_difference": round(largest, 7), "asked_for": ASKED.get(work),
            "tokens": {"least": mine["least"], "ours": mine["read"], "peer": other["read"]}, "seconds": {"ours": round(my_seconds, 2), "peer": round(their_seconds, 2)},
            "batches_tried": list(given.batches), "cpu_seconds": {"ours": round(mine["cpu"], 2), "peer": round(other["cpu"], 2)}, "threads": given.threads}
    told = f"lm-eval, batch {batch}"
    return [
        results.row(f"{work}: {name}", n / my_seconds, n / their_seconds, told, unit="questions/s", runs=given.runs, equal=equal, **more),
        results.row(f"{work}: {name}, peak memory", 1e9 / mine["peak_bytes"], 1e9 / other["peak_bytes"], told, unit="1/GB", runs=given.runs, equal=equal,
                    gigabytes={"ours": round(mine["peak_bytes"] / 1e9, 2), "peer": round(other["peak_bytes"] / 1e9, 2)}),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lmeval", required=True, help="the interpreter of an environment with lm-eval")
    parser.add_argument("--works", nargs="+", choices=WORKS, default=WORKS)
    parser.add_argument("--limit", type=int, default=100, help="questions of each set")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batches", type=int, nargs="+", default=(1, 4, 8, 16), help="lm-eval's batch sizes to try")
    parser.add_argument("--model", type=Path, default=None, help="a model folder; without it, the embedded base model")
    given = parser.parse_args()
    given.best, rows = {}, []
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        given.model = given.model or base(top)
        drawn = questions(top / "questions")
        for work in given.works:
            for name, source in (OWN if work == "own" else SETS).items():
                place = top / f"{work}-{source}"
                place.mkdir()
                lay = lay_own if work == "own" else lambda *rest, work=work: lay_ours(work, *rest)
                lay(name, drawn[source], given.limit, place)
                rows += compare(work, name, given, place)
    found = {f"peer {name}": results.version_of(given.lmeval, name) for name in ("lm_eval", "transformers", "torch")}
    results.publish("evaluation", rows, {**results.versions("torch", "transformers"), **found})


if __name__ == "__main__":
    main()
