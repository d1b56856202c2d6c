"""A model's answers to conversations, from a model here or behind an endpoint; kept on disk, so that a step that a judge's budget stopped does not answer again."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from aquilamed.core import manifest
from aquilamed.hygiene import identifiers
from aquilamed.models import chat, remote, structured
from aquilamed.models.folders import Model
from aquilamed.models.generate import generate


class Asked(NamedTuple):
    """A conversation that ends with the user."""

    id: str
    messages: list[dict]
    lang: str


class Said(NamedTuple):
    """What came back, or why nothing did."""

    text: str
    """What the patient reads: without the thought before it, and empty where that never ends. An empty answer is judged as what it is."""
    tokens: int = 0
    stopped: bool = True
    """It ended by itself."""
    prompt: str = ""
    """What the model was shown."""
    reason: str = ""
    detail: str = ""
    prompt_tokens: int = 0
    """Of an endpoint: what was paid for the conversation."""
    cached: bool = False
    """An endpoint's earlier reply, not paid for again."""
    whole: str = ""
    """All that came back, its thought too."""


def answers(model: Model | remote.Endpoint, asked: Sequence[Asked], *, max_new_tokens: int, max_tokens: int, seed: int, kept: Path) -> list[Said]:
    """An answer to each, greedy, in order. Reasons: `too_long` for `max_tokens` with the answer, `unrenderable` by the chat template, `refused` by an endpoint.

    `kept` is a file: where an earlier, killed try of the step has written it, it is read.
    """
    if not kept.exists():
        made = _from_endpoint(dataclasses.replace(model, max_tokens=max_new_tokens), asked) if isinstance(model, remote.Endpoint) else _from_model(model, asked, max_new_tokens, max_tokens, seed)
        kept.parent.mkdir(parents=True, exist_ok=True)
        manifest.write_json(kept, made)
    return [Said(*said) for said in json.loads(kept.read_text(encoding="utf-8"))]


def usage(said: Sequence[Said]) -> dict:
    """Of an endpoint's answers, as `remote.usage`, and how many of them reached their longest."""
    replies = [remote.Reply(None if one.reason else one.text, one.prompt_tokens, one.tokens, cached=one.cached) for one in said]
    return {**remote.usage(replies), "cut": sum(not one.stopped for one in said)}


def _from_model(model: Model, asked: Sequence[Asked], max_new_tokens: int, max_tokens: int, seed: int) -> list[Said]:
    prompts = [_prompt(model, one, max_tokens - max_new_tokens) for one in asked]
    open_ones = [(ids, one.id) for ids, one in zip(prompts, asked, strict=True) if isinstance(ids, list)]
    found = iter(generate(model, [ids for ids, _ in open_ones], [key for _, key in open_ones], max_new_tokens=max_new_tokens, seed=seed) if open_ones else ())
    return [_said(model, one, next(found)) if isinstance(ids, list) else ids for ids, one in zip(prompts, asked, strict=True)]


def _prompt(model: Model, one: Asked, room: int) -> list[int] | Said:
    try:
        ids = chat.prompt(model.tokenizer, one.messages)
    except chat.Unrenderable as error:
        return Said("", reason="unrenderable", detail=error.reason)
    return ids if len(ids) <= room else Said("", reason="too_long", detail=f"{len(ids)} tokens before the answer")


def _said(model: Model, one: Asked, ids: list[int]) -> Said:
    stopped = bool(ids) and ids[-1] in chat.stop_ids(model.tokenizer)
    shown = model.tokenizer.apply_chat_template([{"role": m["role"], "content": m["content"]} for m in one.messages], tokenize=False, add_generation_prompt=True)
    whole = structured.opened(shown) + model.tokenizer.decode(ids[:-1] if stopped else ids, skip_special_tokens=True)
    return Said(structured.unthought(whole), len(ids), stopped, shown, whole=whole)


def _from_endpoint(endpoint: remote.Endpoint, asked: Sequence[Asked]) -> list[Said]:
    """The endpoint sees every conversation masked."""
    masked = [identifiers.mask([message["content"] for message in one.messages], one.lang)[0] for one in asked]
    shown = [[{"role": message["role"], "content": text} for message, text in zip(one.messages, texts, strict=True)] for one, texts in zip(asked, masked, strict=True)]
    replies = remote.ask(endpoint, shown) if shown else []
    return [Said("", reason="refused") if reply.text is None else
            Said(structured.unthought(reply.text), reply.reply_tokens, not reply.cut, json.dumps(messages, ensure_ascii=False), prompt_tokens=reply.prompt_tokens, cached=reply.cached,
                 whole=reply.text)
            for reply, messages in zip(replies, shown, strict=True)]
