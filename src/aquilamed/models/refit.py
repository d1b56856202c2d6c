"""`aquilamed trim` and `aquilamed extend`: another vocabulary for the user's base model, with what it saves and the proof on the user's own texts.

Both write OUT whole or not at all, with `vocabulary.json` beside the weights: the report.
"""

import heapq
import itertools
import math
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from aquilamed.core import chance
from aquilamed.core.config import check
from aquilamed.core.errors import ModelUnavailable
from aquilamed.core.manifest import write_json
from aquilamed.core.text import language
from aquilamed.models import chat, extend, folders, prepare, trim
from aquilamed.models.texts import read_texts
from aquilamed.tree import pack, score

REPORT = "vocabulary.json"
SAMPLE, CUT = 48, 600
"""Texts, and characters of each, that both models are asked about."""
BATCH = 256
"""Texts that are cut at a time."""
TOLERANCE = 1e-3
"""Largest difference between two models' logits that rounding makes in float32."""


def trimmed(source: str, out: Path, paths: Sequence[Path], least: int) -> dict:
    """Keep the tokens that stand at least `least` times in the texts, and what any text may need; the report.

    Raises:
        ConfigError: no texts, `out` exists, or the tokenizer can't be trimmed.
        ModelUnavailable: no such model, or it gives other ids or logits after it (nothing is written then).
    """
    check(least >= 1, f"--least {least}: expected 1 or more")
    before = _opened(source)

    def make(target: Path) -> list[int]:
        counts: Counter = Counter()
        for _, ids in _cut(before.tokenizer, read_texts(paths)):
            counts.update(ids)
        return trim.trim_folder(before.folder, target, {i for i, n in counts.items() if n >= least} | _template_ids(before.tokenizer))

    def old_ids(kept: list[int]) -> Callable[[list[int]], list[int]]:
        return lambda ids: [kept[i] if i < len(kept) else -1 for i in ids]

    def proof(after: folders.Model, kept: list[int], texts: Counter, sample: dict[str, list[str]]) -> dict:
        worst = _logits_differ(before, after, sample, kept)
        if worst > TOLERANCE or (least == 1 and texts[False]):
            raise ModelUnavailable(f"{source}: {texts[False]:,} of {texts.total():,} texts have other tokens after trimming, logits differ by up to {worst:.2g}: this model can't be trimmed")
        return {"texts_with_the_same_tokens": texts[True], "texts_in_smaller_pieces": texts[False], "largest_logit_difference": worst}
    return _made(before, out, paths, make, old_ids, proof)


def extended(source: str, out: Path, paths: Sequence[Path], n: int) -> dict:
    """Add up to `n` tokens that shorten the texts most; the report.

    Raises:
        ConfigError: no texts, `out` exists, or the tokenizer can't be extended.
        ModelUnavailable: no such model, or a new token doesn't come apart into the old ones (nothing is written then).
    """
    check(n >= 1, f"--tokens {n}: expected 1 or more")
    before = _opened(source)
    first = max(before.tokenizer.get_vocab().values()) + 1

    def old_ids(pieces: list[tuple[int, ...]]) -> Callable[[list[int]], list[int]]:
        return lambda ids: [old for i in ids for old in (pieces[i - first] if i >= first else (i,))]

    def proof(after: folders.Model, pieces: list[tuple[int, ...]], texts: Counter, sample: dict[str, list[str]]) -> dict:
        if texts[False]:
            raise ModelUnavailable(f"{source}: the new tokens of {texts[False]:,} of {texts.total():,} texts don't come apart into the old ones: this tokenizer can't be extended")
        shown = [text for k in range(len(pieces)) if "\ufffd" not in (text := after.tokenizer.decode([first + k]))]
        return {"new_tokens": len(pieces), "texts_that_come_apart_into_the_old_tokens": texts[True], "examples": shown[:20]}
    return _made(before, out, paths, lambda target: extend.extend_folder(before.folder, target, read_texts(paths), n), old_ids, proof)


def as_text(report: dict) -> str:
    """The report, for the terminal."""
    old, new = report["before"], report["after"]
    lines = [f"vocabulary {old['vocabulary']:,} -> {new['vocabulary']:,}, parameters {old['parameters']:,} -> {new['parameters']:,}, {old['bytes'] / 1e6:,.0f} -> {new['bytes'] / 1e6:,.0f} MB"]
    for lang, figures in report["languages"].items():
        shown = " -> ".join(f"{tokens:,} tokens" for tokens in figures["tokens"])
        bits = " -> ".join(f"{value:.4f}" for value in figures["bits_per_byte"])
        lines.append(f"{lang}: {figures['texts']:,} texts, {shown} ({figures['tokens'][1] / max(figures['tokens'][0], 1) - 1:+.1%}); {bits} bits per byte on {figures['asked']} of them")
    lines += [f"{name.replace('_', ' ')}: {value if not isinstance(value, list) else ' '.join(value)}" for name, value in report["proof"].items()]
    return "\n".join(lines)


def _opened(source: str) -> folders.Model:
    return folders.load(prepare.find(prepare.Config(source=source, license="unknown"), Path(".")))


def _made(before: folders.Model, out: Path, paths: Sequence[Path], make: Callable, old_ids: Callable, proof: Callable) -> dict:
    """Make the new folder, prove it, report it; `out` is there only if all of that went well."""
    check(not out.exists(), f"{out}: is there already; name a new folder")
    sample = _sampled(read_texts(paths))
    check(bool(sample), f"{', '.join(map(str, paths))}: holds no text")
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        done = make(partial)
        after = folders.load(partial)
        texts, languages = _compared(before.tokenizer, after.tokenizer, paths, old_ids(done))
        for lang, some in sample.items():
            languages[lang] |= {"asked": len(some), "bits_per_byte": [round(_bits(model, some), 4) for model in (before, after)]}
        report = {"from": str(before.folder), "texts": [str(path) for path in paths], "before": _size(before), "after": _size(after), "proof": proof(after, done, texts, sample),
                  "languages": languages}
        write_json(partial / REPORT, report)
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return report


def _size(model: folders.Model) -> dict:
    return {"vocabulary": len(model.tokenizer), "parameters": model.network.num_parameters(), "bytes": sum(path.stat().st_size for path in model.folder.glob("*.safetensors"))}


def _cut(tokenizer, texts: Iterable[str]) -> Iterator[tuple[str, list[int]]]:
    """Each text that is not blank, with its ids."""
    left = (text for text in texts if text.strip())
    while some := list(itertools.islice(left, BATCH)):
        yield from zip(some, tokenizer(some, add_special_tokens=False)["input_ids"], strict=True)


def _compared(before, after, paths: Sequence[Path], old_ids: Callable[[list[int]], list[int]]) -> tuple[Counter, dict]:
    """(whether the new ids of a text mean its old ones -> texts, language -> texts and tokens before and after)."""
    equal, languages = Counter(), {}
    for (text, old), (_, new) in zip(_cut(before, read_texts(paths)), _cut(after, read_texts(paths)), strict=True):
        equal[old_ids(new) == old] += 1
        found = languages.setdefault(_lang(text), {"texts": 0, "tokens": [0, 0]})
        found["texts"] += 1
        found["tokens"] = [found["tokens"][0] + len(old), found["tokens"][1] + len(new)]
    return equal, languages


def _template_ids(tokenizer) -> set[int]:
    """What a chat template writes around a conversation of a turn each."""
    if not tokenizer.chat_template:
        return set()
    talk = [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}]
    shown = tokenizer.apply_chat_template(talk, tokenize=False)
    return set(tokenizer(shown, add_special_tokens=False)["input_ids"])


def _sampled(texts: Iterable[str]) -> dict[str, list[str]]:
    """Language -> the beginnings of `SAMPLE` texts, by chance."""
    found: dict[str, list] = {}
    for text in texts:
        if not text.strip():
            continue
        kept = found.setdefault(_lang(text), [])
        heapq.heappush(kept, (-chance.share(0, text), text[:CUT]))
        if len(kept) > SAMPLE:
            heapq.heappop(kept)
    return {lang: [text for _, text in sorted(kept, reverse=True)] for lang, kept in sorted(found.items())}


def _lang(text: str) -> str:
    return language(text[:2000])


def _bits(model: folders.Model, texts: list[str]) -> float:
    trees = [(pack.segment(chat.text_ids(model.tokenizer, text), True),) for text in texts]
    nats = sum(float(np.sum(part)) for tree in score.nll(model.network, trees) for part in tree)
    return nats / math.log(2) / sum(len(text.encode()) for text in texts)


@torch.no_grad()
def _logits_differ(before: folders.Model, after: folders.Model, sample: dict[str, list[str]], kept: list[int]) -> float:
    """Largest difference of the kept tokens' logits, over the sampled texts that kept tokens spell."""
    new_id, worst = trim.numbering(kept), 0.0
    for text in (text for texts in sample.values() for text in texts):
        ids = chat.text_ids(before.tokenizer, text)[:256]
        if all(i in new_id for i in ids):
            old = before.network(torch.tensor([ids], device=before.network.device)).logits[0][:, kept]
            new = after.network(torch.tensor([[new_id[i] for i in ids]], device=after.network.device)).logits[0]
            worst = max(worst, float((old - new).abs().max()))
    return worst
