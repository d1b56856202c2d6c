"""Data-Juicer's document_minhash_deduplicator on two processes, by its own executor.

    PYTHON data_juicer_minhash.py IN OUT (default | alike)

`default`: its own settings (words between blanks, 256 permutations, threshold 0.7). `alike`: 20 bands of 6 rows on windows of 5 characters,
which it recommends for Chinese; it has one way of cutting for a whole data set.
"""

import json
import sys
from pathlib import Path

from data_juicer.config import init_configs
from data_juicer.core import DefaultExecutor

ALIKE = {"tokenization": "character", "window_size": 5, "num_permutations": 120, "num_bands": 20, "num_rows_per_band": 6, "jaccard_threshold": 0.8}


def main() -> None:
    source, out, way = sys.argv[1:4]
    settings = {"project_name": "dedup", "dataset_path": source, "export_path": f"{out}/kept/kept.jsonl", "np": 2, "text_keys": "text", "open_tracer": False,
                "work_dir": out, "process": [{"document_minhash_deduplicator": ALIKE if way == "alike" else {}}]}
    Path(out).mkdir(parents=True, exist_ok=True)
    written = Path(out) / "config.yaml"
    written.write_text(json.dumps(settings), encoding="utf-8")
    DefaultExecutor(init_configs(["--config", str(written)])).run()


if __name__ == "__main__":
    main()
