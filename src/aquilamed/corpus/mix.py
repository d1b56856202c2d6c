"""Draws the text of one phase of continued pre-training to a token budget, cell by cell. paper 2.1.2

A cell is a domain (medical, general, instruction) in a language (zh with mixed text, en). Whole documents are taken in an order of
chance until the cell's budget is met; a cell that runs short is drawn again, up to `max_epochs` times, and reported if that is not
enough, never filled up from another. A document that is drawn k times is one row with `epochs` k in its meta: training lays it out k times.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aquilamed.core import chance, near, tables
from aquilamed.core.config import check, nearest
from aquilamed.core.counts import Counts
from aquilamed.core.errors import RecordError
from aquilamed.corpus import budget
from aquilamed.hygiene.kernels import stats
from aquilamed.hygiene.texts import texts_of

VERSION = 3
LANGS = ("zh", "en")
INSTRUCTION = "instruction"
DOMAINS = ("medical", "general", INSTRUCTION)
CELLS = tuple(f"{domain} {lang}" for domain in DOMAINS for lang in LANGS)
EPOCHS = "epochs"
"""Key of the meta of a document that is drawn more than once: how often."""
REFUSALS = ("other_language", "below_quality")
"""Why a row can't be drawn at all."""
SPEAKERS = {"zh": {"user": "问：", "assistant": "答：", "system": ""}, "en": {"user": "Question: ", "assistant": "Answer: ", "system": ""}}
"""What stands before a message in an instruction rendered as text."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """The budget of a phase and how it is shared out."""

    budget_tokens: int
    """Tokens of the whole phase, 1 or more. paper 2.1.2: about 60e9 in phase 1, 20e9 in phase 2"""
    medical_share: float = 0.5
    """Share, 0..1, of the tokens other than instructions that are medical. paper 2.1.2: "a certain ratio" (open)"""
    zh_share: float = 0.5
    """Share, 0..1, of Chinese tokens within each domain. paper 2.1.1 balances the seeds 1:1; ours here"""
    min_quality: float = 0.0
    """Lowest quality, 0..6, of a medical document; 0 asks for no score. ours: `only_good` needs no number"""
    only_good: bool = False
    """Whether medical documents must be what `corpus.quality` calls good. paper 2.1.2: phase 2"""
    instruction_share: float = 0.0
    """Share, 0..1, of the tokens that are conversations as plain text. paper 2.1.2: phase 2 (value open)"""
    zh_tokens_per_char: float = 0.65
    """Estimate, above 0. ours: Gemma-3 takes 0.69 on medical abstracts, 0.79 on encyclopaedia text, 0.95 on classical books"""
    en_tokens_per_char: float = 0.25
    """Estimate, above 0; mixed text is counted by its Han characters and the rest. ours: Gemma-3 takes 0.22 to 0.23"""
    source_shares: Mapping[str, Mapping[str, float]] = dataclasses.field(default_factory=dict)
    """Cell (`medical zh`) -> source -> share, 0..1, of the cell's tokens; sources that are not named share the rest by what they hold, and
    what a source lacks the others of its cell give. ours: the paper names no weights; empty: by what each holds"""
    max_epochs: int = 4
    """How often a document may be drawn where its cell is short, 1 or more. ours: up to 4 epochs of repeated text are nearly as good as
    new text (Muennighoff et al. 2023, arXiv 2305.16264)"""
    seed: int = 0
    """Orders the documents."""

    def __post_init__(self):
        check(self.budget_tokens >= 1, f"mix: budget_tokens={self.budget_tokens}: expected 1 or more")
        for name in ("medical_share", "zh_share", "instruction_share"):
            check(0 <= getattr(self, name) <= 1, f"mix: {name}={getattr(self, name)}: expected a share, 0..1")
        check(0 <= self.min_quality <= 6, f"mix: min_quality={self.min_quality}: expected 0..6")
        check(min(self.zh_tokens_per_char, self.en_tokens_per_char) > 0, "mix: tokens_per_char must be above 0")
        check(1 <= self.max_epochs <= 1000, f"mix: max_epochs={self.max_epochs}: expected 1 to 1000")
        for cell, shares in self.source_shares.items():
            check(cell in CELLS, f"mix: source_shares: no cell {cell!r}{nearest(cell, CELLS)}")
            check(all(0 <= share <= 1 for share in shares.values()) and sum(shares.values()) < 1 + budget.SLACK,
                  f"mix: source_shares[{cell!r}]={dict(shares)}: expected shares, 0..1, that sum to 1 at most")

    def budgets(self) -> dict[str, float]:
        """Cell -> tokens."""
        text = self.budget_tokens * (1 - self.instruction_share)
        domains = {"medical": text * self.medical_share, "general": text * (1 - self.medical_share),
                   INSTRUCTION: self.budget_tokens * self.instruction_share}
        langs = {"zh": self.zh_share, "en": 1 - self.zh_share}
        return {f"{domain} {lang}": tokens * share for domain, tokens in domains.items() for lang, share in langs.items()}


def run(config: Config, inputs: Mapping[str, Path], out: Path, engine) -> Counts:
    """Draw from `inputs["documents"]` and, where given, `inputs["conversations"]`, which come out as documents."""
    check(config.instruction_share == 0 or "conversations" in inputs, "mix: instruction_share needs the input 'conversations'")
    jobs = [(kind, path) for kind in ("documents", "conversations") if kind in inputs for path in tables.shards(inputs[kind], kind)]
    parts = engine.map(lambda job: describe(config, *job), jobs)
    plan = budget.Plan(budgets=config.budgets(), source_shares=config.source_shares, max_epochs=config.max_epochs)
    times, notes = budget.draw(plan, budget.Rows.joined([rows for rows, _ in parts]))
    shares = np.split(times, np.cumsum([len(refused) for _, refused in parts])[:-1])
    work = [(number, job, (refused, share)) for number, (job, (_, refused), share) in enumerate(zip(jobs, parts, shares, strict=True))]
    counts = Counts.total(engine.map(lambda one: settle(config, out, *one), work))
    return dataclasses.replace(counts, notes=notes)


def describe(config: Config, kind: str, path: Path) -> tuple[budget.Rows, np.ndarray]:
    """(the rows of one shard as columns, for each why it can't be drawn: its place in `REFUSALS`, or -1).

    Raises:
        RecordError: a document has no domain or, where one is asked for, no quality; its id is named.
    """
    table = tables.load(path)
    domains = _domains(path, table) if kind == "documents" else np.full(len(table), DOMAINS.index(INSTRUCTION))
    refused = np.where(_is(table["lang"], "other"), 0, np.where(_below(config, path, table, domains == 0), 1, -1))
    cells = np.where(refused < 0, len(LANGS) * domains + _is(table["lang"], "en"), -1)
    sources = pc.dictionary_encode(table["source"].combine_chunks())
    ids = table["id"].to_pylist()
    rows = budget.Rows(
        cell=cells.astype(np.int8), source=sources.indices.to_numpy(zero_copy_only=False).astype(np.int32), sources=tuple(sources.dictionary.to_pylist()),
        tokens=tokens_of(config, kind, table), chance=np.array([chance.share(config.seed, row_id) for row_id in ids]),
        key=np.array([int(row_id[:16], 16) for row_id in ids], np.uint64))
    return rows, refused.astype(np.int8)


def tokens_of(config: Config, kind: str, table: pa.Table) -> np.ndarray:
    """The tokens of each record, estimated from its characters."""
    texts = texts_of(kind, table)
    rates = np.where(_is(table["lang"], "zh"), config.zh_tokens_per_char, config.en_tokens_per_char)
    tokens = pc.utf8_length(texts).to_numpy(zero_copy_only=False) * rates
    mixed = np.flatnonzero(_is(table["lang"], "mixed"))
    if len(mixed):
        found = stats(texts.take(pa.array(mixed)))
        tokens[mixed] = found.han * config.zh_tokens_per_char + (found.chars - found.han) * config.en_tokens_per_char
    return tokens


def settle(config: Config, out: Path, number: int, job: tuple[str, Path], fates: tuple[np.ndarray, np.ndarray]) -> Counts:
    """Write what is drawn of one shard, what is not, and what its quality nearly kept out; `fates` are why each row is refused and how often it is drawn."""
    (kind, path), (refused, times) = job, fates
    table = tables.load(path)
    rules = {**{reason: refused == place for place, reason in enumerate(REFUSALS)}, "over_budget": times == 0}
    kept, dropped = tables.sift(table, rules)
    kept = _marked(kept if kind == "documents" else as_documents(kept), times[times > 0])
    tables.write(out / "documents" / tables.part(number), kept)
    for folder, rows in (("dropped", dropped), ("near", _nearly_below(config, table, rules) if kind == "documents" and (config.min_quality or config.only_good) else [])):
        if len(rows):
            tables.write(out / folder / f"{kind}-{number:05d}.parquet", rows)
    return tables.count(kept, dropped)


def _nearly_below(config: Config, table: pa.Table, rules: Mapping[str, np.ndarray]) -> pa.Table:
    """The medical documents that are drawn although their quality is little above the least."""
    qualities = tables.meta_column(table, "quality")
    medical = pc.equal(tables.meta_column(table, "domain"), "medical").to_numpy()
    scores = np.maximum(pc.cast(qualities, pa.float64()).fill_null(0).to_numpy(), 1e-9)
    return near.nearest(table, rules, {"below_quality": np.where(medical, _least(config, table).fill_null(0).to_numpy() / scores, 0)}, {"below_quality": qualities})


def _marked(kept: pa.Table, times: np.ndarray) -> pa.Table:
    """`kept` with `epochs` in the meta of the rows that are drawn more than once, or that an earlier mix has marked."""
    marked = (times > 1) | tables.meta_column(kept, EPOCHS).is_valid().to_numpy()
    if not marked.any():
        return kept
    again = tables.with_meta(kept.filter(pa.array(marked)), **{EPOCHS: times[marked].astype(str).tolist()})
    place = np.argsort(np.concatenate([np.flatnonzero(~marked), np.flatnonzero(marked)]))
    return pa.concat_tables([kept.filter(pa.array(~marked)), again]).take(pa.array(place))


def as_documents(conversations: pa.Table) -> pa.Table:
    """Conversations as plain text, one document each; `meta` keeps their id as `conversation`."""
    return tables.from_rows("documents", [
        {"text": plain_text(row), "lang": row["lang"], "source": row["source"], "license": row["license"],
         "meta": {**row["meta"], "domain": INSTRUCTION, "conversation": row["id"]}} for row in tables.to_rows(conversations)])


def plain_text(conversation: dict) -> str:
    """`问：…\\n答：…` in Chinese and mixed text, `Question: …\\nAnswer: …` in English."""
    speakers = SPEAKERS["en" if conversation["lang"] == "en" else "zh"]
    return "\n".join(speakers[message["role"]] + message["content"] for message in conversation["messages"])


def _domains(path: Path, table: pa.Table) -> np.ndarray:
    """The place of each document's domain in `DOMAINS`."""
    domains = tables.meta_column(table, "domain")
    found = pc.index_in(domains, pa.array(DOMAINS))
    if found.null_count:
        row = pc.index(found.is_null(), True).as_py()
        raise RecordError(f"{path}: document {table['id'][row]} has the domain {domains[row].as_py()!r}; run corpus.classify first")
    return found.to_numpy()


def _below(config: Config, path: Path, table: pa.Table, is_medical: np.ndarray) -> np.ndarray:
    """Which rows are medical documents of too low a quality."""
    if config.min_quality == 0 and not config.only_good:
        return np.zeros(len(table), bool)
    qualities, least = tables.meta_number(table, "quality"), _least(config, table)
    missing = np.flatnonzero(is_medical & pc.or_(qualities.is_null(), least.is_null()).to_numpy())
    if len(missing):
        raise RecordError(f"{path}: document {table['id'][missing[0]]} has no quality; run corpus.quality first, or set min_quality=0 and only_good=False")
    return is_medical & pc.less(qualities, least).fill_null(False).to_numpy()


def _least(config: Config, table: pa.Table) -> pa.Array:
    """The lowest quality with which each document may be drawn; null where it is not known."""
    chosen = tables.meta_number(table, "least_quality")
    least = np.full(len(table), config.min_quality) if not config.only_good else np.maximum(chosen.to_numpy(zero_copy_only=False).astype(float), config.min_quality)
    return pa.array(least, from_pandas=True)


def _is(column: pa.ChunkedArray, value: str) -> np.ndarray:
    return pc.equal(column, value).to_numpy()
