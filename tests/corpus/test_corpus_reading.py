"""The cascade with a model that reads: the same bytes from threads, Ray and a run that was broken off; the embedded base model as a reader."""

import json
import os

import numpy as np
import pytest
from tiny import make_bert

from aquilamed.core import manifest, tables
from aquilamed.corpus import classify, quality
from aquilamed.corpus.readers import EMBEDDED, EMBEDDED_TUNED, Reading, Seeds, _taught
from aquilamed.engine.local import Local
from aquilamed.models import embedded
from aquilamed.models.encoder_settings import Settings

WORDS = {"zh": ("高血压", "头痛", "患病", "股票", "足球", "球队"), "en": ("ill", "pain", "drug", "game", "team", "stock")}


def _rows(n, seed, *, wrong=0.15):
    """Texts in which most words tell the class, and labels of which some are wrong: the n-grams can't be sure."""
    rng = np.random.default_rng(seed)
    for k in range(n):
        lang, medical = ("zh", "en")[k % 2], k // 2 % 2 == 0
        likely = rng.random(6) < 0.75
        words = [WORDS[lang][rng.integers(3) + 3 * int((not medical) == told)] for told in likely]
        label = medical != (rng.random() < wrong)
        yield {"text": ("，" if lang == "zh" else " ").join(words) + f" {k}", "source": "s", "license": "MIT", "meta": {"label": "medical" if label else "general"}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("reading")
    tables.scatter(made / "seeds", "documents", tables.from_rows("documents", list(_rows(700, 0))))
    tables.scatter(made / "in", "documents", tables.from_rows("documents", list(_rows(240, 1))), shard_bytes=1500)
    assert len(tables.shards(made / "in", "documents")) > 3
    make_bert(made / "bert")
    return made


def _config(folder, **settings):
    tuning = Settings(max_tokens=32, epochs=2, batch=16, lr=3e-3)
    return classify.Config(reading=Reading(model=str(folder / "bert"), tuning=tuning), screen_loss=0.0, screen_recall=1.0, **settings)


def _bytes(out):
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*.parquet"))}


@pytest.fixture(scope="module")
def whole(folder):
    inputs = {"documents": folder / "in", "seeds": folder / "seeds"}
    counts = classify.run(_config(folder), inputs, folder / "whole", Local(2))
    return inputs, counts, _bytes(folder / "whole")


def test_some_are_read_and_each_model_is_measured(whole):
    _, counts, _ = whole
    assert 0 < counts.notes["screen"]["n_read"] < 240 and set(counts.notes["models"]) == {"linear", "encoder", "cascade"}
    assert set(counts.notes["screen"]["by_lang"]) == {"all", "zh", "en"} and counts.notes["medical"]["all"]["f1"] > 0.7
    assert len(counts.notes["teaching"]["dev_by_epoch"]) == 2 and counts.notes["cost"]["documents_per_s"] > 0


@pytest.mark.ray
def test_ray_actors_and_one_thread_give_the_same_bytes(whole, folder, cluster):
    inputs, counts, expected = whole
    for name, engine in (("one", Local(1)), ("ray", cluster)):
        found = classify.run(_config(folder), inputs, folder / name, engine)
        assert _bytes(folder / name) == expected and found.notes["screen"] == counts.notes["screen"]
        assert (folder / name / "model.npz").read_bytes() == (folder / "whole" / "model.npz").read_bytes()


@pytest.mark.ray
def test_jobs_that_ask_a_model_share_a_process_and_outlive_it(cluster, tmp_path):
    def job(number):
        marker = tmp_path / f"died-{number}"
        if number == 2 and not marker.exists():
            marker.touch()
            os._exit(1)
        return number, os.getpid()
    found = cluster.map(job, range(5), on_gpu=True)
    assert [number for number, _ in found] == list(range(5)) and len({process for _, process in found}) <= 2
    assert (tmp_path / "died-2").exists()


class _Breaks(Local):
    """An engine that is stopped after two jobs of a pass that asks a model."""

    def map(self, fn, items, *, holds_lock=False, on_gpu=False):
        if on_gpu:
            [fn(item) for item in items[:2]]
            raise KeyboardInterrupt
        return super().map(fn, items, holds_lock=holds_lock)


def test_a_broken_off_run_ends_as_the_whole_one(whole, folder):
    inputs, _, expected = whole
    with pytest.raises(KeyboardInterrupt):
        classify.run(_config(folder), inputs, folder / "broken", _Breaks(1))
    assert len(list((folder / "broken" / "documents").glob("*.parquet"))) == 2 and (folder / "broken" / manifest.PASSES).is_dir()
    classify.run(_config(folder), inputs, folder / "broken", Local(2))
    assert _bytes(folder / "broken") == expected


def test_the_embedded_base_model_reads_where_no_encoder_is(tmp_path):
    embedded.ensure(embedded.TRIMMED, embedded.CACHE)
    reading = Reading(model=EMBEDDED, layer=2, tuning=Settings(max_tokens=24))
    tables.scatter(tmp_path / "seeds", "documents", tables.from_rows("documents", list(_rows(200, 2))))
    tables.scatter(tmp_path / "in", "documents", tables.from_rows("documents", list(_rows(60, 3))), shard_bytes=1500)
    inputs = {name: tmp_path / name for name in ("seeds", "in")}
    inputs["documents"] = inputs.pop("in")
    config = classify.Config(reading=reading, screen_loss=0.0, screen_recall=1.0)
    one, two = (classify.run(config, inputs, tmp_path / name, Local(workers)) for name, workers in (("one", 1), ("two", 2)))
    assert _bytes(tmp_path / "one") == _bytes(tmp_path / "two") and one.notes["screen"]["n_read"] == two.notes["screen"]["n_read"] > 0
    assert one.notes["models"]["encoder"]["all"]["f1"] > 0.7 and one.notes["teaching"] == {"layer": 2}


def test_the_embedded_base_models_first_layers_are_fine_tuned(tmp_path):
    rows = list(_rows(160, 5, wrong=0.0))
    tables.scatter(tmp_path / "seeds", "documents", tables.from_rows("documents", rows))
    tables.scatter(tmp_path / "in", "documents", tables.from_rows("documents", rows[:20]))
    reading = Reading(model=EMBEDDED_TUNED, layer=1, tuning=Settings(max_tokens=24, lr=5e-4, batch=8, epochs=8))
    counts = classify.run(classify.Config(reading=reading), {"seeds": tmp_path / "seeds", "documents": tmp_path / "in"}, tmp_path / "out", Local(1))
    settings = json.loads((tmp_path / "out/encoder/config.json").read_text(encoding="utf-8"))
    assert settings["num_hidden_layers"] == len(settings["layer_types"]) == 1 and settings["yes"] == [False, True]
    assert max(counts.notes["teaching"]["dev_by_epoch"]) > 0.8


def test_labels_that_are_rare_are_taught_with_the_others_that_count_alike():
    labels = ["工学"] * 30 + ["医学"] * 25 + ["艺术学"] * 3 + ["药学"] * 2 + ["军事学"] * 4
    seeds = Seeds(texts=None, targets=np.isin(labels, ["医学", "药学"]), folds=None, judge=None, seed=0, labels=labels)
    yes, classes, scale, offset = _taught(seeds, np.arange(len(labels)))
    assert yes == (False, False, True, True) and (scale, offset) == (1.0, 0.0)                # the rare of both sides, 工学; the rare, 医学
    assert classes.tolist() == [1] * 30 + [3] * 25 + [0] * 3 + [2] * 2 + [0] * 4
    scores = np.array([1.0, 2.0, 3.0])
    none, standard, scale, offset = _taught(Seeds(texts=None, targets=scores, folds=None, judge=None, seed=0), np.arange(3))
    assert none == () and standard * scale + offset == pytest.approx(scores)


def test_the_embedded_base_model_grades_too(tmp_path):
    rows = [{**row, "meta": {"quality": "5" if row["meta"]["label"] == "medical" else "1"}} for row in _rows(160, 4, wrong=0.0)]
    tables.scatter(tmp_path / "seeds", "documents", tables.from_rows("documents", rows))
    tables.scatter(tmp_path / "in", "documents", tables.from_rows("documents", rows[:40]))
    config = quality.Config(reading=Reading(model=EMBEDDED, layer=1, tuning=Settings(max_tokens=24)), test_share=0.3)
    counts = quality.run(config, {"documents": tmp_path / "in", "seeds": tmp_path / "seeds"}, tmp_path / "out", Local(1))
    assert counts.n_out == 40 and counts.notes["quality"]["all"]["spearman"] > 0.5 and counts.notes["teaching"] == {"layer": 1}
