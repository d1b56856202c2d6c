"""aquilamed's hygiene.dedup on two threads, or the least that any dedup of files must do.

    python benchmarks/dedup_ours.py IN OUT (dedup | copy)

`copy` reads every shard and writes it again.
"""

import sys
from pathlib import Path

from aquilamed.core import tables
from aquilamed.engine.local import Local

WORKERS = 2


def copy(source: Path, out: Path) -> None:
    Local(WORKERS).map(lambda path: tables.write(out / "documents" / path.name, tables.load(path)), tables.shards(source, "documents"))


def main() -> None:
    source, out = Path(sys.argv[1]), Path(sys.argv[2])
    if sys.argv[3] == "copy":
        copy(source, out)
    else:
        from aquilamed.hygiene import dedup
        dedup.run(dedup.Config(), {"documents": source}, out, Local(WORKERS))


if __name__ == "__main__":
    main()
