"""How much of a mail is looked at. Beyond it a mail is not taken apart: a wrapping message stands for it."""

from __future__ import annotations

HEADER_BYTES = 1 << 20  # of one header; real ones rarely reach a tenth of it
FIELDS = 5000  # in one header
PARTS = 1000  # in a mail, multiparts counted
DEPTH = 50  # multiparts in multiparts; each level costs another look at all that lies in it

FIELD_LENGTH = 100_000  # characters of a field that are looked at: some thousand recipients
LISTED_FIELDS = 1000  # fields in a list of all of them
LISTED_VALUE = 20_000  # characters of each value there
LISTED_TOGETHER = 200_000  # characters of all names and values there

GUESSED_BYTES = 512  # of a text whose charset is guessed: more would not make the guess better


class TooMuch(Exception):
    """A mail is beyond a limit; its text says in words which, as in `it has more than 1000 parts`."""
