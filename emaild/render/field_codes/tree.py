"""A formula as a tree; an offset counts the characters of the whole text from 0."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a boolean, or a string whose markup is marked as the author's."""

    value: str | float | bool
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A dotted name without parentheses, in the author's case."""

    path: str
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A dotted name with arguments."""

    path: str
    arguments: tuple[Node, ...]
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """`-` or `not` before a formula."""

    operator: str
    operand: Node
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two formulas, by its first name in the table of the parser."""

    operator: str
    left: Node
    right: Node
    offset: int = field(default=0, compare=False)


Node: TypeAlias = Literal | Name | Call | Unary | Binary


def spine(node: Node) -> tuple[Literal | Name | Call | Unary, list[Binary]]:
    """The leftmost operand and the operators after it: a sum of 10,000 terms is long, but not deep."""
    after: list[Binary] = []
    while isinstance(node, Binary):
        after.append(node)
        node = node.left
    return node, after[::-1]
