"""What a prompt gets depends neither on its neighbours nor on what is shared with them (fp32)."""

import random

import pytest
import tiny
import torch

from aquilamed.models import chat, folders
from aquilamed.models.generate import families, generate

ARCHITECTURES = ("gemma3_text", "llama", "qwen2", "qwen3", "mistral")


@pytest.fixture(scope="module", params=ARCHITECTURES)
def model(request, tmp_path_factory):
    return folders.load(tiny.make(tmp_path_factory.mktemp(request.param), request.param), device="cpu")


def one_by_one(model, prompt, n):
    """Greedy tokens by whole passes without any cache."""
    ids, stops = list(prompt), set(chat.stop_ids(model.tokenizer))
    for _ in range(n):
        with torch.no_grad():
            ids.append(int(model.network(torch.tensor([ids])).logits[0, -1].argmax()))
        if ids[-1] in stops:
            break
    return ids[len(prompt):]


def prompts():
    """Prompts after one long beginning (beyond the tiny models' window of 64), after another, and alone; of several lengths."""
    chance = random.Random(3)
    ids = lambda n: chance.choices(range(5, 290), k=n)  # noqa: E731
    one, other = ids(150), ids(90)
    return [*[one + ids(n) for n in (3, 40, 90, 7, 20)], *[other + ids(n) for n in (1, 30)], ids(5), ids(100)]


def test_batches_and_kept_beginnings_give_what_single_passes_give(model):
    asked = prompts()
    wanted = [one_by_one(model, prompt, 12) for prompt in asked]
    keys = [str(k) for k in range(len(asked))]
    for batch, padded in ((1, 4096), (3, 4096), (16, 4096), (16, 300)):
        assert generate(model, asked, keys, max_new_tokens=12, batch=batch, padded=padded) == wanted
    assert generate(model, asked[::-1], keys[::-1], max_new_tokens=12)[::-1] == wanted
    assert [generate(model, [prompt], ["0"], max_new_tokens=12)[0] for prompt in asked] == wanted


def test_drawn_answers_belong_to_seed_and_key(model):
    asked, keys = prompts(), [str(k) for k in range(9)]
    some = generate(model, asked, keys, max_new_tokens=8, temperature=1.0, seed=1)
    assert generate(model, asked[::-1], keys[::-1], max_new_tokens=8, temperature=1.0, seed=1, batch=2)[::-1] == some
    assert generate(model, asked, keys, max_new_tokens=8, temperature=1.0, seed=2) != some


def test_rows_that_stopped_are_left_out(model, monkeypatch):
    """The answers end at other lengths: with every fifth token a stop, half of the rows are soon gone."""
    monkeypatch.setattr(chat, "stop_ids", lambda tokenizer: list(range(0, 300, 5)))
    asked = prompts()
    wanted = [one_by_one(model, prompt, 12) for prompt in asked]
    assert len({len(answer) for answer in wanted}) > 1
    assert generate(model, asked, [str(k) for k in range(len(asked))], max_new_tokens=12) == wanted


def test_families_by_hand():
    long = list(range(100))
    rows = [[*long, 7], [5] * 10, [*long, 8, 9], [*long[:70], *[6] * 80], [*long, *[3] * 120]]
    assert families(rows) == [([0, 2], 100), ([1, 3, 4], 0)]          # row 3 shares 70 of 150, row 4 100 of 220: less than half
    assert families([long, [*long, 1]]) == [([0, 1], 99)]              # the last token is read with each prompt: it tells what comes next
    assert families([]) == []
