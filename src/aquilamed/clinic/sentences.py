"""How facts are stated in pages and answers.

`NAMED` statements carry the subject's name; `SHORT` ones stand below a heading or after a sentence that named it.
{value} is the fact; a symptom statement says {first} (the most characteristic one) and {rest}.
"""

NAMED = {
    ("department", "zh"): (
        "{name}由{value}诊治", "得了{name}应看{value}", "{name}患者应挂{value}的号", "{name}属于{value}的诊治范围", "诊治{name}的科室是{value}"),
    ("department", "en"): (
        "{A_name} {is} treated by the department of {value}", "Patients with {a_name} should go to the department of {value}",
        "The department of {value} looks after patients with {a_name}", "{A_name} belong{s} to the field of {value}",
        "For {a_name}, the right department is {value}"),
    ("symptom", "zh"): (
        "{name}最典型的症状是{first}，还可出现{rest}", "{name}的特征性表现是{first}，也可伴有{rest}", "{name}最突出的表现是{first}；此外还可有{rest}",
        "提示{name}的首要症状是{first}，其他表现包括{rest}", "{name}患者最典型的表现为{first}，部分人还有{rest}"),
    ("symptom", "en"): (
        "The most typical symptom of {a_name} is {first}; there may also be {rest}",
        "{A_name} typically show{s} as {first}. Patients may also have {rest}",
        "The hallmark of {a_name} is {first}, often together with {rest}",
        "What points most strongly to {a_name} is {first}; other signs include {rest}",
        "Most characteristic of {a_name} is {first}. Some patients also have {rest}"),
    ("cause", "zh"): (
        "{name}的主要病因是{value}", "{name}多由{value}引起", "导致{name}的常见原因是{value}", "{name}的发生主要与{value}有关", "{name}背后的原因多为{value}"),
    ("cause", "en"): (
        "The main cause of {a_name} is {value}", "{A_name} {is} usually due to {value}", "{A_name} mostly develop{s} because of {value}",
        "What usually lies behind {a_name} is {value}", "As a rule, {a_name} {is} brought on by {value}"),
    ("test", "zh"): (
        "确诊{name}的主要检查是{value}", "诊断{name}主要靠{value}", "怀疑{name}时，医生会安排{value}", "{name}的关键检查是{value}", "要查明是否为{name}，一般做{value}"),
    ("test", "en"): (
        "The key test for {a_name} is {value}", "{A_name} {is} diagnosed mainly by {value}", "To confirm {a_name}, doctors rely on {value}",
        "When {a_name} {is} suspected, the main step is {value}", "The usual way to check for {a_name} is {value}"),
    ("treatment", "zh"): (
        "{name}的主要治疗是{value}", "治疗{name}以{value}为主", "对于{name}，医生通常采用{value}", "{name}的常用治疗方法是{value}", "{name}确诊后，主要的处理是{value}"),
    ("treatment", "en"): (
        "The main treatment for {a_name} is {value}", "{A_name} {is} mainly treated with {value}",
        "Treatment of {a_name} usually consists of {value}", "For {a_name}, doctors mainly turn to {value}",
        "What helps most against {a_name} is {value}"),
    ("class", "zh"): ("{name}属于{value}", "{name}是一种{value}", "{name}在药物分类上是{value}", "从类别上说，{name}是{value}"),
    ("class", "en"): (
        "{Name} is {value}", "{Name} belongs to this class of drugs: {bare}", "{Name} is classed as {value}", "The drug class of {name} is {bare}"),
    ("used_for", "zh"): ("{name}主要用于{value}", "医生用{name}来应对{value}", "{name}适用于{value}", "{name}常用于{value}"),
    ("used_for", "en"): (
        "{Name} is mainly used for {value}", "Doctors prescribe {name} for {value}", "{Name} is prescribed mainly for {value}",
        "{Name} is usually given for {value}"),
    ("side_effect", "zh"): ("{name}的典型副作用是{value}", "使用{name}可能出现{value}", "{name}常见的不良反应是{value}", "用{name}后要留意{value}"),
    ("side_effect", "en"): (
        "A typical side effect of {name} is {value}", "{Name} can cause {value}", "The best-known side effect of {name} is {value}",
        "Patients taking {name} may notice {value}"),
    ("caution", "zh"): ("使用{name}时须注意：{value}", "{name}的用药提醒是：{value}", "用{name}时医生会特别强调：{value}", "{name}的注意事项：{value}"),
    ("caution", "en"): (
        "The main precaution with {name}: {value}", "Doctors giving {name} warn of this: {value}", "Keep this in mind with {name}: {value}",
        "A caution that goes with {name}: {value}"),
}
"""(attribute, language) -> statements, without the closing full stop."""

SHORT = {
    ("department", "zh"): ("应到{value}就诊", "就诊科室为{value}", "由{value}诊治"),
    ("department", "en"): (
        "The right department is {value}", "Patients are treated by the department of {value}", "It is a matter for the department of {value}"),
    ("symptom", "zh"): ("最典型的症状是{first}，还可出现{rest}", "特征性表现是{first}，也可有{rest}", "主要表现为{first}，此外可伴{rest}"),
    ("symptom", "en"): (
        "The most typical symptom is {first}; there may also be {rest}", "Most characteristic is {first}. Other signs include {rest}",
        "The hallmark is {first}, often together with {rest}"),
    ("cause", "zh"): ("主要病因是{value}", "多由{value}引起", "常见原因是{value}"),
    ("cause", "en"): ("The main cause is {value}", "The usual reason is {value}", "Most cases are due to {value}"),
    ("test", "zh"): ("主要检查是{value}", "诊断主要靠{value}", "医生通常安排{value}"),
    ("test", "en"): ("The key test is {value}", "The diagnosis is made mainly by {value}", "Doctors usually rely on {value}"),
    ("treatment", "zh"): ("主要治疗是{value}", "治疗以{value}为主", "通常采用{value}"),
    ("treatment", "en"): ("The main treatment is {value}", "Treatment usually consists of {value}", "Doctors mainly turn to {value}"),
    ("class", "zh"): ("属于{value}", "它是一种{value}", "药物类别为{value}"),
    ("class", "en"): ("It is {value}", "Drug class: {bare}", "It is classed as {value}"),
    ("used_for", "zh"): ("主要用于{value}", "适用于{value}", "常用于{value}"),
    ("used_for", "en"): ("It is mainly used for {value}", "Doctors prescribe it for {value}", "It is prescribed mainly for {value}"),
    ("side_effect", "zh"): ("典型副作用是{value}", "可能出现{value}", "常见不良反应为{value}"),
    ("side_effect", "en"): ("A typical side effect is {value}", "It can cause {value}", "Its best-known side effect is {value}"),
    ("caution", "zh"): ("须注意：{value}", "用药提醒：{value}", "特别提醒：{value}"),
    ("caution", "en"): ("The main precaution: {value}", "A word of caution: {value}", "Keep this in mind: {value}"),
}
"""The same without the name."""

HEADINGS = {
    ("department", "zh"): ("就诊科室", "看什么科"), ("department", "en"): ("Department", "Where to go"),
    ("symptom", "zh"): ("症状", "主要表现", "有什么表现"), ("symptom", "en"): ("Symptoms", "Signs and symptoms", "What it feels like"),
    ("cause", "zh"): ("病因", "发病原因", "为什么会得"), ("cause", "en"): ("Cause", "Causes", "Why it happens"),
    ("test", "zh"): ("检查", "诊断方法", "怎么查"), ("test", "en"): ("Tests", "Diagnosis", "How it is found"),
    ("treatment", "zh"): ("治疗", "治疗方法", "怎么治"), ("treatment", "en"): ("Treatment", "What is done", "How it is treated"),
    ("advice", "zh"): ("生活提醒", "医生建议", "日常注意"), ("advice", "en"): ("Advice", "Living with it", "What you can do"),
    ("red_flag", "zh"): ("危险信号", "何时急诊", "警惕"), ("red_flag", "en"): ("Danger signs", "When to call for help", "Red flags"),
    ("class", "zh"): ("类别", "药物类别"), ("class", "en"): ("Class", "Drug class"),
    ("used_for", "zh"): ("用途", "主治"), ("used_for", "en"): ("Use", "What it is for"),
    ("side_effect", "zh"): ("副作用", "不良反应"), ("side_effect", "en"): ("Side effect", "Possible side effect"),
    ("caution", "zh"): ("注意", "注意事项"), ("caution", "en"): ("Caution", "Warning"),
    ("how", "zh"): ("用法提示", "怎么用"), ("how", "en"): ("How to take it", "Use in practice"),
    ("about", "zh"): ("简介", "概述"), ("about", "en"): ("Overview", "In short"),
}

DANGER = {
    "zh": ("危险信号：{flag}，须立即就医或呼叫急救", "若有以下情况请马上拨打急救电话：{flag}", "需要立刻去急诊的情况：{flag}", "警示情况：{flag}，不要拖延，立即就医"),
    "en": (
        "Danger signs: {flag}. Call for emergency help at once", "Go to the emergency department at once if this happens: {flag}",
        "Red flag: {flag}. Do not wait; get emergency help", "This cannot wait and needs emergency care: {flag}"),
}
SEE_DOCTOR = {
    "zh": ("出现以下情况要尽快就医：{flag}", "警示信号：{flag}，应及时到医院检查", "如有以下情况，请当天就诊：{flag}"),
    "en": ("See a doctor soon if this appears: {flag}", "Warning sign: {flag}. Have it checked without delay", "A reason to see a doctor the same day: {flag}"),
}
"""For red flags that do not need an ambulance."""

PRESCRIBED = {
    "zh": ("请遵医嘱使用，不要自行购买或停用。", "是否适合使用，要由医生检查后决定。", "用量由医生根据病情决定。"),
    "en": ("Use it only as a doctor has told you.", "Whether it suits you is for a doctor to decide after an examination.",
           "The dose is for the doctor to set."),
}
