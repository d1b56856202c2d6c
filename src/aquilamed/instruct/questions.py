"""Reads users' files into exam questions to train on (benchmarks are read by `evals.benchmarks`). paper 2.2.1: CMB-Exam's training part"""

from aquilamed.core.sources.importing import Importing, files, run

__all__ = ["VERSION", "Config", "files", "run"]
VERSION = 1


class Config(Importing):
    """Sources with a `Questions` mapping."""

    KIND = "questions"
