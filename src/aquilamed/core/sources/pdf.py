"""PDF files by PDFium (BSD-3-Clause): their text layer, without the lines that run along the heads and feet of pages."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.core.sources.files import Broken, Reading

EDGE = 3
"""Lines at the top and at the bottom of a page that may be furniture."""
RUN = 3
"""Pages on which a line must stand at one place, each at most two pages (left and right) after the one before; fewer where there are fewer than six pages, two at least."""
COLUMN = 24
"""Letters' widths: where the longest line of a page is shorter, its lines are those of a list or table and stay apart."""
_NUMBER = re.compile(r"\d+")
_ENDS = re.compile(r"[。！？!?.:：;；”\"）)]$")
_BEGINS = re.compile(r"\d{1,3}[.)、．]\s*\D|[（(]\d{1,3}[)）]|[-•·●▪■◆]\s|【|第[\d一二三四五六七八九十百]{1,4}[章节篇条]")
_HAN = re.compile(r"[\u3400-\u9fff\uff00-\uffef\u3000-\u303f]")
_CUT_WORD = re.compile(r"([A-Za-z]+)-$")
_FIRST_HALVES = frozenset("all alpha beta blood cross double dose end first follow full gamma half health heart high ill in large left life-long long low meta middle mid near non off on one "
                          "open over post pre randomised randomized re risk right second self short single small soft third three two under up upper well white x year".split())
"""Words after which a hyphen at a line's end belongs to the word, unless the document writes it without; written by us."""


def pdf(path: Path, reading: Reading, encoding: str) -> Iterator[tuple[int, dict | Broken]]:
    """The document of a file, or each of its pages; `furniture` says how many lines were left out.

    Raises:
        RecordError: not a whole PDF, or one with a password.
    """
    title, found = _texts(path)
    damaged = [number for number, page in enumerate(found, start=1) if page is None]
    if damaged:
        yield damaged[0], Broken(detail=f"page {damaged[0]} of {len(found)} can't be read: the file is damaged; fetch it again", raw=path.name)
        return
    pages = [_lines(page) for page in found]
    if not any(map(any, pages)):
        yield 1, Broken(reason="no_text_layer", detail=f"{len(pages)} pages without a text layer: scanned; recognise it first (OCR)", raw=path.name)
        return
    kept, n_gone = without_furniture(pages)
    words = Counter(word for lines in kept for line in lines for word in re.findall(r"[A-Za-z]+(?:-[A-Za-z]+)*(?=[^-A-Za-z])", line.lower() + " "))
    numbered = [(number, joined(lines, words)) for number, lines in enumerate(kept, start=1)]
    about = {"title": title, "furniture": str(n_gone)}
    if reading.unit == "page":
        yield from ((number, {"text": text.rstrip(), "page": str(number), **about, "_meta": {"page": str(number)}}) for number, text in numbered if text)
    else:
        yield 1, {"text": _bound([text for _, text in numbered], words), "pages": str(len(pages)), **about}


def without_furniture(pages: list[list[str]]) -> tuple[list[list[str]], int]:
    """The lines of each page but those that run along the heads or feet of pages: equal lines at one place, or page numbers; and how many lines that were.

    A document of nothing else is left as it is.
    """
    where = defaultdict(list)
    for number, lines in enumerate(pages):
        for place, line in _edges(lines):
            for key in _keys(line, number):
                where[place, key].append(number)
    least = max(2, min(RUN, len(pages) // 2))
    runs = {key: _in_runs(numbers, least) for key, numbers in where.items()}
    kept = []
    for number, lines in enumerate(pages):
        gone = {place % len(lines) for place, line in _edges(lines) if any(number in runs[place, key] for key in _keys(line, number))}
        kept.append([line for place, line in enumerate(lines) if place not in gone])
    n_gone = sum(map(len, pages)) - sum(map(len, kept))
    return (kept, n_gone) if any(map(any, kept)) else (pages, 0)


def joined(lines: Sequence[str], words: Counter) -> str:
    """Lines as paragraphs: one ends with a blank line, a short one that ends a sentence, or a very short one (a heading, a cell); numbers and marks of a list begin one.

    The text ends in a newline where its last paragraph has ended.
    """
    longest = max(map(_width, lines), default=0)
    paragraphs, now = [], ""
    for line in lines:
        if not line or _BEGINS.match(line):
            paragraphs.append(now)
            now = ""
        now = _appended(now, line, words)
        if now and not _CUT_WORD.search(line) and (_width(line) < (0.8 if _ENDS.search(line) else 0.5) * longest or longest < COLUMN):
            paragraphs.append(now)
            now = ""
    return "".join(f"{paragraph}\n" for paragraph in paragraphs if paragraph) + now


def _width(line: str) -> int:
    """Halves of a Chinese character: twice as wide as a letter."""
    return len(line) + len(_HAN.findall(line))


def _edges(lines: list[str]) -> list[tuple[int, str]]:
    """(Place, line) of the first and last lines of a page; places from the end are negative."""
    top = list(enumerate(lines[:EDGE]))
    return [(place, line) for place, line in [*top, *((-place, line) for place, line in enumerate(reversed(lines[-EDGE:]), start=1))] if line]


def _keys(line: str, number: int) -> list[str]:
    """What the line has in common with its fellows on other pages: its text, or its text but for the first or last number, which counts the pages."""
    keys = [line]
    for match in {match.start(): match for match in list(_NUMBER.finditer(line))[:1] + list(_NUMBER.finditer(line))[-1:]}.values():
        keys.append(f"{line[:match.start()]}\0{int(match[0][:9]) - number}\0{line[match.end():]}")
    return keys


def _in_runs(numbers: list[int], least: int) -> set[int]:
    """Those of the ascending `numbers` that belong to a run of at least `least`, steps of one or two."""
    found, run = set(), []
    for number in [*numbers, float("inf")]:
        if run and number - run[-1] > 2:
            found |= set(run) if len(run) >= least else set()
            run = []
        run.append(number)
    return found


def _bound(pages: Iterable[str], words: Counter) -> str:
    """Pages as one text; a paragraph that goes on over the page is not broken."""
    whole = ""
    for page in filter(None, pages):
        ends = whole.endswith("\n") or _ENDS.search(whole) or _BEGINS.match(page)
        whole = f"{whole.rstrip()}\n{page}" if ends and whole else _appended(whole, page, words)
    return whole.rstrip()


def _lines(text: str) -> list[str]:
    """The lines of a page; PDFium sets U+FFFE for a hyphen at a line's end, and leaves out the line break there."""
    text = re.sub(r"\ufffe(?:\r?\n)?", "-\n", text).replace("\r\n", "\n").strip("\n")
    return [line.strip() for line in text.split("\n")]


def _appended(before: str, line: str, words: Counter) -> str:
    if not before or not line:
        return before + line
    cut = _CUT_WORD.search(before)
    if cut and (rest := re.match(r"[a-z]+", line)):
        whole, parted = (cut[1] + rest[0]).lower(), f"{cut[1]}-{rest[0]}".lower()
        keeps = words[parted] > words[whole] or (words[parted] == words[whole] and cut[1].lower() in _FIRST_HALVES)
        return (before if keeps else before[:-1]) + line
    return before + ("" if cut or _HAN.match(before[-1]) or _HAN.match(line) else " ") + line


def _texts(path: Path) -> tuple[str, list[str | None]]:
    """(Title, text of each page, None for a damaged one)."""
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
        return document.get_metadata_value("Title").strip(), [_text(document, number, pypdfium2.PdfiumError) for number in range(len(document))]
    finally:
        document.close()


def _text(document, number: int, failure: type[Exception]) -> str | None:
    try:
        page = document[number]
        shown = page.get_textpage()
        text = shown.get_text_range()
        shown.close()
        page.close()
    except failure:
        return None
    return text
