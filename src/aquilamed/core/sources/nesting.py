"""Records inside one JSON value, by a declared path: `data[].paragraphs[]`, `exams{}.data[]`, `[:]`."""

import re
from collections.abc import Iterator

from aquilamed.core.sources.files import Broken

MAX_DEPTH = 200
"""Lists and objects inside one another. ours: Python's JSON reader itself stops below 1,000, sooner the deeper it is called"""
TOO_DEEP = f"lists and objects nested more than {MAX_DEPTH} deep"
_LEVEL = re.compile(r"\.?([^.\[\]{}]*)(\[\]|\{\}|\[:\])")


class NotThere(ValueError):
    """The value has another shape than the path says."""


def records(value: object, path: str) -> Iterator[dict | Broken]:
    """The records of `value` at `path`; with `_key` below `{}` and `_parent` where something stands around them.

    Raises:
        NotThere: the value has another shape; what is there is named.
    """
    levels = _LEVEL.findall(path or "[]")
    if "".join(match.group() for match in _LEVEL.finditer(path or "[]")) != (path or "[]"):
        raise NotThere(f"records={path!r}: expected names that end in [], {{}} or [:], like data[].paragraphs[]")
    for key, item, parent in _descend(value, levels, {}):
        yield record(item, key, parent)


def too_deep(value: object) -> bool:
    """Whether lists and objects are nested deeper in it than MAX_DEPTH."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [item for one in level if isinstance(one, list | dict) for item in (one.values() if isinstance(one, dict) else one)]
        if not level:
            return False
    return True


def _descend(value: object, levels: list, parent: dict) -> Iterator[tuple[str, object, dict]]:
    (name, mark), *rest = levels
    if name and not (isinstance(value, dict) and name in value):
        raise NotThere(f"records=: no key {name!r} in {_shape(value)}")
    around = parent | (_single_values(value) if name else {})
    for key, item in _items(value[name] if name else value, mark):
        if rest:
            yield from _descend(item, rest, around | ({"_key": key} if key else {}))
        else:
            yield key, item, around


def _items(value: object, mark: str) -> Iterator[tuple[str, object]]:
    if mark == "[]" and isinstance(value, list):
        yield from (("", item) for item in value)
    elif mark == "{}" and isinstance(value, dict):
        yield from value.items()
    elif mark == "[:]" and isinstance(value, dict) and all(isinstance(column, list) for column in value.values()):
        lengths = {name: len(column) for name, column in value.items()}
        if len(set(lengths.values())) > 1:
            raise NotThere(f"records=: columns of different lengths: {lengths}")
        yield from (("", dict(zip(value, row, strict=True))) for row in zip(*value.values(), strict=True))
    else:
        wanted = {"[]": "a list", "{}": "an object", "[:]": "an object of lists"}[mark]
        raise NotThere(f"records=: expected {wanted}, found {_shape(value)}; declare the path to the records, like data[].paragraphs[]")


def record(item: object, key: str = "", parent: dict | None = None) -> dict | Broken:
    """An item of a list or object as a row."""
    if too_deep(item):
        return Broken(detail=TOO_DEEP, raw="")
    if isinstance(item, str):
        item = {"value": item}
    if not isinstance(item, dict):
        return Broken(detail=f"expected an object, found {_shape(item)}", raw=str(item))
    return {**item, **({"_key": key} if key else {}), **({"_parent": parent} if parent else {})}


def _single_values(value: object) -> dict:
    members = value.items() if isinstance(value, dict) else ()
    return {name: member for name, member in members if isinstance(member, str | int | float)}


def _shape(value: object) -> str:
    if isinstance(value, dict):
        names = list(map(str, value))
        return f"an object with the keys {', '.join(names[:8])}{', ...' if len(names) > 8 else ''}"
    return "a list" if isinstance(value, list) else f"a {type(value).__name__}"
