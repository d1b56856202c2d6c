"""What a reply settles on, in Chinese and English."""

import pytest

from aquilamed.evals.reply import read_choice

READ = {
    "（Ｃ）": "C", "B": "B", "ＡＢ": "AB", "A、C": "AC", "答案：C": "C", "正確答案：D": "D", "正确答案是B、D。": "BD", "A不对，故选CD。": "CD",
    "应选（B）。": "B", "选项A错误，选B": "B", "故本题选E": "E", "C，因为该药致畸": "C", "选ABD": "ABD", "答案为：Ｂ": "B",
    "A patient with fever... Answer: D": "D", "The answer is A because x": "A", "Option A is incorrect; the answer is B.": "B",
    "B. Hypertension": "B", "The correct answer is (D) insulin.": "D", "**Answer: C**": "C", "Answer: A, C and D": "ACD",
}
UNREAD = ["我不确定", "答案不是A", "不选A", "答案是A或B", "选C反应蛋白检查", "ACE抑制剂", "答案：F", "A. 高血压\nB. 糖尿病", "",
          "A or B", "Vitamin C", "I think it's hard", "The answer is A patient in shock", "The answer is not A"]


@pytest.mark.parametrize("reply", READ)
def test_settled(reply):
    assert read_choice(reply, 5) == {"ABCDE".index(letter) for letter in READ[reply]}


@pytest.mark.parametrize("reply", UNREAD)
def test_never_a_guess(reply):
    assert read_choice(reply, 5) is None
