"""The classifier and the quality model: learnt the same from any order, measured on seeds they never saw."""


import numpy as np
import pyarrow as pa
import pytest

from aquilamed.core import tables
from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.corpus import calibration, cascade, classify, linear, quality
from aquilamed.engine.local import Local
from aquilamed.hygiene import features


def _documents(rows):
    return tables.from_rows("documents", [{"text": text, "source": "s", "license": "MIT", "meta": meta} for text, meta in rows])


def _titles(path):
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    return [(row[1], {"label": row[2]}) for row in rows]


def test_features_by_hand():
    # 头痛头痛: 头 x2, 痛 x2, 头痛 x2, 痛头, 头痛头, 痛头痛: six columns, three of weight 1 + ln 2 and three of weight 1
    row = features.hashed(pa.array(["头痛头痛", "Head pain", "ＨＥＡＤ  pain!"]), 20)
    weights = sorted(row[0].data.tolist())
    length = np.sqrt(3 + 3 * (1 + np.log(2)) ** 2)
    assert np.allclose(weights, [1 / length] * 3 + [(1 + np.log(2)) / length] * 3)
    assert row[1].nnz == 3 and (row[1] != row[2]).nnz == 0     # head, pain, head pain; width and blanks make no difference


def test_long_words_count_by_their_beginnings_and_ends_too():
    both = features.hashed(pa.array(["Arthritis", "BRONCHITIS！", "arthr", "病arthritis病", "éèüöäß"]), 20)
    # a word, 4 and 5 letters at either end; too short; 病, the word, two pairs and the ends; of six letters only ends of 4
    assert [row.nnz for row in both] == [5, 5, 1, 8, 3]
    assert len(set(both[0].indices) & set(both[1].indices)) == 1         # …itis


def test_rare_columns_weigh_more():
    columns = features.hashed(pa.array(["头痛", "头晕", "", "头痛头痛"]), 20)
    rare = features.rarity(columns)
    head, ache = (features.hashed(pa.array([char]), 20).indices[0] for char in "头痛")
    assert np.allclose(rare[[head, ache]], [np.log(5 / 4) + 1, np.log(5 / 3) + 1])
    found = features.weighed(columns, rare)
    assert np.allclose(np.sqrt(found.multiply(found).sum(axis=1)).ravel(), [1, 1, 0, 1])
    assert np.isclose(found[0, ache] / found[0, head], rare[ache] / rare[head])
    assert (features.weighed(columns[3:], rare) != found[3:]).nnz == 0    # a row does not depend on the others


def test_disciplines_of_real_titles(shared_data):
    folder = shared_data / "pretrain/zh_mixed/csl/cls_ctg"
    train, dev = _titles(folder / "train.tsv"), _titles(folder / "dev.tsv")
    truth = [np.array([meta["label"] == "医学" for _, meta in rows]) for rows in (train, dev)]
    texts, how = pa.array([text for text, _ in train]), {"bits": 20, "inverse_penalty": 30.0}
    unseen = linear.unseen(texts, truth[0], linear.folds_of([text for text, _ in train], truth[0], 0), **how)
    threshold = calibration.best_f1(calibration.sigmoid(unseen), truth[0])
    said = calibration.sigmoid(linear.learn(texts, truth[0], **how).raw(pa.array([text for text, _ in dev]))) >= threshold
    measured = classify.measure(said, truth[1])
    assert measured["f1"] > 0.84 and measured["n"] == 1000


ZH_MEDICAL, ZH_GENERAL = ("患者", "血压", "治疗", "症状", "药物", "感染"), ("股票", "足球", "旅行", "历史", "编程", "建筑")
EN_MEDICAL, EN_GENERAL = ("patient", "pressure", "therapy", "symptom", "drug"), ("stock", "football", "travel", "history", "code")


def _sentences(n):
    rng = np.random.default_rng(0)
    for k in range(n):
        words = ((ZH_MEDICAL, ZH_GENERAL), (EN_MEDICAL, EN_GENERAL))[k % 2][k // 2 % 2]
        joint = "与" if k % 2 == 0 else " and "
        yield joint.join(rng.choice(words, 6)) + f"{k}", "medical" if k // 2 % 2 == 0 else "general"


@pytest.fixture
def folders(tmp_path):
    rows = [(text, {"label": label, "quality": "5" if label == "medical" else "1"}) for text, label in _sentences(240)]
    tables.scatter(tmp_path / "seeds", "documents", _documents(rows))
    tables.scatter(tmp_path / "in", "documents", _documents([(text + "？", {"row": "1"}) for text, _ in _sentences(40)]))
    return tmp_path


def _shuffled(folders, kind):
    table = tables.read(folders / kind, "documents")
    order = np.random.default_rng(1).permutation(len(table))
    for number in range(2):
        tables.write(folders / f"{kind}-shuffled" / "documents" / tables.part(number), table.take(pa.array(order[number::2])))
    return folders / f"{kind}-shuffled"


@pytest.mark.parametrize("stage", [classify, quality], ids=["classify", "quality"])
def test_order_shards_and_workers_change_nothing(folders, stage):
    stage.run(stage.Config(), {"documents": folders / "in", "seeds": folders / "seeds"}, folders / "a", Local(1))
    stage.run(stage.Config(), {"documents": _shuffled(folders, "in"), "seeds": _shuffled(folders, "seeds")}, folders / "b", Local(2))
    assert (folders / "a" / "model.npz").read_bytes() == (folders / "b" / "model.npz").read_bytes()
    found = [sorted(map(repr, tables.rows(folders / name, "documents"))) for name in "ab"]
    assert found[0] == found[1] and len(found[0]) == 40


def test_documents_are_marked_and_measured_by_language(folders):
    inputs = {"documents": folders / "in", "seeds": folders / "seeds"}
    counts = classify.run(classify.Config(), inputs, folders / "both", Local(1))
    assert counts.n_out == 40 and set(counts.notes["medical"]) == {"all", "zh", "en"}
    assert counts.notes["seeds_train"] + counts.notes["seeds_test"] == 240 and counts.notes["medical"]["all"]["f1"] > 0.95
    limits = counts.notes["screen"]["by_lang"]
    assert set(limits) == {"all", "zh", "en"}
    for row in tables.rows(folders / "both", "documents"):
        assert row["meta"]["row"] == "1" and (row["meta"]["domain"] == "medical") == (float(row["meta"]["medical"]) >= limits[row["lang"]]["threshold"])
    only = classify.run(classify.Config(keep="medical"), inputs, folders / "medical", Local(1))
    assert (only.n_out, only.dropped) == (20, {"general": 20})


def test_a_language_with_few_seeds_is_judged_by_the_models_of_all(folders):
    few = [(text, {"label": label}) for text, label in _sentences(240) if "与" in text][:60] + [(text, {"label": label}) for text, label in _sentences(48) if "与" not in text]
    tables.scatter(folders / "few", "documents", _documents(few))
    counts = classify.run(classify.Config(), {"documents": folders / "in", "seeds": folders / "few"}, folders / "x", Local(1))
    assert set(counts.notes["screen"]["by_lang"]) == {"all", "zh"}
    assert sum(row["meta"]["domain"] == "medical" for row in tables.rows(folders / "x", "documents") if row["lang"] == "en") == 10


def _two_models(n=3000):
    """What two models say of documents, the second with less noise, and the truth."""
    rng = np.random.default_rng(3)
    truth = rng.random(n) < 0.3
    first, second = (np.round(calibration.sigmoid(3 * (truth - 0.5) + rng.normal(0, noise, n)), 4) for noise in (1.2, 0.6))
    return first, second, truth


@pytest.mark.parametrize("recall", [0.0, 0.995])
@pytest.mark.parametrize("loss", [0.0, 0.005, 0.02, 1.0])
def test_the_band_is_as_narrow_as_f1_allows(loss, recall):
    first, second, truth = _two_models()
    f1 = lambda low, high: classify.measure(np.where((first >= low) & (first < high), second, first) >= 0.5, truth)["f1"]  # noqa: E731
    low, high = cascade.band(first, second, truth, 0.5, loss=loss, recall=recall)
    share = ((first >= low) & (first < high)).mean()
    assert f1(low, high) >= f1(0, 2) - loss - 1e-4 and low <= 0.5 <= high and (first[truth] >= low).mean() >= recall
    assert (share == 0) == (loss == 1 and recall == 0) and (loss < 0.005 or share < 0.7 or recall)
    for narrower in ((low + 0.05, high), (low, high - 0.05)):            # no step inwards would do as well
        if narrower[0] <= 0.5 <= narrower[1] and 0 < loss < 1 and not recall:
            assert f1(*narrower) < f1(0, 2) - loss + 0.003


def test_measures_by_hand():
    # 3 said, 4 there, 2 both: 2/3, 2/4, 4/7
    predicted, truth = np.array([1, 1, 1, 0, 0, 0], bool), np.array([1, 1, 0, 1, 1, 0], bool)
    assert classify.measure(predicted, truth) == {"precision": 0.6667, "recall": 0.5, "f1": 0.5714, "n": 6}
    # ranks 0 1 2 3 against 0 2 1 3: 1 - 6 * 2 / (4 * 15) = 0.8; errors 0 1 1 0
    assert quality.measure(np.array([1.0, 2, 3, 4]), np.array([1.0, 3, 2, 4])) == {"spearman": 0.8, "mae": 0.5, "n": 4}


def test_refusals_name_the_seed(folders):
    tables.scatter(folders / "unlabelled", "documents", _documents([("没有标签", {})]))
    with pytest.raises(RecordError, match="has no meta\\['label'\\]; label it"):
        classify.run(classify.Config(), {"documents": folders / "in", "seeds": folders / "unlabelled"}, folders / "x", Local(1))
    with pytest.raises(RecordError, match="0 medical and .* general seeds .*check positive_labels"):
        classify.run(classify.Config(positive_labels=("x",)), {"documents": folders / "in", "seeds": folders / "seeds"}, folders / "x", Local(1))
    tables.scatter(folders / "wild", "documents", _documents([("太好", {"quality": "9"})]))
    with pytest.raises(RecordError, match="quality '9': expected a number, 0..6"):
        quality.run(quality.Config(), {"documents": folders / "in", "seeds": folders / "wild"}, folders / "x", Local(1))
    with pytest.raises(ConfigError, match="bits=99"):
        quality.Config(bits=99)
