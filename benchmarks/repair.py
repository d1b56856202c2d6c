"""Undoing wrong readings, beside ftfy: how many texts come back exactly, how many become something else, and clean texts changed.

    python benchmarks/repair.py --ftfy /path/to/venv/bin/python [--documents 2000]

A reading that loses bytes (UTF-8 of Chinese read as GBK nearly always does) can't be undone by anyone; such texts are not asked for.
"""

import argparse
import json
import tempfile
from pathlib import Path

import corpora
import pyarrow as pa
import tables as results

from aquilamed.corpus import mojibake

UNDEFINED = (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")


def as_1252(data: bytes) -> str:
    """Windows-1252, the five bytes that it leaves undefined as Latin-1: what browsers do."""
    return "".join(byte.decode("latin-1" if byte in UNDEFINED else "cp1252") for byte in (data[k:k + 1] for k in range(len(data))))


READINGS = {
    "utf-8 as latin-1": lambda text: text.encode().decode("latin-1"), "utf-8 as 1252": lambda text: as_1252(text.encode()),
    "utf-8 as 1252, twice": lambda text: as_1252(as_1252(text.encode()).encode()), "utf-8 as gbk": lambda text: text.encode().decode("gb18030"),
    "gbk as 1252": lambda text: as_1252(text.encode("gbk")), "nothing (clean)": lambda text: text,
}


def main() -> None:
    """Break the texts in every way, put them right with both, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ftfy", required=True, help="interpreter of an environment with ftfy")
    parser.add_argument("--documents", type=int, default=2000)
    given = parser.parse_args()
    table = corpora.documents(given.documents).to_pylist()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for reading in READINGS:
            for lang in ("zh", "en"):
                pairs = _pairs(reading, [row["text"] for row in table if row["lang"] == lang and dict(row["meta"]).get("dirt") != "garbled"])
                if pairs:
                    rows.append(_row(f"{lang}: {reading}", pairs, given.ftfy, Path(folder)))
    results.publish("repair", rows, results.versions("pyarrow") | {"ftfy": results.version_of(given.ftfy, "ftfy")})


def _pairs(reading: str, texts: list[str]) -> list[tuple[str, str]]:
    """(right, broken) of the texts that the reading changes without loss; all, where it changes nothing at all."""
    found = []
    for text in texts:
        try:
            broken = READINGS[reading](text)
        except UnicodeError:
            continue
        if broken != text or reading.startswith("nothing"):
            found.append((text, broken))
    return found


def _row(work: str, pairs: list[tuple[str, str]], python: str, folder: Path) -> dict:
    (folder / "in.json").write_text(json.dumps([broken for _, broken in pairs], ensure_ascii=False), encoding="utf-8")
    answer = results.child(python, "peer_ftfy.py", str(folder / "in.json"), str(folder / "out.json"))
    theirs = json.loads((folder / "out.json").read_text(encoding="utf-8"))
    suspect = mojibake.suspects(pa.array([broken for _, broken in pairs])).to_pylist()
    ours = [mojibake.repaired(broken)[0] if asked else broken for (_, broken), asked in zip(pairs, suspect, strict=True)]
    share = lambda made: sum(one == right for one, (right, _) in zip(made, pairs, strict=True)) / len(pairs)  # noqa: E731
    other = lambda made: sum(one not in pair for one, pair in zip(made, pairs, strict=True))  # noqa: E731
    return results.row(work, share(ours), share(theirs), "ftfy", unit="share exactly right", runs=1, equal=True,
                       texts=len(pairs), made_something_else={"ours": other(ours), "peer": other(theirs)}, peer_cpu_seconds=round(answer["seconds"], 3))


if __name__ == "__main__":
    main()
