"""The smoke recipe: every stage once, on a tiny random model; and what a whole run must keep to."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import transformers

from aquilamed import cli, pipeline
from aquilamed.core import manifest, tables
from aquilamed.core.text import content_id
from aquilamed.train.data import FILE, Units

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "recipes" / "smoke.py"


def command(*arguments, cwd):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "-m", "aquilamed", *map(str, arguments)], cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """The run's folder; it was killed once half-way and started again."""
    home = tmp_path_factory.mktemp("smoke")
    process = subprocess.Popen([sys.executable, "-m", "aquilamed", "run", str(RECIPE), "--home", "runs", "--set", "cpt-2.optim.save_seconds=0.001"],
                               cwd=home, env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.startswith("31-cpt-2"):
            while not list((home / "runs/smoke/31-cpt-2").glob("checkpoints/step-*")):
                assert process.poll() is None
            process.kill()
            break
    process.wait()
    assert not (home / "runs/smoke/31-cpt-2/manifest.json").exists()
    done = command("run", RECIPE, "--home", "runs", "--set", "cpt-2.optim.save_seconds=0.001", cwd=home)
    assert done.returncode == 0, done.stderr
    return home / "runs" / "smoke"


def step(run: Path, name: str) -> Path:
    return next(folder for folder in run.iterdir() if folder.name.partition("-")[2] == name)


def test_every_step_is_sealed_and_its_records_add_up(run):
    recipe = pipeline.load(RECIPE)
    for made, folder in recipe.numbered(run.parent):
        body = manifest.read(folder)
        assert body["counts"]["in"] == body["counts"]["out"] + sum(body["counts"]["dropped"].values()), made.name
        dropped = sum(len(tables.load(path)) for path in (folder / "dropped").glob("*.parquet")) if (folder / "dropped").is_dir() else 0
        written = dropped if made.stage != "evals.score" else sum(body["counts"]["dropped"].values())
        assert written == sum(body["counts"]["dropped"].values()), made.name
        for name, output in body["outputs"].items():
            assert manifest.file_sha256(folder / name) == output["sha256"]


def test_starting_again_makes_nothing_again(run):
    before = {folder.name: (folder / "manifest.json").stat().st_mtime_ns for folder in run.iterdir() if folder.is_dir()}
    done = command("run", RECIPE, "--home", run.parent, "--set", "cpt-2.optim.save_seconds=0.001", cwd=run)
    assert done.returncode == 0 and done.stdout.count("up to date") == len(before)
    assert before == {folder.name: (folder / "manifest.json").stat().st_mtime_ns for folder in run.iterdir() if folder.is_dir()}


def test_a_killed_run_ends_as_an_unbroken_one_does_whatever_the_workers(run, tmp_path):
    done = command("run", RECIPE, "--home", tmp_path, "--workers", 1, "--to", "cpt-2", "--set", "cpt-2.optim.save_seconds=0.001", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    made = [folder for folder in sorted((tmp_path / "smoke").iterdir()) if folder.is_dir()]
    assert len(made) == 31
    for folder in made:
        assert manifest.read(folder)["outputs"] == manifest.read(run / folder.name)["outputs"], folder.name


def raw_rows(run: Path) -> list[dict]:
    return [json.loads(line) for line in (step(run, "clinic") / "web.jsonl").read_text(encoding="utf-8").splitlines()]


def test_source_rows_are_found_again_as_trained_tokens_or_with_a_reason(run):
    tokenizer = transformers.AutoTokenizer.from_pretrained(step(run, "base") / "model")
    chosen = np.random.default_rng(0).choice(len(raw_rows(run)), 60, replace=False)
    fates = {"trained": 0, "dropped": 0}
    for row in (raw_rows(run)[i] for i in chosen):
        fate, place = follow(run, content_id(row["text"]))
        fates[fate] += 1
        if fate == "trained":
            assert tokenizer.decode(place, skip_special_tokens=True) == row["text"]
    assert min(fates.values()) > 0


def follow(run: Path, record: str):
    """Where the record ends: its trained ids, or the step and reason that dropped all of its copies."""
    alive = True
    for name in ("rules", "dedup", "decontaminated", "domain", "quality", "text", "mix-1"):
        folder = step(run, name)
        kept = {row["id"] for row in tables.rows(folder, "documents")}
        if name == "text" and record in {row["id"] for row in tables.rows(folder / "heldout", "documents")}:
            return "dropped", ("heldout", "heldout")
        gone = [row for path in (folder / "dropped").glob("*.parquet") for row in tables.load(path).to_pylist() if row["id"] == record]
        assert not alive or record in kept or gone, f"{record} was lost in {name}"
        if record not in kept:
            return "dropped", (name, gone[0]["reason"])
    table = Units(step(run, "cpt-1") / FILE).table.to_pylist()
    windows = [row for row in table if row["record"] == record]
    assert windows, f"{record} was mixed in but not trained on"
    order = sorted(windows, key=lambda row: row["tree"])
    ids = [order[0]["ids"][0]] + [token for row in order for token, asked in zip(row["ids"], row["asked"], strict=True) if asked]
    return "trained", ids


def test_trained_tokens_lead_back_to_their_source_row(run):
    documents = {row["id"]: row for row in tables.rows(step(run, "mix-1"), "documents")}
    rows = raw_rows(run)
    for record in set(Units(step(run, "cpt-1") / FILE).table["record"].to_pylist()):
        meta = documents[record]["meta"]
        assert meta["file"] == "web.jsonl" and content_id(rows[int(meta["row"]) - 1]["text"]) == record


def test_the_token_ledger_adds_up(run):
    for name in ("cpt-1", "cpt-2", "sft", "dpo"):
        notes = manifest.read(step(run, name))["notes"]
        table = Units(step(run, name) / FILE).table.to_pylist()
        ledger = notes["token_ledger"]
        assert ledger["trained"] == sum(sum(row["asked"]) for row in table) == sum(notes["trained_tokens_by_lang"].values())
        assert ledger["trained"] + ledger["context"] == sum(len(row["ids"]) for row in table)


def test_heldout_records_are_never_trained_on(run):
    heldout = {row["id"] for row in tables.rows(step(run, "text") / "heldout", "documents")}
    trained = {record for name in ("cpt-1", "cpt-2") for record in Units(step(run, name) / FILE).table["record"].to_pylist()}
    assert heldout and not heldout & trained
    asked = {content_id(row["stem"]) for row in tables.rows(step(run, "benchmarks"), "questions")}
    said = {content_id(message["content"]) for row in tables.rows(step(run, "dialogues"), "conversations") for message in row["messages"]}
    assert asked and not asked & said


def test_the_ledger_has_its_keys_and_the_report_is_whole(run):
    rows = json.loads((run / "ledger.json").read_text(encoding="utf-8"))
    keys = {"stage", "task", "lang", "reading", "n", "score", "low", "high", "delta", "delta_low", "delta_high", "verdict", "unparsed"}
    assert all(keys <= set(row) for row in rows)
    assert {row["stage"] for row in rows} == {"base", "cpt-1", "cpt-2", "sft", "dpo"} and {"zh", "en"} <= {row["lang"] for row in rows}
    assert {"clinic", "bpb-medical", "bpb-general"} <= {row["task"] for row in rows}
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "Not for clinical use" in page and "不得用于临床" in page and all(folder.name.partition("-")[2] in page for folder in run.iterdir() if folder.is_dir())


def test_a_training_sample_is_shown_token_by_token(run, capsys):
    assert cli.main(["show", str(step(run, "sft")), "--tokens", "-n", "2"]) == 0
    told = capsys.readouterr().out
    assert "+ trained" in told and "#<|im_start|>|" in told and "+<|im_end|>|" in told


@pytest.mark.parametrize("question", ["高血压怎么办？", "What helps against hypertension?"])
def test_one_shot_chat_answers_and_ends(run, question):
    done = command("chat", step(run, "dpo"), question, "--max-tokens", 8, cwd=run)
    assert done.returncode == 0 and "Not for clinical use" in done.stderr and done.stdout.endswith("\n"), done.stderr


def test_a_second_process_is_kept_out(run):
    with manifest.lock(run):
        done = command("run", RECIPE, "--home", run.parent, cwd=run)
    assert done.returncode == 2 and "in use by process" in done.stderr


def test_a_training_length_that_fits_nothing_is_told(run):
    done = command("run", RECIPE, "--home", run.parent, "--set", "sft.optim.length=9", "--set", "cpt-2.optim.save_seconds=0.001", "--replace", "--to", "sft", cwd=run)
    assert done.returncode == 2 and "nothing to train on" in done.stderr and "too_long" in done.stderr and "Traceback" not in done.stderr
