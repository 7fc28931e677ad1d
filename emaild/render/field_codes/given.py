"""A value for field codes that was given as text, by a name: on a command line, to a service."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from emaild.render.field_codes.faults import Wrong
from emaild.render.field_codes.objects import LISTED, PROPERTIES, is_listed
from emaild.render.field_codes.values import Kind

GivenText: TypeAlias = "str | datetime | list[str]"
LISTS = {"Contact.EmailAddresses"}


def placed(name: str, value: str) -> tuple[str, str, GivenText]:
    """The object (interaction, contact, agent; empty: none) that the name belongs to, its property, and its value.

    A date is ISO 8601, with an offset or in this machine's zone; a list has commas.

    Raises:
        Wrong: the object has no such property, or its value is worked out, or is no date.
    """
    if not is_listed(name):
        return "", name, value
    holder, _, rest = LISTED[name.lower()].partition(".")
    known = f"{holder}.{rest}"
    if known not in PROPERTIES or rest.endswith(".Count"):
        raise Wrong(f"{name} is worked out; give the list, or the attached data")
    return holder.lower(), rest, _read(known, value)


def _read(name: str, value: str) -> GivenText:
    if name in LISTS:
        return [one.strip() for one in value.split(",") if one.strip()]
    if PROPERTIES[name] is not Kind.DATE:
        return value
    try:
        read = datetime.fromisoformat(value)
        return read if read.tzinfo else read.astimezone()
    except (ValueError, OverflowError, OSError):
        raise Wrong(f"{name} is a date; expected one such as 2026-03-02T09:30:00+01:00") from None
