"""Building a corpus, beside its peers: CPU time of the same work on the same documents, from Parquet to Parquet, on one core.

    python benchmarks/corpus.py --datatrove /path/to/venv/bin/python [--documents 10000] [--runs 3] [--works rules same together]

`together` is ours alone: rules, unsafe words, identifiers, near duplicates and benchmark items, one after the other; it needs no peer.

The peer lives in an environment of its own: `pip install "datatrove[processing]" spacy jieba orjson`. Nothing is downloaded.
"""

import argparse
import pickle
import sys
import tempfile
from pathlib import Path

import corpora
import decontamination
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import tables as results

from aquilamed.core import tables
from aquilamed.corpus import boilerplate, rules
from aquilamed.hygiene import alphabet, phrases, unsafe

WORKS = {"rules": "rules", "same": "same rules", "together": "all filters together"}
"""Work -> its row in the table."""


def main() -> None:
    """Make the corpus, run the works in turn, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datatrove", default="", help="interpreter of an environment with datatrove")
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--works", nargs="+", choices=WORKS, default=list(WORKS))
    given = parser.parse_args()
    if not given.datatrove and given.works != ["together"]:
        parser.error("--datatrove is needed for works that have a peer; or give --works together")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder)
        table = corpora.documents(given.documents)
        lay(table.filter(pc.is_in(table["lang"], value_set=pa.array(["zh", "en"]))), source)
        rows = [_together(source, given) if work == "together" else _row(work, source, given) for work in given.works]
    found = results.versions("numpy", "pyarrow", "numba", "opencc") | ({"datatrove": results.version_of(given.datatrove, "datatrove")} if given.datatrove else {})
    results.publish("corpus", rows, found)


def lay(table: pa.Table, folder: Path) -> None:
    """Our shards in `folder`/documents; for the peer a folder a language, the first documents to warm up on, and the settings of the rules."""
    tables.write(folder / "documents" / tables.part(0), table)
    plain = table.select(["id", "text", "lang"])
    for lang in ("zh", "en"):
        part = plain.filter(pc.equal(plain["lang"], lang))
        for name, rows in (("peer", part), ("warm", part.slice(0, 50))):
            (folder / name / lang).mkdir(parents=True)
            pq.write_table(rows, folder / name / lang / "part.parquet", compression="zstd")
    (folder / "settings.pickle").write_bytes(pickle.dumps(settings_of(rules.Config())))


def settings_of(config: rules.Config) -> dict:
    """What plain_rules.py needs to know: the tables of characters, the phrases, the limits."""
    zh, en = ({name: getattr(limits, field) for name, field in rules.LIMITS.items()} for limits in (config.zh, config.en))
    said = {label: [one for phrase in found for one in phrases.expanded(phrase)] for label, found in boilerplate.phrases_by_label().items()}
    words, unsafe_said = unsafe.entries(unsafe.LEXICON), {}
    for entry in words:
        unsafe_said.setdefault(entry.label, []).extend(one for phrase in entry.phrases for one in phrases.expanded(phrase))
    return {
        "classes": (alphabet.table() >> 16).tolist(), "folds": (alphabet.table() & 0xFFFF).tolist(),
        "gbk_traces": "".join(chr(code) for code in range(alphabet.N_TABLED) if alphabet.marks()[code] & alphabet.GBK_TRACE),
        "phrases": {"boilerplate": said, "unsafe": unsafe_said},
        "per_1000": {entry.label: entry.per_1000 for entry in words}, "langs": config.langs, "max_tokens": config.max_tokens,
        "limits": {"zh": zh, "en": en, "mixed": {name: (min if name == "tokens" else max)(zh[name], en[name]) for name in zh}},
    }


def _row(work: str, source: Path, given: argparse.Namespace) -> dict:
    ours = lambda: results.child(sys.executable, "ours_rules.py", work, str(source))  # noqa: E731
    peer = lambda: results.child(given.datatrove, "peer_datatrove.py", "gopher" if work == "rules" else work, str(source), str(source / "settings.pickle"))  # noqa: E731
    (mine, my_seconds), (theirs, their_seconds) = results.alternate(given.runs, (ours, peer))
    equal = work == "same" and mine["digest"] == theirs["digest"]
    return results.row(WORKS[work], given.documents / my_seconds, given.documents / their_seconds, "datatrove", unit="documents/CPU-second", runs=given.runs, equal=equal,
                       documents=given.documents, kept={"ours": mine["kept"], "peer": theirs["kept"]}, cpu_seconds={"ours": round(my_seconds, 3), "peer": round(their_seconds, 3)})


def _together(source: Path, given: argparse.Namespace) -> dict:
    """All filters on the same documents; what the medical exams are searched for is public, or the clinic's."""
    questions = decontamination.items(corpora.DATA, source)
    tables.scatter(source, "questions", tables.from_rows("questions", questions))
    (mine, seconds), = results.alternate(given.runs, (lambda: results.child(sys.executable, "ours_together.py", str(source)),))
    return results.row(WORKS["together"], given.documents / seconds, 0, "", unit="documents/CPU-second", runs=given.runs, equal=True, documents=given.documents,
                       items=len(questions), kept=mine["kept"], cpu_seconds=mine["passes"], peak_bytes=mine["peak_bytes"])


if __name__ == "__main__":
    main()
