"""The tiny random models of the tests; one thread, so that test processes do not fight over cores."""

import tokenizers
import torch
import transformers

from aquilamed.models.tiny import make

torch.set_num_threads(1)

__all__ = ["make", "make_bert"]


def make_bert(folder, seed=0):
    """A random BERT of two layers whose tokens are characters."""
    letters = [*"abcdefghijklmnopqrstuvwxyz ，。高血压头痛股票足球医患病球队比赛"]
    vocab = {token: k for k, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(letters)])}
    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocab, "[UNK]"))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.Split("", "isolated")
    inner.post_processor = tokenizers.processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]")
    torch.manual_seed(seed)
    config = transformers.BertConfig(vocab_size=len(vocab), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, max_position_embeddings=128)
    transformers.BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
