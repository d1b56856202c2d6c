"""The four kinds of record, as Arrow schemas, and how each gets its id.

`meta` carries where a row came from (`file`, `row`) and what the steps found out about it; it is never part of the id.
`license` is SPDX or `unknown`.
"""

import pyarrow as pa

from aquilamed.core import text as texts

_META = pa.map_(pa.string(), pa.string())
_MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
_ORIGIN = [("lang", pa.string()), ("source", pa.string()), ("license", pa.string()), ("meta", _META)]

SCHEMAS = {
    "documents": pa.schema([("id", pa.string()), ("text", pa.string()), *_ORIGIN]),
    "conversations": pa.schema([("id", pa.string()), ("messages", _MESSAGES), ("kind", pa.string()), *_ORIGIN]),
    "preferences": pa.schema(
        [("id", pa.string()), ("prompt", _MESSAGES), ("chosen", pa.string()), ("rejected", pa.string()),
         ("kind", pa.string()), *_ORIGIN]),
    "questions": pa.schema(
        [("id", pa.string()), ("stem", pa.string()), ("options", pa.list_(pa.string())), ("answers", pa.list_(pa.int32())),
         ("context", pa.string()), ("subject", pa.string()), *_ORIGIN]),
}
"""Record kind -> columns. A table of a kind has exactly these, in this order."""


def words_of(kind: str, row: dict) -> list[str]:
    """The texts of a record in reading order: what a filter looks at and an id is made of."""
    if kind == "documents":
        return [row["text"]]
    if kind == "conversations":
        return [message["content"] for message in row["messages"]]
    if kind == "preferences":
        return [*(message["content"] for message in row["prompt"]), row["chosen"], row["rejected"]]
    return [row["context"] or "", row["stem"], *row["options"]]


def make(kind: str, row: dict) -> dict:
    """`row` completed with `id` and, where it has none, `lang`, both from its words."""
    words = words_of(kind, row)
    lang = row.get("lang") or texts.language("\n".join(words))
    return {**row, "id": texts.content_id(*words), "lang": lang, "meta": row.get("meta") or {}}


def plain(row: dict) -> dict:
    """A row as read from Arrow, with its `meta` pairs made a dict."""
    return {**row, "meta": dict(row["meta"] or ())}
