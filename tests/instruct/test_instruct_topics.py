"""Departments and diseases by name: every name of the lexicon, both scripts, and labels that the data carry."""

import json

import numpy as np
import opencc
import pytest
from test_instruct_stages import save, talk

from aquilamed.clinic import facts
from aquilamed.core import tables
from aquilamed.core.errors import ConfigError
from aquilamed.core.sources import known
from aquilamed.engine.local import Local
from aquilamed.instruct import importing, lexicon, topics


def labels(rows, config=topics.Config()):
    made = topics.label(config, tables.from_rows("conversations", rows))
    return [tables.meta_of(made, key) for key in ("department", "disease")]


def test_every_name_in_every_spelling_means_its_disease():
    rows = [json.loads(line) for line in lexicon.DISEASES.read_text(encoding="utf-8").splitlines()]
    assert len(rows) > 400 and len({row["department"] for row in rows}) >= 20
    traditional = opencc.OpenCC("s2t")
    told = [(row, text) for row in rows for name in row["zh"] for text in (f"医生，我得了{name}吗？", traditional.convert(f"我有{name}。"))]
    told += [(row, f"Do I have {name.upper()}?") for row in rows for name in row["en"]]
    departments, diseases = labels([talk(text, "嗯 ok") for _, text in told])
    wrong = [(row["id"], text, found) for (row, text), found, department in zip(told, diseases, departments, strict=True) if found != row["id"]]
    assert not wrong
    by_id = {row["id"]: row for row in rows}
    for condition in facts.load().conditions:
        row = by_id[condition["id"]]
        assert condition["zh"] in row["zh"] and condition["en"] in row["en"] and row["department"] in (condition["department"], "hepatology", "proctology")


@pytest.mark.parametrize(("asked", "said", "department", "disease"), [
    ("糖尿病肾病怎么治？", "控制血糖。", "nephrology", "diabetic_nephropathy"),
    ("My 2型糖尿病 is bad", "see a doctor", "endocrinology", "type_2_diabetes"),
    ("我有痛风", "高血压、高血压，也可能是肾结石。", "rheumatology", "gout"),
    ("月经总是晚来", "多休息", "gynecology", None),
    ("I have type 1 diabetes, not type 2", "ok", "endocrinology", "type_1_diabetes"),
    ("牙齿很酸", "看一下", "dental", None),
    ("My period is late and my ovaries hurt", "see someone", "gynecology", None),
    ("escargots and asthmatics", "begin again", None, None),
    ("写一首诗", "春风", None, None),
    ("写一首诗", "我心里有牙", None, None),
    ("怎么了", "牙龈和牙", "dental", None),
    ("怎么了", "像是痛风", "rheumatology", "gout"),
    ("Is it cancer? My doctor said cancer, breast cancer", "yes", "oncology", "breast_cancer"),
])
def test_names_by_hand(asked, said, department, disease):
    assert labels([talk(asked, said)]) == [[department], [disease]]


def test_what_the_data_carry_comes_first_and_stays_the_same(tmp_path):
    rows = [talk(f"{k} 高血压", "按时吃药", meta=meta) for k, meta in enumerate((
        {"department": "心血管科"}, {"department": "内科", "subdepartment": "神经内科"}, {"department": "不知道科"}, {"focus": "Lung Cancer"}, {}))]
    assert labels(rows) == [["cardiology", "neurology", "cardiology", "cardiology", "cardiology"], ["hypertension", "hypertension", "hypertension", "lung_cancer", "hypertension"]]
    many = save(tmp_path / "in", rows)
    counts = topics.run(topics.Config(), many, tmp_path / "a", Local(1))
    again = topics.run(topics.Config(), {"conversations": tmp_path / "a"}, tmp_path / "b", Local(2))
    one, two = (tables.read(tmp_path / name, "conversations").to_pylist() for name in "ab")
    assert one == two and again.notes == counts.notes
    assert counts.notes["departments"] == {"cardiology": 4, "neurology": 1} and counts.notes["n_diseases"] == 2 and counts.n_out == 5
    assert counts.notes["names"]["department"] == {"cardiology": ["cardiology", "心内科"], "neurology": ["neurology", "神经内科"]}
    assert {dict(row["meta"]).get("department_given") for row in one} == {"心血管科", "内科", "不知道科", None}


def test_the_heaviest_wins_and_the_first_named_breaks_ties():
    rng = np.random.default_rng(3)
    for _ in range(50):
        n = int(rng.integers(0, 30))
        row, what, weight = np.sort(rng.integers(0, 6, n)), rng.integers(0, 4, n), rng.integers(1, 3, n).astype(float)
        wanted = []
        for k in range(7):
            inside = [(w, x) for r, w, x in zip(row.tolist(), what.tolist(), weight.tolist(), strict=True) if r == k]
            sums = {w: sum(x for v, x in inside if v == w) for w, _ in inside}
            wanted.append(max(sums, key=lambda w: sums[w]) if sums else -1)          # of a dict's equals max takes the first
        assert lexicon.best(row, what, weight, 7).tolist() == wanted


def test_a_users_diseases_replace_ours_and_a_bad_list_is_named(tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text('{"id": "blue", "department": "dermatology", "zh": ["蓝蓝病"], "en": ["blues"]}\n', encoding="utf-8")
    assert labels([talk("蓝蓝病和高血压", "好")], topics.Config(diseases=path)) == [["dermatology"], ["blue"]]
    path.with_name("bad.jsonl").write_text('{"id": "blue", "department": "nowhere", "zh": ["a"], "en": []}\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="bad.jsonl, line 1: needs names"):
        lexicon.load(path.with_name("bad.jsonl"))
    with pytest.raises(ConfigError, match="question_weight=0.5"):
        topics.Config(question_weight=0.5)


def test_agrees_with_what_toyhom_carries(shared_data, tmp_path):
    importing.run(importing.Config(sources=(known.conversations(shared_data)["toyhom"],)), {}, tmp_path, Local(1))
    table = tables.read(tmp_path, "conversations")
    carried, found = topics.given_departments(topics.Config(), table, lexicon.load()), topics.by_lexicon(topics.Config(), table)[0]
    assert np.mean([a == b for a, b in zip(carried, found, strict=True) if a]) > 0.9
