"""Seeds are drawn as many of each language, the same from any order, and later rounds from what the classifier is unsure of."""

import numpy as np
import pyarrow as pa
import pytest

from aquilamed.core import tables
from aquilamed.core.errors import ConfigError
from aquilamed.corpus import sample
from aquilamed.engine.local import Local


@pytest.fixture
def corpus(tmp_path):
    rows = [{"text": f"血压的第{k}篇文章。", "source": "s", "license": "MIT", "meta": {"uncertain": "1" if k % 4 == 0 else "0"}} for k in range(60)]
    rows += [{"text": f"Article number {k} on blood pressure.", "source": "s", "license": "MIT", "meta": {"uncertain": "1" if k % 10 == 0 else "0"}} for k in range(300)]
    table = tables.from_rows("documents", rows)
    tables.scatter(tmp_path / "in", "documents", table)
    order = np.random.default_rng(1).permutation(len(table))
    for number in range(3):
        tables.write(tmp_path / "shuffled" / "documents" / tables.part(number), table.take(pa.array(order[number::3])))
    return tmp_path


def _drawn(folder):
    return tables.read(folder, "documents")


def test_languages_are_balanced_and_neither_order_nor_workers_matter(corpus):
    counts = sample.run(sample.Config(n=40), {"documents": corpus / "in"}, corpus / "a", Local(1))
    again = sample.run(sample.Config(n=40), {"documents": corpus / "shuffled"}, corpus / "b", Local(2))
    assert counts == again and counts.langs == {"zh": 20, "en": 20} and counts.dropped == {"not_drawn": 320} and counts.notes == {"short": {}}
    assert _drawn(corpus / "a").equals(_drawn(corpus / "b"))
    more = sample.run(sample.Config(n=60), {"documents": corpus / "in"}, corpus / "c", Local(1))
    assert set(_drawn(corpus / "a")["id"].to_pylist()) < set(_drawn(corpus / "c")["id"].to_pylist()) and more.n_out == 60     # more is the same and more


def test_later_rounds_come_from_the_uncertain_band_and_nothing_is_labelled_again(corpus):
    sample.run(sample.Config(n=40), {"documents": corpus / "in"}, corpus / "first", Local(1))
    counts = sample.run(sample.Config(n=20, uncertain_share=0.5), {"documents": corpus / "in", "labelled": corpus / "first"}, corpus / "second", Local(1))
    rows = list(tables.rows(corpus / "second", "documents"))
    unsure = [row["lang"] for row in rows if row["meta"]["uncertain"] == "1"]
    assert (unsure.count("zh"), unsure.count("en")) == (5, 5) and counts.dropped == {"labelled": 40, "not_drawn": 300}
    assert not {row["id"] for row in rows} & set(_drawn(corpus / "first")["id"].to_pylist())


def test_a_language_that_is_short_is_told(corpus):
    counts = sample.run(sample.Config(n=200), {"documents": corpus / "in"}, corpus / "out", Local(1))
    assert counts.langs == {"zh": 60, "en": 100} and counts.notes["short"] == {"zh": 40}
    with pytest.raises(ConfigError, match="zh_share=2"):
        sample.Config(zh_share=2)
