"""Contamination: scores by whether an item stood in the raw text, and whether a model knows the order of printed options."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import tiny
import torch

from aquilamed.core import tables
from aquilamed.core.errors import ConfigError
from aquilamed.core.records import make
from aquilamed.engine.local import Local
from aquilamed.evals import memorised, overlap, power, results, stats
from aquilamed.models import folders, wording

ENGINE = Local(1)
torch.set_num_threads(1)


def scored(folder, right, *, lang="zh"):
    """A stage's answers to one exam: item -> whether it is right."""
    rows = [{"task": "exam", "reading": "letter", "version": 1, "id": id, "lang": lang, "subject": "", "difficulty": "", "group": id, "prompt_hash": "p", "prompt": "",
             "raw": json.dumps({"logp": [-1.0, -2.0] if good else [-2.0, -1.0], "answers": [0]}), "parsed": "A", "score": 0.0, "bits": None, "bytes": None} for id, good in right.items()]
    folder.mkdir(parents=True)
    results.write_answers(folder / "answers.parquet", rows)
    return folder


def searched(folder, *found):
    folder.mkdir(parents=True)
    (folder / "leaks.json").write_text(json.dumps([{"source": "exam", "id": id, "share": share, "records": records} for id, share, records in found]), encoding="utf-8")
    return folder


@pytest.fixture
def inputs(tmp_path):
    """Ten items were found in the raw text, forty were not; the base knows half of both, the stage learnt the ten, and three of the rest."""
    items = [f"{k:02d}" for k in range(50)]
    base = {id: k % 2 == 0 for k, id in enumerate(items)}
    sft = base | dict.fromkeys(items[:10], True) | dict.fromkeys(("11", "13", "15"), True)
    return {"base": scored(tmp_path / "base", base), "sft": scored(tmp_path / "sft", sft),
            "documents": searched(tmp_path / "documents", *((id, 0.8, {"web": 2}) for id in items[:8])),
            "conversations": searched(tmp_path / "conversations", *((id, 1.0, {"talks": 1, "more": 2}) for id in items[6:10]), ("not asked", 0.7, {"talks": 1}))}


def test_scores_are_split_by_what_was_found_by_hand(inputs, tmp_path):
    counts = overlap.run(overlap.Config(order=("base", "sft"), base="base"), inputs, tmp_path, ENGINE)
    made = json.loads((tmp_path / "overlap.json").read_text(encoding="utf-8"))
    assert (counts.n_in, counts.notes) == (50, {"scored": 50, "found": 10, "found_in_all": 11})
    assert made["items"][0] == {"id": "00", "task": "exam", "lang": "zh", "share": 0.8, "records": {"documents": 2}}
    assert made["items"][7]["records"] == {"conversations": 3, "documents": 2} and made["items"][7]["share"] == 1.0
    base, sft = made["rows"]
    assert (base["found"], base["rest"], base["apart"], base["gain_found"], base["gain_apart"]) == (0.5, 0.5, 0.0, None, None)
    assert (sft["n_found"], sft["n_rest"], sft["found"], sft["rest"]) == (10, 40, 1.0, 0.575)
    apart = stats.difference(stats.wilson(10, 10), stats.wilson(23, 40))
    assert (sft["apart"], sft["apart_low"], sft["apart_high"]) == pytest.approx((0.425, apart.low, apart.high), abs=1e-6) and sft["apart_low"] > 0
    assert (sft["gain_found"], sft["gain_rest"], sft["gain_apart"]) == (0.5, 0.075, 0.425) and base["visible"] == pytest.approx(power.between_shares(0.5, 16), abs=1e-6)
    assert sft["gain_found_low"] < 0.001 and sft["gain_rest_low"] <= 0.0      # five and three changed: neither is told from zero


def test_dialogues_are_split_by_case(tmp_path):
    """Eight cases of two turns, two of them found: their four answers stand on one side."""
    rows = [{"task": "talk", "reading": reading, "version": 1, "id": f"{case}:{turn}", "lang": "zh", "subject": "", "difficulty": "", "group": f"{case}", "prompt_hash": "p", "prompt": "",
             "raw": json.dumps({"text": "请立即拨打120。" if case < 4 else "多喝水。", "rule": "help", "asked": "胸痛", "tokens": 5, "characters": 5, "stopped": True}), "parsed": None, "score": 0.0, "bits": None, "bytes": None}
            for case in range(8) for turn in (1, 2) for reading in ("rule", "stopped")]
    (tmp_path / "base").mkdir()
    results.write_answers(tmp_path / "base/answers.parquet", rows)
    counts = overlap.run(overlap.Config(order=("base",), base="base"), {"base": tmp_path / "base", "talks": searched(tmp_path / "talks", *((str(case), 0.9, {"web": 1}) for case in (0, 1)))}, tmp_path, ENGINE)
    made = json.loads((tmp_path / "overlap.json").read_text(encoding="utf-8"))
    (row,) = made["rows"]
    assert (row["reading"], row["n_found"], row["n_rest"], row["found"], row["rest"]) == ("rule", 4, 12, 1.0, round(4 / 12, 6))
    assert counts.notes == {"scored": 8, "found": 2, "found_in_all": 2} and [item["id"] for item in made["items"]] == ["0", "1"]


def test_nothing_is_said_of_a_split_with_an_empty_side(inputs, tmp_path):
    given = {"base": inputs["base"], "documents": searched(tmp_path / "none")}
    overlap.run(overlap.Config(order=("base",), base="base"), given, tmp_path, ENGINE)
    row = json.loads((tmp_path / "overlap.json").read_text(encoding="utf-8"))["rows"][0]
    assert (row["n_found"], row["found"], row["apart"], row["visible"], row["gain_apart"]) == (0, None, None, None, None) and row["rest"] == 0.5


def test_overlap_refuses(inputs, tmp_path):
    with pytest.raises(ConfigError, match="no input names a step of hygiene.decontaminate"):
        overlap.run(overlap.Config(order=("base",), base="base"), {"base": inputs["base"]}, tmp_path, ENGINE)
    with pytest.raises(ConfigError, match="input 'sft': .* holds no leaks.json"):
        overlap.run(overlap.Config(order=("base",), base="base"), {"base": inputs["base"], "sft": inputs["sft"]}, tmp_path, ENGINE)
    with pytest.raises(ConfigError, match="order names 'dpo'"):
        overlap.run(overlap.Config(order=("base", "dpo"), base="base"), inputs, tmp_path, ENGINE)


def question(stem, options, lang="zh", source="exam"):
    return make("questions", {"stem": stem, "options": options, "answers": [1], "context": "", "subject": "", "source": source, "license": "CC0-1.0", "lang": lang, "meta": {"scored": "1"}})


def test_orders_are_distinct_and_keep_options_that_speak_of_others():
    four = question("哪一项？", ["头痛", "发热", "以上都是", "咳嗽"])
    found = memorised.orders_of(four, 20, 0)
    assert found[0] == (0, 1, 2, 3) and len(set(found)) == len(found) == 6 and all(order[2] == 2 for order in found)
    assert found == memorised.orders_of(four, 20, 0)
    five = question("Which?", ["rash", "fever", "cough", "All of the above", "A and C"], lang="en")
    assert {order[3:] for order in memorised.orders_of(five, 20, 0)} == {(3, 4)}
    many = memorised.orders_of(question("?", list("戊丙甲丁乙")), 20, 0)
    assert len(set(many)) == 20 and all(sorted(order) == [0, 1, 2, 3, 4] for order in many)
    assert len(memorised.orders_of(question("?", ["甲", "乙"]), 20, 0)) == 2


@pytest.mark.parametrize(("options", "is_sorted"), [
    (["5 mg", "10 mg", "20 mg", "40 mg"], True), (["３９度", "３８度", "３７度"], True), (["10 mg", "5 mg", "40 mg"], False),
    (["Aspirin", "heparin", "Warfarin"], True), (["warfarin", "aspirin", "heparins"], False), (["肝", "胆囊", "十二指肠"], True), (["胆囊", "肝", "十二指肠"], False),
    (["乙", "甲", "以上均非"], False), (["above 40", "fever", "cough"], False)])
def test_orders_that_need_no_memory_are_known(options, is_sorted):
    assert memorised.is_sorted(options) is is_sorted


def test_a_row_by_hand():
    values = np.array([-10.0, -12.0, -11.0, -10.0, -9.0])       # beats two of four others, equals one: 2.5 / 4
    found = memorised.row({"source": "exam", "id": "a", "lang": "zh"}, values)
    assert (found["orders"], found["beaten"], found["likeliest"], found["lead"]) == (5, 0.625, False, 0.5)
    rows = [{**found, "id": str(k), "beaten": beaten, "likeliest": beaten == 1, "orders": 20} for k, beaten in enumerate((1.0, 0.8, 0.9, 1.0))]
    (made,) = memorised.summarise(rows)
    assert made["beaten"] == 0.925 and made["low"] == pytest.approx(0.925 - 3.18245 * np.std([1, 0.8, 0.9, 1], ddof=1) / 2, abs=1e-5) and made["high"] == 1.0
    assert (made["likeliest"], made["chance"]) == (2, 0.2)


SIGNS = {"zh": "头痛 发热 咳嗽 乏力 腹泻 便秘 心悸 水肿 黄疸 贫血 瘙痒 失眠".split(), "en": "fever cough rash edema fatigue jaundice pallor cyanosis tremor ataxia nausea vertigo".split()}
STEMS = {"zh": "第{}位患者{}，最可能的诊断是？", "en": "Patient {} has {}. What is most likely?"}


def drawn_questions(rng, n):
    """As many of each language; options in no order."""
    found = []
    for lang, signs in SIGNS.items():
        while sum(one["lang"] == lang for one in found) < n:
            join = "" if lang == "zh" else " "
            options = [join.join(rng.choice(signs, rng.integers(1, 3))) for _ in range(4)]
            if len(set(options)) == 4 and not memorised.is_sorted(options):
                found.append(question(STEMS[lang].format(len(found), rng.choice(signs)), options, lang))
    return found


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A tiny model, the same after reading twelve questions as they are printed, and twenty-eight more that it never reads."""
    top, rng = tmp_path_factory.mktemp("planted"), np.random.default_rng(4)
    questions = drawn_questions(rng, 20)
    known = {one["id"] for lang in SIGNS for one in [one for one in questions if one["lang"] == lang][:6]}
    tables.write(top / "benchmarks/questions/part-00000.parquet", tables.from_rows("questions", questions))
    model = folders.load(tiny.make(top / "base", "llama", spread=0.05))
    read = [model.tokenizer(wording.body(one))["input_ids"] for one in questions if one["id"] in known]
    train(model.network, read, rng)
    model.network.save_pretrained(top / "trained")
    model.tokenizer.save_pretrained(top / "trained")
    for name, given in (("against", {"model": top / "trained", "reference": top / "base"}), ("alone", {"model": top / "trained"}), ("clean", {"model": top / "base"})):
        (top / name).mkdir()
        memorised.run(memorised.Config(limit=0), {**given, "benchmarks": top / "benchmarks"}, top / name, ENGINE)
    return top, known


def train(network, read, rng, steps=90):
    torch.manual_seed(0)
    optimizer, width = torch.optim.AdamW(network.parameters(), lr=4e-3), max(map(len, read))
    ids = torch.tensor([one + [0] * (width - len(one)) for one in read])
    network.train()
    for _ in range(steps):
        some = ids[torch.from_numpy(rng.permutation(len(read))[:6])]
        network(input_ids=some, attention_mask=(some > 0).long(), labels=some.masked_fill(some == 0, -100)).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    network.eval()


def orders(folder, known):
    rows = pq.read_table(folder / "orders.parquet").to_pylist()
    return [[row for row in rows if (row["id"] in known) == inside] for inside in (True, False)]


def test_planted_questions_are_found_and_unseen_ones_are_not(planted):
    top, known = planted
    seen, unseen = orders(top / "against", known)
    assert len(seen) == 12 and len(unseen) == 28
    assert np.mean([row["likeliest"] for row in seen]) >= 0.9 and min(row["beaten"] for row in seen) > 0.8
    assert np.mean([row["likeliest"] for row in unseen]) <= 0.15 and 0.35 < np.mean([row["beaten"] for row in unseen]) < 0.65     # chance: .05 and .5
    assert {row["lang"] for row in seen if row["likeliest"]} == {"zh", "en"}


def test_a_clean_model_prefers_no_order(planted):
    top, _ = planted
    (whole,) = [row for row in json.loads((top / "clean/memorised.json").read_text(encoding="utf-8"))["rows"] if row["lang"] == "all"]
    assert whole["n"] == 40 and whole["low"] < 0.5 < whole["high"] and whole["likeliest"] <= 6 and whole["chance"] == pytest.approx(2.0)
    told = json.loads((top / "against/memorised.json").read_text(encoding="utf-8"))
    assert told["against"] == "reference" and all(row["beaten"] > 0.5 for row in told["rows"]) and [row["lang"] for row in told["rows"]] == ["all", "en", "zh"]


def test_what_can_not_be_asked_is_counted(planted, tmp_path):
    top, _ = planted
    asked = [question("二选一？", ["是", "否"]), *(question(f"第{k}题：结论？", ["yes please", "no", "maybe"], "en") for k in range(2)), question("剂量？", ["5", "10", "20", "40"]),
             question("长" * 60, ["胆囊", "肝", "十二指肠", "脾脏"]), question("短", ["胆囊", "肝", "十二指肠", "脾脏区"])]
    tables.write(tmp_path / "benchmarks/questions/part-00000.parquet", tables.from_rows("questions", asked))
    counts = memorised.run(memorised.Config(max_tokens=150), {"model": top / "base", "benchmarks": tmp_path / "benchmarks"}, tmp_path, ENGINE)
    assert counts.dropped == {"few_orders": 1, "shared_options": 2, "sorted": 1, "too_long": 1} and (counts.n_in, counts.n_out) == (6, 1)
    assert sorted(pq.read_table(tmp_path / "dropped/questions-00000.parquet")["reason"].to_pylist()) == ["few_orders", "shared_options", "shared_options", "sorted", "too_long"]
    with pytest.raises(ConfigError, match="orders=4: expected 6 or more"):
        memorised.Config(orders=4)
    with pytest.raises(ConfigError, match="no benchmark 'exams'"):
        memorised.run(memorised.Config(tasks=("exams",)), {"model": top / "base", "benchmarks": tmp_path / "benchmarks"}, tmp_path, ENGINE)
