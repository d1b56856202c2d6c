"""Unsafe words: violence, pornography, bias and the like, from the lexicon beside this file. paper 2.1.1, 2.2.1"""

import functools
import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.core import text
from aquilamed.core.errors import ConfigError
from aquilamed.hygiene.alphabet import simplified
from aquilamed.hygiene.kernels import folded

LEXICON = Path(__file__).with_name("unsafe_words.jsonl")
"""One kind a line: {"kind", "zh": [...], "en": [...]}."""


@functools.cache
def patterns(lexicon: Path = LEXICON) -> tuple[tuple[str, str], ...]:
    """(kind, RE2 pattern on the folded text): Chinese words anywhere, English ones on word boundaries.

    Raises:
        ConfigError: a line of the lexicon is not of that form; it is named.
    """
    words: dict[str, list[str]] = {}
    for number, line in enumerate(lexicon.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            entry = json.loads(line)
            found = [re.escape(simplified(text.fold(word))) for word in entry["zh"]] + [rf"\b{re.escape(text.fold(word))}\b" for word in entry["en"]]
            words.setdefault(entry["kind"], []).extend(found)
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ConfigError(f"{lexicon.name}, line {number}: expected {{\"kind\", \"zh\": [...], \"en\": [...]}} ({error!r})") from error
    return tuple((kind, "|".join(sorted(found))) for kind, found in sorted(words.items()))


def kinds_of(texts: pa.Array) -> pa.Array:
    """The first kind of unsafe words in each text, in alphabetical order of kinds; null where there are none."""
    plain = folded(texts)
    kinds = pa.nulls(len(plain), pa.string())
    for kind, pattern in reversed(patterns()):
        kinds = pc.if_else(pc.match_substring_regex(plain, pattern), pa.scalar(kind), kinds)
    return kinds
