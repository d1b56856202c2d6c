"""What one model was paid: an append-only file beside its replies, which no request passes the budget of.

A request is entered with the most that it can take before it is sent, and closed with what it took once its reply is kept. An entry that was never closed
(its process was killed) stays counted in full, since the endpoint may bill it.
"""

import contextlib
import dataclasses
import fcntl
import functools
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO


@dataclasses.dataclass(frozen=True)
class Tokens:
    """Tokens that were read and written."""

    prompt: int = 0
    reply: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(self.prompt + other.prompt, self.reply + other.reply)


class Ledger:
    """The account in one file; threads and processes may share it."""

    def __init__(self, path: Path):
        self.path = path
        self._turn = threading.Condition()
        self._read = 0
        self._closed = Tokens()
        self._open: dict[str, Tokens] = {}
        self._ours: set[str] = set()

    def total(self) -> Tokens:
        """All that was entered, by whichever process: what was paid, and in full what is still open."""
        with self._turn, self._locked():
            return self._sum()

    def enter(self, most: Tokens, affords: Callable[[Tokens], bool]) -> str | None:
        """A new entry of at most `most`, or None where the budget has no room for it.

        While requests of this process are under way it waits: they may take less than was set aside for them.
        """
        with self._turn:
            while True:
                with self._locked() as file:
                    if affords(self._sum() + most):
                        entry = uuid.uuid4().hex
                        self._write(file, {"open": entry, **vars(most)})
                        self._ours.add(entry)
                        return entry
                if not self._ours:
                    return None
                self._turn.wait()

    def close(self, entry: str, took: Tokens) -> None:
        """What the entry took in the end."""
        with self._turn:
            with self._locked() as file:
                self._write(file, {"close": entry, **vars(took)})
            self._ours.discard(entry)
            self._turn.notify_all()

    def _sum(self) -> Tokens:
        return sum(self._open.values(), self._closed)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        """The file, held against other processes, after what they have added is taken in."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(self._read)
            for line in file:
                self._take(line)
            self._read = file.tell()
            yield file

    def _write(self, file: BinaryIO, entry: dict) -> None:
        """The line break stands before the entry, so that it also ends one that a kill cut short."""
        line = json.dumps(entry).encode()
        file.write(b"\n" + line)
        file.flush()
        self._read = file.tell()
        self._take(line)

    def _take(self, line: bytes) -> None:
        """Add a line to the sums; one that was cut short was no entry yet, or leaves its entry open."""
        try:
            entry = json.loads(line)
        except ValueError:
            return
        tokens = Tokens(entry["prompt"], entry["reply"])
        if "open" in entry:
            self._open[entry["open"]] = tokens
        else:
            self._open.pop(entry["close"], None)
            self._closed += tokens


@functools.cache
def ledger(path: Path) -> Ledger:
    """The one account of this process for a file."""
    return Ledger(path)
