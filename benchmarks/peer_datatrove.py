"""datatrove's share of corpus.py, run by an interpreter that has datatrove: prints CPU seconds and what was kept, as JSON.

`gopher`: its own Gopher repetition and quality filters and its PII formatter, each language with its own word splitter.
`same`: our rules, written as one of its filters (plain_rules.py).
"""

import hashlib
import json
import pickle
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter
from datatrove.pipeline.filters.base_filter import BaseFilter
from datatrove.pipeline.formatters import PIIFormatter
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers import ParquetWriter
from datatrove.utils.typeshelper import Languages
from loguru import logger
from plain_rules import Plain

SPLITTERS = {"zh": Languages.mandarin_chinese, "en": Languages.english}
FITTED = {"zh": {"min_avg_word_length": 1, "stop_words": ["的", "了", "在", "是", "和", "有", "不", "之", "为", "而"]}, "en": {}}
"""Without these its defaults for English drop every Chinese document at the last rule."""


class SameRules(BaseFilter):
    """`plain_rules` as a filter."""

    name = "same rules"

    def __init__(self, plain: Plain):
        super().__init__()
        self.plain = plain

    def filter(self, doc) -> bool | tuple[bool, str]:
        reason = self.plain.reason(doc.text, doc.metadata["lang"])
        return True if reason is None else (False, reason)


def main(work: str, source: str, settings: str) -> None:
    """Run `work` over the documents in `source`/peer, a folder a language."""
    logger.disable("datatrove")
    seconds, kept = 0.0, []
    filters = [SameRules(Plain(pickle.loads(Path(settings).read_bytes())))] if work == "same" else None
    for lang in SPLITTERS:
        blocks = filters or [GopherRepetitionFilter(language=SPLITTERS[lang]), GopherQualityFilter(language=SPLITTERS[lang], **FITTED[lang]), PIIFormatter()]
        _piped(Path(source, "warm", lang), blocks)
        took, ids = _piped(Path(source, "peer", lang), blocks)
        seconds, kept = seconds + took, kept + ids
    digest = hashlib.sha256("\n".join(sorted(kept)).encode()).hexdigest()
    sys.stdout.write(json.dumps({"seconds": seconds, "kept": len(kept), "digest": digest}) + "\n")


def _piped(source: Path, blocks: list) -> tuple[float, list[str]]:
    """(CPU seconds, ids kept) of one pass from file to file."""
    with tempfile.TemporaryDirectory() as out:
        pipeline = [ParquetReader(str(source)), *blocks, ParquetWriter(f"{out}/kept")]
        began = time.process_time()
        LocalPipelineExecutor(pipeline=pipeline, tasks=1, workers=1, logging_dir=f"{out}/logs").run()
        took = time.process_time() - began
        return took, [i for path in sorted(Path(out, "kept").glob("*.parquet")) for i in pq.read_table(path, columns=["id"])["id"].to_pylist()]


if __name__ == "__main__":
    main(*sys.argv[1:])
