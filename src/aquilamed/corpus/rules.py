"""Rule filters on documents: length, symbols, repetition, boilerplate, encoding, safety, privacy. paper 2.1.1"""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.core import near, tables
from aquilamed.core.config import check
from aquilamed.core.counts import Counts
from aquilamed.corpus import boilerplate
from aquilamed.hygiene import screen, unsafe
from aquilamed.hygiene.identifiers import KINDS
from aquilamed.hygiene.kernels import stats
from aquilamed.hygiene.screen import check_kinds

VERSION = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of normal text in one language; a token is a Han character, a word or a number.

    The paper names too few tokens and too many special characters, and no values. Values are ours: above what all but one in a thousand of the clean
    texts of the language reach, below most spoiled ones (`benchmarks/rule_limits.py` prints both).
    """

    min_tokens: int
    """Fewest tokens, 0 or more."""
    max_garbled: float
    """Largest share, 0..1, of the characters other than blanks that are replacement, private-use or control characters, and of traces of UTF-8 read
    as Latin-1 and of replacement characters read as GBK."""
    max_mojibake: float
    """The same for characters that UTF-8 read as GBK is made of."""
    max_symbols: float
    """The same for symbols (not punctuation)."""
    max_punctuation: float
    """The same for punctuation."""
    max_digits: float
    """The same for digits."""
    max_repeated_grams: float
    """Largest share, 0..1, of 10-token n-grams that stood earlier in the text."""
    max_top_gram: float
    """Largest share, 0..1, of the tokens that the commonest 3-gram makes up: texts stuffed with words for search engines."""
    max_repeated_lines: float
    """Largest share, 0..1, of the characters in lines that stood earlier in the text."""
    max_boilerplate: float
    """Largest share, 0..1, of the characters in sentences of advertising, site furniture or media editing. paper 2.1.1 leaves them to the model; ours: the plain ones"""
    max_impossible: float
    """Largest share, 0..1, of tokens that can't follow the one before: words put in no order."""

    def __post_init__(self):
        check(self.min_tokens >= 0, f"rules: min_tokens={self.min_tokens}: expected 0 or more")
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            check(not isinstance(value, float) or 0 <= value <= 1, f"rules: {field.name}={value}: expected a share, 0..1")


ZH = Limits(min_tokens=30, max_garbled=0.02, max_mojibake=0.12, max_symbols=0.2, max_punctuation=0.35, max_digits=0.35, max_repeated_grams=0.35, max_top_gram=0.23,
            max_repeated_lines=0.25, max_boilerplate=0.12, max_impossible=0.01)
"""From Chinese text. Books with code have up to 0.33 symbols, classical ones up to 0.31 punctuation, abstracts up to 0.34 digits."""
EN = Limits(min_tokens=30, max_garbled=0.02, max_mojibake=0.12, max_symbols=0.12, max_punctuation=0.25, max_digits=0.3, max_repeated_grams=0.48, max_top_gram=0.25,
            max_repeated_lines=0.3, max_boilerplate=0.12, max_impossible=0.0125)
"""From English text. Textbooks have up to 0.08 symbols and 0.21 punctuation, lists of references up to 0.29 digits."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """What is dropped. A mixed text is held to the looser of both languages' limits, as is one in another language where those are kept."""

    langs: tuple[str, ...] = ("zh", "en", "mixed")
    """Languages kept; others are dropped as `other_language`. ours: what the paper trains"""
    zh: Limits = ZH
    """For Chinese. ours, from Chinese text"""
    en: Limits = EN
    """For English. ours, from English text"""
    max_tokens: int = 2_000_000
    """Most tokens; a longer text is a file that was never split. ours"""
    unsafe: Literal["drop", "report"] = "drop"
    """As in hygiene.screen. paper 2.1.1: toxic"""
    lexicon: Path = Path("")
    """A lexicon of unsafe words to use in place of ours (the form: `hygiene.unsafe.LEXICON`); empty: ours."""
    identifiers: Literal["drop", "mask", "report"] = "drop"
    """As in hygiene.screen. paper 2.1.1: private information"""
    kinds: tuple[str, ...] = KINDS
    """Kinds of identifier that count, as in hygiene.screen. ours"""
    records: Literal["found", "all"] = "found"
    """Which texts are patients' records, as in hygiene.screen. ours"""

    def __post_init__(self):
        for limits in (self.zh, self.en):
            check(limits.min_tokens <= self.max_tokens, f"rules: min_tokens={limits.min_tokens}, max_tokens={self.max_tokens}: expected min <= max")
        check_kinds("rules", self.kinds)


LIMITS = {
    "garbled": "max_garbled", "mojibake": "max_mojibake", "tokens": "min_tokens", "symbols": "max_symbols", "punctuation": "max_punctuation", "digits": "max_digits", "repeated_lines": "max_repeated_lines",
    "repeated_grams": "max_repeated_grams", "top_gram": "max_top_gram", "boilerplate": "max_boilerplate", "impossible": "max_impossible",
}
"""Figure -> the field of `Limits` that bounds it."""
REASONS = {"top_gram": "stuffed", "impossible": "scrambled"}
"""Figure -> the reason it is dropped for, where that is not the figure's name."""


def files(config: Config) -> list[Path]:
    """The lexicon of unsafe words."""
    return [unsafe.chosen(config.lexicon)]


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Sift `inputs["documents"]`; a document is dropped for the first rule it breaks, in the order of `breaches`."""
    unsafe.load(unsafe.chosen(config.lexicon))
    return tables.sift_all(engine, inputs["documents"], "documents", lambda table: sieve(config, table), out)


def sieve(config: Config, table: pa.Table) -> tuple[pa.Table, pa.Table, Counter, pa.Table]:
    """(kept, dropped, identifiers masked or reported by kind, nearly dropped) of one shard."""
    found = screen.inspect("documents", table, screen.Look(config.kinds, config.records == "all", unsafe.chosen(config.lexicon)))
    rules, details = found.rules(config.unsafe, config.identifiers)
    shape, values, nearness = breaches(config, table)
    shown = {reason: _shown(values[reason], mask) for reason, mask in shape.items() if reason != "other_language"}
    rules = {**shape, **rules}
    kept, dropped = tables.sift(table, rules, {**shown, "other_language": table["lang"], **details})
    kept, counted = found.settle("documents", kept, config.identifiers)
    told = {reason: pc.cast(pc.round(pa.array(value), 3), pa.string()) for reason, value in values.items()}
    return kept, dropped, counted, near.of_kept(kept, rules, {**nearness, **found.nearness}, {**told, **found.nearly})


def breaches(config: Config, table: pa.Table) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray]]:
    """(reason -> mask, reason -> the figure that a limit is put on, reason -> how near to it, 1 at the limit) for every rule about the shape of a text."""
    found = figures(table["text"].combine_chunks())
    langs = np.asarray(table["lang"].to_pylist(), object)
    bounds = {name: _bounds(config, langs, name) for name in LIMITS}
    foreign = pc.invert(pc.is_in(table["lang"], value_set=pa.array(config.langs, pa.string()))).to_numpy(zero_copy_only=False)
    masks = {
        **{name: found[name] > bounds[name] for name in ("garbled", "mojibake")}, "other_language": foreign,
        "too_short": found["tokens"] < bounds["tokens"], "too_long": found["tokens"] > config.max_tokens,
        **{REASONS.get(name, name): found[name] > bounds[name] for name in LIMITS if name not in ("garbled", "mojibake", "tokens")},
    }
    values = {"too_short": found["tokens"], "too_long": found["tokens"], **{REASONS.get(name, name): found[name] for name in LIMITS if name != "tokens"}}
    nearness = {"too_short": bounds["tokens"] / np.maximum(found["tokens"], 1), "too_long": near.of_limit(found["tokens"], config.max_tokens),
                **{REASONS.get(name, name): found[name] / np.maximum(bounds[name], 1e-9) for name in LIMITS if name != "tokens"}}
    return masks, values, nearness


def figures(texts: pa.Array) -> dict[str, np.ndarray]:
    """Name -> the figure of every text that a limit is put on."""
    found, (advertised, impossible, remains) = stats(texts), boilerplate.shares(texts)
    ink, tokens = np.maximum(found.chars - found.spaces, 1), np.maximum(found.tokens, 1)
    return {
        "garbled": (found.garbled + found.latin_traces) / ink + remains, "mojibake": found.gbk_traces / ink, "tokens": found.tokens,
        "symbols": found.symbols / ink, "punctuation": found.punctuation / ink, "digits": found.digits / ink,
        "repeated_lines": found.repeated_line_share, "repeated_grams": found.repeated_gram_share, "top_gram": found.top_gram_share,
        "boilerplate": advertised, "impossible": np.where(impossible + found.odd_pauses > 1, (impossible + found.odd_pauses) / tokens, 0.0),
    }


def _bounds(config: Config, langs: np.ndarray, figure: str) -> np.ndarray:
    """The limit of `figure` for each text."""
    zh, en = (getattr(limits, LIMITS[figure]) for limits in (config.zh, config.en))
    looser = min(zh, en) if figure == "tokens" else max(zh, en)
    return np.where(langs == "zh", zh, np.where(langs == "en", en, looser))


def _shown(values: np.ndarray, mask: np.ndarray) -> pa.Array:
    """The figures of the rows of `mask`, as text; null elsewhere."""
    out = np.full(len(values), None, object)
    out[mask] = [f"{value:.3f}" if values.dtype.kind == "f" else str(value) for value in values[mask]]
    return pa.array(out, pa.string())
