"""Conf files as bytes -> sections of texts, each with the line it stands on, and every mistake in their form.

The standard library's configparser reads the values; but it gives no line numbers, stops at the first fault, takes
an indented option for the rest of the one above, and spreads `[DEFAULT]` over all sections. So the lines are walked
first, and what the walk finds good is handed to configparser section by section.
"""

from __future__ import annotations

import codecs
import configparser
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from emaild.settings.option import same_name

ONCE_A_FILE = ("emaild", same_name("include"))  # section and option that each file may hold
ABOVE_ALL_HEADERS = "it stands above the first section header; a header such as [pop-client] comes first"
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
        return f"{_printable(str(self.place))}: {self.text}"

    @property
    def text(self) -> str:
        """All of it but the place, which may change though nothing else does."""
        section = f"[{self.section}] " if self.section else ""
        # No more than the first word is repeated of what cannot be a name: `password hunter2=` holds a password.
        option = re.split(r"[\s:]", self.option, maxsplit=1)[0]
        subject = f"{section}{_cut(option)}".strip()
        return _printable(f"{subject}: {self.message}" if subject else self.message)


@dataclass(frozen=True)
class RawOption:
    """An option as it stands in a file."""

    name: str
    text: str = field(repr=False)  # it may be a password
    place: Place


@dataclass
class RawSection:
    """A section as it stands in the files, all of its parts merged; `options` by their one spelling."""

    name: str
    place: Place
    options: dict[str, RawOption] = field(default_factory=dict)


def read(
    files: Iterable[tuple[Path, bytes]], aliases: Mapping[str, str] | None = None
) -> tuple[dict[str, RawSection], list[Fault]]:
    """The sections of these files in the order in which they first appear, by lower-case name, and all faults.

    *aliases* are other names of sections, in lower case.
    """
    sections: dict[str, RawSection] = {}
    faults: list[Fault] = []
    for path, content in files:
        text = _decoded(path, content, faults)
        _Walk(path, sections, aliases or {}, faults).over(text.split("\n"))
    return sections, faults


def _decoded(path: Path, content: bytes, faults: list[Fault]) -> str:
    """UTF-8 text with LF line ends; a byte that is none is a fault, once, and its file is read no further."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        faults.append(Fault(Place(path, 1), "", "", "the file is UTF-16; save it as UTF-8"))
        return ""
    if b"\0" in content:
        line = content[: content.index(b"\0")].count(b"\n") + 1
        faults.append(Fault(Place(path, line), "", "", "a NUL byte is not text; save the file as UTF-8"))
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

    def __init__(
        self, path: Path, sections: dict[str, RawSection], aliases: Mapping[str, str], faults: list[Fault]
    ) -> None:
        self._path = path
        self._sections = sections
        self._aliases = aliases
        self._faults = faults
        self._section: RawSection | None = None
        self._fresh: list[RawOption] = []  # of the section, their texts still whole lines
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
        self._read_values()

    def _fault(self, place: Place, option: str, message: str) -> None:
        section = self._section.name if self._section else ""
        self._faults.append(Fault(place, section, option, message))

    def _header(self, line: str, place: Place) -> None:
        self._read_values()
        self._section, self._skipping = None, True
        name = line[1:-1].strip()
        if not line.endswith("]") or not name or "]" in name or "[" in name:
            self._fault(place, "", f"expected a section header such as [pop-client], found {_short(line)}")
        elif name.lower() == "default":
            self._fault(place, "", "[DEFAULT] is not read; write each option in the section that it belongs to")
        else:
            self._skipping = False
            name = self._aliases.get(name.lower(), name)
            self._section = self._sections.setdefault(name.lower(), RawSection(name, place))

    def _option(self, line: str, place: Place) -> None:
        name, equals, _ = line.partition("=")
        name = name.strip()
        if self._section is None:
            self._fault(place, name if equals else "", ABOVE_ALL_HEADERS)
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
        if earlier is not None and earlier.place.file != place.file and self._once_a_file(name):
            return
        if earlier is not None:
            self._fault(place, name, f"it stands already at {earlier.place}; keep one of the two")
            return
        self._fresh.append(RawOption(name, line, place))
        self._section.options[same_name(name)] = self._fresh[-1]

    def _read_values(self) -> None:
        """What stands right of the equals signs, for all lines since the header at once."""
        if self._section is not None and self._fresh:
            for option, value in zip(self._fresh, _values([option.text for option in self._fresh]), strict=True):
                self._section.options[same_name(option.name)] = replace(option, text=value)
        self._fresh = []

    def _once_a_file(self, name: str) -> bool:
        assert self._section is not None
        return (self._section.name.lower(), same_name(name)) == ONCE_A_FILE


def _values(lines: list[str]) -> list[str]:
    """The values of options' lines, as configparser reads them with nothing interpolated and no inline comments."""
    parser = configparser.RawConfigParser(
        delimiters=("=",), comment_prefixes=("#", ";"), inline_comment_prefixes=None, default_section=""
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string("\n".join(["[section]", *lines, ""]))
    return [value for _, value in parser.items("section")]


def _printable(text: str) -> str:
    """One line whatever names and paths hold: line ends and what steers a terminal are written as escapes."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _short(text: str) -> str:
    return repr(_cut(text, 40))


def _cut(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
