"""lm-eval's share of evaluation.py, run by an interpreter that has it: MODEL FOLDER BATCH; FOLDER holds tasks.json and the data. Prints as ours_evaluation.py."""

import json
import logging
import sys
import time
from pathlib import Path

import lm_eval.tasks
import torch
import yaml
from lm_eval.evaluator import evaluate
from lm_eval.models.huggingface import HFLM

TASKS = Path(lm_eval.tasks.__file__).parent
FILES = {"medqa_4options": "medqa/medqa.yaml", "medmcqa": "medmcqa/medmcqa.yaml", "pubmedqa": "pubmedqa/pubmedqa.yaml"}


def task_file(task: dict, folder: Path) -> str:
    """A task file beside the data; of its own tasks only where the data lie is changed, and that there are no other splits."""
    own = task.pop("own", "")
    places = {"dataset_path": "json", "dataset_kwargs": {"data_files": {"test": str(folder / task.pop("data"))}, "cache_dir": str(folder / "cache")}}
    if own:
        name = f"local_{own}"
        path = TASKS / FILES.get(own, f"mmlu/default/{own}.yaml")
        made = {"include": str(path), "task": name, **places, "dataset_name": None, "training_split": None, "validation_split": None, "test_split": "test", "fewshot_split": None, "fewshot_config": None, "tag": None}
    else:
        name, made = task["task"], {**task, **places}
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(made), encoding="utf-8")
    return name


def main() -> None:
    model, folder, batch = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    logging.disable(logging.WARNING)
    names = [task_file(task, folder) for task in json.loads((folder / "tasks.json").read_text(encoding="utf-8"))]
    peer = HFLM(pretrained=model, device="cpu", dtype=torch.float32, batch_size=batch)
    counted = {"read": 0}

    def count(module, args, kwargs):
        ids = kwargs["input_ids"] if kwargs.get("input_ids") is not None else args[0]
        counted["read"] += ids.numel()
    peer.model.get_decoder().register_forward_pre_hook(count, with_kwargs=True)
    tasks = lm_eval.tasks.TaskManager(include_path=str(folder)).load(names)["tasks"]
    began, spent = time.perf_counter(), time.process_time()
    found = evaluate(peer, tasks, bootstrap_iters=0, log_samples=True)
    seconds, cpu = time.perf_counter() - began, time.process_time() - spent
    samples = [sample for name in names for sample in found["samples"][name]]
    said = "exact_match" in samples[0]
    logp = {} if said else {sample["doc"]["id"]: [float(value[0]) for value in sample["filtered_resps"]] for sample in samples}
    picked = {sample["doc"]["id"]: sample["filtered_resps"][0] for sample in samples} if said else {id: "ABCDEFGHIJ"[values.index(max(values))] for id, values in logp.items()}
    held = 1024 * next(int(line.split()[1]) for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:"))
    print(json.dumps({
        "seconds": seconds, "cpu": cpu, "logp": logp, "picked": picked, "right": None if said else sum(sample["acc"] for sample in samples),
        **counted, "least": 0, "peak_bytes": held}))


main()
