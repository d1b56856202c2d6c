"""A corpus with planted near-duplicates whose true similarity is known, in both languages.

    python benchmarks/planted.py FOLDER --n 200000

Clauses of the clinic's pages in random order make documents of about 1 kB; some stand in families of an original and edited copies.
`FOLDER/documents` holds shards as an import leaves them, `FOLDER/pairs.parquet` the true Jaccard similarity within each family,
`FOLDER/jsonl` (with --jsonl) the same rows for tools that read JSON lines. Equal arguments give equal bytes.
"""

import argparse
import contextlib
import dataclasses
import functools
import itertools
import json
import re
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import opencc
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aquilamed.clinic import facts, pages
from aquilamed.core import records, runs, tables, text
from aquilamed.engine.local import Local

CHUNK = 10_000
"""Documents made at once."""
LAYOUTS = 7
ENDINGS = {"zh": ("，", "，", "。", "。\n"), "en": (", ", ", ", ". ", ".\n")}
CLAUSE = {"zh": re.compile(r"[。！？；，：\n]"), "en": re.compile(r"[.!?;,:]\s|\n")}
LEAST_CHARS = {"zh": 6, "en": 20}
TOKEN = re.compile(r"[\u3400-\u9fff]|[^\W\d_\u3400-\u9fff]+|\d+")
GRAM = 5
WIDE = {c: c + 0xFEE0 for c in range(0x21, 0x7F)}
SCHEMA = pa.schema([("a", pa.string()), ("b", pa.string()), ("jaccard", pa.float64()), ("lang", pa.string()), ("edit", pa.string())])


@functools.cache
def clauses(lang: str) -> list[str]:
    """Every clause of the clinic's pages in `lang`, each with every ending."""
    known = facts.load()
    made = [pages.subject_page(known, subject, lang, n, 0) for subject in (*known.conditions, *known.drugs) for n in range(LAYOUTS)]
    made += [pages.general_page((record,), lang, 0, 0) for record in known.general]
    found = {clause.strip(" .") for page in made for clause in CLAUSE[lang].split(page.text)}
    return [clause + end for clause in sorted(found) if len(clause) >= LEAST_CHARS[lang] for end in ENDINGS[lang]]


@functools.cache
def pool(lang: str) -> pa.Array:
    return pa.array(clauses(lang))


@functools.cache
def clause_bytes(lang: str) -> float:
    """The mean length of a clause."""
    return pc.mean(pc.binary_length(pool(lang))).as_py()


def drawn(lang: str, n: int, mean_bytes: int, rng: np.random.Generator) -> pa.Array:
    """`n` documents of random clauses, their lengths even between half and one and a half of `mean_bytes`."""
    sizes = np.ceil(rng.uniform(0.5, 1.5, n) * mean_bytes / clause_bytes(lang)).astype(np.int32)
    offsets = np.r_[0, np.cumsum(sizes, dtype=np.int32)]
    words = pool(lang).take(pa.array(rng.integers(0, len(pool(lang)), offsets[-1])))
    return pc.utf8_trim_whitespace(pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), words), ""))


def chance_words(lang: str, n_tokens: int, rng: np.random.Generator) -> str:
    """A run of `n_tokens` tokens of other clauses."""
    words = ""
    while len(spans := list(TOKEN.finditer(words))) < n_tokens:
        words += clauses(lang)[rng.integers(len(clauses(lang)))]
    return words[:spans[n_tokens - 1].end()] + ("，" if lang == "zh" else ", ")


# each edit: (words, lang, wanted similarity, chance) -> other words whose similarity is about the wanted one

def scattered(words: str, lang: str, wanted: float, rng: np.random.Generator) -> str:
    spans = list(TOKEN.finditer(words))
    n_edits = max(1, round(len(spans) * (1 - wanted) / (GRAM * (1 + wanted))))
    parts, at = [], 0
    for k in sorted(rng.choice(len(spans), n_edits, replace=False)):
        parts += [words[at:spans[k].start()], TOKEN.search(clauses(lang)[rng.integers(len(clauses(lang)))])[0]]
        at = spans[k].end()
    return "".join([*parts, words[at:]])


def inserted(words: str, lang: str, wanted: float, rng: np.random.Generator) -> str:
    spans = list(TOKEN.finditer(words))
    at = spans[rng.integers(1, len(spans))].start()
    return words[:at] + chance_words(lang, max(1, round(len(spans) * (1 / wanted - 1))), rng) + words[at:]


def deleted(words: str, lang: str, wanted: float, rng: np.random.Generator) -> str:
    spans = list(TOKEN.finditer(words))
    n_gone = max(1, round(len(spans) * (1 - wanted)))
    first = rng.integers(1, len(spans) - n_gone)
    return words[:spans[first].start()] + words[spans[first + n_gone].start():]


def truncated(words: str, lang: str, wanted: float, rng: np.random.Generator) -> str:
    spans = list(TOKEN.finditer(words))
    return words[:spans[len(spans) - max(1, round(len(spans) * (1 - wanted)))].start()]


def framed(words: str, lang: str, wanted: float, rng: np.random.Generator) -> str:
    n_more = max(2, round(len(TOKEN.findall(words)) * (1 / wanted - 1)))
    return f"{chance_words(lang, n_more // 2, rng)}\n{words}\n{chance_words(lang, n_more - n_more // 2, rng)}"


def form(words: str, lang: str, wanted: float, rng: np.random.Generator) -> str:
    """Another width, case or punctuation: the same words."""
    ways = (lambda: words.translate(WIDE), lambda: words.upper(), lambda: re.sub("[，,]", ";", words), lambda: re.sub("[。.]", "！", words))
    return ways[rng.integers(len(ways))]()


@functools.cache
def traditional_of():
    return opencc.OpenCC("s2t")


def traditional(words: str, lang: str, wanted: float, rng: np.random.Generator) -> str:
    """Chinese in traditional script: its similarity is that of the simplified text it was made of."""
    return traditional_of().convert(words)


EDITS = {"zh": (scattered, inserted, deleted, truncated, framed, form, traditional), "en": (scattered, inserted, deleted, truncated, framed, form)}


def shingles(words: str) -> frozenset:
    tokens = TOKEN.findall(text.fold(words))
    return frozenset(zip(*(tokens[k:] for k in range(GRAM)), strict=False)) or frozenset([tuple(tokens)])


def jaccard(a: frozenset, b: frozenset) -> float:
    common = len(a & b)
    return common / (len(a) + len(b) - common)


def family(name: str, lang: str, original: str, rng: np.random.Generator) -> tuple[list[tuple[str, str]], list[dict]]:
    """(name, text) of an original with one to four copies, and every pair of them."""
    members, edits, sets = [(f"{name}.0", original)], ["original"], [shingles(original)]
    for k in range(1, 1 + rng.integers(1, 5)):
        edit = EDITS[lang][rng.integers(len(EDITS[lang]))]
        members.append((f"{name}.{k}", edit(original, lang, rng.uniform(0.6, 0.999), rng)))
        edits.append(edit.__name__)
        sets.append(sets[0] if edit is traditional else shingles(members[-1][1]))
    pairs = [{"a": members[i][0], "b": members[j][0], "jaccard": jaccard(sets[i], sets[j]), "lang": lang,
              "edit": edits[j] if i == 0 else "two copies"} for i, j in itertools.combinations(range(len(members)), 2)]
    return members, pairs


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shape:
    """What the corpus is like."""

    share: float = 0.15
    """Share of the documents that stand in families."""
    mean_bytes: int = 1000
    """Mean length of a document."""
    seed: int = 0


def chunk(folder: Path, number: int, n: int, shape: Shape) -> tuple[Path, int]:
    """Write a run of `n` documents and their pairs; its file and weight."""
    rng = np.random.default_rng((shape.seed, number))
    parts, pairs = [], []
    for lang in ("zh", "en"):
        n_half, members = n // 2, []
        for k in itertools.count():
            if len(members) >= shape.share * n_half:
                break
            copies, found = family(f"{lang}{number}.{k}", lang, drawn(lang, 1, shape.mean_bytes, rng)[0].as_py(), rng)
            members += copies
            pairs += found
        members, n_single = members[:n_half], max(0, n_half - len(members))
        there = {name for name, _ in members}
        pairs = [pair for pair in pairs if pair["lang"] != lang or {pair["a"], pair["b"]} <= there]
        names = [name for name, _ in members] + [f"s{lang}{number}.{k}" for k in range(n_single)]
        parts.append(table(lang, [words for _, words in members] + drawn(lang, n_single, shape.mean_bytes, rng).to_pylist(), names))
    made, path = pa.concat_tables(parts), folder / f"run-{number:05d}.arrow"
    runs.spill(path, made)
    pq.write_table(pa.Table.from_pylist(pairs, SCHEMA), folder / f"pairs-{number:05d}.parquet")
    return path, runs.weight(made)


def table(lang: str, texts: list[str], names: list[str]) -> pa.Table:
    """Documents whose `meta["row"]` is their name."""
    n = len(texts)
    meta = pa.MapArray.from_arrays(pa.array(np.arange(n + 1), pa.int32()), pa.array(["row"] * n), pa.array(names))
    columns = [pa.array([text.content_id(words) for words in texts]), pa.array(texts), *(pa.array([value] * n) for value in (lang, "planted", "CC0-1.0")), meta]
    return pa.Table.from_arrays(columns, schema=records.SCHEMAS["documents"])


def make(folder: Path, n: int, shape: Shape = Shape(), *, jsonl: bool = False) -> Path:
    """Make the corpus unless it is there; `folder`."""
    if (folder / "pairs.parquet").exists():
        return folder
    sizes = [min(CHUNK, n - start) for start in range(0, n, CHUNK)]
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(2) as processes:
        jobs = [processes.submit(chunk, folder / "runs", number, size, shape) for number, size in enumerate(sizes)]
        found = [job.result() for job in jobs]
    tables.merge(Local(2), [path for path, _ in found], sum(weight for _, weight in found), lambda number: folder / "documents" / tables.part(number))
    if jsonl:
        write_jsonl(folder)
    pairs = pa.concat_tables([pq.read_table(path) for path in sorted((folder / "runs").glob("pairs-*.parquet"))])
    for path in (folder / "runs").iterdir():
        path.unlink()
    tables.write(folder / "pairs.parquet", pairs)
    return folder


def write_jsonl(folder: Path) -> None:
    """The rows as JSON lines, two files for each language."""
    (folder / "jsonl").mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        files = {(lang, k): stack.enter_context((folder / "jsonl" / f"{lang}-{k}.jsonl").open("w", encoding="utf-8")) for lang in EDITS for k in (0, 1)}
        for path in tables.shards(folder, "documents"):
            for number, row in enumerate(tables.load(path).select(["text", "lang", "meta"]).to_pylist()):
                files[row["lang"], number % 2].write(json.dumps({"text": row["text"], "id": dict(row["meta"])["row"]}, ensure_ascii=False) + "\n")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--n", type=int, default=200_000, help="documents")
    asked.add_argument("--share", type=float, default=Shape.share, help="share of the documents that stand in families")
    asked.add_argument("--mean-bytes", type=int, default=Shape.mean_bytes, help="mean length of a document")
    asked.add_argument("--jsonl", action="store_true")
    given = asked.parse_args()
    make(given.folder, given.n, Shape(share=given.share, mean_bytes=given.mean_bytes), jsonl=given.jsonl)


if __name__ == "__main__":
    main()
