import dataclasses

import pytest

from aquilamed.core.errors import ConfigError
from aquilamed.core.sources import OPENAI, SHAREGPT, Documents, Pair, Preferences, Questions, Skip, Source, Tagged, Turns, fields
from aquilamed.core.sources.fields import Misfit
from aquilamed.core.sources.harvest import judge


def said(*turns):
    roles = {"u": "user", "a": "assistant", "s": "system"}
    return [{"role": roles[turn[0]], "content": turn[2:]} for turn in turns]


def sharegpt(*turns):
    names = {"u": "human", "a": "gpt", "s": "system"}
    return {"conversations": [{"from": names[turn[0]], "value": turn[2:]} for turn in turns]}


def test_fields_by_path():
    row = {"a": {"b": ["x", "y"]}, "No. of [cases]": "7", "n": None, "t": True}
    assert fields.text(row, "a.b[1]") == fields.text(row, "a.b[-1]") == fields.text(row, "z|a.b[1]") == "y"
    assert fields.text(row, "a.b[]") == "x\ny" and fields.text(row, "No. of [cases]") == "7"
    assert fields.text(row, "z?") == fields.text(row, "n") == "" and fields.text(row, "=解剖") == "解剖"
    with pytest.raises(Misfit, match=r"no key 'a\.c'; the row has: a, No\. of \[cases\], n, t"):
        fields.text(row, "a.c")
    with pytest.raises(Misfit, match=r"key 't': expected text, found True \(bool\)"):
        fields.text(row, "t")


def test_cleaning_touches_newlines_and_nul_alone():
    same = {"a": ["　全角，", {"b": "x\n"}], "n": 1}
    assert fields.cleaned(same) is same
    assert fields.cleaned({"a": ["一\r\n二\r三\0"]}) == {"a": ["一\n二\n三"]}
    with pytest.raises(Misfit, match="surrogate"):
        fields.cleaned("笑\ud83d")


def test_documents_join_fields_below_the_title():
    mapping = Documents(text=("病因", "治疗"), title="病名", meta={"label": "科室"})
    made = mapping.outcome({"病名": "感冒", "病因": "病毒", "治疗": "休息", "科室": "内科"})
    assert made.record == {"text": "感冒\n\n病毒\n\n休息", "meta": {"label": "内科"}}
    assert mapping.outcome({"病名": "感冒", "病因": " ", "治疗": None, "科室": ""}).reason == "empty"


def test_sharegpt_and_openai_give_the_same_turns():
    wanted = said("s 你是医生", "u 头痛", "a 多久了？", "u 三天", "a 建议就诊")
    one = SHAREGPT.outcome(sharegpt("s 你是医生", "u 头痛", "a 多久了？", "u 三天", "a 建议就诊"))
    two = OPENAI.outcome({"messages": wanted})
    assert one.record["messages"] == two.record["messages"] == wanted
    assert one.record["kind"] == "multi" and not one.reason and not one.repaired
    parts = [{"role": "user", "content": [{"type": "text", "text": "看片"}, {"type": "text", "text": "正常吗？"}]}, *said("a 正常")]
    assert OPENAI.outcome({"messages": parts}).record["messages"] == said("u 看片\n正常吗？", "a 正常")
    with pytest.raises(Misfit, match="key 'content': expected parts of text, found {'type': 'image_url'"):
        OPENAI.outcome({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]})


def test_a_tool_message_is_a_misfit_unless_it_is_declared_away():
    row = {"messages": [*said("u Dose?"), {"role": "assistant", "content": None}, {"role": "tool", "content": "{}"}, *said("a 5 mg")]}
    with pytest.raises(Misfit, match="turn 3: speaker 'tool' is not declared; add it to roles= or drop_roles="):
        OPENAI.outcome(row)
    with pytest.raises(Misfit, match="turn 2: no key 'role'; the row has: content; write 'role\\?' where rows may lack it"):
        OPENAI.outcome({"messages": [*said("u Dose?"), {"content": "5 mg"}]})
    made = Turns(messages="messages", role="role", content="content", roles=OPENAI.roles, drop_roles=("tool",), repair=("merge",)).outcome(row)
    assert made.record["messages"] == said("u Dose?", "a 5 mg") and made.repaired == ("drop_tool", "merge")


CALL = {"id": "1", "type": "function", "function": {"name": "dose", "arguments": '{"drug": "阿司匹林"}'}}
TOOLED = {"tools": [{"type": "function", "function": {"name": "dose"}}],
          "messages": [*said("s 你是医生", "u 剂量？"), {"role": "assistant", "content": None, "tool_calls": [CALL, CALL]}, {"role": "tool", "content": "100 mg"},
                       {"role": "tool", "content": "200 mg"}, *said("a 每日 100 mg")]}


def test_tools_are_refused_left_out_or_kept_as_text():
    with pytest.raises(Misfit, match=r"turn 3 calls a tool; declare on_tools='keep', or drop_roles=\('tool',\)"):
        OPENAI.outcome(TOOLED)
    made = dataclasses.replace(OPENAI, on_tools="keep").outcome(TOOLED)
    call = '<tool_call>\n{"name": "dose", "arguments": {"drug": "阿司匹林"}}\n</tool_call>'
    offered = '<tools>\n{"type": "function", "function": {"name": "dose"}}\n</tools>'
    answers = "<tool_response>\n100 mg\n</tool_response>\n<tool_response>\n200 mg\n</tool_response>"
    assert made.record["messages"] == said(f"s 你是医生\n\n{offered}", "u 剂量？", f"a {call}\n{call}", f"u {answers}", "a 每日 100 mg")
    assert made.repaired == ("tools_as_text",) and not made.reason
    dropped = dataclasses.replace(OPENAI, drop_roles=("tool",), repair=("merge",)).outcome(TOOLED)
    assert dropped.record["messages"] == said("s 你是医生", "u 剂量？", "a 每日 100 mg") and dropped.repaired == ("drop_tool", "merge")
    plain = dataclasses.replace(OPENAI, on_tools="keep").outcome({"messages": said("u 头痛", "a 休息")})
    assert plain.record["messages"] == said("u 头痛", "a 休息") and not plain.repaired
    with pytest.raises(Misfit, match="expected objects with a function and its name"):
        dataclasses.replace(OPENAI, on_tools="keep").outcome({"messages": [*said("u 剂量？"), {"role": "assistant", "content": "", "tool_calls": [{"name": "dose"}]}]})


def test_a_conversation_inside_a_longer_text():
    judged = Tagged(text="prompt", tags={"patient:": "user", "doctor:": "assistant"}, shape="", inside=("[start]\n", "\n[end]"))
    assert judged.outcome({"prompt": "Score it.\ndoctor: x\n[start]\npatient: 头痛\n三天\ndoctor: 休息\n[end]"}).record["messages"] == said("u 头痛\n三天", "a 休息")
    with pytest.raises(Misfit, match=r"'\[start\]\\n' and, behind it, '\\n\[end\]' don't stand in it"):
        judged.outcome({"prompt": "patient: 头痛\ndoctor: 休息"})


@pytest.mark.parametrize(("turns", "rules", "wanted", "applied"), [
    (("a 您好", "u 头痛", "a 休息"), ("drop_leading_assistant",), ("u 头痛", "a 休息"), ("drop_leading_assistant",)),
    (("s x", "a 您好", "a 请说", "u 头痛", "u 三天", "a 休息", "u 谢谢"), ("drop_trailing_user", "drop_leading_assistant", "merge"),
     ("s x", "u 头痛\n三天", "a 休息"), ("merge", "drop_leading_assistant", "drop_trailing_user")),
    (("u 头痛", "a 休息"), ("merge", "drop_trailing_user"), ("u 头痛", "a 休息"), ()),
])
def test_repair_by_declared_rules_only(turns, rules, wanted, applied):
    made = Turns(repair=rules).outcome(sharegpt(*turns))
    assert (made.record["messages"], made.repaired, made.reason) == (said(*wanted), applied, "")
    assert SHAREGPT.outcome(sharegpt(*turns)).reason == ("bad_turns" if applied else "")


@pytest.mark.parametrize(("turns", "reason"), [
    (("u a", "u b", "a c"), "bad_turns"), (("u a",), "bad_turns"), ((), "bad_turns"), (("u a", "s b", "a c"), "bad_turns"), (("s a",), "bad_turns"),
    (("u  ", "a c"), "empty"), (("u a", "a \n　"), "empty"),
])
def test_what_is_no_conversation_is_dropped_with_the_turns_it_came_with(turns, reason):
    made = Turns(repair=("drop_trailing_user",)).outcome(sharegpt(*turns))
    assert made.reason == reason and made.record["messages"] == said(*turns)


def test_pairs_alpaca_columns_lists_of_one_and_history():
    assert Pair().outcome({"instruction": "Sum", "input": "1, 2", "output": "3"}).record["messages"] == said("u Sum\n1, 2", "a 3")
    toyhom = Pair(prompt=("title", "ask"), answer="answer", blank=("无",))
    assert toyhom.outcome({"title": "感冒？", "ask": "无", "answer": "休息"}).record["messages"] == said("u 感冒？", "a 休息")
    huatuo = Pair(prompt=("instruction[0]",), answer="output[0]")
    assert huatuo.outcome({"instruction": ["问"], "output": ["答"]}).record["messages"] == said("u 问", "a 答")
    cmt = Pair(prompt=("instruction|instruct",), history="history?")
    row = {"instruction": "谢谢", "output": "不客气", "history": [["痛", "多久？"], ["三天", "休息"]]}
    assert cmt.outcome(row).record["messages"] == said("u 痛", "a 多久？", "u 三天", "a 休息", "u 谢谢", "a 不客气")
    assert cmt.outcome({"instruct": "问", "output": "答"}).record["messages"] == said("u 问", "a 答")
    assert cmt.outcome({"instruct": "问", "output": ""}).reason == "empty"
    with pytest.raises(Misfit, match=r"key 'history\?': expected a list of \[question, answer\]"):
        cmt.outcome({"instruct": "问", "output": "答", "history": [["痛"]]})


def test_tags_at_line_starts_in_both_languages():
    mapping = Tagged(tags={"Doctor:": "assistant", "Patient:": "user", "医生：": "assistant", "患者：": "user"}, repair=("merge", "drop_leading_assistant"))
    made = mapping.outcome({"dialogue": "Doctor: Hi.\r\nPatient: It hurts here: left.\n Doctor: Rest.\nDoctor: And drink."})
    assert made.record["messages"] == said("u It hurts here: left.", "a Rest.\nAnd drink.")
    assert mapping.outcome({"dialogue": "患者：头痛\n　　三天\n医生：休息"}).record["messages"] == said("u 头痛\n　　三天", "a 休息")
    with pytest.raises(Misfit, match="'Guest_family:' looks like a speaker's tag; add it to tags="):
        mapping.outcome({"dialogue": "Patient: hi\nGuest_family: he fell\nDoctor: ok"})
    with pytest.raises(Misfit, match="'Note' .*stands before the first tag"):
        mapping.outcome({"dialogue": "Note\nPatient: hi"})


def test_tags_anywhere_with_the_last_answer_beside():
    mapping = Tagged(text="instruction", tags={"<user>:": "user", "<bot>:": "assistant"}, at="anywhere", shape=r"<\w+>:", answer="output")
    made = mapping.outcome({"instruction": " <user>: 疗效(P<0.05)？ <bot>: 是的 <user>: 副作用？", "output": "少"})
    assert made.record["messages"] == said("u 疗效(P<0.05)？", "a 是的", "u 副作用？", "a 少")


def test_preferences_in_both_schemas_and_with_a_prompt_of_its_own():
    turns = sharegpt("s 你是医生", "u 头痛")
    plain = Preferences().outcome({**turns, "chosen": "就诊", "rejected": "忍"})
    objects = Preferences(chosen="chosen.value", rejected="rejected.value").outcome({**turns, "chosen": {"value": "就诊"}, "rejected": {"value": "忍"}})
    assert plain.record == objects.record and plain.record["prompt"] == said("s 你是医生", "u 头痛")
    alone = Preferences(prompt=Pair(prompt=("prompt",), answer=""), chosen="chosen[-1].content")
    row = {"prompt": "Headache", "chosen": [{"content": "Headache"}, {"content": "See a doctor"}], "rejected": "Wait"}
    assert alone.outcome(row).record["prompt"] == said("u Headache") and alone.outcome(row).record["chosen"] == "See a doctor"
    assert Preferences().outcome({**turns, "chosen": "忍", "rejected": "忍 "}).reason == "equal"
    assert Preferences().outcome({**turns, "chosen": "忍", "rejected": None}).reason == "empty"
    assert Preferences().outcome({**sharegpt("u 头痛", "a 忍"), "chosen": "一", "rejected": "二"}).reason == "bad_turns"


@pytest.mark.parametrize(("mapping", "row", "options", "answers"), [
    (Questions(answer_as="letters"), {"question": "?", "options": ["甲", "乙", "丙"], "answer": "Ａ、c"}, ["甲", "乙", "丙"], [0, 2]),
    (Questions(), {"question": "?", "options": {"A": "x", "B": "y"}, "answer": "B"}, ["x", "y"], [1]),
    (Questions(options=("a", "b", "c"), answer_as="index1"), {"question": "?", "a": "x", "b": "", "c": "z", "answer": 3}, ["x", "z"], [1]),
    (Questions(answer_as="index0"), {"question": "?", "options": ["x", "y"], "answer": [0, "1"]}, ["x", "y"], [0, 1]),
    (Questions(options=("=yes", "=no", "=maybe"), answer_as="text"), {"question": "?", "answer": "no"}, ["yes", "no", "maybe"], [1]),
    (Questions(option_text="t", option_label="id", answer_as="label"), {"question": "?", "options": [{"id": 4, "t": "x"}, {"id": 5, "t": "y"}], "answer": "5"}, ["x", "y"], [1]),
    (Questions(separator="\\n", labelled=True), {"question": "?", "options": "B 多巴胺\\nC 阿托品\\nE 麻黄碱", "answer": "BE"}, ["多巴胺", "阿托品", "麻黄碱"], [0, 2]),
    (Questions(labelled=True), {"question": "?", "options": ["（Ａ）甲", "B. beta", "C、丙"], "answer": "B"}, ["甲", "beta", "丙"], [1]),
])
def test_questions_in_every_shape(mapping, row, options, answers):
    made = mapping.outcome(row)
    assert (made.record["options"], made.record["answers"], made.reason) == (options, answers, "")


@pytest.mark.parametrize(("change", "message"), [
    ({"answer": "D"}, "key 'answer': 'D' .* names no option; there are: A, B"),
    ({"answer": "ok"}, "names no option"),
    ({"options": "x"}, "expected a list or an object of options"),
    ({"options": ["x", 5]}, "expected text, found 5"),
])
def test_questions_that_do_not_fit(change, message):
    with pytest.raises(Misfit, match=message):
        Questions().outcome({"question": "?", "options": ["x", "y"], "answer": "A", **change})


@pytest.mark.parametrize("change", [{"answer": ""}, {"answer": None}, {"answer": []}, {"question": " "}, {"options": ["x", " "]}])
def test_questions_with_nothing_in_them(change):
    assert Questions().outcome({"question": "?", "options": ["x", "y"], "answer": "A", **change}).reason == "empty"


def test_skipped_rows_carry_the_record_where_one_can_be_formed():
    source = Source(name="s", path="x", format="jsonl", mapping=Questions(), license="MIT",
                    skip=(Skip(why="image", field="image?", unless=("",)), Skip(why="no_answer", field="answer", when=("nan",))))
    row = {"question": "?", "options": ["x", "y"], "answer": "A"}
    assert not judge(source, row).reason
    assert (judge(source, {**row, "image": "1.png"}).reason, judge(source, {**row, "image": "1.png"}).record["answers"]) == ("skipped:image", [0])
    assert (judge(source, {**row, "answer": "nan"}).reason, judge(source, {**row, "answer": "nan"}).record) == ("skipped:no_answer", None)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: Turns(repair=("merg",)), "the rules are merge"),
    (lambda: Turns(roles={"human": "patient"}), "role 'patient': expected system, user, assistant"),
    (lambda: Documents(text="text"), "expected a tuple of fields"),
    (lambda: Documents(meta={"row": "x"}), "row is written by the import itself"),
    (lambda: Skip(why="x", field="y"), "give one of when="),
    (lambda: Tagged(shape="("), "no regular expression"),
    (lambda: Source(name="s", path="x", format="jsonl", mapping=SHAREGPT, license=""), "write 'unknown' if it is"),
    (lambda: Source(name="s", path="x", format="jsonl", mapping=SHAREGPT, license="MIT", lang="chinese"), "expected zh, en, mixed, other"),
])
def test_declarations_that_can_not_be_meant_are_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()
