"""`aquilamed show`: a sample of any artifact, why rows were dropped, and training samples token by token."""

import json
from collections import Counter
from pathlib import Path

from aquilamed.core import manifest, tables
from aquilamed.core.config import check
from aquilamed.core.errors import ConfigError
from aquilamed.core.records import SCHEMAS

SIGNS = {"trained": ("+", "\033[32m"), "context": ("·", "\033[37m"), "special": ("#", "\033[35m")}
"""How a token is marked, by sign and by colour: what is trained on, what is only seen, what the template adds."""


def show(path: Path, *, n: int, dropped: str | None, record_id: str, tokens: bool, as_json: bool, colour: bool) -> str:
    """Text (or JSON) about `path`.

    Raises:
        ConfigError: nothing is there that can be shown.
    """
    check(n >= 0, f"-n {n}: expected 0 or more")
    if not path.exists():
        raise ConfigError(f"{path}: not there; a run's folders are listed by `ls runs/<recipe>`")
    if tokens:
        return _tokens(path, n, record_id, colour)
    if path.suffix == ".json":
        return path.read_text(encoding="utf-8")
    found = _rows(path, dropped, record_id)
    chosen = found[:: max(len(found) // n, 1)][:n] if n else []
    if as_json:
        return json.dumps(chosen, ensure_ascii=False, indent=1)
    head = _head(path)
    about = [f"{len(found):,} rows" + (" dropped" if dropped is not None else "")]
    if dropped is not None:
        about += [f"  {reason}: {count:,}" for reason, count in Counter(row["reason"] for row in found).most_common()]
    return "\n".join([*head, *about, *("\n" + _as_text(row) for row in chosen)])


def _head(path: Path) -> list[str]:
    body = manifest.read(path) if path.is_dir() else None
    if not body:
        return []
    counts = body["counts"]
    lines = [f"{path.name}  {body['stage']} v{body['version']}  paper {body['paper']}  digest {body['digest'][:12]}",
             f"in {counts['in']:,} = out {counts['out']:,} + dropped {sum(counts['dropped'].values()):,}"]
    return lines + [f"  dropped {reason}: {count:,}" for reason, count in counts["dropped"].items()]


def _rows(path: Path, dropped: str | None, record_id: str) -> list[dict]:
    """The rows to choose from.

    Raises:
        ConfigError: there is no table, or no such row.
    """
    files = _files(path, dropped is not None)
    found = []
    for file in files:
        for row in tables.load(file).to_pylist():
            if row.get("meta") is not None:
                row["meta"] = dict(row["meta"])
            wanted = (not dropped or row.get("reason") == dropped) and (row.get("id") or "").startswith(record_id)
            found += [row] if wanted else []
    if not found:
        what = f"with id {record_id}" if record_id else f"dropped as {dropped}" if dropped else "to show"
        raise ConfigError(f"{path}: no row {what}")
    return found


def _files(path: Path, dropped: bool) -> list[Path]:
    if path.is_file():
        return [path]
    folder = path / "dropped" if dropped else next((path / kind for kind in SCHEMAS if (path / kind).is_dir()), path)
    files = sorted(folder.glob("*.parquet")) if folder.is_dir() else []
    if not files and dropped and manifest.read(path):
        raise ConfigError(f"{path}: dropped nothing")
    if not files:
        if (path / manifest.IDENTITY).exists() and not manifest.read(path):
            raise ConfigError(f"{path}: the step is not finished; run the same command again to go on with it")
        shown = [p.name for p in sorted(path.iterdir()) if p.is_dir() or p.suffix in (".json", ".parquet")]
        raise ConfigError(f"{path}: holds no table; give one of: {', '.join(shown) or 'none that can be shown'}")
    return files


def _as_text(row: dict) -> str:
    """One record, the long texts as they are, the rest on one line."""
    lines = [f"--- {row.get('id') or ''}"]
    for key, value in row.items():
        if key in ("messages", "prompt"):
            lines += [f"[{message['role']}] {message['content']}" for message in value or ()]
        elif isinstance(value, str) and key in ("text", "chosen", "rejected", "stem", "detail", "raw", "context") and value:
            lines.append(f"{key}: {value}")
        elif value not in (None, "", {}) and key != "id":
            lines.append(f"{key}: {json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value}")
    return "\n".join(lines)


def _tokens(path: Path, n: int, record_id: str, colour: bool) -> str:
    """Training samples of a training step, token by token.

    Raises:
        ConfigError: `path` is no training step's folder, or has no such record.
    """
    from aquilamed.models import folders
    from aquilamed.train.data import FILE, Units
    if not (path / FILE).exists():
        raise ConfigError(f"{path}: is not a training step's folder (no {FILE}); give one such as runs/<recipe>/NN-sft")
    import transformers
    tokenizer = transformers.AutoTokenizer.from_pretrained(folders.locate(path), local_files_only=True)
    units = Units(path / FILE)
    records = units.table["record"].to_pylist()
    chosen = [i for i, record in enumerate(records) if record.startswith(record_id)]
    if not chosen:
        raise ConfigError(f"{path}: no training sample of record {record_id}")
    legend = "  ".join(f"{sign} {name}" for name, (sign, _) in SIGNS.items())
    lines = [legend]
    for index in chosen[:: max(len(chosen) // n, 1)][:n]:
        row = units.table.slice(index, 1).to_pylist()[0]
        lines += [f"\n--- {row['record']}", "".join(_mark(tokenizer, token, asked, colour) for token, asked in zip(row["ids"], row["asked"], strict=True))]
    return "\n".join(lines)


def _mark(tokenizer, token: int, asked: bool, colour: bool) -> str:
    special = token in tokenizer.all_special_ids
    sign, paint = SIGNS["trained" if asked else "special" if special else "context"]
    text = tokenizer.decode([token]).replace("\n", "\\n")
    shown = f"{sign}{text}|"
    return f"{paint}{shown}\033[0m" if colour else shown



