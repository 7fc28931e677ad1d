"""A text with its codes taken apart once, to be rendered many times."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from emaild.render.field_codes.checker import faults
from emaild.render.field_codes.faults import FieldCodeError, Wrong
from emaild.render.field_codes.lexer import END, START
from emaild.render.field_codes.limits import MOST_ERRORS
from emaild.render.field_codes.parser import formula
from emaild.render.field_codes.tree import Node

LONGEST_KEPT = 100_000  # characters; a program may give us megabytes, and never again the same

Part: TypeAlias = str | Node


@dataclass(frozen=True)
class Template:
    """A text without a wrong code: `parts` are what stands between codes, and their formulas."""

    text: str
    parts: tuple[Part, ...]


def check(text: str) -> list[FieldCodeError]:
    """All wrong codes of a text, in its order, without values; at most MOST_ERRORS.

    Found are syntax, unknown functions and properties of the listed objects, wrong numbers and kinds of arguments, and
    patterns that fit no value. The names of custom values are known only at rendering.
    """
    return [FieldCodeError(wrong.problem, text, wrong.offset or 0) for wrong in _taken_apart(text)[1]]


def compiled(text: str) -> Template:
    """The text ready to render.

    Raises:
        FieldCodeError: the first wrong code that `check` finds.
    """
    return _kept(text) if len(text) <= LONGEST_KEPT else _compiled(text)


def _compiled(text: str) -> Template:
    parts, wrongs = _taken_apart(text)
    if wrongs:
        raise FieldCodeError(wrongs[0].problem, text, wrongs[0].offset or 0)
    return Template(text, parts)


_kept = lru_cache(200)(_compiled)


def _taken_apart(text: str) -> tuple[tuple[Part, ...], list[Wrong]]:
    """The parts, and what is wrong in them; after a wrong code it goes on behind the next `$>`."""
    parts: list[Part] = []
    wrongs: list[Wrong] = []
    at = 0
    while (start := text.find(START, at)) >= 0 and len(wrongs) < MOST_ERRORS:
        parts.append(text[at:start])
        try:
            node, at = formula(text, start)
        except Wrong as wrong:
            wrongs.append(wrong)
            end = text.find(END, max(start, wrong.offset or 0))
            at = end + len(END) if end >= 0 else len(text)
        else:
            parts.append(node)
            wrongs += faults(node)
    return (*parts, text[at:]), wrongs[:MOST_ERRORS]
