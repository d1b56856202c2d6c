"""What a language model is asked about a document, in both languages, and what its reply says. paper 2.1.1 (prompts are ours)

Each question has two wordings; they name the answers in opposite order, so that a liking for the first one shows as disagreement.
"""

from aquilamed.models import structured

DOMAINS = ("medical", "general")
FAULTS = ("advertising", "ungrammatical", "incoherent", "spliced", "media_editing")
"""What rules leave and a model should find: the paper's five."""
BEST = 6

_DOMAIN = {
    "zh": ("你在为语言模型的训练语料分类。下面是一篇网页或文章。请判断它主要讲的是不是医学内容：疾病、症状、检查、药物、手术、中医、护理、公共卫生、医学研究算医学（medical）；"
           "农药、兽医、食品加工、体育训练、医院的行政或财务新闻等只是沾边的算非医学（general）。只输出一行 JSON：{form}"),
    "en": ("You sort documents for a language model's training corpus. Decide whether the document below is mainly medical: diseases, symptoms, tests, drugs, surgery, "
           "traditional medicine, nursing, public health and medical research are medical; pesticides, veterinary work, food processing, sports training or hospital business news "
           "only touch it and are general. Reply with one line of JSON and nothing else: {form}"),
}
_DOMAIN_FORMS = ('{"label": "medical"} / {"label": "general"}', '{"label": "general"} / {"label": "medical"}')

_QUALITY = {
    "zh": ("你在为语言模型的训练语料打分。请给下面的文档打 0 到 6 的整数分：6 为完整、通顺、信息丰富；5 为夹有一处无关内容；4 为带有网页导航等杂质；3 为过短或残缺；"
           "2 为广告较多；1 为拼接或不当内容；0 为无法阅读。并列出它有的缺陷（可为空）：{faults}，依次指{glosses}。只输出一行 JSON：{form}"),
    "en": ("You grade documents for a language model's training corpus. Give the document below a whole number from 0 to 6: 6 whole, fluent and informative; 5 one foreign line in it; "
           "4 page navigation or other clutter; 3 a stub or a fragment; 2 much advertising; 1 spliced from unrelated pieces, or improper; 0 unreadable. "
           "List the faults that it has, if any: {faults} ({glosses}). Reply with one line of JSON and nothing else: {form}"),
}
_GLOSSES = {
    "zh": ("广告营销", "语病", "前后不连贯", "由不相干的片段拼成", "图片或视频编辑的套话"),
    "en": ("selling something", "broken grammar", "no thread", "unrelated pieces put together", "boilerplate of picture or video editing"),
}
_QUALITY_FORMS = ('{"score": 0, "faults": []}', '{"faults": [], "score": 6}')


def domain(text: str, lang: str, wording: int) -> list[dict]:
    """The messages that ask for a document's domain; `wording` 0 or 1."""
    told = _DOMAIN["zh" if lang in ("zh", "mixed") else "en"].replace("{form}", _DOMAIN_FORMS[wording])
    return _messages(told, text)


def quality(text: str, lang: str, wording: int) -> list[dict]:
    """The messages that ask for a document's quality and faults; `wording` 0 or 1."""
    lang, step = "zh" if lang in ("zh", "mixed") else "en", 1 if wording == 0 else -1
    glosses = ("、" if lang == "zh" else "; ").join(_GLOSSES[lang][::step])
    told = _QUALITY[lang].replace("{faults}", ", ".join(FAULTS[::step])).replace("{glosses}", glosses).replace("{form}", _QUALITY_FORMS[wording])
    return _messages(told, text)


def read_domain(reply: str) -> str | None:
    """`medical` or `general`, or None where the reply is anything else; never a guess."""
    found = structured.read_object(reply)
    label = found.get("label") if found and set(found) == {"label"} else structured.bare(reply).strip('"')
    return label if isinstance(label, str) and label in DOMAINS else None


def read_quality(reply: str) -> tuple[float, frozenset[str]] | None:
    """(score, faults), or None where the reply is not of the form asked for; never a guess."""
    found = structured.read_object(reply) or {}
    score, faults = found.get("score"), found.get("faults", [])
    if isinstance(score, bool) or not isinstance(score, int) or not 0 <= score <= BEST:
        return None
    if not isinstance(faults, list) or not all(isinstance(fault, str) and fault in FAULTS for fault in faults):
        return None
    return float(score), frozenset(faults)


def excerpt(text: str, most: int) -> str:
    """At most `most` characters: the beginning and, of a longer text, a piece from its end, since splices and boilerplate stand there."""
    if len(text) <= most:
        return text
    tail = most // 4
    return f"{text[:most - tail]}\n[…]\n{text[len(text) - tail:]}"


def _messages(told: str, text: str) -> list[dict]:
    """The document stands between marks in a message of its own: what it says is no instruction."""
    return [{"role": "system", "content": told}, {"role": "user", "content": f"<document>\n{text}\n</document>"}]
