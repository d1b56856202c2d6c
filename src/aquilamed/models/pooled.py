"""A language model's hidden states, averaged over the text: features for a head where no encoder is installed.

The first layers of the embedded base model are enough to tell what a text is about, and cost a third of the whole.
"""

import functools
from collections.abc import Sequence

import numpy as np
import torch

from aquilamed.models import embedded, encoder, folders


def features(texts: Sequence[str], layer: int, max_tokens: int) -> np.ndarray:
    """One row a text: the mean over its first `max_tokens` tokens of the hidden states after `layer` layers, to 5 decimals; float32.

    Raises:
        ModelUnavailable: the embedded model is not installed.
    """
    with encoder.alone(), torch.no_grad():
        body, tokenizer = _first_layers(layer)
        begin = int(tokenizer.bos_token_id is not None)        # every model attends to its first token; its state says nothing of the text
        ids = tokenizer([text[:encoder.CHARS_PER_TOKEN * max_tokens] for text in texts])["input_ids"] if len(texts) else []
        ids = [row[:max_tokens + begin] for row in ids]
        found = np.zeros((len(texts), body.config.hidden_size), np.float32)
        for places, ids_BT, mask_BT in encoder.batches(ids, tokenizer.pad_token_id or 0, body.device):
            hidden_BTD = body(input_ids=ids_BT, attention_mask=mask_BT, use_cache=False).last_hidden_state.float()
            mask_BT[:, :begin] = 0
            mean_BD = (hidden_BTD * mask_BT[..., None]).sum(1) / mask_BT.sum(1, keepdim=True).clamp(min=1)
            found[places] = mean_BD[:len(places)].cpu().numpy()
    return np.round(found, 5)


@functools.cache
def _first_layers(layer: int):
    model = folders.load(embedded.ensure(embedded.TRIMMED, embedded.CACHE))
    body = model.network.get_decoder()
    body.layers = body.layers[:layer]
    return body.to(torch.bfloat16 if encoder.fast_bfloat16() else torch.float32), model.tokenizer

