"""Reads users' files into preferences. ours: the paper makes all its pairs itself, 2.3.1"""

from aquilamed.core.sources.importing import Importing, files, run

__all__ = ["VERSION", "Config", "files", "run"]
VERSION = 1


class Config(Importing):
    """Sources with a `Preferences` mapping."""

    KIND = "preferences"
