"""Cases of all three ways of judging, answers planted in their place, and judges with known faults."""

import hashlib
import json
from collections import Counter

from aquilamed.core import manifest
from aquilamed.core.records import make
from aquilamed.evals import dialogue
from aquilamed.evals.task import Task
from aquilamed.models import comparing, material, surface
from aquilamed.models.remote import Endpoint

ASKED = {"zh": "第{k}问：我是张伟，手机13812345678，血压160/95mmHg怎么办？", "en": "Question {k}: my phone is (415) 555-0132, my blood pressure is 160/95 mmHg, what now?"}
SAID = {"zh": "请限盐，规律监测血压{grade}，必要时到心内科就诊。{tail}", "en": "Cut down on salt {grade}, measure your pressure every day and see a cardiologist. {tail}"}
TAIL = {"zh": "注意休息，", "en": "take rest and "}
SECRETS = ("13812345678", "555-0132", "张伟")
LANGS = ("zh", "en")
CRITERIA = [{"criterion": "says to measure / 监测", "points": 7, "tags": ["axis:accuracy"]}, {"criterion": "names a cardiologist / 心内科", "points": 3, "tags": ["axis:completeness"]},
            {"criterion": "names a dose / 给出剂量", "points": -8, "tags": ["axis:accuracy"]}]


def text(lang, grade, tail=0):
    """An answer of a known grade and a known number of idle words."""
    return SAID[lang].format(grade="+" * grade, tail=TAIL[lang] * tail)


def case(k, lang, how, reference, **meta):
    history = [{"role": "user", "content": "你好" if lang == "zh" else "Hello"}, {"role": "assistant", "content": "请讲。" if lang == "zh" else "Go on."}] * (how == "grades")
    return make("conversations", {"messages": [*history, {"role": "user", "content": ASKED[lang].format(k=k)}, {"role": "assistant", "content": reference}], "kind": "single", "lang": lang,
                                  "source": f"talk-{how}", "license": "CC0-1.0", "meta": {"judged": how, **meta}})


def planted(folder, cases, said, **settings):
    """`dialogue.ask` with the answers of `said(case, turn)` in the place of a model's."""
    turns = [turn for one in sorted(cases, key=lambda one: one["id"]) for turn in dialogue.turns_of(one)]
    folder.mkdir(exist_ok=True, parents=True)
    manifest.write_json(folder / "answers.json", [[said(turn.case, turn.number), 5, True, f"shown {turn.id}", "", ""] for turn in turns])
    return dialogue.ask(None, cases, settings=dialogue.Settings(**settings), max_tokens=512, seed=0, kept=folder / "answers.json")


def rows_of(asked):
    """The answers as rows of answers.parquet."""
    return Task(name="talk", kind="conversations", items=(), ask=None).rows(asked)


def endpoint(url, folder, **more):
    return Endpoint(**{"base_url": url, "model": "strong", "cache": str(folder / "cache"), **more})


def verdict(side):
    return json.dumps(dict.fromkeys(comparing.KEYS, side))


def answers_in(shown):
    """What stands between the marks of the two answers."""
    return [shown.split(f"<{mark}>\n")[1].split(f"\n</{mark}>")[0] for mark in ("answer_A", "answer_B")]


def honest(shown, number):
    one, other = (part.count("+") for part in answers_in(shown))
    return verdict("A" if one > other else "B" if other > one else "tie")


def longer(shown, number):
    one, other = (len(surface.units(part)) for part in answers_in(shown))
    return verdict("A" if one > other else "B" if other > one else "tie")


def first(shown, number):
    return verdict("A")


def first_of_every_fourth(shown, number):
    return verdict("A") if number_of(shown) % 4 == 0 else honest(shown, number)


def dice(shown, number):
    """Another throw for another order of the same answers, none for the same question in the same order."""
    return verdict(comparing.SIDES[hashlib.sha256(shown.encode()).digest()[0] % 3])


class DiceEachTime:
    """Another throw each time that the same is asked."""

    def __init__(self):
        self.asked = Counter()

    def __call__(self, shown, number):
        self.asked[shown] += 1
        return verdict(comparing.SIDES[hashlib.sha256(f"{self.asked[shown]}/{shown}".encode()).digest()[0] % 3])


def number_of(shown):
    """The k of a case, from its question."""
    asked = shown.split("第")[1] if "第" in shown else shown.split("Question ")[1]
    return int("".join(char for char in asked.split("问" if "第" in shown else ":")[0] if char.isdigit()))


def truthful_grade(shown, number):
    return json.dumps(dict.fromkeys(comparing.CRITERIA, min(5, shown.split("<answer>")[1].count("+"))))


def mild_grade(shown, number):
    return json.dumps(dict.fromkeys(comparing.CRITERIA, min(5, shown.split("<answer>")[1].count("+") + 1)))


def met(shown, number):
    criterion, answer = shown.split("<criterion>")[1], shown.split("<answer>")[1].split("</answer>")[0]
    words = [word for word in ("measure", "监测", "cardiologist", "心内科", " mg") if word in criterion] or [" mg"]
    return json.dumps({"reason": "…", "met": any(word in answer for word in words)})


def server(judge, seen_secrets=SECRETS):
    """An `answer` for chat_server: `judge(what is shown, number of the request)`; nothing personal may arrive."""
    def answer(body, number):
        shown = body["messages"][-1]["content"]
        assert not any(secret in json.dumps(body, ensure_ascii=False) for secret in seen_secrets) and "160/95" in shown and "<conversation>" in shown
        assert ("医生" in body["messages"][0]["content"] or "标准" in body["messages"][0]["content"]) == (material.language("zh" if "第" in shown else "en") == "zh")
        said = judge(shown, number)
        return said if isinstance(said, tuple) else (200, said)
    return answer
