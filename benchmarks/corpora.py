"""Corpora for the benchmarks: real documents and the clinic's web, cut to about one kilobyte, half Chinese, half English.

The real ones are the public sets of docs/formats.md, looked for at ../shared/data; without them the clinic alone is used.
More documents than there are get made of the sentences of others, so that any number of them can be had.
"""

import re
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from aquilamed.clinic import facts, write
from aquilamed.core import records, tables
from aquilamed.core.chance import chooser, share
from aquilamed.core.sources import known
from aquilamed.corpus import importing
from aquilamed.engine.local import Local

DATA = Path("../shared/data")
SIZE = 1000
"""Bytes of a document: about 330 Chinese characters or 1,000 English letters."""
CLINIC_SHARE = 0.2
"""Of the documents of each language, where there are real ones."""
_SENTENCE = re.compile(r"(?:[^。！？!?.\n]|\.(?!\s|$))*(?:[。！？!?\n]+|\.\s*|$)")


def documents(n: int, *, seed: int = 0, data: Path = DATA) -> pa.Table:
    """`n` documents, half zh, half en, in an order drawn by `seed`; `meta` holds where each came from and, of clinic pages, the dirt on it."""
    found = {lang: [row for row in (*real(data), *clinic()) if row["lang"] == lang] for lang in ("zh", "en")}
    chosen = [row for lang, rows in found.items() for row in _drawn(rows, n // 2 + (lang == "zh") * (n % 2), seed)]
    return tables.from_rows("documents", sorted(chosen, key=lambda row: (share(seed, f"order/{row['id']}"), row["id"])))


def real(data: Path = DATA) -> list[dict]:
    """The documents of every public set in `data`, each cut to pieces of about `SIZE` bytes; none where the folder is absent."""
    return _once(_document(piece, row["source"], {}) for row in whole(data) for piece in pieces(row["text"]))


def whole(data: Path = DATA) -> list[dict]:
    """The documents of every public set in `data` as imports make them: up to 20,000 characters; none where the folder is absent."""
    if not data.is_dir():
        return []
    sources = tuple(source for name, source in known.documents(data).items() if not name.startswith("csl_cls"))
    with tempfile.TemporaryDirectory() as folder:
        importing.run(importing.Config(sources=sources), {}, Path(folder), Local(2))
        return list(tables.rows(Path(folder), "documents"))


def clinic() -> list[dict]:
    """The clinic's web pages; `meta["dirt"]` says what is wrong with each."""
    rows = write.generate(write.Config(), facts.load())["web.jsonl"]
    return _once(_document(row["text"], "clinic", {"dirt": row["truth"]["dirt"]}) for row in rows)


def pieces(text: str, size: int = SIZE) -> list[str]:
    """`text` cut at sentence ends into pieces of at least `size` bytes, the last one at least half of it."""
    found, now = [], ""
    for sentence in _SENTENCE.findall(text):
        now += sentence
        if len(now.encode()) >= size:
            found.append(now.strip())
            now = ""
    return found + [now.strip()] * (len(now.encode()) >= size // 2 or not found)


def _document(text: str, source: str, meta: dict[str, str]) -> dict:
    return records.make("documents", {"text": text, "source": source, "license": "unknown", "meta": meta})


def _once(rows) -> list[dict]:
    return list({row["id"]: row for row in rows}.values())


def _drawn(rows: list[dict], n: int, seed: int) -> list[dict]:
    """`n` of `rows` by chance, with the clinic's share; what lacks is made of their sentences."""
    ordered = sorted(rows, key=lambda row: share(seed, row["id"]))
    pages = [row for row in ordered if row["source"] == "clinic"]
    others = [row for row in ordered if row["source"] != "clinic"]
    taken = pages[:round(n * CLINIC_SHARE)] if others else pages[:n]
    taken = taken + others[:n - len(taken)]
    return taken + _made(rows, n - len(taken), seed)


def _made(rows: list[dict], n: int, seed: int) -> list[dict]:
    """`n` documents whose sentences are drawn from all of `rows`."""
    if not n:
        return []
    sentences = [found for row in rows for found in _SENTENCE.findall(row["text"]) if found.strip()]
    lengths = np.array([len(sentence.encode()) for sentence in sentences])
    rng, out = chooser(seed, f"made/{n}/{rows[0]['lang']}"), []
    per_document = int(np.ceil(2 * SIZE / lengths.mean())) + 8
    for _ in range(n):
        order = rng.integers(0, len(sentences), per_document)
        enough = int(np.searchsorted(np.cumsum(lengths[order]), SIZE)) + 1
        out.append({**_document("".join(sentences[k] for k in order[:enough]).strip(), "made", {}), "lang": rows[0]["lang"]})
    return out
