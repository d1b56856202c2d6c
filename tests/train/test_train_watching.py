"""How a training step can be watched: sampled answers, trackers, the command line, alarms; nothing of it changes the result."""

import io
import json
import sys

import pytest
import torch
from test_train import STAGES, dies_at, fit, home, optim  # noqa: F401  (home is a fixture)

from aquilamed import progress
from aquilamed.core.config import canonical_json
from aquilamed.core.errors import ConfigError, ModelUnavailable
from aquilamed.engine.local import Local
from aquilamed.core.pace import Progress
from aquilamed.train import alarms, sampling, trackers
from aquilamed.train.settings import Watching


def rows(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("name", STAGES)
def test_watching_changes_no_weight(home, name):  # noqa: F811
    plain = fit(home, name, "plain", dropout=0.1)
    watched = fit(home, name, "watched", dropout=0.1, watch=Watching(sample_every=2, sample_tokens=5, trackers=("tensorboard",)))
    assert all(torch.equal(value, watched[key]) for key, value in plain.items())
    seen = rows(home / "watched" / sampling.FILE)
    questions = sampling.BEGINNINGS if name == "pretrain" else sampling.QUESTIONS
    assert [row["step"] for row in seen[::8]] == list(range(0, 1 + rows(home / "watched/metrics.jsonl")[-1]["step"], 2))
    assert {row["lang"]: row["prompt"] for row in seen[:8]} == {lang: texts[-1] for lang, texts in questions.items()}
    assert all(1 <= row["tokens"] <= 5 and row["entropy"] > 0 for row in seen)


def test_watching_is_no_part_of_a_steps_identity():
    assert canonical_json(optim(watch=Watching(sample_every=3), save_seconds=9.0, keep_checkpoints=4)) == canonical_json(optim())
    assert canonical_json(optim(lr=3e-3)) != canonical_json(optim())


def test_answers_differ_between_steps_for_the_weights_sake_alone(home):  # noqa: F811
    fit(home, "sft", "still", lr=1e-12, weight_decay=0.0, watch=Watching(sample_every=1, sample_tokens=6))
    seen = rows(home / "still" / sampling.FILE)
    first = [row["answer"] for row in seen[:8]]
    assert len(set(first)) > 1 and all([row["answer"] for row in seen[k:k + 8]] == first for k in range(0, len(seen), 8))


def test_a_broken_off_run_has_each_sample_once(home, monkeypatch):  # noqa: F811
    watch = Watching(sample_every=1, sample_tokens=4)
    fit(home, "dpo", "whole", watch=watch)
    dies_at(3, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        fit(home, "dpo", "cut", watch=watch, save_seconds=1e9)          # no checkpoint: it begins again
    fit(home, "dpo", "cut", watch=watch)
    assert rows(home / "cut" / sampling.FILE) == rows(home / "whole" / sampling.FILE)


def test_tensorboard_has_the_figures_of_metrics_jsonl(home):  # noqa: F811
    from tensorboard.backend.event_processing import event_accumulator
    fit(home, "sft", "out", watch=Watching(trackers=("tensorboard",)))
    found = event_accumulator.EventAccumulator(str(home / "out" / trackers.FOLDER / "tensorboard"))
    found.Reload()
    losses = [(row["step"], pytest.approx(row["loss"])) for row in rows(home / "out/metrics.jsonl") if "loss" in row]
    assert [(event.step, event.value) for event in found.Scalars("loss")] == losses


def test_a_tracker_that_is_not_installed_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ModelUnavailable, match="names wandb, which is not installed: pip install wandb"):
        trackers.Trackers(("wandb",), tmp_path, 0)
    with pytest.raises(ConfigError, match="'mlflow': expected one of tensorboard, trackio, wandb"):
        Watching(trackers=("mlflow",))


def test_the_command_line_shows_steps_and_the_loss(home):  # noqa: F811
    told = []
    stage, kind, _ = STAGES["sft"]
    (home / "out").mkdir()
    stage.run(stage.Config(optim=optim(), allow_uncertified=True), {"model": home / "base", kind: home / "data"}, home / "out", Local(1, told.append))
    steps = [at for at in told if at.unit == "steps"]
    assert [at.done for at in steps] == list(range(1, steps[-1].total + 1)) and steps[0].note.startswith("loss ")
    file = io.StringIO()
    progress.Lines(file)(Progress(30, 400, 12.0, "steps", 6, "loss 2.31, 812 tokens/s"))
    assert file.getvalue() == "  30 of 400 steps, 2.0 a second, 3 min 05 s left, loss 2.31, 812 tokens/s\n"


def test_drift_and_collapse_by_hand():
    watch = alarms.Watch([{"step": 0, "sampled_tokens": 40.0, "sampled_entropy": 2.0}, {"step": 1, "loss": 0.7, "margin": 0.0}])
    assert not watch.look({"step": 10, "sampled_tokens": 79.0, "sampled_entropy": 0.41})
    drift, = watch.look({"step": 20, "sampled_tokens": 81.0, "sampled_entropy": 0.41})
    assert "step 20: sampled answers have 81 tokens, 40 before training" in drift
    collapse, = watch.look({"step": 30, "sampled_tokens": 41.0, "sampled_entropy": 0.39})
    assert "step 30: the entropy of sampled answers fell from 2 to 0.39" in collapse
    learns = alarms.Watch([{"step": 0, "sampled_tokens": 40.0, "sampled_entropy": 2.0}, {"step": 1, "loss": 0.7}])
    assert not learns.look({"step": 10, "sampled_tokens": 9.0, "sampled_entropy": 1.0})          # SFT is to teach when to stop
