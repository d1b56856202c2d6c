"""Training tests keep what they store by digest to themselves."""

import pytest

from aquilamed.train import reference


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setattr(reference, "CACHE", tmp_path_factory.mktemp("reference"))
