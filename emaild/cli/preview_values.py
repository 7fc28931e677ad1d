"""NAME=VALUE of a command line -> values for field codes."""

from __future__ import annotations

from collections.abc import Sequence

from emaild.errors import UsageError
from emaild.render.field_codes.faults import Wrong
from emaild.render.field_codes.given import GivenText, placed
from emaild.render.field_codes.objects import OBJECTS


def objects_of(
    values: Sequence[str], attached_data: Sequence[str]
) -> tuple[dict[str, dict[str, GivenText]], dict[str, GivenText]]:
    """The values by their objects, custom ones under the empty name; and the attached data.

    Raises:
        UsageError: something is no NAME=VALUE, or no value that its object can have.
    """
    objects: dict[str, dict[str, GivenText]] = {name: {} for name in (*OBJECTS, "")}
    for text in values:
        try:
            holder, name, value = placed(*pair(text, "--value"))
        except Wrong as wrong:
            raise UsageError(f"--value: {wrong}") from None
        objects[holder][name] = value
    data: dict[str, GivenText] = dict(pair(text, "--attached-data") for text in attached_data)
    return objects, data


def pair(text: str, option: str) -> tuple[str, str]:
    """Name and value of a NAME=VALUE.

    Raises:
        UsageError: it is none.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"{option} {text!r}: expected NAME=VALUE")
    return name.strip(), value
