"""How far two labels of the same documents agree."""

from collections import Counter
from collections.abc import Sequence


def agreement(first: Sequence[str], second: Sequence[str]) -> dict:
    """Share of equal labels, Cohen's kappa (1 where only one label occurs), and the number of documents; 0 where there are none."""
    n = len(first)
    if n == 0:
        return {"agreement": 0.0, "kappa": 0.0, "n": 0}
    equal = sum(a == b for a, b in zip(first, second, strict=True)) / n
    left, right = Counter(first), Counter(second)
    by_chance = sum(left[label] * right[label] for label in left) / n**2
    kappa = 1.0 if by_chance == 1 else (equal - by_chance) / (1 - by_chance)
    return {"agreement": round(equal, 4), "kappa": round(kappa, 4), "n": n}


def by_lang(langs: Sequence[str], first: Sequence[str], second: Sequence[str]) -> dict[str, dict]:
    """`all` and every language -> its agreement."""
    found = {"all": agreement(first, second)}
    for lang in sorted(set(langs)):
        rows = [k for k, own in enumerate(langs) if own == lang]
        found[lang] = agreement([first[k] for k in rows], [second[k] for k in rows])
    return found
