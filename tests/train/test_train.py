"""The loop: batch splitting changes nothing, a killed run resumes bit for bit, every token is accounted for."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import tiny
import torch
from safetensors.torch import load_file

from aquilamed.core import tables
from aquilamed.core.errors import ConfigError, ModelUnavailable, TrainingStopped
from aquilamed.engine.local import Local
from aquilamed.models import chat, folders
from aquilamed.train import data, dpo, loop, objectives, pretrain, session, sft
from aquilamed.train.settings import Lora, Optim

FACTS = [("高血压", "限制钠盐", "hypertension", "limit salt"), ("糖尿病", "控制饮食", "diabetes", "watch the diet"), ("流感", "多休息", "influenza", "rest well")]
ORIGIN = {"source": "test", "license": "Apache-2.0"}


@pytest.fixture
def home(tmp_path) -> Path:
    """A tiny model and a few records of each kind, in both languages."""
    tiny.make(tmp_path / "base" / "model")
    documents = [{**ORIGIN, "text": text} for zh, do, en, act in FACTS for text in (f"{zh}患者应{do}。" * 5, f"Patients with {en} should {act}. " * 5)]
    talks = [{**ORIGIN, "kind": "single", "messages": [{"role": "user", "content": q}, {"role": "assistant", "content": a}]}
             for zh, do, en, act in FACTS for q, a in ((f"{zh}怎么办？", f"应{do}。"), (f"What helps against {en}?", act))]
    pairs = [{**ORIGIN, "kind": "objective", "prompt": talk["messages"][:1], "chosen": talk["messages"][1]["content"], "rejected": "不知道 unknown"} for talk in talks]
    for kind, rows in {"documents": documents, "conversations": talks, "preferences": pairs}.items():
        tables.scatter(tmp_path / "data", kind, tables.from_rows(kind, rows))
    return tmp_path


def optim(**changes) -> Optim:
    return Optim(**{"lr": 1e-2, "batch": 2, "length": 128, "epochs": 2, "warmup": 0.1, **changes})


STAGES = {"pretrain": (pretrain, "documents", {}), "sft": (sft, "conversations", {}), "dpo": (dpo, "preferences", {"beta": 0.1})}


def fit(home: Path, name: str, out: str, **changes) -> dict:
    stage, kind, settings = STAGES[name]
    folder = home / out
    folder.mkdir(exist_ok=True)
    stage.run(stage.Config(optim=optim(**changes), allow_uncertified=True, **settings), {"model": home / "base", kind: home / "data"}, folder, Local(1))
    return load_file(folder / "model" / "model.safetensors")


def dies_at(step: int, monkeypatch) -> None:
    """The process is stopped when it begins its optimizer step number `step`, from 0; only once."""
    steps, honest = iter(range(1000)), loop.one_step

    def one(*given):
        if next(steps) == step:
            raise KeyboardInterrupt
        return honest(*given)
    monkeypatch.setattr(loop, "one_step", one)


@pytest.mark.parametrize("name", STAGES)
def test_training_moves_the_loss_and_ends_in_a_whole_folder(home, name):
    fit(home, name, "out", epochs=6)
    lines = [json.loads(line) for line in (home / "out/metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < 0.9 * lines[0]["loss"]
    assert folders.load(home / "out").tokenizer.chat_template and not (home / "out/checkpoints").exists()


@pytest.mark.parametrize("name", STAGES)
def test_micro_batches_do_not_change_the_result(home, name):
    whole, split = fit(home, name, "whole", batch=4, micro_tokens=2000), fit(home, name, "split", batch=4, micro_tokens=1)
    for key, value in whole.items():
        torch.testing.assert_close(value, split[key], rtol=1e-3, atol=2e-4)


@pytest.mark.parametrize("name", STAGES)
def test_a_run_killed_while_its_trees_are_written_begins_again(home, name, monkeypatch):
    whole = fit(home, name, "whole")
    honest = data.write

    def killed(path, units):
        path.with_name(path.name + ".partial").write_bytes(b"half")
        raise KeyboardInterrupt
    monkeypatch.setattr(data, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        fit(home, name, "cut")
    monkeypatch.setattr(data, "write", honest)
    assert all(torch.equal(value, again) for value, again in zip(whole.values(), fit(home, name, "cut").values(), strict=True))
    assert not list((home / "cut").glob("*.partial"))


def test_so_many_checkpoints_are_kept_while_a_step_trains(home, monkeypatch):
    kept, honest = [], loop.one_step

    def looked(job, *given):
        kept.append(sorted(path.name for path in (job.out / "checkpoints").glob("*")))
        return honest(job, *given)
    monkeypatch.setattr(loop, "one_step", looked)
    fit(home, "sft", "out", save_seconds=1e-9, keep_checkpoints=2)
    assert kept[:4] == [[], ["step-0000001"], ["step-0000001", "step-0000002"], ["step-0000002", "step-0000003"]]


def test_a_full_disk_leaves_the_checkpoint_before(home, monkeypatch):
    honest = torch.save

    def full(state, file):
        if list((home / "out/checkpoints").glob("step-*")):
            raise OSError(28, "No space left on device")
        honest(state, file)
    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(TrainingStopped, match="No space left on device.*free disk space"):
        fit(home, "sft", "out", save_seconds=1e-9)
    assert [path.name for path in (home / "out/checkpoints").iterdir()] == ["step-0000001"]


def test_a_loss_that_is_no_number_stops_and_names_the_step(home, monkeypatch):
    monkeypatch.setattr(objectives, "pack_nll", lambda network, pack: next(network.parameters()).sum() * torch.full((len(pack.at_L),), torch.nan))
    with pytest.raises(TrainingStopped, match="step 1: loss nan"):
        fit(home, "sft", "out")


def test_every_token_of_a_long_document_is_trained_once(home):
    tokenizer = folders.load(home / "base").tokenizer
    ledger, langs = data.Ledger(), data.Counter()
    made = list(pretrain.trees(tokenizer, home / "data", 32, ledger, langs))
    for row in tables.rows(home / "data", "documents"):
        ids = chat.text_ids(tokenizer, row["text"]) + [tokenizer.eos_token_id]
        windows = [tree[0] for record, tree, _ in made if record == row["id"]]
        assert np.concatenate([w.ids[w.asked] for w in windows]).tolist() == ids[1:]
        assert max(len(w.ids) for w in windows) <= 32
    assert ledger.tokens["trained"] + ledger.tokens["context"] == sum(len(tree[0].ids) for _, tree, _ in made)


def test_a_document_drawn_three_times_is_trained_three_times_and_never_twice_in_a_window(home):
    table = tables.read(home / "data", "documents")
    first = table["id"][0].as_py()
    marked = tables.with_meta(table.slice(0, 1), epochs=["3"])
    tables.write(home / "again" / "documents" / tables.part(0), pa.concat_tables([marked, table.slice(1)]))
    tokenizer = folders.load(home / "base").tokenizer
    ledger, langs = data.Ledger(), data.Counter()
    made = list(pretrain.trees(tokenizer, home / "again", 1024, ledger, langs))
    found = list(pretrain.windows(made, 1024))
    laid_out = data.Counter(record for window in found for record, _ in window)
    assert laid_out == {**dict.fromkeys(table["id"].to_pylist(), 1), first: 3} and langs.total() == len(table)
    assert all(len({record for record, _ in window}) == len(window) for window in found)
    once = {record: int(tree[0].asked.sum()) for record, tree, _ in made}
    assert ledger.tokens["trained"] == sum(once.values()) + 2 * once[first] and ledger.repeated == 2 * once[first]


def test_what_is_too_long_is_dropped_whole_and_counted(home):
    out = home / "out"
    out.mkdir()
    tokenizer = folders.load(home / "base").tokenizer
    lengths = sorted(len(chat.render(tokenizer, row["messages"]).ids) for row in tables.rows(home / "data", "conversations"))
    counts = sft.run(sft.Config(optim=optim(length=lengths[3]), allow_uncertified=True), {"model": home / "base", "conversations": home / "data"}, out, Local(1))
    kept, dropped = counts.n_out, counts.dropped["too_long"]
    assert (kept, dropped) == (sum(n <= lengths[3] for n in lengths), sum(n > lengths[3] for n in lengths)) and dropped > 0
    assert tables.load(next((out / "dropped").glob("*.parquet")))["reason"].to_pylist() == ["too_long"] * dropped
    with pytest.raises(TrainingStopped, match=r"every record of conversations was dropped \(too_long \d+\)"):
        (home / "none").mkdir()
        sft.run(sft.Config(optim=optim(length=9), allow_uncertified=True), {"model": home / "base", "conversations": home / "data"}, home / "none", Local(1))


@pytest.mark.parametrize(("settings", "expected"), [
    ({}, -np.log(1 / (1 + np.exp(-0.5 * 2)))), ({"loss": "ipo"}, (2 - 1 / (2 * 0.5)) ** 2),
    ({"per_token": True}, -np.log(1 / (1 + np.exp(-0.5 * (1 / 2 + 1))))), ({"anchor": 0.1}, -np.log(1 / (1 + np.exp(-1))) + 0.1 * 1 / 2)])
def test_dpo_by_hand(monkeypatch, settings, expected):
    """Chosen: two tokens, log p -1 against -2 of the reference; rejected: one token, -3 against -2."""
    monkeypatch.setattr(objectives, "segment_logp", lambda network, pack: torch.tensor([0.0, -1.0, -3.0]))
    pack = SimpleNamespace(owner_L=np.array([1, 1, 2]), parent_S=np.array([-1, 0, 0]))
    loss = objectives.Dpo(0.5, torch.tensor([[-2.0, -2.0]]), **settings)(None, pack, [0, 0, 0])
    assert loss.count == 1 and loss.total.item() == pytest.approx(expected)
    assert {name: value.item() for name, value in loss.figures.items()} == {"margin": 0.75 if settings.get("per_token") else 1.0, "accuracy": 1.0, "chosen_logp_change": 1.0, "rejected_logp_change": -1.0}


@pytest.mark.parametrize("settings", [{"loss": "ipo"}, {"per_token": True}, {"anchor": 0.5}])
def test_every_form_of_dpo_trains_and_micro_batches_change_nothing(home, settings, monkeypatch):
    monkeypatch.setitem(STAGES, "dpo", (dpo, "preferences", {"beta": 0.1, **settings}))
    whole, parts = (fit(home, "dpo", name, micro_tokens=tokens, lr=3e-4, epochs=6) for name, tokens in (("whole", 0), ("parts", 40)))
    losses = [json.loads(line)["loss"] for line in (home / "whole" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    assert losses[-1] < losses[0] and all(torch.allclose(whole[key], parts[key], atol=2e-4) for key in whole)


def test_the_rate_has_the_papers_shape():
    made = optim(lr=1e-4, warmup=0.05)
    assert [loop.learning_rate(step, 100, made) for step in (0, 4, 5)] == pytest.approx([2e-5, 1e-4, 1e-4])
    assert loop.learning_rate(99, 100, made) < 1e-7


def test_other_shapes_of_the_rate_by_hand():
    straight, stable = optim(lr=1.0, warmup=0.05, schedule="linear"), optim(lr=1.0, warmup=0.05, schedule="wsd", decay=0.2)
    assert [loop.learning_rate(step, 100, straight) for step in (4, 5, 52, 99)] == pytest.approx([1, 1, 1 - 47 / 95, 1 / 95])
    assert [loop.learning_rate(step, 100, stable) for step in (4, 79, 80, 90, 99)] == pytest.approx([1, 1, 1, 0.5, 0.05])
    with pytest.raises(ConfigError, match="together more than all steps"):
        optim(warmup=0.9, schedule="wsd", decay=0.2)


def test_the_order_is_a_function_of_seed_and_epoch():
    order = data.Order(n_units=10, batch=4, epochs=2, seed=3)
    assert order.steps == 6
    epochs = [np.concatenate([order.units(step) for step in steps]) for steps in ((0, 1, 2), (3, 4, 5))]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs) and epochs[0].tolist() != epochs[1].tolist()


@pytest.mark.parametrize(("changes", "says"), [({"warmup": 2}, "share of the steps"), ({"lr": 0}, "more than 0"), ({"batch": 0}, "1 or more"), ({"length": 3}, "8 or more")])
def test_settings_out_of_range_are_refused(changes, says):
    with pytest.raises(ConfigError, match=says):
        optim(**changes)


def test_sigterm_leaves_a_checkpoint(home):
    code = ("import os, signal, sys; sys.path[:0] = sys.argv[1:3]; from test_train import *; from aquilamed.train import loop\n"
            "honest = loop.one_step\n"
            "def one(*given):\n    os.kill(os.getpid(), signal.SIGTERM); return honest(*given)\n"
            "loop.one_step = one; fit(Path(sys.argv[3]), 'sft', 'out', save_seconds=1e6)")
    here = Path(__file__).parent
    done = subprocess.run([sys.executable, "-c", code, str(here), str(here.parent), str(home)], env={**os.environ, "PYTHONPATH": "src"}, check=False, capture_output=True)
    assert done.returncode in (1, -signal.SIGINT, 130), done.stderr
    assert [path.name for path in (home / "out/checkpoints").iterdir()] == ["step-0000001"]


def test_exported_adapters_give_the_merged_model(home):
    from peft import PeftModel
    fit(home, "sft", "out", mode="lora", lora=Lora(rank=2, export=True), epochs=3)
    base, merged = folders.load(home / "base"), folders.load(home / "out")
    ids = torch.arange(5, 25)[None]
    plain = base.network(ids).logits
    adapted = PeftModel.from_pretrained(base.network, home / "out/adapters").eval()(ids).logits
    torch.testing.assert_close(adapted, merged.network(ids).logits, rtol=1e-4, atol=1e-4)
    assert (plain - adapted).abs().max() > 1e-2


def test_a_checkpoint_of_another_model_and_a_damaged_one_are_refused(home, monkeypatch):
    dies_at(1, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        fit(home, "sft", "out", save_seconds=1e-9)
    shutil.move(home / "base", home / "right")
    tiny.make(home / "base" / "model", "llama")
    with pytest.raises(TrainingStopped, match=r"step-0000001: does not fit this model, or is damaged.*remove it"):
        fit(home, "sft", "out")
    shutil.rmtree(home / "base")
    shutil.move(home / "right", home / "base")
    piece = next((home / "out/checkpoints/step-0000001").glob("*.distcp"))
    piece.write_bytes(piece.read_bytes()[:200])
    with pytest.raises(TrainingStopped, match="does not fit this model, or is damaged"):
        fit(home, "sft", "out")


def test_what_teaches_nothing_is_dropped_and_counted(home):
    talk = [{**ORIGIN, "kind": "single", "messages": [{"role": "user", "content": "有人吗？"}]}, *tables.rows(home / "data", "conversations")]
    pair = [{**ORIGIN, "kind": "objective", "prompt": [{"role": "user", "content": "流感怎么办？"}], "chosen": "多休息", "rejected": " 多休息 "}, *tables.rows(home / "data", "preferences")]
    for kind, rows in {"conversations": talk, "preferences": pair}.items():
        shutil.rmtree(home / "data" / kind)
        tables.scatter(home / "data", kind, tables.from_rows(kind, rows))
    for name, reason in (("sft", "no_target"), ("dpo", "identical")):
        fit(home, name, name)
        assert tables.load(next((home / name / "dropped").glob("*.parquet")))["reason"].to_pylist() == [reason]


def test_weights_that_are_no_numbers_and_a_tokenizer_too_large_are_refused(home):
    model = folders.load(home / "base")
    with torch.no_grad():
        model.network.get_decoder().layers[1].mlp.up_proj.weight[0, 0] = torch.nan
    model.network.save_pretrained(home / "bad")
    model.tokenizer.save_pretrained(home / "bad")
    with pytest.raises(ModelUnavailable, match=r"bad: 1 weights hold values that are no numbers \(model.layers.1.mlp.up_proj.weight\)"):
        folders.load(home / "bad")
    model = folders.load(home / "base")
    model.tokenizer.add_special_tokens({"additional_special_tokens": ["<picture>"]}, replace_extra_special_tokens=False)
    assert folders.load(folders.save(model, home / "pictures").parent)                        # never in a text: Gemma-3 has such a one
    model.tokenizer.add_tokens(["阿司匹林"])
    with pytest.raises(ModelUnavailable, match="the tokenizer has token 301, the model 300 rows"):
        folders.load(folders.save(model, home / "large").parent)


@pytest.mark.parametrize("name", STAGES)
def test_compiled_layers_train_the_same(home, name, monkeypatch):
    """Traced as they are for any compiler, but run by PyTorch itself: a compiler may be absent here."""
    plain = fit(home, name, "plain", lr=1e-3)
    monkeypatch.setattr(session, "BACKEND", "eager")
    monkeypatch.setattr(session.shutil, "which", lambda name: "/usr/bin/" + name)
    compiled = fit(home, name, "compiled", lr=1e-3, compile=True, recompute=name == "sft")
    for key, value in plain.items():
        torch.testing.assert_close(value, compiled[key], rtol=1e-4, atol=2e-5)


def test_what_this_machine_cannot_do_is_told(home, monkeypatch):
    monkeypatch.setattr(session.shutil, "which", lambda name: None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for changes, says in [({"compile": True}, r"needs a C\+\+ compiler, and 'g\+\+' is not there"), ({"attention": "flex"}, "no backward pass on a CPU")]:
        with pytest.raises(ConfigError, match=says):
            fit(home, "sft", "out", **changes)
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(ModelUnavailable, match="needs bitsandbytes, which is not installed"):
        fit(home, "sft", "out", mode="lora", lora=Lora(bits=4))
