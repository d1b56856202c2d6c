"""Every kind by hand in both languages, its boundaries and check digits, and recall and precision on the clinic's notes."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aquilamed.clinic import facts, notes, scoring
from aquilamed.core import tables
from aquilamed.core.errors import ConfigError
from aquilamed.engine.local import Local
from aquilamed.hygiene import check_digits, identifiers, screen

ANYWHERE = [
    ("患者张三，男，45岁", "name", "张三"), ("病人仉督，女，", "name", "仉督"), ("姓名：阿依古丽·买买提 性别：女", "name", "阿依古丽·买买提"), ("患者John Smith，", "name", "John Smith"),
    ("Patient: John Q. Smith was seen", "name", "John Q. Smith"), ("Patient name: O'BRIEN, SIOBHAN", "name", "O'BRIEN, SIOBHAN"),
    ("电话１３８１２３４５６７８，", "phone", "１３８１２３４５６７８"), ("+86-139-1234-5678", "phone", "+86-139-1234-5678"), ("座机(0571)85551234", "phone", "(0571)85551234"),
    ("手機0912-345-678", "phone", "0912-345-678"),
    ("ring 07700 900123 today", "phone", "07700 900123"), ("Tel: +852 5550 0123", "phone", "+852 5550 0123"),
    ("cell 617 555 0123.", "phone", "617 555 0123"),
    ("传真：0755-55591234", "fax", "0755-55591234"), ("Fax (212) 555-0123", "fax", "(212) 555-0123"),
    ("联系zhang_3@example.com.cn。", "email", "zhang_3@example.com.cn"),
    ("身份证号：110105 19491231 002X", "resident_id", "110105 19491231 002X"), ("原身份证：110105491231002", "resident_id", "110105491231002"),
    ("A123456(3)", "resident_id", "A123456(3)"),
    ("身分證字號A123456789", "resident_id", "A123456789"), ("护照号E12345678", "travel_document", "E12345678"),
    ("往来港澳通行证号码：C12345678", "travel_document", "C12345678"),
    ("Passport No: 123456789", "travel_document", "123456789"), ("SSN: 987-65-4321", "ssn", "987-65-4321"), ("病历号：00123456", "record_number", "00123456"),
    ("標本號BL12345678", "record_number", "BL12345678"),
    ("MRN# MR-12345", "record_number", "MR-12345"), ("Accession No: S12-34567", "record_number", "S12-34567"),
    ("医保卡号：YB123456789", "insurance_number", "YB123456789"),
    ("Member ID XQA123456789", "insurance_number", "XQA123456789"), ("NHS number 943 476 5919", "insurance_number", "943 476 5919"),
    ("开户账号：62001234", "account", "62001234"), ("Account #: 12345678", "account", "12345678"),
    ("银行卡号：4539 1488 0343 6467", "bank_card", "4539 1488 0343 6467"), ("驾驶证号：110105194912", "licence", "110105194912"),
    ("Driver's license: D1234567", "licence", "D1234567"),
    ("车牌号：京A·D12345", "vehicle", "京A·D12345"), ("license plate ABC-1234", "vehicle", "ABC-1234"),
    ("VIN: 1M8GDM9AXKP042788", "vehicle", "1M8GDM9AXKP042788"), ("微信号：wxid_123456", "chat_account", "wxid_123456"),
    ("QQ 123456789，", "chat_account", "123456789"), ("WeChat: lily_1234", "chat_account", "lily_1234"),
    ("家庭住址：江南省临江市东湖区望江路88号", "address", "江南省临江市东湖区望江路88号"),
]
ZH, EN = "姓名：张三　性别：男　住院号：ZY12345\n", "Patient: John Smith, MRN: 1234567\n"
"""Heads of records, in which dates, ages, places and devices are personal too."""
IN_RECORDS = [
    (ZH + "入院日期：2024-03-05", "date", "2024-03-05"), (ZH + "２０２４年３月５日手术", "date", "２０２４年３月５日"), (ZH + "二〇二四年三月五日出院", "date", "二〇二四年三月五日"),
    (ZH + "民國113年3月5日", "date", "民國113年3月5日"),
    (ZH + "3月5日发热", "date", "3月5日"), (EN + "seen on March 5, 2024.", "date", "March 5, 2024"), (EN + "DOB 05-MAR-1960", "date", "05-MAR-1960"),
    (EN + "since 3/5/24,", "date", "3/5/24"), (EN + "born the 5th of March", "date", "5th of March"),
    (ZH + "年龄90岁", "age", "90岁"), (ZH + "其母九十三岁", "age", "九十三岁"), (EN + "a 95-year-old man", "age", "95-year-old"),
    (ZH + "现住临江市东湖区中山东路12号3幢201室，", "address", "临江市东湖区中山东路12号3幢201室"),
    (ZH + "籍贯：平远县柳溪乡", "address", "平远县柳溪乡"), (EN + "lives at 42 Wexford Lane, Apt 3B, Millbrook, OH 44001.", "address",
                                              "42 Wexford Lane, Apt 3B, Millbrook, OH 44001"),
    (EN + "from Millbrook, Ohio.", "address", "Millbrook, Ohio"),
    (ZH + "邮编：310000", "postcode", "310000"), (EN + "ZIP code: 44001-1234", "postcode", "44001-1234"), (ZH + "起搏器序列号：PJK123456H", "device", "PJK123456H"),
    (EN + "monitor 00:00:5E:00:53:AF", "device", "00:00:5E:00:53:AF"),
    (ZH + "报告见https://example.org/r/1。", "url", "https://example.org/r/1"), (EN + "from 192.0.2.17,", "ip", "192.0.2.17"),
    (EN + "host 2001:db8::17 ", "ip", "2001:db8::17"), (ZH + "人脸照片：face_1234.jpg", "biometric", "face_1234.jpg"),
    (EN + "Fingerprint ID: FP-12345678.", "biometric", "FP-12345678"), (ZH + "腕带编号：P12345", "other_number", "P12345"),
    (EN + "Study ID: SUBJ-1234", "other_number", "SUBJ-1234"),
    (ZH + "主治医师：欧阳修　", "name", "欧阳修"), (ZH + "请王建国主任会诊", "name", "王建国"), (EN + "Attending: Dr. Wei Zhang", "name", "Wei Zhang"),
    (EN + "daughter Maria came", "name", "Maria"), (EN + "signed by Ann Lee, RN", "name", "Ann Lee"),
]
SURVIVES = [
    "阿莫西林500mg tid×7天，BP 138/92mmHg，T 36.5℃，血钾3.5mmol/L", "ICD-10：I10.x00，ICD-11 BA00.Z，SNOMED CT 38341003，LOINC 2345-7",
    "ChiCTR1800013812，NCT01234567，PMID: 31234567，doi:10.1016/S0140-6736(20)30183-5",
    "ISBN 978-7-117-12345-6，ISSN 0140-6736，国药准字H20123456", "拨打120或400-820-1234，95588，12320", "第12页，1998-2004年，见2019年3月发布的指南",
    "帕金森病、克罗恩病、王氏连朴饮、黄芪、何首乌、高血压患者",
    "Parkinson's disease, Crohn's disease, Babinski sign, Dr. Parkinson described it in 1817", "call 1-800-273-8255, 988 or 911",
    "The study ran from March 5, 2019 to May 2020 at https://example.org (192.0.2.1)",
    "地址：北京市海淀区学院路38号", "He lives at 42 Wexford Lane, Millbrook, OH 44001", "patients aged 95 and over; 90岁以上老人", "公元1911年10月10日", "张某，男；李××，女；患者王女士，患者小明",
    "CPT 99214, NDC 0002-8215-01, modifier 25", "序列号12345678的设备", "WBC 12.5, Hgb 13.2, Plt 250, Na 138, strength 5/5",
]
NEAR_MISSES = ["110105194912310021", "4539148803436468 4539", "1M8GDM9A1KP042788", "A123456(4)", "23812345678", "138123456789", "user@host", "000-12-3456",
               "NHS number 943 476 5918", "川A型", "微信公众号：abc123", "PT 12.5s", "ID"]
"""One digit wrong, one too many, or no label."""


@pytest.mark.parametrize(("text", "kind", "value"), ANYWHERE + IN_RECORDS)
def test_each_kind_is_found_whole(text, kind, value):
    found = [(text[item.start:item.end], item.kind) for item in identifiers.find(text)]
    assert (value, kind) in found
    assert identifiers.kinds_of(pa.array([text])).to_pylist() == [",".join(sorted({kind for _, kind in found}))]


@pytest.mark.parametrize("text", SURVIVES + NEAR_MISSES)
def test_what_is_no_persons_survives(text):
    assert identifiers.find(text) == [] and identifiers.kinds_of(pa.array([text])).to_pylist() == [None]


@pytest.mark.parametrize("text", SURVIVES[:10])
def test_it_survives_inside_a_record_too(text):
    if "2019" not in text and "Dr. Parkinson" not in text:
        assert [item.kind for item in identifiers.find(ZH + text + "\n")] == ["name", "record_number"]


def test_a_citation_keeps_its_date_in_a_record():
    kept = "依据2017年3月发布的指南；published March 2012, page 4"
    assert [item.kind for item in identifiers.find(ZH + kept)] == ["name", "record_number"]


def test_context_decides_and_reaches_only_so_far():
    text = "2024-03-05\n" + "教" * 2500 + "\n" + ZH + "2024-03-06"
    dates = [text[item.start:item.end] for item in identifiers.find(text) if item.kind == "date"]
    assert dates == ["2024-03-06"]
    assert [item.kind for item in identifiers.find("2024-03-05", is_record=True)] == ["date"]


def test_check_digits_by_hand():
    # Hong Kong: 9*36 + 8*10 + 7*1 + 6*2 + 5*3 + 4*4 + 3*5 + 2*6 = 481 = 43 * 11 + 8, so the digit is 3
    assert [d for d in "0123456789A" if check_digits.is_hong_kong_id(f"A123456({d})")] == ["3"]
    # ISO 3779's usual example: the sum is 351 = 31 * 11 + 10
    assert check_digits.is_vin("1M8GDM9AXKP042788") and not check_digits.is_vin("1M8GDM9A0KP042788")


def test_a_mask_changes_nothing_else_and_is_the_same_through_a_record():
    words = [ZH + "张三于2024年3月5日入院，血糖7.8mmol/L，阿司匹林100mg qd。", "张三，您好，2024年3月5日的报告在 https://example.org/r 。"]
    masked, counted = identifiers.mask(words, "zh")
    assert masked == ["姓名：[姓名1]　性别：男　住院号：[病历号1]\n[姓名1]于[日期1]入院，血糖7.8mmol/L，阿司匹林100mg qd。", "[姓名1]，您好，[日期1]的报告在 [网址1] 。"]
    assert counted == {"name": 3, "record_number": 1, "date": 2, "url": 1}
    masked, _ = identifiers.mask(["Patient: John Smith, MRN: 1234567. Mr. Smith came on March 5, 2024."], "en")
    assert masked == ["Patient: [NAME_1], MRN: [RECORD_NUMBER_1]. Mr. [NAME_1] came on [DATE_1]."]
    assert identifiers.mask(["Patient: John Smith, MRN: 1234567. Mr. Smith and Dr. Ann Lee."], "en")[0][0].endswith("Mr. [NAME_1] and Dr. [NAME_2].")


def test_kinds_that_are_not_asked_for_stay():
    text = ZH + "电话13812345678"
    assert identifiers.mask([text], "zh", ("phone",))[0] == [ZH + "电话[电话1]"]
    assert identifiers.kinds_of(pa.array([text, None]), ("phone", "email")).to_pylist() == ["phone", None]
    with pytest.raises(ConfigError, match="'phones' is no kind of identifier; did you mean 'phone'"):
        screen.Config(kinds=("phones",))


@pytest.fixture(scope="module")
def made():
    return notes.generate(notes.Config(n_notes=150, seed=11), facts.load())


@pytest.mark.parametrize("lang", ["zh", "en", "mixed"])
def test_recall_and_precision_on_the_notes(made, lang):
    pairs = [(note["spans"], identifiers.find(note["text"])) for note in made if note["lang"] == lang]
    score = scoring.total(scoring.by_kind(pairs))
    assert score.recall >= 0.98 and score.precision >= 0.95, score


def test_held_out_forms_are_read_as_well(made):
    pairs = [(note["spans"], identifiers.find(note["text"])) for note in made if note["split"] == "heldout"]
    score = scoring.total(scoring.by_kind(pairs))
    assert len(pairs) > 40 and score.recall >= 0.98 and score.precision >= 0.95, score


def test_the_gate_leaves_out_nothing(made):
    texts = [note["text"] for note in made] + [text for text, *_ in ANYWHERE + IN_RECORDS]
    found = [",".join(sorted({item.kind for item in identifiers.find(text)})) or None for text in texts]
    assert identifiers.kinds_of(pa.array(texts)).to_pylist() == found


def test_a_hospitals_own_notes_are_records_without_looking_like_one(tmp_path):
    rows = [{"text": "3月5日体温正常，停用抗生素，继续观察；复查时间另行通知，家属已知情并表示理解和配合治疗方案。", "source": "ward", "license": "CC0-1.0"}]
    tables.scatter(tmp_path / "in", "documents", tables.from_rows("documents", rows))
    texts = {}
    for which in ("found", "all"):
        screen.run(screen.Config(identifiers="mask", records=which), {"documents": tmp_path / "in"}, tmp_path / which, Local(1))
        texts[which] = next(tables.rows(tmp_path / which, "documents"))["text"]
    assert texts["found"] == rows[0]["text"] and texts["all"] == rows[0]["text"].replace("3月5日", "[日期1]")


def test_no_value_reaches_a_file_that_is_kept(made, tmp_path):
    rows = [{"text": note["text"], "source": "notes", "license": "CC0-1.0"} for note in made[:40]]
    tables.scatter(tmp_path / "in", "documents", tables.from_rows("documents", rows))
    counts = screen.run(screen.Config(unsafe="report"), {"documents": tmp_path / "in"}, tmp_path / "drop", Local(1))
    assert counts.dropped == {"identifier": 40}
    details = set(",".join(tables.read(tmp_path / "drop" / "dropped", "documents")["detail"].to_pylist()).split(","))
    assert details <= set(identifiers.KINDS)
    masked = screen.run(screen.Config(unsafe="report", identifiers="mask"), {"documents": tmp_path / "in"}, tmp_path / "mask", Local(1))
    assert set(masked.notes) <= {f"identifiers_{kind}" for kind in identifiers.KINDS} and "张" not in json.dumps(masked.notes)
    table = pq.read_table(tmp_path / "mask" / "documents")
    assert all(dict(meta)["identifiers"] for meta in table["meta"].to_pylist())
