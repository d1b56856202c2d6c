"""Personal names, only where the context leaves no doubt.

In any text a name is one that a label announces (`姓名：张三`, `患者张三，男`, `Patient: John Smith`). In a patient's record (`hygiene.charts`) the labels are
many more, relations, titles and degrees count (`daughter Maria`, `Dr. Smith`, `王建国主任`), and a name once found is one wherever it stands. Not names: a
surname with a title in Chinese (`王医生`), what is made anonymous already (`张某`, `李××`), eponyms, and organisations.
"""

import re

from aquilamed.hygiene.name_words import CLINICAL, COMPOUND_SURNAMES, GIVEN, MORE_SURNAMES, NOT_NAMES, NOT_NAMES_EN, ORDINARY, SURNAMES, WORDLIKE
from aquilamed.hygiene.rule import HAN, Rule, rule

_STOP = r"[，,、。．；;：:！!？?（(）)\s\]】”\"/|]"
_FIELD = (r"性别|性別|年龄|年齡|出生|生日|身份|身分|住院|门诊|門診|病案|病历|病歷|登记|登記|床号|床號|电话|電話|手机|手機|联系|聯繫|聯絡|护士|護士|護理|主治|主任|副主任|医师|醫師|审核|审签|复核|责任|记录|第一|第二|麻醉|上级|"
          r"年级|科别|科室|诊断|診斷|民族|职业|标本|病区|报告|检查|检验|采样|送检|入院|出院|日期|时间|签名|签字|与患者|关系|工作|籍贯|地址|住址|药师|调配|证件|證件|收款|录入|缴费|保单|护照|单位|职务|职称|学历|血型|体重|身高|婚姻|婚况|国籍|"
          r"文化|病史|过敏|既往|处方|就诊|复诊|随访|编号|卡号|账号|保险|医保|社保|邮箱|微信|开户|备注|见证|授权|代理|"
          r"批准|校对|核对|操作|技师|药师|会诊|申请|样本|机器|设备|仪器|經辦|經手|採檢|檢體|連絡|居住|護照|職業|男|女|MRN|ID|Tel|DOB")
_AFTER = rf"{_STOP}|先生|女士|小姐|同志|因|于|於|自|主诉|主訴|入院|今|现|近|来|的|已|在|是|{_FIELD}|\d|$"
_STRICT = rf"{_STOP}|{_FIELD}|[A-Za-z0-9+]|{HAN}{{2,3}}(?:医师|医生|护士|大夫|主任|人员|电话|日期|时间|签名|编号|号码):|护士长:|$"
_GIVEN = rf"[^\x00-\u33ff\ua000-\U0010ffff{CLINICAL}某]"
_DOTTED = rf"{HAN}{{2,7}}[·•‧]{HAN}{{2,8}}?"
_CAREFUL = rf"(?:{_DOTTED}|(?:{COMPOUND_SURNAMES}){_GIVEN}{{1,2}}?|[{SURNAMES}]{_GIVEN}{{1,2}}?)"
_WIDE = rf"(?:{_DOTTED}|(?:{COMPOUND_SURNAMES}){HAN}{{1,2}}?|[{MORE_SURNAMES}]{HAN}{{1,2}}?)"
_LIKELY = rf"[{SURNAMES}]{HAN}{{1,2}}?"
_ANY = rf"(?:{_DOTTED}|{HAN}{{2,4}}?)"
_FIRM = "".join(char for char in MORE_SURNAMES if char not in WORDLIKE)
_SURE = rf"(?:{_DOTTED}|(?:{COMPOUND_SURNAMES}){_GIVEN}{{1,2}}?|[{_FIRM}]{_GIVEN}{{1,2}}?)"
_BARE = rf"(?:{_DOTTED}|(?:{COMPOUND_SURNAMES}){HAN}{{1,2}}?|[{_FIRM}]{HAN}{{1,2}}?)"
"""Where no colon stands before the name."""
_CAP = r"[A-ZÀ-ÖØ-Þ][A-Za-zÀ-ÖØ-öø-ÿ]*(?:['’-][A-ZÀ-ÖØ-Þa-z][A-Za-zÀ-ÖØ-öø-ÿ]*)*"
_FULL = rf"{_CAP}(?: [A-Z]\.?)?(?: (?:(?:de|la|van|der|von|bin|al|da|dos) )*{_CAP}){{1,2}}"
_ANYWAY = rf"(?:{_CAP}, {_CAP}(?: [A-Z]\.?)?|{_FULL})"
_PATIENT = r"患者|病人|病患|患儿|患兒|病员|病員|伤者|傷者|死者|产妇"
_KIN = (r"家属|家屬|配偶|妻子|丈夫|儿子|兒子|女儿|女兒|母亲|母親|父亲|父親|长子|次子|之子|之女|监护人|監護人|老伴|爱人|儿媳|女婿|孙子|孙女|弟弟|妹妹|哥哥|姐姐|朋友|同事|妈妈|爸爸|爷爷|奶奶|外公|外婆|老公|老婆|孩子|[之其](?:妻|夫|子|女|"
        r"母|父)")
_SELF = r"我叫|名叫|本人|我是|(?:我|他|她)(?:爸|妈|媽|父|母|儿子|女儿|爷爷|奶奶|老公|老婆|爱人)(?:叫|是)"
_STAFF = (r"(?:主治|住院|经治|經治|主管|主任|副主任|上级|上級|接诊|管床|值班|送检|送檢|报告|報告|审核|審核|检验|檢驗|检查|记录|記錄|手术|手術|麻醉|责任|責任|会诊|會診|转诊|轉診|申请|申請|复核|诊断|门诊|主诊|开单|执行|带教)"
          r"(?:医师|醫師|医生|醫生|大夫|护士|護士|護理師|护师|者|人|员|技师)|护士|護士|護理師|术者|術者|(?:第?[一二三]|1|2)助手?|第[一二]助手|麻醉师|经办|審查|审签|审核|复核|校对|记录|主刀|巡回|器械")
_SIGNED = r"签名|签字|簽名|簽字|签章|簽章"

_GIVEN_NAMES = frozenset(GIVEN)
_GIVEN_EN = "|".join(sorted({form for name in GIVEN for form in (name.title(), name.upper())}))
_KNOWN = rf"(?:{_GIVEN_EN})(?: [A-Z]\.?)? {_CAP}"

_TITLE = r"(?:(?:Mr|Mrs|Ms|Miss|Dr|Prof|MR|MRS|MS|DR|Sister|Nurse|Doctor|Professor)\.? +)?"
_IDENTITY = r"SSN|DOB|D\.O\.B|[Dd]ate of [Bb]irth|MRN|[Mm]edical [Rr]ecord|[Mm]ed [Rr]ec|NHS [Nn][ou]|[Hh]ospital [Nn](?:o[.: ]|umber)|[Pp]atient ID"
_LABEL_EN = (r"(?:[Pp]atient|PATIENT|[Pp]t\.?|[Cc]ontact|[Bb]ooked by|[Rr]efund to|[Ww]rite to|[Nn]ame|NAME|[Cc]aller|[Nn]ext of kin)"
             r"(?: +[Nn]ame)?(?: +is)?[:, ]+")
_ROLE_EN = (r"(?:(?:[Aa]ttending|[Rr]eferring|[Oo]rdering|[Ss]ubmitting|[Cc]onsulting|[Pp]rimary [Cc]are|[Aa]dmitting|[Tt]reating|"
            r"[Rr]esponsible)(?: +(?:[Pp]hysician|[Pp]rovider|[Dd]octor|[Ss]urgeon))?|[Pp]hysician|[Pp]rovider|[Ss]urgeon|"
            r"[Nn]urse|[Cc]onsultant|[Pp]athologist|[Rr]adiologist|[Aa]ssistant|[Aa]nesthesiologist|PCP|GP|[Cc]c|CC|[Cc]aller|[Ii]nformant|"
            r"[Gg]uardian|[Nn]ext of [Kk]in|[Ee]mergency [Cc]ontact|[Nn]ame|[Pp]atient|[Rr]e|RE|[Ss]ubject|"
            r"[A-Z][A-Z ]{2,30}|(?:[Ee]lectronically )?(?:[Ss]een|[Ss]igned|[Dd]ictated|[Vv]erified|[Tt]aken|[Rr]equested|[Rr]eviewed|[Pp]repared|"
            r"[Rr]eported|[Tt]ranscribed|[Cc]ollected|[Pp]erformed|[Aa]uthenticated)(?: +by)?)(?: +[Nn]ame)?")
_NOT_A_PERSON = (r"(?:Diagnos|Impression|Assessment|Plan|Medication|History|Allerg|Exam|Lab|Imaging|Procedure|Complaint|Hospital|Unit|Ward|"
                 r"Department|Insurance|Employer|Pharmacy|Location|Facility|Service|Drug|Address|"
                 r"Test|Result|Treatment|Topic|Title|Source|Reference|Chief|Past|Social [Hh]|Family [Hh]|Physical [Ee]|Discharge|Principal|Language|"
                 r"Religion|Race|Vital|Findings|Note|Step|Question|Answer|Example|Disease|Condition|Device)")
_KIN_EN = (r"(?:[Ww]ife|[Hh]usband|[Ss]on|[Dd]aughter|[Mm]other|[Ff]ather|[Ss]ister|[Bb]rother|[Pp]artner|[Ss]pouse|[Gg]randson|[Gg]randdaughter|"
           r"[Aa]unt|[Uu]ncle|[Nn]iece|[Nn]ephew|[Ff]riend)")
_DEGREE = r"(?:MD|M\.D\.|DO|D\.O\.|RN|R\.N\.|NP|PA-C|PA|LPN|PhD|Ph\.D\.|MBBS|FRCP|FACS|DDS|DPM|PharmD|CRNP|DNP)"
_CHART_WORD = re.compile(r"[某×]|医院|醫院|科$|病|症|炎|药|藥|[的了障疮疹痛热折伤泻秘血尿肿痹痿瘫痨疝]$|血栓|栓塞|^新生儿|医师|医生|護士|护士|未|^无"
                         r"|(?:先生|女士|小姐|太太|老师|同学|師傅|师傅)$|^[小老阿].$")


def _not_clinical(text: str) -> bool:
    """Whether a Chinese candidate is no word of the chart and not made anonymous."""
    return (not text.isascii() or _not_prose(text)) and text not in NOT_NAMES and text[:2] not in NOT_NAMES and not _CHART_WORD.search(text)


def _not_prose(text: str) -> bool:
    """Whether no word of an English candidate belongs to the chart's own vocabulary."""
    return len(text) > 1 and not any(word.lower() in NOT_NAMES_EN for word in re.split(r"[ ,.]+", text))


def _is_known(text: str) -> bool:
    """Whether an English candidate begins with a given name."""
    return text.split(" ")[0].lower() in _GIVEN_NAMES and _not_prose(text)


def _name(core: str, *, end: str = "", before: str = "", after: str = "", scope: str = "any") -> Rule:
    return rule("name", core, before=before, after=after, end=end, holds=_not_clinical, scope=scope, han=True, flags=0)


def _english(core: str, *, before: str = r"(?<![A-Za-z])", after: str = r"(?![A-Za-z])", scope: str = "any") -> Rule:
    return rule("name", core, before=before, after=after, holds=_not_prose, scope=scope, flags=0)


_NAMED = rf"{HAN}{{0,4}}(?:主任|[科护]士?长|医生|医师|醫師|醫生|大夫|护士|護理師|护师|药师|技师|人员|者|人|员|師|师)(?:及电话)?|护工|同事|室友|病友|称呼|客户|会员"
"""A label, with its colon, of someone who did something: `送检人：`, `质控护士：`."""
_RELATED = r"(?:母亲|父亲|妻子|丈夫|儿子|女儿|长子|次子|长女|次女|配偶|妹妹|姐姐|弟弟|哥哥|孙子|孙女|儿媳|女婿|老伴|爱人|本人|家属|家屬|母|父|妻|夫|子|女)"
_TITLED = r"副?主任|主治|住院医|医生|医师|醫生|醫師|大夫|护士|護理師|教授|护师|技师|院长|科长|同志"
LISTED = re.compile(rf"、({_WIDE})(?=(?:{_STRICT}))")
"""A name after another one in a list."""
_CALLED = rf"{_PATIENT}|{_KIN}|{_SELF}|姓名|联系人|聯繫人|聯絡人|申请人|代理人|陪护|陪同人|兹有患者|陪同者|陪诊者|护送者|同行者"
_VERB = r"|今年|因|于|於|自|的|已|陪|住|诉|在|签|代|诊|探|到|同意|表示|要求|拒绝"
_COLON = r"(?:[ \t]?(?:Name|name))?[:： \t]{0,3}"
RULES: tuple[Rule, ...] = (
    _name(rf"(?:{_PATIENT}|联系人|聯繫人|聯絡人|收件人|申请人|受试者|请联系|請聯繫|(?:信息|登记|登記)[:：])(?:姓名)?[:： ]{{0,2}}({_CAREFUL})", end=_AFTER),
    _name(rf"(?:{_PATIENT})[:： ]{{0,2}}({_WIDE}|{_GIVEN}{{2,4}}?)", end=r"[,，、 ]{1,2}(?:(?:男|女)(?:性|[,，]|\d)|今年|\d{2}岁|\d{2}歲)|[（(](?:男|女|身份|身分|电话|"
         r"電話|手机|手機|联系)"),
    _name(rf"姓名[:： \t]{{1,3}}({_WIDE})", end=_STRICT),
    _name(rf"姓名[:： \t]{{1,3}}({_ANY})", end=rf"[\s,，。;；]{{0,2}}(?:性别|性別|男|女|年龄|年齡|病历|病歷|住院|门诊|門診|出生|生日|身份|身分|[(（])"),
    _name(rf"(?:{_SIGNED})[:： \t]{{1,3}}({_CAREFUL})", end=_STRICT),
    _name(rf"(?:姓名|{_PATIENT}){_COLON}({_KNOWN})", after=r"(?![A-Za-z])"),
    _english(rf"{_LABEL_EN}{_TITLE}({_KNOWN})"),
    _english(rf"(?:[Pp]atient(?:'s)? [Nn]ame|PATIENT NAME) *: *{_TITLE}({_ANYWAY})"),
    _english(rf"[Pp]atient's (?:full )?name is ({_FULL})"),
    _english(rf"(?:^|[^A-Za-z])(?:[Pp]t\.?|PT\.?) +{_TITLE}({_FULL}),? +(?:c/o|is an? |reports?|presents|denies|seen|\d{{1,3}} ?(?:y|-y))", before="", after=""),
    _english(rf"(?:^|[^A-Za-z])[Nn]urse:? +{_TITLE}({_FULL}),? +{_DEGREE}", before=""),
    _english(rf"({_ANYWAY})(?:[ \t]*[-–,;|(\[][ \t]*|[ \t]+)(?:{_IDENTITY})"),
    # in a record
    _name(rf"(?:{_KIN}|{_SELF})[:： ]{{0,2}}({_WIDE}|{_GIVEN}{{2,4}}?)", end=r"[,，、 ]{1,2}(?:男|女|今年|\d{2}岁|\d{2}歲)|[（(](?:男|女|身份|身分|电话|電話|手机|手機|联系)",
          scope="record"),
    _english(rf"(?:[Mm]y|[Hh]is|[Hh]er) (?:full )?name is ({_FULL})", scope="record"),
    _name(rf"(?:{_CALLED})(?:姓名|之子|之女)?(?:[ \t]?(?:Name|name))?[:： \t]{{1,3}}({_WIDE})", end=_STRICT + _VERB, scope="record"),
    _name(rf"(?:{_CALLED})(?:姓名|之子|之女)?({_BARE})", end=_STRICT + _VERB, scope="record"),
    _name(rf"(?:{_STAFF})(?:{_SIGNED})?[:： \t]{{1,3}}({_WIDE})", end=_STRICT + r"|医|醫|护|会诊|查|指示|于|为|已|主", scope="record"),
    _name(rf"(?:{_STAFF})(?:{_SIGNED})?(?:为|是)?({_BARE})", end=_STRICT + r"|医|醫|护|会诊|查|指示|于|为|已|主", scope="record"),
    _name(rf"(?:(?:{_STAFF})(?:{_SIGNED})?|{_SIGNED}|姓名|联系人|聯絡人)(?:[:：][ \t]*|[ \t\u3000]+)({_ANY})", end=_STRICT, scope="record"),
    _name(rf"({_SURE}|{_LIKELY})(?:{_TITLED})", before=rf"(?:(?<!{HAN})|(?<=[由与和经为致科往向是让叫在及與經為讓]))", scope="record"),
    _name(rf"(?:[请請找挂约約好的绍紹])({_BARE})(?:{_TITLED})", scope="record"),
    _name(rf"[找挂遵]({_SURE})", end=rf"{_STOP}|看|复|就|医嘱", scope="record"),
    _name(rf"[证證]明({_WIDE})", end=rf"君|{_STRICT}", scope="record"),
    _name(rf"({_WIDE})(?:[,， \t]{{1,4}}(?:男|女)(?:性|[,，\s]|$)|(?:男|女)性?[,，]?\d{{1,3}}[岁歲])", before=rf"(?<!{HAN})", scope="record"),
    _name(rf"(?:{_NAMED}):[ \t]*({_WIDE})", end=_STRICT, scope="record"),
    _name(rf"(?:{HAN}{{1,4}}(?:医师|醫師|护士|護理師|护师|药师|技师|人员|医生)|{HAN}?主任|护士长):[ \t]*({_GIVEN}{{2,3}}?)", end=_STRICT, scope="record"),
    _name(rf"({_GIVEN}{{2,3}}?)[,，](?:男|女)(?:性|[,，])", before=rf"(?<!{HAN})", scope="record"),
    _name(rf"({_WIDE})[ \t,，]{{0,4}}(?:病历|病歷|住院|病案|门诊|門診)(?:号|號)", before=rf"(?<!{HAN})", scope="record"),
    _name(rf"({_WIDE})[ \t]*", before=r"(?:(?<=\n)|(?<=[ \t院心科部所]))", end=r"\n[ \t]*(?:20\d{2}|[一二][〇零○]|民|\d{1,2}月)", scope="record"),
    _name(rf"({_SURE})", before=r"(?:(?<=[:\n\t /])|(?<=^))", end=r"[,，、。．;；(（)\]】|/\s]|$|性别|性別|男|女|年龄|年齡|病历|病歷|住院|门诊|門診", scope="record"),
    _name(rf"(?:[护系诉险款保益绍送理办责诊托嘱交]人|负责人|代理人)({_BARE})", end=_STRICT, scope="record"),
    _name(rf"(?:医生|医师|醫師|醫生|大夫|护士|護理師|护师)[ \t:]*({_WIDE})[ \t]*", end=r"\n|$|20\d\d|[一二][〇零○]|[(（]签", scope="record"),
    _name(rf"\d{{1,3}}床[,， ]{{0,2}}({_SURE})", end=_STRICT, scope="record"),
    _name(rf"({_WIDE})(?:[ \t]?[（(]?(?:签名|签字|代签)|[ \t]*[（(][ \t]*(?:{_RELATED}[)）]|男|女|身份|身分|电话|電話|手机|手機|护照|病历|病歷|住院号|门诊号|\d{{1,3}}岁))",
          before=rf"(?:(?<!{HAN})|(?<=[人者名为由请明]))", scope="record"),
    _name(rf"({_FULL})[ \t]*[（(,，][ \t]*(?:男|女|身份|护照|出生|病历|病歷|住院号|电话)", before=r"(?<![A-Za-z])", scope="record"),
    _name(rf"我是({_ANY})的(?:儿子|女儿|妻子|丈夫|母亲|父亲|妈妈|爸爸|家属|爱人|老公|老婆|姐姐|哥哥|妹妹|弟弟|孙子|孙女)", scope="record"),
    _name(rf"(?:此致|尊敬的|敬致)[ \t]*({_WIDE})(?:主任|医生|医师|醫生|醫師|教授|大夫)", scope="record"),
    _name(rf"(?:通知|[请请由经与])(?:值班)?(?:医生|医师|大夫|護士|护士)({_CAREFUL})", end=_STOP, scope="record"),
    _name(rf"(?:姓名|{_PATIENT}|{_KIN}|{_STAFF}|{_SIGNED}){_COLON}(?:Dr\.? *)?({_FULL})", after=r"(?![A-Za-z])", scope="record"),
    _english(rf"(?:Dr|DR|Mr|MR|Mrs|MRS|Ms|MS|Miss|Prof|Doctor|Professor)(?:\. *| +)((?:[A-Z]\. ?)*{_CAP}(?: +(?:[A-Z]\.? +)?{_CAP}){{0,2}})",
             scope="record"),
    rule("name", rf"({_CAP}(?: [A-Z]\.?)? {_CAP})", before=r"(?<![A-Za-z])", after=r"(?![A-Za-z])", holds=_is_known, scope="record", flags=0),
    _english(rf"({_FULL}|(?:[A-Z]\. ?){{1,2}}{_CAP}),? +{_DEGREE}", scope="record"),
    _english(rf"({_FULL}) +\((?:MRN:? *|#)?[A-Z]{{0,2}}-?\d[\dA-Z-]{{4,}}\)", after="", scope="record"),
    _english(rf"{_ROLE_EN}[ \t]*[:.][ \t]*{_TITLE}({_ANYWAY})", scope="record"),
    _english(rf"(?:[Pp]t\.?|[Pp]atient|[Bb]y|[Ff]or|[Ff]rom|[Cc]ontact|[Nn]urse|[Cc]onsultant|[Pp]hysician|[Ss]urgeon|[Dd]octor|[Pp]rovider|"
             rf"[Tt]herapist|[Cc]aregiver|[Ii]nterpreter|[Aa]ide|PCP|GP|[Cc]ardiology|[Nn]eurology|[Oo]ncology|[Ss]urgery|[Pp]sychiatry|[Rr]esident|"
             rf"[Aa]ttending|record|of|with|that|[Cc]are of)[ \t]+{_TITLE}({_FULL})", after=r"(?=[ \t]*(?:[,.;:(\n]|c/o|(?:is|was|has|had|who|at|on)\b|$))",
             scope="record"),
    _english(rf"(?!{_NOT_A_PERSON})[A-Z][A-Za-z]+(?: [A-Za-z]+){{0,3}}[ \t]*:[ \t]*{_TITLE}({_FULL})", after=r"(?=[ \t]*(?:[,.;(\n]|  |$))",
             scope="record"),
    _english(rf"(?:[Ss]incerely|[Rr]egards|[Ff]aithfully|[Tt]ruly|[Ww]ishes|Thank you|Thanks),?\s+{_TITLE}({_FULL}|{_CAP})", scope="record"),
    _english(rf"Dear {_TITLE}({_CAP}(?: +{_CAP})?)", scope="record"),
    _english(rf"{_KIN_EN}[,:]?[ \t]+\(?({_CAP}(?: +[A-Z]\.)?(?: +{_CAP})?)", scope="record"),
    _english(rf"(?:I am|I'm|[Tt]his is|[Nn]amed?(?: is)?|[Cc]alled) ({_FULL})", scope="record"),
    _english(rf"({_FULL}) (?:is|was|has|had|underwent|presented|reports?|denies|tolerated|attended|complain(?:s|ed)|lives|called|phoned|states|said|"
             rf"told|requests|agrees|feels|takes|needs|came|arrived|returned)", after=r"(?![A-Za-z])", scope="record"),
)
_EPONYM_NEXT = (r"(?!['’]s? |['’]s$| (?:disease|syndrome|sign|test|score|scale|criteria|lymphoma|point|reflex|method|procedure|catheter|Hospital|"
                r"Medical|Clinic|Street|Road))")


def mentions(names: set[str]) -> re.Pattern | None:
    """What matches every one of `names`, and the given and family names of those in Latin letters, wherever they stand."""
    words = {word for name in names if name.isascii() for word in re.split(r"[ ,]+", name)}
    parts = {word for word in words if len(word) > 2 and word[0].isupper() and word.lower() not in ORDINARY}
    parts |= {part.title() for part in parts if part.isupper()}
    whole = [re.escape(name) for name in sorted(names, key=lambda name: (-len(name), name)) if len(name) > 1]
    single = [re.escape(part) for part in sorted(parts - names, key=lambda part: (-len(part), part))]
    latin = rf"(?<![A-Za-z])(?:{'|'.join(single)})(?![A-Za-z]){_EPONYM_NEXT}" if single else ""
    found = "|".join([*(rf"(?<![A-Za-z]){name}(?![A-Za-z])" if name[0] < "\u0250" else name for name in whole), *([latin] if latin else [])])
    return re.compile(found) if found else None
