"""What the command line shows of something long: a bar on a terminal, a line every ten seconds elsewhere."""

import contextlib
from collections.abc import Iterator
from typing import TextIO

from aquilamed.engine.pace import Progress, Tell, duration

EVERY = 10.0
"""Seconds between two lines."""


class Lines:
    """A line every ten seconds; passes that take less say nothing."""

    def __init__(self, file: TextIO):
        self.file, self.said = file, 0.0

    def __call__(self, at: Progress) -> None:
        self.said = self.said if at.seconds >= self.said else 0.0
        if at.done < at.total and at.seconds - self.said >= EVERY:
            self.said = at.seconds
            self.file.write(f"  {at}\n")
            self.file.flush()


class Bar:
    """One bar a pass or a training, gone when it has ended."""

    def __init__(self, file: TextIO):
        from rich.console import Console
        self.console, self.shown = Console(file=file), None

    def __call__(self, at: Progress) -> None:
        if self.shown is None and at.seconds > 1 and at.done < at.total:
            self.open(at.total)
        if self.shown is not None:
            self.shown.update(self.shown.task_ids[0], completed=at.done, unit=at.unit, left=duration(at.left), note=f"  {at.note}" if at.note else "")
            if at.done == at.total:
                self.close()

    def open(self, total: int) -> None:
        from rich.progress import BarColumn, Progress, TextColumn
        said = TextColumn("{task.completed:,.0f} of {task.total:,.0f} {task.fields[unit]}, {task.fields[left]} left{task.fields[note]}")
        self.shown = Progress(TextColumn(" "), BarColumn(bar_width=24), said, console=self.console, transient=True)
        self.shown.add_task("", total=total, unit="", left="", note="")
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
