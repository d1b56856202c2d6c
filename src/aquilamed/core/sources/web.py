"""Web pages: HTML files and WARC archives, one document a page, without navigation, advertising columns, footers and comments.

Pages are read by resiliparse and archives by FastWARC (both Apache-2.0), whose rules for the main content know no language.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.core.sources.files import Broken, Reading
from aquilamed.core.sources.lines import opened

_HTML = ("text/html", "application/xhtml+xml")
_LATIN = ("iso-8859-1", "latin-1", "windows-1252", "ascii")
_BLANKS = re.compile(r"\n{3,}")
FURNITURE = ["nav", "footer", "aside", "form", "[role=navigation]", "[role=banner]", "[role=contentinfo]", "[aria-hidden=true]"]
"""Elements that are never the page's own text."""


def html(path: Path, reading: Reading, encoding: str) -> Iterator[tuple[int, dict | Broken]]:
    """The page of one file."""
    with opened(path) as file:
        data = file.read()
    if data:
        row = page(data, reading.encoding)
        yield 1, row if row["text"] else Broken(reason="no_text", detail="the page holds no text of its own", raw=row["title"])


def warc(path: Path, reading: Reading, encoding: str) -> Iterator[tuple[int, dict | Broken]]:
    """Every record that holds content: pages (response), texts (conversion) and what is neither, with the reason.

    Raises:
        RecordError: not a WARC file, or cut off.
    """
    fastwarc = _package("fastwarc.warc")
    kinds = fastwarc.WarcRecordType
    number = 0
    try:
        with path.open("rb") as file:
            for record in fastwarc.ArchiveIterator(file):
                if record.record_type not in (kinds.response, kinds.conversion, kinds.resource):
                    continue
                number += 1
                yield number, _row(record, record.record_type == kinds.conversion, reading)
    except (OSError, EOFError, ValueError) as error:
        raise RecordError(f"{path}, record {number + 1}: the archive is cut off or damaged ({error}); fetch it again") from error
    if not number and path.stat().st_size:
        raise RecordError(f"{path}: no WARC record in it; is it another format, or cut off?")


def page(data: bytes, declared: str = "") -> dict:
    """`{"title", "text", "encoding"}` of a page."""
    encoding = declared or encoding_of(data)
    tree = _package("resiliparse.parse.html").HTMLTree.parse(_package("resiliparse.parse.encoding").bytes_to_str(data, encoding))
    extract = _package("resiliparse.extract.html2text").extract_plain_text
    text = extract(tree, main_content=True, comments=False, post_meta=False, alt_texts=False, list_bullets=False, skip_elements=FURNITURE)
    return {"title": (tree.title or "").strip(), "text": _BLANKS.sub("\n\n", text).strip(), "encoding": encoding}


def encoding_of(data: bytes) -> str:
    """UTF-8 where it is that, else what the page declares, else what its bytes look like; GB2312 and GBK are read as GB18030."""
    try:
        data.decode("utf-8-sig")
        return "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8"
    except UnicodeDecodeError:
        named = re.search(rb"charset\s*=\s*[\"']?([A-Za-z0-9_-]+)", data[:4096])
        said = named[1].decode().lower() if named else ""
        found = said if said and said not in (*_LATIN, "utf-8") else _package("resiliparse.parse.encoding").detect_encoding(data)
        return "gb18030" if found in ("gb2312", "gbk", "gb_2312-80") else found


def _row(record, is_text: bool, reading: Reading) -> dict | Broken:
    url, date = record.headers.get("WARC-Target-URI") or "", record.headers.get("WARC-Date") or ""
    origin = {"url": url.strip("<>"), "date": date}
    if is_text:
        return {**origin, "title": "", "text": record.reader.read().decode("utf-8", "replace").strip(), "content_type": "text/plain"}
    if record.http_headers is None:
        return Broken(reason="no_http", detail=f"{url}: a record without an HTTP response", raw=url)
    kind = (record.http_content_type or "").lower()
    if record.http_headers.status_code and int(record.http_headers.status_code) != 200:
        return Broken(reason="http_error", detail=f"{url}: status {record.http_headers.status_code}", raw=url)
    if kind not in _HTML:
        return Broken(reason="not_html", detail=f"{url}: {kind or 'no content type'}", raw=url)
    found = page(record.reader.read(), reading.encoding or _declared(record))
    row = {**origin, **found, "content_type": kind}
    return row if row["text"] else Broken(reason="no_text", detail=f"{url}: the page holds no text of its own", raw=url)


def _declared(record) -> str:
    """The charset of the HTTP header, where it can be believed."""
    said = (record.http_charset or "").lower()
    return "" if said in (*_LATIN, "utf-8", "") else "gb18030" if said in ("gb2312", "gbk") else said


def _package(name: str):
    import importlib
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ConfigError(f"reading web pages needs the package {name.split('.')[0]}: pip install 'aquilamed[web]'") from error
