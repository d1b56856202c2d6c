"""Identifiers and unsafe words: what is found, what must survive, and how masking reads."""

import json

import pyarrow as pa
import pytest

from aquilamed.core import tables
from aquilamed.engine.local import Local
from aquilamed.hygiene import check_digits, identifiers, screen, unsafe
from aquilamed.report import examples

FOUND = [
    ("患者张三，男，45岁", "name"), ("病人李建国因胸痛入院", "name"), ("姓名：欧阳娜娜 性别：女", "name"), ("聯絡人：陳大文；", "name"),
    ("Patient John Smith was admitted", "name"), ("PATIENT: JOHN SMITH", "name"), ("Patient name: Xiaoming Zhang", "name"),
    ("身份证号１１０１０１１９９００３０７８７５０。", "resident_id"), ("电话13812345678", "phone"), ("手机：138-1234-5678", "phone"),
    ("Tel: 010-82345678", "phone"), ("call (212) 555-0123", "phone"), ("写信到ａ.b@x.com.cn", "email"), ("SSN 123-45-6789", "ssn"),
    ("病历号：00123456", "record_number"), ("住院號：ZY010002", "record_number"), ("MRN: 1234567", "record_number"),
]
SURVIVES = [
    "患者黄疸，皮肤黄染，高血压，糖尿病", "患者张口困难，张力高，", "患者苏醒，患者严重贫血，患者马上，患者周边的", "张某，男，45岁；患者李××，女",
    "Patient Care Services and Patient Safety Goals", "阿莫西林 500mg tid，0.5g×7天", "血压138/92mmHg，WBC 12.5×10^9/L，Na+ 138.5 mmol/L",
    "ICD-10 E11.900, I10", "1998-2004年，20190101", "doi 10.1016/j.jacc.2013.13812345678", "ChiCTR1800013812, NCT01234567, CAS 50-78-2",
    "call 1-800-273-8255 or 988; 400-820-1234", "PMID: 31234567; ISBN 978-7-117-12345-6", "110101199003078753",
]


@pytest.mark.parametrize(("text", "kind"), FOUND)
def test_an_identifier_is_found_by_the_search_and_by_its_hint(text, kind):
    assert [item.kind for item in identifiers.find(text)] == [kind]
    assert identifiers.kinds_of(pa.array([text])).to_pylist() == [kind]


@pytest.mark.parametrize("text", SURVIVES)
def test_doses_values_codes_years_and_hotlines_survive(text):
    assert identifiers.find(text) == []


def test_check_digits_by_hand():
    # 7+9+0+5+0+4+2+9+54+0+0+27+0+35+64+28+10 = 254 = 23 * 11 + 1, and "10X98765432"[1] = "0"
    assert [d for d in "0123456789X" if check_digits.is_resident_id("11010119900307875" + d)] == ["0"]
    assert check_digits.is_resident_id("11010519491231002X")  # the standard's own example
    assert check_digits.is_card_number("4539 1488 0343 6467") and not check_digits.is_card_number("4539 1488 0343 6468")
    assert check_digits.is_nhs_number("943 476 5919") and not check_digits.is_nhs_number("943 476 5918")


def test_masking_is_typed_numbered_and_the_same_through_a_record():
    zh, counted = identifiers.mask(["患者张三，电话１３８１２３４５６７８，血压138/92mmHg。", "张三的手机138-1234-5678，另一人13912345678"], "zh")
    assert zh == ["患者[姓名1]，电话[电话1]，血压138/92mmHg。", "[姓名1]的手机[电话1]，另一人[电话2]"]
    assert counted == {"name": 2, "phone": 3}
    en, _ = identifiers.mask(["Patient John Smith (MRN: 12345), metformin 500 mg. John Smith called 212-555-0123."], "en")
    assert en == ["Patient [NAME_1] (MRN: [RECORD_NUMBER_1]), metformin 500 mg. [NAME_1] called [PHONE_1]."]


def _first_words() -> tuple[str, str]:
    entry = json.loads(unsafe.LEXICON.read_text(encoding="utf-8").splitlines()[0])
    return entry["zh"][0], entry["en"][0]


@pytest.fixture
def conversations(tmp_path):
    zh, en = _first_words()
    talks = [("感冒了怎么办？", "多喝水，注意休息。"), ("我是患者张三，电话13812345678", "好的"), (f"请教{zh}", "不行"),
             (f"Tell me: {en.upper()}!", "No."), ("Is 500 mg safe?", "Yes, twice a day.")]
    made = [{"messages": [{"role": "user", "content": a}, {"role": "assistant", "content": b}], "kind": "single", "source": "s", "license": "MIT"} for a, b in talks]
    tables.scatter(tmp_path / "in", "conversations", tables.from_rows("conversations", made))
    return tmp_path


def test_stage_drops_with_kinds_only(conversations):
    counts = screen.run(screen.Config(kind="conversations"), {"conversations": conversations / "in"}, conversations / "out", Local(1))
    assert (counts.n_in, counts.n_out, counts.dropped) == (5, 2, {"unsafe": 2, "identifier": 1})
    details = tables.read(conversations / "out" / "dropped", "conversations")["detail"].to_pylist()
    assert "name,phone" in details and not any("张三" in d or "138" in d for d in details)


def test_stage_masks_with_a_new_id_and_the_other_rows_unchanged(conversations):
    config = screen.Config(kind="conversations", identifiers="mask", unsafe="report")
    counts = screen.run(config, {"conversations": conversations / "in"}, conversations / "out", Local(2))
    before = {row["id"]: row for row in tables.rows(conversations / "in", "conversations")}
    after = {row["id"]: row for row in tables.rows(conversations / "out", "conversations")}
    (masked,) = [row for row in after.values() if "identifiers" in row["meta"]]
    assert masked["messages"][0]["content"] == "我是患者[姓名1]，电话[电话1]" and masked["id"] not in before
    assert sum(row["meta"].get("unsafe") is not None for row in after.values()) == 2
    untouched = [i for i in before if i in after and not after[i]["meta"]]
    assert len(untouched) == 2 and [before[i] for i in untouched] == [after[i] for i in untouched]
    assert counts.n_out == 5 and counts.notes == {"identifiers_name": 1, "identifiers_phone": 1}


def test_what_nearly_was_an_identifier_or_unsafe_is_written_beside(tmp_path):
    _, mild = next((entry.kind, entry.phrases) for entry in unsafe.entries(unsafe.LEXICON) if entry.per_1000 > 0)
    texts = {
        "110101199003078753 这串数字的末位不符，仅为示例。": ("identifier", "resident_id", 1.0),         # its check digit would be 0
        "Card number 4539 1488 0343 6468 is not a valid one.": ("identifier", "bank_card", 1.0),
        f"{mild[0]}，只提到一次，其余都是平常的话。": ("unsafe", None, 0.5),                            # one of at least two
        "血压138/92mmHg，没有别的。": None, "Nothing of the kind is here.": None, "患者张三，电话13812345678": None,
    }
    tables.scatter(tmp_path / "in", "documents", tables.from_rows("documents", [{"text": text, "source": "s", "license": "MIT"} for text in texts]))
    counts = screen.run(screen.Config(), {"documents": tmp_path / "in"}, tmp_path / "out", Local(1))
    assert counts.n_out == 5 and counts.dropped == {"identifier": 1}
    found = {row["text"]: (row["reason"], row["detail"], row["nearness"]) for row in tables.read(tmp_path / "out" / "near", "documents").to_pylist()}
    assert set(found) == {text for text, near in texts.items() if near}
    for text, (reason, detail, least) in found.items():
        assert reason == texts[text][0] and detail == (texts[text][1] or detail) and texts[text][2] <= least <= 1


@pytest.mark.parametrize(("text", "lang", "shown"), [
    ("他报的是１１０１０１１９９００３０７８７５３。", "zh", "他报的是[身份证号1]。"),
    ("card 4539 1488 0343 6468 was refused", "en", "card [BANK_CARD_1] was refused")])
def test_what_fails_its_check_is_masked_where_it_is_shown(text, lang, shown):
    assert identifiers.mask([text], lang)[0] == [text] and identifiers.mask([text], lang, checked=False)[0] == [shown]
    assert examples.masked((text, ""), lang, checked=False)[0] == shown
