"""Training beside TRL, LLaMA-Factory and the Hugging Face Trainer: same model, same tokens, same precision, both cores; start-up and loading are not counted.

    python benchmarks/training.py [--trl VENV/bin/python] [--llamafactory VENV/bin/python] [--works dpo sft cpt share where] [--runs 3] [--model FOLDER]

Works that are not named, and peers that are not given, keep the rows they have in `benchmarks/results/training.json`.

`dpo`: pairs made of CMtMedQA's dialogues with three turns or more, whose prompts are at least three times as long as an answer; two epochs, the
reference included. `sft`: consultations of mixed length in both languages, all answers trained. `cpt`: textbooks and abstracts in windows of 512
tokens; the peer joins the same documents into blocks of 512, as is usual. `share`: of the arithmetic a second that plain products of the model's shape
reach right before and right after a step of `cpt`, what the step reaches; once more with its layers compiled. The first step, in which memory is
touched for the first time and layers are compiled, is shown but does not count.
`where`: what a step of `cpt` spends its time on.
`equal` says that the losses of the first epoch, in which both meet the data in the same order, are the same to 1e-3 (they are compared
while the weights move), or, for peers with an order of their own and for `cpt`, that both trained as many tokens.
Each peer lives in an environment of its own: `pip install torch==2.13.0 trl`, which has the Hugging Face Trainer too, and `pip install torch==2.13.0
llamafactory` (and, where PyTorch is the one for CPUs, `pip uninstall torchvision`, whose wheel does not load beside it). Nothing is downloaded.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tables as results

from aquilamed.core import chance, tables
from aquilamed.core.sources import known
from aquilamed.corpus import importing
from aquilamed.engine.local import Local
from aquilamed.instruct import importing as talks
from aquilamed.models import folders, prepare
from aquilamed.train import data, dpo, pretrain, sft
from aquilamed.train.settings import Optim

DATA = Path("../shared/data")
WORKS = ("dpo", "sft", "cpt", "share", "where")
SETTINGS = {
    "dpo": Optim(lr=1e-6, batch=4, length=1024, epochs=2, warmup=0.0, schedule="linear", weight_decay=0.0, beta2=0.999),
    "sft": Optim(lr=1e-5, batch=8, length=512, warmup=0.0, schedule="linear", weight_decay=0.0, beta2=0.999),
    "cpt": Optim(lr=1e-5, batch=4, length=512, warmup=0.0, schedule="linear", weight_decay=0.0, beta2=0.999),
}
SIZES = {"dpo": 8, "sft": 48, "cpt": 16}
"""Units: pairs, conversations, windows."""
PEERS = {
    "dpo": {"TRL, its defaults": {"gradient_checkpointing": True}, "TRL, reference computed before": {"precompute_ref_log_probs": True, "gradient_checkpointing": False},
            "LLaMA-Factory, its defaults": {}, "LLaMA-Factory, nothing computed again": {"disable_gradient_checkpointing": True}},
    "sft": {"TRL, padded": {"gradient_checkpointing": False}, "TRL, batches by length": {"train_sampling_strategy": "group_by_length", "gradient_checkpointing": False},
            "TRL, packing": {"packing": True, "gradient_checkpointing": False},
            "LLaMA-Factory, padded": {"disable_gradient_checkpointing": True}, "LLaMA-Factory, packing": {"neat_packing": True, "packing": True, "disable_gradient_checkpointing": True}},
    "cpt": {"Hugging Face Trainer, blocks": {}},
}
OTHER_ORDER = ("TRL, batches by length", "TRL, packing", "LLaMA-Factory, packing", "Hugging Face Trainer, blocks")
"""Peers that meet the data in another order than ours."""
UNIT = {"dpo": "pairs/s", "sft": "trained tokens/s", "cpt": "trained tokens/s"}
CLOSE = 1e-3


def pair_trees(tokenizer, n: int) -> list:
    """(id, tree) of pairs: the last answer of a dialogue, and the last answer of another one."""
    rows = [row for row in json.loads((DATA / "instruct/cmtmedqa.json").read_text(encoding="utf-8")) if row.get("instruction") and len(row["history"]) >= 2 and len(row["output"]) > 40]
    rows.sort(key=lambda row: chance.share(0, row["id"]))
    found = []
    for row, other in zip(rows, rows[1:] + rows[:1], strict=True):
        turns = [text for turn in row["history"] for text in turn] + [row["instruction"]]
        prompt = [{"role": ("user", "assistant")[k % 2], "content": text} for k, text in enumerate(turns)]
        tree = dpo.pair_tree(tokenizer, prompt, row["output"], other["output"])
        if 3 * max(len(part.ids) for part in tree[1:]) <= len(tree[0].ids) <= 768:
            found.append((row["id"], tree))
        if len(found) == n:
            return found
    raise SystemExit(f"only {len(found)} pairs of {n}")


def talk_trees(tokenizer, n: int, length: int, folder: Path) -> list:
    sources = tuple(known.conversations(DATA)[name] for name in ("huatuo26m", "cmtmedqa", "medquad", "mts_dialog"))
    talks.run(talks.Config(sources=sources), {}, folder, Local(2))
    rows = sorted(tables.rows(folder, "conversations"), key=lambda row: chance.share(0, row["id"]))
    found = [(record, tree) for record, tree in sft.trees(tokenizer, rows[:2 * n], length, data.Ledger(), Counter()) if not isinstance(tree, str)]
    return found[:n]


def document_trees(tokenizer, n: int, length: int, folder: Path) -> tuple[list, list[int]]:
    """Units of windows, and the same tokens in a row."""
    sources = tuple(known.documents(DATA)[name] for name in ("openstax_anatomy", "csl_ts"))
    importing.run(importing.Config(sources=sources, max_chars=4000), {}, folder, Local(2))
    rows = sorted(tables.rows(folder, "documents"), key=lambda row: chance.share(0, row["id"]))[:8 * n]
    some = folder / "some"
    tables.scatter(some, "documents", tables.from_rows("documents", [{key: row[key] for key in ("text", "source", "license")} for row in rows]))
    units = list(pretrain.windows(list(pretrain.trees(tokenizer, some, length, data.Ledger(), Counter())), length))[:n]
    return units, [int(token) for unit in units for _, tree in unit for token in tree[0].ids]


def lay(work: str, model: Path, folder: Path) -> None:
    """Our trees, and the same tokens as the peer reads them, in the order of our first epoch."""
    tokenizer, optim, n = folders.load(model).tokenizer, SETTINGS[work], SIZES[work]
    tokens: list[int] = []
    if work == "cpt":
        units, tokens = document_trees(tokenizer, n, optim.length, folder)
    else:
        made = pair_trees(tokenizer, n) if work == "dpo" else talk_trees(tokenizer, n, optim.length, folder)
        units = [[pair] for pair in made]
    data.write(folder / data.FILE, units)
    whole = data.Units(folder / data.FILE)
    order = data.ordered(whole, optim)
    first = [int(unit) for step in range(order.steps_per_epoch) for unit in order.units(step)]
    if work == "cpt":
        blocks = [tokens[k:k + optim.length] for k in range(0, len(tokens), optim.length)]
        table = {"input_ids": blocks, "labels": blocks}
    elif work == "dpo":
        trees = [whole.trees(unit)[0][1] for unit in first]
        table = {name: [tree[k].ids.tolist() for tree in trees] for k, name in enumerate(("prompt_ids", "chosen_ids", "rejected_ids"))}
    else:
        parts = [whole.trees(unit)[0][1][0] for unit in first]
        table = {"input_ids": [part.ids.tolist() for part in parts], "labels": [np.where(part.asked, part.ids, -100).tolist() for part in parts]}
    pq.write_table(pa.table(table), folder / "peer.parquet")


def of_peer(name: str, given: argparse.Namespace) -> tuple[str | None, str]:
    """(interpreter, script) of a peer."""
    return (given.llamafactory, "peer_llamafactory.py") if name.startswith("LLaMA-Factory") else (given.trl, "peer_trl.py")


def compare(work: str, given: argparse.Namespace, folder: Path) -> list[dict]:
    """A row for the speed and one for the memory beside each peer."""
    optim = SETTINGS[work]
    shown = {"lr": optim.lr, "batch": optim.batch, "length": optim.length, "epochs": optim.epochs, "beta": 0.1}
    ours = lambda: results.child(given.python, "ours_training.py", work, str(given.model), str(folder), threads=2)  # noqa: E731
    asked = {name: (*of_peer(name, given), more) for name, more in PEERS[work].items() if of_peer(name, given)[0]}
    theirs = [lambda python=python, script=script, more=more: results.child(python, script, work, str(given.model), str(folder), json.dumps({**shown, "more": more}), threads=2)
              for python, script, more in asked.values()]
    (mine, my_seconds), *others = results.alternate(given.runs, [ours, *theirs])
    units = mine["units"] * optim.epochs if work == "dpo" else mine["asked"]
    rows = []
    for name, (other, seconds) in zip(asked, others, strict=True):
        n_first = len(mine["losses"]) // optim.epochs
        equal = other["asked"] == mine["asked"] if name in OTHER_ORDER else bool(np.allclose(mine["losses"][:n_first], other["losses"][:n_first], rtol=CLOSE, atol=CLOSE))
        theirs_done = units if work == "dpo" else other["asked"]
        more = {"tokens_read": {"ours": mine["tokens"], "peer": other["tokens"]}, "losses": {"ours": mine["losses"], "peer": other["losses"]}, "seconds": {"ours": round(my_seconds, 2), "peer": round(seconds, 2)}}
        if name not in OTHER_ORDER:
            more["largest_difference"] = {what: round(float(np.abs(np.subtract(mine[what][:n_first], other[what][:n_first])).max()), 7) for what in ("losses", *(["margins"] if work == "dpo" else []))}
        rows.append(results.row(f"{work}: speed beside {name}", units / my_seconds, theirs_done / seconds, name, unit=UNIT[work], runs=given.runs, equal=equal, **more))
        rows.append(results.row(f"{work}: peak memory beside {name}", 1e9 / mine["peak_bytes"], 1e9 / other["peak_bytes"], name, unit="1/GB", runs=given.runs, equal=equal,
                                gigabytes={"ours": round(mine["peak_bytes"] / 1e9, 2), "peer": round(other["peak_bytes"] / 1e9, 2)}))
    return rows


def shares(given: argparse.Namespace, folder: Path) -> list[dict]:
    """A row for the model as it is and one for its compiled layers, which take turns; a run counts by its median step."""
    found = [[results.child(given.python, "ours_training.py", work, str(given.model), str(folder), threads=2) for work in ("share", "compiled")] for _ in range(given.runs)]
    rows = []
    for k, name in enumerate(("cpt", "cpt, compiled")):
        runs = [turn[k] for turn in found]
        equal = all(np.allclose(run["losses"], found[0][0]["losses"], rtol=CLOSE) for run in runs)
        told = {what: [run[what] for run in runs] for what in ("shares", "gflops", "matmul_gflops")}
        rows.append(results.row(f"{name}: share of the matmul peak", statistics.median(run["share"] for run in runs), 0.75, "asked for", unit="share", runs=given.runs, equal=equal,
                                **told, gigabytes=round(runs[-1]["peak_bytes"] / 1e9, 2)))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trl", help="the interpreter of an environment with TRL")
    parser.add_argument("--llamafactory", help="the interpreter of an environment with LLaMA-Factory")
    parser.add_argument("--works", nargs="+", choices=WORKS, default=WORKS)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--model", type=Path, default=None, help="a model folder; without it, the embedded base model")
    given = parser.parse_args()
    if not (given.trl or given.llamafactory or set(given.works) <= {"share", "where"}):
        parser.error("name --trl, --llamafactory or both")
    given.python, rows = sys.executable, []
    with tempfile.TemporaryDirectory() as folder:
        given.model = given.model or base(Path(folder))
        rows = measured(given)
    packages = {given.trl: ("trl", "transformers", "torch"), given.llamafactory: ("llamafactory",)}
    found = {f"peer {name}": results.version_of(python, name) for python, names in packages.items() if python for name in names}
    results.publish("training", rows, {**results.versions("torch", "transformers"), **found})


def base(folder: Path) -> Path:
    """The embedded base model with its chat template."""
    prepare.run(prepare.Config(source="embedded:gemma-3-270m-zh-en", license="Gemma"), {}, folder, Local(1))
    return folders.locate(folder)


def measured(given: argparse.Namespace) -> list[dict]:
    rows = []
    for work in given.works:
        with tempfile.TemporaryDirectory() as folder:
            lay("cpt" if work in ("where", "share") else work, given.model, Path(folder))
            if work == "where":
                print(json.dumps(results.child(given.python, "ours_training.py", work, str(given.model), folder, threads=2), indent=2))
                continue
            rows += shares(given, Path(folder)) if work == "share" else compare(work, given, Path(folder))
    return rows


if __name__ == "__main__":
    main()
