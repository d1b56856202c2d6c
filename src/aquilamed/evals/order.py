"""The same question with its options in another order: how to turn them, and what an answer owes to their place."""

from collections import Counter
from collections.abc import Sequence

from aquilamed.evals.reply import letters


def orders(n_options: int, n_orders: int) -> list[list[int]]:
    """Rotations as the option shown at each place, the given order first; `n_orders` of them evenly apart, or all where that is 0 or more than there are."""
    n = min(n_orders, n_options) or n_options
    shifts = [k * n_options // n for k in range(n)]
    return [[(place + shift) % n_options for place in range(n_options)] for shift in shifts]


def turned(question: dict, order: Sequence[int]) -> dict:
    """`question` with its options in `order`, and the right ones where they now stand."""
    return {**question, "options": [question["options"][option] for option in order], "answers": sorted(order.index(answer) for answer in question["answers"])}


def averaged(raw: dict) -> list[float]:
    """Each option's mean log-probability over the places it was shown at."""
    total = [0.0] * len(raw["orders"][0])
    for order, logps in zip(raw["orders"], raw["logp"], strict=True):
        for option, logp in zip(order, logps, strict=True):
            total[option] += logp / len(raw["orders"])
    return total


def bias(raws: Sequence[dict]) -> dict:
    """What the place of an option did to the answers.

    `changed`: share of the questions that not all orders answer alike. `picked`: how often the option at each place was
    taken, `right`: how often it was the right one there, as shares of all questions in all orders; a model that looks at
    content alone picks a place about as often as it is right. `accuracy`: by the place of the right option.
    """
    changed, picked, right, both, n = 0, Counter(), Counter(), Counter(), 0
    for raw in raws:
        chosen = set()
        for order, logps in zip(raw["orders"], raw["logp"], strict=True):
            place, n = _place(logps), n + 1
            truth = [order.index(answer) for answer in raw["answers"]]
            chosen.add(None if place is None else order[place])
            right.update(truth)
            picked.update(() if place is None else (place,))
            both.update(t for t in truth if t == place)
        changed += len(chosen) > 1
    places = range(max(len(raw["orders"][0]) for raw in raws))
    by_place = lambda count, of: {letters({k}): round(count[k] / of(k), 6) for k in places if of(k)}  # noqa: E731
    return {"changed": round(changed / len(raws), 6), "picked": by_place(picked, lambda k: n), "right": by_place(right, lambda k: n), "accuracy": by_place(both, lambda k: right[k])}


def _place(logps: Sequence[float]) -> int | None:
    """The place of the largest; None where two are."""
    top = max(logps)
    return logps.index(top) if logps.count(top) == 1 else None
