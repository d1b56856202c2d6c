"""The held-out split keeps clusters whole; the mix meets its budgets by hand-made sums."""

import numpy as np
import pyarrow as pa
import pytest

from aquilamed.core import tables
from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.corpus import mix
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
    # English: 3 medical ones hold 76 of 300, and 8 general ones of 25.25 make 202
    config = mix.Config(budget_tokens=1000, medical_share=0.6, min_quality=3.0)
    counts = mix.run(config, {"documents": corpus / "docs"}, corpus / "out", Local(1))
    assert {name: (cell["asked"], cell["got"], cell["documents"]) for name, cell in counts.notes["cells"].items()} == {
        "medical zh": (300, 312, 12), "medical en": (300, 76, 3), "general zh": (200, 213, 8), "general en": (200, 202, 8)}
    assert counts.notes["short"] == ["medical en"] and counts.n_out == 31
    assert counts.dropped == {"below_quality": 30, "over_budget": 18 + 22 + 22}
    kept = list(tables.rows(corpus / "out", "documents"))
    assert all(row["meta"]["quality"] == "4.00" for row in kept if row["meta"]["domain"] == "medical" and row["lang"] == "zh")


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
    config = mix.Config(budget_tokens=700)
    drawn = []
    for name, workers in (("docs", 1), ("cut", 2)):
        mix.run(config, {"documents": corpus / name}, corpus / f"{name}-out", Local(workers))
        drawn.append(sorted(row["id"] for row in tables.rows(corpus / f"{name}-out", "documents")))
    assert drawn[0] == drawn[1]
    mix.run(mix.Config(budget_tokens=700, seed=1), {"documents": corpus / "docs"}, corpus / "seed", Local(1))
    assert sorted(row["id"] for row in tables.rows(corpus / "seed", "documents")) != drawn[0]


def test_refusals_say_which_step_is_missing(tmp_path):
    tables.scatter(tmp_path / "raw", "documents", _documents([(ZH, {})]))
    with pytest.raises(RecordError, match="has the domain None; run corpus.classify first"):
        mix.run(mix.Config(budget_tokens=10), {"documents": tmp_path / "raw"}, tmp_path / "x", Local(1))
    tables.scatter(tmp_path / "unscored", "documents", _documents([(ZH, {"domain": "medical"})]))
    with pytest.raises(RecordError, match="has no quality; run corpus.quality first or set min_quality=0"):
        mix.run(mix.Config(budget_tokens=10, min_quality=1), {"documents": tmp_path / "unscored"}, tmp_path / "x", Local(1))
    with pytest.raises(ConfigError, match="instruction_share needs the input 'conversations'"):
        mix.run(mix.Config(budget_tokens=10, instruction_share=0.1), {"documents": tmp_path / "raw"}, tmp_path / "x", Local(1))
    with pytest.raises(ConfigError, match="share=2: expected a share"):
        holdout.Config(share=2)
