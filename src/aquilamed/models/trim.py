"""A smaller vocabulary for a model: the same tokens and the same logits on every text that the kept tokens spell.

Why it is exact: BPE joins, again and again, the best-ranked pair of neighbours. A kept set is closed if every token that
BPE passes through on its way to a kept one is kept too. Where the whole tokenizer cuts a text into kept tokens only, each
join it made is then still there and still the best of those left, so the trimmed tokenizer makes the same joins.
Other texts come out in smaller pieces, at worst in bytes; none is lost.
"""

import copy
import itertools
import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from aquilamed.core.config import check
from aquilamed.core.errors import ConfigError
from aquilamed.core.manifest import write_json

PLACEHOLDER = re.compile(r"[<\[]\|?_?(unused|reserved)[\w ]*\|?[>\]]", re.IGNORECASE)
"""Added tokens that stand for nothing yet: dropped unless asked for by id."""
BYTE = re.compile(r"<0x[0-9A-Fa-f]{2}>")
CARRIED = ("LICENSE*", "MODEL-LICENSE.json", "chat_template.jinja", "special_tokens_map.json")
"""Files of a model folder that hold no token id."""


def trim(model, tokenizer_json: dict, keep: Iterable[int]):
    """(`model`, its tokenizer.json, old ids of the kept rows): `model` is changed in place, the dict is not.

    `keep` grows by what `close` adds and by the special ids in the model's settings; new ids follow the old order.

    Raises:
        ConfigError: a tokenizer that is not plain BPE, ids it does not have, or a model with several vocabularies.
    """
    vocabulary = read_vocabulary(tokenizer_json)
    configs = [model.config, model.config.get_text_config(), getattr(model, "generation_config", None)]
    special = {i for config in configs if config is not None for i in special_ids(config.to_dict())}
    kept = close(tokenizer_json, {*keep, *(special & set(vocabulary.values()))})
    _check_rows(model, kept)
    new_id = numbering(kept)
    _slice(model, kept)
    for config in {id(config): config for config in configs if config is not None}.values():
        for key, value in renumber(config.to_dict(), new_id).items():
            if key.endswith("_token_id") or key == "vocab_size":
                setattr(config, key, value)
    return model, trim_tokenizer(tokenizer_json, kept), kept


def trim_folder(source: Path, out: Path, keep: Iterable[int]) -> list[int]:
    """`trim` from one Hugging Face folder to another (`out` must not exist); the kept old ids.

    Raises:
        ConfigError: as `trim`, or `source` holds no tokenizer.json.
    """
    import transformers

    check((source / "tokenizer.json").exists(), f"{source}: holds no tokenizer.json; only such tokenizers can be trimmed")
    check(not out.exists(), f"{out}: is there already; name a new folder")
    spelled = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    settings = json.loads((source / "tokenizer_config.json").read_text(encoding="utf-8"))
    vocabulary = read_vocabulary(spelled)
    named = {vocabulary[token] for token in _named_tokens(settings) if token in vocabulary}
    model = transformers.AutoModelForCausalLM.from_pretrained(source, dtype="auto", local_files_only=True)
    model, spelled, kept = trim(model, spelled, {*keep, *named})
    model.save_pretrained(out)
    (out / "tokenizer.json").write_text(json.dumps(spelled, ensure_ascii=False), encoding="utf-8")
    write_json(out / "tokenizer_config.json", renumber(settings, numbering(kept)))
    for path in itertools.chain.from_iterable(source.glob(pattern) for pattern in CARRIED):
        shutil.copy(path, out / path.name)
    return kept


def read_vocabulary(tokenizer_json: dict) -> dict[str, int]:
    """Token -> id, added tokens included.

    Raises:
        ConfigError: a tokenizer whose vocabulary can't be cut without changing what is left.
    """
    model = tokenizer_json.get("model", {})
    kind = model.get("type") or ("BPE" if "merges" in model else "unknown")
    check(kind == "BPE", f"tokenizer.json holds a {kind} model; only BPE can be trimmed: use the model untrimmed")
    for key in ("continuing_subword_prefix", "end_of_word_suffix"):
        check(not model.get(key), f"tokenizer.json: BPE with {key}={model.get(key)!r} can't be trimmed; use the model untrimmed")
    return {**model["vocab"], **{token["content"]: token["id"] for token in tokenizer_json.get("added_tokens", ())}}


def essential(tokenizer_json: dict) -> set[int]:
    """Ids that any text may need: the bytes, the unknown token, what is put around a text, added tokens in use."""
    model, vocabulary = tokenizer_json["model"], read_vocabulary(tokenizer_json)
    byte_level = '"ByteLevel"' in json.dumps([tokenizer_json.get("pre_tokenizer"), tokenizer_json.get("decoder")])
    found = {i for token, i in model["vocab"].items() if BYTE.fullmatch(token) or (byte_level and len(token) == 1)}
    found |= {token["id"] for token in tokenizer_json.get("added_tokens", ()) if not PLACEHOLDER.fullmatch(token["content"])}
    found |= {vocabulary[token] for token in [model.get("unk_token")] if token in vocabulary}
    found |= {settings["pad_id"] for settings in [tokenizer_json.get("padding")] if settings}
    return found | set(_wrapped_ids(tokenizer_json.get("post_processor")))


def close(tokenizer_json: dict, keep: Iterable[int]) -> list[int]:
    """`keep`, what is essential, and every token that BPE passes through on its way to one of them; sorted.

    Raises:
        ConfigError: `keep` names ids that the tokenizer does not have, or the tokenizer can't be trimmed.
    """
    vocabulary = read_vocabulary(tokenizer_json)
    token_of = {i: token for token, i in vocabulary.items()}
    kept = {int(i) for i in keep} | essential(tokenizer_json)
    unknown = sorted(kept - token_of.keys())
    check(not unknown, f"the tokenizer has no tokens {unknown[:5]}; its ids go from {min(token_of)} to {max(token_of)}")
    rank = {pair: number for number, pair in enumerate(_pairs(tokenizer_json))}
    added = {token["id"] for token in tokenizer_json.get("added_tokens", ())}
    for i in sorted(kept - added):
        token = token_of[i]
        if not BYTE.fullmatch(token):
            kept.update(vocabulary[piece] for piece in path_to(token, rank) if piece in vocabulary)
    return sorted(kept)


def path_to(token: str, rank: dict[tuple[str, str], int]) -> list[str]:
    """The pieces BPE makes on its way from the characters of `token`: the characters, then each join in its order."""
    pieces = list(token)
    path = list(pieces)
    while len(pieces) > 1:
        ranks = [rank.get(pair, len(rank)) for pair in itertools.pairwise(pieces)]
        best = min(ranks)
        if best == len(rank):
            return path
        at = ranks.index(best)
        pieces[at:at + 2] = [pieces[at] + pieces[at + 1]]
        path.append(pieces[at])
    return path


def numbering(kept: Iterable[int]) -> dict[int, int]:
    """Old id -> new id, in old order."""
    return {old: new for new, old in enumerate(sorted(kept))}


def trim_tokenizer(tokenizer_json: dict, kept: Iterable[int]) -> dict:
    """A tokenizer.json of the `kept` ids alone, which must be closed (see `close`)."""
    read_vocabulary(tokenizer_json)
    new_id = numbering(kept)
    out = copy.deepcopy({key: value for key, value in tokenizer_json.items() if key not in ("model", "added_tokens")})
    out["added_tokens"] = [{**t, "id": new_id[t["id"]]} for t in tokenizer_json.get("added_tokens", ()) if t["id"] in new_id]
    model = tokenizer_json["model"]
    vocab = {token: new_id[i] for token, i in model["vocab"].items() if i in new_id}
    merges = [[a, b] for a, b in _pairs(tokenizer_json) if a in vocab and b in vocab and a + b in vocab]
    out["model"] = {**model, "vocab": vocab, "merges": merges}
    _renumber_wrapping(out.get("post_processor"), new_id)
    if out.get("padding"):
        out["padding"]["pad_id"] = new_id[out["padding"]["pad_id"]]
    return out


def special_ids(settings: dict) -> set[int]:
    """The token ids that a config.json or generation_config.json names."""
    found = (value for key, value in settings.items() if key.endswith("_token_id"))
    return {i for value in found for i in (value if isinstance(value, list) else [value]) if isinstance(i, int)}


def renumber(settings: dict, new_id: dict[int, int]) -> dict:
    """A config.json, generation_config.json or tokenizer_config.json with new ids; an id that is gone becomes null."""
    out = copy.deepcopy(settings)
    for key, value in settings.items():
        if key.endswith("_token_id"):
            out[key] = [new_id[i] for i in value if i in new_id] if isinstance(value, list) else new_id.get(value)
    if "vocab_size" in out:
        out["vocab_size"] = len(new_id)
    if "added_tokens_decoder" in out:
        old = settings["added_tokens_decoder"].items()
        out["added_tokens_decoder"] = {str(new_id[int(i)]): token for i, token in old if int(i) in new_id}
    if isinstance(out.get("text_config"), dict):
        out["text_config"] = renumber(settings["text_config"], new_id)
    return out


def _named_tokens(settings: dict) -> Iterable[str]:
    """The tokens that a tokenizer_config.json gives a role: `pad_token` and the like."""
    for key, value in settings.items():
        if key.endswith("_token") and value:
            yield value["content"] if isinstance(value, dict) else value


def _pairs(tokenizer_json: dict) -> list[tuple[str, str]]:
    return [tuple(merge.split(" ") if isinstance(merge, str) else merge) for merge in tokenizer_json["model"]["merges"]]


def _wrapped_ids(processor: dict | None) -> Iterable[int]:
    """The token ids inside a post-processor of any kind."""
    for part in (processor or {}).get("processors", [processor] if processor else []):
        special = part.get("special_tokens")
        if isinstance(special, dict):
            yield from itertools.chain.from_iterable(token["ids"] for token in special.values())
        yield from (part[key][1] for key in ("sep", "cls") if key in part)


def _renumber_wrapping(processor: dict | None, new_id: dict[int, int]) -> None:
    """Change those ids in place."""
    for part in (processor or {}).get("processors", [processor] if processor else []):
        special = part.get("special_tokens")
        for token in special.values() if isinstance(special, dict) else ():
            token["ids"] = [new_id[i] for i in token["ids"]]
        for key in ("sep", "cls"):
            if key in part:
                part[key] = [part[key][0], new_id[part[key][1]]]


def _check_rows(model, kept: list[int]) -> None:
    import torch

    table = model.get_input_embeddings()
    n_rows = table.weight.shape[0]
    check(kept[-1] < n_rows, f"the tokenizer has token {kept[-1]}, the model only {n_rows} rows; they don't belong together")
    others = [name for name, part in model.named_modules()
              if isinstance(part, torch.nn.Embedding) and part is not table and part.num_embeddings == table.num_embeddings]
    if others:
        raise ConfigError(f"the model looks tokens up in {', '.join(others)} as well; such models can't be trimmed")


def _slice(model, kept: list[int]) -> None:
    """Keep the rows `kept` of the token table and of the head, tied or not."""
    import torch

    table, head, rows = model.get_input_embeddings(), model.get_output_embeddings(), torch.tensor(kept)
    tied = head is not None and head.weight is table.weight

    def cut(weight: torch.nn.Parameter) -> torch.nn.Parameter:
        return torch.nn.Parameter(weight.detach()[rows.to(weight.device)].clone(), weight.requires_grad)

    table.weight, table.num_embeddings = cut(table.weight), len(kept)
    table.padding_idx = numbering(kept).get(table.padding_idx)
    if head is not None:
        head.weight = table.weight if tied else cut(head.weight)
        head.out_features = len(kept)
        if head.bias is not None:
            head.bias = cut(head.bias)
