"""A language model behind any OpenAI-compatible endpoint: bounded, cached on disk, and never answered for.

Nothing is sent unless an endpoint is configured, and what is sent is masked by the caller. A reply is kept under the digest of its
request, so that a killed run goes on where it was and the same question is paid for once; the request itself is not kept.
"""

import dataclasses
import hashlib
import http.client
import json
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aquilamed.core.config import canonical_json, check
from aquilamed.core.errors import ModelUnavailable

CACHE = Path.home() / ".cache" / "aquilamed" / "replies"
REFUSED = (400, 413, 422, 451)
"""HTTP statuses of a request that the endpoint will never answer: too long, or stopped by its content filter."""
AGAIN = (408, 409, 425, 429, 500, 502, 503, 504, 529)
"""HTTP statuses after which the same request may be answered."""
LONGEST_WAIT = 60.0
"""Seconds that are waited before a try at most."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to another host."""

    def redirect_request(self, *_):
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Which model is asked, and how. The key itself stands in no setting, manifest or log."""

    base_url: str = ""
    """Up to `/v1`: `https://api.example.com/v1`, `http://127.0.0.1:8000/v1` (vLLM, SGLang, Ollama, llama.cpp); empty: nothing is ever sent."""
    model: str = ""
    """The model's name there."""
    key_env: str = ""
    """Name of the environment variable that holds the key; empty: no key is sent."""
    temperature: float = 0.0
    """0..2. ours: 0, the likeliest reply"""
    max_tokens: int = 512
    """Longest reply, tokens, from 1. ours: room for a thought before the verdict"""
    concurrency: int = 8
    """Requests at a time, from 1. ours"""
    timeout: float = 120.0
    """Seconds that a reply may take, above 0. ours"""
    tries: int = 6
    """Attempts for a request, from 1. ours"""
    wait: float = 1.0
    """Seconds before the second try, from 0; doubled each time after, unless the endpoint says how long. ours"""
    cache: str = ""
    """Folder of the replies; empty: the user's cache. Runs that share it don't ask twice."""

    def __post_init__(self):
        check(not self.base_url or re.match(r"https?://[^/]", self.base_url) is not None, f"base_url={self.base_url}: expected http(s)://host/v1, or nothing")
        check(not self.base_url or bool(self.model), "an endpoint needs the name of a model")
        check("@" not in self.base_url.partition("://")[2].partition("/")[0], "base_url: a password in the address would reach the manifest; name an environment variable in key_env")
        check(0 <= self.temperature <= 2, f"temperature={self.temperature}: expected 0..2")
        check(min(self.max_tokens, self.concurrency, self.tries) >= 1, "max_tokens, concurrency and tries: expected 1 or more")
        check(self.timeout > 0 and self.wait >= 0, "timeout: expected more than 0 seconds; wait: 0 or more")


@dataclasses.dataclass(frozen=True)
class Reply:
    """What came back for one request; `text` is None where the endpoint refused it."""

    text: str | None
    prompt_tokens: int = 0
    reply_tokens: int = 0
    cached: bool = False


def ask(endpoint: Endpoint, requests: Sequence[list[dict]]) -> list[Reply]:
    """The reply to each list of messages, in order.

    Raises:
        ModelUnavailable: no endpoint, no key, a wrong address, or one that keeps failing; what was answered is in the cache.
    """
    if not endpoint.base_url:
        raise ModelUnavailable("no endpoint is configured: set base_url and model (any OpenAI-compatible server), or use labels that the data carry")
    key, texts = _key(endpoint), [canonical_json(messages) for messages in requests]
    with ThreadPoolExecutor(endpoint.concurrency) as pool:
        jobs = {text: pool.submit(_one, endpoint, key, messages) for text, messages in dict(zip(texts, requests, strict=True)).items()}
        try:
            once = {text: job.result() for text, job in jobs.items()}
        finally:
            for job in jobs.values():
                job.cancel()
    paid = {text: place for place, text in reversed(list(enumerate(texts)))}
    found = [once[text] if paid[text] == place else dataclasses.replace(once[text], cached=True) for place, text in enumerate(texts)]
    if found and all(reply.text is None for reply in found):
        raise ModelUnavailable(f"{endpoint.base_url}: every request was refused; does it serve the model {endpoint.model!r}, and are {endpoint.max_tokens} tokens allowed?")
    return found


def usage(replies: Sequence[Reply]) -> dict:
    """How much was asked: requests, how many of them the cache answered, how many were refused, tokens that were paid for now."""
    new = [reply for reply in replies if not reply.cached]
    return {"requests": len(replies), "cached": len(replies) - len(new), "refused": sum(reply.text is None for reply in replies),
            "prompt_tokens": sum(reply.prompt_tokens for reply in new), "reply_tokens": sum(reply.reply_tokens for reply in new)}


def _key(endpoint: Endpoint) -> str:
    key = os.environ.get(endpoint.key_env, "") if endpoint.key_env else ""
    if endpoint.key_env and not key:
        raise ModelUnavailable(f"the environment variable {endpoint.key_env}, named in key_env, is not set: export the endpoint's key there")
    return key


def _one(endpoint: Endpoint, key: str, messages: list[dict]) -> Reply:
    body = {"model": endpoint.model, "messages": messages, "temperature": endpoint.temperature, "max_tokens": endpoint.max_tokens}
    digest = hashlib.sha256(canonical_json({"base_url": endpoint.base_url.rstrip("/"), **body}).encode()).hexdigest()
    path = Path(endpoint.cache or CACHE) / digest[:2] / f"{digest}.json"
    if path.exists():
        return Reply(**json.loads(path.read_text(encoding="utf-8")), cached=True)
    reply = _sent(endpoint, key, json.dumps(body, ensure_ascii=False).encode())
    if reply.text is not None:
        _keep(path, {"text": reply.text, "prompt_tokens": reply.prompt_tokens, "reply_tokens": reply.reply_tokens})
    return reply


def _keep(path: Path, reply: dict) -> None:
    """Write whole or not at all; other processes may keep the same reply at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_text(json.dumps(reply, ensure_ascii=False), encoding="utf-8")
    os.replace(partial, path)


def _sent(endpoint: Endpoint, key: str, body: bytes) -> Reply:
    """The reply to one request, asked again with longer and longer waits while the trouble may pass."""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    request = urllib.request.Request(f"{endpoint.base_url.rstrip('/')}/chat/completions", body, headers)
    trouble = ""
    for attempt in range(endpoint.tries):
        wait = endpoint.wait * 2**attempt
        try:
            with _OPENER.open(request, timeout=endpoint.timeout) as response:
                return _read(response.read())
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in REFUSED:
                return Reply(text=None)
            if error.code not in AGAIN:
                raise ModelUnavailable(f"{endpoint.base_url}: HTTP {error.code} for the model {endpoint.model!r}; {_advice(error.code)}") from None
            trouble, wait = f"HTTP {error.code}", _asked_wait(error, wait)
        except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
            trouble = type(error).__name__ if isinstance(error, ValueError) else str(getattr(error, "reason", error) or type(error).__name__)
        if attempt + 1 < endpoint.tries:
            time.sleep(min(wait, LONGEST_WAIT))
    raise ModelUnavailable(f"{endpoint.base_url}: {endpoint.tries} tries failed, the last with: {trouble}; what was answered is kept, run the same command to go on")


def _read(body: bytes) -> Reply:
    """A chat completion; ValueError where it is none, so that it is asked again."""
    found = json.loads(body)
    try:
        text = found["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError("not a chat completion") from error
    used = found.get("usage") or {}
    return Reply(text=text or "", prompt_tokens=used.get("prompt_tokens") or 0, reply_tokens=used.get("completion_tokens") or 0)


def _advice(code: int) -> str:
    if code in (401, 403):
        return "the key in the variable named by key_env is not accepted"
    return "check base_url (it ends in /v1) and the model's name" if code == 404 else "this can't be mended by asking again"


def _asked_wait(error: urllib.error.HTTPError, otherwise: float) -> float:
    asked = error.headers.get("Retry-After", "") if error.headers else ""
    return float(asked) if re.fullmatch(r"\d+(\.\d+)?", asked) else otherwise
