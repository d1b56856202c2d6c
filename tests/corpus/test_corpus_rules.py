"""Each rule has text that breaks it and text, in both languages, that does not; real books and papers pass."""

import json

import pytest

from aquilamed.core import tables
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
    "repeated_lines": ["\n".join([ZH[:20], ZH] + [ZH[60:80]] * 8), "\n".join([EN] + ["Menu of all our pages here"] * 6)],
    "boilerplate": [ZH[:40] + "想根治请加微信领取方案，限时优惠先到先得！点击咨询在线专家，立即预约免费名额！",
                    EN[:80] + ". Click here to buy now and get free shipping on every single bottle! Order now, limited time offer for all new customers!"],
    "garbled": [ZH + "\ufffd\ue001" * 3, EN.replace("e", "\ufffd")],
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


def test_limits_are_the_settings():
    # 12 tokens: 11 Han characters and one number; 1 digit of 12 characters is 0.083
    text = "每次服用五毫克每日两次1"
    assert _sieve([text], min_tokens=12, max_digit_share=0.09)[0] == [text]
    assert _sieve([text], min_tokens=13)[1] == {text: "too_short"}
    assert _sieve([text], min_tokens=12, max_digit_share=0.08)[1] == {text: "digits"}


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
    with pytest.raises(ConfigError, match="max_digit_share=3.0: expected a share"):
        rules.Config(max_digit_share=3.0)
    with pytest.raises(ConfigError, match="min_tokens=9, max_tokens=3"):
        rules.Config(min_tokens=9, max_tokens=3)
