"""Context relevance on real dialogues: the tree, whole or in pieces, gives what separate forward passes give."""

import itertools

import numpy as np
import pytest
import tiny
import torch

from aquilamed.core import tables
from aquilamed.core.sources import known
from aquilamed.engine.local import Local
from aquilamed.instruct import importing, relevance
from aquilamed.models import chat, folders
from aquilamed.tree import pack


def real(shared_data, name, most, tmp_path):
    importing.run(importing.Config(sources=(known.conversations(shared_data)[name],)), {}, tmp_path, Local(1))
    found = (row["messages"] for row in tables.rows(tmp_path, "conversations"))
    return list(itertools.islice((messages for messages in found if sum(m["role"] == "user" for m in messages) > 2), most))


def by_hand(model, messages):
    """Eq. 1-3 as they stand: a turn after its history, and after what stands before any turn."""
    shown = chat.render(model.tokenizer, messages)
    cuts = [start for start, message in zip(shown.starts, messages, strict=True) if message["role"] == "user"] + [len(shown.ids)]
    head = shown.ids[:max(cuts[0], 1)]

    def loss(before, turn):
        ids = torch.tensor(np.concatenate([before, turn]).astype(np.int64))[None]
        with torch.no_grad():
            logp = model.network(ids).logits[0].log_softmax(-1)
        return -logp[len(before) - 1:-1].gather(1, ids[0, len(before):, None]).mean().item()
    return [loss(shown.ids[:low], shown.ids[low:high]) / loss(head, shown.ids[low:high]) for low, high in itertools.pairwise(cuts[1:])]


@pytest.mark.parametrize(("architecture", "name"), [("gemma3_text", "cmtmedqa"), ("llama", "mts_dialog"), ("qwen2", "cmtmedqa")])
def test_real_dialogues_get_what_separate_passes_give(architecture, name, shared_data, tmp_path):
    model = folders.load(tiny.make(tmp_path / "model", architecture))
    talks = real(shared_data, name, 3, tmp_path)
    found = relevance.relevances(model, talks, 8192)
    assert len(found) == 3 and any(len(relevance.pieces(relevance.turn_tree(model.tokenizer, talk), 512)) > 1 for talk in talks)
    for talk, ratios in zip(talks, found, strict=True):
        np.testing.assert_allclose(ratios, by_hand(model, talk), atol=1e-4)


def test_pieces_hold_every_turn_once_more_and_join_in_order():
    tree = (pack.segment([1], False), *(pack.segment([10 * n] * 3, n > 1, n - 1) for n in (1, 2, 3)), *(pack.segment([10 * n] * 3, True, 0) for n in (2, 3)))
    whole, = relevance.pieces(tree, pack.size(tree))
    assert whole is tree and relevance.pieces((), 8) == []
    chain, *alone = relevance.pieces(tree, pack.size(tree) - 1)
    assert all(one is other for one, other in zip(chain, tree[:4], strict=True)) and [piece[1].ids[0] for piece in alone] == [20, 30]
    losses = [[np.array([]), np.array([]), np.array([1.0, 3.0]), np.array([2.0])], [np.array([]), np.array([4.0, 4.0])], [np.array([]), np.array([1.0])]]
    assert relevance.ratios(relevance.joined(losses)) == [2 / 4, 2 / 1]
