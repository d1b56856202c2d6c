"""Bits per byte of whole documents: comparable across tokenizers, because every byte of the text is paid for.

A document is cut into consecutive windows. Each window stands alone behind one beginning-of-text token (end-of-text
where the tokenizer has no other), so its first token is predicted too, without the window before.
"""

import math
from collections.abc import Callable, Sequence

from aquilamed.core.config import check
from aquilamed.evals import judge
from aquilamed.evals.task import Answer, Asked
from aquilamed.models.folders import Model
from aquilamed.tree import branches
from aquilamed.tree.branches import Branch


def bits_per_byte(model: Model, documents: Sequence[dict], window: int) -> Asked:
    """Bits and bytes of every document; `window` is in tokens, the beginning token among them.

    Dropped: `empty` documents.
    """
    check(window >= 2, f"window={window}: expected 2 tokens or more")
    ordered = sorted(documents, key=lambda d: d["id"])
    dropped = [(document, "empty", "") for document in ordered if not document["text"]]
    kept = [document for document in ordered if document["text"]]
    pieces = [windows(model.tokenizer, document["text"], window) for document in kept]
    found = branches.logp(model.network, [piece for some in pieces for piece in some])
    logps = iter(value for values in found for value in values)
    answers = []
    for document, some in zip(kept, pieces, strict=True):
        nats = -sum(next(logps) for _ in some)
        raw = {"bits": round(nats / math.log(2), 6), "bytes": len(document["text"].encode()), "tokens": sum(len(p.continuations[0]) for p in some)}
        answers.append(Answer(id=document["id"], reading=judge.BITS, raw=raw, lang=document["lang"], subject=document["source"], limits=f"windows of {window} tokens"))
    return Asked(answers=answers, dropped=dropped)


def windows(tokenizer, text: str, window: int) -> list[Branch]:
    """`text` as consecutive windows of at most `window` tokens with the beginning token."""
    start = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return [Branch((start,), (tuple(ids[low:low + window - 1]),)) for low in range(0, len(ids), window - 1)]


def within_bytes(documents: Sequence[dict], n_bytes: int, order: Callable[[dict], object]) -> list[dict]:
    """Documents in the order of `order`, each taken whole if it still fits `n_bytes` together with those before; 0 takes all."""
    taken, used = [], 0
    for document in sorted(documents, key=order):
        size = len(document["text"].encode())
        if not n_bytes or used + size <= n_bytes:
            taken.append(document)
            used += size
    return taken
