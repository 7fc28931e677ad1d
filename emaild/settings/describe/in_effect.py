"""What is in effect: each option with its value and where it comes from; for one section its properties, too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from emaild.settings.crosscheck import ServerSection
from emaild.settings.describe.derived import Derived, decided_by, derived, protocol_of
from emaild.settings.describe.typed import shown
from emaild.settings.load import Settings
from emaild.settings.mailbox import MailboxSection
from emaild.settings.option import Option, options, section_kind
from emaild.settings.property_map import FIELDS, PROPERTIES, Property, Treatment
from emaild.settings.way_out import WayOutSection

OPTION = "option"
OWN = "emaild"
PROTOCOLS = ("pop3", "imap", "smtp", "ews", "graph")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One value in effect.

    `category` is a property's treatment, `option` for our options. `origin` is file:line, `default`, `emaild`, or
    the option that the value follows from and that one's origin. `mark` says what an option that was given lacks.
    """

    section: str
    option: str
    value: str
    category: str
    origin: str
    mark: str = ""


def in_effect(settings: Settings, wanted: str | None = None) -> list[Row]:
    """Everything of the section *wanted*, empty where there is none of that name; without it the options of all."""
    rows: list[Row] = []
    for name, section in settings.sections().items():
        if wanted is None or name.lower() == wanted.lower():
            rows += _Section(settings, name, section).options()
            if wanted is not None and isinstance(section, MailboxSection | WayOutSection):
                rows += _Server(settings, name, section).properties()
    return rows


class _Section:
    """One section, and what its rows are made from."""

    def __init__(self, settings: Settings, name: str, section: Any) -> None:
        self._settings = settings
        self._name = name
        self._section = section
        self._decided = decided_by(section) if isinstance(section, MailboxSection | WayOutSection) else {}

    def options(self) -> Iterator[Row]:
        for option in options(type(self._section)):
            yield self._given(option, option.name, self._section, OPTION)
        if section_kind(type(self._section)).entries:
            for entry, value in self._section.entries.items():
                yield self._row(entry, value, OPTION, self._place(self._name, entry))
        for entry, value in getattr(self._section, getattr(self._section, "others", ""), {}).items():
            yield self._row(entry, value, OPTION, self._place(self._name, entry))

    def _given(self, option: Option, name: str, holder: Any, category: str) -> Row:
        deciding = self._decided.get(name)
        origin = f"{deciding} ({self._place(self._name, deciding)})" if deciding else self._place(self._name, name)
        row = self._row(name, shown(getattr(holder, option.in_effect), option), category, origin)
        return replace(row, mark=_lack(option)) if (self._name, name) in self._settings.origins else row

    def _row(self, option: str, value: str, category: str, origin: str) -> Row:
        return Row(section=self._name, option=option, value=value, category=category, origin=origin)

    def _place(self, section: str, option: str, otherwise: str = "default") -> str:
        return str(self._settings.origins.get((section, option), otherwise))


class _Server(_Section):
    """A section with a server."""

    _section: ServerSection

    def properties(self) -> Iterator[Row]:
        follows = derived(self._section, self._settings.proxy_for(self._section))
        own = f"{protocol_of(self._section)}."
        for found in PROPERTIES.values():
            short = found.name.removeprefix("mail.").removeprefix(own)
            category = found.treatment.value
            if short.partition(".")[0] in PROTOCOLS:
                continue
            if found.option is not None:
                yield self._given(found.option, found.name, getattr(self._section, FIELDS[found.group]), category)
            elif found.treatment not in (Treatment.CONTROLLED, Treatment.INTERNAL):
                yield self._row(found.name, _fixed(found), category, self._place(self._name, found.name, OWN))
            elif short in follows:
                yield self._row(found.name, shown(follows[short].value), category, self._source(follows[short]))

    def _source(self, follows: Derived) -> str:
        if not follows.option:
            return OWN
        named = follows.option if follows.section == self._name else f"[{follows.section}] {follows.option}"
        return f"{named} ({self._place(follows.section, follows.option)})"


def _lack(option: Option) -> str:
    return "no effect here" if option.idle else ""


def _fixed(found: Property) -> str:
    """What is in effect of a property that no option controls and that cannot be chosen."""
    if found.treatment is not Treatment.ALWAYS:
        return ""
    return "XOAUTH2" if found.group == "graph" else "true"
