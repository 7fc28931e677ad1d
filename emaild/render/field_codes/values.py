"""The values of the language and how they read."""

from __future__ import annotations

import math
from datetime import datetime
from enum import Enum
from typing import TypeAlias

from emaild.render.field_codes.faults import Wrong
from emaild.render.field_codes.marks import plain

Value: TypeAlias = str | float | bool | datetime

LARGEST_WHOLE = 1e15  # above it a float no longer holds each whole number
LONGEST_SHOWN = 30  # characters of a literal in a message


class Kind(Enum):
    """What a value can be, or an argument must be; the text is how a message calls it."""

    NUMBER = "a number"
    WHOLE = "a whole number"
    STRING = "a string"
    DATE = "a date"
    BOOLEAN = "True or False"
    ANY = "a value"


def kind_of(value: Value) -> Kind:
    """NUMBER, STRING, DATE or BOOLEAN."""
    if isinstance(value, bool):
        return Kind.BOOLEAN
    if isinstance(value, float):
        return Kind.NUMBER
    return Kind.STRING if isinstance(value, str) else Kind.DATE


def fits(value: Value, kind: Kind) -> bool:
    """Whether an argument of that kind may be this value."""
    if kind is Kind.WHOLE:
        return isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_WHOLE
    return kind in (Kind.ANY, kind_of(value))


def finite(number: float) -> float:
    """The number.

    Raises:
        Wrong: it is too large for a number, or none.
    """
    if not math.isfinite(number):
        raise Wrong("the result is too large; expected a number below 1.8e308")
    return number


def text_of(value: Value) -> str:
    """The default text form, the same in every locale: no digits after the point, `1965-11-23 09:03:10`, `True`.

    A half is rounded to the even neighbour, as Java's formats do; zero has no sign.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return str(round(value))
    return value.replace(tzinfo=None, microsecond=0).isoformat(" ")


def shown(value: Value) -> str:
    """A literal, as a message quotes it."""
    if not isinstance(value, str):
        return f"{value:g}" if isinstance(value, float) else str(value)
    text = " ".join(plain(value).split())
    return f'the string "{text[:LONGEST_SHOWN]}{"…" if len(text) > LONGEST_SHOWN else ""}"'
