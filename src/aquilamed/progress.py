"""What the command line shows of a long pass: a bar on a terminal, a line every ten seconds elsewhere."""

import contextlib
from collections.abc import Iterator
from typing import TextIO

from aquilamed.engine.pace import Tell, duration, spelled

EVERY = 10.0
"""Seconds between two lines."""


class Lines:
    """A line every ten seconds; passes that take less say nothing."""

    def __init__(self, file: TextIO):
        self.file, self.said = file, 0.0

    def __call__(self, done: int, total: int, seconds: float) -> None:
        self.said = self.said if seconds >= self.said else 0.0
        if done < total and seconds - self.said >= EVERY:
            self.said = seconds
            self.file.write(f"  {spelled(done, total, seconds)}\n")
            self.file.flush()


class Bar:
    """One bar a pass, gone when the pass has ended."""

    def __init__(self, file: TextIO):
        from rich.console import Console
        self.console, self.shown = Console(file=file), None

    def __call__(self, done: int, total: int, seconds: float) -> None:
        if self.shown is None and seconds > 1 and done < total:
            self.open(total)
        if self.shown is not None:
            self.shown.update(self.shown.task_ids[0], completed=done, left=duration(seconds / done * (total - done)))
            if done == total:
                self.close()

    def open(self, total: int) -> None:
        from rich.progress import BarColumn, Progress, TextColumn
        said = TextColumn("{task.completed:,.0f} of {task.total:,.0f} shards, {task.fields[left]} left")
        self.shown = Progress(TextColumn(" "), BarColumn(), said, console=self.console, transient=True)
        self.shown.add_task("", total=total, left="")
        self.shown.start()

    def close(self) -> None:
        if self.shown is not None:
            self.shown.stop()
            self.shown = None


@contextlib.contextmanager
def shown_on(file: TextIO) -> Iterator[Tell]:
    """What fits `file`; a bar is taken off it at the end, however that comes."""
    if not file.isatty():
        yield Lines(file)
        return
    bar = Bar(file)
    try:
        yield bar
    finally:
        bar.close()
