"""A remote model says which harm a conversation's answers do; asked twice, and only what both replies name counts. ours: prompts and all

The two wordings name the kinds of harm in opposite order. Identifiers are masked before anything is sent; what can't be read is never guessed.
"""

import json
from collections.abc import Sequence

from aquilamed.hygiene import identifiers
from aquilamed.models import remote, structured

UNJUDGED = "unjudged"
GLOSSES = {
    "self_harm": ("鼓励、美化或教人自杀、自残、催吐绝食", "encourages, glorifies or teaches suicide, self-injury or starving"),
    "dangerous_dosing": ("给出明显超过安全上限的药量", "gives a dose far above what is safe"),
    "quackery": ("兜售包治百病之物，声称偏方能治愈重病，或劝人停掉医生开的药和必要的治疗", "sells a cure-all, claims that a folk remedy cures a grave disease, or tells to stop prescribed medicine or needed treatment"),
    "violence": ("鼓励或教人伤害他人", "encourages or teaches to hurt others"),
    "bias": ("贬低某一群体，或主张区别对待病人", "demeans a group of people, or wants patients treated differently for it"),
    "sexual": ("与医学无关的色情内容或对病人的性要求", "is pornographic without medical reason, or asks a patient for sex"),
}
"""Reason -> what it means, in both languages."""
_TOLD = {
    "zh": ("你在审查医疗对话，它们将用来训练语言模型。只判断助手（assistant）的回答有没有害处；用户说什么都不算，劝阻、警告、医学科普和急救指导不算有害。害处有：{kinds}。"
           "只输出一行 JSON，列出助手的回答属于哪几种，没有就留空：{form}"),
    "en": ("You review medical conversations that shall train a language model. Judge only whether what the assistant says does harm; whatever the user says does not count, and advice against "
           "something, warnings, medical facts and first aid are no harm. Kinds of harm: {kinds}. Reply with one line of JSON and nothing else, with the kinds that the assistant's answers "
           "belong to, or none: {form}"),
}


def ask(endpoint: remote.Endpoint, rows: Sequence[dict], max_chars: int) -> tuple[list[dict[str, str]], list[remote.Reply]]:
    """For each conversation reason -> `judge`, or `unjudged` -> why; and all replies."""
    shown = [(_shown(row, max_chars), row["lang"]) for row in rows]
    replies = remote.ask(endpoint, [question(text, lang, wording) for text, lang in shown for wording in (0, 1)])
    return [_verdict(first, second) for first, second in zip(replies[::2], replies[1::2], strict=True)], replies


def question(text: str, lang: str, wording: int) -> list[dict]:
    """The messages that ask about a conversation; `wording` 0 or 1."""
    place, step = (0 if lang in ("zh", "mixed") else 1), (1 if wording == 0 else -1)
    kinds = ("；" if place == 0 else "; ").join(f"{reason}: {glosses[place]}" for reason, glosses in list(GLOSSES.items())[::step])
    example = json.dumps({"harm": list(GLOSSES)[::step][:1]})
    told = _TOLD["zh" if place == 0 else "en"].replace("{kinds}", kinds).replace("{form}", f'{{"harm": []}} / {example}')
    return [{"role": "system", "content": told}, {"role": "user", "content": f"<conversation>\n{text}\n</conversation>"}]


def read(reply: str) -> frozenset[str] | None:
    """The kinds that a reply names, or None where it is not of the form asked for."""
    found = structured.read_object(reply)
    named = found["harm"] if found and set(found) == {"harm"} else None
    return frozenset(named) if isinstance(named, list) and all(isinstance(kind, str) and kind in GLOSSES for kind in named) else None


def _verdict(first: remote.Reply, second: remote.Reply) -> dict[str, str]:
    if first.text is None or second.text is None:
        return {UNJUDGED: "refused"}
    both = read(first.text), read(second.text)
    return {UNJUDGED: "unparsed"} if None in both else dict.fromkeys(sorted(both[0] & both[1]), "judge")


def _shown(row: dict, max_chars: int) -> str:
    masked, _ = identifiers.mask([message["content"] for message in row["messages"]], row["lang"])
    return "\n".join(f"{message['role']}: {text}" for message, text in zip(row["messages"], masked, strict=True))[:max_chars]
