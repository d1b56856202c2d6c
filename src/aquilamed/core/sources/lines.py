"""Text files as bytes and lines: compressed or not, whole or in a range, with a limit on what is held at once."""

import bz2
import contextlib
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from aquilamed.core.errors import RecordError

COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
"""Endings of compressed files, behind the format's own."""
MAX_LINE_BYTES = 64 << 20
"""A longer line is not a record but a file in another format."""
Span = tuple[int, int, int]
"""(First byte, byte after the last or -1, number of the first line) of a part of a file."""
WHOLE = (0, -1, 1)
_WIDE = ("utf-16", "utf-32")


def opened(path: Path) -> BinaryIO:
    """The bytes of `path`, unpacked where its name says that it is compressed."""
    ending = path.suffix.lower()
    if ending == ".zst":
        return io.BufferedReader(pa.input_stream(str(path), compression="zstd"))
    return {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}.get(ending, open)(path, "rb")


class _Limited(io.RawIOBase):
    """The bytes of a file, until a line is longer than MAX_LINE_BYTES."""

    def __init__(self, path: Path):
        self.path, self.file, self.number, self.length = path, opened(path), 1, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        n = self.file.readinto(buffer)
        chunk = bytes(buffer[:n])
        end = chunk.rfind(b"\n")
        self.number += chunk.count(b"\n")
        self.length = n - end - 1 if end >= 0 else self.length + n
        if self.length > MAX_LINE_BYTES:
            raise too_long(self.path, self.number)
        return n

    def close(self) -> None:
        self.file.close()
        super().close()


def text(path: Path, encoding: str, newline: str | None = "", *, limited: bool = False) -> io.TextIOWrapper:
    """The characters of `path`; RecordError at a line that is too long where it is `limited`."""
    return io.TextIOWrapper(io.BufferedReader(_Limited(path), 1 << 20) if limited else opened(path), encoding=encoding, newline=newline)


def too_long(path: Path, number: int) -> RecordError:
    return RecordError(f"{path}, line {number}: longer than {MAX_LINE_BYTES >> 20} MB; a record a line is expected: "
                       "if the file is one JSON value, declare format='json'; if it is no text, take it out of the sources")


@contextlib.contextmanager
def unpacking(path: Path) -> Iterator[None]:
    """Tell a compressed file that is cut off or damaged by its name.

    Raises:
        RecordError: it is.
    """
    try:
        yield
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise RecordError(f"{path}: the compressed file is cut off or damaged ({error}); fetch it again") from error
    except OSError as error:
        if path.suffix.lower() not in COMPRESSED or error.errno is not None:
            raise
        raise RecordError(f"{path}: the compressed file is cut off or damaged ({error}); fetch it again") from error


def numbered(path: Path, encoding: str, span: Span = WHOLE) -> Iterator[tuple[int, str]]:
    """(number, line) of `path` or a part of it, lines ending in a newline alone.

    Raises:
        RecordError: a line is longer than MAX_LINE_BYTES, or is not in `encoding`; its number is named.
    """
    if encoding.lower().startswith(_WIDE):
        with text(path, encoding, "\n") as file:
            yield from enumerate(file, start=1)
        return
    begin, end, number = span
    with opened(path) as file:
        if begin:
            file.seek(begin)
        at = begin
        while at != end and (line := file.readline(MAX_LINE_BYTES + 1)):
            if len(line) > MAX_LINE_BYTES:
                raise too_long(path, number)
            at += len(line)
            yield number, _decoded(path, line, encoding if number == 1 else encoding.removesuffix("-sig"), number, at - len(line))
            number += 1


def spans(path: Path, size: int) -> list[Span]:
    """`path` in ranges of about `size` bytes that end at a newline, each with the number of its first line; a compressed file is one."""
    total = path.stat().st_size
    if path.suffix.lower() in COMPRESSED or total <= size:
        return [WHOLE]
    found, begin, number = [], 0, 1
    with path.open("rb") as file:
        while begin < total:
            file.seek(min(begin + size, total))
            file.readline(MAX_LINE_BYTES + 1)
            end = file.tell()
            found.append((begin, end, number))
            number += _newlines(file, begin, end)
            begin = end
    return found


def _newlines(file: BinaryIO, begin: int, end: int) -> int:
    file.seek(begin)
    n = 0
    while begin < end:
        chunk = file.read(min(1 << 22, end - begin))
        n += chunk.count(b"\n")
        begin += len(chunk)
    return n


def _decoded(path: Path, line: bytes, encoding: str, number: int, at: int) -> str:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError as error:
        raise RecordError(f"{path}, line {number}: byte {at + error.start} of the file is not {encoding}; mend it or declare encoding=") from error
