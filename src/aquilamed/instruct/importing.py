"""Reads users' files into conversations. paper 2.2.1 names six public sets"""

from aquilamed.core.sources.importing import Importing, files, run

__all__ = ["VERSION", "Config", "files", "run"]
VERSION = 1


class Config(Importing):
    """Sources with a `Turns`, `Pair` or `Tagged` mapping."""

    KIND = "conversations"
