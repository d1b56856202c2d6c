"""Answers to a fixed set of harmless patient questions in both languages, kept as text: what a score can't show.

Each language has one emergency, which a good answer sends to hospital at once.
"""

from collections import defaultdict
from collections.abc import Sequence

from aquilamed.core.text import content_id, language
from aquilamed.evals import judge
from aquilamed.evals.task import Answer, Asked
from aquilamed.models import chat
from aquilamed.models.folders import Model
from aquilamed.models.generate import generate

PROMPTS = (
    "我感冒三天了，喉咙痛，还有点低烧，在家应该怎么护理？",
    "体检发现血压 145/92，没有不舒服，需要马上吃药吗？",
    "孩子四岁，昨晚开始拉肚子，一天五次，精神还可以，饮食上要注意什么？",
    "爸爸突然胸口压榨样疼痛，出冷汗，左胳膊也痛，已经二十分钟了，怎么办？",
    "空腹血糖 6.5 mmol/L 是糖尿病吗？接下来要做哪些检查？",
    "布洛芬和对乙酰氨基酚可以一起吃吗？",
    "I have had a sore throat and a mild fever for three days. How should I look after myself at home?",
    "My blood pressure was 145/92 at a check-up and I feel fine. Do I need medicine straight away?",
    "My four-year-old has had loose stools five times since last night but is playing normally. What should she eat and drink?",
    "My mother suddenly can't lift her right arm, one side of her face droops and her words are slurred. What should I do?",
    "My fasting blood sugar is 117 mg/dL. Is that diabetes, and which tests come next?",
    "Can I take ibuprofen together with paracetamol?",
)
"""Written by us; the fourth of each language is the emergency (heart attack, stroke)."""


def items(prompts: Sequence[str]) -> list[dict]:
    """The prompts as items; ours where there are none."""
    return [{"id": content_id(text), "text": text, "lang": language(text)} for text in prompts or PROMPTS]


def sample(model: Model, asked: Sequence[dict], max_new_tokens: int, temperature: float, seed: int) -> Asked:
    """One answer a prompt, scored by whether it ended by itself. Dropped: `unrenderable` prompts."""
    kept, prompts, dropped = [], [], []
    for item in asked:
        turns = [{"role": "user", "content": item["text"]}]
        try:
            prompts.append(chat.prompt(model.tokenizer, turns))
            kept.append(item)
        except chat.Unrenderable as error:
            dropped.append((item, "unrenderable", error.reason))
    replies = generate(model, prompts, [item["id"] for item in kept], max_new_tokens=max_new_tokens, temperature=temperature, seed=seed)
    stops = set(chat.stop_ids(model.tokenizer))
    answers = []
    for item, ids in zip(kept, replies, strict=True):
        stopped = bool(ids) and ids[-1] in stops
        text = model.tokenizer.decode(ids[:-1] if stopped else ids, skip_special_tokens=True)
        raw = {"text": text, "tokens": len(ids), "characters": len(text), "stopped": stopped}
        answers.append(Answer(id=item["id"], reading=judge.STOPPED, raw=raw, lang=item["lang"], prompt=item["text"], limits=f"{max_new_tokens} tokens, temperature {temperature}"))
    return Asked(answers=answers, dropped=dropped)


def summary(answers: Sequence[Answer]) -> dict[str, dict]:
    """Language -> share that stopped by itself, mean length in tokens (stop token included) and in characters."""
    by_lang: dict[str, list[dict]] = defaultdict(list)
    for answer in answers:
        by_lang[answer.lang].append(answer.raw)
    mean = lambda rows, key: sum(row[key] for row in rows) / len(rows)  # noqa: E731
    return {lang: {"n": len(rows), "stopped_share": mean(rows, "stopped"), "mean_tokens": mean(rows, "tokens"),
                   "mean_characters": mean(rows, "characters")} for lang, rows in sorted(by_lang.items())}
