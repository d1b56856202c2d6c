"""Where a person lives, in a patient's record: anything smaller than a province or a state, and postcodes. HIPAA 164.514(b)(2)(i)(B)

Hospitals and other organisations keep their names and, outside a record, every address stays.
"""

from aquilamed.hygiene.rule import HAN, Rule, n_digits, rule

_H = r"[\u4e00-\u9fff]"
_REGION = rf"{_H}{{1,6}}?(?:自治区|自治州|街道|新区|省|市|区|區|县|縣|旗|镇|鎮|乡|鄉|村)"
_ROAD = rf"{_H}{{1,8}}?(?:大道|大街|胡同|新村|小区|社区|花园|公寓|路|街|巷|弄|道|里|屯|庄|段)"
_HOUSE = r"(?:[A-Z]?\d{1,5}(?:-\d{1,4})?(?:号楼|单元|号|號|幢|栋|棟|座|室|楼|樓|层|层|弄|组|队|巷)?(?:之\d{1,2})?[A-Z]?(?:室)?){1,4}"
_WHOLE = rf"(?:{_REGION}){{1,4}}(?:{_ROAD}){{0,2}}(?:{_HOUSE})?"
_LABEL = r"(?:家庭|户籍|戶籍|户口|居住|通讯|通訊|联系|聯絡|身份证|现|現|住院)?(?:住址|地址)|籍贯|籍貫|出生地|现住|住所|住处|(?:现|常)?居住?地|(?:户籍|户口)所?在?地?|老家|家住?址"
_LIVES = r"家住|现居|居住[于在]|住[于在]|家在|住|来自|來自"
_STREET_TYPE = (r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Court|Ct|Boulevard|Blvd|Way|Terrace|Place|Pl|Square|Sq|Crescent|Close|Highway|"
                r"Hwy|Parkway|Pkwy|Circle|Trail)")
_CAPS = r"(?:St\.? )?[A-Z][A-Za-z'’-]+(?: [A-Z][A-Za-z'’-]+){0,2}"
_STATE = r"(?:[A-Z]{2}|[A-Z][a-z]+(?: [A-Z][a-z]+)?)"

RULES: tuple[Rule, ...] = (
    rule("address", rf"(?:家庭住址|家庭地址|现住址|現住址|户籍地址)[:为是 \t]{{0,3}}({_WHOLE})", flags=0),
    rule("address", rf"(?:{_LABEL})[:为是在 \t]{{0,3}}({_WHOLE})", scope="record", flags=0),
    rule("address", rf"(?:{_LIVES})[: ]?({_WHOLE})", scope="record", flags=0),
    rule("address", rf"((?:{_REGION}){{1,4}}(?:{_ROAD}){{1,2}}{_HOUSE})", before=rf"(?<!{HAN})(?!现?住|家[住在]|居住|来自|籍贯|地址)", scope="record", flags=0),
    rule("address", rf"(\d{{1,5}} (?:{_CAPS} ){{1,2}}{_STREET_TYPE}\.?(?:,? ?(?:Apt|Unit|Suite|Ste|Flat|#)\.? ?[\w-]+)?(?:, {_CAPS}(?:, {_STATE}(?: "
                    rf"\d{{5}}(?:-\d{{4}})?)?)?)?)", before=r"(?<![\w.])", after=r"(?!\w)",
         scope="record", flags=0),
    rule("address", rf"(?:[Ll]ive[sd]?|[Ll]iving|[Rr]esid(?:es|ing|ent of)|[Ff]rom|[Hh]ometown|[Gg]rew up|[Rr]aised|[Bb]orn|[Nn]ative|[Mm]oved|"
                    rf"[Rr]elocated)(?: in| at| of| to| from)?:? ({_CAPS}, {_STATE})", after=r"(?![A-Za-z])", scope="record", flags=0),
    rule("address", r"(P\.?O\.? Box \d{1,6})", scope="record"),
    rule("postcode", r"(?:邮编|郵編|邮政编码|郵遞區號|郵政編碼)[: \t]{0,3}(\d{5,6})", after=r"(?!\d)", scope="record"),
    rule("postcode", r"(?:ZIP|postal|post)[ -]?(?:code)?[: \t]{1,3}(\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})", after=r"(?!\w)", scope="record",
         holds=lambda text: n_digits(text) > 1),
)
