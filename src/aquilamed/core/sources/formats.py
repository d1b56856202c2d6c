"""One reader per file format: (path, reading, encoding) -> (number, row)."""

import csv
import datetime
import itertools
import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq

from aquilamed.core.errors import ModelUnavailable, RecordError
from aquilamed.core.sources import archive, jsonlist, lines, nesting, pdf, web
from aquilamed.core.sources.files import Broken, Reading

Rows = Iterator[tuple[int, dict | Broken]]
MOST_JSON = 1 << 30
"""Characters of a file that is one JSON value other than a list, and is read whole; in memory it takes about five times as much."""
MOST_TEXT = 256 << 20
"""Characters of a file that is one document."""


def jsonl(path: Path, reading: Reading, encoding: str, span: lines.Span = lines.WHOLE) -> Rows:
    for number, line in lines.numbered(path, encoding, span):
        if line.strip():
            yield number, _object(line, number)


def _object(line: str, number: int) -> dict | Broken:
    hint = "; if the file is one JSON value, declare format='json'" if number == 1 else " (is the line cut off?)"
    try:
        value = json.loads(line)
    except ValueError as error:
        return Broken(detail=f"not JSON: {error}{hint}", raw=line)
    except RecursionError:
        return Broken(detail=nesting.TOO_DEEP, raw=line)
    if not isinstance(value, dict):
        return Broken(detail=f"a JSON {type(value).__name__}, expected an object{hint}", raw=line)
    if line.count("[") + line.count("{") > nesting.MAX_DEPTH and nesting.too_deep(value):
        return Broken(detail=nesting.TOO_DEEP, raw=line)
    return value


def whole_json(path: Path, reading: Reading, encoding: str) -> Rows:
    with lines.text(path, encoding) as file:
        head = file.read(1 << 16)
        if head.lstrip().startswith("[") and reading.records in ("", "[]"):
            yield from enumerate(map(nesting.record, jsonlist.items(path, file, head)), start=1)
            return
        text = head + file.read(MOST_JSON)
    if len(text) > MOST_JSON:
        raise RecordError(f"{path}: one JSON value of more than {MOST_JSON >> 20:,} MB, which is read whole; write it as JSONL (jq -c '.data[]'), an object a line")
    if text.strip():
        yield from _records(path, text, reading)


def _records(path: Path, text: str, reading: Reading) -> Rows:
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise RecordError(f"{path}: {nesting.TOO_DEEP}; is it the right file?") from error
    except ValueError as error:
        hint = "declare format='jsonl' if it has one object a line" if "Extra data" in str(error) else "is the file cut off?"
        raise RecordError(f"{path}: not JSON: {error}; {hint}") from error
    try:
        yield from enumerate(nesting.records(value, reading.records), start=1)
    except nesting.NotThere as error:
        raise RecordError(f"{path}: {error}") from error


def comma_separated(path: Path, reading: Reading, encoding: str) -> Rows:
    return _separated(path, reading, encoding, ",")


def tab_separated(path: Path, reading: Reading, encoding: str) -> Rows:
    return _separated(path, reading, encoding, "\t")


def _separated(path: Path, reading: Reading, encoding: str, delimiter: str) -> Rows:
    csv.field_size_limit(lines.MAX_LINE_BYTES)
    quoting = {"quotechar": reading.quote} if reading.quote else {"quoting": csv.QUOTE_NONE, "quotechar": None}
    with lines.text(path, encoding, limited=True) as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True, **quoting)
        yield from _named(path, reading.columns, _begun(path, reader))


def _begun(path: Path, reader) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line each begins at."""
    while True:
        number = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise RecordError(f"{path}, row {number}: {error}; a quotation mark is not closed, doubled or escaped as CSV wants it: "
                              "mend it, or declare quote='' if the marks are ordinary characters") from error
        yield number, values


def _named(path: Path, columns: tuple[str, ...], given: Iterable[tuple[int, list[str]]], *, may_end_early: bool = False) -> Rows:
    """Lists of values as rows by column name; the first is the header unless `columns` names them. `may_end_early`: empty cells at a row's end are left out."""
    filled = ((number, values) for number, values in given if any(value.strip() for value in values))
    header = list(columns) or [name.strip() for name in next(filled, (0, []))[1]]
    twice = sorted({name for name in header if header.count(name) > 1 or not name})
    if twice:
        raise RecordError(f"{path}: its header has the columns {', '.join(map(repr, twice))} twice or without a name; "
                          "mend the header, or declare columns= if the file has none")
    for number, values in filled:
        if len(values) > len(header) or len(values) < len(header) and not may_end_early:
            yield number, Broken(detail=f"{len(values)} fields, but {len(header)} columns ({', '.join(header)}); a field with a "
                                 "separator in it needs quotation marks, an empty one its separator", raw=json.dumps(values, ensure_ascii=False))
        else:
            yield number, dict(zip(header, values, strict=False))


def excel(path: Path, reading: Reading, encoding: str) -> Rows:
    import openpyxl  # a third of a second, needed for this format alone
    from openpyxl.utils.exceptions import InvalidFileException
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise RecordError(f"{path}: not a whole xlsx workbook ({error}); save it again as .xlsx") from error
    try:
        name = reading.sheet or book.sheetnames[0]
        if name not in book.sheetnames:
            raise RecordError(f"{path}: no sheet {name!r}; there are: {', '.join(book.sheetnames)}")
        sheet = book[name]
        sheet.reset_dimensions()  # the size that is written in the file is often wrong
        yield from _named(path, (), ((number, _cells(row)) for number, row in enumerate(sheet.iter_rows(values_only=True), start=1)), may_end_early=True)
    finally:
        book.close()


def _cells(row: tuple) -> list[str]:
    """Cells as texts, without empty ones at the end."""
    cells = ["" if cell is None else cell.isoformat() if isinstance(cell, datetime.date | datetime.time) else str(cell) for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def parquet(path: Path, reading: Reading, encoding: str) -> Rows:
    try:
        batches = pq.ParquetFile(path).iter_batches(batch_size=8192)
        rows = itertools.chain.from_iterable(batch.to_pylist() for batch in batches)
        yield from enumerate(rows, start=1)
    except (pa.ArrowInvalid, OSError) as error:
        raise RecordError(f"{path}: not a whole Parquet file ({error}); fetch or make it again") from error


def plain_text(path: Path, reading: Reading, encoding: str) -> Rows:
    with lines.text(path, encoding, limited=reading.unit != "file") as file:
        if reading.unit == "file":
            pieces = ((1, text) for text in [_whole(path, file)] if text)
        elif reading.unit == "line":
            pieces = ((number, line.rstrip("\r\n")) for number, line in enumerate(file, start=1) if line.strip())
        else:
            pieces = _paragraphs(path, file)
        for number, text in pieces:
            yield number, {"text": text}


def _whole(path: Path, file: TextIO) -> str:
    text = file.read(MOST_TEXT + 1)
    if len(text) > MOST_TEXT:
        raise RecordError(f"{path}: one document of more than {MOST_TEXT >> 20} million characters; declare unit='line' or 'paragraph' (txt), or cut the file")
    return text


def _paragraphs(path: Path, given: Iterable[str]) -> Iterator[tuple[int, str]]:
    begun, size, texts = 0, 0, []
    for number, line in enumerate(itertools.chain(given, ("",)), start=1):
        if line.strip():
            begun, size = begun if texts else number, size + len(line)
            texts.append(line)
            if size > lines.MAX_LINE_BYTES:
                raise RecordError(f"{path}, line {begun}: a paragraph of more than {lines.MAX_LINE_BYTES >> 20} MB; declare unit='line'")
        elif texts:
            yield begun, "".join(texts).rstrip("\r\n")
            size, texts = 0, []


def xml(path: Path, reading: Reading, encoding: str) -> Rows:
    with lines.text(path, encoding) as file:
        text = _whole(path, file)
    try:
        yield from _elements(ElementTree.fromstring(text), reading)
    except RecursionError as error:
        raise RecordError(f"{path}: elements nested too deep; is it the right file?") from error
    except ElementTree.ParseError as error:
        raise RecordError(f"{path}: not well-formed XML: {error}; is the file cut off?") from error


def _elements(root: ElementTree.Element, reading: Reading) -> Rows:
    parent = {f"@{name}": value for name, value in root.attrib.items()}
    parent |= {child.tag: child.text or "" for child in root if not len(child)}
    found = [element for choice in reading.records.split("|") for element in root.iterfind(choice)]
    for number, element in enumerate(found, start=1):
        yield number, {**_element(element), "_parent": parent}


def _element(element: ElementTree.Element) -> dict:
    """`{"@attribute": ..., "#text": all text inside, child: {...} or a list of them}`."""
    made: dict = {f"@{name}": value for name, value in element.attrib.items()}
    made["#text"] = "".join(element.itertext())
    for tag in dict.fromkeys(child.tag for child in element):
        children = [_element(child) for child in element if child.tag == tag]
        made[tag] = children if len(children) > 1 else children[0]
    return made


def hub(path: Path, reading: Reading, encoding: str) -> Rows:
    name = path.as_posix()
    advice = "download it where there is a network and give the file's path with its format"
    try:
        import datasets
        found = datasets.load_dataset(name, reading.subset or None, split=reading.split, revision=reading.revision)
    except ImportError as error:
        raise ModelUnavailable(f"{name}: reading from the hub needs the package datasets (pip install datasets), or {advice}") from error
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"{name} (split {reading.split}, revision {reading.revision}): the hub did not give it: {error}; {advice}") from error
    yield from enumerate(found, start=1)


READERS = {"jsonl": jsonl, "json": whole_json, "csv": comma_separated, "tsv": tab_separated, "parquet": parquet, "xlsx": excel,
           "txt": plain_text, "markdown": plain_text, "xml": xml, "html": web.pages, "warc": archive.records, "pdf": pdf.pdf, "hub": hub}
