"""Does selection help? Equal budgets of trained tokens chosen in four ways, three draws each, scored on held-out dialogues in both languages.

    python benchmarks/selection.py --work FOLDER           everything: about two hours and a quarter on two cores
    python benchmarks/selection.py --work FOLDER --tokens 8000 --seeds 1 --model random:gemma3_text --sets cmtmedqa bentsao_liver_cancer mts_dialog medquad

The second line tries it in a minute with a tiny random model: printed, not kept.

**Arms.** `random`; `longest`: most trained tokens first; `deita`: Deita's score first, of what `instruct.diverse` leaves; `deita+relevance`: the same, where dialogues
whose context relevance is in the highest or lowest fifth of a shortlist of twice the budget are passed over. Deita's published models can't run here, so the
**surface scorers stand in** (`models.surface`: the text alone) and the table says `deita (surface)`; with --deita-complexity and --deita-quality, folders of the
published models, it says `deita`. Whatever `surface` shows is no verdict on Deita's models.

**Budget.** A quarter of `--tokens` for each language and kind (single or multi-turn), in every arm, since `instruct.select` compares within these too: so an arm can't win by its
share of Chinese. In the arm's order a conversation is taken whole where its trained tokens (answers with their stop tokens) still fit what is left. One epoch
of `train.sft` with adapters as the recipes have them, as many optimizer steps in every arm; an arm reads more tokens if its answers have more context.

**Seeds.** A seed draws the half of the pool that all arms choose from, breaks ties, orders the training data and decides dropout. So three seeds are three selections, too.

**Data.** Public sets as `recipes/real_small.py` imports, screens and deduplicates them. `hygiene.holdout` holds out whole clusters of near-copies; the score is taken on
multi-turn dialogues of CMtMedQA, MTS-Dialog and ACI-Bench among them. The learning rate is chosen for the random arm with half the budget and a draw of its own, on
dialogues held out of the training side by a second `hygiene.holdout`: if it favours an arm, then that one.

**Score.** Bits per byte of the reference answers, all turns of a dialogue in one pass, each answer after its real history; stop tokens are context, for they are no bytes.
A difference is that of the sums over all dialogues and seeds, the same ones in both arms. Its interval (95 %) is a paired bootstrap over dialogues; seeds, too few to be
resampled, enter each resample by Student's t of what they differ by. `equal`: both sides' trained tokens differ by less than 1 %. `shared`: by seed, the share of an arm's
conversations that the peer has too.

What is done is kept in --work under a name that hashes all it was made from, and is not done again; a killed training goes on from its checkpoint. With the whole budget
a run trains about 54,000 tokens, 32,000 of them asked, and scores 55,000: 456 to 565 seconds.
"""

import argparse
import json
import math
import shutil
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import tables as bench
import torch

from aquilamed import pipeline
from aquilamed.core import chance, manifest, tables
from aquilamed.core.config import canonical_json
from aquilamed.core.sources import known
from aquilamed.engine.local import Local
from aquilamed.evals.stats import N_RESAMPLES, Interval
from aquilamed.hygiene import dedup, holdout, screen
from aquilamed.instruct import diverse, importing, relevance, select
from aquilamed.instruct import score as scores
from aquilamed.models import chat, folders, prepare
from aquilamed.pipeline import Recipe, Step
from aquilamed.train import data, sft
from aquilamed.train.settings import Lora, Optim
from aquilamed.tree import pack, score

DATA = Path("../shared/data")
KIND = "conversations"
ARMS = ("random", "longest", "deita", "deita+relevance")
CELLS = [(lang, kind) for lang in ("zh", "en") for kind in ("single", "multi")]
SCORED_ON = ("cmtmedqa", "mts_dialog", "aci_bench")
EMBEDDED = "embedded:gemma-3-270m-zh-en"
LENGTH, HELD_LENGTH = 1024, 2048
"""Tokens of the longest conversation that is trained on, and of the longest dialogue that is scored."""
HELD, TUNING = 60, 20
"""Dialogues scored of each set: at the end, and to choose the learning rate."""
POOL_SHARE = 0.5
"""Of the pool, drawn by each seed."""
STEP_TOKENS = 1000
"""Trained tokens of an optimizer step."""
RATES = (5e-5, 1e-4, 2e-4)
ADAPTERS = Lora(rank=32, alpha=64)
SHORTLIST = 2
"""Times the budget: dialogues that get a relevance."""
TAILS = select.Config(drop_score_share=0.0, drop_high_relevance_share=0.2, drop_low_relevance_share=0.2, min_relevance=0.0, max_relevance=10.0)
"""By shares alone: fixed limits would leave a random model nothing. Wider than a recipe's, so that the two arms differ in more than a few dialogues."""
SAME_WORK = 0.01


def pool_of(given: argparse.Namespace) -> Recipe:
    """The model and the pool, by the project's own stages."""
    rated = scores.Config()
    if given.deita_complexity:
        rated = scores.Config(backend="deita", deita=scores.Deita(complexity=given.deita_complexity, quality=given.deita_quality))
    found = known.conversations(DATA)
    return Recipe(name=f"pool-{named([given.model, given.sets, rated])}", steps=(
        Step(name="base", stage="models.prepare", config=prepare.Config(source=given.model, license="Gemma" if given.model.startswith(prepare.EMBEDDED) else "unknown")),
        Step(name="talks", stage="instruct.importing", config=importing.Config(sources=tuple(found[name] for name in given.sets or found))),
        Step(name="screened", stage="hygiene.screen", config=screen.Config(kind=KIND, identifiers="mask"), inputs={KIND: "talks"}),
        Step(name="once", stage="hygiene.dedup", config=dedup.Config(kind=KIND), inputs={KIND: "screened"}),
        Step(name="scored", stage="instruct.score", config=rated, inputs={KIND: "once"}),
        Step(name="split", stage="hygiene.holdout", config=holdout.Config(kind=KIND, share=0.1), inputs={KIND: "scored"}),
        Step(name="pool", stage="hygiene.holdout", config=holdout.Config(kind=KIND, share=0.05, seed=1), inputs={KIND: "split"}),
        Step(name="diverse", stage="instruct.diverse", config=diverse.Config(), inputs={KIND: "pool"}),
    ))


class Experiment:
    """The model, the pool and the held-out dialogues, and a work folder where everything made is kept."""

    def __init__(self, given: argparse.Namespace):
        self.work, self.engine = given.work, Local(given.threads)
        self.make(recipe := pool_of(given))
        self.at = {step.name: folder for step, folder in recipe.numbered(self.work)}
        self.tokenizer = folders.load(self.at["base"], device="cpu").tokenizer
        self.different = {row["id"] for row in tables.rows(self.at["diverse"], KIND)}
        self.heldout = self.dialogues(self.at["split"] / holdout.HELDOUT, HELD)
        self.tuning = self.dialogues(self.at["pool"] / holdout.HELDOUT, TUNING)

    def make(self, recipe: Recipe) -> None:
        pipeline.run(recipe, self.work, self.engine, lambda line: print(f"{recipe.name}/{line}", flush=True))

    def dialogues(self, folder: Path, most: int) -> list[dict]:
        """Multi-turn dialogues of the sets that are scored on, up to `most` of each, drawn by chance."""
        found = defaultdict(list)
        for row in sorted(tables.rows(folder, KIND), key=lambda row: (chance.share(0, row["id"]), row["id"])):
            if row["source"] in SCORED_ON and (row["lang"], row["kind"]) in CELLS and row["kind"] == "multi" and answers(self.tokenizer, row) is not None:
                found[row["source"]].append(row)
        return [row for name in SCORED_ON for row in found[name][:most]]

    def candidates(self, seed: int) -> dict[tuple[str, str], list[dict]]:
        """The seed's half of the pool in its order by chance, by language and kind; `cost` is a conversation's trained tokens, `size` all its tokens."""
        drawn = {row["id"]: row for row in tables.rows(self.at["pool"], KIND) if (row["lang"], row["kind"]) in CELLS and chance.share(seed, f"pool/{row['id']}") < POOL_SHARE}
        found = defaultdict(list)
        for name, tree in sft.trees(self.tokenizer, sorted(drawn.values(), key=lambda row: chance.share(seed, row["id"])), LENGTH, data.Ledger(), Counter()):
            if not isinstance(tree, str):
                row = drawn[name]
                found[row["lang"], row["kind"]].append({**row, "cost": int(tree[0].asked.sum()), "size": pack.size(tree)})
        return found

    def chosen(self, arm: str, found: dict[tuple[str, str], list[dict]], budget: int) -> list[dict]:
        """The arm's conversations: as many trained tokens of each cell as fit a quarter of the budget."""
        ranked = {cell: self.ranked(arm, found[cell]) for cell in CELLS}
        if arm == "deita+relevance":
            related = self.related([row for cell in CELLS if cell[1] == "multi" for row in fill(ranked[cell], SHORTLIST * budget // len(CELLS))])
            ranked = {cell: [row for row in rows if cell[1] == "single" or row["id"] in related] for cell, rows in ranked.items()}
        for cell, rows in ranked.items():
            if (there := sum(row["cost"] for row in rows)) < budget // len(CELLS):
                raise SystemExit(f"{' '.join(cell)}: {there:,} trained tokens to choose from for {arm}, {budget // len(CELLS):,} asked for; lower --tokens or name more --sets")
        return [row for cell in CELLS for row in fill(ranked[cell], budget // len(CELLS))]

    def ranked(self, arm: str, rows: list[dict]) -> list[dict]:
        """In the arm's order; equals stay in the order of chance, in which the rows come."""
        if arm == "random":
            return rows
        if arm == "longest":
            return sorted(rows, key=lambda row: -row["cost"])
        return sorted((row for row in rows if row["id"] in self.different), key=lambda row: -float(row["meta"]["score"]))

    def related(self, shortlist: list[dict]) -> set[str]:
        """The ids whose relevance is in neither tail."""
        name = f"related-{named([sorted(row['id'] for row in shortlist), TAILS, manifest.read(self.at['base'])['digest']])}"
        given = {KIND: f"path:{self.written(name, shortlist)}", "model": f"path:{self.at['base']}"}
        made = Recipe(name=name, steps=(
            Step(name="relevance", stage="instruct.relevance", config=relevance.Config(max_tokens=LENGTH), inputs=given),
            Step(name="related", stage="instruct.select", config=TAILS, inputs={KIND: "relevance"}),
        ))
        self.make(made)
        return {row["id"] for row in tables.rows(made.numbered(self.work)[-1][1], KIND)}

    def written(self, name: str, rows: list[dict]) -> Path:
        folder = self.work / "chosen" / name
        tables.scatter(folder, KIND, tables.from_rows(KIND, rows))
        return folder

    def result(self, rows: list[dict], heldout: list[dict], lr: float, steps: int, seed: int) -> dict:
        """What SFT on `rows` gives (on none: the base model as it is): bits of every held-out dialogue's answers, and what was trained on."""
        read = sum(row["size"] for row in rows)
        optim = Optim(lr=lr, batch=1, batch_tokens=max(read // steps, LENGTH), length=LENGTH, warmup=0.1, dropout=0.1, weight_decay=0.0, mode="lora", lora=ADAPTERS, seed=seed)
        name = f"sft-{named([sorted(row['id'] for row in rows), sorted(row['id'] for row in heldout), optim, sft.VERSION, manifest.read(self.at['base'])['digest']])}"
        kept = self.work / "results" / f"{name}.json"
        if not kept.exists():
            began = time.monotonic()
            network = self.trained(name, rows, optim) if rows else self.at["base"]
            bits = dict(zip([row["id"] for row in heldout], scored(folders.load(network, trained=True), heldout), strict=True))
            kept.parent.mkdir(exist_ok=True)
            manifest.write_json(kept, {"bits": bits, "trained": sum(row["cost"] for row in rows), "read": read, "conversations": len(rows), "ids": [row["id"] for row in rows],
                                       "sources": dict(Counter(row["source"] for row in rows).most_common()), "seconds": round(time.monotonic() - began)})
        shutil.rmtree(self.work / name, ignore_errors=True)
        return json.loads(kept.read_text(encoding="utf-8"))

    def trained(self, name: str, rows: list[dict], optim: Optim) -> Path:
        inputs = {KIND: f"path:{self.written(name, rows)}", "model": f"path:{self.at['base']}"}
        recipe = Recipe(name=name, steps=(Step(name="sft", stage="train.sft", config=sft.Config(optim=optim, allow_uncertified=True), inputs=inputs),))
        self.make(recipe)
        return recipe.numbered(self.work)[0][1]


def fill(rows: list[dict], budget: int) -> list[dict]:
    """Of `rows`, in their order, each whose cost still fits what is left of the budget."""
    taken = []
    for row in rows:
        if row["cost"] <= budget:
            taken.append(row)
            budget -= row["cost"]
    return taken


def named(value: object) -> str:
    """A short name for all that something is made from."""
    return manifest.sha256(canonical_json(value).encode())[:12]


def answers(tokenizer, row: dict) -> pack.Tree | None:
    """The dialogue with every token of its answers asked, their stop tokens left out; None where it is too long or can't be shown."""
    try:
        shown = chat.render(tokenizer, row["messages"])
    except chat.Unrenderable:
        return None
    inside = shown.trained & np.append(shown.trained[1:], False)
    return (pack.segment(shown.ids, inside),) if len(shown.ids) <= HELD_LENGTH and inside.any() else None


def n_bytes(row: dict) -> int:
    """Of a dialogue's answers."""
    return sum(len(message["content"].strip().encode()) for message in row["messages"] if message["role"] == "assistant")


def scored(model: folders.Model, rows: list[dict]) -> list[float]:
    """Bits of each dialogue's answers."""
    losses = score.nll(model.network, [answers(model.tokenizer, row) for row in rows])
    return [round(float(whole[0].sum()) / math.log(2), 4) for whole in losses]


def tuned(experiment: Experiment, budget: int) -> float:
    """The rate with the fewest bits per byte, the mean of the languages, for half a budget of the random arm on dialogues of the training side."""
    rows = experiment.chosen("random", experiment.candidates(0), budget // 2)
    found = {}
    for lr in RATES:
        bits = experiment.result(rows, experiment.tuning, lr, max(budget // 2 // STEP_TOKENS, 1), 0)["bits"]
        found[lr] = float(np.mean([sum(bits[row["id"]] for row in some) / sum(map(n_bytes, some)) for some in by_lang(experiment.tuning).values()]))
        print(f"lr {lr:g}: {found[lr]:.4f} bits/byte on the training side", flush=True)
    return min(found, key=found.get)


def by_lang(rows: list[dict]) -> dict[str, list[dict]]:
    return {lang: some for lang in ("zh", "en") if (some := [row for row in rows if row["lang"] == lang])}


def difference(ours_SD: np.ndarray, theirs_SD: np.ndarray, bytes_D: np.ndarray) -> Interval:
    """Bits per byte of ours less theirs over dialogues D and seeds S of both; dialogues are resampled, the mean over seeds gets an error drawn from Student's t."""
    apart_SD, (n_seeds, n_dialogues) = ours_SD - theirs_SD, ours_SD.shape
    rng, found = chance.chooser(0, "selection"), []
    for _ in range(N_RESAMPLES):
        drawn = rng.integers(0, n_dialogues, n_dialogues)
        seed_S = apart_SD[:, drawn].sum(1) / bytes_D[drawn].sum()
        error = rng.standard_t(n_seeds - 1) * seed_S.std(ddof=1) / math.sqrt(n_seeds) if n_seeds > 1 else 0.0
        found.append(seed_S.mean() + error)
    low, high = np.percentile(found, [2.5, 97.5])
    return Interval(float(apart_SD.sum() / bytes_D.sum() / n_seeds), float(low), float(high))


def compared(arm: str, peer: str, results: dict[str, list[dict]], heldout: list[dict], label: str) -> list[dict]:
    """A row for each language."""
    rows, names = [], [name.replace("deita", label) for name in (arm, peer)]
    for lang, some in by_lang(heldout).items():
        bits = [np.array([[one["bits"][row["id"]] for row in some] for one in results[name]]) for name in (arm, peer)]
        bytes_D = np.array([n_bytes(row) for row in some], float)
        gap, (ours, theirs) = difference(*bits, bytes_D), [one.sum(1) / bytes_D.sum() for one in bits]
        trained = [sum(one["trained"] for one in results[name]) for name in (arm, peer)]
        told = {side: [{key: value for key, value in one.items() if key not in ("bits", "ids")} for one in results[name]] for side, name in (("ours", arm), ("peer", peer))}
        shared = [round(len(set(one["ids"]) & set(other["ids"])) / len(one["ids"]), 3) for one, other in zip(results[arm], results[peer], strict=True)]
        rows.append(bench.row(
            f"{lang}: {names[0]} beside {names[1]}", ours.mean(), theirs.mean(), names[1], unit="bits/byte (fewer is better)", runs=len(ours),
            equal=abs(trained[0] - trained[1]) <= SAME_WORK * trained[1], ratio=round(theirs.mean() / ours.mean(), 4),
            difference={"value": round(gap.value, 5), "low": round(gap.low, 5), "high": round(gap.high, 5)}, by_seed={"ours": ours.round(4).tolist(), "peer": theirs.round(4).tolist()},
            dialogues=dict(Counter(row["source"] for row in some)), bytes=int(bytes_D.sum()), shared=shared, runs_of=told))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="a folder for what is made; named again, the run goes on")
    parser.add_argument("--tokens", type=int, default=32_000, help="trained tokens of a run")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--arms", nargs="+", choices=ARMS[1:], default=ARMS[1:], help="beside random, which always runs")
    parser.add_argument("--model", default=EMBEDDED, help="a model folder, or random:gemma3_text; results are written for the embedded base alone")
    parser.add_argument("--sets", nargs="+", choices=known.conversations(DATA), default=[], help="without it, all")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--deita-complexity", default="", metavar="FOLDER")
    parser.add_argument("--deita-quality", default="", metavar="FOLDER")
    given = parser.parse_args()
    if bool(given.deita_complexity) != bool(given.deita_quality):
        parser.error("name both --deita-complexity and --deita-quality, or neither")
    if given.seeds < 1:
        parser.error(f"--seeds {given.seeds}: expected 1 or more; with 1, intervals know nothing of what differs between seeds")
    torch.set_num_threads(given.threads)
    experiment = Experiment(given)
    arms = ["random", *given.arms]
    lr, n_steps = tuned(experiment, given.tokens), max(given.tokens // STEP_TOKENS, 1)
    results = {"no training": [experiment.result([], experiment.heldout, lr, n_steps, 1)] * given.seeds} | {arm: [] for arm in arms}
    for seed in range(1, given.seeds + 1):
        found = experiment.candidates(seed)
        for arm in arms:
            results[arm].append(experiment.result(experiment.chosen(arm, found, given.tokens), experiment.heldout, lr, n_steps, seed))
            print(f"seed {seed}, {arm}: {results[arm][-1]['seconds']} s", flush=True)
    pairs = [("random", "no training"), *((arm, "random") for arm in given.arms), *([("deita+relevance", "deita")] if {"deita", "deita+relevance"} <= set(arms) else [])]
    label = "deita" if given.deita_complexity else "deita (surface)"
    rows = [row | {"lr": lr} for arm, peer in pairs for row in compared(arm, peer, results, experiment.heldout, label)]
    if given.model == EMBEDDED:
        bench.publish("selection", rows, bench.versions("torch", "transformers", "numpy"))
    for row in rows:
        gap = row["difference"]
        sys.stdout.write(f"{row['work']}: {gap['value']:+.4f} ({gap['low']:+.4f} to {gap['high']:+.4f}) bits/byte, by seed {row['by_seed']['ours']} and {row['by_seed']['peer']}\n")


if __name__ == "__main__":
    main()
