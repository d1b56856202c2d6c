"""Our share of corpus.py's rows about rules: prints CPU seconds and what was kept, as JSON.

`rules`: all of `corpus.rules`, identifiers too. `same`: without identifiers, which plain_rules.py has not.
"""

import hashlib
import json
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa

from aquilamed.core import tables
from aquilamed.corpus import rules
from aquilamed.engine.local import Local
from aquilamed.hygiene import unsafe


def main(work: str, source: str) -> None:
    """Run `work` over the documents in `source`, from file to file, on one thread."""
    with tempfile.TemporaryDirectory() as folder:
        warm = Path(folder, "warm")
        tables.write(warm / "documents" / tables.part(0), tables.read(Path(source), "documents").slice(0, 100))
        _passed(work, warm, Path(folder, "warmed"))
        out = Path(folder, "out")
        began = time.process_time()
        _passed(work, Path(source), out)
        seconds = time.process_time() - began
        kept = tables.read(out, "documents")["id"].to_pylist()
    digest = hashlib.sha256("\n".join(sorted(kept)).encode()).hexdigest()
    sys.stdout.write(json.dumps({"seconds": seconds, "kept": len(kept), "digest": digest}) + "\n")


def _passed(work: str, source: Path, out: Path) -> None:
    if work == "rules":
        rules.run(rules.Config(), {"documents": source}, out, Local(1))
    else:
        tables.sift_all(Local(1), source, "documents", _without_identifiers, out)


def _without_identifiers(table: pa.Table) -> tuple[pa.Table, pa.Table]:
    words = unsafe.kinds_of(table["text"].combine_chunks())
    shape, *_ = rules.breaches(rules.Config(), table)
    return tables.sift(table, {**shape, "unsafe": words.is_valid()}, {"unsafe": words})


if __name__ == "__main__":
    main(*sys.argv[1:])
