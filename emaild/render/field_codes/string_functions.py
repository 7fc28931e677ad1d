"""Functions on strings. They keep the marks of the author's markup, and count characters as people read them."""

from __future__ import annotations

import re

from emaild.render.field_codes.faults import Wrong
from emaild.render.field_codes.function import Function
from emaild.render.field_codes.limits import LONGEST_STRING
from emaild.render.field_codes.marks import by_author, folded
from emaild.render.field_codes.objects import Scope
from emaild.render.field_codes.values import Kind

STRING, WHOLE = Kind.STRING, Kind.WHOLE
APOSTROPHES = "'’" + by_author("'")
WORD = re.compile(rf"[^\W\d_]+(?:[{APOSTROPHES}][^\W\d_]+)*")


def _count(number: float, least: int = 0) -> int:
    if number < least:
        raise Wrong(f"found {number:g}; expected a number of at least {least}")
    return int(number)


def _repeated(text: str, count: int) -> str:
    if len(text) * count > LONGEST_STRING:
        raise Wrong(f"the result is too long; expected at most {LONGEST_STRING} characters")
    return text * count


def _left(_: Scope, text: str, count: float) -> str:
    return text[: _count(count)]


def _right(_: Scope, text: str, count: float) -> str:
    return text[max(0, len(text) - _count(count)) :]


def _mid(_: Scope, text: str, start: float, count: float | None = None) -> str:
    first = _count(start, 1) - 1
    return text[first : None if count is None else first + _count(count)]


def _proper(_: Scope, text: str) -> str:
    return WORD.sub(lambda word: word[0][:1].upper() + word[0][1:].lower(), text)


def _find(_: Scope, part: str, text: str, start: float = 1) -> float:
    return float(folded(text).find(folded(part), _count(start, 1) - 1) + 1)


def _substitute(_: Scope, text: str, old: str, new: str) -> str:
    whole, wanted = folded(text), folded(old)
    if not wanted:
        raise Wrong("found an empty string to replace; expected at least one character")
    found = whole.count(wanted)
    if len(text) + found * (len(new) - len(old)) > LONGEST_STRING:
        raise Wrong(f"the result is too long; expected at most {LONGEST_STRING} characters")
    return new.join(_pieces(text, whole, wanted))


def _pieces(text: str, whole: str, wanted: str) -> list[str]:
    """The text between the places where *whole*, its folded form, has what is wanted."""
    pieces, at = [], 0
    for piece in whole.split(wanted):
        pieces.append(text[at : at + len(piece)])
        at += len(piece) + len(wanted)
    return pieces


def _split(_: Scope, text: str, separator: str, number: float) -> str:
    if not separator:
        raise Wrong("found an empty separator; expected at least one character")
    pieces = _pieces(text, folded(text), folded(separator))
    index = _count(number, 1) - 1
    return pieces[index] if index < len(pieces) else ""


SUBSTITUTE = (STRING, STRING, STRING)
FUNCTIONS = (
    Function(
        "Length",
        "String",
        "How many characters the string has.",
        (STRING,),
        lambda _, text: float(len(text)),
        1,
        Kind.NUMBER,
        ours=False,
    ),
    Function("Left", "String, Count", "The first characters.", (STRING, WHOLE), _left, 2, STRING),
    Function("Right", "String, Count", "The last characters.", (STRING, WHOLE), _right, 2, STRING),
    Function(
        "Mid",
        "String, Start[, Count]",
        "The characters from a place on, counted from 1; all of them without a count.",
        (STRING, WHOLE, WHOLE),
        _mid,
        2,
        STRING,
    ),
    Function("Upper", "String", "In capital letters.", (STRING,), lambda _, text: text.upper(), 1, STRING),
    Function("Lower", "String", "In small letters.", (STRING,), lambda _, text: text.lower(), 1, STRING),
    Function(
        "Proper", "String", "Each word with a capital first letter, the others small.", (STRING,), _proper, 1, STRING
    ),
    Function("Trim", "String", "Without white space at both ends.", (STRING,), lambda _, text: text.strip(), 1, STRING),
    Function(
        "Find",
        "Part, String[, Start]",
        "Where the part begins first, from 1, in any case; 0 where it is not.",
        (STRING, STRING, WHOLE),
        _find,
        2,
        Kind.NUMBER,
    ),
    Function(
        "Replace", "String, Old, New", "With each Old, in any case, made New.", SUBSTITUTE, _substitute, 3, STRING
    ),
    Function("Substitute", "String, Old, New", "The same as Replace.", SUBSTITUTE, _substitute, 3, STRING),
    Function(
        "Contains",
        "String, Part",
        "Whether the part is in it, in any case.",
        (STRING, STRING),
        lambda _, text, part: folded(part) in folded(text),
        2,
        Kind.BOOLEAN,
    ),
    Function(
        "StartsWith",
        "String, Part",
        "Whether it begins so, in any case.",
        (STRING, STRING),
        lambda _, text, part: folded(text).startswith(folded(part)),
        2,
        Kind.BOOLEAN,
    ),
    Function(
        "EndsWith",
        "String, Part",
        "Whether it ends so, in any case.",
        (STRING, STRING),
        lambda _, text, part: folded(text).endswith(folded(part)),
        2,
        Kind.BOOLEAN,
    ),
    Function(
        "Repeat",
        "String, Count",
        "The string so many times.",
        (STRING, WHOLE),
        lambda _, text, count: _repeated(text, _count(count)),
        2,
        STRING,
    ),
    Function(
        "Split",
        "String, Separator, Number",
        "The piece of that number, from 1, between separators; empty beyond the last.",
        (STRING, STRING, WHOLE),
        _split,
        3,
        STRING,
    ),
)
