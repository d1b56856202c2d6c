"""Words by which names are told from prose, for `hygiene.names`: surnames, given names, and what a chart says that looks like a name."""

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
WORDLIKE = "時时应應向和从來来都那公能须須連连通解全水支当當容终終益相查谈經经常平"
"""Surnames that are words too: certain only after a label with its colon."""
COMPOUND_SURNAMES = ("欧阳|歐陽|上官|司马|司馬|诸葛|諸葛|皇甫|尉迟|尉遲|夏侯|慕容|令狐|端木|东方|司徒|公孙|呼延|轩辕|宇文|长孙|南宫|闻人|濮阳|淳于|单于|太史|申屠|独孤|赫连|百里")
CLINICAL = (
    "病症炎痛热熱压壓血期经經時时无無多可有身围圍醒酸言力口高低困难難应應答体體征徵感染疼肿腫瘤癌者方面部分性型类類种種率的了在于於因为為与與和及或是不未被"
    "疸斑芪痰苔色脂龄齡毒处處人重开開旧舊述诉訴绝絕缓緩镜鏡续續范季筛篩上下发發出入后後前近来來去现現今自主要行用服做起已曾再又都很较較最更其此该該当當至从從向對对由"
    "女男子岁歲需须須会會能将將均诊診治疗療药藥疾患医醫温溫度咳喘呕嘔吐便尿汗眩晕暈昏迷麻木瘫癱某每周边月日年细細菌氏综綜量数數值阳陽阴陰"
)
"""Characters of clinical prose: after `患者` a name holds none of them, unless sex or age follow."""
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
aaliyah abdul adam ahmed aisha akira alejandro ali alma ana anders andre angel anita antonio arjun arun ava beatrice boris camila carlos carmen chen chloe
claire claudia colin connor dana daria deepak diego dimitri dmitri elena eleanor ella
elsa emilia emilio enrique erik esther eva fatima fernando fiona francisco georgia gerard gita grant guo hamid hans harold hassan hiroshi hua ibrahim igor
imani ingrid irene isaac ivan jaime jamal javier jie jin jing jun kamal karim kate kenji khalid
klaus krishna lakshmi lars latoya leila leon lena li lin liu lucia luis luna magnus malik manuel marco margaret maria mario marisol mehmet mei mia miguel
mikhail ming miriam mohamed mohammad mohammed muhammad naomi natasha neha nikhil nina noor olga oliver
omar oscar pablo paolo pedro penelope pierre priya rafael rahul raj ramesh ramon ravi ricardo roberto rosa ruben rui sana sanjay sean sergei shreya sofia
sonia stefan stella sunil sunita svetlana tariq tatiana tomas usha valentina vera vijay vikram
vladimir wei xavier xin yan yang yasmin ying yuki yusuf zainab zoe""".split()
"""Common English given names; the check that `Patient Care Services` is not a person."""
NOT_NAMES = frozenset("""不详 未知 保密 匿名 患者 病人 本人 如下 同上 医师 医生 大夫 护士 主任 签名 签字 见下 待查 待定 某某 值班 管床 责任 家属 关系 谈话 申请 记录 您好 你好 谢谢
母亲 父亲 家长 妻子 丈夫 妈妈 爸爸 爷爷 奶奶 老年 青年 中年 成年 儿童 婴儿 孕妇 老人 高血压 高热 高危 高龄 高度 白血病 白血 白带 白色 白天 黄疸 黄色 周围 安静 安全 安排 平素 平时 平均 平卧 马上 张力 毛细 水肿 水平 水分 麻木 麻醉
万一 万分 常规 常见 常有 全身 全部 全程 明显 明确 单纯 单位 单独 成人 成分 成功 连续 连同 边界 方便 方法 方面 方案 石膏 金属 金额 云南 于是 时间 时候 时常 和谐 和其他 来源 来院 来诊 来自 应该 应用 应当 应激 都是 查体 查房 查看
计划 官能 原发 冷汗 宁可 康复 保守 保健 保险 管理 管路 管道 易感 关注 关于 关节 解释 解除 解决 强烈 强度 强调 花费 习惯 简单 封闭 台湾 华人 房颤 曲张 毕业 任何 文化 左侧 左右 右侧 包括 游泳 向来 商量 相关 相应 施行 干燥 干预 项目 顾虑
华法林 陈皮 黄芪 黄连 黄柏 黄精 黄酮 黄芩 白术 白芍 白芷 白芨 白果 白蛋白 白细胞 连翘 金银花 金钱草 金黄色 马钱子 马齿苋 马来酸 何首乌 麻黄 麻仁 牛膝 牛黄 熊胆 龙骨 龙胆 龙胆草 柏子仁 石膏 石斛 石决明 葛根 杜仲 柴胡 夏枯草 苏木 苏子 苏合香 车前子
常山 党参 巴豆 巴戟天 贝母 乌梅 乌头 乌药 安乃近 安宫 安定 安徽 安慰剂 甘露醇 甘草 甘油 利福平 利巴韦 利多卡 利培酮 江苏 江西 广州 广东 广西 云南 吉林 温州 成都 汉族 满族 金华 郁金 郁闷 桑叶 桑枝 桑白皮 桂枝 桂皮 蒲黄 蒲公英 柳氮 荆芥 胡椒 胡萝卜 葱白 姜黄 姜片
米汤 米饭 都可 申请单 计数 计量 平扫 平坦 平稳 平衡 平滑 强化 强阳 路径 路况 阳虚 施术 支架 支原体 干咳 干扰素 干细胞 全麻 全血 全天 全科 单核 单胺 单侧 双盲 双下肢 左氧氟 左肺 左室 左心 左上 左下 左肾 左眼 左手 左腿 右肺 右室 右心 成像 边缘 查血 包块 容量
曾经 许多 皮下 怀孕 花生 慎用 周边 满月 融合 冷感 白醋 首先 年龄 辛辣 文献 方才 于今 于此 于当 于该 于昨 于上 于下 于我 于其 于外 于家 古方 单次 单一 边界 原因 原来 原有 原位 官方 商业 广东 明日 明天 明年 成长 安眠 安装 霍乱 易瘀青 易怒 易疲劳 易出汗 还是 麻烦 年轻 田基黄 车祸 农民 农村 党员 司机 宗教 宣教 容易 阳性 阴性 阴道 国家 国内 国产 步行 步骤 满意 广泛 利尿 利用 养护 丰富 双侧 双肺 双下 劳累 劳动 费用 符合 顺利 支持 晋升 古代 都市 终身 终止 益生 公司 公共 权利 强直
屈曲 伸展 席地 温水 路过""".split())
"""Words of a Chinese chart that begin like a name."""
NOT_NAMES_EN = frozenset("""patient doctor hospital clinic center centre medical department unit room date of the and is was in on at no not none unknown
home general emergency surgery history note report summary
discharge admission medicine health care service services nursing plan chief complaint normal negative positive left right type stage street road avenue
university college institute school ward white black today
address phone sex age name physician provider diagnosis follow thank dear sincerely yours regards allergies medications labs exam assessment review
systems vital signs blood pressure dob mrn this that he she his her your our
family social past present reason visit time hours weeks days results test imaging computed magnetic chest abdomen heart status post new old good morning
afternoon evening hello hi please call primary infirmary hospice pharmacy church foundation society association incorporated inc disease syndrome
thyroiditis lymphoma form message
see group overview drug drugs approved options key points chronic acute childhood adult treatment treatments cancer leukemia hepatitis kidney
colleague colleagues team sir sirs madam parents friend all med rec dr mr mrs ms miss prof professor physical therapy insurance member number record id
client patient's records scan mri ct""".split())
ORDINARY = frozenset("""brown white black green grey gray young long short may will grace rose hope joy faith price field hand hill wood stone day may page bond
bell ball foot head heart king prince pope case lane""".split())
"""Family names that are words too: a text that names a Brown may still speak of brown sputum."""
