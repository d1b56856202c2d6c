"""The held-out split keeps clusters whole; the mix meets its budgets by hand-made sums."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from aquilamed.core import tables
from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.corpus import budget, mix
from aquilamed.hygiene import holdout
from aquilamed.engine.local import Local

ZH = "高血压患者应当低盐饮食、规律运动并按时服药，家中每天固定时间测量血压，记录下来供医生参考。"


def _documents(rows):
    return tables.from_rows("documents", [{"text": text, "source": "s", "license": "MIT", "meta": meta} for text, meta in rows])


def _varied(n):
    rng = np.random.default_rng(0)
    for k in range(n):
        text = "".join(chr(c) for c in rng.integers(0x4E00, 0x9000, 60))
        for ending in ("。", "，完。", "（转载）")[:1 + k % 3]:
            yield text + ending, {"domain": ("medical", "general")[k % 2], "cluster": str(k)}


@pytest.fixture
def varied(tmp_path):
    table = _documents(list(_varied(120)))
    tables.scatter(tmp_path / "in", "documents", table, shard_bytes=20_000)
    order = np.random.default_rng(2).permutation(len(table))
    tables.write(tmp_path / "other" / "documents" / tables.part(0), table.take(pa.array(order)))
    return tmp_path


def _sides(folder):
    return [sorted((row["id"], row["meta"]["cluster"]) for row in tables.rows(folder / side, "documents")) for side in ("documents", "heldout")]


def test_a_cluster_is_never_split_and_order_changes_nothing(varied):
    config = holdout.Config(share=0.3)
    counts = holdout.run(config, {"documents": varied / "in"}, varied / "a", Local(2))
    holdout.run(config, {"documents": varied / "other"}, varied / "b", Local(1))
    train, held = _sides(varied / "a")
    assert [train, held] == _sides(varied / "b")
    assert len(train) + len(held) == counts.n_in == counts.n_out == 240 and counts.notes["n_heldout"] == len(held)
    assert not {cluster for _, cluster in train} & {cluster for _, cluster in held}
    assert 20 < len({cluster for _, cluster in held}) < 52        # 36 expected of 120, +- 3 standard deviations


def test_a_cell_stops_at_its_characters(varied):
    counts = holdout.run(holdout.Config(share=1.0, max_chars=500), {"documents": varied / "in"}, varied / "out", Local(1))
    cells = counts.notes["cells"]["heldout"]
    assert set(cells) == {"medical zh", "general zh"} and all(300 < cell["chars"] <= 500 for cell in cells.values())


def _cell_rows(n, domain, text, **meta):
    return [(f"{text}{k:03d}", {"domain": domain, **meta}) for k in range(n)]


@pytest.fixture
def corpus(tmp_path):
    en = "Eat less salt and walk every day to keep it down " * 2          # 98 characters and 3 digits: 25.25 tokens
    zh = ZH[:37]                                                           # 37 + 3 characters: 26 tokens
    rows = [*_cell_rows(30, "medical", zh, quality="4.00"), *_cell_rows(30, "medical", zh + "差", quality="2.00"),
            *_cell_rows(30, "general", zh + "常", quality="0.50"), *_cell_rows(3, "medical", en, quality="5.00"), *_cell_rows(30, "general", en[::-1], quality="1.00")]
    tables.scatter(tmp_path / "docs", "documents", _documents(rows))
    talks = [{"messages": [{"role": "user", "content": f"怎么办{k}"}, {"role": "assistant", "content": ZH}],
              "kind": "single", "source": "s", "license": "MIT"} for k in range(5)]
    tables.scatter(tmp_path / "talks", "conversations", tables.from_rows("conversations", talks))
    return tmp_path


def test_budgets_by_hand(corpus):
    # 1000 tokens: medical 600 (zh 300, en 300), general 400 (zh 200, en 200); a Chinese document has 40 characters and 26 tokens, a general
    # one 41 and 26.65: 12 and 8 of them;
    # English: 3 medical ones hold 76 of 300: all of them 3 times make 227, a fourth time 303; 8 general ones of 25.25 make 202
    config = mix.Config(budget_tokens=1000, medical_share=0.6, min_quality=3.0)
    counts = mix.run(config, {"documents": corpus / "docs"}, corpus / "out", Local(1))
    assert {name: (cell["asked"], cell["got"], cell["documents"], cell["repeated"]) for name, cell in counts.notes["cells"].items()} == {
        "medical zh": (300, 312, 12, 0), "medical en": (300, 303, 3, 227), "general zh": (200, 213, 8, 0), "general en": (200, 202, 8, 0)}
    assert counts.notes["short"] == counts.notes["warnings"] == [] and counts.n_out == 31
    assert counts.notes["documents_by_epochs"] == {"1": 28, "4": 3} and counts.notes["repeated_tokens"] == 227
    assert counts.dropped == {"below_quality": 30, "over_budget": 18 + 22 + 22}
    kept = list(tables.rows(corpus / "out", "documents"))
    assert all(row["meta"]["quality"] == "4.00" for row in kept if row["meta"]["domain"] == "medical" and row["lang"] == "zh")
    assert [row["meta"].get("epochs") for row in kept if row["meta"]["quality"] == "5.00"] == ["4"] * 3 and sum("epochs" in row["meta"] for row in kept) == 3


def test_a_cell_that_repeats_can_not_fill_is_reported(corpus):
    config = mix.Config(budget_tokens=1000, medical_share=0.6, min_quality=3.0, max_epochs=2)
    counts = mix.run(config, {"documents": corpus / "docs"}, corpus / "out", Local(1))
    assert counts.notes["cells"]["medical en"]["got"] == round(6 * 25.25) and counts.notes["short"] == ["medical en"]
    assert counts.notes["warnings"] == ["medical en: 152 of 300 tokens, all that its 3 documents give when drawn 2 times"]
    again = mix.run(dataclasses.replace(config, max_epochs=1), {"documents": corpus / "out"}, corpus / "twice", Local(1))      # a mix of a mix
    assert again.n_out == 31 and {row["meta"].get("epochs") for row in tables.rows(corpus / "twice", "documents")} == {None, "1"}


def test_shares_of_sources_by_hand():
    # 100 tokens: a 0.5, b 0.2, the others 0.3. b holds 4, 8 in two epochs: the 12 it lacks go to a and the others as 5 : 3
    assert budget.allot(100, np.array([1000.0, 4, 1000]), np.array([0.5, 0.2, 0.3]), 2).round(3).tolist() == [57.5, 8, 34.5]
    assert budget.allot(100, np.array([30.0, 4, 0]), np.array([0.5, 0.2, 0.3]), 2).round(3).tolist() == [60, 8, 0]       # all there is
    assert budget.allot(100, np.array([1000.0, 1000]), np.array([0.0, 1]), 4).tolist() == [0, 100]                     # share 0 shuts a source out
    # rows of 3, 4, 5 tokens for 20: all once is 12, the first two once more reach 19, so the third stands twice too
    assert budget.repeats(np.array([3.0, 4, 5]), 20, 4).tolist() == [2, 2, 2]
    assert budget.repeats(np.array([3.0, 4, 5]), 19, 4).tolist() == [2, 2, 1]
    assert budget.repeats(np.array([3.0, 4, 5]), 100, 4).tolist() == [4, 4, 4]
    assert budget.repeats(np.array([]), 10, 4).tolist() == []


def test_a_source_gets_its_share_of_the_cell(tmp_path):
    rows = [{"text": f"{ZH[:37]}{k:03d}", "source": source, "license": "MIT", "meta": {"domain": "medical"}} for k, source in enumerate(["web"] * 80 + ["books"] * 5)]
    tables.scatter(tmp_path / "docs", "documents", tables.from_rows("documents", rows))
    config = mix.Config(budget_tokens=520, medical_share=1.0, zh_share=1.0, source_shares={"medical zh": {"books": 0.5, "papers": 0.1}})
    notes = mix.run(config, {"documents": tmp_path / "docs"}, tmp_path / "out", Local(1)).notes
    # 20 documents of 26 tokens: books 0.5 / 0.9 of them, web 0.4 / 0.9: 12 draws of 5 books, 9 of the web
    assert notes["cells"]["medical zh"]["sources"] == {
        "books": {"got": 312, "share": round(12 / 21, 4), "documents": 5, "asked": 260}, "papers": {"got": 0, "share": 0.0, "documents": 0, "asked": 52},
        "web": {"got": 234, "share": round(9 / 21, 4), "documents": 9}}
    assert notes["warnings"] == ["medical zh, source papers: 0 of 52 tokens; the other sources give what it lacks"]
    assert notes["documents_by_epochs"] == {"1": 9, "2": 3, "3": 2}


def test_instructions_become_text(corpus):
    config = mix.Config(budget_tokens=100, instruction_share=0.5, zh_share=1.0, medical_share=1.0)
    counts = mix.run(config, {"documents": corpus / "docs", "conversations": corpus / "talks"}, corpus / "out", Local(2))
    texts = [row["text"] for row in tables.rows(corpus / "out", "documents") if row["meta"]["domain"] == "instruction"]
    assert len(texts) == 2 and all(text.startswith("问：怎么办") and text.endswith(f"\n答：{ZH}") for text in texts)
    assert counts.n_in == counts.n_out + sum(counts.dropped.values()) == 128


def test_the_draw_belongs_to_the_records(corpus):
    table = tables.read(corpus / "docs", "documents")
    for number in range(3):
        tables.write(corpus / "cut" / "documents" / tables.part(number), table.take(pa.array(range(len(table) - 1 - number, -1, -3))))
    config = mix.Config(budget_tokens=2000, source_shares={"general zh": {"s": 0.9}})
    drawn, notes = [], []
    for name, workers in (("docs", 1), ("cut", 2)):
        notes.append(mix.run(config, {"documents": corpus / name}, corpus / f"{name}-out", Local(workers)).notes)
        drawn.append(sorted((row["id"], row["meta"].get("epochs")) for row in tables.rows(corpus / f"{name}-out", "documents")))
    assert drawn[0] == drawn[1] and notes[0] == notes[1] and notes[0]["repeated_tokens"] > 0
    mix.run(dataclasses.replace(config, budget_tokens=700), {"documents": corpus / "docs"}, corpus / "few", Local(1))
    mix.run(dataclasses.replace(config, budget_tokens=700, seed=1), {"documents": corpus / "docs"}, corpus / "seed", Local(1))
    assert sorted(row["id"] for row in tables.rows(corpus / "seed", "documents")) != sorted(row["id"] for row in tables.rows(corpus / "few", "documents"))


def test_refusals_say_which_step_is_missing(tmp_path):
    tables.scatter(tmp_path / "raw", "documents", _documents([(ZH, {})]))
    with pytest.raises(RecordError, match="has the domain None; run corpus.classify first"):
        mix.run(mix.Config(budget_tokens=10), {"documents": tmp_path / "raw"}, tmp_path / "x", Local(1))
    tables.scatter(tmp_path / "unscored", "documents", _documents([(ZH, {"domain": "medical"})]))
    with pytest.raises(RecordError, match="has no quality; run corpus.quality first, or set min_quality=0"):
        mix.run(mix.Config(budget_tokens=10, min_quality=1), {"documents": tmp_path / "unscored"}, tmp_path / "x", Local(1))
    tables.scatter(tmp_path / "words", "documents", _documents([(ZH, {"domain": "medical", "quality": "好", "least_quality": "x"})]))
    for asked in ({"min_quality": 1}, {"only_good": True}):
        with pytest.raises(RecordError, match="has no quality; run corpus.quality first"):
            mix.run(mix.Config(budget_tokens=10, **asked), {"documents": tmp_path / "words"}, tmp_path / "x", Local(1))
    with pytest.raises(ConfigError, match="instruction_share needs the input 'conversations'"):
        mix.run(mix.Config(budget_tokens=10, instruction_share=0.1), {"documents": tmp_path / "raw"}, tmp_path / "x", Local(1))
    with pytest.raises(ConfigError, match=r"source_shares: no cell 'medical_zh'; did you mean 'medical zh'"):
        mix.Config(budget_tokens=10, source_shares={"medical_zh": {"web": 0.5}})
    with pytest.raises(ConfigError, match=r"expected shares, 0..1, that sum to 1 at most"):
        mix.Config(budget_tokens=10, source_shares={"medical zh": {"web": 0.5, "books": 0.6}})
    with pytest.raises(ConfigError, match="max_epochs=0: expected 1 to 1000"):
        mix.Config(budget_tokens=10, max_epochs=0)
    with pytest.raises(ConfigError, match="share=2: expected a share"):
        holdout.Config(share=2)
