"""A larger vocabulary for a model: BPE goes on where its merges stop, on the user's texts, and a new token's row is made of its pieces' rows.

A new merge ranks after every old one, so a text is cut as before and its pieces then joined further: a new token can always be taken apart
into the old ones, no text is lost, and texts without new tokens have the ids they had.
"""

import copy
import heapq
import itertools
import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from aquilamed.core.config import check
from aquilamed.models import trim

LONGEST = 12
"""Characters of a new token, at most. ours: longer ones are headings and names"""
PART, BATCH = 20_000, 256
"""Characters that are cut at once, and how many such parts at a time."""
LEAST = 5
"""Times that a pair must stand in the texts to become a token. ours"""


def extend_folder(source: Path, out: Path, texts: Iterable[str], n: int) -> list[tuple[int, ...]]:
    """Write the model of `source` with up to `n` more tokens to `out` (which must not exist); the old ids that each new token stands for.

    Raises:
        ConfigError: no plain BPE tokenizer.json in `source`, or `out` exists.
    """
    import transformers

    check((source / "tokenizer.json").exists(), f"{source}: holds no tokenizer.json; only such tokenizers can be extended")
    check(not out.exists(), f"{out}: is there already; name a new folder")
    spelled = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    pairs = learn(spelled, texts, n)
    model = transformers.AutoModelForCausalLM.from_pretrained(source, dtype="auto", local_files_only=True)
    pieces = pieces_of(spelled, pairs)
    _add_rows(model, pieces, max(trim.read_vocabulary(spelled).values()) + 1)
    model.save_pretrained(out)
    (out / "tokenizer.json").write_text(json.dumps(extended(spelled, pairs), ensure_ascii=False), encoding="utf-8")
    for pattern in (*trim.CARRIED, "tokenizer_config.json"):
        for path in source.glob(pattern):
            shutil.copy(path, out / path.name)
    return pieces


def learn(spelled: dict, texts: Iterable[str], n: int) -> list[tuple[int, int]]:
    """The next `n` merges, as pairs of ids (of old tokens, or of those that earlier pairs made), most frequent first; fewer where the texts have no more."""
    from tokenizers import Tokenizer
    vocabulary = trim.read_vocabulary(spelled)
    shown = letters(spelled)
    tokenizer = Tokenizer.from_str(json.dumps(spelled))
    runs: Counter = Counter()
    parts = (text[begin:begin + PART] for text in texts for begin in range(0, len(text), PART))
    while some := list(itertools.islice(parts, BATCH)):
        for cut in tokenizer.encode_batch(some, add_special_tokens=False):
            runs.update(runs_of(cut.ids, cut.word_ids, shown))
    names = {i: token for token, i in vocabulary.items()}
    return _merged(runs, n, max(names) + 1, shown, names)


def letters(spelled: dict) -> dict[int, bytes]:
    """The bytes of each token that is letters alone, or a part of one, after at most one blank; no other token is ever joined."""
    byte_level = '"ByteLevel"' in json.dumps([spelled.get("pre_tokenizer"), spelled.get("decoder")])
    of_byte, found = _bytes_of() if byte_level else {}, {}
    for token, i in spelled["model"]["vocab"].items():
        if not byte_level or all(c in of_byte for c in token):
            value = bytes(of_byte[c] for c in token) if byte_level else token.replace("▁", " ").encode()
            if _is_text(value) or (byte_level and value and min(value) >= 0x80 and not _decoded(value)):
                found[i] = value
    return found


def runs_of(ids: Sequence[int], words: Sequence[int | None], shown: dict[int, bytes]) -> list[tuple[int, ...]]:
    """The stretches of a cut text within which tokens may be joined: letters, of ASCII or of none, with a blank only before the first; of two tokens or more."""
    found, run, last = [], [], None
    for i, word in zip(ids, words, strict=True):
        value = shown.get(i)
        if value is None or value[:1] == b" " or not run or word != last or (value[0] < 0x80) != (shown[run[-1]][-1] < 0x80):
            if len(run) > 1:
                found.append(tuple(run))
            run = []
        if value is not None:
            run.append(i)
        last = word
    return found + ([tuple(run)] if len(run) > 1 else [])


def _decoded(value: bytes) -> str:
    """Its text; empty where it is no whole UTF-8."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return ""


def _is_text(value: bytes) -> bool:
    return _decoded(value).removeprefix(" ").isalpha()


def _may_be_a_token(value: bytes) -> bool:
    """Letters, not too many; or the beginning of one letter, which byte-level BPE needs on its way to the whole."""
    if _is_text(value):
        return len(_decoded(value).strip()) <= LONGEST
    return not _decoded(value) and value[0] >= 0xC2 and len(value) < 4 and all(0x80 <= byte < 0xC0 for byte in value[1:])


def extended(spelled: dict, pairs: Sequence[tuple[int, int]]) -> dict:
    """The tokenizer.json with `pairs` as its last merges."""
    out = copy.deepcopy(spelled)
    model, names = out["model"], {i: token for token, i in trim.read_vocabulary(spelled).items()}
    joined = " ".join if model["merges"] and isinstance(model["merges"][0], str) else list
    first = max(names) + 1
    for number, (left, right) in enumerate(pairs, start=first):
        names[number] = names[left] + names[right]
        model["vocab"][names[number]] = number
        model["merges"].append(joined((names[left], names[right])))
    return out


def pieces_of(spelled: dict, pairs: Sequence[tuple[int, int]]) -> list[tuple[int, ...]]:
    """The old ids that each pair stands for."""
    first, found = max(trim.read_vocabulary(spelled).values()) + 1, []
    for pair in pairs:
        found.append(tuple(old for part in pair for old in (found[part - first] if part >= first else (part,))))
    return found


def _merged(runs: Counter, n: int, first: int, shown: dict[int, bytes], names: dict[int, str]) -> list[tuple[int, int]]:
    """BPE's training, on `runs` of old ids."""
    words, counts = [list(run) for run in runs], list(runs.values())
    pairs, where = Counter(), defaultdict(set)
    for k, word in enumerate(words):
        for pair in zip(word, word[1:], strict=False):
            pairs[pair] += counts[k]
            where[pair].add(k)
    shown, taken, made = dict(shown), set(names.values()), []
    names = dict(names)
    heap = [(-count, pair) for pair, count in pairs.items()]
    heapq.heapify(heap)
    while heap and len(made) < n:
        count, pair = heapq.heappop(heap)
        if -count != pairs[pair]:
            if pairs[pair] >= LEAST:
                heapq.heappush(heap, (-pairs[pair], pair))
            continue
        if -count < LEAST:
            break
        value, name = shown[pair[0]] + shown[pair[1]], names[pair[0]] + names[pair[1]]
        if not _may_be_a_token(value) or name in taken:
            continue
        new = first + len(made)
        shown[new], names[new] = value, name
        taken.add(name)
        made.append(pair)
        for k in where.pop(pair):
            before, words[k] = words[k], _joined(words[k], pair, new)
            for sign, word in ((-1, before), (1, words[k])):
                for one in zip(word, word[1:], strict=False):
                    pairs[one] += sign * counts[k]
                    if sign > 0:
                        where[one].add(k)
                        if new in one:
                            heapq.heappush(heap, (-pairs[one], one))
    return made


def _joined(word: list[int], pair: tuple[int, int], new: int) -> list[int]:
    """`word` with every `pair` of neighbours, from the left, as `new`."""
    found, k = [], 0
    while k < len(word):
        if tuple(word[k:k + 2]) == pair:
            found.append(new)
            k += 2
        else:
            found.append(word[k])
            k += 1
    return found


def _add_rows(model, pieces: Sequence[tuple[int, ...]], first: int) -> None:
    """A row for each new token from id `first` on, the mean of its pieces' rows, in the token table and in the head."""
    import torch

    if first + len(pieces) > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(first + len(pieces), mean_resizing=False)
    for table in {id(part): part for part in (model.get_input_embeddings(), model.get_output_embeddings())}.values():
        with torch.no_grad():
            for number, old in enumerate(pieces, start=first):
                table.weight[number] = table.weight[list(old)].float().mean(0).to(table.weight.dtype)


def _bytes_of() -> dict[str, int]:
    """Byte-level BPE's letter -> the byte it stands for. https://github.com/openai/gpt-2/blob/master/src/encoder.py"""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [value for value in range(256) if value not in plain]
    return {**{chr(value): value for value in plain}, **{chr(256 + k): value for k, value in enumerate(others)}}
