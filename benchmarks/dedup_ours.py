"""One stage of aquilamed on two threads, or the least that any such stage must do: what the benchmarks run as a process of its own.

    python benchmarks/dedup_ours.py IN OUT (dedup | cut | drop | report | copy)

`cut`, `drop`, `report` are actions of hygiene.repeats; `copy` reads every shard and writes it again.
"""

import sys
from pathlib import Path

from aquilamed.core import tables
from aquilamed.engine.local import Local

WORKERS = 2


def copy(source: Path, out: Path) -> None:
    Local(WORKERS).map(lambda path: tables.write(out / "documents" / path.name, tables.load(path)), tables.shards(source, "documents"))


def main() -> None:
    source, out, what = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    if what == "copy":
        copy(source, out)
    elif what == "dedup":
        from aquilamed.hygiene import dedup
        dedup.run(dedup.Config(), {"documents": source}, out, Local(WORKERS))
    else:
        from aquilamed.hygiene import repeats
        repeats.run(repeats.Config(action=what), {"documents": source}, out, Local(WORKERS))


if __name__ == "__main__":
    main()
