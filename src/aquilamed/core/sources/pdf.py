"""PDF files by PDFium (BSD-3-Clause): their text layer, without the lines that stand at the head or foot of most pages."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.core.sources.files import Broken, Reading

EDGE = 3
"""Lines at the top and at the bottom of a page that may be furniture."""
OFTEN = 0.5
"""Share of the pages on which a line must stand to be furniture; on two at least."""
_DIGITS = re.compile(r"\d+|[ivxlc]+$", re.IGNORECASE)
_ENDS = re.compile(r"[。！？!?.:：;；”\"）)]$")
_HAN_END = re.compile(r"[\u3400-\u9fff\uff00-\uffef\u3000-\u303f]$")
_HAN_START = re.compile(r"^[\u3400-\u9fff\uff00-\uffef\u3000-\u303f]")


def pdf(path: Path, reading: Reading, encoding: str) -> Iterator[tuple[int, dict | Broken]]:
    """The document of a file, or each of its pages; `furniture` says how many lines were left out.

    Raises:
        RecordError: not a whole PDF, or one with a password.
    """
    pages = [_mended(text) for text in _texts(path)]
    kept, n_gone = without_furniture([page.split("\n") for page in pages])
    if not any(line.strip() for lines in kept for line in lines):
        yield 1, Broken(reason="no_text_layer", detail=f"{len(pages)} pages without a text layer: scanned; recognise it first (OCR)", raw=path.name)
        return
    numbered = [(number, joined(lines)) for number, lines in enumerate(kept, start=1)]
    if reading.unit == "page":
        yield from ((number, {"text": text, "page": str(number), "furniture": str(n_gone)}) for number, text in numbered if text)
    else:
        yield 1, {"text": _bound(text for _, text in numbered), "pages": str(len(pages)), "furniture": str(n_gone)}


def without_furniture(pages: list[list[str]]) -> tuple[list[list[str]], int]:
    """The lines of each page but those, numbers aside, that stand near the head or foot of most pages; and how many lines that were."""
    shapes: Counter = Counter()
    for lines in pages:
        shapes.update({shape for line in (*lines[:EDGE], *lines[-EDGE:]) if (shape := _shape(line))})
    furniture = {shape for shape, n in shapes.items() if n >= max(2, OFTEN * len(pages))}
    kept = [[line for place, line in enumerate(lines)
             if EDGE <= place < len(lines) - EDGE or _shape(line) not in furniture] for lines in pages]
    return kept, sum(map(len, pages)) - sum(map(len, kept))


def joined(lines: list[str]) -> str:
    """Lines as paragraphs: a line that ends a sentence and is short, or is blank, ends one; words cut at a line's end are mended."""
    longest = max((len(line.strip()) for line in lines), default=0)
    paragraphs, now = [], ""
    for line in (line.strip() for line in lines):
        now = _appended(now, line)
        if not line or (_ENDS.search(line) and len(line) < 0.8 * longest):
            paragraphs.append(now)
            now = ""
    return "\n".join(filter(None, [*paragraphs, now]))


def _bound(pages: Iterable[str]) -> str:
    """Pages as one text; a sentence that goes on over the page is not broken."""
    whole = ""
    for page in filter(None, pages):
        whole = whole + "\n" + page if not whole or _ENDS.search(whole) else _appended(whole, page)
    return whole.lstrip("\n")


def _mended(text: str) -> str:
    """The text of a page with `\\n` between lines; PDFium sets U+FFFE where a word was cut at a line's end."""
    return re.sub(r"(?<=[a-z])\ufffe(?=[a-z])", "", text.replace("\r\n", "\n")).replace("\ufffe", "-").strip("\n")


def _appended(before: str, line: str) -> str:
    if not before or not line:
        return before + line
    if re.search(r"[a-z]-$", before) and re.match(r"[a-z]", line):
        return before[:-1] + line
    return before + ("" if _HAN_END.search(before) or _HAN_START.search(line) else " ") + line


def _shape(line: str) -> str:
    return _DIGITS.sub("#", line.strip())


def _texts(path: Path) -> list[str]:
    try:
        import pypdfium2
    except ImportError as error:
        raise ConfigError(f"{path}: reading PDF needs the package pypdfium2: pip install 'aquilamed[web]'") from error
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        why = "it has a password: save it without one" if "password" in str(error).lower() else "is it cut off? Fetch it again"
        raise RecordError(f"{path}: not a PDF that can be opened ({error}); {why}") from error
    try:
        return [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()
