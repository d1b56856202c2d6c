"""How things are asked. Two disjoint families: `train` stems go into training data, `exam` stems only into the held-out benchmark.

A stem says {name}; English ones may say {a_name} (with its article), {Name}, {A_name} and the verbs {is}, {does}.
"""

STEMS = {
    ("department", "zh"): {
        "train": (
            "{name}应该挂哪个科？", "得了{name}该看哪个科？", "{name}由哪个科室诊治？", "看{name}要去什么科室？",
            "怀疑{name}，首选哪个科室？", "{name}是哪个科的病？", "{name}患者应到哪个科就诊？"),
        "exam": ("下列哪个科室主管{name}？", "{name}归以下哪一科管？", "若患{name}，最合适的就诊科室为："),
    },
    ("department", "en"): {
        "train": (
            "Which department treats {a_name}?", "Which department should a patient with {a_name} visit?",
            "Which specialty looks after {a_name}?", "{A_name} belongs to which department?",
            "Where should a patient with {a_name} go?", "Which hospital department handles {a_name}?",
            "Someone may have {a_name}. Which department is right?"),
        "exam": (
            "Management of {a_name} falls to which specialty?", "Suspecting {a_name}, you refer the patient to:",
            "The specialty in charge of {a_name} is:"),
    },
    ("symptom", "zh"): {
        "train": (
            "{name}最典型的症状是什么？", "{name}最有特征性的表现是什么？", "哪种症状最能提示{name}？", "{name}的标志性症状是什么？",
            "{name}发病时典型的表现是什么？", "什么样的症状像是{name}？", "{name}患者最突出的不适是什么？"),
        "exam": ("下列哪项最符合{name}的表现？", "对{name}最具提示性的是：", "见到以下哪种情况应首先想到{name}？"),
    },
    ("symptom", "en"): {
        "train": (
            "What is the most typical symptom of {a_name}?", "Which symptom is most characteristic of {a_name}?",
            "Which complaint points most strongly to {a_name}?", "What is the hallmark of {a_name}?",
            "How {does} {a_name} typically show?", "What should make one think of {a_name}?",
            "What does a patient with {a_name} typically notice?"),
        "exam": (
            "Which finding best fits {a_name}?", "{A_name} {is} suggested most by:",
            "Which presentation is classic for {a_name}?"),
    },
    ("cause", "zh"): {
        "train": (
            "{name}的主要病因是什么？", "{name}是由什么引起的？", "什么原因会导致{name}？", "为什么会得{name}？",
            "{name}常见的致病因素是什么？", "{name}是怎么来的？", "{name}背后的原因是什么？"),
        "exam": ("下列哪项是{name}的发病原因？", "{name}通常源于：", "与{name}的发生关系最密切的是："),
    },
    ("cause", "en"): {
        "train": (
            "What is the main cause of {a_name}?", "What usually causes {a_name}?", "Why {does} {a_name} develop?",
            "What lies behind {a_name}?", "What brings on {a_name}?", "What is {a_name} usually due to?",
            "How does someone come to have {a_name}?"),
        "exam": ("{A_name} most often result{s} from:", "Which factor underlies {a_name}?", "The usual origin of {a_name} is:"),
    },
    ("test", "zh"): {
        "train": (
            "确诊{name}主要做什么检查？", "怀疑{name}时应做哪项检查？", "诊断{name}靠什么？", "{name}的主要检查是什么？",
            "怎样查出{name}？", "{name}要做哪种检查来确认？", "医生凭什么检查判断{name}？"),
        "exam": ("下列哪项最有助于诊断{name}？", "为明确{name}，应安排：", "对{name}诊断价值最大的是："),
    },
    ("test", "en"): {
        "train": (
            "Which test confirms {a_name}?", "What test is used to diagnose {a_name}?", "How {is} {a_name} diagnosed?",
            "What should be done to check for {a_name}?", "Which examination reveals {a_name}?",
            "What is the key test for {a_name}?", "How do doctors make sure that it is {a_name}?"),
        "exam": (
            "The most useful investigation for suspected {name} is:", "To establish {a_name}, one relies on:",
            "Which workup best identifies {a_name}?"),
    },
    ("treatment", "zh"): {
        "train": (
            "{name}的主要治疗方法是什么？", "{name}怎么治疗？", "{name}首选什么治疗？", "{name}患者应接受什么治疗？",
            "医生通常怎样治疗{name}？", "治疗{name}用什么方法？", "{name}一般怎么处理？"),
        "exam": ("下列哪项是针对{name}的合适措施？", "就{name}而言，标准疗法为：", "对已确诊的{name}，应给予："),
    },
    ("treatment", "en"): {
        "train": (
            "What is the main treatment for {a_name}?", "How {is} {a_name} treated?", "What is usually done for {a_name}?",
            "What treatment does a patient with {a_name} need?", "Which treatment is preferred for {a_name}?",
            "How do doctors usually treat {a_name}?", "What helps against {a_name}?"),
        "exam": (
            "Appropriate management of {a_name} consists of:", "Standard therapy for confirmed {name} is:",
            "Which intervention suits {a_name} best?"),
    },
    ("class", "zh"): {
        "train": (
            "{name}属于哪类药物？", "{name}是什么类型的药？", "{name}在药理上归为哪一类？", "{name}是一种什么药？",
            "{name}是哪种类别的药？", "{name}的药物分类是什么？", "{name}算什么药？"),
        "exam": ("下列哪项是{name}的药理分类？", "{name}归于以下哪类？", "从药物类别看，{name}为："),
    },
    ("class", "en"): {
        "train": (
            "What class of drug is {name}?", "{Name} belongs to which drug class?", "What kind of medicine is {name}?",
            "How is {name} classified?", "What type of drug is {name}?", "Which drug class does {name} come under?",
            "{Name} is a member of which group of drugs?"),
        "exam": (
            "The pharmacological category of {name} is:", "Which label fits {name} pharmacologically?",
            "In terms of drug category, {name} counts as:"),
    },
    ("used_for", "zh"): {
        "train": (
            "{name}主要用来治什么？", "{name}是治什么的？", "医生在什么情况下会开{name}？", "{name}的主要用途是什么？",
            "{name}主要用于什么？", "{name}有什么作用？", "什么病会用到{name}？"),
        "exam": ("下列哪项最符合{name}的适应证？", "{name}最适合用于：", "{name}的应用范围包括："),
    },
    ("used_for", "en"): {
        "train": (
            "What is {name} mainly used for?", "What does {name} treat?", "Why would a doctor prescribe {name}?",
            "What is the main use of {name}?", "When is {name} given?", "What is {name} good for?",
            "For what is {name} prescribed?"),
        "exam": ("Which indication fits {name} best?", "{Name} is best suited for:", "The usual reason to give {name} is:"),
    },
    ("side_effect", "zh"): {
        "train": (
            "{name}常见的副作用是什么？", "用{name}可能有什么不良反应？", "{name}有哪种典型的副作用？", "用{name}后可能出现什么不适？",
            "{name}的主要不良反应是什么？", "使用{name}要留意什么副作用？", "{name}会带来什么副作用？"),
        "exam": ("下列哪项不良反应最符合{name}？", "{name}相关的不良反应为：", "应用{name}期间最可能出现："),
    },
    ("side_effect", "en"): {
        "train": (
            "What is a typical side effect of {name}?", "What side effect can {name} have?",
            "What unwanted effect may {name} cause?", "What may patients taking {name} notice as a side effect?",
            "Which side effect is {name} known for?", "What side effect of {name} should one look out for?",
            "What is the main adverse effect of {name}?"),
        "exam": ("Which adverse reaction is best known with {name}?", "An adverse reaction linked to {name} is:", "During {name} therapy one may expect:"),
    },
    ("caution", "zh"): {
        "train": (
            "使用{name}要注意什么？", "用{name}时最需要小心什么？", "{name}的注意事项是什么？", "哪种情况下用{name}要谨慎？",
            "用{name}之前要提醒什么？", "{name}有什么用药禁忌或提醒？", "医生给{name}时会强调什么？"),
        "exam": ("下列哪项提醒最适合{name}？", "使用{name}须留意的是：", "{name}的用药安全要点是："),
    },
    ("caution", "en"): {
        "train": (
            "What caution applies to {name}?", "What should one be careful about with {name}?",
            "What is the main precaution with {name}?", "What do doctors warn about when giving {name}?",
            "When does {name} call for care?", "What should be kept in mind when using {name}?",
            "What warning goes with {name}?"),
        "exam": ("Which warning fits {name} best?", "A key safety point about {name} is:", "Before prescribing {name}, one must consider:"),
    },
}
"""(attribute, language) -> family -> stems."""
