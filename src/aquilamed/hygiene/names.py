"""Personal names, only where the context leaves no doubt.

In any text a name is one that a label announces (`姓名：张三`, `患者张三，男`, `Patient: John Smith`, `my name is …`). In a patient's record (`hygiene.charts`) the
labels are many more, titles and degrees count (`Dr. Smith`, `王建国主任`), and a name once found is one wherever it stands. Not names: a surname with
a title in Chinese (`王医生`), what is made anonymous already (`张某`, `李××`), eponyms, and organisations.
"""

import re

from aquilamed.hygiene.rule import HAN, Rule, rule

SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱林何郭罗郑梁谢宋唐许邓冯韩曹彭萧肖蔡潘袁董苏叶吕魏蒋杜沈姜傅钟卢汪戴崔陆廖姚邱夏谭韦贾邹熊孟秦阎薛侯雷段郝邵钱尹"
    "黎贺赖樊莫温欧施陶洪翟颜倪牛鲁葛殷聂丁耿焦柳邢柯庄涂俞骆裴高马"
    "張劉陳楊趙黃吳孫許鄧馮韓蕭葉呂蔣賈譚鄒閻陸龔賴盧鄭謝羅蘇馬錢鍾賀歐"
)
"""Surnames that seldom begin another word: enough after `患者`."""
MORE_SURNAMES = SURNAMES + (
    "曾程田任范方石金顾龙万史江汤孔白康毛常武乔文庞兰安严芦季章伍申毕丛向路岳齐梅辛管祝左谷祁时舒牟卜詹关苗凌费纪靳盛童甄项曲成游阳席卫查屈鲍位覃霍翁隋甘景单包司柏宁阮桂闵解强柴华车冉房边吉饶刁瞿戚丘古米池滕晋苑邬臧畅宫来苟全褚廉简"
    "易皮溫栾欒尚敖糜禄戈储松富弓牧隗班仰伊宰祖景束龙幸司韶郜蓟印宿怀蒲邰鄂索咸籍蒙池阴胥能苍双莘党贡劳逄冉雍郤璩濮扈庄晏阎充慕茹宦艾鱼容慎廖庾终暨居衡步都耿满弘寇广阙殳沃利蔚越夔隆师厍晁勾敖融訾辛阚那饶曾沙乜养鞠须丰巢蒯相荆竺权逯益桓公晋闫岳缑亢况佘佴伯赏墨哈谯笪年阳佟"
    "娄盖符穆燕郎冀谈姬连郁商蒙计揭窦迟宇卓花仇艾都井仲乐虞封竺冼官楚佟栗匡宗应台巫鞠桑荆银扬明沙伏岑习保和云余喻龚于倪鄢冷蓝练原衣胥蔺水昌凤麻裘储"
    "顧龍萬湯嚴蘆畢叢齊關費紀項衛鮑單寧閔車邊饒晉鄔臧暢宮簡婁蓋談連鬱計竇遲藍練雲應銀區鄺麥羅鄧詹游巫翁凃駱符阮岑"
)
"""Surnames where the place is certain."""
COMPOUND_SURNAMES = ("欧阳|歐陽|上官|司马|司馬|诸葛|諸葛|皇甫|尉迟|尉遲|夏侯|慕容|令狐|端木|东方|司徒|公孙|呼延|轩辕|宇文|长孙|南宫|闻人|濮阳|淳于|单于|太史|申屠|独孤|赫连|百里")
_CLINICAL = (
    "病症炎痛热熱压壓血期经經時时无無多可有身围圍醒酸言力口高低困难難应應答体體征徵感染疼肿腫瘤癌者方面部分性型类類种種率的了在于於因为為与與和及或是不未被"
    "疸斑芪痰苔色脂龄齡毒处處人重开開旧舊述诉訴绝絕缓緩镜鏡续續范季筛篩上下发發出入后後前近来來去现現今自主要行用服做起已曾再又都很较較最更其此该該当當至从從向對对由"
    "女男子岁歲需须須会會能将將均诊診治疗療药藥疾患医醫温溫度咳喘呕嘔吐便尿汗眩晕暈昏迷麻木瘫癱某每周边月日年细細菌氏综綜量数數值阳陽阴陰"
)
"""Characters of clinical prose: after `患者` a name holds none of them, unless sex or age follow."""
_STOP = r"[，,、。．；;：:！!？?（(）)\s\]】”\"/|]"
_FIELD = (r"性别|性別|年龄|年齡|出生|生日|身份|身分|住院|门诊|門診|病案|病历|病歷|登记|登記|床号|床號|电话|電話|手机|手機|联系|聯繫|聯絡|护士|護士|護理|主治|主任|副主任|医师|醫師|审核|审签|复核|责任|记录|第一|第二|麻醉|上级|"
          r"年级|科别|科室|诊断|診斷|民族|职业|标本|病区|报告|检查|检验|采样|送检|入院|出院|日期|时间|签名|签字|与患者|关系|工作|籍贯|地址|住址|药师|调配|证件|證件|收款|录入|缴费|保单|护照|单位|职务|职称|学历|血型|体重|身高|婚姻|婚况|国籍|文化|病史|过敏|既往|处方|就诊|复诊|随访|编号|卡号|账号|保险|医保|社保|邮箱|微信|开户|备注|见证|授权|代理|"
          r"批准|校对|核对|操作|技师|药师|会诊|申请|样本|机器|设备|仪器|經辦|經手|採檢|檢體|連絡|居住|護照|職業|男|女|MRN|ID|Tel|DOB")
_AFTER = rf"{_STOP}|先生|女士|小姐|同志|因|于|於|自|主诉|主訴|入院|今|现|近|来|的|已|在|是|{_FIELD}|\d|$"
_STRICT = rf"{_STOP}|{_FIELD}|[A-Za-z0-9+]|{HAN}{{2,3}}(?:医师|医生|护士|大夫|主任|人员|电话|日期|时间|签名|编号|号码):|护士长:|$"
_GIVEN = rf"[^\x00-\u33ff\ua000-\U0010ffff{_CLINICAL}某]"
_DOTTED = rf"{HAN}{{2,7}}[·•‧]{HAN}{{2,8}}?"
_CAREFUL = rf"(?:{_DOTTED}|(?:{COMPOUND_SURNAMES}){_GIVEN}{{1,2}}?|[{SURNAMES}]{_GIVEN}{{1,2}}?)"
_WIDE = rf"(?:{_DOTTED}|(?:{COMPOUND_SURNAMES}){HAN}{{1,2}}?|[{MORE_SURNAMES}]{HAN}{{1,2}}?)"
_ANY = rf"(?:{_DOTTED}|{HAN}{{2,4}}?)"
_SURE = rf"(?:{_DOTTED}|(?:{COMPOUND_SURNAMES}){_GIVEN}{{1,2}}?|[{MORE_SURNAMES}]{_GIVEN}{{1,2}}?)"
_CAP = r"[A-ZÀ-ÖØ-Þ][A-Za-zÀ-ÖØ-öø-ÿ]*(?:['’-][A-ZÀ-ÖØ-Þa-z][A-Za-zÀ-ÖØ-öø-ÿ]*)*"
_FULL = rf"{_CAP}(?: [A-Z]\.?)?(?: (?:(?:de|la|van|der|von|bin|al|da|dos) )*{_CAP}){{1,2}}"
_ANYWAY = rf"(?:{_CAP}, {_CAP}(?: [A-Z]\.?)?|{_FULL})"
_PATIENT = r"患者|病人|病患|患儿|患兒|病员|病員|伤者|傷者|死者|产妇"
_KIN = r"家属|家屬|配偶|妻子|丈夫|儿子|兒子|女儿|女兒|母亲|母親|父亲|父親|长子|次子|之子|之女|监护人|監護人|老伴|爱人|儿媳|女婿|孙子|孙女|弟弟|妹妹|哥哥|姐姐|朋友|同事|妈妈|爸爸|爷爷|奶奶|外公|外婆|老公|老婆|孩子|[之其](?:妻|夫|子|女|母|父)"
_SELF = r"我叫|名叫|本人|我是|(?:我|他|她)(?:爸|妈|媽|父|母|儿子|女儿|爷爷|奶奶|老公|老婆|爱人)(?:叫|是)"
_STAFF = (r"(?:主治|住院|经治|經治|主管|主任|副主任|上级|上級|接诊|管床|值班|送检|送檢|报告|報告|审核|審核|检验|檢驗|检查|记录|記錄|手术|手術|麻醉|责任|責任|会诊|會診|转诊|轉診|申请|申請|复核|诊断|门诊|主诊|开单|执行|带教)"
          r"(?:医师|醫師|医生|醫生|大夫|护士|護士|護理師|护师|者|人|员|技师)|护士|護士|護理師|术者|術者|(?:第?[一二三]|1|2)助手?|第[一二]助手|麻醉师|经办|審查|审签|审核|复核|校对|记录|主刀|巡回|器械")
_SIGNED = r"签名|签字|簽名|簽字|签章|簽章"

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
joanna harriet nadia clara jane lucy ellen edith rose
aaliyah abdul adam ahmed aisha akira alejandro ali alma ana anders andre angel anita antonio arjun arun ava beatrice boris camila carlos carmen chen chloe claire claudia colin connor dana daria deepak diego dimitri dmitri elena eleanor ella
elsa emilia emilio enrique erik esther eva fatima fernando fiona francisco georgia gerard gita grant guo hamid hans harold hassan hiroshi hua ibrahim igor imani ingrid irene isaac ivan jaime jamal javier jie jin jing jun kamal karim kate kenji khalid
klaus krishna lakshmi lars latoya leila leon lena li lin liu lucia luis luna magnus malik manuel marco margaret maria mario marisol mehmet mei mia miguel mikhail ming miriam mohamed mohammad mohammed muhammad naomi natasha neha nikhil nina noor olga oliver
omar oscar pablo paolo pedro penelope pierre priya rafael rahul raj ramesh ramon ravi ricardo roberto rosa ruben rui sana sanjay sean sergei shreya sofia sonia stefan stella sunil sunita svetlana tariq tatiana tomas usha valentina vera vijay vikram
vladimir wei xavier xin yan yang yasmin ying yuki yusuf zainab zoe""".split()
"""Common English given names; the check that `Patient Care Services` is not a person."""
_GIVEN_NAMES = frozenset(GIVEN)
_GIVEN_EN = "|".join(sorted({form for name in GIVEN for form in (name.title(), name.upper())}))
_KNOWN = rf"(?:{_GIVEN_EN})(?: [A-Z]\.?)? {_CAP}"

_TITLE = r"(?:(?:Mr|Mrs|Ms|Miss|Dr|Prof|MR|MRS|MS|DR|Sister|Nurse|Doctor|Professor)\.? +)?"
_IDENTITY = r"SSN|DOB|D\.O\.B|[Dd]ate of [Bb]irth|MRN|[Mm]edical [Rr]ecord|[Mm]ed [Rr]ec|NHS|[Hh]ospital [Nn]|[Pp]atient ID"
_LABEL_EN = (r"(?:[Pp]atient|PATIENT|[Pp]t\.?|[Cc]ontact|[Bb]ooked by|[Rr]efund to|[Ww]rite to|[Nn]ame|NAME|[Cc]aller|[Nn]ext of kin)"
             r"(?: +[Nn]ame)?(?: +is)?[:, ]+")
_ROLE_EN = (r"(?:(?:[Aa]ttending|[Rr]eferring|[Oo]rdering|[Ss]ubmitting|[Cc]onsulting|[Pp]rimary [Cc]are|[Aa]dmitting|[Tt]reating|[Rr]esponsible)(?: +(?:[Pp]hysician|[Pp]rovider|[Dd]octor|[Ss]urgeon))?|[Pp]hysician|[Pp]rovider|[Ss]urgeon|"
            r"[Nn]urse|[Cc]onsultant|[Pp]athologist|[Rr]adiologist|[Aa]ssistant|[Aa]nesthesiologist|PCP|GP|[Cc]c|CC|[Cc]aller|[Ii]nformant|[Gg]uardian|[Nn]ext of [Kk]in|[Ee]mergency [Cc]ontact|[Nn]ame|[Pp]atient|[Rr]e|RE|[Ss]ubject|"
            r"[A-Z][A-Z ]{2,30}|(?:[Ee]lectronically )?(?:[Ss]een|[Ss]igned|[Dd]ictated|[Vv]erified|[Tt]aken|[Rr]equested|[Rr]eviewed|[Pp]repared|[Rr]eported|[Tt]ranscribed|[Cc]ollected|[Pp]erformed|[Aa]uthenticated)(?: +by)?)(?: +[Nn]ame)?")
_NOT_A_PERSON = (r"(?:Diagnos|Impression|Assessment|Plan|Medication|History|Allerg|Exam|Lab|Imaging|Procedure|Complaint|Hospital|Unit|Ward|Department|Insurance|Employer|Pharmacy|Location|Facility|Service|Drug|Address|"
                 r"Test|Result|Treatment|Topic|Title|Source|Reference|Chief|Past|Social [Hh]|Family [Hh]|Physical [Ee]|Discharge|Principal|Language|Religion|Race|Vital|Findings|Note|Step|Question|Answer|Example|Disease|Condition|Device)")
_KIN_EN = r"(?:[Ww]ife|[Hh]usband|[Ss]on|[Dd]aughter|[Mm]other|[Ff]ather|[Ss]ister|[Bb]rother|[Pp]artner|[Ss]pouse|[Gg]randson|[Gg]randdaughter|[Aa]unt|[Uu]ncle|[Nn]iece|[Nn]ephew|[Ff]riend)"
_DEGREE = r"(?:MD|M\.D\.|DO|D\.O\.|RN|R\.N\.|NP|PA-C|PA|LPN|PhD|Ph\.D\.|MBBS|FRCP|FACS|DDS|DPM|PharmD|CRNP|DNP)"
_NOT_NAMES = frozenset("""不详 未知 保密 匿名 患者 病人 本人 如下 同上 医师 医生 大夫 护士 主任 签名 签字 见下 待查 待定 某某 值班 管床 责任 家属 关系 谈话 申请 记录 您好 你好 谢谢
母亲 父亲 家长 妻子 丈夫 妈妈 爸爸 爷爷 奶奶 老年 青年 中年 成年 儿童 婴儿 孕妇 老人 高血压 高热 高危 高龄 高度 白血病 白血 白带 白色 白天 黄疸 黄色 周围 安静 安全 安排 平素 平时 平均 平卧 马上 张力 毛细 水肿 水平 水分 麻木 麻醉
万一 万分 常规 常见 常有 全身 全部 全程 明显 明确 单纯 单位 单独 成人 成分 成功 连续 连同 边界 方便 方法 方面 方案 石膏 金属 金额 云南 于是 时间 时候 时常 和谐 和其他 来源 来院 来诊 来自 应该 应用 应当 应激 都是 查体 查房 查看
计划 官能 原发 冷汗 宁可 康复 保守 保健 保险 管理 管路 管道 易感 关注 关于 关节 解释 解除 解决 强烈 强度 强调 花费 习惯 简单 封闭 台湾 华人 房颤 曲张 毕业 任何 文化 左侧 左右 右侧 包括 游泳 向来 商量 相关 相应 施行 干燥 干预 项目 顾虑
华法林 陈皮 黄芪 黄连 黄柏 黄精 黄酮 黄芩 白术 白芍 白芷 白芨 白果 白蛋白 白细胞 连翘 金银花 金钱草 金黄色 马钱子 马齿苋 马来酸 何首乌 麻黄 麻仁 牛膝 牛黄 熊胆 龙骨 龙胆 龙胆草 柏子仁 石膏 石斛 石决明 葛根 杜仲 柴胡 夏枯草 苏木 苏子 苏合香 车前子
常山 党参 巴豆 巴戟天 贝母 乌梅 乌头 乌药 安乃近 安宫 安定 安徽 安慰剂 甘露醇 甘草 甘油 利福平 利巴韦 利多卡 利培酮 江苏 江西 广州 广东 广西 云南 吉林 温州 成都 汉族 满族 金华 郁金 郁闷 桑叶 桑枝 桑白皮 桂枝 桂皮 蒲黄 蒲公英 柳氮 荆芥 胡椒 胡萝卜 葱白 姜黄 姜片
米汤 米饭 都可 申请单 计数 计量 平扫 平坦 平稳 平衡 平滑 强化 强阳 路径 路况 阳虚 施术 支架 支原体 干咳 干扰素 干细胞 全麻 全血 全天 全科 单核 单胺 单侧 双盲 双下肢 左氧氟 左肺 左室 左心 左上 左下 左肾 左眼 左手 左腿 右肺 右室 右心 成像 边缘 查血 包块 容量
霍乱 易瘀青 易怒 易疲劳 易出汗 还是 麻烦 年轻 田基黄 车祸 农民 农村 党员 司机 宗教 宣教 容易 阳性 阴性 阴道 国家 国内 国产 步行 步骤 满意 广泛 利尿 利用 养护 丰富 双侧 双肺 双下 劳累 劳动 费用 符合 顺利 支持 晋升 古代 都市 终身 终止 益生 公司 公共 权利 强直 屈曲 伸展 席地 温水 路过""".split())
_NOT_NAMES_EN = frozenset("""patient doctor hospital clinic center centre medical department unit room date of the and is was in on at no not none unknown home general emergency surgery history note report summary
discharge admission medicine health care service services nursing plan chief complaint normal negative positive left right type stage street road avenue university college institute school ward white black today
address phone sex age name physician provider diagnosis follow thank dear sincerely yours regards allergies medications labs exam assessment review systems vital signs blood pressure dob mrn this that he she his her your our
family social past present reason visit time hours weeks days results test imaging computed magnetic chest abdomen heart status post new old good morning afternoon evening hello hi please call primary infirmary hospice pharmacy church foundation society association incorporated inc disease syndrome thyroiditis lymphoma form message
colleague colleagues team sir sirs madam parents friend all med rec dr mr mrs ms miss prof professor physical therapy insurance member number record id client patient's records scan mri ct""".split())


def _not_clinical(text: str) -> bool:
    """Whether a Chinese candidate is no word of the chart and not made anonymous."""
    return (not text.isascii() or _not_prose(text)) and text not in _NOT_NAMES and text[:2] not in _NOT_NAMES and not re.search(r"[某×]|医院|醫院|科$|病|症|炎|药|藥|[的了障疮疹痛热折伤泻秘血尿肿痹痿瘫痨疝]$|血栓|栓塞|^新生儿|医师|医生|護士|护士|未|^无|(?:先生|女士|小姐|太太|老师|同学|師傅|师傅)$|^[小老阿].$", text)


def _not_prose(text: str) -> bool:
    """Whether no word of an English candidate belongs to the chart's own vocabulary."""
    return len(text) > 1 and not any(word.lower() in _NOT_NAMES_EN for word in re.split(r"[ ,.]+", text))


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
_COLON = r"(?:[ \t]?(?:Name|name))?[:： \t]{0,3}"
RULES: tuple[Rule, ...] = (
    _name(rf"(?:{_PATIENT}|联系人|聯繫人|聯絡人|收件人|申请人|受试者|请联系|請聯繫|(?:信息|登记|登記)[:：])(?:姓名)?[:： ]{{0,2}}({_CAREFUL})", end=_AFTER),
    _name(rf"(?:{_PATIENT})[:： ]{{0,2}}({_WIDE}|{_GIVEN}{{2,4}}?)", end=r"[,，、 ]{1,2}(?:(?:男|女)(?:性|[,，]|\d)|今年|\d{2}岁|\d{2}歲)|[（(](?:男|女|身份|身分|电话|電話|手机|手機|联系)"),
    _name(rf"姓名[:： \t]{{1,3}}({_WIDE})", end=_STRICT),
    _name(rf"姓名[:： \t]{{1,3}}({_ANY})", end=rf"[\s,，。;；]{{0,2}}(?:性别|性別|男|女|年龄|年齡|病历|病歷|住院|门诊|門診|出生|生日|身份|身分|[(（])"),
    _name(rf"(?:{_SIGNED})[:： \t]{{1,3}}({_CAREFUL})", end=_STRICT),
    _name(rf"(?:姓名|{_PATIENT}){_COLON}({_KNOWN})", after=r"(?![A-Za-z])"),
    _english(rf"{_LABEL_EN}{_TITLE}({_KNOWN})"),
    _english(rf"(?:[Pp]atient(?:'s)? [Nn]ame|PATIENT NAME) *: *{_TITLE}({_ANYWAY})"),
    _english(rf"[Pp]atient's (?:full )?name is ({_FULL})"),
    _english(rf"(?:[Pp]t\.?|PT\.?) +{_TITLE}({_FULL})", after=r"(?=,? +(?:c/o|is an? |reports?|presents|denies|seen|\d{1,3} ?(?:y|-y)))"),
    _english(rf"[Nn]urse:? +{_TITLE}({_FULL}),? +{_DEGREE}"),
    _english(rf"({_ANYWAY})[ \t]*[-–,;|(\[]?[ \t]*(?:{_IDENTITY})"),
    # in a record
    _name(rf"(?:{_KIN}|{_SELF})[:： ]{{0,2}}({_WIDE}|{_GIVEN}{{2,4}}?)", end=r"[,，、 ]{1,2}(?:男|女|今年|\d{2}岁|\d{2}歲)|[（(](?:男|女|身份|身分|电话|電話|手机|手機|联系)", scope="record"),
    _english(rf"(?:[Mm]y|[Hh]is|[Hh]er) (?:full )?name is ({_FULL})", scope="record"),
    _name(rf"(?:{_PATIENT}|{_KIN}|{_SELF}|姓名|联系人|聯繫人|聯絡人|申请人|代理人|陪护|陪同人|兹有患者|陪同者|陪诊者|护送者|同行者)(?:姓名|之子|之女)?{_COLON}({_WIDE})", end=_STRICT + r"|今年|因|于|於|自|的|已|陪|住|诉|在|签|代|诊|探|到|同意|表示|要求|拒绝", scope="record"),
    _name(rf"(?:{_STAFF})(?:{_SIGNED})?[:： \t]{{0,3}}(?:为|是)?({_WIDE})", end=_STRICT + r"|医|醫|护|会诊|查|指示|于|为|已|主|，", scope="record"),
    _name(rf"(?:(?:{_STAFF})(?:{_SIGNED})?|{_SIGNED}|姓名|联系人|聯絡人)(?:[:：][ \t]*|[ \t\u3000]+)({_ANY})", end=_STRICT, scope="record"),
    _name(rf"({_SURE})(?:{_TITLED})", before=rf"(?:(?<!{HAN})|(?<=[由与和经为致科往向是让叫在及與經為讓]))", scope="record"),
    _name(rf"(?:[请請找挂约約好的绍紹])({_WIDE})(?:{_TITLED})", scope="record"),
    _name(rf"[找挂遵]({_SURE})", end=rf"{_STOP}|看|复|就|医嘱", scope="record"),
    _name(rf"[证證]明({_WIDE})", end=rf"君|{_STRICT}", scope="record"),
    _name(rf"({_WIDE})(?:[,， \t]{{1,4}}(?:男|女)(?:性|[,，\s]|$)|(?:男|女)性?[,，]?\d{{1,3}}[岁歲])", before=rf"(?<!{HAN})", scope="record"),
    _name(rf"(?:{_NAMED}):[ \t]*({_WIDE})", end=_STRICT, scope="record"),
    _name(rf"(?:{HAN}{{1,4}}(?:医师|醫師|护士|護理師|护师|药师|技师|人员|医生)|{HAN}?主任|护士长):[ \t]*({_GIVEN}{{2,3}}?)", end=_STRICT, scope="record"),
    _name(rf"({_GIVEN}{{2,3}}?)[,，](?:男|女)(?:性|[,，])", before=rf"(?<!{HAN})", scope="record"),
    _name(rf"({_WIDE})[ \t,，]{{0,4}}(?:病历|病歷|住院|病案|门诊|門診)(?:号|號)", before=rf"(?<!{HAN})", scope="record"),
    _name(rf"({_WIDE})[ \t]*", before=r"(?:(?<=\n)|(?<=[ \t院心科部所]))", end=r"\n[ \t]*(?:20\d{2}|[一二][〇零○]|民|\d{1,2}月)", scope="record"),
    _name(rf"({_SURE})", before=r"(?:(?<=[:\n\t /])|(?<=^))", end=r"[,，、。．;；(（)\]】|/\s]|$|性别|性別|男|女|年龄|年齡|病历|病歷|住院|门诊|門診", scope="record"),
    _name(rf"(?:[护系诉险款保益绍送理办责诊托嘱交]人|负责人|代理人)({_WIDE})", end=_STRICT, scope="record"),
    _name(rf"(?:医生|医师|醫師|醫生|大夫|护士|護理師|护师)[ \t:]*({_WIDE})[ \t]*", end=r"\n|$|20\d\d|[一二][〇零○]|[(（]签", scope="record"),
    _name(rf"\d{{1,3}}床[,， ]{{0,2}}({_SURE})", end=_STRICT, scope="record"),
    _name(rf"({_WIDE})(?:[ \t]?[（(]?(?:签名|签字|代签)|[ \t]*[（(][ \t]*(?:{_RELATED}[)）]|男|女|身份|身分|电话|電話|手机|手機|护照|病历|病歷|住院号|门诊号|\d{{1,3}}岁))", before=rf"(?:(?<!{HAN})|(?<=[人者名为由请明]))", scope="record"),
    _name(rf"({_FULL})[ \t]*[（(,，][ \t]*(?:男|女|身份|护照|出生|病历|病歷|住院号|电话)", before=r"(?<![A-Za-z])", scope="record"),
    _name(rf"我是({_ANY})的(?:儿子|女儿|妻子|丈夫|母亲|父亲|妈妈|爸爸|家属|爱人|老公|老婆|姐姐|哥哥|妹妹|弟弟|孙子|孙女)", scope="record"),
    _name(rf"(?:此致|尊敬的|敬致)[ \t]*({_WIDE})(?:主任|医生|医师|醫生|醫師|教授|大夫)", scope="record"),
    _name(rf"(?:通知|[请请由经与])(?:值班)?(?:医生|医师|大夫|護士|护士)({_CAREFUL})", end=_STOP, scope="record"),
    _name(rf"(?:姓名|{_PATIENT}|{_KIN}|{_STAFF}|{_SIGNED}){_COLON}(?:Dr\.? *)?({_FULL})", after=r"(?![A-Za-z])", scope="record"),
    _english(rf"(?:Dr|DR|Mr|MR|Mrs|MRS|Ms|MS|Miss|Prof|Doctor|Professor)(?:\. *| +)((?:[A-Z]\. ?)*{_CAP}(?: +(?:[A-Z]\.? +)?{_CAP}){{0,2}})", scope="record"),
    rule("name", rf"({_CAP}(?: [A-Z]\.?)? {_CAP})", before=r"(?<![A-Za-z])", after=r"(?![A-Za-z])", holds=_is_known, scope="record", flags=0),
    _english(rf"({_FULL}|(?:[A-Z]\. ?){{1,2}}{_CAP}),? +{_DEGREE}", scope="record"),
    _english(rf"({_FULL}) +\((?:MRN:? *|#)?[A-Z]{{0,2}}-?\d[\dA-Z-]{{4,}}\)", after="", scope="record"),
    _english(rf"{_ROLE_EN}[ \t]*[:.][ \t]*{_TITLE}({_ANYWAY})", scope="record"),
    _english(rf"(?:[Pp]t\.?|[Pp]atient|[Bb]y|[Ff]or|[Ff]rom|[Cc]ontact|[Nn]urse|[Cc]onsultant|[Pp]hysician|[Ss]urgeon|[Dd]octor|[Pp]rovider|[Tt]herapist|[Cc]aregiver|[Ii]nterpreter|[Aa]ide|PCP|GP|[Cc]ardiology|[Nn]eurology|[Oo]ncology|[Ss]urgery|[Pp]sychiatry|[Rr]esident|[Aa]ttending|record|of|with|that|[Cc]are of)[ \t]+{_TITLE}({_FULL})", after=r"(?=[ \t]*(?:[,.;:(\n]|c/o|is|was|has|had|who|at|on|$))", scope="record"),
    _english(rf"(?!{_NOT_A_PERSON})[A-Z][A-Za-z]+(?: [A-Za-z]+){{0,3}}[ \t]*:[ \t]*{_TITLE}({_FULL})", after=r"(?=[ \t]*(?:[,.;(\n]|  |$))", scope="record"),
    _english(rf"(?:[Ss]incerely|[Rr]egards|[Ff]aithfully|[Tt]ruly|[Ww]ishes|Thank you|Thanks),?\s+{_TITLE}({_FULL}|{_CAP})", scope="record"),
    _english(rf"Dear {_TITLE}({_CAP}(?: +{_CAP})?)", scope="record"),
    _english(rf"{_KIN_EN}[,:]?[ \t]+\(?({_CAP}(?: +[A-Z]\.)?(?: +{_CAP})?)", scope="record"),
    _english(rf"(?:I am|I'm|[Tt]his is|[Nn]amed?(?: is)?|[Cc]alled) ({_FULL})", scope="record"),
    _english(rf"({_FULL}) (?:is|was|has|had|underwent|presented|reports?|denies|tolerated|attended|complain(?:s|ed)|lives|called|phoned|states|said|told|requests|agrees|feels|takes|needs|came|arrived|returned)", after=r"(?![A-Za-z])", scope="record"),
)
_EPONYM_NEXT = r"(?!['’]s? |['’]s$| (?:disease|syndrome|sign|test|score|scale|criteria|lymphoma|point|reflex|method|procedure|catheter|Hospital|Medical|Clinic|Street|Road))"
_ORDINARY = frozenset("brown white black green grey gray young long short may will grace rose hope joy faith price field hand hill wood stone day may page bond bell ball foot head heart king prince pope case lane".split())


def mentions(names: set[str]) -> re.Pattern | None:
    """What matches every one of `names`, and the given and family names of those in Latin letters, wherever they stand."""
    parts = {part for name in names if name.isascii() for part in re.split(r"[ ,]+", name) if len(part) > 2 and part[0].isupper() and part.lower() not in _ORDINARY}
    parts |= {part.title() for part in parts if part.isupper()}
    whole = [re.escape(name) for name in sorted(names, key=lambda name: (-len(name), name)) if len(name) > 1]
    single = [re.escape(part) for part in sorted(parts - names, key=lambda part: (-len(part), part))]
    latin = rf"(?<![A-Za-z])(?:{'|'.join(single)})(?![A-Za-z]){_EPONYM_NEXT}" if single else ""
    found = "|".join([*(rf"(?<![A-Za-z]){name}(?![A-Za-z])" if name[0] < "\u0250" else name for name in whole), *([latin] if latin else [])])
    return re.compile(found) if found else None
