"""One chat completion through the `openai` client: sent once, with nothing beside it, and never to where a redirect points.

The client's own retries are off; of its headers only those that HTTP needs are sent, so that neither its figures about this machine nor what the
environment variables of another account say (`OPENAI_ORG_ID`, `OPENAI_CUSTOM_HEADERS`) reach the endpoint.
"""

import json
import re
from typing import TYPE_CHECKING

from aquilamed.core.errors import ModelUnavailable

if TYPE_CHECKING:
    import openai

HEADERS = ("host", "accept", "accept-encoding", "connection", "content-type", "content-length", "user-agent")
"""What is sent with a request, and the key where there is one."""


class Trouble(Exception):
    """A try that brought no reply: what it was, the HTTP status (0: none), seconds to wait that the endpoint asked for, whether it may be billed."""

    def __init__(self, said: str, *, status: int = 0, wait: float | None = None, may_bill: bool = False):
        super().__init__(said)
        self.status, self.wait, self.may_bill = status, wait, may_bill


def connect(base_url: str, key: str, timeout: float) -> "openai.OpenAI":
    """A client of the endpoint, for any number of threads; nothing is sent yet.

    Raises:
        ModelUnavailable: the package is not installed.
    """
    try:
        import openai
    except ImportError as error:
        raise ModelUnavailable("asking a remote model needs the package openai, which is not installed: pip install 'aquilamed[remote]'") from error
    kept = {*HEADERS, *(["authorization"] if key else [])}

    def bare(request) -> None:
        for name in set(request.headers) - kept:
            del request.headers[name]
    http = openai.DefaultHttpx2Client(follow_redirects=False, timeout=timeout, event_hooks={"request": [bare]})
    return openai.OpenAI(base_url=base_url, api_key=key or "none", max_retries=0, http_client=http)


def post(client: "openai.OpenAI", body: dict) -> dict:
    """What came back: `text`, `prompt_tokens` and `reply_tokens` (0 where the endpoint does not say), `cut` where `max_tokens` ended it.

    Raises:
        Trouble: anything else; no word of the request or the reply is in it.
    """
    import httpx2
    import openai
    try:
        return _read(client.post("/chat/completions", body=body, cast_to=httpx2.Response).content)
    except openai.APIStatusError as error:
        raise Trouble(f"HTTP {error.status_code}", status=error.status_code, wait=_asked_wait(error.response.headers.get("Retry-After", ""))) from None
    except openai.APIConnectionError as error:
        unsent = isinstance(error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout)
        raise Trouble(str(error.__cause__ or type(error).__name__), may_bill=not unsent) from None
    except ValueError as error:
        raise Trouble(type(error).__name__, may_bill=True) from None


def _read(body: bytes) -> dict:
    """The parts of a chat completion; ValueError where it is none, so that it is asked again."""
    found = json.loads(body)
    try:
        choice = found["choices"][0]
        text, used = choice["message"]["content"], found.get("usage") or {}
        return {"text": text or "", "prompt_tokens": int(used.get("prompt_tokens") or 0), "reply_tokens": int(used.get("completion_tokens") or 0),
                "cut": choice.get("finish_reason") == "length"}
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError("not a chat completion") from error


def _asked_wait(asked: str) -> float | None:
    return float(asked) if re.fullmatch(r"\d+(\.\d+)?", asked) else None
