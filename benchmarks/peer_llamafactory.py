"""LLaMA-Factory's share of training.py, run by an interpreter that has it: WORK MODEL FOLDER SETTINGS."""

import json
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace

from datasets import Dataset, DatasetDict
from transformers import AutoTokenizer, TrainerCallback

sys.modules["torchaudio"] = ModuleType("torchaudio")      # imported for sound, which is not read here; its wheel does not load beside PyTorch's for CPUs
from llamafactory.data.processor import PackedSupervisedDatasetProcessor
from llamafactory.train.tuner import run_exp

IGNORED = -100


class Ready(PackedSupervisedDatasetProcessor):
    """The conversations are tokens already."""

    def _encode_data_example(self, prompt, response, **_):
        return response[0], prompt[0]


class Seen(TrainerCallback):
    """Seconds of training, tokens read, and losses."""

    def __init__(self):
        self.tokens, self.began, self.seconds, self.lines, self.peak = 0, 0.0, 0.0, [], 0

    def on_train_begin(self, args, state, control, model=None, **_):
        model.get_decoder().register_forward_pre_hook(self.count, with_kwargs=True)
        self.began = time.perf_counter()

    def count(self, module, args, kwargs):
        ids = kwargs.get("input_ids")
        self.tokens += (ids if ids is not None else args[0]).numel()

    def on_train_end(self, args, state, control, **_):
        self.seconds, self.lines = time.perf_counter() - self.began, [line for line in state.log_history if "loss" in line]
        self.peak = 1024 * next(int(line.split()[1]) for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:"))


def conversations(rows: Dataset, length: int, model: str, packing: bool) -> Dataset:
    if not packing:
        return rows.add_column("attention_mask", [[1] * len(ids) for ids in rows["input_ids"]])
    packer = Ready(None, AutoTokenizer.from_pretrained(model), None, SimpleNamespace(cutoff_len=length, neat_packing=True))
    none = [None] * len(rows)
    packed = packer.preprocess_dataset({"_prompt": [[labels] for labels in rows["labels"]], "_response": [[ids] for ids in rows["input_ids"]], "_system": none, "_tools": none, "_images": none, "_videos": none, "_audios": none})
    return Dataset.from_dict({name: packed[name] for name in ("input_ids", "attention_mask", "labels")})     # its position_ids are not padded as the rest is; rotary positions need no restart


def pairs(rows: Dataset) -> Dataset:
    table = {}
    for kind in ("chosen", "rejected"):
        prompts, answers = rows["prompt_ids"], rows[f"{kind}_ids"]
        table[f"{kind}_input_ids"] = [[*prompt, *answer] for prompt, answer in zip(prompts, answers, strict=True)]
        table[f"{kind}_attention_mask"] = [[1] * len(ids) for ids in table[f"{kind}_input_ids"]]
        table[f"{kind}_labels"] = [[IGNORED] * len(prompt) + list(answer) for prompt, answer in zip(prompts, answers, strict=True)]
    return Dataset.from_dict({**table, **{name: [None] * len(rows) for name in ("images", "videos", "audios")}})


def main() -> None:
    work, model, folder, given = sys.argv[1], sys.argv[2], Path(sys.argv[3]), json.loads(sys.argv[4])
    rows = Dataset.from_parquet(str(folder / "peer.parquet"), cache_dir=tempfile.mkdtemp())
    asked = given["epochs"] * sum(sum(label != IGNORED for label in row[1:]) for row in rows["labels"]) if work == "sft" else 0
    packing = bool(given["more"].get("neat_packing"))
    made = pairs(rows) if work == "dpo" else conversations(rows, given["length"], model, packing)
    seen = Seen()
    with tempfile.TemporaryDirectory() as out:
        DatasetDict(train=made).save_to_disk(f"{out}/data")
        run_exp({
            "stage": work, "do_train": True, "model_name_or_path": model, "finetuning_type": "full", "template": "gemma", "dataset": "ready", "tokenized_path": f"{out}/data",
            "cutoff_len": given["length"], "output_dir": f"{out}/run", "learning_rate": given["lr"], "num_train_epochs": given["epochs"], "lr_scheduler_type": "linear", "warmup_steps": 0,
            "per_device_train_batch_size": given["batch"], "weight_decay": 0.0, "adam_beta2": 0.999, "max_grad_norm": 1.0, "logging_steps": 1, "save_strategy": "no", "report_to": "none",
            "use_cpu": True, "optim": "adamw_torch_fused", "disable_shuffling": True, "flash_attn": "sdpa", "disable_tqdm": True, "pref_beta": given["beta"], **given["more"]}, [seen])
    print(json.dumps({"seconds": seen.seconds, "losses": [float(line["loss"]) for line in seen.lines], "tokens": seen.tokens, "asked": asked,
                      "margins": [line.get("rewards/margins") for line in seen.lines], "peak_bytes": seen.peak}))


main()
