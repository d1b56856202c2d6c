"""A complete, tiny, random Hugging Face model folder, made on the fly: to try a recipe, or the code, without weights."""

from pathlib import Path

import tokenizers
import torch
import transformers
from tokenizers import decoders, models, pre_tokenizers, trainers

from aquilamed.models.chat import CHATML

SPECIAL = ["<pad>", "<bos>", "<|endoftext|>", "<|im_start|>", "<|im_end|>"]
SAMPLE = ["The patient has a fever and takes the medicine. Answer: A", "患者发热三天，服用药物后好转。答案：乙"]
SIZES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
         "max_position_embeddings": 4096, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
ARCHITECTURES = {
    "gemma3_text": transformers.Gemma3TextConfig, "llama": transformers.LlamaConfig, "qwen2": transformers.Qwen2Config, "qwen3": transformers.Qwen3Config,
    "mistral": transformers.MistralConfig, "glm": transformers.GlmConfig, "glm4": transformers.Glm4Config,
}
"""Those on which packed losses and gradients were compared with separate ones (`tests/tree`)."""
MORE = {
    "gemma3_text": {"head_dim": 8, "sliding_window": 64, "query_pre_attn_scalar": 8, "layer_types": ["sliding_attention", "full_attention"]},
    "qwen3": {"head_dim": 8}, "mistral": {"sliding_window": 64}, "glm": {"head_dim": 8}, "glm4": {"head_dim": 8},
}


def make(folder: Path, architecture: str = "gemma3_text", *, seed: int = 0, chat: bool = True, spread: float = 0.3) -> Path:
    """Save a random model with byte-level tokenizer in `folder`; `architecture`: one of `ARCHITECTURES`.

    gemma3_text has one sliding layer (window 64) and one full layer, mistral only sliding ones; qwen2's tokenizer has no beginning-of-text token.
    `chat` False leaves the template out, as base models do. `spread`: standard deviation of the weights; larger than
    usual, so that log-probabilities differ visibly.
    """
    tokenizer = _tokenizer(bos=architecture != "qwen2")
    if chat:
        tokenizer.chat_template = CHATML
    torch.manual_seed(seed)
    network = transformers.AutoModelForCausalLM.from_config(_config(architecture, len(tokenizer), spread), dtype=torch.float32)
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Path(folder)


def _config(architecture: str, n_vocabulary: int, spread: float) -> transformers.PretrainedConfig:
    sizes = {**SIZES, "vocab_size": n_vocabulary, "initializer_range": spread}
    return ARCHITECTURES[architecture](**sizes, **MORE.get(architecture, {}))


def _tokenizer(bos: bool) -> transformers.PreTrainedTokenizerFast:
    inner = tokenizers.Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    inner.train_from_iterator(SAMPLE * 4, trainer)
    named = {"pad_token": "<pad>", "eos_token": "<|endoftext|>", **({"bos_token": "<bos>"} if bos else {})}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=inner, extra_special_tokens=SPECIAL[3:], **named)
