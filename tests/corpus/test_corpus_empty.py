"""A shard without rows (a held-out side, a small corpus) passes through every stage."""

import pytest

from aquilamed.core import tables
from aquilamed.core.records import SCHEMAS
from aquilamed.corpus import classify, mix, quality, rules
from aquilamed.engine.local import Local
from aquilamed.hygiene import decontaminate, dedup, holdout, screen

ZH = "高血压是指安静状态下动脉血压持续高于正常的慢性病，早期多没有明显症状，应当长期随访、规律服药、限制食盐的摄入。"


@pytest.fixture
def inputs(tmp_path):
    metas = [{"label": ("医学", "文学")[k % 2], "quality": str(k % 7), "domain": "medical"} for k in range(150)]
    rows = [{"text": f"{ZH}{k}", "source": "s", "license": "MIT", "meta": meta} for k, meta in enumerate(metas)]
    tables.scatter(tmp_path / "seeds", "documents", tables.from_rows("documents", rows))
    tables.write(tmp_path / "in" / "documents" / tables.part(0), SCHEMAS["documents"].empty_table())
    question = {"stem": "太阳病的提纲证是什么内容", "options": [], "answers": [], "context": "", "subject": "", "source": "s", "license": "MIT"}
    tables.scatter(tmp_path / "exams", "questions", tables.from_rows("questions", [question]))
    return {"documents": tmp_path / "in", "seeds": tmp_path / "seeds", "benchmarks": tmp_path / "exams"}


STAGES = [(rules, {}), (screen, {"identifiers": "mask"}), (dedup, {}), (decontaminate, {}),
          (classify, {}), (quality, {}), (holdout, {}), (mix, {"budget_tokens": 9})]


@pytest.mark.parametrize(("stage", "settings"), STAGES, ids=[stage.__name__.rpartition(".")[2] for stage, _ in STAGES])
def test_nothing_in_nothing_out(inputs, tmp_path, stage, settings):
    counts = stage.run(stage.Config(**settings), inputs, tmp_path / "out", Local(1))
    assert (counts.n_in, counts.n_out, sum(counts.dropped.values())) == (0, 0, 0)
    assert tables.read(tmp_path / "out", "documents").schema.names == SCHEMAS["documents"].names


def test_an_empty_shard_beside_a_full_one(inputs, tmp_path):
    table = tables.read(inputs["seeds"], "documents")
    for number, part in enumerate((table.slice(0, 0), table, table.slice(0, 0))):
        tables.write(tmp_path / "mixed" / "documents" / tables.part(number), part)
    for stage, settings in STAGES:
        counts = stage.run(stage.Config(**settings), {**inputs, "documents": tmp_path / "mixed"}, tmp_path / stage.__name__, Local(2))
        assert counts.n_in == 150 == counts.n_out + sum(counts.dropped.values())
