"""Chance that belongs to a record, never to the order in which records come."""

import hashlib

import numpy as np


def chooser(seed: int, key: str) -> np.random.Generator:
    """A generator that depends on `seed` and `key` (a record's id) alone."""
    digest = hashlib.sha256(f"{seed}\x1f{key}".encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, np.uint32))


def share(seed: int, key: str) -> float:
    """A uniform number in [0, 1) for `key`: the cheap form of `chooser(seed, key).random()`."""
    digest = hashlib.sha256(f"{seed}\x1f{key}".encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56
