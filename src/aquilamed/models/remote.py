"""A language model behind any OpenAI-compatible endpoint: bounded, cached on disk, never paid past a budget, and never answered for.

Nothing is sent unless an endpoint is configured, and what is sent is masked by the caller. A reply is kept under the digest of its
request, so that a killed run goes on where it was and what was kept is not paid for again; the request itself is not kept.
"""

import dataclasses
import hashlib
import json
import os
import re
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, CancelledError, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from aquilamed.core import pace
from aquilamed.core.config import NEUTRAL, canonical_json, check
from aquilamed.core.errors import ModelUnavailable
from aquilamed.models import spending, structured, wire
from aquilamed.models.spending import Tokens

if TYPE_CHECKING:
    import openai

CACHE = Path.home() / ".cache" / "aquilamed" / "replies"
REFUSED = (400, 413, 422, 451)
"""HTTP statuses of a request that the endpoint will never answer: too long, or stopped by its content filter."""
AGAIN = (408, 409, 425, 429, 500, 502, 503, 504, 529)
"""HTTP statuses after which the same request may be answered."""
LONGEST_WAIT = 60.0
"""Seconds that are waited before a try at most."""


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
    limit_key: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """How the endpoint calls `max_tokens`; OpenAI's models that think take the second name alone. ours"""
    prompt_price: float = dataclasses.field(default=0.0, metadata=NEUTRAL)
    """Price of a million prompt tokens, in any one currency; 0: unknown. ours"""
    reply_price: float = dataclasses.field(default=0.0, metadata=NEUTRAL)
    """Price of a million reply tokens, in the same currency; 0: unknown. ours"""
    budget_tokens: int = dataclasses.field(default=0, metadata=NEUTRAL)
    """Tokens that may be paid to this model from this folder of replies, in this run and all before it; 0: no limit. ours"""
    budget_cost: float = dataclasses.field(default=0.0, metadata=NEUTRAL)
    """The same in the currency of the prices; 0: no limit. ours"""
    concurrency: int = dataclasses.field(default=8, metadata=NEUTRAL)
    """Requests at a time, from 1. ours"""
    timeout: float = dataclasses.field(default=120.0, metadata=NEUTRAL)
    """Seconds that the endpoint may be silent, above 0. ours"""
    tries: int = dataclasses.field(default=6, metadata=NEUTRAL)
    """Attempts for a request, from 1. ours"""
    wait: float = dataclasses.field(default=1.0, metadata=NEUTRAL)
    """Seconds before the second try, from 0; doubled each time after, unless the endpoint says how long. ours"""
    cache: str = dataclasses.field(default="", metadata=NEUTRAL)
    """Folder of the replies and of the account; empty: the user's cache. Runs that share it don't ask twice."""

    def __post_init__(self):
        check(not self.base_url or re.match(r"https?://[^/]", self.base_url) is not None, f"base_url={self.base_url}: expected http(s)://host/v1, or nothing")
        check(not self.base_url or bool(self.model), "an endpoint needs the name of a model")
        check("@" not in self.base_url.partition("://")[2].partition("/")[0], "base_url: a password in the address would reach the manifest; name an environment variable in key_env")
        check(0 <= self.temperature <= 2, f"temperature={self.temperature}: expected 0..2")
        check(self.limit_key in ("max_tokens", "max_completion_tokens"), f"limit_key={self.limit_key}: expected max_tokens or max_completion_tokens")
        check(min(self.max_tokens, self.concurrency, self.tries) >= 1, "max_tokens, concurrency and tries: expected 1 or more")
        check(self.timeout > 0 and self.wait >= 0, "timeout: expected more than 0 seconds; wait: 0 or more")
        check(min(self.prompt_price, self.reply_price, self.budget_tokens, self.budget_cost) >= 0, "prices and budgets: expected 0 or more")
        check(not self.budget_cost or self.prompt_price + self.reply_price > 0, "budget_cost needs prompt_price and reply_price, per million tokens")

    def cost(self, spent: Tokens) -> float:
        """In the currency of the prices."""
        return (spent.prompt * self.prompt_price + spent.reply * self.reply_price) / 1e6

    def affords(self, spent: Tokens) -> bool:
        """Whether so much is within both budgets."""
        return (not self.budget_tokens or spent.prompt + spent.reply <= self.budget_tokens) and (not self.budget_cost or self.cost(spent) <= self.budget_cost)


@dataclasses.dataclass(frozen=True)
class Reply:
    """What came back for one request; `text` is None where the endpoint refused it."""

    text: str | None
    prompt_tokens: int = 0
    reply_tokens: int = 0
    cut: bool = False
    """`max_tokens` ended it."""
    cached: bool = False
    value: dict | None = None
    """What it says under the schema that was asked for; None where that can't be read."""


def ask(endpoint: Endpoint, requests: Sequence[list[dict]], schema: Mapping | None = None, askings: Sequence[int] = ()) -> list[Reply]:
    """The reply to each list of messages, in order; with a JSON schema also its `value`.

    The endpoint is told the schema, where it knows such a thing; the reply is checked against it in any case. `askings` says of each request which
    asking of it this is (0 where it is empty): what was replied to another asking is no answer to this one, so that a model can be asked the same twice.

    Raises:
        ModelUnavailable: no endpoint, no key, a wrong address, one that keeps failing, or a budget that the next request might pass; what was
            answered is in the cache.
    """
    if not endpoint.base_url:
        raise ModelUnavailable("no endpoint is configured: set base_url and model (any OpenAI-compatible server), or use labels that the data carry")
    bodies = [_body(endpoint, messages, schema) for messages in requests]
    digests = [_digest(endpoint, body, asking) for body, asking in zip(bodies, askings or [0] * len(bodies), strict=True)]
    kept = {digest: _kept(endpoint, digest) for digest in digests}
    new = _asked(endpoint, {digest: body for digest, body in zip(digests, bodies, strict=True) if not kept[digest]})
    paid = {digest: place for place, digest in reversed(list(enumerate(digests))) if digest in new}
    found = [new[digest] if paid.get(digest) == place else dataclasses.replace(new.get(digest) or kept[digest], cached=True) for place, digest in enumerate(digests)]
    if found and all(reply.text is None for reply in found) and not _ledger(endpoint).total().reply:       # one that has answered before refuses these alone
        raise ModelUnavailable(f"{endpoint.base_url}: every request was refused; does it serve the model {endpoint.model!r}, are {endpoint.max_tokens} tokens allowed, "
                               "and does it take them under the name in limit_key?")
    return found if schema is None else [dataclasses.replace(reply, value=structured.read(reply.text or "", dict(schema))) for reply in found]


def usage(replies: Sequence[Reply]) -> dict:
    """How much was asked: requests, how many of them the cache answered, how many were refused, tokens that were paid for now."""
    new = [reply for reply in replies if not reply.cached]
    return {"requests": len(replies), "cached": len(replies) - len(new), "refused": sum(reply.text is None for reply in replies),
            "prompt_tokens": sum(reply.prompt_tokens for reply in new), "reply_tokens": sum(reply.reply_tokens for reply in new)}


def account(endpoint: Endpoint) -> dict:
    """What was paid to this model from this folder of replies by all runs so far, failed tries with the most that they can have taken."""
    total = _ledger(endpoint).total()
    return {"prompt_tokens": total.prompt, "reply_tokens": total.reply, **({"cost": endpoint.cost(total)} if endpoint.prompt_price + endpoint.reply_price else {})}


@dataclasses.dataclass
class _Session:
    endpoint: Endpoint
    client: "openai.OpenAI"
    ledger: spending.Ledger
    is_plain: bool = False
    """The endpoint has answered without a schema what it refused with one."""
    over: threading.Event = dataclasses.field(default_factory=threading.Event)
    """Set when no more tries are to be made: one request has failed for good, or the user stops."""


def _asked(endpoint: Endpoint, bodies: Mapping[str, dict]) -> dict[str, Reply]:
    """The replies to requests that the cache does not hold, by digest."""
    if not bodies:
        return {}
    session = _Session(endpoint, wire.connect(endpoint.base_url, _key(endpoint), endpoint.timeout), _ledger(endpoint))
    with session.client, ThreadPoolExecutor(endpoint.concurrency) as pool:
        jobs = {digest: pool.submit(_one, session, digest, body) for digest, body in bodies.items()}
        told = pace.Pace(len(jobs), pace.listener(), "requests")
        for job in jobs.values():
            job.add_done_callback(lambda _: told.done())
        try:
            wait(jobs.values(), return_when=FIRST_EXCEPTION)
        finally:
            session.over.set()
            for job in jobs.values():
                job.cancel()
    errors = [error for job in jobs.values() if not job.cancelled() and (error := job.exception()) and not isinstance(error, CancelledError)]
    if errors and isinstance(errors[0], ModelUnavailable):
        left = sum(_kept(endpoint, digest) is None for digest in bodies)
        raise ModelUnavailable(f"{errors[0]}; {left} of {len(bodies)} requests are still to be answered") from None
    if errors:
        raise errors[0]
    return {digest: job.result() for digest, job in jobs.items()}


def _one(session: _Session, digest: str, body: dict) -> Reply:
    """The reply to one request; where one with a schema is refused, the same without it is tried."""
    if session.over.is_set():
        raise CancelledError
    plain = {key: value for key, value in body.items() if key != "response_format"}
    form = plain if session.is_plain else body
    try:
        reply = _kept(session.endpoint, digest) or _tried(session, digest, form)
        if reply.text is None and form != plain:
            reply = _tried(session, digest, plain)
            session.is_plain |= reply.text is not None
    except ModelUnavailable:
        session.over.set()                      # at once: the thread that waits for all may wake late
        raise
    return reply


def _tried(session: _Session, digest: str, body: dict) -> Reply:
    """The reply to one request, asked again with longer and longer waits while the trouble may pass."""
    endpoint, said = session.endpoint, ""
    for attempt in range(endpoint.tries):
        try:
            return _paid(session, digest, body)
        except wire.Trouble as trouble:
            if trouble.status in REFUSED:
                return Reply(text=None)
            if trouble.status and trouble.status not in AGAIN:
                raise ModelUnavailable(f"{endpoint.base_url}: HTTP {trouble.status} for the model {endpoint.model!r}; {_advice(trouble.status)}") from None
            said, pause = str(trouble), endpoint.wait * 2**attempt if trouble.wait is None else trouble.wait
        if attempt + 1 < endpoint.tries and session.over.wait(min(pause, LONGEST_WAIT)):
            raise CancelledError
    raise ModelUnavailable(f"{endpoint.base_url}: {endpoint.tries} tries failed, the last with: {said}; what was answered is kept, run the same command to go on")


def _paid(session: _Session, digest: str, body: dict) -> Reply:
    """One try, in the account before it is sent and until its reply is kept.

    At most a token a byte of the request, with all its marks, and `max_tokens`.
    """
    endpoint, most = session.endpoint, Tokens(len(canonical_json(body).encode()), session.endpoint.max_tokens)
    entry = session.ledger.enter(most, endpoint.affords)
    if entry is None:
        raise ModelUnavailable(_stopped(endpoint, session.ledger.total(), most))
    took = most
    try:
        found = wire.post(session.client, body)
        _keep(_place(endpoint, digest), found)
        took = Tokens(found["prompt_tokens"] or most.prompt, found["reply_tokens"] or most.reply)
    except wire.Trouble as trouble:
        took = most if trouble.may_bill else Tokens()
        raise
    finally:
        session.ledger.close(entry, took)
    return Reply(**found)


def _stopped(endpoint: Endpoint, spent: Tokens, most: Tokens) -> str:
    costs = [f" ({endpoint.cost(tokens):.6g})" if endpoint.prompt_price + endpoint.reply_price else "" for tokens in (spent, most)]
    limits = [f"budget_tokens={endpoint.budget_tokens}"] * bool(endpoint.budget_tokens) + [f"budget_cost={endpoint.budget_cost:g}"] * bool(endpoint.budget_cost)
    return (f"{endpoint.base_url}: {' and '.join(limits)} for the model {endpoint.model!r} might be passed: {spent.prompt} prompt and {spent.reply} reply tokens{costs[0]} are spent, "
            f"the next request may take {most.prompt} and {most.reply}{costs[1]}; what was answered is kept: raise the budget and run the same command to go on")


def _ledger(endpoint: Endpoint) -> spending.Ledger:
    """One account for each model in a folder of replies."""
    name = hashlib.sha256(canonical_json([endpoint.base_url.rstrip("/"), endpoint.model]).encode()).hexdigest()
    return spending.ledger(Path(endpoint.cache or CACHE) / "spent" / f"{name}.jsonl")


def _key(endpoint: Endpoint) -> str:
    key = os.environ.get(endpoint.key_env, "") if endpoint.key_env else ""
    if endpoint.key_env and not key:
        raise ModelUnavailable(f"the environment variable {endpoint.key_env}, named in key_env, is not set: export the endpoint's key there")
    return key


def _body(endpoint: Endpoint, messages: list[dict], schema: Mapping | None) -> dict:
    told = {"response_format": structured.asked("reply", dict(schema))} if schema is not None else {}
    return {"model": endpoint.model, "messages": messages, "temperature": endpoint.temperature, endpoint.limit_key: endpoint.max_tokens, **told}


def _digest(endpoint: Endpoint, body: dict, asking: int = 0) -> str:
    again = {"asking": asking} if asking else {}
    return hashlib.sha256(canonical_json({"base_url": endpoint.base_url.rstrip("/"), **body, **again}).encode()).hexdigest()


def _place(endpoint: Endpoint, digest: str) -> Path:
    return Path(endpoint.cache or CACHE) / digest[:2] / f"{digest}.json"


def _kept(endpoint: Endpoint, digest: str) -> Reply | None:
    """The reply in the cache; a file that a power cut left empty is none."""
    try:
        return Reply(**json.loads(_place(endpoint, digest).read_text(encoding="utf-8")), cached=True)
    except (FileNotFoundError, ValueError):
        return None


def _keep(path: Path, reply: dict) -> None:
    """Write whole or not at all; other processes may keep the same reply at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_text(json.dumps(reply, ensure_ascii=False), encoding="utf-8")
    os.replace(partial, path)


def _advice(code: int) -> str:
    if code in (401, 403):
        return "the key in the variable named by key_env is not accepted"
    return "check base_url (it ends in /v1) and the model's name" if code == 404 else "this can't be mended by asking again"
