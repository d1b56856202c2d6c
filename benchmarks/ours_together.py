"""Everything between raw and clean text on one folder of shards, for corpus.py: rules, unsafe words, identifiers, duplicates, benchmark items.

    python ours_together.py FOLDER

FOLDER holds documents/ and questions/. Prints {"seconds", "kept", "passes": {stage: CPU seconds}, "peak_bytes"}; kernels are compiled before the clock starts.
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from aquilamed.core import tables
from aquilamed.corpus import rules
from aquilamed.engine.local import Local
from aquilamed.hygiene import decontaminate, dedup

STAGES = ((rules, rules.Config()), (dedup, dedup.Config()), (decontaminate, decontaminate.Config(n_planted=0)))


def pass_all(source: Path, questions: Path, home: Path) -> tuple[int, dict[str, float]]:
    """(documents left, CPU seconds of each stage)."""
    spent = {}
    for stage, config in STAGES:
        out, began = home / stage.__name__.rpartition(".")[2], time.process_time()
        counts = stage.run(config, {"documents": source, "benchmarks": questions}, out, Local(1))
        spent[out.name], source = round(time.process_time() - began, 3), out
    return counts.n_out, spent


def main() -> None:
    folder = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as home:
        first = tables.load(tables.shards(folder, "documents")[0]).slice(0, 50)
        tables.write(Path(home) / "warm" / "documents" / tables.part(0), first)
        pass_all(Path(home) / "warm", folder, Path(home) / "warm-out")
        kept, spent = pass_all(folder, folder, Path(home) / "out")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.write(json.dumps({"seconds": sum(spent.values()), "kept": kept, "passes": spent, "peak_bytes": peak}) + "\n")


if __name__ == "__main__":
    main()
