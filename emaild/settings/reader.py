"""Raw sections -> section values, with faults, warnings and origins gathered on the way."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar, cast

from emaild.settings.agent import AgentSection
from emaild.settings.api import ApiSection, ApiTokenSection
from emaild.settings.daemon import EmaildSection, StoreSection, Unknown
from emaild.settings.discovery import DiscoverySection
from emaild.settings.email2 import Email2Section
from emaild.settings.ini import Fault, Place, RawOption, RawSection
from emaild.settings.log import LogSection
from emaild.settings.mailbox import MailboxSection, MailboxType
from emaild.settings.network import EndpointsSection, ProxySection, SecretSection
from emaild.settings.option import Option, options, same_name, section_kind
from emaild.settings.parse import repeated
from emaild.settings.processing import ProcessingSection
from emaild.settings.property_map import CLASSES, FIELDS, PROPERTIES, PROTOCOLS, Property, Treatment, full_name
from emaild.settings.rule import RuleSection
from emaild.settings.secret import CredentialMissing, Secret
from emaild.settings.transport import check_transport
from emaild.settings.way_out import WayOutSection
from emaild.settings.webhook import WebhookSection

SECTIONS: tuple[type[Any], ...] = (
    EmaildSection,
    MailboxSection,
    WayOutSection,
    ProcessingSection,
    RuleSection,
    AgentSection,
    ProxySection,
    SecretSection,
    EndpointsSection,
    ApiSection,
    ApiTokenSection,
    WebhookSection,
    DiscoverySection,
    Email2Section,
    StoreSection,
    LogSection,
)
ALIASES: Mapping[str, str] = {"smtp": "smtp-client"}
"""Other names of sections, in lower case; the guide's table for EWS writes [smtp]."""
GENESYS_SECTIONS = frozenset({"settings", "log-filter", "log-filter-data", "messages", "ucs", "health-service"})
"""Sections of a Genesys export that concern other servers of Genesys's."""

S = TypeVar("S")
T = TypeVar("T")
CALLED_ELSEWHERE = {same_name("tenant-id"): "directory-id", same_name("tenant"): "directory-id"}
"""What others call an option, and it is not near by its letters."""


@dataclass
class _Given:
    """What is being read of one section; `groups` are values of properties by group, `others` undeclared options."""

    raw: RawSection
    name: str
    values: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)
    wrong: bool = False


class Reader:
    """Reads sections. With *outside_unit* a systemd credential that cannot be seen is a warning, its secret empty."""

    def __init__(self, raw: Mapping[str, RawSection], *, outside_unit: bool) -> None:
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []
        self.origins: dict[tuple[str, str], Place] = {}
        self._outside_unit = outside_unit
        self._values: dict[type[Any], dict[str, Any]] = {kind: {} for kind in SECTIONS}
        self._lenient = _unknown_is_warning(raw)
        for section in raw.values():
            self._section(section)

    def single(self, kind: type[S]) -> S:
        """The one section of this kind, all defaults where it does not stand in the files."""
        values: dict[str, S] = self._values[kind]
        return next(iter(values.values())) if values else kind()

    def family(self, kind: type[S]) -> dict[str, S]:
        """All sections of this kind by their names."""
        return self._values[kind]

    def _section(self, raw: RawSection) -> None:
        kind = next((kind for kind in SECTIONS if section_kind(kind).matches(raw.name)), None)
        if kind is None:
            self._unknown_section(raw)
            return
        given = _Given(raw, raw.name if "name" in _names(kind) else section_kind(kind).name)
        if section_kind(kind).entries:
            self._entries(kind, given)
            return
        declared = _declared(kind)
        for spelling, found in raw.options.items():
            option = declared.get(spelling)
            if option is not None:
                self.origins[given.name, option.name] = found.place
                self._option(given, option.name, option, found, given.values)
            elif hasattr(kind, "others"):
                self.origins[given.name, found.name] = found.place
                given.others[found.name] = found.text.strip()
            elif not (found.name.lower().startswith("mail.") and _groups_of(kind)):
                self._unknown_option(raw, found, [option.name for option in declared.values()])
        self._properties(kind, given)
        self._finish(kind, given, declared)

    def _unknown_section(self, raw: RawSection) -> None:
        if raw.name.lower() in GENESYS_SECTIONS:
            wrong = "a section for other servers of Genesys's, without effect here"
            self.warnings.append(Fault(raw.place, raw.name, "", wrong))
            return
        known = [spelling for kind in SECTIONS for spelling in section_kind(kind).spellings]
        self._unknown(Fault(raw.place, raw.name, "", "unknown section" + suggestion(raw.name, known)))

    def _unknown_option(self, raw: RawSection, found: RawOption, known: list[str]) -> None:
        if re.search(r"[\s:]", found.name):
            wrong = "expected 'option = value', found more than an option before the ="
        else:
            wrong = "unknown option" + suggestion(found.name, known)
        self._unknown(Fault(found.place, raw.name, found.name, wrong))

    def _unknown(self, fault: Fault) -> None:
        (self.warnings if self._lenient else self.faults).append(fault)

    def _fault(self, given: _Given, place: Place, name: str, message: str) -> None:
        self.faults.append(Fault(place, given.raw.name, name, message))
        given.wrong = True

    def _warn(self, given: _Given, place: Place, name: str, message: str) -> None:
        self.warnings.append(Fault(place, given.raw.name, name, message))

    # Options

    def _entries(self, kind: type[Any], given: _Given) -> None:
        """A section of an operator's own names."""
        for found in given.raw.options.values():
            self.origins[given.name, found.name] = found.place
            if not found.text.strip():
                self._fault(given, found.place, found.name, "it is empty; expected the name of a queue")
        entries = {found.name: found.text.strip() for found in given.raw.options.values()}
        self._values[kind][given.name] = kind(name=given.name, entries=MappingProxyType(entries))

    def _option(self, given: _Given, name: str, option: Option, found: RawOption, values: dict[str, Any]) -> None:
        """One value into *values*; for an option that has no effect, a warning."""
        if option.required and not found.text.strip():
            self._fault(given, found.place, name, f"it is empty; expected {option.parser.expects}")
            return
        if option.idle:
            self._warn(given, found.place, name, f"it has no effect here: {option.idle}")
        try:
            values[option.field] = option.parser.read(found.text)
        except CredentialMissing as error:
            if self._outside_unit:
                self._warn(given, found.place, name, str(error))
                values[option.field] = Secret("", literal=False)
            else:
                self._fault(given, found.place, name, str(error))
        except ValueError as error:
            self._fault(given, found.place, name, _value_fault(option, found.text, str(error)))

    # Properties

    def _properties(self, kind: type[Any], given: _Given) -> None:
        groups = _groups_of(kind)
        own = _own_groups(kind, given.values)
        for found in given.raw.options.values():
            if not (found.name.lower().startswith("mail.") and groups):
                continue
            known = PROPERTIES.get(found.name.lower())
            if known is None:
                wrong = "unknown property" + suggestion(found.name, [known.name for known in PROPERTIES.values()])
                self._unknown(Fault(found.place, given.raw.name, found.name, wrong))
            elif known.treatment is not Treatment.HONOURED:
                self._not_honoured(given, known, found)
            elif known.group not in own:
                wrong = "it is of another protocol than this section's, and has no effect"
                self._warn(given, found.place, known.name, wrong)
            else:
                assert known.option is not None
                self.origins[given.name, known.name] = found.place
                self._option(given, known.name, known.option, found, given.groups.setdefault(known.group, {}))

    def _not_honoured(self, given: _Given, known: Property, found: RawOption) -> None:
        assert known.other is not None
        self.origins[given.name, known.name] = found.place
        match known.treatment, known.other.why:
            case Treatment.CONTROLLED, instead:
                self._fault(given, found.place, known.name, f"it cannot be set; the option {instead} controls it")
            case Treatment.INTERNAL, "":
                self._fault(given, found.place, known.name, "it cannot be set; emaild sets it itself")
            case Treatment.INTERNAL, instead:
                self._fault(given, found.place, known.name, f"it cannot be set; the option {instead} sets it")
            case Treatment.REFUSED, reason:
                self._fault(given, found.place, known.name, f"it cannot be set: {reason}")
            case Treatment.WITHOUT_EFFECT, reason:
                self._warn(given, found.place, known.name, f"it has no effect here: {reason}")
            case Treatment.ALWAYS, reason:
                if found.text.strip().lower() in ("false", "no", "off", "0"):
                    self._warn(given, found.place, known.name, f"false has no effect: {reason}")

    # The whole section

    def _finish(self, kind: type[Any], given: _Given, declared: Mapping[str, Option]) -> None:
        needed = kind.needs(given.values) if hasattr(kind, "needs") else ()
        for spelling, option in declared.items():
            if spelling not in given.raw.options and (option.required or option.field in needed):
                self._fault(given, given.raw.place, option.name, f"it is missing; expected {_expects(option)}")
            elif option.field in needed and not given.raw.options[spelling].text.strip():
                place = given.raw.options[spelling].place
                self._fault(given, place, option.name, f"it is empty; expected {_expects(option)}")
        if given.wrong:
            return  # what is read of it says too little about how it fits together
        properties = {group: CLASSES[group](**values) for group, values in given.groups.items()}
        for group, values in properties.items():
            for name, message in values.check() if hasattr(values, "check") else ():
                self._misfit(given, full_name(group, name), message)
        named = _named(kind, given)
        section = kind(**named, **given.values, **{FIELDS[group]: values for group, values in properties.items()})
        for name, message in section.check() if hasattr(section, "check") else ():
            self._misfit(given, name, message)
        for group in _own_groups(kind, given.values) & {*PROTOCOLS}:
            for name, message in check_transport(section.security_given, getattr(section, FIELDS[group]), group):
                self._misfit(given, name, message)
        self._values[kind][given.name] = section

    def _misfit(self, given: _Given, name: str, message: str) -> None:
        """A fault at the option's line; at the section's, where the option is not given."""
        found = given.raw.options.get(same_name(name))
        self.faults.append(Fault(found.place if found else given.raw.place, given.raw.name, name, message))


def _named(kind: type[Any], given: _Given) -> dict[str, Any]:
    """The fields of a section that are no options."""
    named: dict[str, Any] = {"name": given.name} if "name" in _names(kind) else {}
    return named | ({kind.others: MappingProxyType(given.others)} if hasattr(kind, "others") else {})


def _unknown_is_warning(raw: Mapping[str, RawSection]) -> bool:
    found = raw["emaild"].options.get(same_name("unknown-options")) if "emaild" in raw else None
    return found is not None and found.text.strip().lower() == Unknown.WARN


def _once(find: Callable[[type[Any]], T]) -> Callable[[type[Any]], T]:
    """To be found once for each kind: a declaration never changes, and 1,000 sections ask."""
    return cast(Callable[[type[Any]], T], cache(find))


@_once
def _declared(kind: type[Any]) -> Mapping[str, Option]:
    """What may stand in a section of that kind, by the one spelling of its name."""
    return {same_name(option.name): option for option in options(kind)}


@_once
def _names(kind: type[Any]) -> set[str]:
    return {found.name for found in fields(kind)}


@_once
def _groups_of(kind: type[Any]) -> set[str]:
    """The groups of properties that a kind of section has fields for."""
    return {group for group, name in FIELDS.items() if name in _names(kind)}


def _own_groups(kind: type[Any], values: Mapping[str, Any]) -> set[str]:
    """Those of them that its protocol uses."""
    if kind is MailboxSection:
        used = {MailboxType.POP3: {"pop3"}, MailboxType.IMAP: {"imap"}}
        return {"mime", "", *used.get(values.get("type", MailboxType.POP3), set())}
    return _groups_of(kind)


def _expects(option: Option) -> str:
    return option.parser.expects.removesuffix(", or nothing")


def _value_fault(option: Option, text: str, reason: str) -> str:
    """One line for a value that its parser refused; a secret is not repeated in it."""
    if option.parser.secret:
        return reason or f"expected {option.parser.expects}"
    if not text.strip():
        return f"it is empty; expected {_expects(option)}"
    if not reason and re.search(r"\s[#;]", text):
        reason = "a comment stands on a line of its own"
    return f"expected {_expects(option)}, found {repeated(text)}" + (f" ({reason})" if reason else "")


def suggestion(name: str, known: Iterable[str]) -> str:
    """`; did you mean X?` where a known name is near."""
    by_spelling = {same_name(one): one for one in known}
    called = CALLED_ELSEWHERE.get(same_name(name))
    if called in by_spelling.values():
        return f"; did you mean {called}?"
    near = difflib.get_close_matches(same_name(name), by_spelling, n=1, cutoff=0.6)
    return f"; did you mean {by_spelling[near[0]]}?" if near else ""
