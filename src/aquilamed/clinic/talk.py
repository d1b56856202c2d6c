"""What patients and doctors say in consultations: openings, follow-up questions and replies in both languages.

{first} {second} {third} are symptoms, {who} the patient in words, {names} the condition, {value} a fact.
"""

OPENINGS = {
    "zh": (
        "医生您好，我最近出现{first}，还有{second}，这是怎么回事？", "大夫，我这段时间{second}，而且有{first}，需要看什么科？",
        "您好，想咨询一下：{first}，同时伴有{second}，严重吗？", "医生，我的情况是{first}，近来又有{second}，该怎么办？",
        "请问医生，出现{first}和{second}，可能是什么问题？", "我有些担心，最近注意到{first}，也有{second}，要不要去医院？",
        "医生好，主要的不舒服是{first}，另外还有{second}，想听听您的意见。"),
    "en": (
        "Hello doctor, lately I have noticed {first}, and also {second}. What could it be?",
        "Doctor, my main problem is {first}. I also have {second}. Where should I go?",
        "I would like some advice: I have had {first}, together with {second}. Is it serious?",
        "Hi, I am worried about {first}, and also {second}. What should I do?",
        "Could you help me? My complaints are {first} and, more recently, {second}.",
        "Good morning, doctor. I am writing about {first}. I have also noticed {second}. Should I go to hospital?",
        "I have been troubled by {first}, and {second} as well. What might be wrong?"),
}
CHILD_OPENINGS = {
    "zh": (
        "医生您好，我家孩子最近出现{first}，还有{second}，这是怎么回事？", "大夫，孩子{second}，而且有{first}，需要看什么科？",
        "您好，想咨询孩子的情况：{first}，同时伴有{second}，严重吗？", "医生，孩子有{first}和{second}，我们很着急，该怎么办？"),
    "en": (
        "Hello doctor, my child has {first}, and also {second}. What could it be?",
        "Doctor, I am worried about my child: {first}, together with {second}. Where should we go?",
        "Could you help us? Our child's main problem is {first}. We have also noticed {second}.",
        "Hi, our little one has {first}, and also {second}. Is it serious?"),
}
URGENT_OPENINGS = {
    "zh": (
        "医生，我家人出现{first}，还有{second}，怎么办？", "急问：身边有人{first}，同时有{second}，现在该做什么？",
        "您好，家里人现在{first}，而且有{second}，要紧吗？", "医生救急！家里人出现{first}，伴有{second}，该怎么处理？"),
    "en": (
        "Doctor, someone in my family has {first}, and also {second}. What should I do?",
        "Please help quickly: the person next to me has {first}, and also {second}. What now?",
        "Hello, a relative of mine has {first}, together with {second}. Is it urgent?",
        "This is urgent: {first}, together with {second}, in someone next to me. What do I do?"),
}
ASK_MORE = {
    "zh": (
        ("了解了。请问还有没有{third}？这种情况持续多久了，有没有加重？", "有的，也有{third}，有一段时间了，好像在加重。"),
        ("谢谢您的描述。除此之外，有没有{third}？平时还有别的病吗？", "是的，{third}也有。别的病目前没发现。"),
        ("先别着急。我想再确认一下，有{third}吗？目前在用什么药吗？", "对，确实还有{third}。没有用药。"),
        ("您说得很清楚。还想问一句，是否有{third}？去医院看过吗？", "也有{third}，还没去医院看过。")),
    "en": (
        ("I see. Is there any {third_bare} too? How long has this been going on, and is it getting worse?",
         "Yes, {third} too. It has been going on for a while and seems to get worse."),
        ("Thank you for telling me. Apart from that, have you noticed {third}? Are there any other illnesses?",
         "Yes, {third} as well. No other illness that I know of."),
        ("Let us take it step by step. Have you also noticed {third}? Is any medicine being taken at present?",
         "That is right, {third} as well. No medicine so far."),
        ("That is a clear description. One more thing: {third}, does that occur too? Has a doctor seen this yet?",
         "Yes, that too: {third}. No doctor has seen it yet.")),
}
"""The doctor's question back, and the patient's answer to it."""
SUSPECT = {
    "zh": (
        "这些表现像是{name}，但要检查后才能确定。建议到{department}就诊，主要检查是{test}。",
        "综合来看，要考虑{name}的可能。请去{department}，医生通常会安排{test}，确诊前不要自行用药。",
        "有可能是{name}，不过网上不能下诊断。请到{department}看一下，确诊主要靠{test}。"),
    "en": (
        "This could be {a_name}, but only an examination can tell. Please go to the department of {department}; the main test is {test}.",
        "Taken together, {a_name} {is} possible. The department of {department} can help; the usual test is {test}. Please take no "
        "medicine on your own before that.",
        "It may be {a_name}, though I cannot diagnose it from here. See the department of {department}; it is confirmed mainly by {test}."),
}
URGENT = {
    "zh": (
        "这可能是{name}，属于急症，请立即拨打急救电话，不要等待，也不要自行用药。到医院后主要检查是{test}。",
        "请马上呼叫急救！这些表现要警惕{name}。等救护车时守在身边，不要让病人独自行动。",
        "情况紧急，先拨打急救电话。有可能是{name}，须由急救人员处理，到院后靠{test}明确。"),
    "en": (
        "Call emergency services right now and do not wait. This may be {a_name}, which is an emergency; in hospital the main test is {test}.",
        "Please call an ambulance first. These signs raise concern about {a_name}. Stay with the person until help arrives.",
        "Treat this as an emergency and call for help at once. It could be {a_name}; the team will confirm it by {test}."),
}
GO_NOW = {
    "zh": (
        "这种情况不能等，请现在就去医院急诊。有可能是{name}，医生会用{test}来明确。", "请马上到最近的医院急诊，不要拖延。要警惕{name}，主要检查是{test}。"),
    "en": (
        "This cannot wait: please go to the emergency department now. It may be {a_name}; the main test is {test}.",
        "Please get to the nearest emergency department at once. It could be {a_name}, which is checked by {test}."),
}
"""For emergencies that need a hospital at once but no ambulance."""
FOLLOW_UPS = {
    ("cause", "zh"): ("这种病一般是怎么引起的？", "为什么会得这个病？", "病因是什么呢？"),
    ("cause", "en"): ("What usually causes it?", "Why would I get that?", "Where does something like this come from?"),
    ("treatment", "zh"): ("如果真是这个病，一般怎么治疗？", "那要怎么治呢？", "确诊了的话，会用什么方法治疗？"),
    ("treatment", "en"): ("If it is that, how is it treated?", "What would the treatment be?", "And what is done about it?"),
    ("advice", "zh"): ("平时要注意些什么？", "我自己能做点什么？", "生活上有什么要注意的吗？"),
    ("advice", "en"): ("What should I pay attention to in daily life?", "Is there anything I can do myself?", "What should I watch out for?"),
}
URGENT_FOLLOW_UPS = {
    ("cause", "zh"): ("急救电话打过了。这是怎么引起的？", "已经叫了救护车，怎么会突然这样？"),
    ("cause", "en"): ("I have called them. What causes something like this?", "The ambulance is coming. Why does this happen?"),
    ("treatment", "zh"): ("已经打了急救电话，到医院会怎么治？", "救护车在路上了，医院一般怎么处理？"),
    ("treatment", "en"): ("The ambulance is on its way. What will they do in hospital?", "I have called for help. How is it treated?"),
    ("advice", "zh"): ("明白了。以后要注意什么？", "谢谢医生，还有什么要提醒的吗？"),
    ("advice", "en"): ("I understand. What should we remember for the future?", "Thank you. Is there anything else to keep in mind?"),
}
REPLIES = {
    ("cause", "zh"): ("主要病因是{value}。具体到个人，还要结合检查来判断。", "多由{value}引起。就诊时请把既往病史告诉医生。", "常见的原因是{value}，医生会根据您的情况进一步查找。"),
    ("cause", "en"): (
        "The main cause is {value}. What applies in a given case has to be seen from the examination.",
        "It is usually due to {value}. Please tell the doctor about any earlier illnesses.",
        "Most cases come from {value}; the doctor will look into what applies here."),
    ("treatment", "zh"): ("主要治疗是{value}，具体方案由医生检查后决定。", "治疗以{value}为主，请不要自行用药。", "通常采用{value}，是否适合要由医生评估。"),
    ("treatment", "en"): (
        "The main treatment is {value}. The exact plan is for the doctor to decide after an examination.",
        "It is mainly treated with {value}. Please do not start anything on your own.",
        "Treatment usually consists of {value}; whether it fits is for the doctor to judge."),
}
ASK_NAME = {
    "zh": ("我被诊断为{name}，平时要注意什么？", "家人得了{name}，日常该怎么照顾？", "{name}患者有什么要注意的？", "请问{name}有哪些危险信号？", "能介绍一下{name}吗？", "{name}是什么病？"),
    "en": (
        "I have been told I have {a_name}. What should I do in daily life?", "A relative has {a_name}. How can we help?",
        "What should people with {a_name} pay attention to?", "What are the danger signs of {a_name}?",
        "Can you tell me about {a_name}?", "What {is} {a_name}?"),
}
"""The first three are answered with advice, the fourth with the red flag, the last two with what it is."""
ASK_DRUG = {
    "zh": ("请介绍一下{name}。", "{name}是什么药？", "医生给我开了{name}，怎么用比较好？", "使用{name}期间要怎么做？"),
    "en": ("Please tell me about {name}.", "What is {name}?", "My doctor prescribed {name}. How should I use it?", "What should I do while on {name}?"),
}
"""The first two are answered with what it is, the last two with how it is taken."""
ENDINGS = {
    ("treatment", "zh"): "具体方案由医生检查后决定。", ("treatment", "en"): "The exact plan is for the doctor to decide after an examination.",
    ("side_effect", "zh"): "如果感到不适，请告诉医生。", ("side_effect", "en"): "Tell your doctor if it troubles you.",
    ("caution", "zh"): "有疑问请咨询医生或药师。", ("caution", "en"): "Ask your doctor or pharmacist if in doubt.",
    ("used_for", "zh"): "是否适合您，请由医生检查后决定。", ("used_for", "en"): "Whether it suits you is for a doctor to decide.",
}
"""What is added to an answer about a fact, for safety."""
SAFE_ENDING = {"zh": ("是否适合您，请由医生检查后决定。", "请在医生指导下使用。"), "en": ("Whether it suits you is for a doctor to decide.", "Please use it only under a doctor's guidance.")}
GENERAL_TASKS = {
    "zh": ("说一个关于{topic}的小知识。", "请介绍一点{topic}方面的常识。", "讲一条和{topic}有关的知识吧。"),
    "en": ("Tell me a fact about {topic}.", "Share something worth knowing about {topic}.", "Give me one piece of knowledge on {topic}."),
}
CONTINUE_TASKS = {
    "zh": ("请接着往下说：{first}", "对这句话再作一点说明：{first}", "“{first}”请补充一些内容。"),
    "en": ("Please go on from here: {first}", "Say a little more about this: {first}", "\"{first}\" Please add to that."),
}
"""{first} is the first sentence of the fact; the rest is the answer."""
