"""Does `evals.memorised` find questions that a model has read, and only these? Real exam questions planted in training text, others never shown.

    python benchmarks/memorised.py --work FOLDER                        about ten minutes on one core
    python benchmarks/memorised.py --work FOLDER --each 1 --unseen 2 --model random:gemma3_text     tries it: printed, not kept

The embedded base is trained for one epoch with adapters as `recipes/real_small.py` trains (`train.pretrain`) on pages of textbooks and abstracts among which the planted
questions stand as printed, in a host text, 2 or 8 times over. CMExam for Chinese, MedQA for English; questions that the probe leaves out are not drawn. `ours` is the share of
questions whose printed order of options became the likeliest of 20. `peer` looks at how much likelier a token of the printed options became, and marks what lies above the 95th
percentile of the unseen questions: a threshold that nobody has who does not know which are unseen. `beaten`: mean share of other orders that the printed one beats (.5 by chance).
`equal`: both looked at the same questions and models.
"""

import argparse
from pathlib import Path

import numpy as np
import tables as bench
import torch

from aquilamed.core import tables
from aquilamed.core.chance import share
from aquilamed.core.records import make
from aquilamed.core.sources import gather, known
from aquilamed.engine.local import Local
from aquilamed.evals import memorised
from aquilamed.hygiene import planting
from aquilamed.models import folders, prepare
from aquilamed.pipeline import Recipe, Step, run
from aquilamed.train import pretrain
from aquilamed.train.settings import Lora, Optim

DATA = Path("../shared/data")
EXAMS, FILLER = ("cmexam_val", "medqa_us_test"), ("openstax_anatomy", "csl_ts")
TIMES = (2, 8)
EMBEDDED = "embedded:gemma-3-270m-zh-en"
OPTIM = Optim(lr=3e-4, batch=8, length=512, epochs=1, warmup=0.05, weight_decay=0.0, mode="lora", lora=Lora(rank=32, alpha=64))


def read(kind: str, names: tuple[str, ...], folder: Path) -> list[dict]:
    """The records of some public sets, in an order of their ids' own."""
    sources = tuple(vars(known)[kind](DATA)[name] for name in names)
    if not (folder / kind).is_dir():
        gather.gather(kind, sources, folder, Local(1), on_bad_row="drop")
    return sorted(tables.rows(folder, kind), key=lambda row: share(7, row["id"]))


def chosen(model, questions: list[dict], config: memorised.Config, each: int, unseen: int) -> dict[str, int]:
    """Question -> how often it is planted, 0 for unseen ones; as many of each language."""
    times = [*(n for n in TIMES for _ in range(each)), *[0] * unseen]
    found: dict[str, int] = {}
    for lang in ("zh", "en"):
        some = [one for one in questions if one["lang"] == lang and len(one["answers"]) == 1][:20 * len(times)]
        ready, _ = memorised.listed(model, some, config)
        asked = sorted((one.question["id"] for one in ready), key=lambda id: share(8, id))
        found |= dict(zip(asked, times, strict=False))
    return found


def texts(questions: list[dict], often: dict[str, int], filler: list[dict]) -> list[dict]:
    """The planted questions in host texts that differ, among pages of textbooks and abstracts."""
    pages = [one["text"][:600] for one in filler[:60]]
    planted = [f"{pages[(17 * k + number) % len(pages)][:120]}\n\n{planting.printed(one)}" for number, one in enumerate(questions) for k in range(often[one["id"]])]
    return [make("documents", {"text": text, "source": "planted", "license": "unknown"}) for text in [*pages, *planted]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--each", type=int, default=8, help="questions of each language planted 2 times, and as many 8 times")
    parser.add_argument("--unseen", type=int, default=24, help="questions of each language that are not planted")
    parser.add_argument("--model", default=EMBEDDED)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    base = Step(name="base", stage="models.prepare", config=prepare.Config(source=given.model, license="Gemma"))
    first = Recipe(name="memorised", steps=(base,))
    run(first, given.work, Local(1), print)
    home = first.numbered(given.work)[0][1]
    pool, filler = read("questions", EXAMS, given.work / "exams"), read("documents", FILLER, given.work / "filler")
    model = folders.load(home)
    config = memorised.Config(max_tokens=400 if given.model == EMBEDDED else 4000)      # a page and its question fit a window; a random model's tokens are bytes
    often = chosen(model, pool, config, given.each, given.unseen)
    questions = [one for one in pool if one["id"] in often]
    tables.write(given.work / "read/documents/part-00000.parquet", tables.from_rows("documents", texts(questions, often, filler)))
    training = Step(name="read", stage="train.pretrain", config=pretrain.Config(optim=OPTIM, allow_uncertified=True),
                    inputs={"model": "base", "documents": f"path:{given.work / 'read'}"})
    whole = Recipe(name="memorised", steps=(base, training))
    run(whole, given.work, Local(1), print)
    ready, _ = memorised.listed(model, questions, config)
    then, now = memorised.logp(model, ready), memorised.logp(folders.load(whole.numbered(given.work)[1][1]), ready)
    rows = lines(ready, [b - a for a, b in zip(then, now, strict=True)], often)
    show = bench.publish if given.model == EMBEDDED and given.each >= 6 else bench.show
    show("memorised", rows, bench.versions("torch", "transformers", "numpy"))


def lines(ready: list[memorised.Listed], gains: list[np.ndarray], often: dict[str, int]) -> list[dict]:
    """A row for each language and number of times."""
    found = []
    for lang in ("zh", "en"):
        some = [(often[one.question["id"]], memorised.row(one.question, values), float(values[0] / len(one.branch.continuations[0])))
                for one, values in zip(ready, gains, strict=True) if one.question["lang"] == lang]
        threshold = float(np.percentile([gain for times, _, gain in some if times == 0], 95))
        for times in (*TIMES[::-1], 0):
            part = [(row, gain) for n, row, gain in some if n == times]
            found.append(bench.row(f"{lang}, read {times} times" if times else f"{lang}, never read", np.mean([row["likeliest"] for row, _ in part]),
                                   np.mean([gain > threshold for _, gain in part]), "likelihood gained, threshold of the unseen", unit="share marked", runs=1, equal=True, n=len(part),
                                   chance=round(float(np.mean([1 / row["orders"] for row, _ in part])), 4), beaten=round(float(np.mean([row["beaten"] for row, _ in part])), 4),
                                   lead=round(float(np.mean([row["lead"] for row, _ in part])), 3)))
    return found


if __name__ == "__main__":
    main()
