"""NAME=VALUE of a command line -> values for field codes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from emaild.errors import UsageError
from emaild.render.field_codes.faults import Wrong
from emaild.render.field_codes.objects import LISTED, OBJECTS, PROPERTIES, is_listed
from emaild.render.field_codes.values import Kind

Given: TypeAlias = "str | datetime | list[str]"
LISTS = {"Contact.EmailAddresses"}


def objects_of(
    values: Sequence[str], attached_data: Sequence[str]
) -> tuple[dict[str, dict[str, Given]], dict[str, Given]]:
    """The values by their objects, custom ones under the empty name; and the attached data.

    A date is ISO 8601, with an offset or in this machine's zone; a list has commas.

    Raises:
        UsageError: something is no NAME=VALUE, or its object has no such property.
    """
    objects: dict[str, dict[str, Given]] = {name: {} for name in (*OBJECTS, "")}
    for text in values:
        name, value = _pair(text, "--value")
        try:
            listed = is_listed(name)
        except Wrong as wrong:
            raise UsageError(f"--value: {wrong}") from None
        if not listed:
            objects[""][name] = value
            continue
        start, _, rest = LISTED[name.lower()].partition(".")
        if f"{start}.{rest}" not in PROPERTIES or rest.endswith(".Count"):
            raise UsageError(f"--value: {name} is worked out; give the list, or --attached-data KEY=VALUE")
        objects[start.lower()][rest] = _read(f"{start}.{rest}", value)
    data: dict[str, Given] = dict(_pair(text, "--attached-data") for text in attached_data)
    return objects, data


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"{option} {text!r}: expected NAME=VALUE")
    return name.strip(), value


def _read(name: str, value: str) -> Given:
    if name in LISTS:
        return [one.strip() for one in value.split(",") if one.strip()]
    if PROPERTIES[name] is not Kind.DATE:
        return value
    try:
        read = datetime.fromisoformat(value)
        return read if read.tzinfo else read.astimezone()
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"--value: {name} is a date; expected one such as 2026-03-02T09:30:00+01:00") from None
