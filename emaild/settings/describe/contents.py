"""What there is to describe, chosen by name and in the order of the documents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from emaild.settings.option import Option, section_kind
from emaild.settings.property_map import FIELDS, PROPERTIES, Other, Property
from emaild.settings.reader import SECTIONS


@dataclass(frozen=True)
class Contents:
    """What a document describes: section classes, and properties."""

    kinds: tuple[type[Any], ...] = ()
    properties: tuple[Property, ...] = ()


@dataclass(frozen=True)
class Entry:
    """Properties of which one and the same can be said: honoured as `option` declares, or `other`."""

    names: tuple[str, ...]
    option: Option | None
    other: Other | None


ALL_PROPERTIES = tuple(PROPERTIES.values())
EVERYTHING = Contents(SECTIONS, ALL_PROPERTIES)


def find(name: str) -> Contents | None:
    """What goes by that name; None where nothing does.

    That is a section (`pop-client-sales`), a property (`mail.imap.fetchsize`), the properties whose names begin so
    (`mail.imap`), or all of them (`mail`, `properties`).
    """
    wanted = name.lower().removeprefix("[").removesuffix("]")
    if wanted in ("mail", "properties"):
        return Contents(properties=ALL_PROPERTIES)
    kinds = tuple(kind for kind in SECTIONS if section_kind(kind).matches(wanted) or section_kind(kind).name == wanted)
    properties = tuple(
        found for known, found in PROPERTIES.items() if known == wanted or known.startswith(f"{wanted}.")
    )
    return Contents(kinds, properties) if kinds or properties else None


def heading(kind: type[Any]) -> str:
    """How a section is written: `[emaild]`, or all spellings of a family."""
    return ", ".join(f"[{spelling}]" for spelling in section_kind(kind).spellings)


def takes(kind: type[Any], group: str) -> bool:
    """Whether sections of that kind may hold the properties of a group."""
    # A group without a field of its own, as Graph's, belongs wherever `mail.*` itself does.
    return FIELDS.get(group, FIELDS[""]) in {found.name for found in fields(kind)}


def takers(group: str) -> tuple[type[Any], ...]:
    """The kinds of sections that may hold the properties of a group."""
    return tuple(kind for kind in SECTIONS if takes(kind, group))


def entries(properties: Iterable[Property]) -> tuple[Entry, ...]:
    """Properties gathered where the same is said of them, as of `writetimeout` in all three protocols."""
    gathered: dict[tuple[Option | None, Other | None], list[str]] = {}
    for one in properties:
        gathered.setdefault((one.option, one.other), []).append(one.name)
    return tuple(Entry(tuple(names), option, other) for (option, other), names in gathered.items())
