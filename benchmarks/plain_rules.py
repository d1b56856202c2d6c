"""The rules of `corpus.rules`, identifiers left out, as a Python programmer would write them: standard library only, one document at a time.

It is what a pipeline of Python filters has to call to drop the same documents. `Plain(settings)` takes what `settings_of` in corpus.py writes.
"""

import re
from collections import Counter

CLASSES = "SHLDPYGI"
"""A letter for each class of `hygiene.alphabet`: space, Han, letter, digit, punctuation, symbol, garbled, ignored."""
_TOKEN = re.compile(r"H|L+|D+")
_LATIN = re.compile(r"[\xc2\xc3\xef\xe4-\xe9](?=[\x80-\xbf])|[\xe2\xe4-\xe9](?=[\u0152-\u0178\u2013-\u2122])")
_PAUSES = re.compile(r"[，。；：、](?=[，。；：、])")
_SENTENCE = re.compile(r"(?:[^\n。！？；!?;.]|\.(?![\x00-\x20]|\Z))*(?:[\n。！？；!?;]|\.|\Z)")
_CLAUSE_END = re.compile(r"[，、：,:()（）]")
END, HARMLESS = "", "harmless"


class _Outside(dict):
    """A translation table whose missing keys are characters beyond the first plane."""

    def __init__(self, found: dict, outside):
        super().__init__(found)
        self.outside = outside

    def __missing__(self, code: int):
        return self.outside(code)


class Plain:
    """`reason(text, lang)`: why a document is dropped, or None."""

    def __init__(self, settings: dict):
        classes, folds = settings["classes"], settings["folds"]
        ignored = {code for code, kind in enumerate(classes) if CLASSES[kind] == "I"}
        self.dropped = dict.fromkeys(ignored)
        self.kinds = _Outside({code: CLASSES[kind] for code, kind in enumerate(classes)}, lambda code: "H" if 0x20000 <= code <= 0x2FA1F else "G" if code >= 0xF0000 else "Y")
        self.folds = _Outside(dict(enumerate(folds)), lambda code: code)
        self.spaces = dict.fromkeys(code for code, kind in enumerate(classes) if CLASSES[kind] == "S" and code != 10)
        self.gbk = re.compile(f"[{settings['gbk_traces']}]")
        self.trees = {name: self._tree(found) for name, found in settings["phrases"].items()}
        self.per_1000 = settings["per_1000"]
        self.langs, self.limits, self.max_tokens = settings["langs"], settings["limits"], settings["max_tokens"]

    def reason(self, text: str, lang: str) -> str | None:
        """The first rule that the document breaks, as `corpus.rules` orders them."""
        figures, ink, sentences = self._figures(text)
        limits = self.limits.get(lang, self.limits["mixed"])
        for name in ("garbled", "mojibake"):
            if figures[name] > limits[name]:
                return name
        if lang not in self.langs:
            return "other_language"
        if figures["tokens"] < limits["tokens"] or figures["tokens"] > self.max_tokens:
            return "too_short" if figures["tokens"] < limits["tokens"] else "too_long"
        for name, reason in (("symbols",) * 2, ("punctuation",) * 2, ("digits",) * 2, ("repeated_lines",) * 2, ("repeated_grams",) * 2,
                             ("top_gram", "stuffed"), ("boilerplate",) * 2, ("impossible", "scrambled")):
            if figures[name] > limits[name]:
                return reason
        return "unsafe" if self._is_unsafe(sentences, ink) else None

    def _figures(self, text: str) -> tuple[dict, int, list]:
        clean = text.translate(self.dropped)
        kinds, folded = clean.translate(self.kinds), clean.translate(self.folds)
        tokens = [folded[match.start():match.end()] for match in _TOKEN.finditer(kinds)]
        counts = Counter(kinds)
        ink = max(len(text) - counts["S"], 1)
        sentences = self._sentences(text)
        hits, covered, total = self._search("boilerplate", sentences)
        odd = hits["impossible"] + len(_PAUSES.findall(clean))
        return {
            "garbled": (counts["G"] + len(_LATIN.findall(clean))) / ink + 3 * hits["remains"] / max(total, 1), "mojibake": len(self.gbk.findall(text)) / ink,
            "tokens": len(tokens), "symbols": counts["Y"] / ink, "punctuation": counts["P"] / ink, "digits": counts["D"] / ink,
            "repeated_lines": self._repeated_lines(clean), "repeated_grams": _repeated_grams(tokens), "top_gram": _top_gram(tokens),
            "boilerplate": covered["boilerplate"] / max(total, 1), "impossible": odd / max(len(tokens), 1) if odd > 1 else 0.0,
        }, ink, sentences

    def _repeated_lines(self, clean: str) -> float:
        lines = clean.translate(self.spaces).translate(self.folds).split("\n")
        seen, repeated = set(), 0
        for line in lines:
            repeated += len(line) if line in seen else 0
            seen.add(line)
        return repeated / max(sum(map(len, lines)), 1) if len(lines) > 1 else 0.0

    def _sentences(self, text: str) -> list[tuple[int, list[list[str]]]]:
        """(characters other than blanks, the tokens of each clause) of each sentence."""
        found = []
        for sentence in _SENTENCE.findall(text):
            clean = sentence.translate(self.dropped)
            kinds = clean.translate(self.kinds)
            clauses = []
            for clause in _CLAUSE_END.split(clean):
                kinds_of_clause, folded = clause.translate(self.kinds), clause.translate(self.folds)
                clauses.append(["0" if kinds_of_clause[match.start()] == "D" else folded[match.start():match.end()] for match in _TOKEN.finditer(kinds_of_clause)])
            found.append((len(kinds) - kinds.count("S"), clauses))
        return found

    def _search(self, name: str, sentences: list) -> tuple[Counter, Counter, int]:
        """(phrases by label, characters of the sentences with such by label, characters in all)."""
        tree, hits, covered, total = self.trees[name], Counter(), Counter(), 0
        for ink, clauses in sentences:
            total += ink
            found = [label for tokens in clauses for label in _hits(tree, tokens)]
            hits.update(found)
            covered.update(dict.fromkeys(found, ink))
        return hits, covered, total

    def _is_unsafe(self, sentences: list, ink: int) -> bool:
        hits, _, total = self._search("unsafe", sentences)
        return any(n >= 1 if not self.per_1000[label] else n >= 2 and n * 1000 >= self.per_1000[label] * max(total, 1) for label, n in hits.items())

    def _tree(self, found: dict[str, list[str]]) -> dict:
        tree: dict = {}
        for label, said in found.items():
            for phrase in said:
                node = tree
                (_, clauses), = self._sentences(phrase)[:1]
                for token in clauses[0]:
                    node = node.setdefault(token, {})
                node[END] = label
        return tree


def _hits(tree: dict, tokens: list[str]):
    """The label of the longest phrase at each token of a clause, those inside harmless ones left out."""
    shield = 0
    for start, token in enumerate(tokens):
        node, end, label = tree.get(token), start, None
        while node is not None:
            end += 1
            if END in node:
                label, stop = node[END], end
            node = node.get(tokens[end]) if end < len(tokens) else None
        if label == HARMLESS:
            shield = max(shield, stop)
        elif label is not None and stop > shield:
            yield label


def _repeated_grams(tokens: list[str], length: int = 10) -> float:
    grams = [tuple(tokens[k:k + length]) for k in range(len(tokens) - length + 1)]
    return 1 - len(set(grams)) / len(grams) if len(grams) > 1 else 0.0


def _top_gram(tokens: list[str], length: int = 3) -> float:
    grams = Counter(zip(*(tokens[k:] for k in range(length)), strict=False))
    top = max(grams.values(), default=0)
    return length * top / len(tokens) if top > 1 else 0.0
