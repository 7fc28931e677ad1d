"""Chat transcripts: the XML that a chat server keeps, as text and HTML inside a standard response."""

from __future__ import annotations

from emaild.render.transcript.document import TranscriptUnreadable
from emaild.render.transcript.reading import read
from emaild.render.transcript.values import Entry, EntryKind, Party, PartyKind, Transcript
from emaild.render.transcript.writing import DEFAULT_PATTERN, Rendered, WrongTimestamp, with_transcript
from emaild.settings.processing import Css

__all__ = [
    "DEFAULT_PATTERN",
    "Css",
    "Entry",
    "EntryKind",
    "Party",
    "PartyKind",
    "Rendered",
    "Transcript",
    "TranscriptUnreadable",
    "WrongTimestamp",
    "read",
    "with_transcript",
]
