"""Fine-tuning a real, tiny encoder, and what it says of a text whoever stands beside it."""

import numpy as np
import pytest
import torch
import transformers

from aquilamed.core.errors import ConfigError, ModelUnavailable
from aquilamed.models import encoder
from aquilamed.models.encoder_settings import Settings
from tiny import make_bert

torch.set_num_threads(1)


WORDS = {True: ("高血压", "头痛", "患病", "ill", "pain"), False: ("股票", "足球", "球队", "game", "team")}


def _texts(n, seed=0):
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % 2 == 0
    return ["，".join(rng.choice(WORDS[bool(kind)], int(rng.integers(2, 6)))) for kind in truth], truth


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return make_bert(tmp_path_factory.mktemp("bert"))


def _taught(bert, out, **settings):
    texts, truth = _texts(64)
    dev, dev_truth = _texts(32, seed=1)
    lesson = encoder.Lesson(texts=texts, targets=truth.astype(int), dev_texts=dev, judge=lambda raw: float(((raw > 0) == dev_truth).mean()), yes=(False, True))
    return encoder.fine_tune(bert, lesson, Settings(**{"lr": 3e-3, "batch": 16, "epochs": 6, "patience": 2, "max_tokens": 64, **settings}), out)


def test_an_encoder_learns_keeps_its_best_epoch_and_is_the_same_again(bert, tmp_path):
    notes = _taught(bert, tmp_path / "a")
    assert max(notes["dev_by_epoch"]) > 0.9 and notes["dev_by_epoch"][notes["best_epoch"] - 1] == max(notes["dev_by_epoch"])
    assert len(notes["dev_by_epoch"]) <= notes["best_epoch"] + 2
    texts, truth = _texts(40, seed=2)
    said = encoder.raw(tmp_path / "a", texts, 64)
    assert ((said > 0) == truth).mean() > 0.9
    assert _taught(bert, tmp_path / "b") == notes and np.array_equal(encoder.raw(tmp_path / "b", texts, 64), said)


def test_several_labels_are_taught_apart_and_the_number_is_the_log_odds_of_those_that_count(bert, tmp_path):
    """Two labels mean yes, two no: what is said of a text is larger for both kinds of yes than for both of no."""
    words = [("高血压", "头痛"), ("ill", "pain"), ("股票", "足球"), ("game", "team")]
    rng = np.random.default_rng(0)
    made = lambda n: ([word for k in range(n) for word in ["，".join(rng.choice(words[k % 4], 4))]], np.arange(n) % 4)  # noqa: E731
    (texts, labels), (dev, dev_labels) = made(96), made(32)
    lesson = encoder.Lesson(texts=texts, targets=labels, dev_texts=dev, judge=lambda raw: float(((raw > 0) == (dev_labels < 2)).mean()), yes=(True, True, False, False))
    notes = encoder.fine_tune(bert, lesson, Settings(lr=3e-3, batch=16, epochs=6, max_tokens=64), tmp_path, layers=1)
    assert max(notes["dev_by_epoch"]) > 0.95
    network = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert network.config.num_labels == 4 and network.config.num_hidden_layers == 1
    row = transformers.AutoTokenizer.from_pretrained(tmp_path)(dev[1], return_tensors="pt")
    said = network.eval()(**row).logits[0].detach().softmax(-1)
    assert encoder.raw(tmp_path, dev[1:2], 64)[0] == pytest.approx(float((said[:2].sum() / said[2:].sum()).log()), abs=0.15)      # bfloat16 where the CPU has it


def test_a_number_does_not_depend_on_neighbours(bert, tmp_path):
    _taught(bert, tmp_path / "a", epochs=1)
    texts = [*_texts(20, seed=3)[0], "高血压，" * 20, "", "x"]
    together = encoder.raw(tmp_path / "a", texts, 64)
    order = np.random.default_rng(0).permutation(len(texts))
    assert np.array_equal(encoder.raw(tmp_path / "a", [texts[k] for k in order], 64), together[order])
    assert np.array_equal(np.concatenate([encoder.raw(tmp_path / "a", [text], 64) for text in texts]), together)


def test_batches_by_hand():
    assert list(encoder.groups([5, 2, 9, 3], 10)) == [[1, 3], [0], [2]]            # 2 x 3, then 3 x 5 is too much, then 9
    ids = [[1] * 40, [2] * 3, [3] * 33]
    shapes = [(places, tuple(ids_BT.shape)) for places, ids_BT, _ in encoder.batches(ids, 0, torch.device("cpu"))]
    assert shapes == [([1], (16, 32)), ([0, 2], (8, 64))]                          # always as many rows, filled up with copies


def test_long_texts_keep_their_closing_token(bert):
    tokenizer = transformers.AutoTokenizer.from_pretrained(bert)
    row, = encoder._ids(tokenizer, ["头痛" * 50], 8)
    assert len(row) == 8 and (row[0], row[-1]) == (tokenizer.cls_token_id, tokenizer.sep_token_id)


def test_refusals(tmp_path):
    with pytest.raises(ModelUnavailable, match="can't be loaded as a sequence classifier"):
        encoder.raw(tmp_path, ["x"], 16)
    with pytest.raises(ConfigError, match="max_tokens=2"):
        Settings(max_tokens=2)
