"""What a reply says behind its thinking, and the JSON in it."""

import pytest

from aquilamed.evals import grading
from aquilamed.models.structured import bare, read_object, unthought


@pytest.mark.parametrize(("reply", "said"), [
    ("请就医", "请就医"), (" \n好 \n", "好"), ("", ""), ("<think>a</think>\n请就医", "请就医"), ("思考完了</think>\n请就医", "请就医"), ("<think>a</think>b</think> c", "c"),
    ("<think>a</think>", ""), ("<think>I think A", ""), ("好的。<think>I think A", ""), ("<think>a</think>b<think>c", ""), ("<think></think>好", "好"), ("a < b > c", "a < b > c")])
def test_what_stands_before_the_last_end_of_a_thought_is_thought(reply, said):
    assert unthought(reply) == said


@pytest.mark.parametrize(("reply", "found"), [
    ('{"a": 1}', {"a": 1}), ('<think>{"a": 2}</think>{"a": 1}', {"a": 1}), ('hm</think>\n```json\n{"a": 1}\n```', {"a": 1}), ('<think>{"a": 1}', None), ('<think>so\n{"a": 1}', None),
    ('{"a": "it says <think>"}', {"a": "it says <think>"}), ('```json\n{"a": "x</think>y"}\n```', {"a": "x</think>y"}), ("[1]", None), ("</think>", None)])
def test_the_object_behind_a_thought_that_ends(reply, found):
    assert read_object(reply) == found


def test_a_judge_that_never_ends_its_thought_has_not_judged():
    met = '{"reason": "x", "met": true}'
    assert grading.read_met(met) and grading.read_met(f"hm</think>{met}") and grading.read_met(f"<think>{met}") is None and bare("<think>医") == ""
