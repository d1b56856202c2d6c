"""Pieces of a card: tables, quotations, numbers."""

import re
from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Sequence[int] = ()) -> str:
    """A table; the columns at the places `numbers` stand to the right. Empty where there are no rows."""
    made = [[cell(value) for value in row] for row in rows]
    line = ["---:" if place in numbers else "---" for place in range(len(heads))]
    return "\n".join(f"| {' | '.join(row)} |" for row in ([*heads], line, *made)) if made else ""


def cell(value: object) -> str:
    """A value that can't end its cell; whole numbers with commas."""
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|").replace("\n", " ")


def quoted(text: str) -> str:
    """Words of a record as a quotation: nothing in them is read as Markdown or HTML."""
    plain = re.sub(r"([\\`*_\[\]#|~$])", r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
    plain = re.sub(r"^(\s*\d*)([-+=]|(?<=\d)[.)](?=\s|$))", r"\1\\\2", plain, flags=re.MULTILINE)
    return "\n".join(f"> {line.strip()}  " if line.strip() else ">" for line in plain.splitlines())


def code(name: object) -> str:
    return f"`{str(name).replace('`', '')}`" if str(name) else "–"


def size(n: int) -> str:
    """`1.2 MB`, in thousands."""
    for unit in ("B", "kB", "MB", "GB"):
        if n < 1000:
            return f"{n:.0f} {unit}" if unit == "B" else f"{n:.1f} {unit}"
        n /= 1000
    return f"{n:.1f} TB"
