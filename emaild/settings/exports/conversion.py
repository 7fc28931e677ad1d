"""Sections of an export -> the text of a conf file that `emaild check` accepts.

What the export says is written down, read by the very reader that reads conf files, and whatever that refuses becomes
a comment with the reader's reason, until nothing is refused any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emaild.settings import ini, parse
from emaild.settings.crosscheck import ServerSection, missing_sections
from emaild.settings.daemon import EmaildSection
from emaild.settings.ini import Fault, RawOption, RawSection
from emaild.settings.mailbox import MailboxSection
from emaild.settings.option import Option, options, same_name, section_kind
from emaild.settings.property_map import PROPERTIES, Property, Treatment
from emaild.settings.reader import ALIASES, SECTIONS, Reader
from emaild.settings.secret import MASKED
from emaild.settings.way_out import WayOutSection

RESULT = Path("result")
DECISIVE = frozenset({"type", "server-type", "server", "port", "proxy", "enable-client", "enable-authentication"})
DECISIVE |= {"user", "mailbox", "password", "pop-connection-security", "smtp-connection-security"}
"""Options without which a section would reach another server, sign in in another way, or stay unencrypted."""


@dataclass(frozen=True)
class Conversion:
    """The conf file, and each thing of the export that is not in effect in it, in the export's order."""

    text: str
    told: tuple[Fault, ...]


@dataclass
class _Entry:
    """An option on its way into the conf file; a comment where it is `refused`."""

    given: RawOption
    name: str
    text: str
    declared: Option | None = None
    remark: str = ""
    refused: str = ""


@dataclass
class _Section:
    """A section on its way there; all of it is a comment where it is `refused`."""

    given: RawSection
    entries: list[_Entry] = field(default_factory=list)
    refused: str = ""


Spots = dict[int, tuple[_Section, _Entry | None]]
"""What stands on each line that is no mere remark."""


def masked_passwords(sections: Mapping[str, RawSection]) -> list[Fault]:
    """The passwords that are only asterisks: the export was made with its passwords masked."""
    return [
        Fault(entry.given.place, raw.name, entry.given.name, MASKED)
        for raw in sections.values()
        for entry in _entries(raw)
        if entry.declared is not None
        and entry.declared.parser.secret
        and entry.text.strip()
        and not entry.text.strip("* ")
    ]


def convert(sections: Mapping[str, RawSection], faults: list[Fault], source: str) -> Conversion:
    """The conf file of an export as `read_export` gives it. *source* is its name for people."""
    found = [_Section(raw, _entries(raw)) for raw in sections.values()]
    _refuse_what_cannot_be_written(found)
    head = [f"# Made by 'emaild import' from {_printable(source)}."]
    head += ["# What is not taken over stands as a comment, its reason above it."]
    head += [f"# Left out: {_printable(str(fault))}" for fault in faults]
    lines, spots = _written(found, head)
    while refusals := list(_refusals("\n".join(lines), spots)):
        for section, entry, reason in refusals:
            if entry is None:
                section.refused = section.refused or reason
            elif entry.declared is not None and entry.name in DECISIVE:
                section.refused = section.refused or f"{entry.name}: {reason}"
            else:
                entry.refused = entry.refused or reason
        lines, spots = _written(found, head)
    told = sorted([*faults, *_told(found)], key=lambda fault: fault.place.line)
    return Conversion("\n".join(lines) + "\n", tuple(told))


# From the export


def _entries(raw: RawSection) -> list[_Entry]:
    """The options of a section by the names that they have here."""
    kind = next((kind for kind in SECTIONS if section_kind(kind).matches(raw.name)), None)
    declared = {same_name(option.name): option for option in options(kind)} if kind else {}
    entries: list[_Entry] = []
    for spelling, found in raw.options.items():
        known, property_ = declared.get(spelling), PROPERTIES.get(found.name.lower())
        if known is not None:
            entries.append(_Entry(found, known.name, _as_written(known, found.text), known))
        elif property_ is None or not declared:
            entries.append(_Entry(found, found.name, found.text.strip()))
        else:
            there = {*raw.options, *(same_name(entry.name) for entry in entries)}
            entry = _Entry(found, property_.name, found.text.strip(), property_.option)
            entries.append(_of_option(property_, found, kind, raw, there) or entry)
    return entries


def _as_written(option: Option, text: str) -> str:
    """A value as it must stand in a conf file, where blanks at both ends of a line do not count."""
    blank_ends = text != text.strip()
    if option.parser is parse.quoted:
        return f'"{text}"' if blank_ends else text
    return text if option.parser.secret else text.strip()


def _of_option(known: Property, found: RawOption, kind: Any, raw: RawSection, there: set[str]) -> _Entry | None:
    """The option that controls a property, with the property's value; None where that does not go, or it is given."""
    if known.treatment is not Treatment.CONTROLLED or known.other is None or known.group not in ("", _protocol(raw)):
        return None
    option = next((option for option in options(kind) if option.name == known.other.why), None)
    if option is None or same_name(option.name) in there or known.name.endswith(("class", "fallback")):
        return None
    text = found.text.strip()
    if option.name in ("connect-timeout", "protocol-timeout"):
        if not text.isdecimal():
            return None
        text = f"{text[:-3]}s" if text.endswith("000") else f"{text}ms"
    return _Entry(found, option.name, text, option, remark=f"from {known.name} = {found.text.strip()}")


def _protocol(raw: RawSection) -> str:
    """The group of the properties that a section's own protocol uses."""
    if section_kind(WayOutSection).matches(raw.name):
        return "smtp"
    given = raw.options.get("type")
    return given.text.strip().lower() if given else "pop3"


# Into the conf file


def _written(sections: list[_Section], head: list[str]) -> tuple[list[str], Spots]:
    """The lines of the conf file, and what stands on them; lines count from one."""
    lines = list(head)
    spots: Spots = {}
    for section in sections:
        lines.append("")
        if section.refused:
            lines.append(f"# {_printable(section.refused)}")
        lines.append(_line(f"[{section.given.name}]", comment=bool(section.refused)))
        spots[len(lines)] = section, None
        for entry in section.entries:
            lines += [f"# {_printable(reason)}" for reason in (entry.remark, entry.refused) if reason]
            comment = bool(section.refused or entry.refused)
            lines.append(_line(f"{entry.name} = {entry.text}".rstrip(), comment=comment))
            spots[len(lines)] = section, entry
    return lines, spots


def _line(text: str, *, comment: bool) -> str:
    return f"#{_printable(text)}" if comment else text


def _printable(text: str) -> str:
    """On one line, and harmless to a terminal; what is escaped can be read."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )


def _refuse_what_cannot_be_written(sections: list[_Section]) -> None:
    """Names and values that a conf file cannot hold, or would read as something else."""
    for section in sections:
        name = section.given.name
        if not _survives(f"[{name}]", name, {}):
            section.refused = "no conf file can hold the name of this section"
        for entry in section.entries:
            if section.given.name.lower() == section_kind(EmaildSection).name and entry.name == "include":
                entry.refused = "what is imported includes no other files"
            elif not _survives(f"[x]\n{entry.name} = {entry.text}", "x", {entry.name: entry.text}):
                entry.refused = "a conf file cannot hold it as it is: a line break, blanks at its ends, or its length"
                if entry.declared is not None and entry.declared.parser.secret:
                    entry.refused += "; put it into a file, and write file:PATH"


def _survives(text: str, name: str, values: Mapping[str, str]) -> bool:
    """Whether what is read of a text is just that section with these values."""
    sections, _ = ini.read([(RESULT, text.encode())])
    if [section.name for section in sections.values()] != [name]:
        return False
    (section,) = sections.values()
    return {option.name: option.text for option in section.options.values()} == values


# What the reader says


def _refusals(text: str, spots: Spots) -> Iterator[tuple[_Section, _Entry | None, str]]:
    """What of a conf file must become a comment, and why; nothing where `emaild check` would accept it."""
    raw, faults = ini.read([(RESULT, text.encode())], ALIASES)
    reader = Reader(raw, outside_unit=True)
    faults += reader.faults
    for fault in [*faults, *_missing(reader, raw)]:
        section, entry = spots[fault.place.line]
        missing = entry is None and fault.option
        yield section, entry, f"{fault.option}: {fault.message}" if missing else fault.message
    for warning in reader.warnings:
        section, entry = spots[warning.place.line]
        if entry is None or entry.declared is None or entry.declared.idle:
            yield section, entry, warning.message


def _missing(reader: Reader, raw: Mapping[str, RawSection]) -> Iterator[Fault]:
    """Sections that are named and not there."""
    servers: list[ServerSection] = [*reader.family(MailboxSection).values(), *reader.family(WayOutSection).values()]
    for section, option, message in missing_sections(servers, raw):
        yield Fault(raw[section.lower()].options[same_name(option)].place, section, option, message)


def _told(sections: list[_Section]) -> Iterator[Fault]:
    for section in sections:
        raw = section.given
        if section.refused:
            yield Fault(raw.place, raw.name, "", f"left out, the whole section: {section.refused}")
        for entry in section.entries:
            if entry.refused:
                yield Fault(entry.given.place, raw.name, entry.given.name, f"left out: {entry.refused}")
