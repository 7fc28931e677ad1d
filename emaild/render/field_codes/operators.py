"""What operators take and give."""

from __future__ import annotations

import math
import operator as python
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import cast

from emaild.render.field_codes.faults import Wrong
from emaild.render.field_codes.marks import folded
from emaild.render.field_codes.values import Kind, Value, finite, text_of

NUMBER, STRING, DATE, BOOLEAN = Kind.NUMBER, Kind.STRING, Kind.DATE, Kind.BOOLEAN
DAY = timedelta(days=1)
COMPARISONS = {"=": (0,), "<>": (-1, 1), "<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}  # by `_order`
EQUALITY = ("=", "<>")
LOGIC = ("and", "or", "xor")


def outcome(operator: str, left: Kind, right: Kind) -> Kind:
    """The kind that the operator gives for operands of these kinds; ANY stands for a kind not known yet.

    Raises:
        Wrong: it does not take them.
    """
    kinds = {left, right}
    if operator in LOGIC and kinds <= {BOOLEAN, Kind.ANY}:
        return BOOLEAN
    if operator in COMPARISONS and _comparable(operator, kinds):
        return BOOLEAN
    if operator == ":" and right in (STRING, Kind.ANY):
        return STRING
    if operator in ("+", "-"):
        return _sum(operator, left, right)
    if operator in ("*", "/", "^", "mod") and kinds <= {NUMBER, Kind.ANY}:
        return NUMBER
    raise _unfit(operator, left, right)


def _comparable(operator: str, kinds: set[Kind]) -> bool:
    """One kind; but whether anything is empty may be asked, since a listed property can be without its value."""
    known = kinds - {Kind.ANY}
    if operator in EQUALITY:
        return len(known - {STRING}) < 2
    return len(known) < 2 and BOOLEAN not in known


def _sum(operator: str, left: Kind, right: Kind) -> Kind:
    if operator == "+" and STRING in (left, right):
        return STRING
    if (left, right) == (NUMBER, NUMBER):
        return NUMBER
    if operator == "-" and (left, right) == (DATE, DATE):
        return NUMBER
    if (left, right) == (DATE, NUMBER) or (operator == "+" and (left, right) == (NUMBER, DATE)):
        return DATE
    if Kind.ANY in (left, right) and BOOLEAN not in (left, right) and not (operator == "-" and STRING in (left, right)):
        return Kind.ANY
    raise _unfit(operator, left, right)


def _unfit(operator: str, left: Kind, right: Kind) -> Wrong:
    if operator in LOGIC:
        wanted = "True or False on both sides"
    elif operator == ":":
        wanted = "a string with a pattern after it"
    elif operator in COMPARISONS:
        wanted = "two numbers, two strings or two dates"
    else:
        wanted = "numbers" if operator not in ("+", "-") else "numbers, or a date and a number of days"
    return Wrong(f"found {left.value} {operator} {right.value}; expected {wanted}")


def _power(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except ValueError:
        raise Wrong("this power is no number; expected a base above 0, or a whole exponent") from None


def _remainder(left: float, right: float) -> float:
    """With the sign of *left*, as in Java."""
    if not right:
        raise ZeroDivisionError
    return math.fmod(left, right)


ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": python.add,
    "-": python.sub,
    "*": python.mul,
    "/": python.truediv,
    "^": _power,
    "mod": _remainder,
}


def applied(operator: str, left: Value, right: Value) -> Value:
    """The value of an operator that is neither logic nor a format, for operands that `outcome` lets pass.

    `+` with a string joins the text forms. A date minus a date is their distance in days of 24 hours; a date and a
    number is the date that many days on, in its own zone.

    Raises:
        Wrong: a division by zero, a result that no number or date can hold, or a string beside another kind.
    """
    if operator not in COMPARISONS and (isinstance(left, str) or isinstance(right, str)):
        return text_of(left) + text_of(right)
    try:
        if operator in COMPARISONS:
            return _compared(operator, left, right)
        if isinstance(left, datetime) and isinstance(right, datetime):
            return (left.astimezone(UTC) - right.astimezone(UTC)) / DAY
        if isinstance(left, datetime):
            return _later(left, cast("float", right) * (-1 if operator == "-" else 1))
        if isinstance(right, datetime):
            return _later(right, cast("float", left))
        return finite(ARITHMETIC[operator](cast("float", left), cast("float", right)))
    except ZeroDivisionError:
        raise Wrong("this divides by zero; expected another number") from None
    except OverflowError:
        raise Wrong(
            "the result is too large; expected a number below 1.8e308, or a date in the years 1 to 9999"
        ) from None


def _order(left: Value, right: Value) -> int:
    """-1, 0 or 1 as *left* is less, the same or more; without regard to case."""
    if isinstance(left, str) and isinstance(right, str):
        left, right = folded(left), folded(right)
        return (left > right) - (left < right)
    if isinstance(left, datetime) and isinstance(right, datetime):
        left, right = left.astimezone(UTC), right.astimezone(UTC)  # in one zone Python would compare the clocks
        return (left > right) - (left < right)
    if isinstance(left, float) and isinstance(right, float):
        return (left > right) - (left < right)
    return int(left != right)  # booleans, which have no order


def _compared(operator: str, left: Value, right: Value) -> bool:
    if isinstance(left, str) != isinstance(right, str):
        if "" in (left, right):
            return operator == "<>"
        raise Wrong("found a string beside another kind; expected two numbers, two strings or two dates")
    return _order(left, right) in COMPARISONS[operator]


def _later(date: datetime, days: float) -> datetime:
    return (date.astimezone(UTC) + days * DAY).astimezone(date.tzinfo)
