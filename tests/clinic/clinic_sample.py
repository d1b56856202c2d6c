"""A small clinic of six conditions and four drugs for tests that must not depend on the bundled facts."""

import json
from pathlib import Path


def pair(zh: str, en: str) -> dict:
    return {"zh": zh, "en": en}


def condition(key: str, department: str, names: dict, about: dict, symptoms: list[dict], **facts) -> dict:
    return {"id": key, **names, "aliases": {"zh": [], "en": []}, "department": department, "about": about, "symptoms": symptoms, **facts,
            "not_wrong": {"symptom": [], "cause": [], "test": [], "treatment": []}}


def drug(key: str, names: dict, **facts) -> dict:
    return {"id": key, **names, **facts, "not_wrong": {"class": [], "used_for": [], "side_effect": [], "caution": []}}


DEPARTMENTS = [
    {"id": "cardiology", **pair("心内科", "cardiology")}, {"id": "psychiatry", **pair("精神科", "psychiatry")},
    {"id": "dental", **pair("口腔科", "dentistry")}, {"id": "urology", **pair("泌尿外科", "urology")},
    {"id": "ophthalmology", **pair("眼科", "ophthalmology")},
]
CONDITIONS = [
    condition(
        "hypertension", "cardiology", pair("高血压", "hypertension"),
        pair("安静状态下动脉血压持续高于正常的慢性病。", "A chronic condition in which resting arterial blood pressure stays above normal."),
        [pair("后枕部胀痛", "dull headache at the back of the head"), pair("头晕", "dizziness"), pair("耳鸣", "ringing in the ears")],
        cause=pair("高盐饮食与家族遗传", "high salt diet and family predisposition"), test=pair("动态血压监测", "ambulatory pressure monitoring"),
        treatment=pair("长期口服降压药并限盐", "sustained oral antihypertensives and salt restriction"),
        advice=pair("每天固定时间在家测量并记录，不要自行停药。", "Measure and record your blood pressure at the same time each day."),
        red_flag=pair("血压骤升伴剧烈头痛", "sudden surge with severe headache")),
    condition(
        "cardiac_rupture", "cardiology", pair("心脏破裂", "cardiac rupture"),
        pair("心肌破裂出血的急症。", "An emergency in which the heart muscle tears and bleeds."),
        [pair("突发胸痛后昏倒", "sudden collapse after chest pain"), pair("面色灰白", "grey face"), pair("脉搏消失", "loss of the pulse")],
        cause=pair("大面积心肌坏死", "large area of dead heart muscle"), test=pair("床旁超声", "bedside ultrasound"),
        treatment=pair("紧急手术修补", "urgent surgical repair"), advice=pair("一旦怀疑，立即呼叫救护车。", "Call an ambulance at once if you suspect it."),
        red_flag=pair("突然意识丧失", "sudden loss of consciousness")),
    condition(
        "bruxism", "dental", pair("磨牙症", "bruxism"), pair("睡眠中不自主磨牙的习惯。", "A habit of grinding the teeth during sleep."),
        [pair("晨起咀嚼肌酸痛", "sore chewing muscles in the morning"), pair("牙面磨损", "worn teeth"), pair("颞部胀痛", "ache at the temples")],
        cause=pair("精神紧张", "mental tension"), test=pair("咬合面检视", "inspection of the biting surfaces"), treatment=pair("夜间佩戴咬合垫", "night guard"),
        advice=pair("睡前放松，少喝浓茶。", "Relax before sleep and cut down on strong tea."), red_flag=pair("张口困难", "unable to open the mouth or severe pain or fever")),
    condition(
        "dry_eye", "ophthalmology", pair("干眼", "dry eye"), pair("泪液不足或不稳定的眼病。", "An eye disorder in which tears are too few or unstable."),
        [pair("异物感", "gritty feeling"), pair("眼部干涩", "dryness"), pair("视物波动", "fluctuating vision")],
        cause=pair("泪膜不稳", "unstable tear film"), test=pair("泪膜破裂时间", "tear breakup time"), treatment=pair("人工泪液", "artificial tears"),
        advice=pair("看屏幕时多眨眼。", "Blink often in front of screens."), red_flag=pair("突发剧痛视力下降", "sudden severe pain with loss of sight")),
    condition(
        "insomnia", "psychiatry", pair("失眠障碍", "insomnia disorder"), pair("长期难以入睡或早醒的睡眠障碍。", "A sleep disorder with lasting trouble falling or staying asleep."),
        [pair("躺下后久久不能入睡", "lying awake for hours"), pair("白天疲倦", "daytime tiredness"), pair("易怒", "irritability")],
        cause=pair("过度觉醒", "hyperarousal"), test=pair("睡眠日记", "diary of nights"), treatment=pair("认知行为疗法", "cognitive behavioral therapy"),
        advice=pair("每天固定时间起床。", "Get up at the same time every day."), red_flag=pair("出现轻生念头", "thoughts of suicide")),
]
CONDITIONS.append(condition(
    "phimosis", "urology", pair("包茎", "phimosis"), pair("包皮口狭窄不能上翻。", "A foreskin opening too narrow to be drawn back."),
    [pair("排尿时包皮鼓起", "ballooning while passing urine"), pair("排尿细流", "thin stream"), pair("包皮红肿", "red foreskin")],
    cause=pair("先天狭窄", "narrow opening from birth"), test=pair("外科查体", "physical check"), treatment=pair("包皮环切术", "circumcision"),
    advice=pair("每天用清水清洗。", "Wash with plain water every day."), red_flag=pair("完全不能排尿", "unable to pass urine")))
DRUGS = [
    drug("amlodipine", pair("氨氯地平", "amlodipine"), **{"class": pair("钙通道阻滞剂", "calcium channel blocker")}, used_for=pair("降低血压", "lowering blood pressure"),
         side_effect=pair("脚踝浮肿", "ankle puffiness"), caution=pair("严重主动脉瓣病变慎用", "care in severe aortic valve disease"),
         how=pair("每天固定时间服用。", "Take it at the same time every day."), about=pair("一种放松血管的药。", "A medicine that relaxes blood vessels.")),
    drug("sertraline", pair("舍曲林", "sertraline"), **{"class": pair("血清素再摄取抑制剂", "serotonin reuptake inhibitor")}, used_for=pair("抑郁与焦虑", "depression and anxiety"),
         side_effect=pair("性功能减退", "reduced sexual function"), caution=pair("初期观察情绪", "watch mood in the first weeks"),
         how=pair("每天早晨服用。", "Take it every morning."), about=pair("一种抗抑郁药。", "An antidepressant that raises serotonin.")),
    drug("pilocarpine", pair("毛果芸香碱", "pilocarpine"), **{"class": pair("拟胆碱药", "cholinergic agent")}, used_for=pair("闭角型青光眼", "angle closure glaucoma"),
         side_effect=pair("瞳孔缩小", "small pupils"), caution=pair("夜间驾驶须小心", "driving at night"), how=pair("滴入下眼睑内。", "Drop it inside the lower lid."),
         about=pair("一种缩瞳眼药水。", "An eye drop that narrows the pupil.")),
    drug("oxybutynin", pair("奥昔布宁", "oxybutynin"), **{"class": pair("抗毒蕈碱药", "antimuscarinic")}, used_for=pair("尿急频", "urgent urination"),
         side_effect=pair("口腔干燥", "dry mouth"), caution=pair("高温时防中暑", "overheating in hot weather"), how=pair("整片吞服。", "Swallow it whole."),
         about=pair("一种让膀胱放松的药。", "A medicine that calms the bladder.")),
]
GENERAL = [
    {"id": "tea", "topic": pair("茶叶", "tea"), **pair("绿茶不经过发酵，红茶经过充分发酵，两者来自同一种植物。", "Green tea is not fermented and black tea is; both come from the same plant.")},
    {"id": "bridge", "topic": pair("拱桥", "arch bridges"), **pair("拱桥把重量传到两端的桥台，石头只受压力。", "An arch bridge carries its weight to the ends, so that its stones are only pressed.")},
    {"id": "tides", "topic": pair("潮汐", "tides"), **pair("潮汐主要由月球的引力造成，每天大约涨落两次。", "Tides are caused mainly by the pull of the moon and come about twice a day.")},
]
DIRT = [
    {"kind": "ad", **pair("限时特价，立即抢购！", "Limited offer, buy now!")}, {"kind": "ad", **pair("加微信领取优惠券。", "Add us and get a coupon.")},
    {"kind": "boilerplate", **pair("首页 > 栏目 > 正文", "Home > Section > Article")}, {"kind": "boilerplate", **pair("版权所有，未经许可不得转载。", "All rights reserved.")},
    {"kind": "unsafe", **pair("这群人都该被赶走。", "These people should all be driven away.")},
    {"kind": "garbled", **pair("的的了了�是在在%％@@", "teh qx## zzkl @@ vv%% lorp")},
]
FILES = {"departments": DEPARTMENTS, "conditions_a": CONDITIONS, "drugs": DRUGS, "general": GENERAL, "dirt": DIRT}


def write(folder: Path, **changed: list[dict]) -> Path:
    """The sample as facts files in `folder`, some of them `changed`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in {**FILES, **changed}.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return folder
