"""Phrases as runs of tokens: what is found, what is passed over, what stops a match; counts worked out by hand."""

import numpy as np
import pyarrow as pa
import pytest

from aquilamed.hygiene import phrases


def _hits(texts: list[str], **said) -> list[list[int]]:
    return phrases.search(pa.array(texts), phrases.compiled(said)).n.tolist()


@pytest.mark.parametrize("text", ["买六合彩", "六·合·彩", "六 合 彩", "六.合.彩", "【六】合*彩", "六\u200b合\u00ad彩", "六－合－彩", "六合彩六"])
def test_chinese_is_found_through_blanks_symbols_and_quotes(text):
    assert _hits([text], a=["六合彩"]) == [[1]]


@pytest.mark.parametrize("text", ["六合，彩", "六合。彩", "六合\n彩", "六：合彩", "六（合）彩", "六和彩", "六合", ""])
def test_an_end_of_a_clause_or_another_character_stops_it(text):
    assert _hits([text], a=["六合彩"]) == [[0]]


def test_scripts_width_and_case_make_no_difference():
    assert _hits(["轉載請註明", "ＣＬＩＣＫ　Here", "click-here"], zh=["转载请注明"], en=["click here"]) == [[1, 0], [0, 1], [0, 1]]


def test_english_words_match_whole():
    assert _hits(["the analyst", "anal yst", "click hereby", "Click. Here", "don't"], a=["anal", "click here", "don t"]) == [[0], [1], [0], [0], [1]]


def test_a_number_stands_for_any_number_and_a_choice_for_each():
    assert phrases.expanded("{买|送}{一|0}张") == ["买一张", "买0张", "送一张", "送0张"]
    assert _hits(["现价99元", "save 30 % off", "up to 5 off", "off 5"], a=["{原|现}价0元", "0 off"]) == [[1], [1], [1], [0]]


def test_the_longest_phrase_at_a_place_counts_and_harmless_ones_shield():
    # 公众号 stands twice, once inside 公众号召; 加微信号 is one phrase and not two
    assert _hits(["关注公众号，响应公众号召", "加微信号"], a=["公众号", "加微信", "加微信号"], harmless=["公众号召"]) == [[1], [1]]


def test_the_share_of_sentences_by_hand():
    # 今天天气好。 has 6 characters, 点击 这里！ 5, 完 1: 5 of 12
    found = phrases.search(pa.array(["今天天气好。点击 这里！完", ""]), phrases.compiled({"a": ["点击这里"], "b": ["天气"]}))
    assert found.covered.tolist() == [[5, 6], [0, 0]] and found.ink.tolist() == [12, 0]
    stop = phrases.search(pa.array(["Take 0.5 mg. Click here now. 好"]), phrases.compiled({"a": ["click here"]}))
    assert stop.covered.tolist() == [[13]] and stop.ink.tolist() == [24]    # Take0.5mg. 10, Clickherenow. 13, 好 1: the full stop in 0.5 ends nothing


def test_order_slices_and_neighbours_change_nothing():
    texts = [f"第{k}页 点击这里" if k % 3 else "" for k in range(30)]
    made = phrases.compiled({"a": ["点击这里", "第0页"]})
    whole = phrases.search(pa.array(texts), made).n
    assert np.array_equal(phrases.search(pa.array(texts).slice(4, 9), made).n, whole[4:13])
    assert whole[:3].tolist() == [[0], [2], [2]]


@pytest.mark.parametrize("phrase", ["", "···", "加微信，咨询", "点击{这里|此处", "a}b"])
def test_what_could_never_be_found_is_refused(phrase):
    with pytest.raises(ValueError, match="expected letters, digits or Han characters within one clause"):
        phrases.compiled({"a": ["六合彩", phrase]})
    with pytest.raises(ValueError, match="63 labels"):
        phrases.compiled({str(k): ["六合彩"] for k in range(63)})
