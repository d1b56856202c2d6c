"""Builds a bilingual (Chinese + English) medical language model, from raw text to a scored chat model.

Not for clinical use: what it makes are research models, not medical devices.
"""

__version__ = "0.1.0"
