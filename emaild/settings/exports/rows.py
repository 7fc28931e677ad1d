"""What the XML and the CSV form come to: rows of section, option and value, and the sections that they make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from emaild.settings.ini import Fault, Place, RawOption, RawSection
from emaild.settings.option import same_name
from emaild.settings.reader import ALIASES


@dataclass(frozen=True)
class Row:
    """One option as an export has it; `option` is empty where only the section is named."""

    section: str
    option: str
    text: str
    line: int


def sections_of(path: Path, rows: Iterable[Row]) -> tuple[dict[str, RawSection], list[Fault]]:
    """The sections by their lower-case name, as `ini.read` gives them, and options that stand there twice."""
    sections: dict[str, RawSection] = {}
    faults: list[Fault] = []
    for row in rows:
        place = Place(path, row.line)
        name = ALIASES.get(row.section.lower(), row.section)
        section = sections.setdefault(name.lower(), RawSection(name, place))
        if not row.option:
            continue
        earlier = section.options.setdefault(same_name(row.option), RawOption(row.option, row.text, place))
        if earlier.text != row.text:
            wrong = f"another value of it stands at {earlier.place}; that one was taken"
            faults.append(Fault(place, section.name, row.option, wrong))
    return sections, faults
