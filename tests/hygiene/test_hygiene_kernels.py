"""Counts, folds and shingles against numbers worked out by hand and against plain Python."""

import numpy as np
import opencc
import pyarrow as pa
import pytest

from aquilamed.core import records, tables, text
from aquilamed.hygiene import alphabet, kernels, minhash
from aquilamed.hygiene.texts import texts_of, with_words


def test_statistics_by_hand():
    found = kernels.stats(pa.array(["患者，５ＭＧ 每日\n\n1234567、a𠀀\ufffd", ""]))
    assert {name: column[0] for name, column in found._asdict().items()} == {
        "chars": 22, "han": 5, "letters": 3, "digits": 8, "punctuation": 2, "symbols": 0, "spaces": 3, "garbled": 1,
        "latin_traces": 0, "gbk_traces": 0, "odd_pauses": 0, "tokens": 9, "lines": 3, "longest_digit_run": 7,
        "repeated_gram_share": 0, "repeated_line_share": 0, "top_gram_share": 0,
    }  # tokens: 患 者 5 mg 每 日 1234567 a 𠀀
    assert {column[1] for name, column in found._asdict().items() if name != "lines"} == {0}


def test_traces_of_wrong_readings_by_hand():
    found = kernels.stats(pa.array(["Itâ€™s naÃ¯ve", "é» ï¿½ Â© Ãa", "鍖荤敓鐢熷", "高血压。é", "naïve café’s Âme"]))
    assert found.latin_traces.tolist() == [2, 3, 0, 0, 1]    # â€, Ã¯; é», ï¿, Â©; é’
    assert found.gbk_traces.tolist() == [0, 0, 2, 0, 0]      # 鍖, 鐢: E5 8C, E7 94
    assert kernels.stats(pa.array(["一，。二、、三。四，”五", "a,.b"])).odd_pauses.tolist() == [2, 0]


def test_the_commonest_3_gram_by_hand():
    # 甲乙丙 three times, 9 of 11 tokens; no 3-gram twice; two tokens
    assert kernels.stats(pa.array(["甲乙丙1甲乙丙2甲乙丙", "one two three four", "a b"])).top_gram_share.tolist() == [9 / 11, 0, 0]


def test_repeated_lines_fold_and_blank_lines_do_not_count():
    # ＡＢ c, ab\u3000C and a b c are one line of 3 characters; blank lines are none: 6 of 11
    assert kernels.stats(pa.array(["ＡＢ c\n\n\nab\u3000C\nxy\r\na b c"])).repeated_line_share.tolist() == [6 / 11]


@pytest.mark.parametrize("unit", [list("一二三四五六七八九十"), "a b c d e f g h i j".split()], ids=["zh", "en"])
def test_repeats_by_hand(unit):
    whole = ("" if len(unit[0].encode()) > 1 else " ").join(unit)
    found = kernels.stats(pa.array([f"{whole} {whole}", f"{whole}\n{whole.upper()}\n{whole[:9]}"]))
    assert found.repeated_gram_share[0] == 1 / 11          # 20 tokens, 11 windows of 10, the last equals the first
    inked = [len(part.replace(" ", "")) for part in (whole, whole, whole[:9])]
    assert found.repeated_line_share[1] == inked[1] / sum(inked)


def test_fold_equals_the_reference_on_real_text(shared_data):
    words = (shared_data / "pretrain/zh_general/drcd_dev_traditional.json").read_text(encoding="utf-8")[:300_000]
    words += (shared_data / "pretrain/zh_general/luxun/野草.txt").read_text(encoding="utf-8") + "ＡＢＣ！\u3000ÀÉ𠀀Ω"
    pieces = [words[at:at + 997] for at in range(0, len(words), 997)]
    assert kernels.folded(pa.array(pieces)).to_pylist() == [alphabet.simplified(text.fold(piece)) for piece in pieces]


def test_both_scripts_fold_alike_and_no_text_grows():
    twins = [("臨床診斷為腦後囊腫 乾燥綜合徵", "临床诊断为脑后囊肿 干燥综合征"), ("隨著癥狀瞭解藉由麻痺", "随着症状了解借由麻痹"), ("乾坤", "干坤")]
    for traditional, plain in twins:
        assert kernels.folded(pa.array([traditional, plain])).to_pylist() == [plain, plain]
        assert text.content_id(traditional) != text.content_id(plain)
    chars = pa.array([chr(code) for code in range(alphabet.N_TABLED) if not 0xD800 <= code < 0xE000])
    once = kernels.folded(chars)
    assert kernels.folded(once).to_pylist() == once.to_pylist()
    assert all(len(after.encode()) <= len(before.encode()) for before, after in zip(chars.to_pylist(), once.to_pylist(), strict=True))


def test_tokens_and_shingles_agree_across_scripts(shared_data):
    words = (shared_data / "pretrain/zh_general/drcd_dev_traditional.json").read_text(encoding="utf-8")
    by_phrases = alphabet.simplified(opencc.OpenCC("t2s").convert(words))
    differ = sum(a != b for a, b in zip(alphabet.simplified(words), by_phrases, strict=True))
    assert differ < 0.0003 * len(words)
    words = words[:20_000]
    twins = pa.array([words, alphabet.simplified(words)])
    assert twins[0] != twins[1]
    shingles, ends = minhash.shingle_sets(twins)
    assert np.array_equal(shingles[:ends[1]], shingles[ends[1]:]) and ends[1] > 1000
    keys = minhash.band_keys(twins, 6)
    assert np.array_equal(keys[:, 0], keys[:, 1])


def test_slices_and_chunks_read_the_same():
    words = [f"第{k}段，some text {k}" for k in range(50)]
    whole = kernels.stats(pa.array(words)).tokens
    assert np.array_equal(kernels.stats(pa.array(words).slice(7, 20)).tokens, whole[7:27])
    assert np.array_equal(kernels.stats(pa.chunked_array([words[:3], words[3:]])).tokens, whole)
    assert np.array_equal(kernels.stats(pa.array(words, pa.large_string())).tokens, whole)


def _jaccard(a: str, b: str, n: int = 5) -> float:
    grams = [{word[k:k + n] for k in range(len(word) - n + 1)} for word in (a, b)]
    return len(grams[0] & grams[1]) / len(grams[0] | grams[1])


def test_confirmation_is_the_true_jaccard():
    a = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"
    b = a.replace("庚", "天")                               # 18 shingles each, 5 of them touched: 13 / 23
    assert _jaccard(a, b) == 13 / 23
    shingles, offsets = minhash.shingle_sets(pa.array([a, b]))
    assert list(np.diff(offsets)) == [18, 18]
    pair = np.array([[0, 1]])
    assert minhash.similarities(pair, shingles, offsets).tolist() == [13 / 23]


def test_signatures_estimate_similarity_without_bias():
    rng = np.random.default_rng(0)
    alphabet = [chr(0x4E00 + k) for k in range(3000)]
    agree, true = [], []
    for _ in range(150):
        a = list(rng.choice(alphabet, 200))
        b = a[:100] + list(rng.choice(alphabet, 100))
        keys = minhash.band_keys(pa.array(["".join(a), "".join(b)]), 1)
        agree.append(np.mean(keys[:, 0] == keys[:, 1]))
        true.append(_jaccard("".join(a), "".join(b)))
    assert abs(np.mean(agree) - np.mean(true)) < 0.01       # standard error of 150 x 120 draws at 0.32: 0.0035


def test_short_and_wordless_texts_meet_only_their_equals():
    words = ["感冒", "感冒", "感染", "感", "!!!", "!!!", "???", "", "", "Flu", "ＦＬＵ", "flu shot"]
    keys = minhash.band_keys(pa.array(words), 6)
    same = {(i, j) for i in range(len(words)) for j in range(i) if (keys[:, i] == keys[:, j]).any()}
    assert same == {(1, 0), (5, 4), (8, 7), (10, 9)}


def test_bands_fit_the_threshold():
    # 1 - (1 - .8^6)^20 = .998 and 1 - (1 - .4^3)^40 = .929 find enough; 1 - (1 - .4^4)^30 = .541 does not
    assert [minhash.Likeness(threshold).n_rows for threshold in (0.8, 0.4)] == [6, 3]


TALK = {"messages": [{"role": "user", "content": "头疼？"}, {"role": "assistant", "content": "多休息。"}], "kind": "single"}
PAIR = {"prompt": [{"role": "user", "content": "Headache?"}], "chosen": "Rest.", "rejected": "No.", "kind": "vote"}


@pytest.mark.parametrize(("kind", "row"), [
    ("documents", {"text": "一段"}), ("conversations", TALK), ("conversations", {**TALK, "messages": []}),
    ("preferences", PAIR), ("preferences", {**PAIR, "prompt": []})])
def test_the_text_of_a_record_is_its_words(kind, row):
    table = tables.from_rows(kind, [{**row, "source": "s", "license": "MIT"}] * 3)
    assert texts_of(kind, table).to_pylist() == ["\n".join(records.words_of(kind, row))] * 3
    assert texts_of(kind, table.slice(1, 1)).to_pylist() == ["\n".join(records.words_of(kind, row))]
    words = [word + "#" for word in records.words_of(kind, row)]
    assert records.words_of(kind, with_words(kind, table.to_pylist()[0], words)) == words
