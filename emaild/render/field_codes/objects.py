"""What a formula can name: the objects with their properties, attached data, and custom values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from functools import cached_property
from typing import TypeAlias

from emaild.render.field_codes.faults import Wrong
from emaild.render.field_codes.marks import from_outside
from emaild.render.field_codes.values import Kind, Value, finite

ATTACHED_DATA, EMAIL_ADDRESSES_EXISTS = "Interaction.AttachedData", "Contact.EmailAddresses.Exists"
# Genesys, "Interaction objects", "Contact objects", "Agent objects". The kind is what a check can rely on: a property
# may also be without a value, and then it is the empty string.
PROPERTIES: dict[str, Kind] = {
    "Interaction.Id": Kind.ANY,
    "Interaction.DateCreated": Kind.DATE,
    "Interaction.Subject": Kind.ANY,
    "Interaction.ToAddress": Kind.ANY,
    "Interaction.FromAddress": Kind.ANY,
    "Interaction.TimeZone": Kind.ANY,
    "Contact.Id": Kind.ANY,
    "Contact.Title": Kind.ANY,
    "Contact.FirstName": Kind.ANY,
    "Contact.LastName": Kind.ANY,
    "Contact.FullName": Kind.ANY,
    "Contact.PrimaryPhoneNumber": Kind.ANY,
    "Contact.PrimaryEmailAddress": Kind.ANY,
    "Contact.EmailAddresses": Kind.STRING,
    "Contact.EmailAddresses.Count": Kind.NUMBER,
    "Agent.FirstName": Kind.ANY,
    "Agent.LastName": Kind.ANY,
    "Agent.FullName": Kind.ANY,
    "Agent.Signature": Kind.ANY,
}
OBJECTS = {name.partition(".")[0].lower() for name in PROPERTIES}
LISTED = {name.lower(): name for name in (*PROPERTIES, ATTACHED_DATA, EMAIL_ADDRESSES_EXISTS)}
COUNT, EXISTS = "count", "exists"
CUSTOM, ATTACHED = "custom", "attached data"  # the holders that are no object


@dataclass(frozen=True)
class SavedCode:
    """A custom value that the operator wrote and that is itself rendered: text with field codes, in HTML with markup.

    A text that is one code and nothing else keeps that code's kind, so a saved number can be calculated with. A plain
    string among the custom values is data: it is never rendered, since a customer may have written it.
    """

    text: str


Given: TypeAlias = "str | float | bool | datetime | list[str] | None"


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The values for one rendering: property name to value, in any case, as `FirstName` or `EmailAddresses`.

    A list reads as its members with commas between them, and has `.Count` and `.Exists("member")`. `custom` goes by
    whole dotted names. `locale` (the option fieldcode-format-locale) is that of dates and numbers for which a code
    names none. `now` is what `Time()` says; dates that a code makes are in its zone.
    """

    interaction: Mapping[str, Given] = field(default_factory=dict)
    contact: Mapping[str, Given] = field(default_factory=dict)
    agent: Mapping[str, Given] = field(default_factory=dict)
    custom: Mapping[str, Given | SavedCode] = field(default_factory=dict)
    attached_data: Mapping[str, Given] = field(default_factory=dict)
    locale: str = "en_US"
    now: datetime = field(default_factory=lambda: datetime.now().astimezone())

    @cached_property
    def holders(self) -> dict[str, Mapping[str, Given | SavedCode]]:
        """The values of each object, and those that belong to none."""
        return {
            "interaction": self.interaction,
            "contact": self.contact,
            "agent": self.agent,
            CUSTOM: self.custom,
            ATTACHED: self.attached_data,
        }

    @cached_property
    def in_any_case(self) -> dict[str, dict[str, Given | SavedCode]]:
        """The same by lower-case names; of two that differ only in case the first."""
        return {
            holder: {name.lower(): value for name, value in reversed(list(values.items()))}
            for holder, values in self.holders.items()
        }


def is_listed(path: str) -> bool:
    """Whether that name is one of the objects' and not a custom one.

    Raises:
        Wrong: it begins like an object's and is not listed.
    """
    if path.lower() in LISTED:
        return True
    if path.partition(".")[0].lower() in OBJECTS:
        raise Wrong(f"{path} is unknown; expected {nearest(path, LISTED)}")
    return False


def nearest(name: str, known: Mapping[str, object]) -> str:
    """What the author may have meant, for a message; *known* holds lower-case names."""
    found = get_close_matches(name.lower(), known, n=1, cutoff=0) or list(known)[:1]
    return f"a listed name such as {known[found[0]]}" if found else "a listed name"


def read(scope: Scope, path: str) -> Value | SavedCode:
    """The value under a name without parentheses; that of a listed property which has none is the empty string.

    Raises:
        Wrong: the name is unknown, or what was given cannot be a value.
    """
    holder, name = _place(path)
    given = _found(scope, holder, name)
    if isinstance(given, SavedCode):
        return given
    if given is not None:
        return _value(given)
    counted, _, member = name.rpartition(".")
    if member.lower() == COUNT and (members := _found(scope, holder, counted)) is not None:
        return float(len(_members(members, path)))
    if holder == CUSTOM and path.lower() not in scope.in_any_case[CUSTOM]:
        raise Wrong(f"{path} is unknown; expected a listed property or the name of a custom value")
    return 0.0 if member.lower() == COUNT else ""


def attached(scope: Scope, key: str) -> Value:
    """The attached data under that key, or the empty string."""
    return _value(_found(scope, ATTACHED, key))


def exists(scope: Scope, path: str, member: str) -> bool:
    """Whether the list before `.Exists` holds that member, in any case.

    Raises:
        Wrong: the name is unknown, or no list.
    """
    holder, name = _place(path)
    given = _found(scope, holder, name.rpartition(".")[0])
    if given is None and holder != CUSTOM:
        return False
    return member.lower() in {one.lower() for one in _members(given, path)}


def _place(path: str) -> tuple[str, str]:
    """Where a name is looked up, and as what."""
    start, _, name = path.partition(".")
    return (start.lower(), name) if is_listed(path) else (CUSTOM, path)


def _found(scope: Scope, holder: str, name: str) -> Given | SavedCode:
    """The value under that name, else under the same name in another case."""
    values = scope.holders[holder]
    return values[name] if name in values else scope.in_any_case[holder].get(name.lower())


def _members(given: Given | SavedCode, path: str) -> list[str]:
    if not isinstance(given, list):
        raise Wrong(f"{path} is unknown; expected the name of a list before {path.rpartition('.')[2]}")
    return given


def _value(given: object) -> Value:
    """The value of what the caller gave.

    Raises:
        Wrong: it is of no kind that the language has.
    """
    if given is None:
        return ""
    if isinstance(given, str):
        return from_outside(given)
    if isinstance(given, bool):
        return given
    if isinstance(given, (int, float)):
        return _number(given)
    if isinstance(given, datetime) and given.utcoffset() is not None:
        return given
    if isinstance(given, (list, tuple)):
        return from_outside(", ".join(str(one) for one in given))
    raise Wrong(
        f"the value is a {type(given).__name__}; expected text, a number, a date with a zone, or a list of text"
    )


def _number(given: float) -> float:
    try:
        return finite(float(given))
    except OverflowError:
        return finite(float("inf"))
