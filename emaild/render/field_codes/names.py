"""The custom names in a text's codes, whose values only a rendering has."""

from __future__ import annotations

from collections.abc import Iterator

from emaild.render.field_codes.objects import COUNT, is_listed
from emaild.render.field_codes.template import compiled
from emaild.render.field_codes.tree import Call, Name, Node, Unary, spine


def custom_names(text: str) -> Iterator[str]:
    """The names that are no listed property, as they are written; of a list's count the list's.

    Raises:
        FieldCodeError: a code is wrong.
    """
    for part in compiled(text).parts:
        if not isinstance(part, str):
            yield from _names(part)


def _names(node: Node) -> Iterator[str]:
    first, after = spine(node)
    if isinstance(first, Name) and not is_listed(first.path):
        counted, _, member = first.path.rpartition(".")
        yield counted if member.lower() == COUNT else first.path
    for inner in first.arguments if isinstance(first, Call) else ():
        yield from _names(inner)
    if isinstance(first, Unary):
        yield from _names(first.operand)
    for binary in after:
        yield from _names(binary.right)
