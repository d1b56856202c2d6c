"""Numbers and addresses on the network that belong to a person, by form and check digit or by the label before them.

Left alone: hotlines, trial, registry and approval numbers, DOIs, ISBNs and codes: none of them follows such a label or passes such a check.
"""

import re

from aquilamed.hygiene.check_digits import is_card_number, is_hong_kong_id, is_nhs_number, is_resident_id, is_vin
from aquilamed.hygiene.rule import NOT_IN_WORD, Rule, n_digits, rule

_TO = r"[ \t]*(?:[:=#-]|为|為|是|is\b)?[ \t]*[:#]?[ \t]*"
"""Between a label and its value."""
_NO = r"[ \t]*(?:\(?(?:number|num|no|nr|id|#)\.?\)?[ \t]*)"
_CODE = r"((?:[A-Z]{1,5}[-_]?)?\d[\dA-Z]*(?:-[\dA-Z]+){0,3})"
_HOTLINE = re.compile(r"(?:\+?86)?[- ]?(?:400|800|95\d)|(?:\+?1[ .-]?)?\(?(?:8(?:00|33|44|55|66|77|88)|900)\)?[ .-]|0800|0808")
_HAN_NO = r"(?:证|證|卡|册|冊)?(?:件)?(?:号码|號碼|编号|編號|序号|序號|号|號)"


def _labelled(kind: str, zh: str, en: str, *, least: int, value: str = _CODE, scope: str = "any") -> tuple[Rule, ...]:
    """Rules for a number with at least `least` digits after a Chinese label or an English one."""
    def long_enough(text: str) -> bool:
        return n_digits(text) >= least
    return tuple(rule(kind, rf"(?:{label}){_TO}\(?{value}", before=before, after=r"(?![0-9A-Za-z])", holds=long_enough, scope=scope, han=not before)
                 for label, before in ((zh, ""), (en, NOT_IN_WORD)) if label)


def _is_phone(text: str) -> bool:
    return 7 <= n_digits(text) <= 15 and not _HOTLINE.match(text)


def _is_ip(text: str) -> bool:
    return all(int(part) <= 255 for part in text.split("."))


_RECORD_ZH = (rf"(?:病历|病歷|病案|住院|门诊|門診|急诊|急診|就诊|就診|标本|標本|样本|樣本|檢體|检体|建档|建檔|病理|检验|檢驗|检查|檢查|影像|患者|病人|病员|病員|病)(?:本|ID)?{_HAN_NO}"
              r"|ID[ \t]?(?:号|號)|(?:患者|病人|门诊|住院|就诊)ID")
_RECORD_EN = (rf"MRN{_NO}?|MR{_NO}|(?:medical|med\.?)[ \t]rec(?:ord|\.)?s?{_NO}|(?:patient|hospital|chart|unit|encounter|visit|accession|specimen|"
              rf"sample|record)(?: identification)?{_NO}")
_PHONE_ZH = r"电话|電話|手机|手機|联系(?:方式|号码|我)|聯繫方式|聯絡(?:方式|我)|致电|致電|热线|座机"
_PHONE_EN = r"tel(?:ephone)?\.?|phone|mobile|cell(?:phone)?|call(?:ed|back)?|(?:reached|contacted|contact(?:ed)? (?:me|her|him|us)) (?:on|at)|contact"
_DIGITS = r"(\+?\(?\d[\d ().-]{5,20}\d)"

RULES: tuple[Rule, ...] = (
    rule("resident_id", r"([1-9]\d{5}[ -]?(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[ -]?\d{3}[\dX])", before=NOT_IN_WORD,
         after=r"(?![0-9A-Za-z])", holds=is_resident_id),
    rule("resident_id", r"([A-Z]{1,2}\d{6}\([\dA]\))", before=NOT_IN_WORD, holds=is_hong_kong_id),
    rule("resident_id", rf"(?:身份证|身份證|身分證|统一证号|統一證號)(?:件)?(?:统一|統一)?(?:字號|号码|號碼|编号|編號|号|號)?{_TO}\(?([1-9]\d{{5}}[ -]?\d{{8,9}}[ -]?\d{{0,3}}[\dX]?|"
                        rf"[A-Z][12]\d{{8}})", after=r"(?![0-9A-Za-z])",
         holds=lambda text: n_digits(text) in (9, 15, 17, 18)),
    rule("bank_card", r"(?:卡号|卡號|账号|帳號|card)[^\d\n]{0,12}(\d(?:[ -]?\d){12,18})", after=r"(?!\d)", holds=is_card_number),
    rule("bank_card", r"([3-6]\d{3}[ -]\d{4}[ -]\d{4}[ -]\d{1,4}(?:[ -]\d{1,3})?)", before=r"(?<![\d-])", after=r"(?![\d-])",
         holds=lambda text: 15 <= n_digits(text) <= 19 and is_card_number(text)),
    rule("insurance_number", r"NHS(?: number| no\.?)?[^\d\n]{0,4}(\d{3}[ -]?\d{3}[ -]?\d{4})", after=r"(?!\d)", holds=is_nhs_number),
    *_labelled("insurance_number", rf"(?:医保|醫保|社保|健保|医疗保险|醫療保險|社会保障|社會保障|参保|保单|保單)(?:个人|电脑)?{_HAN_NO}",
               rf"(?:member|subscriber|beneficiary|policy|insurance(?: card| plan)?|health plan|medicare|medicaid)(?:[ \t]policy)?{_NO}", least=5),
    *_labelled("travel_document", r"(?:护照|護照|港澳通行证|往来港澳通行证|台湾通行证|臺灣通行證|通行证|台胞证|台胞證|回乡证|回鄉證|军官证|居留证)(?:号码|號碼|号|號)?", rf"passport{_NO}?", least=7,
               value=r"([A-Z]{0,2}\d{7,9})"),
    *_labelled("licence", rf"(?:驾驶|驾照|駕照|執照|执照|执业|资格)(?:证书?|證書?)?{_HAN_NO}", rf"(?:driver'?s?’?s?|medical|professional)[ \t]licen[cs]e{_NO}?|"
         rf"licen[cs]e{_NO}|DEA{_NO}|NPI{_NO}?|certificate{_NO}", least=5),
    *_labelled("record_number", _RECORD_ZH, _RECORD_EN, least=4),
    *_labelled("record_number", rf"(?:登记|登記|挂号|掛號|申请单|处方|条码|條碼|放射){_HAN_NO}", rf"(?:case|registration){_NO}", least=4, scope="record"),
    *_labelled("account", r"(?:账号|帐号|賬號|帳號|账户|帳戶)", rf"account{_NO}?", least=6, value=r"(\d[\d-]{5,20})"),
    rule("email", r"([A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,})", before=r"(?<![A-Za-z0-9._%+-])"),
    rule("fax", rf"(?:传真|傳真|fax)(?:号码|號碼)?{_NO}?{_TO}{_DIGITS}", after=r"(?!\d)", holds=_is_phone),
    rule("phone", r"((?:\+?(?:00)?86[- ]?)?1[3-9]\d(?:\d{8}|[- ]\d{4}[- ]\d{4}))", before=r"(?<![0-9A-Za-z.])", after=r"(?![0-9A-Za-z]|\.\d)"),
    rule("phone", r"(\(0\d{2,3}\) ?[2-9]\d{6,7}|0\d{2,3}-[2-9]\d{6,7}(?:-\d{1,6})?)", before=r"(?<![\d.-])", after=r"(?![\d-])"),
    rule("phone", r"(\(0\d\) ?\d{4}-\d{4}|0[2-8]-\d{4}-\d{4}|09\d{2}-\d{3}-\d{3})", before=r"(?<![\d.-])", after=r"(?![\d-])"),
    rule("phone", r"((?:\+1[ .-]?|1-)?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[-.])[2-9]\d{2}[-.]\d{4})", before=r"(?<![\d.(/-])", after=r"(?![\d-])",
         holds=_is_phone),
    rule("phone", r"(\+[1-9]\d{0,2}[ -]\(?\d{1,4}\)?(?:[ .-]?\d{3,4}){2,3})", before=r"(?<![\d.])", after=r"(?!\d)", holds=_is_phone),
    rule("phone", r"(07\d{3} \d{6})", before=r"(?<![\d.])", after=r"(?!\d)"),
    rule("phone", r"(0\d{2,4} \d{3,4} \d{3,4})", before=r"(?<![\d.])", after=r"(?! ?\d)", holds=_is_phone, scope="record"),
    rule("phone", rf"(?:{_PHONE_ZH})[\u4e00-\u9fff]{{0,6}}{_TO}{_DIGITS}", after=r"(?![\d.%])", holds=_is_phone),
    rule("phone", rf"(?:{_PHONE_EN}){_NO}?{_TO}{_DIGITS}", before=r"(?<![A-Za-z])", after=r"(?![\d%])", holds=_is_phone),
    rule("record_number", rf"[A-Z][a-z'’-]+ \(#?{_CODE}\)", scope="record", flags=0,
         holds=lambda text: n_digits(text) >= 5 and not re.match(r"(?:19|20)\d{2}-", text)),
    rule("record_number", rf"(?:accession|specimen|sample|chart|file|case|record|encounter)[ \t]*:[ \t]*{_CODE}", before=NOT_IN_WORD,
         after=r"(?![0-9A-Za-z])", scope="record", holds=lambda text: n_digits(text) >= 4),
    rule("ssn", r"(\d{3}-\d{2}-\d{4})", before=r"(?<![\d-])(?!000|666|9)", after=r"(?![\d-])",
         holds=lambda text: text[4:6] != "00" and text[7:] != "0000"),
    rule("ssn", rf"(?:SSN|social security){_NO}?{_TO}(\d{{3}}[ -]?\d{{2}}[ -]?\d{{4}})", after=r"(?![\d-])"),
    rule("chat_account", r"(?:微信|wechat|weixin|LINE[ \t]?ID|whatsapp|VX)(?:号|號|账号)?[ \t]*(?:[:=]|是|为|為|id)?[ \t]*([A-Z][\w-]{4,19}|\+?\d{5,14})",
         before=r"(?<![A-Za-z])",
         after=r"(?![\w@-])", holds=lambda text: n_digits(text) > 0 or "_" in text, flags=re.IGNORECASE | re.ASCII),
    rule("chat_account", r"(?:QQ)(?:号码?|號)?[ \t]*[:是]?[ \t]*(\d{5,12})", before=r"(?<![A-Za-z])", after=r"(?!\d)"),
    rule("vehicle", r"([京津沪滬渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][· -]?[A-HJ-NP-Z0-9]{5,6})", after=r"(?![0-9A-Za-z])",
         holds=lambda text: n_digits(text) >= 3, flags=0),
    rule("vehicle", rf"(?:车架号|車架號|VIN){_NO}?{_TO}([A-HJ-NPR-Z0-9]{{17}})", after=r"(?![0-9A-Za-z])"),
    rule("vehicle", r"(?:^|[^0-9A-Za-z])([A-HJ-NPR-Z0-9]{17})", end="[^0-9A-Za-z]|$", holds=is_vin, flags=0),
    rule("vehicle", rf"(?:licen[cs]e|number|registration) plate{_NO}?{_TO}([A-Z0-9]{{1,4}}[- ]?[A-Z0-9]{{2,4}})", after=r"(?![0-9A-Za-z])",
         holds=lambda text: n_digits(text) >= 2),
    *_labelled("device", r"(?:序列号|序列號|机身号|设备编?号|設備編號)", rf"serial{_NO}?|S/N|IMEI|UDI|device{_NO}", least=5, scope="record"),
    rule("device", r"((?:[0-9A-F]{2}[:-]){5}[0-9A-F]{2})", before=r"(?<![0-9A-Za-z:-])", after=r"(?![0-9A-Za-z:-])", scope="record"),
    rule("biometric", rf"(?:指纹|指紋|人脸|人臉|虹膜|声纹|fingerprint|face|iris|voiceprint|photo)(?:照片?|影像|编号|編號|号|图片|ID|[ \t]on[ \t]file)*{_NO}?{_TO}"
         r"((?:[A-Z0-9_/][A-Z0-9_:/.?=&%-]*)?\d[A-Z0-9_:/.?=&%-]{3,80}[A-Z0-9])", scope="record", holds=lambda text: n_digits(text) >= 4),
    rule("biometric", r"([A-Z0-9_/][A-Z0-9_:/.?=&%-]*\.(?:jpe?g|png|heic|bmp|tiff?|dcm))", before=r"(?<![0-9A-Za-z_/.?=&%-])", after=r"(?![0-9A-Za-z])",
         scope="record"),
    rule("url", r"((?:https?://|www\.)[^\s\u3000-\u303f\u4e00-\u9fff<>\"'()\[\],;]+[A-Z0-9/])", before=NOT_IN_WORD, scope="record"),
    rule("ip", r"(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})", before=r"(?<![\d.])", after=r"(?![\d.]\d|\d)", holds=_is_ip, scope="record"),
    rule("ip", r"((?:[0-9A-F]{1,4}:){2,7}(?::?[0-9A-F]{1,4}){1,6})", before=r"(?<![0-9A-Za-z:])", after=r"(?![0-9A-Za-z:])", scope="record",
         holds=lambda text: "::" in text or text.count(":") == 7),
    *_labelled("other_number", rf"(?:受试者|受試者|研究|腕带|腕帶|工作?|学|學|员工|會員|会员|客户|档案|编){_HAN_NO}|(?:编号|編號)", rf"(?:study|subject|employee|employer|student|"
         rf"badge|staff|wristband){_NO}", least=3, scope="record"),
    rule("other_number", rf"(?:[\u4e00-\u9fff]{{1,6}}(?:编号|編號|号码|號碼|号|號))[ \t]*:[ \t]*{_CODE}", before=r"(?<!文)(?<!批)(?<!刊)(?<!型)(?<!床)",
         after=r"(?![0-9A-Za-z])", holds=lambda text: n_digits(text) >= 4, scope="record"),
    rule("other_number", rf"(?:[A-Z][A-Za-z]+(?: [A-Za-z]+)?){_NO}[ \t]*:[ \t]*{_CODE}", before=NOT_IN_WORD + r"(?!ICD|CPT|NDC|LOINC|SNOMED|Page|"
         r"Version|Lot|Room|Bed|Grant|Trial|ISBN|PMID|Ward)",
         after=r"(?![0-9A-Za-z])", holds=lambda text: n_digits(text) >= 4, scope="record", flags=0),
    rule("phone", r"(0[1-9]\d{1,2} ?[2-9]\d{6,7}|[2-9]\d{2} [2-9]\d{2} \d{4})", before=r"(?<![\d.A-Za-z-])", after=r"(?![ -]?\d|\.\d)", holds=_is_phone,
         scope="record"),
)
