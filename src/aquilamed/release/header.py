"""The head of a card that the hub and `datasets` read: YAML between two lines of dashes.

`datasets` keeps what it has loaded under the folder's name and a hash of this head, whatever lies in the files: so the head tells their sizes, and
another set by the same name is loaded anew.
"""

import json
from collections.abc import Mapping

from aquilamed.release import licences

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"), (10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B"))
TASKS = {"documents": ["text-generation", "fill-mask"], "conversations": ["text-generation", "question-answering"], "preferences": ["text-generation"]}
TAGS = {"documents": ["pretraining"], "conversations": ["instruction-tuning", "dialogue"], "preferences": ["preference", "dpo"]}
LANGS = ("zh", "en")


def yaml(config, facts, files: Mapping[str, tuple[str, int]]) -> str:
    """The head for `config` and `facts`; `files` maps a path to its SHA-256 and bytes."""
    langs = facts.all.by(1)
    lists = {
        "language": sorted({lang for lang in LANGS if langs[lang] or langs["mixed"]}), "task_categories": TASKS[config.kind],
        "size_categories": [magnitude(facts.all.n)], "tags": ["medical", *TAGS[config.kind], "croissant", "not-for-clinical-use"],
    }
    lines = ["---", f"pretty_name: {json.dumps(config.title)}", *(f"{key}: {json.dumps(value)}" for key, value in licences.for_the_hub(set(facts.all.by(3))).items())]
    for key, values in lists.items():
        lines += [f"{key}:", *(f"- {json.dumps(value)}" for value in values)] if values else []
    lines += ["configs:", "- config_name: default", "  data_files:"]
    for split in facts.censuses:
        lines += [f"  - split: {split}", f"    path: data/{split}-*.parquet"]
    lines += ["dataset_info:", "  splits:"]
    for split, census in facts.censuses.items():
        lines += [f"  - name: {split}", f"    num_bytes: {census.bytes.total()}", f"    num_examples: {census.n}"]
    lines += [f"  download_size: {sum(size for _, size in files.values())}", f"  dataset_size: {facts.all.bytes.total()}"]
    return "\n".join([*lines, "---", "", ""])


def magnitude(n: int) -> str:
    """The hub's word for `n` records."""
    return next((name for limit, name in SIZES if n < limit), "n>1B")
