"""A plan's memory beside a measured run's; its refusals; the paper's recipe on the paper's machines."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_train_together import HERE

from aquilamed import cli
from aquilamed.core.errors import ConfigError
from aquilamed.train import forecast, machines
from aquilamed.train.settings import Optim

ROOT = HERE.parents[1]
LLAMA = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 512, "intermediate_size": 1536, "num_hidden_layers": 10, "num_attention_heads": 8,
         "num_key_value_heads": 4, "max_position_embeddings": 2048, "vocab_size": 32000, "tie_word_embeddings": False}
GEMMA = {"architectures": ["Gemma3ForCausalLM"], "model_type": "gemma3_text", "hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 8, "num_attention_heads": 4,
         "num_key_value_heads": 1, "head_dim": 256, "vocab_size": 60000, "sliding_window": 512, "tie_word_embeddings": True}


def shape(folder: Path, settings: dict) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize(("settings", "changes"), [(LLAMA, {}), (LLAMA, {"recompute": True}), (LLAMA, {"mode": "lora"}), (GEMMA, {}), (GEMMA, {"mode": "lora"}), (GEMMA, {"micro_tokens": 1024})])
def test_memory_is_within_15_percent_of_what_a_run_takes(tmp_path, settings, changes):
    path = shape(tmp_path, settings)
    done = subprocess.run([sys.executable, str(HERE / "measured_peak.py"), str(path), json.dumps(changes)], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "2"})
    measured = json.loads(done.stdout.splitlines()[-1])["peak"]
    optim = Optim(**{"lr": 1e-4, "batch": 2, "length": 512, **changes})
    said = forecast.needs(forecast.empty(path, optim, on_gpu=False), optim, 3072, asked_share=1.0, machine=machines.named("laptop"))
    assert said.total == pytest.approx(measured, rel=0.15), said.memory


def test_arithmetic_and_disk_by_hand(tmp_path):
    """A layer of the Llama above: q 512x512, k and v 512x256 each, o 512x512, three of 512x1536."""
    optim = Optim(lr=1e-4, batch=2, length=256, epochs=2)
    said = forecast.needs(forecast.empty(shape(tmp_path, LLAMA), optim, on_gpu=False), optim, 1000, asked_share=0.5, machine=machines.named("laptop"))
    body, head = 10 * (2 * 512 * 512 + 2 * 512 * 256 + 3 * 512 * 1536), 512 * 32000
    n_params = body + 2 * head + 21 * 512
    assert said.n_params == said.n_trained == n_params
    assert said.flops == 2 * 1000 * 6 * (body + 0.5 * head + 10 * 512 * 256)
    assert said.disk == 16 * n_params and said.memory["weights"] == 4 * n_params and said.memory["moments"] == 8 * n_params


def test_sharding_and_recomputing_take_less(tmp_path):
    path = shape(tmp_path, LLAMA)

    def total(n: int, **changes) -> dict:
        optim = Optim(lr=1e-4, batch=8, length=2048, **changes)
        return forecast.needs(forecast.empty(path, optim, on_gpu=True), optim, 1e6, asked_share=1.0, machine=machines.named(f"{n}xH100")).memory
    one, eight, again = total(1), total(8), total(8, recompute=True)
    assert eight["weights"] * 8 == one["weights"] and eight["moments"] * 8 == one["moments"]
    assert again["activations"] < 0.25 * eight["activations"] and again["weights"] == eight["weights"]


@pytest.mark.parametrize(("text", "says"), [("3xfoo", "no device 'foo'"), ("0xH100", "at least one device"), ("2xlaptop", "this one machine"), ("8xH10", "did you mean 'H100'")])
def test_machines_that_are_none(text, says):
    with pytest.raises(ConfigError, match=says):
        machines.named(text)


def plan(capsys, *more: str) -> tuple[int, str, str]:
    code = cli.main(["plan", str(ROOT / "recipes/aquila_med.py"), "--home", "nowhere", "--shape", str(ROOT / "recipes/shapes/7b.json"), *more])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_the_papers_recipe_on_the_papers_machines(capsys):
    code, out, err = plan(capsys, "--on", "24xA100-40G", "--json")
    rows = {row["folder"].split("-", 1)[1]: row for row in json.loads(out)}
    assert code == 0 and not err and all(row["fits"] for row in rows.values())
    assert [rows[name]["tokens"] for name in ("cpt-1", "cpt-2")] == [60_000_000_000, 20_000_000_000]
    assert rows["cpt-1"]["steps"] == round(60e9 / 4096 / 768) and rows["sft"]["steps"] == 2 * 320_000 // 128
    assert 7.0e9 < rows["cpt-1"]["parameters"] < 7.5e9


def test_what_does_not_fit_is_refused_with_what_would(capsys):
    code, out, err = plan(capsys, "--on", "8xA100-40G")
    assert code == 2 and "does not fit" in out and "would fit: optim.recompute=true" in err and "cpt-1 needs" in err
    code, _, err = plan(capsys, "--on", "8xA100-40G", "--set", "cpt-1.optim.recompute=true", "--set", "cpt-2.optim.recompute=true")
    assert code == 0 and not err
    code, _, err = plan(capsys, "--on", "laptop")
    assert code == 2 and "nothing that can be set makes it fit" in err


def test_a_base_model_that_is_not_here_needs_a_shape(capsys):
    code = cli.main(["plan", str(ROOT / "recipes/aquila_med.py"), "--home", "nowhere", "--on", "8xH100"])
    assert code == 2 and "name a config.json with --shape" in capsys.readouterr().err
    code = cli.main(["plan", str(ROOT / "recipes/aquila_med.py"), "--home", "nowhere", "--on", "8xH100", "--shape", "no/such.json"])
    assert code == 2 and "no/such.json: no model can be planned from it" in capsys.readouterr().err
