"""A JSON list read item by item, so that a file of any size takes the memory of one item."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from aquilamed.core.errors import RecordError
from aquilamed.core.sources.nesting import TOO_DEEP

MAX_ITEM = 64 << 20
"""Characters."""
CHUNK = 1 << 20
_BLANK = re.compile(r"[ \t\r\n]*")


def items(path: Path, file: TextIO, head: str) -> Iterator[object]:
    """The items of the list that begins in `head` and goes on in `file`.

    Raises:
        RecordError: what stands there is not JSON; the line is named.
    """
    window = _Window(path, file, head)
    window.take("[")
    if window.peek() == "]":
        window.take("]")
    else:
        while True:
            yield window.item()
            if window.take(",]") == "]":
                break
    if window.peek():
        raise window.wrong("Extra data after the list; declare format='jsonl' if it has one value a line")


class _Window:
    """The part of the text that is being read."""

    def __init__(self, path: Path, file: TextIO, head: str):
        self.path, self.file, self.text, self.at, self.line = path, file, head, 0, 1
        self.decode = json.JSONDecoder().raw_decode

    def peek(self) -> str:
        """The next character that is not blank; empty at the end."""
        while (end := _BLANK.match(self.text, self.at).end()) == len(self.text):
            self.at = end
            if not self._more(CHUNK):
                return ""
        self.at = end
        return self.text[end]

    def take(self, expected: str) -> str:
        found = self.peek()
        if not found or found not in expected:
            raise self.wrong(f"expected {' or '.join(expected)}, found {found!r}" if found else "it ends inside the list; is the file cut off?")
        self.at += 1
        return found

    def item(self) -> object:
        self.peek()
        while True:
            try:
                value, end = self.decode(self.text, self.at)
            except RecursionError as error:
                raise self.wrong(TOO_DEEP) from error
            except ValueError as error:
                end, told = len(self.text), str(error).partition(": line")[0]
            else:
                told = "it ends inside the list"
            if end < len(self.text):  # a number at the end of what is read may go on
                self.at = end
                return value
            if len(self.text) - self.at > MAX_ITEM:
                raise self.wrong(f"{told}, or an item of more than {MAX_ITEM >> 20} million characters")
            if not self._more(max(CHUNK, len(self.text) - self.at)):
                raise self.wrong(f"{told}; is the file cut off?")

    def wrong(self, told: str) -> RecordError:
        line = self.line + self.text.count("\n", 0, self.at)
        return RecordError(f"{self.path}: not JSON: {told} (near line {line})")

    def _more(self, n: int) -> bool:
        """Read on, and forget what is behind; False at the end."""
        more = self.file.read(n)
        self.line += self.text.count("\n", 0, self.at)
        self.text, self.at = self.text[self.at:] + more, 0
        return bool(more)
