"""TRL's and the Hugging Face Trainer's share of training.py, run by an interpreter that has TRL: WORK MODEL FOLDER SETTINGS."""

import json
import sys
import tempfile
import time
from pathlib import Path

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainingArguments, default_data_collator
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer


class ReadyDpo(DPOTrainer):
    """The pairs are tokens already."""

    def _prepare_dataset(self, dataset, *_):
        return dataset


def main() -> None:
    work, model, folder, given = sys.argv[1], sys.argv[2], Path(sys.argv[3]), json.loads(sys.argv[4])
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    network = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32, attn_implementation="sdpa")
    rows = Dataset.from_parquet(str(folder / "peer.parquet"), cache_dir=tempfile.mkdtemp())
    counted = {"tokens": 0, "asked": 0}
    network.get_decoder().register_forward_pre_hook(lambda module, args, kwargs: counted.update(tokens=counted["tokens"] + (kwargs.get("input_ids") if kwargs.get("input_ids") is not None else args[0]).numel()), with_kwargs=True)
    with tempfile.TemporaryDirectory() as out:
        shared = {"output_dir": out, "learning_rate": given["lr"], "per_device_train_batch_size": given["batch"], "num_train_epochs": given["epochs"], "lr_scheduler_type": "linear",
                  "warmup_steps": 0, "weight_decay": 0.0, "adam_beta2": 0.999, "max_grad_norm": 1.0, "logging_steps": 1, "save_strategy": "no", "report_to": [], "use_cpu": True,
                  "bf16": False, "train_sampling_strategy": "sequential", "optim": "adamw_torch_fused", "disable_tqdm": True}
        began = time.perf_counter()
        if work == "dpo":
            trainer = ReadyDpo(network, args=DPOConfig(**{**shared, "beta": given["beta"], "max_length": given["length"], **given["more"]}), train_dataset=rows, processing_class=tokenizer)
        elif work == "sft":
            trainer = SFTTrainer(network, args=SFTConfig(**{**shared, "max_length": given["length"], **given["more"]}), train_dataset=rows, processing_class=tokenizer)
        else:
            trainer = Trainer(network, args=TrainingArguments(**{**shared, **given["more"]}), train_dataset=rows, data_collator=default_data_collator)
        began = time.perf_counter() if work != "dpo" else began        # DPO computes the reference while it is made
        trainer.train()
        seconds = time.perf_counter() - began
    lines = [line for line in trainer.state.log_history if "loss" in line]
    labels = rows["labels"] if "labels" in rows.column_names else []
    asked = given["epochs"] * sum(sum(label != -100 for label in row[1:]) for row in labels)
    held = 1024 * next(int(line.split()[1]) for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:"))
    print(json.dumps({"seconds": seconds, "losses": [float(line["loss"]) for line in lines], **counted, "asked": asked,
                      "margins": [line.get("rewards/margins") for line in lines], "peak_bytes": held}))


main()
