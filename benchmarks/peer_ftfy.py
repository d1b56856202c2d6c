"""ftfy's share of repair.py, run by an interpreter that has ftfy: reads a JSON list of texts, prints CPU seconds and writes what became of them."""

import json
import sys
import time
from pathlib import Path

import ftfy


def main(source: str, out: str) -> None:
    """Undo wrong readings in every text with `ftfy.fix_encoding`, which changes nothing else."""
    texts = json.loads(Path(source).read_text(encoding="utf-8"))
    ftfy.fix_encoding(texts[0])
    began = time.process_time()
    made = [ftfy.fix_encoding(text) for text in texts]
    seconds = time.process_time() - began
    Path(out).write_text(json.dumps(made, ensure_ascii=False), encoding="utf-8")
    sys.stdout.write(json.dumps({"seconds": seconds}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
