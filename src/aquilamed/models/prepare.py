"""The base model of a run: found, checked, given a chat template where it has none, and copied whole into the run."""

import dataclasses
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
import transformers

from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.core.errors import ModelUnavailable
from aquilamed.core.manifest import write_json
from aquilamed.models import chat, folders
from aquilamed.tree import pack, score

VERSION = 1
EMBEDDED, RANDOM = "embedded:", "random:"
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
OPEN, CLOSE = "<|im_start|>", "<|im_end|>"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    source: str
    """`embedded:gemma-3-270m-zh-en`, `embedded:gemma-3-270m`, a Hugging Face folder, a hub id, or `random:gemma3_text` (also llama,
    qwen2): a tiny random model to try a recipe with. paper 2.1.3: its own 7B"""
    license: str
    """SPDX id or name of the base model's terms, shown on the report."""
    revision: str = "main"
    """Commit or branch for a hub id."""
    chat_template: str = "chatml"
    """`chatml` gives a model without a template ChatML (the paper's); `own` refuses a model that has none."""

    def __post_init__(self):
        check(self.chat_template in ("chatml", "own"), f"chat_template={self.chat_template}: expected chatml or own")


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Write `out/model`; the prefix tree is checked on it before anything trains.

    Raises:
        ModelUnavailable: no such model, one without tokenizer, or one that does not honour the tree's mask.
    """
    model = folders.load(find(config, out))
    if not model.tokenizer.chat_template:
        if config.chat_template == "own":
            raise ModelUnavailable(f"{config.source}: has no chat template; set chat_template=chatml")
        give_chatml(model)
    worst = score.self_check(model.network, probe_trees(model.tokenizer))
    stops = chat.stop_ids(model.tokenizer)
    model.network.generation_config = transformers.GenerationConfig(
        bos_token_id=model.tokenizer.bos_token_id, eos_token_id=stops, pad_token_id=model.tokenizer.pad_token_id)
    write_json(out / folders.NOTES[1], {"source": config.source, "license": config.license, "revision": config.revision})
    folders.save(model, out)
    (out / folders.NOTES[1]).rename(out / "model" / folders.NOTES[1])
    shutil.rmtree(out / "random", ignore_errors=True)
    notes = {
        "source": config.source, "license": config.license, "parameters": model.network.num_parameters(),
        "vocabulary": len(model.tokenizer), "packed_minus_separate_nats": worst, "stop_ids": stops,
    }
    return Counts(n_in=1, n_out=1, notes=notes)


def find(config: Config, scratch: Path) -> Path:
    """The folder of `config.source`; a hub id is downloaded, a random model is made in `scratch`.

    Raises:
        ModelUnavailable: it can't be found or reached.
    """
    if config.source.startswith(EMBEDDED):
        from aquilamed.models import embedded
        return embedded.ensure(config.source.removeprefix(EMBEDDED), embedded.CACHE)
    if config.source.startswith(RANDOM):
        from aquilamed.models import tiny
        return tiny.make(scratch / "random", config.source.removeprefix(RANDOM), chat=False)
    if Path(config.source).exists():
        return Path(config.source)
    if not HUB_ID.fullmatch(config.source):
        raise ModelUnavailable(f"{config.source}: no such model folder; a hub id would read owner/name")
    return download(config.source, config.revision)


def download(name: str, revision: str) -> Path:
    """A hub id's files in the local hub cache.

    Raises:
        ModelUnavailable: the hub can't be reached and the model is not in the cache, or there is no such model.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise ModelUnavailable(f"{name}: neither a folder nor reachable on the hub ({type(error).__name__}); give a model folder") from error


def give_chatml(model: folders.Model) -> None:
    """Give the tokenizer ChatML and the network a row for each of its two tokens.

    The closing token starts from the end-of-text row, since it too says that nothing follows; the opening one from
    the mean of all rows.
    """
    tokenizer, network = model.tokenizer, model.network
    tokenizer.chat_template = chat.CHATML
    new = [token for token in (OPEN, CLOSE) if token not in tokenizer.get_vocab()]
    tokenizer.add_special_tokens({"additional_special_tokens": [OPEN, CLOSE]}, replace_extra_special_tokens=False)
    rows = network.get_input_embeddings().weight
    mean_D, end_D = rows.detach().mean(0), rows.detach()[tokenizer.eos_token_id].clone()
    if len(tokenizer) > len(rows):
        network.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    for table in {id(m): m for m in (network.get_input_embeddings(), network.get_output_embeddings())}.values():
        with torch.no_grad():
            for token in new:
                table.weight[tokenizer.convert_tokens_to_ids(token)] = mean_D if token == OPEN else end_D


def probe_trees(tokenizer) -> list[pack.Tree]:
    """Three small trees in both languages, one with two children, for the start-up self-check."""
    ids = lambda text: tokenizer(text, add_special_tokens=False)["input_ids"]  # noqa: E731
    stem = pack.segment(chat.text_ids(tokenizer, "问：发热三天应先做什么？ Q: what comes first after three days of fever?"), True)
    return [
        (stem, pack.segment(ids("测量体温并就诊。"), True, 0), pack.segment(ids(" Measure it and see a doctor."), True, 0)),
        (pack.segment(chat.text_ids(tokenizer, "高血压患者应限制钠盐摄入。"), True),),
        (pack.segment(chat.text_ids(tokenizer, "Insulin lowers blood glucose."), True),),
    ]
