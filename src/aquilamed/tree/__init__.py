"""The prefix tree: sequences that share a beginning are computed once.

`pack` lays trees out in sequences, `mask` says who sees whom, `head` computes logits at asked positions only, `score`
and the training loop put them together. Exact: a packed loss is the sum of the separate losses (tests/tree).
"""
