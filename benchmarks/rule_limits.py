"""Where the limits of `corpus.rules` come from: quantiles of every figure on clean text of each language, and on dirty text beside them.

Clean: textbooks, papers, encyclopaedias, classical and technical books, the clinic's clean pages. Dirty: the clinic's dirt by kind, and spoiled
copies of clean text (`SPOILED`). Web text (c4) stands apart: it is neither. Pieces are of about one kilobyte, `whole` ones up to 20,000
characters. A group is left out where its largest value is below a quarter of the limit. Real sets are looked for at ../shared/data.

    python benchmarks/rule_limits.py [--documents 20000]
"""

import argparse
import sys

import numpy as np
import pyarrow as pa
from corpora import documents, whole

from aquilamed.core.chance import chooser
from aquilamed.corpus import rules

QUANTILES = (0.5, 0.9, 0.99, 0.999)
SEED = 0


def _shuffled(text: str, rng: np.random.Generator) -> str:
    """Words, or characters where there are no words, in no order."""
    pieces = text.split() if text.count(" ") > len(text) / 10 else list(text.replace("\n", ""))
    return ("" if len(pieces) > len(text) / 2 else " ").join(pieces[k] for k in rng.permutation(len(pieces)))


def _stuffed(text: str, rng: np.random.Generator) -> str:
    """The opening words again and again, each time with another word: pages made for search engines."""
    zh = text.count(" ") <= len(text) / 10
    words = list(text) if zh else text.split()
    head, rest = words[:4], words[4:]
    joint = "" if zh else " "
    return joint.join(joint.join([rest[k] if rest else "", *head]) for k in rng.permutation(max(len(rest), 1))[:40])


def _repeating(text: str, rng: np.random.Generator) -> str:
    """One piece of it many times, as a hanging generator or a menu makes."""
    start = int(rng.integers(0, max(len(text) - 40, 1)))
    return text[:len(text) // 3] + text[start:start + 40] * 20


SPOILED = {
    "shuffled": _shuffled, "stuffed": _stuffed, "repeating": _repeating,
    "symbols": lambda text, rng: "".join(char + "★◆~#|"[int(rng.integers(5))] * (rng.random() < 0.3) for char in text),
    "mojibake": lambda text, rng: text.encode().decode("cp1252", "replace") if text.isascii() else text.encode().decode("gb18030", "replace"),
}


def main() -> None:
    """Print one block of lines a figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=20_000)
    groups = _groups(documents(parser.parse_args().documents, seed=SEED).to_pylist(), whole())
    limits = {lang: getattr(rules.Config(), lang) for lang in ("zh", "en")}
    found = {name: rules.figures(pa.array(texts, pa.string())) for name, texts in groups.items()}
    out = []
    for figure, field in rules.LIMITS.items():
        out.append(f"\n{field}" + "".join(f"  {lang}: {getattr(limit, field)}" for lang, limit in limits.items()))
        out.append(f"{'':32s}{'n':>7s}" + "".join(f"{'q' + str(q):>9s}" for q in QUANTILES) + f"{'max':>9s}{'dropped':>9s}")
        for name, figures in found.items():
            values, limit = figures[figure], getattr(limits[name[:2]], field)
            shown = [*np.quantile(values, QUANTILES), values.max()]
            dropped = (values < limit).mean() if figure == "tokens" else (values > limit).mean()
            if figure == "tokens" or values.max() > limit / 4:
                out.append(f"{name:32s}{len(values):7d}" + "".join(f"{value:9.4g}" for value in shown) + f"{dropped:9.4f}")
    sys.stdout.write("\n".join(out) + "\n")


def _groups(pieces: list[dict], books: list[dict]) -> dict[str, list[str]]:
    """Name, which begins with the language -> texts; `books` are whole, of up to 20,000 characters."""
    groups: dict[str, list[str]] = {}
    for row in pieces:
        dirt = dict(row["meta"]).get("dirt", "clean")
        kind = "web" if row["source"] == "c4_demo" else f"dirt {dirt}" if dirt not in ("clean", "exact_duplicate", "near_duplicate") else f"clean {row['source']}"
        groups.setdefault(f"{row['lang']} {kind}", []).append(row["text"])
    for row in books:
        groups.setdefault(f"{row['lang']} {'web' if row['source'] == 'c4_demo' else 'clean'} whole", []).append(row["text"])
    for lang in ("zh", "en"):
        clean = [text for name, texts in groups.items() if name.startswith(f"{lang} clean") for text in texts][:1000]
        for kind, spoil in SPOILED.items():
            groups[f"{lang} spoiled {kind}"] = [spoil(text, chooser(SEED, f"{kind}/{number}")) for number, text in enumerate(clean)]
    return {name: texts for name, texts in sorted(groups.items()) if name[:2] in ("zh", "en") and len(texts) > 5}


if __name__ == "__main__":
    main()
