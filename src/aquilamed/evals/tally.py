"""What a scoring step has answered and what it dropped: the counts of its manifest, and the dropped items' files."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from aquilamed.core import tables
from aquilamed.core.config import check, nearest
from aquilamed.core.counts import Counts

Dropped = tuple[str, dict, str, str]
"""(kind of record, item, reason, detail)."""


def counts(rows: Sequence[dict], dropped: Sequence[Dropped], notes: Mapping) -> Counts:
    """An item that was answered counts once, in however many readings."""
    langs = {(row["task"], row["id"]): row["lang"] for row in rows}
    return Counts(n_in=len(langs) + len(dropped), n_out=len(langs), dropped=Counter(reason for _, _, reason, _ in dropped), langs=Counter(langs.values()), notes=dict(notes))


def write_dropped(out: Path, dropped: Iterable[Dropped]) -> None:
    """Dropped items with the columns of their kind, `reason` and `detail`; sampled prompts (no kind) are settings, not records."""
    by_kind: dict[str, list[dict]] = defaultdict(list)
    for kind, item, reason, detail in dropped:
        by_kind[kind].append({**item, "reason": reason, "detail": detail})
    for kind, found in sorted(by_kind.items()):
        if kind:
            tables.write_dropped_rows(out, kind, found)


def check_versions(versions: Mapping[str, int], tasks: Iterable[str]) -> None:
    """Refuse the version of a task that is not scored."""
    names = list(tasks)
    for name in versions:
        check(name in names, f"versions name {name!r}, which is not scored{nearest(name, names)}")
