"""The quality model: a threshold that keeps the share of good documents that was asked for, in both languages, and the faults of the rest."""

import numpy as np
import pyarrow as pa
import pytest
from threadpoolctl import threadpool_limits

from aquilamed.clinic import facts, write
from aquilamed.core import tables
from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.corpus import faults, goodness, mix, quality
from aquilamed.corpus.readers import Reading
from aquilamed.engine.local import Local
from aquilamed.hygiene import ridge
from aquilamed.models.encoder_settings import Settings
from tiny import make_bert


PRECISION = quality.Config().precision


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    """Seeds and pages of the clinic: learnt from the first, measured on the second, whose truth is known."""
    folder = tmp_path_factory.mktemp("quality")
    made = write.generate(write.Config(n_conditions=20, n_drugs=10, n_pages_per_fact=3, n_seeds=1200), facts.load())
    seeds = [{"text": row["text"], "source": "s", "license": "MIT", "meta": {"quality": str(row["quality"]), "faults": row["faults"]}} for row in made["seeds.jsonl"]]
    pages = [{"text": row["text"], "source": "s", "license": "MIT", "meta": {"domain": row["truth"]["domain"], "truth": str(row["truth"]["quality"]), "dirt": row["truth"]["dirt"]}}
             for row in made["web.jsonl"]]
    tables.scatter(folder / "seeds", "documents", tables.from_rows("documents", seeds))
    tables.scatter(folder / "in", "documents", tables.from_rows("documents", pages))
    counts = quality.run(quality.Config(), _inputs(folder), folder / "out", Local(2))
    return folder, counts, list(tables.rows(folder / "out", "documents"))


def _inputs(folder):
    return {"documents": folder / "in", "seeds": folder / "seeds"}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_threshold_keeps_what_was_asked_for_on_unseen_pages(clinic, lang):
    _, counts, rows = clinic
    chosen = counts.notes["thresholds"][lang]
    assert chosen["precision"] >= PRECISION and chosen["recall"] > 0.7 and counts.notes["warnings"] == []
    mine = [row["meta"] for row in rows if row["lang"] == lang]
    kept = [meta for meta in mine if float(meta["quality"]) >= float(meta["least_quality"])]
    assert all(float(meta["least_quality"]) == chosen["value"] for meta in mine) and all(("fault" in meta) != (meta in kept) for meta in mine)
    good = sum(float(meta["truth"]) >= 4 for meta in kept)
    assert len(kept) > 100 and good / len(kept) > PRECISION
    assert counts.notes["good"][lang]["precision"] > 0.8 and counts.notes["quality"][lang]["spearman"] > 0.4


def test_faults_are_named_and_measured(clinic):
    _, counts, rows = clinic
    found = counts.notes["faults"]
    assert set(found) == {"advertising", "media_editing", "spliced", "ungrammatical"} and counts.notes["faults_unlearnt"] == ["incoherent"]
    for fault in ("advertising", "media_editing", "ungrammatical"):         # n-grams don't see splices
        assert found[fault]["precision"] > 0.85 and found[fault]["recall"] > 0.85
    low = [row["meta"] for row in rows if "fault" in row["meta"]]
    assert sum(counts.notes["low_by_fault"].values()) == len(low)
    ads = [meta for meta in low if meta["fault"] == "advertising"]
    assert len(ads) > 20 and sum(meta["dirt"] == "ad" for meta in ads) / len(ads) > 0.7


def test_dropped_rows_say_score_and_fault(clinic, tmp_path):
    folder, _, _ = clinic
    counts = quality.run(quality.Config(drop=True, threshold=3.0), _inputs(folder), tmp_path / "out", Local(1))
    assert counts.n_in == counts.n_out + counts.dropped["low_quality"] and counts.notes["thresholds"]["zh"]["value"] == 3.0
    dropped = tables.read(tmp_path / "out" / "dropped", "documents").to_pylist()
    for row in dropped:
        score, fault = row["detail"].split(" ")
        assert float(score) < 3 and fault in ("advertising", "media_editing", "spliced", "ungrammatical", "other")


def test_the_mix_takes_what_is_good(clinic, tmp_path):
    folder, _, rows = clinic
    counts = mix.run(mix.Config(budget_tokens=10**7, medical_share=1.0, only_good=True, max_epochs=1), {"documents": folder / "out"}, tmp_path / "out", Local(1))
    below = sum(row["meta"]["domain"] == "medical" and row["lang"] in ("zh", "en") and float(row["meta"]["quality"]) < float(row["meta"]["least_quality"]) for row in rows)
    assert counts.dropped["below_quality"] == below > 50
    near = tables.read(tmp_path / "out" / "near", "documents").to_pylist()
    assert near and all(0.5 <= row["nearness"] <= 1 for row in near)
    tables.scatter(tmp_path / "old", "documents", tables.from_rows("documents", [{"text": "血压", "source": "s", "license": "MIT", "meta": {"domain": "medical", "quality": "5"}}]))
    with pytest.raises(RecordError, match="has no quality; run corpus.quality first"):
        mix.run(mix.Config(budget_tokens=10, only_good=True), {"documents": tmp_path / "old"}, tmp_path / "x", Local(1))


def test_thresholds_by_hand():
    scores = np.array([5.0, 5, 4, 3, 2, 1] * 10)
    good = np.array([True, True, True, False, True, False] * 10)
    langs = np.array(["zh"] * 60, object)
    # from 5 or 4 on all are good; from 2 on 40 of 50; the lowest that keeps 80 % is 2, between 1 and 2
    assert goodness.choose(scores, good, langs, 0.8, 0)["all"] == goodness.Threshold(1.5, 0.8, 1.0, 60)
    assert goodness.choose(scores, good, langs, 0.9, 0)["zh"] == goodness.Threshold(3.5, 1.0, 0.75, 60)
    assert goodness.choose(scores, good, langs, 0.9, 2.5)["all"].value == 2.5
    assert set(goodness.choose(scores, good, np.array(["zh", "en"] * 30, object), 0.8, 0)) == {"all"}        # ten of each are too few


def test_a_precision_out_of_reach_is_said():
    rng = np.random.default_rng(0)
    scores, good = np.round(rng.random(400) * 6, 2), rng.random(400) < 0.5
    chosen = goodness.choose(scores, good, np.array(["zh"] * 400, object), 0.95, 0)["all"]
    assert chosen.precision < 0.95 and (scores >= chosen.value).sum() >= goodness.FEWEST
    assert "no score keeps 95% good" in chosen.warning("all", 0.95)


def test_a_reader_judges_beside_the_ridge(clinic, tmp_path):
    folder, _, _ = clinic
    reading = Reading(model=str(make_bert(tmp_path / "bert")), tuning=Settings(max_tokens=32, epochs=1, batch=16))
    counts = quality.run(quality.Config(reading=reading), _inputs(folder), tmp_path / "out", Local(1))
    assert (tmp_path / "out" / "encoder" / "model.safetensors").exists() and counts.notes["quality"]["all"]["spearman"] > 0.4
    again = quality.run(quality.Config(reading=reading), _inputs(folder), tmp_path / "again", Local(2))
    assert again.notes["thresholds"] == counts.notes["thresholds"]
    assert tables.read(tmp_path / "out", "documents").equals(tables.read(tmp_path / "again", "documents"))


def test_refusals(clinic, tmp_path):
    with pytest.raises(RecordError, match="seed a: faults dull: expected some of advertising"):
        faults.marks_of(["a"], ["advertising,dull"])
    with pytest.raises(ConfigError, match="precision=2"):
        quality.Config(precision=2)
    assert faults.learn(pa.chunked_array([["血压"]]), {"spliced": np.array([True])}, np.array([0]), 10).of(pa.array(["血压"])).tolist() == ["other"]


def test_weights_do_not_depend_on_the_number_of_threads(clinic):
    folder, _, _ = clinic
    seeds = list(tables.rows(folder / "seeds", "documents"))[:300]
    texts, scores = pa.array([row["text"] for row in seeds]), np.array([float(row["meta"]["quality"]) for row in seeds])

    def weights(n_threads: int) -> bytes:
        with threadpool_limits(n_threads):
            return ridge.fit(texts, scores, bits=18, penalty=0.03).weights.tobytes()
    assert weights(1) == weights(2)
