"""The linter: what it drops and what it must leave, lengths, refusal, real sets."""

import collections
import itertools
import json
import random
import re

import numpy as np
import pytest

from aquilamed.core import manifest, tables
from aquilamed.core.counts import Counts
from aquilamed.core.errors import ConfigError, RecordError
from aquilamed.core.sources import known
from aquilamed.core.sources.gather import gather
from aquilamed.engine.local import Local
from aquilamed.hygiene import screen
from aquilamed.preference import faults, graded, importing, lengths, lint
from aquilamed.report import page
from aquilamed.report.runs import load
from killed import continued_everywhere
from report.fake_run import Maker

ZH, EN = "高血压患者每天应当吃多少盐？", "How much salt should a person with hypertension eat each day?"
ZH_GOOD, ZH_BAD = "成人每天的食盐不宜超过5克，高血压患者还应更少，并减少腌制食品。", "随便吃，没有关系，想吃多少就吃多少。"
EN_GOOD, EN_BAD = "The usual advice is to stay below five grams of salt a day, and to avoid pickled food.", "It does not matter how much of it you eat."


def pair(asked=ZH, chosen=ZH_GOOD, rejected=ZH_BAD, kind="subjective", source="s", **meta):
    prompt = asked if isinstance(asked, list) else [{"role": "user", "content": asked}]
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected, "kind": kind, "source": source, "license": "MIT", "meta": meta}


KEY = json.dumps({"right": ["高血压", "糖尿病"], "wrong": ["高血压危象"]}, ensure_ascii=False)


@pytest.mark.parametrize(("row", "reason"), [
    (pair(), ""), (pair(EN, EN_GOOD, EN_BAD), ""),
    (pair(chosen="？！"), "empty"), (pair(rejected="…… "), "empty"), (pair("结核菌素试验的结果是？", "+++", "±"), ""),
    (pair(rejected="成人每天的食盐不宜超过５克, 高血压患者还应更少。 并减少腌制食品！"), "identical"), (pair(EN, EN_GOOD, EN_GOOD.upper().replace(",", " –".replace("–", ";"))), "identical"),
    (pair(chosen="每次1.5毫克", rejected="每次15毫克"), ""), (pair(chosen="血压<140", rejected="血压>140"), ""), (pair(chosen="HBsAg（＋）", rejected="HBsAg（－）"), ""),
    (pair(chosen=EN_GOOD), "wrong_language"), (pair(EN, ZH_GOOD), "wrong_language"), (pair(rejected=EN_BAD), ""),
    (pair(chosen="建议口服amoxicillin/clavulanate 625 mg tid，或azithromycin 500 mg qd，复查CRP、WBC、ALT、AST。"), ""),
    (pair(chosen="HBsAg (+), HBeAg (+), anti-HBc (+), ALT 120 U/L, AST 88 U/L, PLT 98 x10^9/L"), ""), (pair(chosen="Hydrochlorothiazide 12.5 mg qd"), ""),
    (pair("What is the herb astragalus called?", "黄芪", "当归"), ""), (pair("What does 高血压 mean?", "意思是动脉血压长期高于正常的一种慢性病。", "It is a kind of cold."), ""),
    (pair("用“watch”造一个句子", "This is the watch that was given to you by your father.", "不知道。"), ""), (pair("请问查CT、HBsAg阳性和血压140/90mmHg分别说明了什么问题？", EN_GOOD), "wrong_language"),
    (pair("把“高血压患者应当限盐”翻译成英文", "A person with hypertension should eat less of the salt that is in their food.", "不知道。"), ""),
    (pair([{"role": "system", "content": "Always answer in Chinese."}, {"role": "user", "content": EN}], ZH_GOOD, ZH_BAD), ""),
    (pair("写一段代码", "```python\n# this is the way you should do it, and it will be of use to the user\nprint(1)\n```", "不会写这样的代码，没有办法。"), ""),
    (pair(chosen_score="3.5", rejected_score="4"), "worse_by_check"), (pair(chosen_score="10", rejected_score="9"), ""),
    (pair(chosen="食盐不宜超过5克，应\ufffd"), "worse_by_check"), (pair(chosen="少吃盐\ufffd", rejected="多吃盐\ufffd"), ""), (pair(chosen="注意休息多喝水，" * 20), "worse_by_check"),
    (pair(chosen="高血压和糖尿病。", rejected="高血压危象和糖尿病。", kind="objective", key=KEY), ""), (pair(chosen="高血压危象和糖尿病。", rejected="高血压和糖尿病。", kind="objective", key=KEY), "worse_by_check"),
    (pair(chosen="只有糖尿病。", rejected="高血压危象。", kind="objective", key=KEY), "worse_by_check"),
    (pair(chosen="答案是否。", rejected="答案是是。", kind="objective", key='{"right": ["否"], "wrong": ["是"]}'), ""),
])
def test_each_fault_is_found_and_what_only_looks_like_one_is_left(row, reason):
    assert faults.of(row)[0] == reason


def test_a_key_or_score_of_another_form_is_named():
    with pytest.raises(RecordError, match=r"preference 7: meta: key='B': expected the form of preference\.objective"):
        faults.of({**pair(kind="objective", key="B"), "id": "7"})
    with pytest.raises(RecordError, match="preference 7: meta: chosen_score='good', rejected_score='1': expected numbers"):
        faults.of({**pair(chosen_score="good", rejected_score="1"), "id": "7"})
    assert faults.of(pair(kind="subjective", key="B")) == ("", "")


def test_a_set_without_pairs_passes(tmp_path):
    counts, kept = run(tmp_path, [], lint.Config(match_lengths=True, max_bad_share=0.0))
    assert counts.n_in == 0 and not kept and counts.notes["lengths"]["all"]["n"] == 0


def run(tmp_path, rows, config=lint.Config(), name="out", n_shards=1):
    table = tables.from_rows("preferences", rows)
    for number in range(n_shards):
        tables.write(tmp_path / f"in-{name}/preferences" / tables.part(number), table.take(np.arange(number, len(table), n_shards)))
    counts = lint.run(config, {"preferences": tmp_path / f"in-{name}"}, tmp_path / name, Local(1))
    return counts, sorted(row["id"] for row in tables.rows(tmp_path / name, "preferences"))


def test_identifiers_count_unless_they_were_masked(tmp_path):
    told = "请拨打13912345678，找张医生，我的身份证号是11010519491231002X。"
    rows = [pair(told), pair("还要注意什么？", chosen=f"少吃盐。{told}"), pair("再问一次", rejected=told)]
    counts, kept = run(tmp_path, rows)
    assert counts.dropped == {"identifiers": 3} and not kept
    dropped = tables.to_rows(tables.load(tmp_path / "out/dropped/preferences-00000.parquet"))
    assert {row["detail"] for row in dropped} == {"phone,resident_id"}
    screen.run(screen.Config(kind="preferences", identifiers="mask"), {"preferences": tmp_path / "in-out"}, tmp_path / "masked", Local(1))
    counts = lint.run(lint.Config(), {"preferences": tmp_path / "masked"}, tmp_path / "again", Local(1))
    assert counts.n_out == 3 and not counts.dropped


def test_pairs_that_contradict_each_other_both_go(tmp_path):
    rows = [pair(), pair(chosen=ZH_BAD, rejected=ZH_GOOD, source="t"), pair("别的问题是什么？"), pair(EN, EN_GOOD, EN_BAD)]
    counts, kept = run(tmp_path, rows)
    assert counts.dropped == {"contradicted": 2} and len(kept) == 2
    assert counts.notes["pairs"] == {"s": {"pairs": 3, "contradicted": 1}, "t": {"pairs": 1, "contradicted": 1}}


def test_certificates_are_told_not_made_again(tmp_path):
    certificate = {"benchmarks": [{"source": "cmexam", "n": 600, "digest": "0", "not_searchable": 3}]}
    identity = manifest.Identity(stage="hygiene.decontaminate", version=1, config={"kind": "preferences"}, inputs={})
    tables.scatter(tmp_path / "clean", "preferences", tables.from_rows("preferences", [pair()]))
    manifest.write_json(tmp_path / "clean/certificate.json", certificate)
    manifest.seal(tmp_path / "clean", identity, Counts(n_in=1, n_out=1), step="clean", paper="ours", seconds=0.0, provenance={})
    counts = lint.run(lint.Config(), {"preferences": tmp_path / "clean"}, tmp_path / "out", Local(1))
    assert counts.notes["certified"] == {"cmexam": {"n": 600, "digest": "0"}} and "uncertified" not in counts.notes


def test_a_poisoned_set_is_refused_with_a_table(tmp_path):
    rows = [*(pair(f"第{k}个问题是什么？") for k in range(8)), pair(chosen="。", source="bought"), pair(chosen=EN_GOOD, source="bought")]
    told = r"2 of 10 pairs are bad, a share of 0\.200; max_bad_share=0\.1\n  source  pairs  empty  wrong_language\n  bought      2      1               1\n  s           8"
    with pytest.raises(RecordError, match=told):
        run(tmp_path, rows, lint.Config(max_bad_share=0.1))
    assert not (tmp_path / "out").exists()
    assert run(tmp_path, rows, lint.Config(max_bad_share=0.2))[0].n_out == 8
    with pytest.raises(ConfigError, match="expected a share"):
        lint.Config(max_bad_share=2)


def test_length_bias_by_hand():
    found = lengths.bias(np.array([20, 10, 10, 5]), np.array([10, 20, 10, 20]))
    assert found == {"n": 4, "longer_chosen": 0.3333, "log_ratio": round(float(np.log(0.25)) / 4, 4), "auc": 0.3125}        # 5 of 16: 20 is above two and equal to two, each 10 equal to two


@pytest.mark.parametrize("seed", range(30))
def test_matching_balances_every_bin_with_the_fewest_drops(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 200))
    chosen, rejected = rng.integers(1, 40, n), rng.integers(1, 30, n)
    cells = [("a zh", "b en")[k] for k in rng.integers(0, 2, n)]
    keys = [(f"{k:032x}", "s") for k in range(n)]
    gone = lengths.unmatched(cells, chosen, rejected, keys, seed)
    sides = collections.Counter()
    for row in range(n):
        ratio = float(np.log(chosen[row] / rejected[row]))
        sides[cells[row], int(abs(ratio) / lengths.WIDTH), "gone" if row in set(gone) else "stays"] += (ratio > 0) - (ratio < 0)
    bins = {key[:2] for key in sides}
    assert not any(sides[*key, "stays"] for key in bins) and len(gone) == sum(abs(sides[*key, "gone"]) for key in bins)
    order = random.Random(seed).sample(range(n), n)
    again = lengths.unmatched([cells[k] for k in order], chosen[order], rejected[order], [keys[k] for k in order], seed)
    assert sorted(order[k] for k in again) == gone


def test_neither_order_nor_shards_matter_and_counts_add_up(tmp_path):
    rows = [pair(f"第{k}个问题是什么？", chosen="好" * (1 + k % 7) + f"答{k}", rejected="坏" * (1 + k % 5) + f"答{k}") for k in range(60)] + [pair(chosen=" ")]
    config = lint.Config(match_lengths=True)
    one, kept = run(tmp_path, rows, config, "a")
    other, again = run(tmp_path, rows[::-1], config, "b", n_shards=4)
    assert kept == again and one.notes["pairs"] == other.notes["pairs"] and one.notes["lengths"] == other.notes["lengths"]
    assert one.n_in == 61 == one.n_out + sum(one.dropped.values()) and one.dropped["length_matched"] > 0
    assert one.notes["lengths_matched"]["all"]["longer_chosen"] == 0.5 and "made by no step" in one.notes["uncertified"]


def test_a_killed_step_goes_on_to_equal_bytes(tmp_path):
    rows = [pair(f"第{k}个问题是什么？", chosen="好" * (1 + k % 7) + f"答{k}", rejected="坏" * (1 + k % 5) + f"答{k}") for k in range(40)]
    config, given = lint.Config(match_lengths=True), {"preferences": tmp_path / "in-whole"}
    whole, _ = run(tmp_path, rows, config, "whole", n_shards=3)
    wanted = [path.read_bytes() for path in tables.shards(tmp_path / "whole", "preferences")]

    def check(counts, at):
        assert counts.as_json() == whole.as_json() and [path.read_bytes() for path in tables.shards(tmp_path / f"{at}", "preferences")] == wanted
    assert continued_everywhere(lambda engine, at: lint.run(config, given, tmp_path / f"{at}", engine), check) == 6


def test_real_sets(shared_data, tmp_path):
    sources = tuple(known.preferences(shared_data).values())
    importing.run(importing.Config(sources=sources), {}, tmp_path / "in", Local(1))
    counts = lint.run(lint.Config(), {"preferences": tmp_path / "in"}, tmp_path / "out", Local(1))
    assert counts.notes["pairs"] == {
        "dpo_en_demo": {"pairs": 300, "identifiers": 2, "chosen_refuses": 1},
        "dpo_zh_500": {"pairs": 500, "worse_by_check": 9, "identifiers": 3, "wrong_language": 1, "chosen_refuses": 4},
        "dpo_zh_demo": {"pairs": 300, "worse_by_check": 4, "identifiers": 2, "chosen_refuses": 4}}
    assert counts.notes["lengths"]["subjective zh"]["longer_chosen"] == pytest.approx(0.595, abs=0.001)


def test_judged_dialogues_make_pairs_and_ties_are_counted(shared_data, tmp_path):
    read = gather("conversations", tuple(known.judged(shared_data).values()), tmp_path / "in", Local(1))
    assert read.as_json() == {"in": 1_441, "out": 1_441, "dropped": {}}
    counts = graded.run(graded.Config(), {"conversations": tmp_path / "in"}, tmp_path / "out", Local(1))
    assert counts.as_json() == {"in": 241, "out": 119, "dropped": {"alone": 1, "tie": 121}} and counts.notes["dialogues_by_score"]["5"] == 873
    rows = list(tables.rows(tmp_path / "out", "preferences"))
    assert all(float(row["meta"]["chosen_score"]) >= float(row["meta"]["rejected_score"]) + 0.5 and len(row["prompt"]) == 1 for row in rows)
    assert {row["meta"]["rejected_model"] for row in rows} <= {"gpt-4", "gpt-3.5-turbo", "DISC-MedLLM", "baichuan-chat", "bianque-v2", "huatuo-chat"}
    every = graded.run(graded.Config(every_pair=True, min_gap=0.25), {"conversations": tmp_path / "in"}, tmp_path / "every", Local(1))
    scores = collections.defaultdict(list)
    for path in sorted((shared_data / "preference/disc_gpt4_scores").glob("*/*.jsonl")):
        for line in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            scores[line["source"], line["id"]].append(sum(float(part.split(": ")[1]) for part in line["scores"].split("\n")) / 4)
    ties = sum(abs(one - other) < 0.25 for some in scores.values() for one, other in itertools.combinations(some, 2))
    assert every.n_in == 240 * 15 + 1 and every.dropped["tie"] == ties
    linted = lint.run(lint.Config(), {"preferences": tmp_path / "out"}, tmp_path / "linted", Local(1))
    assert linted.n_out == 119 and linted.notes["lengths"]["all"]["longer_chosen"] == pytest.approx(0.542, abs=0.001)


def test_the_pair_begins_where_dialogues_part_and_scores_must_be_there():
    def talk(score, *said):
        return score, {"id": f"{said}", "source": "s", "license": "MIT", "lang": "zh", "meta": {"model": f"m{score}"},
                       "messages": [{"role": ("user", "assistant")[k % 2], "content": content} for k, content in enumerate(said)]}
    made = graded.pair_of(talk(3.0, "头痛", "多久了？", "三天", "去医院"), talk(4.5, "头痛", "多久了？", "三天", "先测血压"))
    assert [len(made["prompt"]), made["chosen"], made["rejected"]] == [3, "先测血压", "去医院"] and made["meta"]["rejected_model"] == "m3.0"
    made = graded.pair_of(talk(3.0, "头痛", "多久了？", "三天", "去医院"), talk(4.5, "头痛", "多久了？", "一周", "先测血压"))
    assert made["chosen"] == made["rejected"] == "多久了？"
    with pytest.raises(RecordError, match=r"conversation c \(s\): meta\['scores'\] holds no number"):
        graded._score({"id": "c", "source": "s", "meta": {}}, "scores")


def test_the_report_shows_the_tables(tmp_path):
    counts, _ = run(tmp_path, [pair(), pair(EN, EN_GOOD, EN_BAD, source="<b>t</b>"), pair(chosen="。")], lint.Config(match_lengths=True))
    Maker(tmp_path / "run").step("linted", "preference.lint", counts)
    shown = page.render(load(tmp_path / "run"))
    cells = re.findall(r">([^<>]+)<", shown[shown.index("<div>all</div>"):])[:5]
    assert cells[:3] == ["all", "2 → 0", "100.0 % → 50.0 %"] and cells[3].endswith(" → +0.00") and cells[4].endswith(" → 0.500")
    assert "偏好对检查" in shown and "&lt;b&gt;t&lt;/b&gt;" in shown and "Longer one chosen" in shown and "made by no step" in shown
