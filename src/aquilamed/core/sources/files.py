"""Files of every kind, read row by row."""

import codecs
import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

from aquilamed.core.config import check
from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.core.sources.encoding import encoding_of
from aquilamed.core.sources.lines import COMPRESSED, Span, unpacking

Format = Literal["jsonl", "json", "csv", "tsv", "parquet", "xlsx", "txt", "markdown", "xml", "html", "warc", "pdf", "hub"]
SUFFIXES = {
    "jsonl": (".jsonl", ".ndjson", ".json"), "json": (".json",), "csv": (".csv",), "tsv": (".tsv",), "parquet": (".parquet",),
    "xlsx": (".xlsx",), "txt": (".txt",), "markdown": (".md", ".markdown"), "xml": (".xml",), "html": (".html", ".htm", ".xhtml"),
    "warc": (".warc", ".wet"), "pdf": (".pdf",),
}
"""Format -> endings of the files that are taken from a folder; `.gz`, `.bz2`, `.xz`, `.zst` may follow."""
TEXT = ("jsonl", "json", "csv", "tsv", "txt", "markdown", "xml")
"""Formats that have an encoding."""
_USED_BY = {"encoding": (*TEXT, "html", "warc"), "records": ("json", "xml"), "columns": ("csv", "tsv"), "quote": ("csv", "tsv"), "sheet": ("xlsx",),
            "unit": ("txt", "pdf"), "split": ("hub",), "revision": ("hub",), "subset": ("hub",)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reading:
    """How files are to be read; an option that the format has no use for is refused."""

    format: Format
    """jsonl (one object a line, whatever the file is called), json (one value), csv, tsv, parquet, xlsx, txt, markdown,
    xml, html (a page a file), warc (pages of an archive, or texts of a WET file), pdf, or hub (a data set of the Hugging Face hub; `path` is its id).
    Text, html, warc and parquet files may be compressed (`.gz`, `.bz2`, `.xz`, `.zst`)."""
    encoding: str = ""
    """Python's name of the encoding; empty: found out (mark, UTF-8, GB18030). ours: no default is right for Chinese files"""
    records: str = ""
    """json: where the records are: `data[].paragraphs[]` (lists), `exams{}.data[]` (values of an object; the name is
    `_key`), `[:]` (an object of columns); empty: the file is a list. The single values around a record are its `_parent`.
    xml: the path of the record elements, alternatives by `|`: `.//QAPair|.//pair`."""
    columns: tuple[str, ...] = ()
    """csv, tsv: the columns' names where the file has no header; empty: the first row is the header."""
    quote: str = '"'
    """csv, tsv: the quotation mark around fields; empty: quotation marks are ordinary characters."""
    sheet: str = ""
    """xlsx: the sheet's name; empty: the first."""
    unit: Literal["file", "line", "paragraph", "page"] = "file"
    """txt: what one document is, a file, line or paragraph (what blank lines separate); pdf: a file or a page."""
    split: str = "train"
    """hub: which split."""
    revision: str = ""
    """hub: commit, tag or branch; must be given, because a hub's files change under the same name."""
    subset: str = ""
    """hub: the configuration's name; empty: the default one."""

    def __post_init__(self):
        check(self.format in get_args(Format), f"format={self.format!r}: expected one of {', '.join(get_args(Format))}")
        for field in dataclasses.fields(Reading):
            users = _USED_BY.get(field.name, (self.format,))
            check(self.format in users or getattr(self, field.name) == field.default,
                  f"{field.name}={getattr(self, field.name)!r} is for {', '.join(users)}, not for format={self.format!r}")
        check(self.format != "xml" or bool(self.records), "format='xml' needs records=, the path of its record elements: './/QAPair'")
        check(self.format != "hub" or bool(self.revision), "format='hub' needs revision=: a commit (best), a tag or a branch")
        units = {"txt": ("file", "line", "paragraph"), "pdf": ("file", "page")}.get(self.format, ("file",))
        check(self.unit in units, f"unit={self.unit!r} is not for format={self.format!r}; expected one of {', '.join(units)}")
        check(len(self.quote) <= 1, f"quote={self.quote!r}: expected one character or none")
        check(isinstance(self.columns, tuple), f"columns={self.columns!r}: expected a tuple of names")
        try:
            codecs.lookup(self.encoding or "utf-8")
        except LookupError as error:
            raise ConfigError(f"encoding={self.encoding!r}: Python knows no such encoding") from error


@dataclasses.dataclass(frozen=True, kw_only=True)
class Broken:
    """A row that can't be read at all, or that holds nothing to read."""

    detail: str
    raw: str
    """What stands there."""
    reason: str = ""
    """Where it is in order that nothing can be read there: what it is; it is then dropped and counted."""


def find(path: Path | str, reading: Reading) -> list[tuple[Path, str]]:
    """The files of `path` (a file, a folder or a pattern with `*`, `?`, `[ab]`, `{one,other}`) with their names below it, sorted by name.

    Of a folder, the files whose ending fits the format are taken, hidden ones not.

    Raises:
        ConfigError: there are none.
    """
    path = Path(path)
    if path.is_file():
        return [(path, path.name)]
    top, inside = _top(path)
    found = sorted((p.relative_to(top).as_posix(), p) for p in set(inside) if p.is_file() and not p.name.startswith("."))
    if path.is_dir():
        found = [(name, p) for name, p in found if fits(name, reading)]
    if not found:
        raise ConfigError(f"{path}: no {reading.format} file there; check the path in the recipe")
    return [(p, name) for name, p in found]


def rows(path: Path | str, reading: Reading) -> Iterator[tuple[int, dict]]:
    """(number, row) of one file. The number is the line (jsonl, csv, tsv, txt) or sheet row (xlsx) at which the row begins,
    else its place, from 1. Blank lines are no rows.

    Raises:
        RecordError: the file or a row of it can't be read, or there is no row; file, row and what to do are named.
        ModelUnavailable: the hub can't be reached.
    """
    encoding = encoding_of(Path(path), reading.encoding) if reading.format in TEXT else ""
    n_rows = 0
    for number, row in attempt(path, reading, encoding):
        if isinstance(row, Broken) and not row.reason:
            raise RecordError(f"{path}, row {number}: {row.detail}")
        n_rows += 1
        if not isinstance(row, Broken):
            yield number, row
    if not n_rows:
        raise RecordError(f"{path}: holds no {reading.format} rows; take it out of the sources or check format=")


def attempt(path: Path | str, reading: Reading, encoding: str, span: Span = (0, -1, 1)) -> Iterator[tuple[int, dict | Broken]]:
    """`rows`, but what can't be read comes as Broken, as far as the rows after it can be told apart; of jsonl, those of a range."""
    from aquilamed.core.sources.formats import READERS, jsonl
    with unpacking(Path(path)):
        yield from jsonl(Path(path), reading, encoding, span) if reading.format == "jsonl" else READERS[reading.format](Path(path), reading, encoding)


def fits(name: str, reading: Reading) -> bool:
    """Whether a file's name ends as its format does, compressed or not."""
    stem, dot, ending = name.lower().rpartition(".")
    return (stem if dot + ending in COMPRESSED else name.lower()).endswith(SUFFIXES[reading.format])


def _top(path: Path) -> tuple[Path, Iterator[Path]]:
    """The folder above the first wildcard of `path`, and what `path` matches."""
    if path.is_dir():
        return path, path.rglob("*")
    parts = path.parts
    wild = next((i for i, part in enumerate(parts) if set(part) & set("*?[{")), None)
    if wild is None:
        raise ConfigError(f"{path}: no such file or folder; check the path in the recipe")
    top = Path(*parts[:wild])
    return top, itertools.chain.from_iterable(map(top.glob, _alternatives("/".join(parts[wild:]))))


def _alternatives(pattern: str) -> list[str]:
    """`{a,b}/x` as `a/x` and `b/x`."""
    head, brace, rest = pattern.partition("{")
    if not brace:
        return [pattern]
    inside, _, tail = rest.partition("}")
    return [one for choice in inside.split(",") for one in _alternatives(head + choice + tail)]
