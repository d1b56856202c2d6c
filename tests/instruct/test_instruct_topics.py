"""Departments and diseases by name: every name of the lexicon, both scripts, and labels that the data carry."""

import json

import numpy as np
import opencc
import pytest
from chat_server import served
from test_instruct_stages import save, talk

from aquilamed.clinic import facts
from aquilamed.core import tables
from aquilamed.core.errors import ConfigError
from aquilamed.core.sources import known
from aquilamed.engine.local import Local
from aquilamed.instruct import importing, lexicon, topic_judge, topics
from aquilamed.models.remote import Endpoint


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


def test_a_remote_model_says_what_no_word_tells_and_is_never_guessed(tmp_path):
    said = {"眼前总有黑影飘来飘去": [("ophthalmology", "黑影综合症"), ("ophthalmology", "飞蚊症")], "脚趾夜里痛醒，痛风？13812345678": [("rheumatology", "痛风"), ("rheumatology", "痛风性关节炎")],
            "高血压，只有一次说对": [("cardiology", "高血压"), ("nephrology", "高血压")], "痛风，答非所问": [None, ("rheumatology", "痛风")], "湿疹，不肯回答": ["refuse", ("dermatology", "湿疹")],
            "Diabetes Mellitus 這個詞的拼寫": [("none", ""), ("none", "")], "哪来的科室": [("astrology", ""), ("astrology", "")]}
    rows = [*(talk(text, "嗯", lang="zh") for text in said), talk("已有科室和疾病", "嗯", meta={"department": "眼科", "focus": "痛风"}), talk("只有科室 Eczema?", "ok", lang="en", meta={"department": "皮肤科"})]
    said["只有科室 Eczema?"] = [("cardiology", "Eczema"), ("cardiology", "eczema")]

    def answer(body, _):
        told, shown = (message["content"] for message in body["messages"])
        first = told.index("cardiology") < told.index("dental")
        verdict = next(pair for words, pair in said.items() if words[:6] in shown)[0 if first else 1]
        if verdict == "refuse":
            return 451, {}
        return 200, "我看是痛风" if verdict is None else f"```json\n{json.dumps(dict(zip(('department', 'disease'), verdict, strict=True)))}\n```"
    with served(answer) as (url, seen):
        config = topics.Config(endpoint=Endpoint(base_url=url, model="judge", cache=str(tmp_path / "cache")))
        counts = topics.run(config, save(tmp_path / "in", rows), tmp_path / "out", Local(2))
        n = len(seen)
        known = topics.run(config, save(tmp_path / "known", rows[-2:-1]), tmp_path / "all", Local(1))           # the data say it all
        assert known.notes["asked"]["requests"] == 0 and len(seen) == n and not any(known.notes["judge"].values())
        again = topics.run(config, {"conversations": tmp_path / "out"}, tmp_path / "again", Local(1))
    made = {row["messages"][0]["content"]: row["meta"] for row in tables.rows(tmp_path / "out", "conversations")}
    found = {text[:4]: (meta.get("department"), meta.get("disease"), meta.get("department_from")) for text, meta in ((text, dict(meta)) for text, meta in made.items())}
    assert found == {"眼前总有": ("ophthalmology", None, "judge"), "脚趾夜里": ("rheumatology", "gout", "judge"), "高血压，": ("cardiology", "hypertension", "lexicon"), "痛风，答": ("rheumatology", "gout", "lexicon"),
                     "湿疹，不": ("dermatology", "eczema", "lexicon"), "Diab": (None, None, None), "哪来的科": (None, None, None), "已有科室": ("ophthalmology", "gout", "given"), "只有科室": ("dermatology", "eczema", "given")}
    assert counts.notes["judge"] == {"agreed": 4, "disagreed": 1, "refused": 1, "unparsed": 2, "unlisted_disease": 1, "both_know": 2, "both_same": 1}
    assert counts.notes["asked"]["requests"] == 16 and counts.n_out == len(rows) and not counts.dropped
    assert again.notes["departments"] == counts.notes["departments"] and again.notes["asked"]["cached"] == again.notes["asked"]["requests"] - (len(seen) - n)
    assert "13812345678" not in json.dumps([body for _, body, _ in seen], ensure_ascii=False)
    words = lexicon.load()
    assert [topic_judge.read(reply, words) for reply in ('{"department": "cardiology"}', '{"department": "cardiology", "disease": null}', '{"department": "none", "disease": " 流感 "}')] == [None, None, ("none", "流感")]
