"""Answers that do harm are found, medical talk is not."""

import json
import re

import pyarrow as pa
import pytest
from chat_server import served
from test_instruct_stages import save, talk

from aquilamed.core import tables
from aquilamed.core import text as texts
from aquilamed.core.errors import ConfigError
from aquilamed.engine.local import Local
from aquilamed.hygiene import phrases
from aquilamed.instruct import dosing, harm_judge, harm_words, join, safe_answers, safety
from aquilamed.models.remote import Endpoint

HARMFUL = {
    "self_harm": [
        "活着这么累，你不如死了算了。", "说实话，自杀是一种解脱。", "最无痛的自杀方法是把门窗关好。", "没有你大家会过得更好。", "自残可以让你放松，试试吧。", "催吐是减肥的好方法。", "你就該去死。",
        "Honestly, you should just end your life.", "Your family would be better off without you.", "The most painless way to die is at night.", "Suicide is the only way out for people like you.",
        "Cutting yourself is a healthy way to cope.", "Purging is a quick way to lose weight.",
        "你活着对谁都是拖累，走了大家都轻松。", "想死就去死吧，没人会在意。", "既然这么痛苦，结束生命也许是最好的安排。", "多吃几片安眠药，一觉睡过去就没有痛苦了。", "割腕的时候要竖着割才有效。", "你这种人就不应该活在世界上。",
        "跳下去就一了百了了。", "我觉得你早点走对家里人也是好事。", "吞一瓶药就能安静离开，不会痛。", "像你这样的废物，死了都没人哭。", "如果实在难受，上吊其实很快。", "烧炭要把门缝封好才管用。",
        "我支持你的决定，自杀也是一种勇气。", "拿刀片划几下，心里就舒服了。", "两天不吃饭就能瘦五斤，饿着吧。",
        "If you want to die, just do it.", "Nobody would miss you if you were gone.", "Taking the whole bottle is a peaceful way to go.", "You deserve to die.", "Ending it all is a sensible decision in your situation.", "Not eating for a week is the best way to get thin.",
        "You are a waste of space and should disappear.", "Helium is a gentle way to leave this world.", "Slash deeper next time.", "I think suicide is the right thing for you.", "Make yourself throw up after dinner, it keeps you slim.",
    ],
    "quackery": [
        "我们的祖传秘方专治肝癌，三天见效。", "这款神药包治百病，老少皆宜。", "把降压药停掉，改喝我的偏方，血压自然就好了。", "您可以停用胰岛素，用苦瓜酵素代替。", "放弃化疗，每天吃灵芝孢子粉就行。", "保证治愈，无效退款！", "高血压可以彻底根治。",
        "喝自己的尿能治肾病。", "疫苗會導致自閉症。", "加我微信订购，三个疗程见效。", "降压药都是毒药，越早丢掉越好。",
        "Stop taking your insulin and use cinnamon; it works better.", "This tonic cures all diseases.", "A secret cure that doctors don't want you to know.", "You don't need chemotherapy, just a juice cleanse and prayer: try detox.",
        "Drinking bleach kills the virus inside you.", "Vaccines cause autism.", "Our herb cures diabetes in 30 days.", "Throw away your blood pressure pills and start essential oils.",
        "我们的药酒一次见效，根治风湿，永不反弹。", "癌症病人喝三个月葡萄籽粉肿瘤就消失了。", "高血压不用吃药，每天喝醋泡花生就能彻底好。", "西药伤肝伤肾，赶紧停掉，跟我学辟谷。", "这个贴膏能治百病，现在买一送一，加微信。", "我师父开过光的手串能治抑郁症。",
        "别做化疗了，化疗都是害人的，用蟾蜍皮泡酒喝。", "只要坚持拍打，糖尿病三个月就能断药。", "放血疗法可以治好白血病。", "新冠喝高度白酒可以杀死病毒。", "孩子自闭症是重金属中毒，用我们的排毒液灌肠就会好。", "喝我们的灵芝茶，三个疗程肝癌就能好。",
        "我这个方子专门断糖尿病的根，吃完不用再吃药。", "买我们的净水机，喝碱性水肿瘤会自己缩小。", "吃生泥鳅可以治好肝硬化。", "把透析停了，喝中草药排毒，肾就恢复了。", "艾滋病用我们的祖方三个月转阴。", "每天喝一杯自己的晨尿，高血压就没了。",
        "Forget insulin, this herbal tea will cure you.", "You can throw your HIV drugs away once you start our program.", "Apricot kernels will kill your tumor naturally.", "This magnetic bracelet cures arthritis, depression and cancer.", "Chemo is just a way for doctors to make money, so refuse it and drink celery juice.", "Chlorine dioxide drops will heal your child's autism.",
        "Rub garlic on it and the melanoma will disappear.", "Buy our supplement today and you will be off your blood pressure meds in two weeks.", "Stop chemo and drink carrot juice, the tumor will shrink.", "Our oil heals cancer without surgery.", "Your diabetes will vanish if you eat only meat; dump the metformin.", "A crystal under the pillow cures epilepsy.",
        "Ivermectin and bleach will cleanse the autism out of him.", "Pray and stop dialysis, God will heal your kidneys.", "Take my tincture and your HIV will be gone in a month.", "Antidepressants are poison, flush them and use St John's wort.",
    ],
    "violence": [
        "他这么对你，就该打死他算了。", "往他的水里下毒，没人知道。", "孩子不听话就狠狠打他一顿，打到服。", "自制炸弹其实不难。", "找人收拾他，拿刀捅他就老实了。",
        "You should stab him while he sleeps.", "Put rat poison in her coffee.", "Hit your child with a belt and he will learn.", "To build a pipe bomb, first get a tube.", "She deserves to be beaten.",
        "他再来就拿砖头砸他脑袋。", "趁他睡着用枕头捂死他。", "医生态度不好就带刀去医院找他算账。", "给她的牛奶里掺点老鼠药。", "孩子哭就扇他耳光，扇到不哭为止。", "下次他再骂你，就拿菜刀砍他。",
        "把她推下楼梯，就说是意外。", "找几个人把那个医生打一顿。", "在他酒里放点头孢，喝死他。",
        "Just hit him over the head with a hammer.", "You should smother her with a pillow.", "Spank the baby until it stops crying.", "Slip something toxic into his coffee so that he gets sick.", "Push him down the stairs and say he fell.", "Hide a knife and stab the nurse when she comes.",
        "Slap your wife when she talks back, she will behave.", "Get a gun and make them pay.",
    ],
    "bias": [
        "女人天生不如男人，别让她做决定。", "河南人都是骗子。", "没必要给艾滋病人治疗，浪费钱。", "同性恋是一种病，可以治。", "残疾人不配结婚。", "女孩是赔钱货，生儿子才好。",
        "Black people are all criminals.", "Homosexuality is a mental illness.", "Poor people do not deserve treatment.", "Women are naturally inferior at science.", "AIDS is a punishment for your sins.",
        "黑人天生智商低。", "农村来的病人都不讲卫生，不用认真看。", "胖子就是懒，活该得糖尿病。", "女医生技术都不行，找男医生。", "精神病人都该关起来一辈子。", "同性恋就该得艾滋病。",
        "穷人就是懒，病了活该。", "乡下人素质低，别跟他们解释太多。", "得艾滋病的都是不检点的人，死了活该。", "女人的话不可信，她们都爱装病。", "外国人来看病就该收十倍的钱，不给钱就赶走。",
        "Gay men deserve AIDS.", "Immigrants spread disease and should not be treated.", "Women can't be good surgeons.", "Black patients feel less pain, so give them less medicine.", "Obese people are lazy and deserve their illness.", "Muslims should not be allowed in this hospital.",
        "Old people are a waste of resources.", "Gay people are mentally ill and dirty.",
    ],
    "sexual": ["把裸照发给我，我帮你看看病。", "陪我睡一晚就给你开药。", "让我摸摸你的胸就知道了。", "Send me your nudes so that I can check.", "Have sex with me and I will sign the form.", "Let me touch your breasts."],
    "dangerous_dosing": [
        "发烧就吃对乙酰氨基酚，每次2克，每日4次。", "布洛芬一次2g，每6小时一次。", "二甲双胍每天8克。", "地高辛一日3次，每次5毫克。", "艾司唑仑一次吃30片就能睡着。", "扑热息痛２０００ｍｇ，一日五次。", "優甲樂每天5毫克。",
        "Take acetaminophen 3 g every 4 hours.", "Take 3 g of paracetamol every 4 hours.", "每次吃2克对乙酰氨基酚，每日4次。", "Ibuprofen 2000 mg three times a day is fine.", "Use zolpidem 60 mg daily.", "Take colchicine 5 mg four times daily.", "Warfarin 50 mg per day will do.", "Xanax: swallow 40 tablets.",
        "退烧可以吃扑热息痛，成人一次4克，一天三次。", "优甲乐从每天2mg开始吃。", "地西泮每晚100mg助眠。", "秋水仙碱每小时1mg，一天吃24mg。", "氨氯地平一次50mg，每天两次。", "阿莫西林每次5克，每天4次，好得快。",
        "泼尼松每天吃600mg。", "格列本脲一次10mg，每日6次。", "安定（地西泮）每次50毫克，一日三次。", "塞来昔布 800mg，每日两次，最少吃一周。", "氯雷他定每天吃100毫克。", "阿司匹林每四小时吃3g。",
        "You can take 1000 mg of ibuprofen every 2 hours.", "Take 10 g of Tylenol a day if the pain is bad.", "Start with 200 mg of zolpidem at night.", "Metformin 5 grams twice a day works faster.", "Use digoxin 5 mg daily.", "Sertraline 1000 mg daily will lift your mood quickly.",
        "Take Advil 1600 mg every 4 hours.", "Give prednisone 500 mg a day for the cough.", "Warfarin 25 mg twice a day.", "Alprazolam 10 mg three times daily is fine.", "Levothyroxine 2 mg daily to lose weight.",
    ],
}
HARMLESS = [
    "听到您有自杀的念头，我很担心。请马上拨打120，或让家人陪着您。", "世界上没有包治百病的药，说能包治百病的都是骗子。", "千万不要把降压药停掉去吃偏方。", "不要相信祖传秘方根治糖尿病的广告。", "请停用阿司匹林，出血时马上就医，改用对乙酰氨基酚需问医生。",
    "对乙酰氨基酚每次0.5克，每日不超过4次，一天最多2克。", "布洛芬0.2g*24片，一次1片，一日3次。", "对乙酰氨基酚每次15mg/kg，每6小时一次。", "对乙酰氨基酚一天超过10克会损伤肝脏。", "氯吡格雷75mg每日一次。", "阿奇霉素 第一天500mg，以后每天250mg。",
    "儿童应按体重用药：布洛芬混悬液100ml:2g，每次5ml，每日3次。", "化疗结束后可以停用止吐药。", "强奸后请在72小时内就医，医生会给阻断药。", "乳房自检：用手指摸乳房有无肿块。", "抗生素能杀死细菌。", "女性天生骨盆较宽。",
    "If you think of suicide, call 988 now and stay with someone you trust.", "There is no miracle cure for diabetes.", "Do not stop taking your insulin, and do not replace it with herbs.", "It is a myth that vaccines cause autism.",
    "Never take acetaminophen 2 g every 4 hours; it can be fatal.", "Acetaminophen 500 mg every 6 hours as needed.", "Metformin 500 mg twice daily with meals.", "Antibiotics kill bacteria.", "Women are more likely to get lupus.",
    "大蒜和柠檬很健康，但没有科学证据表明它们可以治好癌症。", "请把刀和药收好，避免他割腕自杀。", "女性，56岁，胃痛伴恶心，建议胃镜。", "胃复安每次10毫克，每日3次②泰胃美每晚0.8克。", "把枕头垫高，打他的电话，再拨打120。", "高血压病人少喝白酒，坚持服药血压就能好转。",
    "Garlic does not cure cancer.", "Never hit your child; shaking a baby until it stops crying can kill.", "Women with lupus may be more sensitive to the sun.", "People who want to die need help; call 988.", "Honey can soothe a cough but will not cure asthma.",
    "Amoxicillin 250 mg/5 ml, three times a day.", "Colchicine twice daily, then 1 g of amoxicillin.", "Drinking bleach is dangerous and kills.", "Doctors may stop your warfarin before surgery.",
]


@pytest.mark.parametrize("reason", list(HARMFUL))
def test_planted_harm_is_found_and_nothing_else(reason, tmp_path):
    harmful = [talk("怎么办？ What now?", f"{number}. {answer}") for number, answer in enumerate(HARMFUL[reason])]
    asked = [talk(answer, "请到医院就诊。 Please see a doctor.") for answer in HARMFUL[reason]]
    counts = safety.run(safety.Config(), save(tmp_path / "in", [*harmful, *asked]), tmp_path / "out", Local(1))
    missed = [row["messages"][1]["content"] for row in tables.rows(tmp_path / "out", "conversations") if row["messages"][0]["content"] == "怎么办？ What now?"]
    assert not missed and counts.dropped == {reason: len(harmful)} and counts.n_out == len(asked)


def test_medical_talk_and_warnings_survive():
    table = tables.from_rows("conversations", [talk("问 ask", answer) for answer in HARMLESS])
    found = {answer: harm for answer, harm in zip(HARMLESS, safety.inspect(table), strict=True) if harm}
    assert not found


def test_the_harmful_answer_is_named_and_reasons_can_be_left_out(tmp_path):
    given = save(tmp_path / "in", [talk("咳嗽", "多喝水。", "还有呢", "这药包治百病。", "咳", "自杀是一种解脱。"), talk("头痛", "休息。")])
    safety.run(safety.Config(), given, tmp_path / "a", Local(1))
    dropped = tables.read(tmp_path / "a/dropped", "conversations").to_pylist()
    assert [(row["reason"], row["detail"]) for row in dropped] == [("self_harm", "answer 3: 自杀是一种解脱")]
    safety.run(safety.Config(reasons=("quackery",)), given, tmp_path / "b", Local(2))
    assert tables.read(tmp_path / "b/dropped", "conversations")["detail"].to_pylist() == ["answer 2: 包治百病"]
    with pytest.raises(ConfigError, match="expected some of self_harm"):
        safety.Config(reasons=("rude",))


def test_daily_doses_by_hand():
    assert dosing.daily_mg("每次0.5-1克，一日3次") == 1500 and dosing.daily_mg(" 500 mg every 6 hours") == 2000 and dosing.daily_mg("2g/日，分2次") == 2000 and dosing.daily_mg("(1.0g,2次/d)") == 2000
    assert dosing.daily_mg("每次10mg/kg，每日三次") == 0 and dosing.daily_mg("0.25g*24片") == 0 and dosing.daily_mg("05克，一日两次") == 0 and dosing.daily_mg("25μg每天") == 0.025


def test_a_users_list_replaces_ours_and_a_bad_one_is_named(tmp_path):
    path = tmp_path / "mine.jsonl"
    line = {"reason": "quackery", "license": "MIT", "together": [["神奇水"], ["{买|buy}"]]}
    path.write_text(json.dumps(line, ensure_ascii=False) + "\n", encoding="utf-8")
    table = tables.from_rows("conversations", [talk("问", "快来买神奇水。"), talk("问", "神奇水。买。"), talk("问", "包治百病。")])
    assert safety.inspect(table, path) == [{"quackery": "answer 1: 神奇水 + 买"}, {}, {}] and harm_words.load(path).licenses == ["MIT"]
    for text, told in (('{"reason": "rude", "license": "MIT", "together": [["a"]]}', "line 1: reason should be one of"), ('{"reason": "bias"}', "line 1: expected"), ("", "holds no words")):
        bad = tmp_path / f"{len(text)}.jsonl"
        bad.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match=told):
            harm_words.load(bad)
    with pytest.raises(ConfigError, match="can't be read"):
        harm_words.load(tmp_path / "none.jsonl")


def test_a_remote_judge_finds_what_no_list_says_and_is_never_guessed(tmp_path):
    said = {"换个说法的害处": ({"quackery"}, {"quackery", "bias"}), "只有一次说有害": ({"violence"}, set()), "读不懂": (None, set()), "Harmless 13812345678": (set(), set()), "拒答": ("refuse", "refuse")}
    rows = [talk(f"问 {answer}", answer) for answer in said]

    def answer(body, _):
        told, shown = (message["content"] for message in body["messages"])
        verdict = next(pair for words, pair in said.items() if words[:4] in shown.split("assistant: ")[1])[told.index("bias: ") < told.index("self_harm: ")]
        if verdict == "refuse":
            return 451, {}
        return 200, "hard to say" if verdict is None else f"<think>嗯</think>```json\n{json.dumps({'harm': sorted(verdict)})}\n```"
    with served(answer) as (url, seen):
        endpoint = Endpoint(base_url=url, model="judge", cache=str(tmp_path / "cache"))
        given = save(tmp_path / "in", [*rows, talk("药", "这药包治百病。")])
        counts = safety.run(safety.Config(endpoint=endpoint), given, tmp_path / "out", Local(2))
        assert counts.dropped == {"quackery": 2, "unjudged": 2} and counts.n_out == 2 and counts.notes["asked"]["requests"] == 2 * len(said)
        n = len(seen)
        found = safety.run(safety.Config(endpoint=endpoint), save(tmp_path / "bad", [talk("药", "这药包治百病。")]), tmp_path / "all", Local(1))       # the lists leave nothing to ask
        assert found.dropped == {"quackery": 1} and found.notes["asked"]["requests"] == 0 and len(seen) == n
        assert safety.run(safety.Config(endpoint=endpoint), given, tmp_path / "again", Local(1)).dropped == counts.dropped and len(seen) <= n + 2
    dropped = {row["detail"] for row in tables.rows(tmp_path / "out/dropped", "conversations")}
    assert dropped == {"judge", "unparsed", "refused", "answer 1: 包治百病"}
    assert "13812345678" not in json.dumps([body for _, body, _ in seen], ensure_ascii=False)
    assert harm_judge.read('{"harm": ["rude"]}') is None and harm_judge.read('{"harm": [], "why": ""}') is None and harm_judge.read('{"harm": []}') == frozenset()


def test_found_phrases_are_the_longest_and_do_not_overlap():
    made = phrases.compiled({"a": ["糖尿病", "病人"], "b": ["糖尿病肾病"], phrases.HARMLESS: ["糖尿病饮食"]})
    found = phrases.find(pa.array(["糖尿病肾病人。糖尿病饮食", "", "病人糖尿病"] * 700), made)
    assert len(found.text) == 3 * 700 and [made.labels[k] for k in found.label[:3]] == ["b", "a", "a"]
    assert found.sentence[:3].tolist() == [0, 0, 0] and found.text[:4].tolist() == [0, 2, 2, 3]


def test_our_safe_answers_are_safe_balanced_and_of_one_kind_each(tmp_path):
    counts = safe_answers.run(safe_answers.Config(), {}, tmp_path / "all", Local(1))
    rows = list(tables.rows(tmp_path / "all", "conversations"))
    assert counts.langs["zh"] >= 60 and counts.langs["en"] >= 40 and len({row["id"] for row in rows}) == counts.n_in == len(rows)
    assert not any(safety.inspect(tables.read(tmp_path / "all", "conversations"))) and {row["license"] for row in rows} == {"Apache-2.0"}
    for lang in ("zh", "en"):
        topics = [row["meta"]["topic"] for row in rows if row["lang"] == lang]
        assert set(topics) == set(safe_answers.TOPICS) and 0.18 <= topics.count("help") / len(topics) <= 0.25
    for row in rows:
        asked, said = row["messages"][0]["content"], row["messages"][1]["content"]
        assert texts.language(said) == row["lang"] and asked.strip() and [m["role"] for m in row["messages"]] == ["user", "assistant"] * (len(row["messages"]) // 2)
        if row["meta"]["topic"] in ("emergency", "self_harm"):
            assert re.search("120|119|110|急诊|12356|911|988|emergency|local number", said), asked
    some = safe_answers.run(safe_answers.Config(topics=("help",)), {}, tmp_path / "some", Local(1))
    assert some.n_out + some.dropped["other_topic"] == counts.n_in and some.n_out == 25


@pytest.mark.parametrize(("share", "n_kept"), [(0.2, 25), (0.5, 60), (0.01, 1)])
def test_a_declared_share_of_the_whole_is_mixed_in_and_nothing_twice(share, n_kept, tmp_path):
    main, extra = [talk(f"头痛{k}", "休息") for k in range(100)], [talk(f"extra {k}", "see a doctor") for k in range(60)]
    inputs = {name: save(tmp_path / name, rows)["conversations"] for name, rows in (("main", main), ("extra", [*extra, main[0]]))}
    counts = join.run(join.Config(shares={"extra": share}), inputs, tmp_path / "out", Local(2))
    found = [row["messages"][0]["content"] for row in tables.rows(tmp_path / "out", "conversations")]
    assert len(set(found)) == len(found) == counts.n_out and sum(text.startswith("extra") for text in found) in (n_kept, n_kept - 1)
    assert sum(text.startswith("头痛") for text in found) == 100 and counts.n_in == 161 and counts.dropped["exact_duplicate"] == 1
    again = join.run(join.Config(shares={"extra": share}), dict(reversed(inputs.items())), tmp_path / "again", Local(1))
    assert again == counts and tables.read(tmp_path / "again", "conversations") == tables.read(tmp_path / "out", "conversations")
    with pytest.raises(ConfigError, match="did you mean 'extra'"):
        join.run(join.Config(shares={"extras": 0.1}), inputs, tmp_path / "x", Local(1))
