"""What became of one raw row."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """A record, or a record that is dropped and why."""

    record: dict | None
    """Columns of the kind without origin; None where none could be formed."""
    reason: str = ""
    """Empty: kept."""
    detail: str = ""
    repaired: tuple[str, ...] = ()
    """Rules that changed the turns."""
