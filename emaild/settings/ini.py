"""Conf files as bytes -> sections of texts, each with the line it stands on, and every mistake in their form.

The standard library's configparser reads the values; but it gives no line numbers, stops at the first fault, takes
an indented option for the rest of the one above, and spreads `[DEFAULT]` over all sections. So the lines are walked
first, and what the walk finds good is handed to configparser section by section.
"""

from __future__ import annotations

import configparser
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from emaild.settings.option import same_name

LONGEST_LINE = 65_536  # characters; far above a refresh token, the longest value known


@dataclass(frozen=True)
class Place:
    """Where something stands."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Fault:
    """One mistake, or one warning: where, in which section and option, and what would be right."""

    place: Place
    section: str
    option: str
    message: str

    def __str__(self) -> str:
        section = f"[{self.section}] " if self.section else ""
        subject = f"{section}{self.option}".strip()
        return f"{self.place}: {subject}: {self.message}" if subject else f"{self.place}: {self.message}"


@dataclass(frozen=True)
class RawOption:
    """An option as it stands in a file."""

    name: str
    text: str
    place: Place


@dataclass
class RawSection:
    """A section as it stands in the files, all of its parts merged; `options` by their one spelling."""

    name: str
    place: Place
    options: dict[str, RawOption] = field(default_factory=dict)


def read(files: Iterable[tuple[Path, bytes]]) -> tuple[dict[str, RawSection], list[Fault]]:
    """The sections of these files in the order in which they first appear, by lower-case name, and all faults."""
    sections: dict[str, RawSection] = {}
    faults: list[Fault] = []
    for path, content in files:
        text = _decoded(path, content, faults)
        _Walk(path, sections, faults).over(text.split("\n"))
    return sections, faults


def _decoded(path: Path, content: bytes, faults: list[Fault]) -> str:
    """UTF-8 text with LF line ends; a byte that is none is a fault, once, and its file is read no further."""
    if b"\0" in content:
        line = content[: content.index(b"\0")].count(b"\n") + 1
        faults.append(Fault(Place(path, line), "", "", "a NUL byte: this is not a text file"))
        return ""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        wrong = f"byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8"
        faults.append(Fault(Place(path, line), "", "", wrong))
        return ""
    return text.replace("\r\n", "\n")


class _Walk:
    """One pass over the lines of a file."""

    def __init__(self, path: Path, sections: dict[str, RawSection], faults: list[Fault]) -> None:
        self._path = path
        self._sections = sections
        self._faults = faults
        self._section: RawSection | None = None
        self._skipping = False  # below a header that was itself a fault

    def over(self, lines: list[str]) -> None:
        for number, line in enumerate(lines, start=1):
            place = Place(self._path, number)
            stripped = line.strip()
            if not stripped or stripped[0] in "#;":
                continue
            if len(line) > LONGEST_LINE:
                self._fault(place, "", f"a line of {len(line)} characters; at most {LONGEST_LINE} are read")
            elif stripped[0] == "[" and line[0] == "[":
                self._header(stripped, place)
            elif not self._skipping:
                self._option(line, place)

    def _fault(self, place: Place, option: str, message: str) -> None:
        section = self._section.name if self._section else ""
        self._faults.append(Fault(place, section, option, message))

    def _header(self, line: str, place: Place) -> None:
        self._section, self._skipping = None, True
        name = line[1:-1].strip()
        if not line.endswith("]") or not name or "]" in name or "[" in name:
            self._fault(place, "", f"expected a section header such as [pop-client], found {_short(line)}")
        elif name.lower() == "default":
            self._fault(place, "", "[DEFAULT] is not read; write each option in the section that it belongs to")
        else:
            self._skipping = False
            self._section = self._sections.setdefault(name.lower(), RawSection(name, place))

    def _option(self, line: str, place: Place) -> None:
        name, equals, _ = line.partition("=")
        name = name.strip()
        if self._section is None:
            self._fault(place, name if equals else "", "it stands above the first section header")
        elif line[0].isspace():
            self._fault(place, name if equals else "", "this line is indented; options start at the line's beginning")
        elif not equals or not name:  # the line is not repeated: a password may stand in it
            missing = "option before the =" if equals else "="
            self._fault(place, "", f"expected 'option = value', found no {missing}")
        else:
            self._keep(name, line, place)

    def _keep(self, name: str, line: str, place: Place) -> None:
        assert self._section is not None
        earlier = self._section.options.get(same_name(name))
        if earlier is not None:
            self._fault(place, name, f"it stands already at {earlier.place}; keep one of the two")
            return
        self._section.options[same_name(name)] = RawOption(name, _value(line), place)


def _value(line: str) -> str:
    """The value of an option's line, as configparser reads it with nothing interpolated and no inline comments."""
    parser = configparser.RawConfigParser(
        delimiters=("=",), comment_prefixes=("#", ";"), inline_comment_prefixes=None, default_section=""
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(f"[section]\n{line}\n")
    ((_, value),) = parser.items("section")
    return value


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
