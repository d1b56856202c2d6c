"""What the command line shows of something long: a bar on a terminal, a line every ten seconds elsewhere."""

import contextlib
from collections.abc import Iterator
from typing import TextIO

from aquilamed.core.pace import Progress, Tell, duration

EVERY = 10.0
"""Seconds between two lines."""


class Lines:
    """A line every ten seconds; passes that take less say nothing."""

    def __init__(self, file: TextIO):
        self.file, self.said = file, {}

    def __call__(self, at: Progress) -> None:
        said = self.said.get(at.unit, 0.0)
        said = self.said[at.unit] = said if at.seconds >= said else 0.0         # another pass has begun
        if at.done < at.total and at.seconds - said >= EVERY:
            self.said[at.unit] = at.seconds
            self.file.write(f"  {at}\n")
            self.file.flush()


class Bar:
    """One bar a pass or a training, gone when it has ended, or when another has gone on for a second."""

    def __init__(self, file: TextIO):
        from rich.console import Console
        self.console, self.shown, self.of = Console(file=file), None, ()

    def __call__(self, at: Progress) -> None:
        if (at.unit, at.total) != self.of and at.seconds > 1 and at.done < at.total:
            self.close()
            self.open(at)
        if (at.unit, at.total) == self.of:
            self.shown.update(self.shown.task_ids[0], completed=at.done, unit=at.unit, left=duration(at.left), note=f"  {at.note}" if at.note else "")
            if at.done == at.total:
                self.close()

    def open(self, at: Progress) -> None:
        from rich.progress import BarColumn, Progress, TextColumn
        said = TextColumn("{task.completed:,.0f} of {task.total:,.0f} {task.fields[unit]}, {task.fields[left]} left{task.fields[note]}")
        self.shown = Progress(TextColumn(" "), BarColumn(bar_width=24), said, console=self.console, transient=True)
        self.shown.add_task("", total=at.total, unit="", left="", note="")
        self.shown.start()
        self.of = (at.unit, at.total)

    def close(self) -> None:
        if self.shown is not None:
            self.shown.stop()
            self.shown, self.of = None, ()


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
