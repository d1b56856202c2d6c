"""Fields of a raw row, named by path.

  a.b[0].c    member, item        a[]   all items, joined by newlines
  x|y         the first of them that is there
  x?          may be absent: then it is empty
  =word       the word itself, whatever the row
A name that stands in the row as it is (`No. of cases`) is that column. Besides its own, a row has `_stem`, the file's name
without its ending, and `_folder`, the first folder of the file's path below the source's.
"""

import functools
import re
from collections.abc import Iterable, Mapping

from aquilamed.core.config import check
from aquilamed.core.errors import RecordError

_ABSENT = object()
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(-?\d*)\]")
_HALF = re.compile("[\ud800-\udfff]")
RESERVED = ("file", "row", "piece", "repaired")
"""Names in a record's `meta` that the import itself writes."""


class Misfit(RecordError):
    """A row that does not fit what was declared of it; says which key and why, the caller adds file and row."""


def find(row: Mapping, path: str) -> object:
    """The value at `path`; None where the path is optional and nothing is there.

    Raises:
        Misfit: nothing is there; the keys that are, are named.
    """
    if path in row:
        return row[path]
    if path.startswith("="):
        return path[1:]
    for choice in path.removesuffix("?").split("|"):
        value = row[choice] if choice in row else _walk(row, choice)
        if value is not _ABSENT:
            return value
    if path.endswith("?"):
        return None
    there = ", ".join(str(key) for key in row if not str(key).startswith("_")) or "none"
    raise Misfit(f"no key {path!r}; the row has: {there}; write {path + '?'!r} where rows may lack it")


def text(row: Mapping, path: str) -> str:
    """The text at `path`; empty for null.

    Raises:
        Misfit: nothing is there, or something that is no text.
    """
    value = find(row, path)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Misfit(f"key {path!r}: expected text, found {shown(value)}")
    return value


def joined(row: Mapping, paths: Iterable[str], glue: str) -> str:
    """The texts at `paths` that are not blank, joined by `glue`."""
    return glue.join(part for path in paths if (part := text(row, path)).strip())


def plain(value: object) -> str:
    """A text or single value as text; lists and objects are refused with Misfit."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, list | dict):
        raise Misfit(f"expected a single value, found {shown(value)}")
    return str(value).lower() if isinstance(value, bool) else str(value)


def notes(row: Mapping, meta: Mapping[str, str]) -> dict[str, str]:
    """The declared `meta` of a row, and what its reader knows of where it is from (`_meta`); empty values are left out."""
    return {**row.get("_meta", {}), **{name: value for name, path in meta.items() if (value := plain(find(row, path)))}}


def check_meta(meta: Mapping[str, str]) -> None:
    """Refuse `meta` names that the import itself writes."""
    taken = sorted(set(meta) & set(RESERVED))
    check(not taken, f"meta: {', '.join(taken)} is written by the import itself; choose another name")


def cleaned(value: object) -> object:
    """`value` with the newlines in all its texts made \\n and NUL removed; the same object if nothing had to change.

    Raises:
        Misfit: half of a surrogate pair, which no file can hold.
    """
    if isinstance(value, str):
        if _HALF.search(value):
            raise Misfit("half of a surrogate pair stands in a text (a broken emoji, as a rule); mend or remove it")
        return _newlines(value) if "\r" in value or "\0" in value else value
    if isinstance(value, dict):
        made = {key: cleaned(item) for key, item in value.items()}
        return made if any(made[key] is not item for key, item in value.items()) else value
    if isinstance(value, list):
        items = [cleaned(item) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


def shown(value: object) -> str:
    """`[1, 2] (list)`, cut short: for messages."""
    spelled = repr(value)
    return f"{spelled if len(spelled) <= 60 else spelled[:57] + '...'} ({type(value).__name__})"


def _newlines(value: str) -> str:
    return value.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _walk(value: object, path: str) -> object:
    for name, index in _steps(path):
        if name:
            value = value.get(name, _ABSENT) if isinstance(value, dict) else _ABSENT
        elif not isinstance(value, list):
            return _ABSENT
        elif index == "":
            return _lines(value, path)
        else:
            value = value[int(index)] if -len(value) <= int(index) < len(value) else _ABSENT
        if value is _ABSENT:
            return value
    return value


def _lines(items: list, path: str) -> str:
    for item in items:
        if not isinstance(item, str):
            raise Misfit(f"key {path!r}: expected a list of texts, found {shown(item)} in it")
    return "\n".join(items)


@functools.lru_cache(maxsize=4096)
def _steps(path: str) -> tuple[tuple[str, str], ...]:
    found = tuple(_STEP.findall(path))
    check(len("".join(match.group() for match in _STEP.finditer(path))) == len(path) and bool(found), f"field {path!r}: expected a path like a.b[0].c")
    return found
