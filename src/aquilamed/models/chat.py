"""The one renderer: messages to token ids, targets and stop ids, for training, scoring, evaluation and serving.

It uses the tokenizer's own template. A message's ids are those of its own piece of the rendered text, and the pieces
together must give the ids of the whole: so a model is always asked in the form it was taught in.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from aquilamed.core.errors import ConfigError

CHATML = (
    "{{ bos_token or '' }}{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] | trim"
    " + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""For base models without a template: the paper's released model uses ChatML too. paper 2.1.3"""


class Unrenderable(ValueError):
    """A conversation that the template can't show token for token; `reason` is what a filter counts it under."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


@dataclasses.dataclass(frozen=True)
class Rendered:
    """A conversation as tokens."""

    ids: np.ndarray
    """int32."""
    trained: np.ndarray
    """Bool: answers with their stop token."""
    starts: tuple[int, ...]
    """Where each message's piece begins in `ids`; the generation prompt belongs to the answer's piece."""


def render(tokenizer, messages: Sequence[dict], *, last_only: bool = False) -> Rendered:
    """`messages` as tokens; every assistant turn (or the last only) with its stop token is trained.

    Raises:
        Unrenderable: `template` where the template rewrites earlier turns, `token_boundary` where tokens run across
            pieces, `no_stop` where an answer is not followed by a stop token, `altered` where a text is not in its piece,
            `special_text` where a message spells a special token.
    """
    plain = _plain(tokenizer, messages)
    text, ids, trained, starts = "", [], [], []
    for end, message in enumerate(plain, start=1):
        starts.append(len(ids))
        if message["role"] == "assistant":
            text = _grow(tokenizer, text, plain[:end - 1], True, ids, trained)
        before = len(text)
        text = _grow(tokenizer, text, plain[:end], False, ids, trained, answer=message["role"] == "assistant" and (not last_only or end == len(plain)))
        if message["content"].strip() not in text[before:]:
            raise Unrenderable("altered")
    if tokenizer(text, add_special_tokens=False)["input_ids"] != ids:
        raise Unrenderable("token_boundary")
    return Rendered(np.asarray(ids, np.int32), np.asarray(trained, bool), tuple(starts))


def prompt(tokenizer, messages: Sequence[dict]) -> list[int]:
    """What the model sees before it answers: the ids that `render` puts before the answer.

    Raises:
        Unrenderable: as `render`.
    """
    plain = _plain(tokenizer, messages)
    ids: list[int] = []
    text = ""
    for end in range(1, len(plain) + 1):
        if plain[end - 1]["role"] == "assistant":
            text = _grow(tokenizer, text, plain[:end - 1], True, ids, [])
        text = _grow(tokenizer, text, plain[:end], False, ids, [])
    _grow(tokenizer, text, plain, True, ids, [])
    return ids


def stop_ids(tokenizer) -> list[int]:
    """The tokens that end an answer: the one the template puts after it, and the tokenizer's end of text; without a template the latter alone.

    Raises:
        ConfigError: the template puts no special token after an answer.
    """
    if not tokenizer.chat_template:
        return [tokenizer.eos_token_id]
    sample = render(tokenizer, [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}])
    stop = int(sample.ids[np.flatnonzero(sample.trained)[-1]])
    if stop not in tokenizer.all_special_ids:
        raise ConfigError("the chat template ends an answer with an ordinary token; generation could not stop on it")
    return sorted({stop, tokenizer.eos_token_id} - {None})


def text_ids(tokenizer, text: str) -> list[int]:
    """Plain text as tokens, with exactly one beginning-of-text token where the tokenizer has one."""
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids if tokenizer.bos_token_id is None else [tokenizer.bos_token_id, *ids]


def _plain(tokenizer, messages: Sequence[dict]) -> list[dict]:
    """Role and content alone; a text that spells a special token would forge turns and is refused."""
    forged = [token for token in tokenizer.all_special_tokens if any(token in m["content"] for m in messages)]
    if forged:
        raise Unrenderable("special_text")
    return [{"role": m["role"], "content": m["content"]} for m in messages]


def _grow(tokenizer, text: str, messages: list[dict], prompt_after: bool, ids: list[int], trained: list[bool], answer: bool = False) -> str:
    """Append the ids of what the template adds to `text` for `messages`; return the longer text."""
    whole = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt_after) if messages or prompt_after else ""
    if not whole.startswith(text):
        raise Unrenderable("template")
    added = tokenizer(whole[len(text):], add_special_tokens=False)["input_ids"]
    special = set(tokenizer.all_special_ids)
    n_trained = 0
    if answer:
        n_trained = next((i + 1 for i, token in enumerate(added) if token in special), 0)
        if not n_trained:
            raise Unrenderable("no_stop")
    ids.extend(added)
    trained.extend([True] * n_trained + [False] * (len(added) - n_trained))
    return whole
