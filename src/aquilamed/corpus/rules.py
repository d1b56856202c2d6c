"""Rule filters on documents: length, symbols, repetition, boilerplate, encoding, safety, privacy. paper 2.1.1"""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.core import tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.corpus.boilerplate import boilerplate_share, gbk_traces, latin_traces
from aquilamed.hygiene import screen, unsafe
from aquilamed.hygiene.kernels import stats

VERSION = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Limits of normal text; a token is a Han character, a word or a number. The paper names the rules but no values."""

    langs: tuple[str, ...] = ("zh", "en", "mixed")
    """Languages kept; others are dropped as `other_language`. ours: what the paper trains"""
    min_tokens: int = 30
    """Fewest tokens, 0 or more. paper 2.1.1: too few tokens; ours: the value"""
    max_tokens: int = 2_000_000
    """Most tokens; a longer text is a file that was never split. ours"""
    max_symbol_share: float = 0.15
    """Largest share, 0..1, of the characters other than blanks that are symbols (not punctuation).
    paper 2.1.1: special characters; ours: the value"""
    max_punctuation_share: float = 0.35
    """The same for punctuation. ours: the value; papers and classical books reach 0.30"""
    max_digit_share: float = 0.3
    """The same for digits. ours"""
    max_repeated_grams: float = 0.4
    """Largest share, 0..1, of 10-token n-grams that stood earlier in the text. ours: textbooks, papers and classical books reach 0.31"""
    max_repeated_lines: float = 0.3
    """Largest share, 0..1, of the characters in lines that stood earlier in the text. ours: textbooks reach 0.28"""
    max_boilerplate: float = 0.3
    """Largest share, 0..1, of the characters in sentences of advertising or site navigation.
    paper 2.1.1 leaves them to the model; ours: the plain ones"""
    max_garbled: float = 0.02
    """Largest share, 0..1, of replacement, private-use and control characters, and of traces of UTF-8 read as Latin-1. ours: old books with
    private-use glyphs reach 0.013"""
    max_mojibake: float = 0.12
    """Largest share, 0..1, of characters that UTF-8 read as GBK is made of. ours: 99 in 100 such texts have above 0.18, traditional Chinese up to 0.045"""
    unsafe: Literal["drop", "report"] = "drop"
    """As in hygiene.screen. paper 2.1.1: toxic"""
    identifiers: Literal["drop", "mask", "report"] = "drop"
    """As in hygiene.screen. paper 2.1.1: private information"""

    def __post_init__(self):
        check(0 <= self.min_tokens <= self.max_tokens, f"rules: min_tokens={self.min_tokens}, max_tokens={self.max_tokens}: expected 0 <= min <= max")
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            check(not isinstance(value, float) or 0 <= value <= 1, f"rules: {field.name}={value}: expected a share, 0..1")


def files(config: Config) -> list[Path]:
    """The lexicon of unsafe words."""
    return [unsafe.LEXICON]


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Sift `inputs["documents"]`; a document is dropped for the first rule it breaks, in the order of `breaches`."""
    return screen.sift_counting(engine, inputs["documents"], "documents", lambda table: sieve(config, table), out)


def sieve(config: Config, table: pa.Table) -> tuple[pa.Table, pa.Table, Counter]:
    """(kept, dropped, identifiers masked or reported by kind) of one shard."""
    found = screen.inspect("documents", table)
    rules, details = found.rules(config.unsafe, config.identifiers)
    shape, figures = breaches(config, table)
    kept, dropped = tables.sift(table, {**shape, **rules}, {**figures, **details})
    kept, counted = found.settle("documents", kept, config.identifiers)
    return kept, dropped, counted


def breaches(config: Config, table: pa.Table) -> tuple[dict[str, np.ndarray], dict[str, pa.Array]]:
    """(reason -> mask, reason -> the figure that broke the limit) for every rule about the shape of a text."""
    texts = table["text"].combine_chunks()
    found = stats(texts)
    inked = np.maximum(found.chars - found.spaces, 1)
    shares = {
        "garbled": (found.garbled + latin_traces(texts).to_numpy()) / inked, "mojibake": gbk_traces(texts).to_numpy() / inked,
        "symbols": found.symbols / inked, "punctuation": found.punctuation / inked, "digits": found.digits / inked,
        "repeated_lines": found.repeated_line_share, "repeated_grams": found.repeated_gram_share,
        "boilerplate": boilerplate_share(texts).to_numpy(zero_copy_only=False),
    }
    limits = {
        "garbled": config.max_garbled, "mojibake": config.max_mojibake, "symbols": config.max_symbol_share,
        "punctuation": config.max_punctuation_share, "digits": config.max_digit_share,
        "repeated_lines": config.max_repeated_lines, "repeated_grams": config.max_repeated_grams, "boilerplate": config.max_boilerplate,
    }
    foreign = pc.invert(pc.is_in(table["lang"], value_set=pa.array(config.langs, pa.string()))).to_numpy(zero_copy_only=False)
    masks = {
        **{name: shares[name] > limits[name] for name in ("garbled", "mojibake")}, "other_language": foreign,
        "too_short": found.tokens < config.min_tokens, "too_long": found.tokens > config.max_tokens,
        **{name: shares[name] > limits[name] for name in list(shares)[2:]},
    }
    figures = {"other_language": table["lang"], **{name: _decimals(share) for name, share in shares.items()},
               **{name: pa.array(found.tokens).cast(pa.string()) for name in ("too_short", "too_long")}}
    return masks, figures


def _decimals(share: np.ndarray) -> pa.Array:
    return pa.array([f"{value:.3f}" for value in share.tolist()], pa.string())
