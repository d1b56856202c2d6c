"""What a run is warned of, by hand-made figures; a resumed run warns the same."""

import json

from test_train import fit, home

from aquilamed.train import alarms, loop

__all__ = ["home"]


def _rows(losses, **more):
    return [{"step": k + 1, "loss": loss, **{name: values[k] for name, values in more.items()}} for k, loss in enumerate(losses)]


def test_a_jump_is_told_once_with_its_step():
    steady = [2.0 + 0.01 * (k % 3) for k in range(30)]
    watch = alarms.Watch()
    told = [watch.look(row) for row in _rows([*steady, 2.15, 4.0, 4.0, 2.0])]
    assert [k + 1 for k, found in enumerate(told) if found] == [32] and told[31][0].startswith("step 32: the loss jumped to 4, 2.01")
    assert alarms.Watch(_rows([*steady, 2.15])).alarms == [] and alarms.Watch(_rows([2.0] * 10 + [9.0])).alarms == []     # within a tenth; too early
    assert alarms.Watch(_rows([*steady, 2.15, 4.0, 4.0, 2.0])).alarms == watch.alarms


def test_chosen_answers_that_fall_are_told():
    changes = [-1.0 * k for k in range(40)]           # the mean of the last 20 is below -20 from the step at which it is -20.5: k = 30
    found = alarms.Watch(_rows([1.0] * 40, chosen_logp_change=changes)).alarms
    assert len(found) == 1 and found[0].startswith("step 31: chosen answers are 20.5 nats less likely")


def test_alarms_stand_in_the_metrics_and_the_manifests_notes(home, monkeypatch):
    monkeypatch.setattr(alarms, "LEAST", 2)
    honest = loop.one_step
    monkeypatch.setattr(loop, "one_step", lambda *given: {**honest(*given), **({"loss": 99.0} if given[-1] == 4 else {})})
    notes = []
    monkeypatch.setattr(loop.checkpoint, "put", lambda *_: None)
    train = loop.train
    monkeypatch.setattr("aquilamed.train.session.train", lambda job: notes.append(train(job)) or notes[-1])
    fit(home, "sft", "out", lr=1e-4)
    told = [row["alarm"] for line in (home / "out" / "metrics.jsonl").read_text(encoding="utf-8").splitlines() if "alarm" in (row := json.loads(line))]
    assert len(told) == 1 and told[0].startswith("step 5: the loss jumped to 99") and notes[0]["warnings"] == told
