"""Settings as frozen dataclasses: one stable spelling for hashing, and `step.field=value` from the command line."""

import dataclasses
import difflib
import json
import types
import typing
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from aquilamed.core.errors import ConfigError

NEUTRAL = {"neutral": True}
"""`metadata` of a field that changes nothing of what a step makes: it is neither hashed nor recorded."""


def canonical_json(value: object) -> str:
    """The one spelling of `value` that is hashed: sorted keys, no blanks.

    Raises:
        ConfigError: something in it (a function, an open file) has no stable spelling.
    """
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)
    except TypeError as error:
        raise ConfigError(f"settings can't be fingerprinted: {error}") from error


def as_json(value: object) -> object:
    """`value` as plain JSON values."""
    return json.loads(canonical_json(value))


def override(config: object, values: typing.Mapping[str, str]) -> object:
    """`config` with the field at each dotted key set from its text, parsed by the field's type; all at once, then checked.

    A key below a mapping (`limits.bpb-general=0.05`) sets that entry and keeps the others.

    Raises:
        ConfigError: no such field (the nearest name is offered) or a value that does not fit.
    """
    kinds = typing.get_type_hints(type(config))
    names = [field.name for field in dataclasses.fields(config)]
    made, inner = {}, defaultdict(dict)
    for key, text in values.items():
        head, _, rest = key.partition(".")
        check(head in names, f"no setting {head!r}{nearest(head, names)}")
        if rest:
            inner[head][rest] = text
        else:
            made[head] = _parse(text, kinds[head], key)
    for head, texts in inner.items():
        if typing.get_origin(kinds[head]) is Mapping:
            kind = typing.get_args(kinds[head])[1]
            made[head] = {**getattr(config, head), **{key: _parse(text, kind, f"{head}.{key}") for key, text in texts.items()}}
            continue
        check(dataclasses.is_dataclass(getattr(config, head)), f"{head} has no settings of its own")
        made[head] = override(getattr(config, head), texts)
    return dataclasses.replace(config, **made)


def nearest(name: str, known: typing.Iterable[str]) -> str:
    """`; did you mean 'x'?`, or the list of what there is."""
    known = list(known)
    close = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are: {', '.join(known)}"


def check(condition: bool, message: str) -> None:
    """Raise `ConfigError(message)` unless `condition`: for `__post_init__`."""
    if not condition:
        raise ConfigError(message)


def _parse(text: str, kind: object, key: str) -> object:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return None if text == "none" else _parse(text, next(a for a in args if a is not type(None)), key)
    if origin is typing.Literal:
        check(text in args, f"{key}={text}: expected one of {', '.join(map(str, args))}")
        return text
    if origin is tuple:
        return tuple(_parse(item, args[0], key) for item in text.split(",") if item)
    if kind is bool:
        check(text in ("true", "false"), f"{key}={text}: expected true or false")
        return text == "true"
    check(kind in (int, float, str, Path), f"{key}: can't be set from the command line; edit the recipe")
    try:
        return kind(text)
    except ValueError as error:
        raise ConfigError(f"{key}={text}: expected {kind.__name__}") from error


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if not field.metadata.get("neutral")}
    if isinstance(value, Path):
        return value.as_posix()
    raise TypeError(f"{type(value).__name__} has no stable spelling")
