"""Web pages -> their own text, without navigation, advertising columns, footers, link lists and comments.

Pages are parsed and spelled out by resiliparse (Apache-2.0). Its own rules for the main content are not used: they leave out text nodes of
one character, such as the 、 between two links or the 钾 of a table, which is most Chinese pages. What is furniture is told here by elements,
by the names that pages give them, and by the share of links in a line.
"""

import codecs
import html
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.core.sources.files import Broken, Reading
from aquilamed.core.sources.lines import opened

MAX_PAGE = 64 << 20
"""Bytes; what is larger is no page."""
MAX_DEPTH = 4000
"""Elements inside one another. ours: the parser's stack of 8 MB is full at some 30,000; browsers stop at 512"""
MAX_UNREADABLE = 0.01
"""Share of a page's characters that its encoding does not know or that are control characters: above, it is no text."""
LINKED = 0.7
"""Share of a line's characters that are links: above, the line is furniture. ours: tables of linked terms stay below"""
FURNITURE = ["nav", "footer", "aside", "form", "button", "noscript", "[role=navigation]", "[role=banner]", "[role=contentinfo]", "[role=complementary]", "[role=search]",
             "[aria-hidden=true]", "[hidden]", "[style*='display:none' i]", "[style*='display: none' i]"]
"""Elements that are never the page's own text."""
_NAMES = re.compile(
    r"(?<![a-z0-9_-])(?:nav|menu|foot|footer|ad|ads|adv|share|social|related|tags|tools?|toolbar|login|pages|pager|toc|crumbs?|position|sign|signature|reply|sns|qrcode|banner|widget|top-?bar|hotline)(?![a-z0-9_-])"
    r"|side-?bar|breadcrumb|copyright|comment|pagination|recommend|\brelated-|-related\b|navigation|navbar|\bnav-|-nav\b|\bmenu-|-menu\b|\bfooter-|-footer\b|\bad-|-ads\b|advert|\bshare-|-share\b|\bsocial-"
    r"|cookie|popup|modal|newsletter|subscribe|\bwidget-|catlinks|editsection|\bvote|post-actions|prev-next|\blogin-|tag-list", re.IGNORECASE)
"""What pages call furniture in a class or id; written by us from what sites use."""
_CALLED = re.compile(r"""\s(class|id)\s*=\s*(?:"([^"<>]{1,200})"|'([^'<>]{1,200})'|([\w-]{1,100}))""")
FEW = 1000
"""Characters: where a page without what is named furniture has fewer, and with it has three times as many, a name was a frame's (`has-sidebar`) and is not believed."""
_NAMED = (re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE), re.compile(rb"^\s*<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([\w.:-]+)"))
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_ANY_BYTES = ("iso8859-1", "cp1252")
"""Encodings that read whatever bytes there are, and that servers declare unasked: not believed."""
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs"}
_TAG = re.compile(rb"<(/?)(?!(?:br|hr|img|input|meta|link|wbr|source|col|area|embed|param|track)\b)[a-z]", re.IGNORECASE)
_UNREADABLE = re.compile("[\0-\b\x0e-\x1f\x7f\ufffd]")
_LINK = re.compile(r"<a\b[^>]*>|</a>")
_MARKUP = re.compile(r"<[^>]+>")
_BLANK_LINES = re.compile(r"\n{3,}")
_RIGHTS = re.compile(r"©|\(c\)\s*\d{4}|版权所有|版權所有|ICP备|公网安备|all rights reserved", re.IGNORECASE)
_CRUMBS = re.compile(r"[^\d。，,.;；]{1,30}(?:\s*[>»›]\s*[^\d。，,.;；]{1,30}){2,}")
EDGE = 5
"""Lines at the foot of a page among which one may tell its rights, and at the head one that tells where in the site it stands."""


def pages(path: Path, reading: Reading, encoding: str) -> Iterator[tuple[int, dict | Broken]]:
    """The page of one HTML file."""
    with opened(path) as file:
        data = file.read(MAX_PAGE + 1)
    if len(data) > MAX_PAGE:
        raise RecordError(f"{path}: a page of more than {MAX_PAGE >> 20} MB; take it out of the sources, or check format=")
    if data:
        yield 1, page(data, reading.encoding)


def page(data: bytes, declared: str = "", served: str = "") -> dict | Broken:
    """`{"title", "text", "encoding", "furniture"}` of a page, or why it has none; `served` is the charset of an HTTP header."""
    if _depth(data) > MAX_DEPTH:
        return Broken(reason="not_html", detail=f"elements nested more than {MAX_DEPTH} deep", raw="")
    encoding, spelled = decoded(data, declared, served)
    if len(_UNREADABLE.findall(spelled)) > MAX_UNREADABLE * len(spelled):
        return Broken(reason="not_html", detail=f"no text in {encoding}", raw="")
    tree = package("resiliparse.parse.html").HTMLTree.parse(spelled)
    text, n_gone = own_lines(_spelled(tree, [*FURNITURE, *named_furniture(spelled)]))
    if len(text) < FEW and len((other := own_lines(_spelled(tree, FURNITURE)))[0]) > 3 * len(text):
        text, n_gone = other
    title = (tree.title or "").strip()
    if not text:
        return Broken(reason="no_text", detail="the page holds no text of its own", raw=title)
    return {"title": title, "text": text, "encoding": encoding, "furniture": str(n_gone)}


def named_furniture(spelled: str) -> list[str]:
    """Selectors of the elements of a page that are furniture by their class or id."""
    called = {(key, first or second or third) for key, first, second, third in _CALLED.findall(spelled)}
    return [f":not(html, body, main, article)[{key}={json.dumps(name, ensure_ascii=False)}]" for key, name in sorted(called) if "\\" not in name and _NAMES.search(name)]


def _spelled(tree, skipped: list[str]) -> str:
    extract = package("resiliparse.extract.html2text").extract_plain_text
    return extract(tree, preserve_formatting="minimal_html", links=True, alt_texts=False, list_bullets=False, skip_elements=skipped)


def own_lines(marked: str) -> tuple[str, int]:
    """The text of `marked` (text with simple tags) without lines that are mostly links, headings over nothing, rights and paths in the site; and how many went."""
    kept, headings, n_gone, in_link = [], [], 0, False
    for line in marked.split("\n"):
        share, in_link = _linked(line, in_link) if in_link or "<a" in line else (0.0, False)
        text = html.unescape(_MARKUP.sub("", line) if "<" in line else line).rstrip()
        if not text.strip():
            (headings or kept).append("")
        elif line.startswith("<h"):
            headings.append(text)
        elif share > LINKED:
            n_gone += 1 + sum(map(bool, headings[-1:]))
            headings = headings[:-1]
        else:
            kept += [*headings, text]
            headings = []
    n_gone += sum(map(bool, headings))
    filled = [number for number, line in enumerate(kept) if line]
    gone = {number for number in filled[:EDGE] if _CRUMBS.fullmatch(kept[number].strip())} | {number for number in filled[-EDGE:] if _RIGHTS.search(kept[number]) and len(kept[number]) < 200}
    text = "\n".join(line for number, line in enumerate(kept) if number not in gone)
    return _BLANK_LINES.sub("\n\n", text).strip("\n").rstrip(), n_gone + len(gone)


def decoded(data: bytes, declared: str = "", served: str = "") -> tuple[str, str]:
    """(Encoding, text) of a page: by its mark, UTF-8, what is declared, what its bytes look like; U+FFFD where a byte means nothing in it."""
    named = [found[1].decode() for pattern in _NAMED if (found := pattern.search(data[:4096]))]
    marks = [name for mark, name in _MARKS if data.startswith(mark)]
    tried = [declared] if declared else [*marks, "utf-8", *(name for said in (served, *named) if (name := _known(said)) not in ("", *_ANY_BYTES))]
    for name in tried:
        try:
            return name, data.decode(name)
        except UnicodeDecodeError:
            continue
    if declared or _almost_utf8(data):
        return tried[0], data.decode(tried[0], "replace")
    name = _known(package("resiliparse.parse.encoding").detect_encoding(data) or "") or "utf-8"
    return name, data.decode(name, "replace")


def package(name: str):
    """The module `name` of an optional package.

    Raises:
        ConfigError: it is not installed; the command that installs it is named.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ConfigError(f"reading web pages needs the package {name.split('.')[0]}: pip install 'aquilamed[web]'") from error


def _known(said: str) -> str:
    """Python's name of an encoding, the wider one where a name is used for it; empty if there is none."""
    try:
        name = codecs.lookup(said.strip()).name
    except LookupError:
        return ""
    return _WIDER.get(name, name)


def _almost_utf8(data: bytes) -> bool:
    """Whether all but one in a hundred of the characters outside ASCII are UTF-8."""
    text = data.decode("utf-8", "replace")
    return text.count("\ufffd") * 100 < sum(map(len, re.findall(r"[^\0-\x7f]+", text)))


def _depth(data: bytes) -> int:
    """How deep the elements of a page may be nested, at most; 0 where it has too few to matter."""
    if data.count(b"<") <= MAX_DEPTH:
        return 0
    depth = deepest = 0
    for tag in _TAG.finditer(data):
        depth = max(depth - 1, 0) if tag[1] else depth + 1
        deepest = max(deepest, depth)
    return deepest if deepest <= MAX_DEPTH else _depth_of_tree(data)


def _depth_of_tree(data: bytes) -> int:
    """The depth of the parsed page: an element need not be closed to end."""
    web = package("resiliparse.parse.html")
    deepest = 0

    def see(context) -> None:
        nonlocal deepest
        deepest = max(deepest, context.depth)
    web.traverse_dom(web.HTMLTree.parse(data.decode("latin-1")).document, see, lambda context: None)
    return deepest


def _linked(line: str, in_link: bool) -> tuple[float, bool]:
    """The share of a line's characters that are links, and whether a link goes on behind it."""
    n_linked = n_all = 0
    at = 0
    for mark in [*_LINK.finditer(line), None]:
        n = len("".join(_MARKUP.sub("", line[at:mark.start() if mark else len(line)]).split()))
        n_all, n_linked = n_all + n, n_linked + n * in_link
        if mark:
            in_link, at = mark[0] != "</a>", mark.end()
    return n_linked / max(n_all, 1), in_link
