"""datatrove's MinHash pipeline on two processes: signatures, buckets, clusters, filter.

    PYTHON datatrove_minhash.py IN OUT (default | alike)

`default`: one run over IN/*.jsonl with the pipeline's own settings. `alike`: 20 buckets of 6 hashes, as many as aquilamed's, one run for
each language with that language's tokenizer over IN/zh-*.jsonl and IN/en-*.jsonl.
"""

import sys
from pathlib import Path

from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers.jsonl import JsonlWriter
from datatrove.utils.typeshelper import Languages

WORKERS = 2


def deduplicate(source: Path, pattern: str, out: Path, config: MinhashConfig, language: str) -> None:
    def run(name: str, steps: list, tasks: int) -> None:
        LocalPipelineExecutor(pipeline=steps, tasks=tasks, workers=WORKERS, logging_dir=str(out / "logs" / name), start_method="fork").run()
    reader = JsonlReader(str(source), glob_pattern=pattern)
    n_files = len(list(source.glob(pattern)))
    run("signatures", [reader, MinhashDedupSignature(str(out / "signatures"), config=config, language=language)], n_files)
    run("buckets", [MinhashDedupBuckets(str(out / "signatures"), str(out / "buckets"), config=config)], config.num_buckets)
    run("clusters", [MinhashDedupCluster(str(out / "buckets"), str(out / "remove"), config=config)], 1)
    run("filter", [reader, MinhashDedupFilter(str(out / "remove")), JsonlWriter(str(out / "kept"), compression=None)], n_files)


def main() -> None:
    source, out, way = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    if way == "default":
        deduplicate(source, "*.jsonl", out, MinhashConfig(), Languages.english)
        return
    alike = MinhashConfig(num_buckets=20, hashes_per_bucket=6)
    deduplicate(source, "en-*.jsonl", out / "en", alike, Languages.english)
    deduplicate(source, "zh-*.jsonl", out / "zh", alike, Languages.mandarin_chinese)


if __name__ == "__main__":
    main()
