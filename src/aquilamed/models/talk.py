"""`aquilamed chat`: a conversation in the terminal, streamed, through the one renderer."""

import sys
from collections.abc import Iterator
from pathlib import Path

from aquilamed.cli import NOTICE
from aquilamed.core.chance import chooser
from aquilamed.core.config import check
from aquilamed.core.errors import ModelUnavailable
from aquilamed.models import chat, folders, prepare
from aquilamed.models.generate import follow
from aquilamed.tree import branches


def talk(source: str, question: str, *, temperature: float, max_tokens: int, seed: int) -> None:
    """Answer `question`, or converse until end of input or Ctrl-C.

    Raises:
        ModelUnavailable: no such model, or one without a chat template.
        ConfigError: a setting out of range.
    """
    check(temperature >= 0, f"--temperature {temperature}: expected 0 or more")
    check(max_tokens > 0, f"--max-tokens {max_tokens}: expected 1 or more")
    model = folders.load(prepare.find(prepare.Config(source=source, license="unknown"), Path(".")))
    if not model.tokenizer.chat_template:
        raise ModelUnavailable(f"{source}: has no chat template; chat with the model of an SFT or DPO step")
    print(NOTICE, file=sys.stderr)
    messages: list[dict] = []
    try:
        for turn, text in enumerate(_questions(question)):
            messages.append({"role": "user", "content": text})
            reply = _answer(model, messages, f"turn-{turn}", temperature=temperature, max_tokens=max_tokens, seed=seed)
            messages.append({"role": "assistant", "content": reply})
    except KeyboardInterrupt:
        print()


def _questions(question: str) -> Iterator[str]:
    """The one question, or lines from the keyboard until end of input (Ctrl-D)."""
    if question:
        yield question
        return
    if sys.stdin.isatty():
        print("Ask in Chinese or English; Ctrl-D ends. 可用中文或英文提问，Ctrl-D 结束。", file=sys.stderr)
    while True:
        try:
            line = input("> " if sys.stdin.isatty() else "").strip()
        except EOFError:
            return
        if line:
            yield line


def _answer(model: folders.Model, messages: list[dict], key: str, *, temperature: float, max_tokens: int, seed: int) -> str:
    """Stream one reply to stdout; pieces are held back until they are whole characters."""
    try:
        ids = chat.prompt(model.tokenizer, messages)
    except chat.Unrenderable as error:
        raise ModelUnavailable(f"the message can't be shown to this model ({error.reason}); leave special tokens out") from error
    said, shown = [], ""
    for (token,) in follow(model, [branches.end(model.network, ids)], [chooser(seed, key)], max_new_tokens=max_tokens, temperature=temperature):
        said.append(token)
        whole = model.tokenizer.decode(said, skip_special_tokens=True)
        if not whole.endswith("\ufffd"):
            print(whole[len(shown):], end="", flush=True)
            shown = whole
    print()
    return shown
