"""What a chart is full of and no one is known by: doses, laboratory values, codes, citations, eponyms, hotlines, hospitals.

Every sentence here is a hard negative for `hygiene.identifiers`.
"""

import numpy as np

from aquilamed.clinic.facts import Facts
from aquilamed.clinic.identifiers import digits
from aquilamed.clinic.phrasing import pick

HOSPITALS = {
    "zh": ("临江市第二人民医院", "江南医科大学附属第一医院", "云川省中医院", "清河妇幼保健院", "白塔区社区卫生服务中心"),
    "hant": ("臨江總醫院", "新港醫學中心", "仁愛紀念醫院"),
    "en": ("Riverside General Hospital", "St. Brigid's Medical Center", "Lakewood Community Clinic", "Millbrook Infirmary", "Abbey Road Surgery"),
}
"""Organisations are not persons: their names stay. ours"""
_HANT_CONDITIONS = ("高血壓", "第二型糖尿病", "心房顫動", "慢性腎臟病", "氣喘", "肺炎", "腦中風", "膽結石", "痛風", "退化性關節炎")
_HANT_SYMPTOMS = ("胸悶", "頭暈", "發燒", "咳嗽", "腹痛", "下肢水腫", "呼吸急促", "心悸")
_HANT_DRUGS = ("二甲雙胍", "阿斯匹靈", "普拿疼", "賽浦洛", "脈優", "冠脂妥")
_LABS = {
    "zh": ("血常规：WBC {a}.{b}×10^9/L，Hb 1{c} g/L，PLT 2{c}×10^9/L。", "肌酐 {c} μmol/L，尿素氮 {a}.{b} mmol/L，血钾 3.{b} mmol/L，血钠 13{a}.{b} mmol/L。",
           "空腹血糖{a}.{b}mmol/L，糖化血红蛋白7.{a}%。",
           "BP 13{a}/8{b}mmHg，P {c}次/分，T 36.{a}℃，R 18次/分，SpO2 98%。", "ALT {c}U/L，AST {c}U/L，总胆红素1{a}.{b}umol/L。",
           "心电图：窦性心律，心率{c}次/分，PR间期0.1{a}s，QTc 4{c}ms。", "超声：左室射血分数5{a}%，左房内径3{b}mm，结节1.{a}cm×0.{b}cm。"),
    "hant": ("白血球 {a}.{b}×10^3/uL，血紅素 13.{a} g/dL，血小板 2{c}×10^3/uL。", "肌酸酐 1.{a} mg/dL，鉀 3.{b} mmol/L，鈉 13{a} mmol/L。",
             "血壓13{a}/8{b}mmHg，脈搏{c}次/分，體溫36.{a}℃。", "飯前血糖1{c} mg/dL，糖化血色素7.{a}%。"),
    "en": ("WBC {a}.{b}, Hgb 13.{a}, Hct 3{b}.{a}, Plt 2{c}.", "Na 13{a}, K 4.{b}, Cl 10{a}, BUN {c}, Cr 1.{a}, glucose 1{c}.",
           "BP 13{a}/8{b}, HR {c}, RR 16, T 98.{b} F, SpO2 9{a}% on 2 L.", "HbA1c 7.{a}%, LDL {c} mg/dL, TSH 2.{b} mIU/L.",
           "ECG: sinus rhythm at {c} bpm, PR 16{a} ms, QTc 4{c} ms.", "Echo: EF 5{a}-60%, LA 3{b} mm; strength 5/5, reflexes 2+.",
           "Troponin 0.0{a} ng/mL x 3, D-dimer 4{c} ng/mL, INR 1.{a}."),
}
_ORDERS = {
    "zh": ("{drug}{a}00mg 每日2次 口服，疗程{a}-{b}天。", "{drug}0.{b}g×7天，q12h，静滴。", "{drug} 5mg qd po，{a}周后复查。", "生理盐水250ml+{drug}{a}g ivgtt bid。",
           "5%葡萄糖500ml静滴，40滴/分；{drug}1片 tid。"),
    "hant": ("{drug} {a}00mg 每日兩次，飯後服用，共{b}天。", "{drug} 5mg QD，{a}週後回診。"),
    "en": ("{drug} {a}00 mg PO BID for {b} days.", "Start {drug} 0.{b} mg daily, 30 tablets, 2 refills.", "{drug} 40 mg q12h x 7 days, then 20 mg.",
           "IV {drug} {a} g over 30 min; NS at 125 mL/hr.", "Continue {drug} 12.5-25 mg nightly."),
}
_CODES = {
    "zh": ("诊断编码：{cond}（ICD-10：{icd}）。", "ICD-11编码 {icd11}，手术编码 ICD-9-CM-3 38.93。", "药品批准文号：国药准字H2{d7}。", "本例符合注册试验（ChiCTR2{d9}，NCT0{d7}）的排除标准。",
           "如有不适请拨打120或医院热线400-{d3}-1{d3}，12320咨询。"),
    "hant": ("診斷碼：{cond}（ICD-10：{icd}）。", "衛署藥製字第0{d5}號。", "緊急狀況請撥119，防疫專線1922。"),
    "en": ("Diagnosis code: {cond}, ICD-10 {icd}.", "ICD-11 {icd11}; SNOMED CT 3{d7}; LOINC {d4}-8.", "Not eligible for NCT0{d7}.",
           "CPT 99214, modifier 25; NDC 0{d4}-0{d3}-01.", "In a crisis call 988, 911 or 1-800-273-8255."),
}
_CITED = {
    "zh": ("参考《中国{cond}防治指南（{y}年版）》，中华医学杂志，{y}，98({a}): 2{c}-2{c}1。", "依据{y}年{a}月发布的指南第{a}版，P{c}。",
           "文献：Lancet {y};39{a}(10{c}):123-131. doi:10.1016/S0140-6736({b}{a})3{c}4-{a}，PMID: 3{d7}。"),
    "hant": ("依據{y}年{cond}治療指引第{a}版，頁{c}。", "文獻：PMID 3{d7}，doi:10.1056/NEJMoa{y}{d3}。"),
    "en": ("Per the {y} {cond} guideline (published March {y}, page {c}).", "See N Engl J Med {y};38{a}:1{c}-9, doi:10.1056/NEJMoa{d7}, PMID 3{d7}.",
           "Handout: 3rd edition, {y}, ISBN 978-0-{d3}-{d5}-{a}, pp. {c}-{c}5."),
}
_EPONYMS = {
    "zh": ("家族中无帕金森病、克罗恩病史；墨菲征阴性，巴宾斯基征未引出。", "既往曾服王氏连朴饮、张仲景肾气丸，效果欠佳。", "否认马凡综合征、白塞病、高安病；麦氏点无压痛。", "舌红苔黄腻，予白芍、黄芪、何首乌、马钱子另煎，忌鱼腥。",
           "Apgar评分9分，Glasgow昏迷评分15分，霍夫曼征阴性。"),
    "hant": ("無帕金森氏症或克隆氏症家族史，墨菲氏徵候陰性。", "巴賓斯基反射陰性，何杰金氏淋巴瘤已排除。", "曾服黃連解毒湯、白虎湯，效果不佳。"),
    "en": ("No Parkinson's disease, Crohn's disease or Graves disease; Murphy sign negative.",
           "Babinski absent, Romberg negative, Glasgow Coma Scale 15, Apgar 9.",
           "No Hodgkin lymphoma or Marfan syndrome; no McBurney tenderness; Foley catheter removed.",
           "Hashimoto thyroiditis, stable. Wells score 1, Ranson criteria not met."),
}
_ICD = ("I10.x00", "E11.900", "J18.9", "K80.20", "N18.3", "M10.9", "I48.91", "C34.1", "S72.001A")


def sentence(part: str, script: str, facts: Facts, rng: np.random.Generator) -> str:
    """A sentence of one `part`: labs, orders, codes, cited or eponym."""
    frame = pick(rng, {"labs": _LABS, "orders": _ORDERS, "codes": _CODES, "cited": _CITED, "eponym": _EPONYMS}[part][script])
    figures = {f"d{n}": digits(rng, n) for n in (3, 4, 5, 7, 9)}
    return frame.format(a=int(rng.integers(1, 10)), b=int(rng.integers(1, 10)), c=int(rng.integers(10, 99)), y=int(rng.integers(2012, 2026)),
                        icd=pick(rng, _ICD),
                        icd11=pick(rng, ("BA00.Z", "5A11", "CA40.0Z", "GB61.3")), cond=condition(script, facts, rng), drug=drug(script, facts, rng),
                        **figures)


def condition(script: str, facts: Facts, rng: np.random.Generator) -> str:
    return pick(rng, _HANT_CONDITIONS) if script == "hant" else pick(rng, facts.conditions)[script]


def symptom(script: str, facts: Facts, rng: np.random.Generator) -> str:
    return pick(rng, _HANT_SYMPTOMS) if script == "hant" else pick(rng, pick(rng, facts.conditions)["symptoms"])[script]


def drug(script: str, facts: Facts, rng: np.random.Generator) -> str:
    return pick(rng, _HANT_DRUGS) if script == "hant" else pick(rng, facts.drugs)[script]


def told(script: str, facts: Facts, rng: np.random.Generator) -> str:
    """What a condition is and what to do about it, in the clinic's own words; empty in traditional script."""
    found = pick(rng, facts.conditions)
    return "" if script == "hant" else found["advice"][script]
