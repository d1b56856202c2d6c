"""A vocabulary trimmed to, or extended by, the user's own texts: as commands, with their proof."""

import json
from collections import Counter

import pytest
import tiny
import torch
from tokenizers import Tokenizer

from aquilamed import cli
from aquilamed.core.text import language
from aquilamed.models import chat, extend, folders, refit, texts

TEXTS = ["高血压患者应限制钠盐摄入，并定期测量血压。" * 3, "糖尿病患者应控制饮食，血糖偏高者应复诊。" * 3, "Patients with hypertension should limit salt. " * 3, "Patients with diabetes should watch the diet. " * 3]


@pytest.fixture
def home(tmp_path):
    tiny.make(tmp_path / "base")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts/some.jsonl").write_text("".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in TEXTS), encoding="utf-8")
    return tmp_path


def told(capsys, *words) -> tuple[int, str, str]:
    code = cli.main([str(word) for word in words])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_extended_texts_are_shorter_and_come_apart_into_the_old_tokens(home, capsys):
    code, out, _ = told(capsys, "extend", home / "base", home / "new", home / "texts", "--tokens", 60)
    before, after = folders.load(home / "base"), folders.load(home / "new")
    report = json.loads((home / "new" / refit.REPORT).read_text(encoding="utf-8"))
    assert code == 0 and f"{len(before.tokenizer):,} -> {len(after.tokenizer):,}" in out and " 血压 " in out
    spelled = json.loads((home / "base/tokenizer.json").read_text(encoding="utf-8"))
    pieces = extend.pieces_of(spelled, extend.learn(spelled, TEXTS, 60))
    first = max(before.tokenizer.get_vocab().values()) + 1
    for text in [*TEXTS, "血压 hypertension 未见过的 unseen, 高 血 压", "①２３ 頭痛 café", ""]:
        ids = chat.text_ids(after.tokenizer, text)
        assert [old for i in ids for old in (pieces[i - first] if i >= first else (i,))] == chat.text_ids(before.tokenizer, text)
        assert after.tokenizer.decode(ids, skip_special_tokens=True) == before.tokenizer.decode(chat.text_ids(before.tokenizer, text), skip_special_tokens=True)
    for lang, figures in report["languages"].items():
        own = [text for text in TEXTS if language(text) == lang]
        assert figures["tokens"] == [sum(len(m.tokenizer(t, add_special_tokens=False)["input_ids"]) for t in own) for m in (before, after)] and figures["tokens"][1] < 0.8 * figures["tokens"][0]
    old, new = before.network.get_input_embeddings().weight, after.network.get_input_embeddings().weight
    assert torch.equal(new[:first], old[:first]) and len(new) == first + len(pieces)
    assert chat.render(after.tokenizer, [{"role": "user", "content": "高血压"}, {"role": "assistant", "content": "限盐"}]).trained.any()


def test_a_text_without_new_tokens_has_the_losses_it_had_but_for_the_new_ones_share(home, capsys):
    told(capsys, "extend", home / "base", home / "new", home / "texts", "--tokens", 20)
    before, after = folders.load(home / "base"), folders.load(home / "new")
    ids = torch.tensor([chat.text_ids(before.tokenizer, "1234 5678")])
    torch.testing.assert_close(after.network(ids).logits[..., :before.network.config.vocab_size], before.network(ids).logits)


def test_merges_by_hand():
    """Runs abab x 6, abc x 5: ab first (17 times), then abab (6), then abc (5)."""
    shown, names = {0: b"a", 1: b"b", 2: b"c"}, {0: "a", 1: "b", 2: "c"}
    runs = Counter({(0, 1, 0, 1): 6, (0, 1, 2): 5})
    assert extend._merged(runs, 9, 3, shown, names) == [(0, 1), (3, 3), (3, 2)]
    assert extend._merged(runs, 1, 3, shown, names) == [(0, 1)]
    assert extend._merged(Counter({(0, 1): extend.LEAST - 1}), 9, 3, shown, names) == []
    assert extend._merged(runs, 1, 3, shown, {**names, 9: "ab"}) == [(1, 0)]                  # a token of that spelling is there


def test_only_letters_of_one_script_are_joined():
    shown = {0: "血".encode(), 1: "压".encode(), 2: b"a", 3: b" b", 4: b"c"}
    assert extend.runs_of([0, 1, 2, 4, 3, 4, 9, 4, 2], [0] * 9, shown) == [(0, 1), (2, 4), (3, 4), (4, 2)]
    assert extend.runs_of([2, 4], [0, 1], shown) == []                                       # two words of the tokenizer's own
    for value, may in ((b"ab", True), (" b".encode(), True), ("，".encode(), False), ("血压".encode(), True), ("血".encode()[:2], True), ("血".encode()[1:], False), ("血压".encode()[:4], False), (b"a" * 13, False)):
        assert extend._may_be_a_token(value) is may


def test_merges_go_on_in_a_sentencepiece_tokenizer():
    spelled = {"version": "1.0", "added_tokens": [], "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}, "pre_tokenizer": None, "post_processor": None,
               "decoder": {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, "truncation": None, "padding": None,
               "model": {"type": "BPE", "vocab": {token: k for k, token in enumerate("▁ a b c 血 压 ， ab ▁c".split())}, "merges": ["a b", "▁ c"], "unk_token": None}}
    pairs = extend.learn(spelled, ["血压，ab c ab" for _ in range(6)], 9)
    longer = Tokenizer.from_str(json.dumps(extend.extended(spelled, pairs)))
    assert [longer.id_to_token(9 + k) for k in range(len(pairs))] == ["血压"]
    assert longer.encode("血压，ab c血").tokens == ["血压", "，", "ab", "▁c", "血"]


def test_trimmed_keeps_tokens_and_logits(home, capsys):
    code, out, _ = told(capsys, "trim", home / "base", home / "new", home / "texts")
    report = json.loads((home / "new" / refit.REPORT).read_text(encoding="utf-8"))
    before, after = folders.load(home / "base"), folders.load(home / "new")
    assert code == 0 and "largest logit difference" in out and report["proof"] == {"texts_with_the_same_tokens": 4, "texts_in_smaller_pieces": 0, "largest_logit_difference": report["proof"]["largest_logit_difference"]}
    assert report["after"]["parameters"] < report["before"]["parameters"]
    words = chat.render(before.tokenizer, [{"role": "user", "content": TEXTS[0]}, {"role": "assistant", "content": TEXTS[2]}])
    again = chat.render(after.tokenizer, [{"role": "user", "content": TEXTS[0]}, {"role": "assistant", "content": TEXTS[2]}])
    assert len(words.ids) == len(again.ids) and after.tokenizer.decode(again.ids) == before.tokenizer.decode(words.ids)


def test_what_cannot_be_done_is_told_and_leaves_nothing(home, capsys, monkeypatch):
    (home / "empty").mkdir()
    (home / "there").mkdir()
    for words, says in [(("extend", home / "base", home / "there", home / "texts", "--tokens", 5), "is there already"), (("trim", home / "base", home / "new", home / "none.txt"), "none.txt: no such file"),
                        (("trim", home / "base", home / "new", home / "empty"), "holds no .csv"), (("extend", home / "nothing", home / "new", home / "texts", "--tokens", 5), "nothing: no such model folder"),
                        (("extend", home / "base", home / "new", home / "texts", "--tokens", 0), "--tokens 0: expected 1 or more"), (("trim", home / "base", home / "new", home / "texts", "--least", 0), "--least 0")]:
        code, _, err = told(capsys, *words)
        assert code == 2 and says in err and not (home / "new").exists()
    monkeypatch.setattr(refit, "_logits_differ", lambda *given: 0.5)
    code, _, err = told(capsys, "trim", home / "base", home / "new", home / "texts")
    assert code == 2 and "logits differ by up to 0.5: this model can't be trimmed" in err and not list(home.glob("new*"))


def test_texts_of_a_steps_folder_are_its_documents(tmp_path):
    from aquilamed.core import tables
    tables.scatter(tmp_path / "step", "documents", tables.from_rows("documents", [{"text": text, "source": "test", "license": "Apache-2.0"} for text in TEXTS]))
    assert sorted(texts.read_texts([tmp_path / "step"])) == sorted(TEXTS)
