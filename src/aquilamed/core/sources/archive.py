"""WARC archives, read by FastWARC (Apache-2.0): a document a page, and every record that is none with its reason.

A cut-off or damaged archive is an error, never a shorter one: each record's bytes are counted against what its header says.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from aquilamed.core.errors import RecordError
from aquilamed.core.sources import web
from aquilamed.core.sources.files import Broken, Reading
from aquilamed.core.sources.lines import opened

ABOUT = ("warcinfo", "request", "metadata")
"""Kinds of record that tell of others and hold no document."""
_HTML = ("", "text/html", "application/xhtml+xml")


class _Forward:
    """A stream that is read once and knows how far: all that FastWARC asks for, and more than a zstd stream of Arrow offers."""

    def __init__(self, file: BinaryIO):
        self.file, self.at = file, 0

    def read(self, n: int = -1) -> bytes:
        data = self.file.read(n)
        self.at += len(data)
        return data

    def tell(self) -> int:
        return self.at


def records(path: Path, reading: Reading, encoding: str) -> Iterator[tuple[int, dict | Broken]]:
    """Pages (response, resource), texts (conversion: WET files), and what is neither as Broken with a reason; numbered among the records that are no `ABOUT`.

    Raises:
        RecordError: not a WARC file, or cut off.
    """
    fastwarc = web.package("fastwarc.warc")
    place = number = 0
    try:
        with opened(path) as file:
            for record in fastwarc.ArchiveIterator(_Forward(file), parse_http=False, stream_detect=False):
                place += 1
                block = _block(record, path, place)
                if _kind(record) not in ABOUT:
                    number += 1
                    yield number, _row(fastwarc, record, block, reading)
    except (OSError, EOFError, ValueError) as error:
        raise RecordError(f"{path}, record {place + 1}: no WARC record, or the archive is cut off or damaged ({' '.join(str(error).split())[:200]}); "
                          "fetch it again, or check format=") from error


def _kind(record) -> str:
    return (record.headers.get("WARC-Type") or "unknown").lower()


def _block(record, path: Path, place: int) -> bytes | None:
    """What a record holds; None where that is too much for a page.

    Raises:
        RecordError: the archive ends before it does.
    """
    said = record.headers.get("Content-Length") or ""
    n = int(said) if said.isdigit() else -1
    block = record.reader.read() if n <= web.MAX_PAGE else None
    n_read = len(block) if block is not None else record.reader.consume()
    if n_read != n:
        raise RecordError(f"{path}, record {place}: the archive is cut off in it ({n_read:,} of {said or 'an unknown number of'} bytes); fetch it again")
    return block


def _row(fastwarc, record, block: bytes | None, reading: Reading) -> dict | Broken:
    kind, url = _kind(record), (record.headers.get("WARC-Target-URI") or "").strip("<>")
    if block is None:
        return _none("too_large", f"{record.headers.get('Content-Length')} bytes", url)
    if kind not in ("response", "resource", "conversion"):
        return _none(kind, "no content of its own", url)
    origin = {name: value for name, key in (("url", "WARC-Target-URI"), ("date", "WARC-Date"), ("truncated", "WARC-Truncated")) if (value := (record.headers.get(key) or "").strip("<>"))}
    if kind == "conversion":
        return _with_origin({"title": "", "text": block.decode("utf-8", "replace").strip(), "content_type": record.headers.get("Content-Type") or ""}, origin)
    response = _response(fastwarc, block) if record.is_http else (200, record.headers.get("Content-Type") or "", block)
    if response is None:
        return _none("bad_http", "no HTTP response that can be read", url)
    status, content_type, body = response
    media, _, said = content_type.lower().partition(";")
    if status != 200:
        return _none("http_error", f"status {status}", url)
    if media.strip() not in _HTML:
        return _none("not_html", media.strip()[:80], url)
    row = web.page(body, reading.encoding, said.partition("charset=")[2].strip(" \"';"))
    return _none(row.reason, row.detail, url) if isinstance(row, Broken) else _with_origin({**row, "content_type": media.strip() or "text/html"}, origin)


def _response(fastwarc, block: bytes) -> tuple[int, str, bytes] | None:
    """(Status, content type, body) of an HTTP response, unpacked as it says; as it stands where it is not packed as it says."""
    for packed in ("all", "none"):
        made = fastwarc.WarcRecord()
        made.init_headers(fastwarc.WarcRecordType.response)
        made.set_bytes_content(block)
        made.is_http = True
        try:
            made.parse_http(auto_decode=packed)
            return int(made.http_headers.status_code or 0), made.http_headers.get("Content-Type") or "", made.reader.read(web.MAX_PAGE)
        except (OSError, EOFError, ValueError):
            continue
    return None


def _with_origin(row: dict, origin: dict) -> dict:
    """`row` with where it is from, also in the record's meta whatever the mapping says."""
    return {**row, **origin, "_meta": origin}


def _none(reason: str, detail: str, url: str) -> Broken:
    return Broken(reason=reason, detail=f"{url}: {detail}", raw=url)
