"""What a prompt gets depends neither on its neighbours nor on what is shared with them (fp32)."""

import random

import pytest
import tiny
import torch

from aquilamed.models import chat, folders
from aquilamed.models import generate as generating
from aquilamed.models.generate import generate
from aquilamed.tree import branches

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
    """Prompts after one beginning longer than a pack, after another, and alone; of several lengths. The tiny models' window is 64."""
    chance = random.Random(3)
    ids = lambda n: chance.choices(range(5, 290), k=n)  # noqa: E731
    one, other = ids(530), ids(500)
    return [*[one + ids(n) for n in (3, 40, 90, 7, 20)], *[other + ids(n) for n in (1, 30)], ids(1), ids(100)]


def test_these_prompts_have_kept_beginnings_and_have_none(model):
    found = {}
    branches.read(model.network, [branches.Branch(tuple(prompt), (), open=True) for prompt in prompts()], go_on=found.__setitem__)
    assert [found[k].past.length if found[k].past else 0 for k in range(9)] == [530] * 5 + [500] * 2 + [0, 0]
    assert [len(found[k]) for k in range(9)] == list(map(len, prompts()))


def test_batches_and_kept_beginnings_give_what_single_passes_give(model):
    asked = prompts()
    wanted = [one_by_one(model, prompt, 12) for prompt in asked]
    keys = [str(k) for k in range(len(asked))]
    for batch, padded in ((1, 4096), (3, 4096), (64, 8192), (16, 300)):
        assert generate(model, asked, keys, max_new_tokens=12, batch=batch, padded=padded) == wanted
    assert generate(model, asked[::-1], keys[::-1], max_new_tokens=12)[::-1] == wanted
    assert [generate(model, [prompt], ["0"], max_new_tokens=12)[0] for prompt in asked] == wanted


def test_a_long_answer_after_several_beginnings(model, monkeypatch):
    """Beyond the window and the room that a cache has at first, in one batch."""
    monkeypatch.setattr(chat, "stop_ids", lambda tokenizer: [])
    asked = [prompts()[k] for k in (0, 2, 5, 7)]
    assert batches_of(monkeypatch, model, asked) == [4]
    assert generate(model, asked, list("abcd"), max_new_tokens=2 * generating.ROOM + 10) == [one_by_one(model, prompt, 2 * generating.ROOM + 10) for prompt in asked]


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


def test_an_answer_ends_with_the_token_behind_which_nothing_is_wanted(model):
    """It stays the beginning of the whole answer, and ends with the first token that completes the text."""
    asked, keys = prompts(), [str(k) for k in range(9)]
    whole = generate(model, asked, keys, max_new_tokens=12)
    text = lambda ids: model.tokenizer.decode(ids)  # noqa: E731
    until = text(whole[0])[2:5]
    cut = generate(model, asked, keys, max_new_tokens=12, over=lambda text: until in text)
    assert until in text(cut[0]) and len(cut[0]) < len(whole[0])
    for long, short in zip(whole, cut, strict=True):
        assert short == long[:len(short)] and until not in text(short[:-1]) and (until in text(short) or short == long)


def batches_of(monkeypatch, model, asked, **settings):
    """How many answers were gone on with at a time."""
    sizes = []
    whole = generating.follow
    monkeypatch.setattr(generating, "follow", lambda model, ends, chances, **rest: sizes.append(len(ends)) or whole(model, ends, chances, **rest))
    generate(model, asked, [str(k) for k in range(len(asked))], max_new_tokens=1, **settings)
    return sizes


def test_batches_are_full_and_a_long_prompt_pads_no_other_ones(model, monkeypatch):
    chance = random.Random(5)
    short, long = [[chance.randrange(5, 290) for _ in range(10)] for _ in range(20)], [chance.randrange(5, 290) for _ in range(700)]
    assert batches_of(monkeypatch, model, short, batch=16) == [16, 4]
    assert sorted(batches_of(monkeypatch, model, [*short, long], batch=16, padded=300)) == [1, 4, 16]
    assert batches_of(monkeypatch, model, [long, long[:-1]], padded=300) == [1, 1]
    shared = [long + [k, k] for k in range(5, 11)]
    assert batches_of(monkeypatch, model, shared, padded=3 * 703) == [3, 3]              # what is kept of a beginning stands in every row, and so does the answer
    assert batches_of(monkeypatch, model, []) == []


def test_what_prompts_share_is_read_once(model):
    """Five prompts after one beginning of 600 tokens, which more than a pack follows; equal prompts are one."""
    chance = random.Random(4)
    ids = lambda n: [chance.randrange(5, 290) for _ in range(n)]  # noqa: E731
    trunk = ids(600)
    asked = [trunk + ids(30) for _ in range(5)]
    seen = []
    hook = model.network.get_input_embeddings().register_forward_hook(lambda _, given, made: seen.append(made.shape[1] * made.shape[0]))
    made = generate(model, [*asked, asked[0]], list("abcdea"), max_new_tokens=1)
    hook.remove()
    assert sum(seen) == 600 + 5 * 30 + 6 and made[5] == made[0]
    assert made[:5] == [one_by_one(model, prompt, 1) for prompt in asked]
