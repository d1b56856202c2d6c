"""What a reply says in JSON, checked against a schema on our side whatever the endpoint promises; never a guess."""

import json
import re

from aquilamed.core.errors import ModelUnavailable

_OPEN = "<think>"
_FENCE = re.compile(r"^```(?:json)?\s*(.*?)\s*```$", re.DOTALL)


def asked(name: str, schema: dict) -> dict:
    """The `response_format` that asks an endpoint to keep to the schema."""
    return {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}}


def opened(prompt: str) -> str:
    """`<think>` where the prompt itself begins the thought, as some chat templates do: it belongs before the reply."""
    return _OPEN if prompt.rstrip().endswith(_OPEN) else ""


def unthought(reply: str) -> str:
    """The reply without the thought before it, for models that send it along: what stands behind the last `</think>`; empty where a thought never ends."""
    said = reply.rpartition("</think>")[2]
    return "" if _OPEN in said else said.strip()


def bare(reply: str) -> str:
    """The reply without a thought before it and a fence around it; one that begins as JSON does has no thought, whatever it quotes."""
    text = reply.strip() if reply.lstrip().startswith(("{", "```")) else unthought(reply)
    fenced = _FENCE.match(text)
    return fenced[1] if fenced else text


def read_object(reply: str) -> dict | None:
    """The JSON object that the reply is, or None where it is anything else."""
    try:
        found = json.loads(bare(reply))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def read(reply: str, schema: dict) -> dict | None:
    """The JSON object that the reply is, if the schema (JSON Schema 2020-12) admits it.

    Raises:
        ModelUnavailable: the package that checks it is not installed.
    """
    try:
        import jsonschema
    except ImportError as error:
        raise ModelUnavailable("checking a structured reply needs the package jsonschema, which is not installed: pip install 'aquilamed[remote]'") from error
    found = read_object(reply)
    return found if found is not None and jsonschema.Draft202012Validator(schema).is_valid(found) else None
