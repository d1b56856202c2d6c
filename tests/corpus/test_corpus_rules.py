"""Each rule has text that breaks it and text, in both languages, that does not; real books and papers pass."""

import dataclasses
import json
from collections import Counter

import numpy as np
import pytest

from aquilamed.clinic import facts, write
from aquilamed.core import config, tables
from aquilamed.core.errors import ConfigError
from aquilamed.corpus import rules
from aquilamed.engine.local import Local

ZH = ("高血压是指安静状态下动脉血压持续高于正常的慢性病，早期多没有明显症状。成人每次服用5毫克，每日一次，服药两周后复查；血压控制在140/90 mmHg以下。"
      "如出现头痛、胸闷或视物模糊，应当尽快到心内科就诊，不要自行停药。")
EN = ("Hypertension is a chronic condition in which resting blood pressure stays above normal (140/90 mmHg), often without early "
      "symptoms. The usual adult dose is 5 mg once a day; see your doctor again after two weeks, and do not stop on your own.")
TRADITIONAL = "高血壓是指安靜狀態下動脈血壓持續高於正常的慢性病，早期多沒有明顯症狀，應當長期隨訪並限制鹽分的攝取，鎮靜與藥物治療依醫師指示，切勿自行停藥。"
MARKDOWN = f"## 用法\n\n- **成人**：每次 5 mg\n- 儿童：遵医嘱\n\n| 项目 | 值 |\n|---|---|\n| 血压 | 140/90 |\n\n{ZH}"
CLASSICAL = "太阳之为病，脉浮，头项强痛而恶寒。太阳病，发热，汗出，恶风，脉缓者，名为中风。太阳病，或已发热，或未发热，必恶寒，体痛，呕逆，脉阴阳俱紧者，名曰伤寒。"

BROKEN = {
    "too_short": ["感冒要多喝水。", "Drink more water."],
    "symbols": [ZH + "★◆" * 20, EN + " ~~##@@" * 10],
    "punctuation": [ZH + "……！！" * 25, EN + "!!!..." * 40],
    "digits": [ZH + "13579" * 20, EN + " 24680" * 30],
    "repeated_grams": [ZH[:30] * 6, EN[:100] * 5],
    "stuffed": ["北京皮肤病医院，上海皮肤病医院，广州皮肤病医院，深圳皮肤病医院，天津皮肤病医院，重庆皮肤病医院，成都皮肤病医院",
                "best eye doctor Paris, best eye doctor Rome, best eye doctor Oslo, best eye doctor Bonn, best eye doctor Lyon, best eye doctor Turin, best eye doctor Graz, best eye doctor Bern"],
    "scrambled": ["性的慢，病持。续血高期、多早，。明显压，是没动，指有于。下正静、脉状症常高，。安服成用，、人次，。血后压两周", "the the of above early is of are normal to chronic the of and adult was is dose day the a after "
                  "symptoms blood the is to of a stays without once usual the and pressure of resting weeks the of condition"],
    "repeated_lines": ["\n".join([ZH[:20], ZH] + [ZH[60:80]] * 8), "\n".join([EN] + ["Menu of all our pages here"] * 6)],
    "boilerplate": [ZH[:40] + "想根治请加微信领取方案，限时优惠先到先得！点击咨询在线专家，立即预约免费名额！",
                    EN[:80] + ". Click here to buy now and get free shipping on every single bottle! Order now, limited time offer for all new customers!"],
    "garbled": [ZH + "\ufffd\ue001" * 3, EN.replace("e", "\ufffd"), ZH + "锟斤拷烫烫烫", EN + " Itâ€™s the patientâ€™s donâ€™t canâ€™t wonâ€™t", ZH.encode().decode("latin-1")],
    "mojibake": [ZH.encode().decode("gbk", errors="ignore")],
    "other_language": ["これは高血圧についての文章です。血圧が高い状態が続く病気であり、早期には症状がないことが多いです。食事療法と運動が大切です。"],
    "identifier": [ZH + "咨询电话13812345678。", EN + " Write to john.smith@example.org."],
}


def _sieve(texts, **settings):
    table = tables.from_rows("documents", [{"text": t, "source": "s", "license": "MIT"} for t in texts])
    kept, dropped, *_ = rules.sieve(rules.Config(**settings), table)
    return kept["text"].to_pylist(), {row["text"]: row["reason"] for row in dropped.to_pylist()}


@pytest.mark.parametrize("text", [ZH, EN, TRADITIONAL, MARKDOWN, CLASSICAL, ZH.replace("5", "５").replace("/", "／")],
                         ids=["zh", "en", "traditional", "markdown", "classical", "full width"])
def test_normal_text_passes(text):
    assert _sieve([text]) == ([text], {})


@pytest.mark.parametrize("reason", BROKEN)
def test_each_rule_drops_what_breaks_it(reason):
    kept, dropped = _sieve(BROKEN[reason])
    assert kept == [] and list(dropped.values()) == [reason] * len(BROKEN[reason])


def _limited(**limits) -> dict:
    """Settings with other limits for both languages."""
    return {lang: dataclasses.replace(getattr(rules.Config(), lang), **limits) for lang in ("zh", "en")}


def test_limits_are_the_settings():
    # 12 tokens: 11 Han characters and one number; 1 digit of 12 characters is 0.083
    text = "每次服用五毫克每日两次1"
    assert _sieve([text], **_limited(min_tokens=12, max_digits=0.09))[0] == [text]
    assert _sieve([text], **_limited(min_tokens=13))[1] == {text: "too_short"}
    assert _sieve([text], **_limited(min_tokens=12, max_digits=0.08))[1] == {text: "digits"}


def test_each_language_has_its_own_limit_and_mixed_text_the_looser():
    mixed = "高血压 hypertension 是一种 chronic 慢性病 disease，需要 long term 治疗 therapy 和 follow up 随访 visits 以及 diet 饮食 control 控制 1234567"
    strict = {"zh": dataclasses.replace(rules.ZH, max_digits=0.01), "en": rules.EN, "langs": ("zh", "en", "mixed")}
    zh, en = ZH + "12345", EN + " 12345"
    assert _sieve([zh, en, mixed], **strict) == ([en, mixed], {zh: "digits"})
    assert _sieve([mixed], **{**strict, "en": dataclasses.replace(rules.EN, max_digits=0.01)})[1] == {mixed: "digits"}


def test_limits_are_set_from_the_command_line():
    assert config.override(rules.Config(), {"zh.min_tokens": "5"}).zh == dataclasses.replace(rules.ZH, min_tokens=5)
    with pytest.raises(ConfigError, match="max_digits=3.0: expected a share"):
        config.override(rules.Config(), {"en.max_digits": "3.0"})


def test_figures_are_told_of_dropped_rows_alone():
    table = tables.from_rows("documents", [{"text": t, "source": "s", "license": "MIT"} for t in ("感冒要多喝水。", ZH, ZH + "13579" * 20)])
    _, dropped, *_ = rules.sieve(rules.Config(), table)
    # 6 tokens; 100 + 7 digits of the 109 characters of ZH and 100
    inked = len(ZH.replace(" ", "")) + 100
    n_digits = sum(char.isdigit() for char in ZH) + 100
    assert list(zip(dropped["reason"].to_pylist(), dropped["detail"].to_pylist(), strict=True)) == [("too_short", "6"), ("digits", f"{n_digits / inked:.3f}")]


def test_a_lexicon_of_ones_own_takes_the_place_of_ours(tmp_path):
    words = tmp_path / "words.jsonl"
    words.write_text('{"kind": "rude", "zh": ["视物模糊"], "en": ["early symptoms"]}\n', encoding="utf-8")
    assert rules.files(rules.Config(lexicon=words)) == [words]
    assert _sieve([ZH, EN, ZH.replace("视物", "眼前") + "网上赌场"], lexicon=words)[1] == {ZH: "unsafe", EN: "unsafe"}
    with pytest.raises(ConfigError, match="none.jsonl: can't be read"):
        rules.run(rules.Config(lexicon=tmp_path / "none.jsonl"), {"documents": tmp_path}, tmp_path / "out", Local(1))


def test_masking_inside_the_rules(tmp_path):
    text = ZH + "联系患者张三，电话13812345678。"
    tables.scatter(tmp_path / "in", "documents", tables.from_rows("documents", [{"text": t, "source": "s", "license": "MIT"} for t in (text, EN)]))
    counts = rules.run(rules.Config(identifiers="mask"), {"documents": tmp_path / "in"}, tmp_path / "out", Local(1))
    assert sorted(tables.read(tmp_path / "out", "documents")["text"].to_pylist()) == sorted([EN, ZH + "联系患者[姓名1]，电话[电话1]。"])
    assert counts.notes == {"identifiers_name": 1, "identifiers_phone": 1} and counts.langs == {"zh": 1, "en": 1}


def test_real_books_and_papers_pass(shared_data):
    folder = shared_data / "pretrain"
    book = (folder / "zh_medical/tcm_ancient_books/483-伤寒论类方.txt").read_text(encoding="gb18030")
    texts = [book[at:at + 2000] for at in range(0, len(book), 2000)]
    lines = (folder / "en_medical/openstax_anatomy.jsonl").read_text(encoding="utf-8").splitlines()
    texts += [json.loads(line)["text"] for line in lines[:40]]
    drcd = json.loads((folder / "zh_general/drcd_dev_traditional.json").read_text(encoding="utf-8"))["data"]
    texts += [paragraph["context"] for article in drcd[:60] for paragraph in article["paragraphs"]]
    _, dropped = _sieve(texts)
    assert set(dropped.values()) <= {"too_short"} and len(dropped) <= 0.02 * len(texts)


def test_refusals_name_the_setting():
    with pytest.raises(ConfigError, match="max_digits=3.0: expected a share"):
        dataclasses.replace(rules.ZH, max_digits=3.0)
    with pytest.raises(ConfigError, match="min_tokens=-1: expected 0 or more"):
        dataclasses.replace(rules.ZH, min_tokens=-1)
    with pytest.raises(ConfigError, match="min_tokens=30, max_tokens=3"):
        rules.Config(max_tokens=3)


RECALL = {
    "zh": {"ad": 0.92, "boilerplate": 0.98, "unsafe": 0.98, "garbled": 0.5, "stub": 0.4},
    "en": {"ad": 0.85, "boilerplate": 0.95, "unsafe": 0.98, "garbled": 0.65, "stub": 0.98},
}
"""Share of the clinic's dirty pages that the rules must drop. Words in no order are found in part: half of the garbled pages are such."""
REASONS = {"ad": {"boilerplate"}, "boilerplate": {"boilerplate"}, "unsafe": {"unsafe", "boilerplate"}, "garbled": {"garbled", "mojibake", "scrambled", "boilerplate"}, "stub": {"too_short"}}


def test_precision_and_recall_on_the_clinics_truth():
    rows = write.generate(write.Config(dirt_share=0.5), facts.load())["web.jsonl"]
    table = tables.from_rows("documents", [{"text": row["text"], "source": "clinic", "license": "Apache-2.0", "lang": row["truth"]["lang"],
                                            "meta": {"dirt": row["truth"]["dirt"]}} for row in rows])
    masks, *_ = rules.breaches(rules.Config(), table)
    unsafe = rules.unsafe.kinds_of(table["text"].combine_chunks()).is_valid().to_numpy(zero_copy_only=False)
    n, found = Counter(), Counter()
    for k, row in enumerate(tables.to_rows(table)):
        reasons = {reason for reason, mask in {**masks, "unsafe": unsafe}.items() if mask[k]}
        key = (row["lang"], row["meta"]["dirt"])
        n[key] += 1
        found[key] += bool(reasons & REASONS.get(key[1], reasons))
    for lang, least in RECALL.items():
        assert {kind: found[lang, kind] / n[lang, kind] for kind in least if found[lang, kind] < least[kind] * n[lang, kind]} == {}
        clean = sum(found[lang, kind] for kind in ("clean", "exact_duplicate", "near_duplicate", "leak"))
        assert clean <= 0.001 * sum(n[lang, kind] for kind in ("clean", "exact_duplicate", "near_duplicate", "leak"))


def test_figures_do_not_depend_on_neighbours_or_shards():
    texts = [text for found in BROKEN.values() for text in found] + [ZH, EN, TRADITIONAL, MARKDOWN, CLASSICAL]
    whole = rules.figures(tables.from_rows("documents", [{"text": t, "source": "s", "license": "MIT"} for t in texts])["text"].combine_chunks())
    for k, text in enumerate(texts):
        alone = rules.figures(tables.from_rows("documents", [{"text": text, "source": "s", "license": "MIT"}])["text"].combine_chunks())
        assert all(np.array_equal(alone[name], whole[name][k:k + 1]) for name in whole)


@pytest.mark.parametrize("text", ["患者张三，电话13812345678。" + "高血压患者应当低盐饮食并按时服药。" * 2, "Patient John Smith, phone 212-555-0123. " + "He should eat less salt and walk every day to keep it down. " * 2])
def test_what_is_masked_stays_masked_among_the_nearly_dropped(tmp_path, text):
    tables.scatter(tmp_path / "in", "documents", tables.from_rows("documents", [{"text": text, "source": "s", "license": "MIT"}]))
    config = rules.Config(identifiers="mask")
    assert rules.run(config, {"documents": tmp_path / "in"}, tmp_path / "out", Local(1)).n_out == 1
    near = tables.read(tmp_path / "out" / "near", "documents").to_pylist()
    assert near and all("13812345678" not in row["text"] and "212-555-0123" not in row["text"] and "1]" in row["text"] for row in near)
