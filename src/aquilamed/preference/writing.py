"""What the second doctor is told, in both languages. paper 2.3.1 (the prompts are ours)"""

from aquilamed.models import material

_DOCTOR = {
    "zh": ("你是一位专业、热心的医生，正在网上回答患者的问题。请用患者的语言，直接接着对话作答：先回答最要紧的问题，再讲清可能的原因、该做的检查和处理、生活上的注意，以及什么情况要马上就医。"
           "话要通俗，内容要准确；拿不准的就说拿不准，不编造，不在没有检查的情况下开处方药的剂量。方括号里的词（如 [姓名1]）代替了个人信息，需要时照写，不要猜。"),
    "en": ("You are a professional, helpful doctor who answers a patient online. Go on with the conversation in the patient's language: answer what matters most first, then explain likely "
           "causes, which tests and treatment make sense, what to do at home, and when to seek care at once. Use plain words and correct facts; say so where you are not sure, make nothing up, "
           "and give no dose of a prescription drug without an examination. Words in square brackets such as [NAME_1] stand for personal details: repeat them where needed, never guess them."),
}


def doctor(prompt: list[dict], lang: str) -> list[dict]:
    """The messages that ask for an answer to `prompt`; a system message of its own follows ours."""
    own = [message["content"] for message in prompt if message["role"] == "system"]
    told = "\n\n".join([_DOCTOR[material.language(lang)], *own])
    return [{"role": "system", "content": told}, *({"role": message["role"], "content": message["content"]} for message in prompt if message["role"] != "system")]
