"""Models as Hugging Face folders: finding, checking, loading, saving."""

import dataclasses
import shutil
from pathlib import Path

import torch
import transformers
from safetensors import SafetensorError

from aquilamed.core.errors import ModelUnavailable

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

ATTENTION = {"sdpa": "sdpa", "flex": "flex_attention"}
"""Setting -> what transformers calls it."""
NOTES = ("LICENSE-NOTE.txt", "MODEL-LICENSE.json")
"""Files about terms that travel with the weights."""


@dataclasses.dataclass
class Model:
    """A network with its tokenizer."""

    network: transformers.PreTrainedModel
    tokenizer: transformers.PreTrainedTokenizerBase
    folder: Path


def locate(source: str | Path) -> Path:
    """The model folder that `source` means: itself, or `model/` in a step's folder.

    Raises:
        ModelUnavailable: it is not a whole model folder; what is missing is named.
    """
    folder = Path(source)
    if (folder / "model").is_dir():
        folder = folder / "model"
    if not folder.is_dir():
        raise ModelUnavailable(f"{source}: no such model folder")
    missing = [name for name in ("config.json", "tokenizer_config.json") if not (folder / name).exists()]
    if not any(folder.glob("*.safetensors")):
        missing.append("*.safetensors")
    if not any((folder / name).exists() for name in ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")):
        missing.append("tokenizer.json")
    if missing:
        raise ModelUnavailable(f"{folder}: not a whole Hugging Face model folder, it lacks {', '.join(missing)}; "
                               "download it again with its tokenizer")
    return folder


def has_template(source: str | Path) -> bool:
    """Whether the model folder's tokenizer can render chat turns.

    Raises:
        ModelUnavailable: not a model folder, or a tokenizer that this transformers can't load.
    """
    folder = locate(source)
    try:
        return bool(transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True).chat_template)
    except (OSError, ValueError, KeyError) as error:
        raise ModelUnavailable(f"{folder}: can't be loaded: {error}") from error


def load(source: str | Path, *, device: str = "", trained: bool = False, bits: int = 0, attention: str = "sdpa") -> Model:
    """Load a folder ready for the prefix tree: fp32 on CPU; on GPU bf16, or fp32 where it is to be trained (under autocast); its linear layers in `bits` where that is 4 or 8.

    Raises:
        ModelUnavailable: not a model folder, or an architecture that this transformers can't load.
    """
    folder = locate(source)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    dtype = torch.float32 if device == "cpu" or trained else torch.bfloat16
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        network = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation=ATTENTION[attention], local_files_only=True, **_quantized(bits, device))
    except ImportError as error:
        raise ModelUnavailable(f"lora.bits={bits} needs bitsandbytes, which is not installed: pip install bitsandbytes") from error
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelUnavailable(f"{folder}: can't be loaded: {error}") from error
    _check(folder, tokenizer, network)
    return Model((network if bits else network.to(device)).eval(), tokenizer, folder)


def _quantized(bits: int, device: str) -> dict:
    if not bits:
        return {}
    config = transformers.BitsAndBytesConfig(load_in_4bit=bits == 4, load_in_8bit=bits == 8, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=torch.bfloat16)
    return {"quantization_config": config, "device_map": {"": device}}


def _check(folder: Path, tokenizer, network) -> None:
    n_rows = network.get_input_embeddings().num_embeddings
    special = set(tokenizer.all_special_ids) | {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}     # Gemma-3 names one for pictures, beyond its rows
    highest = max(i for i in tokenizer.get_vocab().values() if i < n_rows or i not in special)
    if highest >= n_rows:
        raise ModelUnavailable(f"{folder}: the tokenizer has token {highest}, the model {n_rows} rows: they don't belong together, or rows for added tokens were not saved")
    bad = [name for name, value in network.named_parameters() if not torch.isfinite(value).all()]
    if bad:
        raise ModelUnavailable(f"{folder}: {len(bad)} weights hold values that are no numbers ({', '.join(bad[:3])}): its training went astray or the files are damaged; use an earlier model")


def save(model: Model, out: Path) -> Path:
    """Write the model to `out/model`, whole or not at all, with the licence notes of the folder it came from."""
    target, partial = out / "model", out / "model.partial"
    shutil.rmtree(partial, ignore_errors=True)
    model.network.save_pretrained(partial)
    model.tokenizer.save_pretrained(partial)
    for name in NOTES:
        if (model.folder / name).exists():
            shutil.copy(model.folder / name, partial / name)
    shutil.rmtree(target, ignore_errors=True)
    return partial.rename(target)
