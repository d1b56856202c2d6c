"""Personal names, only where the context leaves no doubt: `患者张三`, `Patient John Smith`, `姓名：张三`.

In Chinese the surname is one that seldom begins another word, no given character belongs to clinical prose, and the name
ends where a phrase ends: `患者黄疸，` and `患者高血压` are not names. Made anonymous already (`张某`, `李××`) is none either.
"""

import re

SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱林何郭罗郑梁谢宋唐许邓冯韩曹彭萧肖蔡潘袁董苏叶吕魏蒋杜沈姜傅钟卢汪戴崔陆廖姚邱夏谭韦贾邹熊孟秦阎薛侯雷段郝邵钱尹"
    "黎贺赖樊莫温欧施陶洪翟颜倪牛鲁葛殷聂丁魏耿焦柳邢柯庄涂俞骆裴高马"
    "張劉陳楊趙黃吳孫許鄧馮韓蕭葉呂蔣賈譚鄒閻陸龔賴盧鄭謝羅蘇馬錢鍾賀歐"
)
COMPOUND_SURNAMES = ("欧阳", "歐陽", "上官", "司马", "司馬", "诸葛", "諸葛", "皇甫", "尉迟", "夏侯", "慕容", "令狐", "端木")
_CLINICAL = (
    "病症炎痛热熱压壓血期经經时時无無多可有身围圍醒酸言力口高低困难難应應答体體征徵感染疼肿腫瘤癌者方面部分性型类類种種率的了在于於因为為与與和及或是不未被"
    "疸斑芪痰苔色脂龄齡毒处處人重开開旧舊述诉訴绝絕缓緩镜鏡续續范季筛篩上下发發出入后後前近来來去现現今自主要行用服做起已曾再又都很较較最更其此该該当當至从從向对對由"
    "女男子岁歲需须须須应應会會能能将將均诊診治疗療药藥疾患医醫温溫度咳喘呕嘔吐便尿汗眩晕暈昏迷麻木瘫癱某每周边月日年细細菌氏综綜量数數值阳陽阴陰"
)
_END = r"(?=[，,、。．；;：:！!？?（(）)\s\]】“”]|男|女|先生|女士|小姐|同志|因|于|自|主诉|主訴|入院|今|现|近|来|的|$|\d)"
_GIVEN_ZH = rf"[^\W\dA-Za-z_{_CLINICAL}×某]"
_NAME_ZH = rf"(?:(?:{'|'.join(COMPOUND_SURNAMES)}){_GIVEN_ZH}{{1,2}}?|[{SURNAMES}]{_GIVEN_ZH}{{1,2}}?)"
_LABEL_ZH = r"(?:患者|病人|患儿|患兒|病员|病員|伤者|傷者|死者|联系人|聯繫人|聯絡人|联络人|收件人|申请人|家属|家屬)(?:姓名)?[:： ]{0,2}|姓名[:： ]{1,3}|请联系|請聯繫|(?:信息|登记|登記)[:：]"

GIVEN = """james john robert michael william david richard joseph thomas charles christopher daniel matthew anthony mark donald steven paul
andrew joshua kenneth kevin brian george timothy ronald edward jason jeffrey ryan jacob gary nicholas eric jonathan stephen larry justin scott
brandon benjamin samuel gregory alexander patrick frank raymond jack dennis jerry tyler aaron jose adam nathan henry zachary douglas peter kyle
noah ethan jeremy walter christian keith roger terry austin sean gerald carl harold dylan arthur lawrence jordan jesse bryan billy bruce gabriel
joe logan alan juan albert willie elijah wayne randy vincent mason roy ralph bobby russell philip eugene oliver victor martin duncan felix hugo
mary patricia jennifer linda elizabeth barbara susan jessica karen sarah lisa nancy sandra betty ashley emily kimberly margaret donna michelle
carol amanda melissa deborah stephanie rebecca sharon laura cynthia dorothy amy kathleen angela shirley emma brenda pamela nicole anna samantha
katherine christine helen debra rachel carolyn janet maria catherine heather diane olivia julie joyce victoria ruth virginia lauren kelly
christina joan evelyn judith andrea hannah megan cheryl jacqueline martha madison teresa gloria sara janice ann kathryn abigail sophia frances
jean alice judy isabella julia grace amber denise danielle marilyn beverly charlotte natalie theresa diana brittany doris kayla alexis lori
joanna harriet nadia clara jane lucy ellen edith rose""".split()
"""Common English given names; the check that `Patient Care Services` is not a person."""

_TITLE = r"(?:(?:Mr|Mrs|Ms|Miss|MR|MRS|MS)\.? +)?"
_LAST = r"(?:[A-Z]\.? +)?[A-Z][A-Za-z'’-]+"
_GIVEN_EN = "|".join(sorted({form for name in GIVEN for form in (name.title(), name.upper())}))
_LABEL_EN = (r"(?:[Pp]atient|PATIENT|[Pp]t\.?|[Cc]ontact|[Bb]ooked by|[Rr]efund to|[Ww]rite to|[Nn]ame|NAME|[Cc]aller|[Nn]ext of kin)"
             r"(?: +[Nn]ame)?(?: +is)?[:, ]+")

PATTERNS = (
    re.compile(rf"(?:{_LABEL_ZH})({_NAME_ZH}){_END}"),
    re.compile(rf"\b{_LABEL_EN}{_TITLE}((?:{_GIVEN_EN}) +{_LAST})\b"),
    re.compile(rf"\b(?:[Pp]atient(?:'s)? [Nn]ame|PATIENT NAME) *: *{_TITLE}([A-Z][A-Za-z'’-]+ +{_LAST})\b"),
)
"""On the narrowed text; group 1 is the name."""

HINTS = (
    rf"(?:{_LABEL_ZH.replace('：', ':')})(?:[{SURNAMES}]|{'|'.join(COMPOUND_SURNAMES)})",
    r"(?:patient|pt\.?|contact|booked by|refund to|write to|name|caller|next of kin)(?: name)?(?: is)?[:, ]+"
    rf"(?:(?:mr|mrs|ms|miss)\.? )?(?:{'|'.join(sorted(GIVEN))}) ",
    r"patient(?:'s)? name ?:",
)
"""RE2 patterns on the folded text of which every text with a name matches one."""
