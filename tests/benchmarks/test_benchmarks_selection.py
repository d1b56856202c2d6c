"""The budget that all arms fill alike, what is counted of a dialogue, and the interval of a difference over dialogues and seeds."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "benchmarks"), str(Path(__file__).resolve().parents[1])]
import selection  # noqa: E402
import tiny  # noqa: E402

from aquilamed.models import folders  # noqa: E402


def test_a_budget_is_filled_in_order_as_far_as_whole_conversations_go():
    rows = lambda *costs: [{"cost": cost} for cost in costs]  # noqa: E731
    assert selection.fill(rows(5, 4, 3, 1), 9) == rows(5, 4) and selection.fill(rows(5, 9, 3, 2, 1), 9) == rows(5, 3, 1)
    rng = np.random.default_rng(0)
    for _ in range(500):
        some = [{"cost": int(cost), "place": place} for place, cost in enumerate(rng.integers(1, 60, rng.integers(0, 40)))]
        budget = int(rng.integers(0, 400))
        taken = selection.fill(some, budget)
        used, places = sum(row["cost"] for row in taken), [row["place"] for row in taken]
        assert used <= budget and places == sorted(places)
        first = next((row["place"] for row in some if row not in taken), len(some))
        assert all(row["cost"] > budget - used for row in some if row not in taken) and sum(row["cost"] for row in some[:first + 1]) > budget or first == len(some)


def test_the_answers_bytes_are_paid_for_and_nothing_else(tmp_path):
    model = folders.load(tiny.make(tmp_path))
    row = {"messages": [{"role": role, "content": text} for role, text in (("user", "我发烧了"), ("assistant", " 多久了？ "), ("user", "3 days"), ("assistant", "Rest."))]}
    (whole,) = selection.answers(model.tokenizer, row)
    assert model.tokenizer.decode(whole.ids[whole.asked]) == "多久了？Rest." and selection.n_bytes(row) == 4 * 3 + 5
    wordier = {"messages": [{**message, "content": message["content"] * (9 if message["role"] == "user" else 1)} for message in row["messages"]]}
    assert selection.n_bytes(wordier) == selection.n_bytes(row) and selection.answers(model.tokenizer, wordier)[0].asked.sum() == whole.asked.sum()
    assert selection.answers(model.tokenizer, {"messages": [{"role": "user", "content": "x " * 3000}, row["messages"][1]]}) is None


def test_intervals_hold_the_truth_even_where_three_seeds_differ_most(monkeypatch):
    monkeypatch.setattr(selection, "N_RESAMPLES", 300)
    rng, bytes_D, held, n = np.random.default_rng(1), np.linspace(100, 900, 60), {0.0: 0, 0.1: 0}, 100
    for spread in held:
        for _ in range(n):
            easy_D = rng.normal(1.0, 0.3, 60)
            ours, theirs = (bytes_D * (easy_D + level + rng.normal(0, spread, (3, 1)) + rng.normal(0, 0.05, (3, 60))) for level in (0.1, 0.0))
            found = selection.difference(ours, theirs, bytes_D)
            held[spread] += found.low <= 0.1 <= found.high
            assert spread or found.low > 0
    assert min(held.values()) >= 0.9 * n


@pytest.mark.parametrize("n_seeds", [1, 3])
def test_a_difference_is_that_of_the_sums(n_seeds):
    bytes_D = np.array([10.0, 30.0, 60.0])
    found = selection.difference(np.full((n_seeds, 3), 2.0) * bytes_D, np.ones((n_seeds, 3)) * bytes_D, bytes_D)
    assert (found.value, found.low, found.high) == pytest.approx((1.0, 1.0, 1.0))
