"""Unsafe words: what is found in both languages and scripts, through evasion, and what medicine says that must pass."""

import json

import pyarrow as pa
import pytest

from aquilamed.core.errors import ConfigError
from aquilamed.hygiene import unsafe

UNSAFE = [
    ("gambling", "澳门首家线上赌场上线啦，新人注册送彩金，提现秒到账"), ("gambling", "六·合·彩特·码内部资料，本期必中"), ("gambling", "北京赛车计划群，导师带你稳赚"),
    ("gambling", "澳門首家線上賭場，註冊送彩金"), ("gambling", "Try the best online casino bonus of the year, free spins no deposit!"),
    ("sexual", "同城约炮群，附近少妇上门服务，加我"), ("sexual", "日本无码高清资源，免费成人电影在线"), ("sexual", "寂寞少婦視頻裸聊直播"), ("sexual", "Watch free porn videos and live sex cams with hot singles near you"),
    ("drugs", "本店出售冰毒和摇头丸，全国邮寄"), ("drugs", "无需处方购买安眠药，三唑仑货到付款"), ("drugs", "Buy oxycodone online without prescription, overnight delivery"),
    ("weapons", "出 售 仿 真 枪，配件齐全"), ("weapons", "自制土炸弹的方法如下"), ("weapons", "Here is how to make a pipe bomb from household items"),
    ("violence", "毁尸灭迹教程：第一步"), ("violence", "怎样杀人不被发现"), ("violence", "Hire a hitman today; learn how to get away with murder"),
    ("self_harm", "找人一起自杀，约死群在这里"), ("self_harm", "最不痛苦的自杀方法，无痛自杀药购买"), ("self_harm", "Painless suicide methods and pro ana tips"),
    ("fraud", "代开增值税发票，办理假证假文凭"), ("fraud", "高价收银行卡四件套"), ("fraud", "Buy fake passports and stolen credit cards for sale"),
    ("extremism", "加入圣战，消灭异教徒上天堂"), ("extremism", "Join the jihad now, brothers"),
    ("hate", "那些黑人都应该灭绝，劣等种族滚出去"), ("hate", "Gas the Jews. These immigrants are subhuman."),
    ("superstition", "转运手链开光请购，大师算命免费"), ("superstition", "養小鬼招財，請佛牌請加微信"), ("superstition", "Powerful spell caster brings back lost lover, love spells that work"),
    ("quackery", "祖传秘方一贴就灵，三天根治糖尿病"), ("quackery", "Throw away your insulin: this secret cure reverses diabetes in 7 days"),
]
MEDICAL = [
    "性传播疾病包括梅毒、淋病、尖锐湿疣和生殖器疱疹，性交时应全程使用安全套。", "阴茎勃起功能障碍（ED）可用西地那非治疗；早泄患者可行行为疗法。性高潮障碍、性交疼痛应到妇科就诊。",
    "患者有自杀意念，应做自杀风险评估，24小时陪护，并告知心理援助热线。割腕、服药过量者须急诊洗胃。", "全身麻醉诱导常用丙泊酚、芬太尼、氯胺酮；咪达唑仑、三唑仑属第二类精神药品。",
    "儿童性虐待的识别：外阴损伤、行为改变。强奸受害者应在72小时内接受暴露后预防。", "海洛因、冰毒、大麻、可卡因成瘾者的美沙酮替代治疗；阿片类药物过量用纳洛酮。", "家庭暴力、枪伤、爆炸伤、砍伤病人的急救：先止血包扎，再转运。",
    "赌博障碍与网络游戏成瘾同属行为成瘾，可用认知行为治疗。", "手淫、看色情影片本身不是病，遗精属正常现象。", "古代以符水治病，被视为迷信；算命先生之言不可信。", "患者自诉听到声音说要杀死他，诊断为精神分裂症。",
    "Sexually transmitted infections: genital herpes, gonorrhea, chlamydia; examine the penis, vulva and vagina. Orgasm may be delayed by SSRIs.",
    "Ask about suicidal ideation and whether the patient has a plan to kill himself; call the suicide prevention line 988. Self-harm by cutting is common.",
    "Heroin, cocaine, methamphetamine and MDMA use; ketamine anesthesia; fentanyl 50 mcg IV; oxycodone 5 mg by prescription.", "Rape kits are collected within 72 hours; child sexual abuse must be reported.",
    "Gunshot wounds and blast injuries from bombs need damage control surgery. Victims of violence and hate crimes may develop PTSD.", "Pathological gambling responds to CBT; avoid casinos.",
    "Emergency contraception is available without a prescription. Nude mice received cum laude care; naked eye inspection was normal.", "Nazi doctors experimented on Jews, whom they called subhuman; this led to the Nuremberg Code.",
]


def _kinds(texts: list[str], **given) -> list[str | None]:
    return unsafe.kinds_of(pa.array(texts), **given).to_pylist()


def test_each_kind_is_found_in_both_languages():
    missed = [(kind, found, text) for (kind, text), found in zip(UNSAFE, _kinds([text for _, text in UNSAFE]), strict=True) if found is None]
    assert not missed
    assert {kind for kind, _ in UNSAFE} == set(unsafe.load().kinds)


def test_what_medicine_speaks_of_passes():
    assert [(found, text) for text, found in zip(MEDICAL, _kinds(MEDICAL), strict=True) if found] == []


def test_mild_words_count_by_density_and_at_least_twice():
    # 4 in 1,000: one never counts; two count up to 500 characters
    assert _kinds(["淫秽", "淫秽" + "甲" * 20, "淫秽，淫秽" + "甲" * 490, "淫秽，淫秽" + "甲" * 510]) == [None, None, "sexual", None]
    assert _kinds(["porn " + "word " * 20, "porn, porn " + "word " * 20, "porn, porn " + "word " * 200]) == [None, "sexual", None]


def test_of_several_kinds_the_first_by_name_is_named():
    assert _kinds(["代开发票，网上赌场，裸聊直播"]) == ["fraud"]


def test_a_lexicon_of_ones_own(tmp_path):
    words = tmp_path / "words.jsonl"
    words.write_text('{"kind": "rude", "zh": ["ＱＱ赌鬼"], "en": ["Silly"]}\n{"kind": "mild", "per_1000": 100, "zh": ["笨"], "en": []}\n'
                     '{"kind": "harmless", "zh": ["笨鸟先飞"], "en": ["silly season"]}\n', encoding="utf-8")
    assert _kinds(["qq賭鬼", "SILLY", "silly season", "笨，笨", "笨鸟先飞，笨", "在线博彩"], lexicon=words) == ["rude", "rude", None, "mild", None, None]


@pytest.mark.parametrize(("content", "message"), [
    ('{"kind": "violence"}\n', r'bad.jsonl, line 1: expected \{"kind"'), ('{"kind": "a", "zh": [], "en": ["x"]}\nnot json\n', "bad.jsonl, line 2: expected"),
    ('{"kind": "a", "zh": ["……"], "en": []}\n', "line 1.*expected letters, digits or Han"), ('{"kind": "a", "per_1000": -1, "zh": [], "en": ["x"]}\n', "per_1000 0 or more"),
    ('{"kind": "a", "zh": [], "en": []}\n', "holds no words"), ("", "holds no words"), ('["a"]\n', "line 1: expected")])
def test_a_bad_lexicon_is_refused_with_its_line(tmp_path, content, message):
    path = tmp_path / "bad.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        unsafe.load(path)


def test_a_lexicon_that_is_not_there_or_no_text_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"lexicon .*none.jsonl: can't be read"):
        unsafe.load(tmp_path / "none.jsonl")
    (tmp_path / "gbk.jsonl").write_bytes('{"kind": "脏", "zh": [], "en": ["x"]}'.encode("gbk"))
    with pytest.raises(ConfigError, match="can't be read as UTF-8"):
        unsafe.load(tmp_path / "gbk.jsonl")


def test_textbooks_and_patients_questions_pass(shared_data):
    book = (shared_data / "pretrain/en_medical/openstax_nursing.jsonl").read_text(encoding="utf-8").splitlines()
    old = (shared_data / "pretrain/zh_medical/tcm_ancient_books/483-伤寒论类方.txt").read_text(encoding="gb18030")
    asked = [" ".join(str(value) for value in row.values()) for row in json.loads((shared_data / "instruct/cmtmedqa.json").read_text(encoding="utf-8"))]
    clinic = (shared_data / "instruct/toyhom_internal_medicine.csv").read_text(encoding="gb18030", errors="replace").splitlines()
    texts = [json.loads(line)["text"][:20_000] for line in book] + [old[at:at + 2000] for at in range(0, len(old), 2000)] + asked + clinic
    assert [found for found in _kinds(texts) if found] == []
