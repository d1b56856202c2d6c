"""Users' files of every kind, read into records by a declared mapping. Entry: `gather`; ready sources: `known`."""

from aquilamed.core.sources.cases import Case, Questioned
from aquilamed.core.sources.conversations import OPENAI, SHAREGPT, Pair, Tagged, Turns
from aquilamed.core.sources.files import Reading
from aquilamed.core.sources.mapping import Documents, Preferences, Skip, Source
from aquilamed.core.sources.questions import Questions

__all__ = ["OPENAI", "SHAREGPT", "Case", "Documents", "Pair", "Preferences", "Questioned", "Questions", "Reading", "Skip", "Source", "Tagged", "Turns"]
