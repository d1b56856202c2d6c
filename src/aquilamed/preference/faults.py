"""What is wrong with a pair, as far as it can be checked without asking anyone.

Where a check can't be sure it says nothing: names of drugs, laboratory values and code have no language, and a refusal may well be the better answer.
"""

import json
import re
from collections.abc import Sequence

from aquilamed.core.errors import RecordError
from aquilamed.core.text import language, narrow
from aquilamed.models import surface

GARBLED = 0.6
"""Share of an answer's n-grams that repeat earlier ones (`models.surface.repetition`): above, it is a loop. ours: of 3,155 real answers the highest is 0.52"""
FEWEST = 40
"""Units that an answer must have for that: a short list repeats itself in good order. ours"""
_MARKS = re.compile(r"[,;:!?.'\"()\[\]{}*_#`~|。、「」『』《》〈〉【】“”‘’…·—](?!\d)")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+", re.DOTALL)
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_ENGLISH_WORD = re.compile(r"(?<![A-Za-z])[a-z]{4,}(?![A-Za-z])")
"""A Chinese prompt with such a word in it, as an English one with a Han character, may want either language (`造一个含 watch 的句子`); HBsAg, CT and mmHg are none."""
_WORDS = re.compile(r"[a-z]+(?:'[a-z]+)?")
_ENGLISH = frozenset("the of to is are was were you your that this it be can have has will should would may which what how when these their they".split())
"""Words of English sentences that stand in no drug's name, no laboratory report and hardly in code."""
_LANGUAGES = re.compile(r"翻[译譯]|[译譯][成为為]|英[文语語]|中文|[汉漢][语語]|[双雙][语語]|外[语語文]|[语語]言|translat|chinese|english|mandarin|bilingual|language", re.IGNORECASE)
"""A prompt that speaks of languages may want another one."""
_ENOUGH = {"asked": (4, 2), "said": (8, 3)}
"""Fewest Han characters and fewest different words of `_ENGLISH` from which the language of a prompt and of an answer is believed. ours"""
_REFUSES = re.compile(
    r"(?:抱歉|对不起)[^。！\n]{0,12}我[^。！\n]{0,12}(?:不能|无法)|(?:^|[，。\s])我(?:不能|无法)(?:提供|回答|协助|帮助|满足|生成|参与)|作为(?:一个|一名)?(?:AI|人工智能)[^。，\n]{0,10}，我(?:不能|无法)"
    r"|i(?:'m| am) (?:unable to|sorry,? but)|i (?:can't|cannot|won't) (?:provide|answer|help|assist|do|fulfil|write|create|generate|give)\b", re.IGNORECASE)
HEAD = 80
"""Characters at the beginning of an answer where a refusal is looked for."""


def of(pair: dict) -> tuple[str, str]:
    """(reason, detail) for which the pair is dropped; empty if nothing is wrong with it."""
    chosen, rejected = pair["chosen"], pair["rejected"]
    silent = [name for name in ("chosen", "rejected") if not bare(pair[name])]
    if silent:
        return "empty", f"{' and '.join(silent)}: nothing but punctuation"
    if bare(chosen) == bare(rejected):
        return "identical", "but for case, width, blanks and punctuation"
    asked, said = language_asked(pair["prompt"]), spoken(chosen, "said")
    if asked and said and asked != said:
        return "wrong_language", f"asked in {asked}, answered in {said}"
    detail = worse(pair)
    return ("worse_by_check", detail) if detail else ("", "")


def bare(text: str) -> str:
    """`text` as answers are compared: width, case, blanks and punctuation away; a mark before a digit stays, so 1.5 is not 15."""
    return _MARKS.sub("", "".join(narrow(text).lower().split()))


def language_asked(prompt: Sequence[dict]) -> str:
    """The language in which the user speaks and so wants to be answered; empty where that is not sure."""
    if any(_LANGUAGES.search(message["content"]) for message in prompt):
        return ""
    asked = "\n".join(message["content"] for message in prompt if message["role"] == "user")
    found = spoken(asked, "asked")
    both = {"zh": _ENGLISH_WORD, "en": _HAN}
    return "" if found and both[found].search(asked) else found


def spoken(text: str, place: str) -> str:
    """`zh` or `en` where `text` has sentences of it, else empty; `place` is a key of `_ENOUGH`."""
    prose, (n_han, n_words) = _CODE.sub(" ", text), _ENOUGH[place]
    found = language(prose)
    if found == "zh":
        return "zh" if len(_HAN.findall(prose)) >= n_han else ""
    said = _WORDS.findall(narrow(prose).lower()) if found == "en" else []
    hits = [word for word in said if word in _ENGLISH]
    return "en" if len(set(hits)) >= n_words and len(hits) >= 0.1 * len(said) else ""


def worse(pair: dict) -> str:
    """Why the chosen answer is the worse one by the pair's own scores or key, or by its form; empty if it is not."""
    scores, key = _scores(pair), _key(pair)
    if scores and scores[0] < scores[1]:
        return f"its score {scores[0]:g} is below the rejected one's {scores[1]:g}"
    if key and contradicts(pair, key):
        return "it does not give the key's answer"
    found = garbled(pair["chosen"])
    return found if found and not garbled(pair["rejected"]) else ""


def _scores(pair: dict) -> tuple[float, float] | None:
    said = [pair["meta"].get(f"{name}_score", "") for name in ("chosen", "rejected")]
    try:
        return (float(said[0]), float(said[1])) if all(said) else None
    except ValueError as error:
        raise RecordError(f"preference {pair.get('id')}: meta: chosen_score={said[0]!r}, rejected_score={said[1]!r}: expected numbers") from error


def _key(pair: dict) -> dict | None:
    said = pair["meta"].get("key", "") if pair["kind"] == "objective" else ""
    try:
        found = json.loads(said) if said else None
    except ValueError:
        found = said
    if found is None or (isinstance(found, dict) and all(isinstance(found.get(name), list) for name in ("right", "wrong"))):
        return found
    raise RecordError(f"preference {pair.get('id')}: meta: key={said!r}: expected the form of preference.objective, "
                      '{"right": [texts], "wrong": [texts]}; give what is no such key another name')


def contradicts(pair: dict, key: dict) -> bool:
    """Whether the chosen answer lacks a text of `key["right"]`, or names one of `key["wrong"]` where the rejected answer is right (`preference.objective` writes keys)."""
    texts = {bare(text) for text in (*key["right"], *key["wrong"])}
    if "" in texts or len(texts) < len(key["right"]) + len(key["wrong"]):
        return False
    right = {bare(text) for text in key["right"]}
    chosen, rejected = (_named(bare(pair[name]), texts) for name in ("chosen", "rejected"))
    return not right <= chosen or (chosen != right and rejected == right)


def _named(answer: str, texts: set[str]) -> set[str]:
    """Those of `texts` that stand in `answer`; a longer one is read before one that is part of it."""
    found = set()
    for text in sorted(texts, key=lambda text: (-len(text), text)):
        if text in answer:
            answer = answer.replace(text, "\0")
            found.add(text)
    return found


def garbled(answer: str) -> str:
    """What shows that an answer did not come out whole; empty if nothing does."""
    units = surface.units(answer)
    looped = len(units) >= FEWEST and surface.repetition(units) > GARBLED
    return "a broken character stands in it" if "\ufffd" in answer else "it repeats itself" if looped else ""


def remark(pair: dict) -> str:
    """What is told of a pair that stays: it may be meant so."""
    if _REFUSES.search(pair["chosen"][:HEAD]) and not _REFUSES.search(pair["rejected"][:HEAD]):
        return "chosen_refuses"
    asked, said = language_asked(pair["prompt"]), spoken(pair["rejected"], "said")
    return "rejected_in_other_language" if asked and said and asked != said else ""
