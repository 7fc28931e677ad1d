"""A pattern taken apart: fields, and the text between them."""

from __future__ import annotations

import re
from dataclasses import dataclass

LETTERS = "GyMdkHmsSEDFwWahKzZYuXL"
LONGEST_ISO_ZONE = 3  # XXXX is refused
QUOTE = "'"
PART = re.compile(
    rf"""(?P<letter>[A-Za-z])(?P=letter)*+
    | (?P<quote>{QUOTE}{QUOTE})
    | {QUOTE}(?P<quoted>(?:[^{QUOTE}]|{QUOTE}{QUOTE})*+)(?P<end>{QUOTE}?)
    | [^A-Za-z{QUOTE}]+""",
    re.VERBOSE,
)


class IllegalPattern(ValueError):
    """A pattern that Java refuses; `position` counts its characters from 1."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(f"character {position}: {reason}")
        self.position = position


@dataclass(frozen=True)
class Field:
    """A letter of the pattern and how often it stands there in a row."""

    letter: str
    count: int


def parts(pattern: str) -> tuple[Field | str, ...]:
    """The fields of a pattern and the text between them, in order; quotes are taken off.

    Raises:
        IllegalPattern: a letter has no meaning, a quote is not closed, or X stands more than three times.

    Source: java.text.SimpleDateFormat, "Date and Time Patterns".
    """
    return tuple(_part(found) for found in PART.finditer(pattern))


def _part(found: re.Match[str]) -> Field | str:
    if found["letter"]:
        return _field(found)
    if found["quote"]:
        return QUOTE
    if found["quoted"] is None:
        return found[0]
    if not found["end"]:
        raise IllegalPattern(found.start() + 1, "the quote that opens here is not closed; expected a ' after the text")
    return found["quoted"].replace(QUOTE * 2, QUOTE)


def _field(found: re.Match[str]) -> Field:
    letter, count, position = found["letter"], len(found[0]), found.start() + 1
    if letter not in LETTERS:
        raise IllegalPattern(position, f"{letter} is no field; expected one of {LETTERS}, or text between quotes")
    if letter == "X" and count > LONGEST_ISO_ZONE:
        raise IllegalPattern(position, f"X stands {count} times; expected X, XX or XXX")
    return Field(letter, count)
