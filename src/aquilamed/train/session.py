"""What the three training stages share: the model opened for training, and its whole folder written and proven at the end."""

import dataclasses
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from aquilamed.core import tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.errors import TrainingStopped
from aquilamed.core.manifest import write_json
from aquilamed.models import folders
from aquilamed.models.prepare import probe_trees
from aquilamed.train import checkpoint, data, ranks
from aquilamed.train.loop import Job, train
from aquilamed.train.settings import Optim
from aquilamed.tree import score
from aquilamed.tree.pack import Tree

BACKEND = "inductor"
"""What compiles the layers."""
TOLERANCE = 1e-4
"""Largest difference, in nats, between a probe's loss before saving and after loading again."""


def open_model(source: Path, optim: Optim) -> folders.Model:
    """The model of `source`, with dropout set and, for LoRA, adapters in place.

    Raises:
        ConfigError: weights in 4 or 8 bits but several ranks, FlexAttention but no GPU, or layers to compile but no compiler.
    """
    bits = optim.lora.bits if optim.mode == "lora" else 0
    check(not bits or ranks.size() == 1, f"lora.bits={bits}: weights in {bits} bits are trained on one device; leave it 0 with several ranks")
    check(optim.attention == "sdpa" or torch.cuda.is_available(), "attention=flex: has no backward pass on a CPU; leave it sdpa here")
    model = folders.load(source, trained=True, device=_place(), bits=bits, attention=optim.attention)
    config = model.network.config.get_text_config()
    if "attention_dropout" in config.to_dict():
        for module in model.network.modules():
            if "attention_dropout" in vars(module):
                module.attention_dropout = optim.dropout
    if optim.mode == "lora":
        model.network = with_adapters(model.network, optim)
    if optim.recompute:
        model.network.gradient_checkpointing_enable({"use_reentrant": False})
    if optim.compile:
        _compile(model.network)
    return model


def _compile(network) -> None:
    """Every layer by itself: they are alike, so it is done once for all of them, and FSDP2 shards layers too."""
    compiler = os.environ.get("CXX", "g++")
    check(torch.cuda.is_available() or shutil.which(compiler) is not None, f"compile=true: needs a C++ compiler, and {compiler!r} is not there; install one, or leave it false")
    for layer in network.get_decoder().layers:
        layer.compile(backend=BACKEND)


def _place() -> str:
    """Where a model is loaded: its device, but the CPU where several ranks take a shard each, so that no GPU need hold it whole."""
    return "cpu" if ranks.size() > 1 else ""


def with_adapters(network, optim: Optim):
    """`network` with low-rank adapters on every linear layer but the head, and all else frozen."""
    from peft import LoraConfig, inject_adapter_in_model
    torch.manual_seed(optim.seed)
    lora = optim.lora
    config = LoraConfig(r=lora.rank, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules="all-linear", bias="none", task_type="CAUSAL_LM")
    network.requires_grad_(False)
    return inject_adapter_in_model(config, network)


def export(network, base: Path, out: Path) -> None:
    """Save the adapters by themselves, as peft reads them (`PeftModel.from_pretrained`), to `out/adapters`; the whole model does not need them.

    https://huggingface.co/docs/peft/developer_guides/checkpoint
    """
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file
    folder = out / "adapters"
    folder.mkdir(exist_ok=True)
    weights = {f"base_model.model.{name}": value.detach().cpu().contiguous() for name, value in get_peft_model_state_dict(network).items()}
    save_file(weights, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    config = next(iter(network.peft_config.values()))
    config.base_model_name_or_path, config.inference_mode = str(base), True
    config.save_pretrained(folder)


def merge(network) -> None:
    """Fold the adapters into the weights and take them out."""
    from peft.tuners.lora import LoraLayer
    for name, module in list(network.named_modules()):
        if isinstance(module, LoraLayer):
            module.merge()
            parent = network.get_submodule(name.rpartition(".")[0])
            setattr(parent, name.rpartition(".")[2], module.get_base_layer())
    for attribute in ("peft_config", "_hf_peft_config_loaded"):
        vars(network).pop(attribute, None)


def scored(model: folders.Model, optim: Optim) -> score.Scored:
    """The model as the loop trains it: spread over the ranks where there are several."""
    made = score.Scored(model.network)
    return ranks.sharded(made, model.network.get_decoder().layers, offload=optim.offload) if ranks.size() > 1 else made


def run(job: Job, model: folders.Model) -> dict:
    """Train, merge, save, load again and compare; return the figures for the manifest.

    Where several ranks trained, the first one ends it alone; adapters that were trained on weights in few bits are merged into the whole ones, and the difference is told.

    Raises:
        TrainingStopped: the saved model does not answer as the trained one does; nothing is sealed.
    """
    figures = train(job)
    packed = job.optim.mode == "lora" and job.optim.lora.bits
    if ranks.size() == 1 and not packed:
        return {**figures, **finish(job, model)}
    before = probe(model) if packed else None
    weights = {name: ranks.whole(value).cpu() for name, value in checkpoint.trained_state(job.network).items()}
    with ranks.first() as am_first:
        if am_first:
            again = open_model(model.folder, dataclasses.replace(job.optim, lora=dataclasses.replace(job.optim.lora, bits=0)))
            checkpoint.put(score.Scored(again.network), weights)
            figures |= {**finish(job, again), "ranks": ranks.size(), **({"packed_minus_whole_nats": float(np.abs(before - probe(again)).max())} if packed else {})}
    return figures


@torch.compiler.set_stance("force_eager")
def finish(job: Job, model: folders.Model) -> dict:
    """Write the trained model as a whole folder and prove it."""
    if job.optim.mode == "lora":
        if job.optim.lora.export:
            export(model.network, model.folder, job.out)
        merge(model.network)
    model.network.eval()
    before = probe(model)
    folders.save(model, job.out)
    worst = float(np.abs(before - probe(folders.load(job.out, trained=True, device=_place()))).max())
    if not worst <= TOLERANCE:
        raise TrainingStopped(f"{job.out / 'model'}: answers differ from the trained weights by {worst:.2g} nats after saving and loading")
    shutil.rmtree(job.out / "checkpoints", ignore_errors=True)
    return {"reload_difference_nats": worst}


def probe(model: folders.Model) -> np.ndarray:
    """The model's losses on the probe texts."""
    return np.concatenate([part for tree in score.nll(model.network, probe_trees(model.tokenizer)) for part in tree])


def laid_out(out: Path, source: Path, kind: str, make: Callable[..., Iterable[tuple[str, Tree | str]]]) -> dict:
    """Write the trees of `source` to `out` if a killed run has not done so already; return their token ledger.

    `make(rows, ledger, langs)` gives (id, tree), or (id, reason) where a record can't be trained on. The trees come last:
    where they are, the ledger and the dropped records are too.

    Raises:
        TrainingStopped: every record was dropped.
    """
    with ranks.first() as am_first:
        if am_first and not (out / data.FILE).exists():
            _lay(out, source, kind, make)
    notes = read_ledger(out)
    if not notes["records_by_lang"]:
        reasons = ", ".join(f"{reason} {n:,}" for reason, n in notes["dropped"].items()) or "none came in"
        raise TrainingStopped(f"{out}: nothing to train on: every record of {kind} was dropped ({reasons}); see its dropped/ folder; "
                              "too_long is what exceeds optim.length, the rest is for the step before to mend")
    return notes


def _lay(out: Path, source: Path, kind: str, make: Callable[..., Iterable[tuple[str, Tree | str]]]) -> None:
    ledger, langs = data.Ledger(), Counter()
    made = list(make(tables.rows(source, kind), ledger, langs))
    write_dropped(out, source, kind, {record: tree for record, tree in made if isinstance(tree, str)})
    write_ledger(out, ledger, langs)
    data.write(out / data.FILE, [[pair] for pair in made if not isinstance(pair[1], str)])


def write_ledger(out: Path, ledger: data.Ledger, langs: Counter) -> None:
    """Keep the token ledger beside the trees, for a run that is continued."""
    write_json(out / "ledger-tokens.json", {**ledger.as_notes(), "dropped": dict(ledger.records), "records_by_lang": dict(langs)})


def read_ledger(out: Path) -> dict:
    return json.loads((out / "ledger-tokens.json").read_text(encoding="utf-8"))


def write_dropped(out: Path, source: Path, kind: str, reasons: dict[str, str]) -> None:
    """Write the records that can't be trained on, with their reasons, to `out/dropped`."""
    if not reasons:
        return
    for number, path in enumerate(tables.shards(source, kind)):
        table = tables.load(path)
        reason = pa.array([reasons.get(record) for record in table["id"].to_pylist()], pa.string())
        dropped = table.append_column(tables.REASONS[0], reason).append_column(tables.REASONS[1], pa.nulls(len(table), pa.string()))
        dropped = dropped.filter(reason.is_valid())
        if len(dropped):
            tables.write(out / "dropped" / f"{kind}-{number:05d}.parquet", dropped)


def counts(notes: dict, figures: dict) -> Counts:
    """The manifest's counts of a training step, from its ledger."""
    langs, dropped = Counter(notes["records_by_lang"]), Counter(notes["dropped"])
    n_out = sum(langs.values())
    return Counts(n_in=n_out + sum(dropped.values()), n_out=n_out, dropped=dropped, langs=langs, notes={**notes, **figures})
