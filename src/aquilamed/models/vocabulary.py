"""Which of Gemma's tokens Chinese and English need: makes `gemma_zh_en.bits`, which `embedded` ships and reads.

    python -m aquilamed.models.vocabulary TEXT... --out FILE

TEXT is a file or a folder of .txt .md .csv .tsv .json .jsonl .xml; UTF-8 or GB18030. Nothing of the texts goes into the
file but the fact which tokens occur. Needs the packages of `aquilamed[embedded]` and, for English words, `wordfreq`.
"""

import argparse
import json
import re
import sys
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from aquilamed.core.errors import ModelUnavailable
from aquilamed.models import embedded, trim
from aquilamed.models.texts import read_texts

MIN_COUNT = 5
"""A Latin, Greek or emoji token is kept from this count in the texts on: fewer are names, misprints and code."""
MIN_ENGLISH = 10 ** (4.6 - 9)
"""Or from this share of English running words on (Zipf 4.6): medical texts miss much of everyday English.

The two were chosen for a budget of 65,000 tokens. Of the tokens in English texts not counted here 96.8 % are kept; counts
from 4 and Zipf 3.6 on (about 85,000) would keep 98 %, 2 and 3.2 (101,000) 98.9 %. Other ways to rank (by documents, by
sums or products of both figures, with the id as a prior) gave the same within 0.2 points at equal size.
"""
N_WORDS = 120_000
"""Words looked at, from the most frequent on; those after it are below the share above."""
MARKUP = (
    "<|im_start|>system\n", "<|im_start|>user\n", "<|im_start|>assistant\n", "<|im_end|>\n",
    "<start_of_turn>user\n", "<start_of_turn>model\n",
)
"""What the chat templates write between the texts."""
HAN = r"\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
WIDE = r"\u3000-\u3004\u3008-\u303f\u30fb\u3200-\u33ff\ufe30-\ufe6f\uff01-\uff65\uffe0-\uffe6"
CHINESE = re.compile(f"(?=.*[{HAN}{WIDE}])[▁\\x20-\\x40\\[-`{{-~\\u2010-\\u203f·{HAN}{WIDE}]+", re.DOTALL)
"""Han and CJK or full-width marks, also beside a space, digits, ASCII or general punctuation."""
READABLE = re.compile(r"[▁\x09-\x7e\u00a0-\u02ff\u0300-\u036f\u0370-\u03ff\u1e00-\u1eff\u2000-\u2bff\ufe0f\U0001f000-\U0001faff]+")
"""Characters of the tokens that are kept where counted: Latin, Greek, punctuation, symbols, emoji."""


def always(token: str) -> bool:
    """True if the script alone decides: Chinese, or one character of a kind that any text may hold."""
    letter = token.removeprefix("▁")
    if CHINESE.fullmatch(token) or not token.strip("▁"):
        return True
    if len(letter) != 1 or not READABLE.fullmatch(letter):
        return False
    return ord(letter) < 0x400 or ("\u2000" <= letter <= "\u2bff" and unicodedata.category(letter)[0] in "PSNZ")


def choose(tokenizer, texts: Iterable[str], english: dict[str, float]) -> set[int]:
    """Ids of the tokens to keep, not yet closed; `english` is word -> share of running words."""
    vocab = tokenizer.get_vocab(with_added_tokens=False)
    counts = count(tokenizer, texts)
    mass = english_mass(tokenizer, english)
    kept = {i for token, i in vocab.items() if always(token)}
    kept |= {i for token, i in vocab.items()
             if READABLE.fullmatch(token) and (counts[i] >= MIN_COUNT or mass[i] >= MIN_ENGLISH)}
    return kept | set(count(tokenizer, MARKUP))


def count(tokenizer, texts: Iterable[str]) -> Counter:
    """Token id -> how often it occurs."""
    counts = Counter()
    for text in texts:
        for begin in range(0, len(text), 20_000):
            counts.update(tokenizer.encode(text[begin:begin + 20_000], add_special_tokens=False).ids)
    return counts


def english_mass(tokenizer, english: dict[str, float]) -> Counter:
    """Token id -> its expected share of running words, at the middle or the beginning of a sentence or of a line."""
    mass = Counter()
    words = list(english)
    for spell in (" {}".format, lambda w: " " + w.capitalize(), str, str.capitalize):
        for word, cut in zip(words, tokenizer.encode_batch([spell(w) for w in words], add_special_tokens=False), strict=True):
            for i in set(cut.ids):
                mass[i] = mass[i] + english[word]
    return mass


def english_words() -> dict[str, float]:
    """Word -> share of English running words, from `wordfreq`.

    Raises:
        ModelUnavailable: that package is not installed.
    """
    try:
        import wordfreq
    except ImportError as error:
        raise ModelUnavailable("choosing English tokens needs word frequencies: pip install wordfreq") from error
    words = wordfreq.top_n_list("en", N_WORDS, wordlist="large", ascii_only=False)
    return {word: wordfreq.word_frequency(word, "en", wordlist="large") for word in words}


def main(arguments: list[str]) -> None:
    """The command in the head of this file."""
    parser = argparse.ArgumentParser(prog="python -m aquilamed.models.vocabulary", description="Choose Gemma's tokens for Chinese and English.")
    parser.add_argument("texts", nargs="+", type=Path, metavar="TEXT", help="a file or a folder of text")
    parser.add_argument("--out", type=Path, default=embedded.KEPT, help="default: %(default)s")
    given = parser.parse_args(arguments)
    from tokenizers import Tokenizer

    with tempfile.TemporaryDirectory() as scratch:
        settings = embedded.open_source(Path(scratch)).settings
    spelled = embedded.spell(settings)
    tokenizer = Tokenizer.from_str(json.dumps(spelled))
    chosen = choose(tokenizer, read_texts(given.texts), english_words())
    kept = trim.close(spelled, chosen)
    embedded.write_kept(given.out, np.array(kept), settings["tokenizer.ggml.tokens"])
    sys.stdout.write(f"{given.out}: {len(kept)} tokens kept ({len(chosen)} chosen), {given.out.stat().st_size} bytes\n")


if __name__ == "__main__":
    main(sys.argv[1:])
