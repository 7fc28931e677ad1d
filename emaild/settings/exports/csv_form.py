"""The CSV form: a header row that names the columns, then a row for each option."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from emaild.errors import InputError
from emaild.settings.exports.rows import Row
from emaild.settings.ini import Fault, Place

DELIMITERS = ",;\t"
COLUMNS = {"section": "section", "sectionname": "section", "option": "option", "optionname": "option"}
COLUMNS |= {"key": "option", "value": "value", "optionvalue": "value", "action": "action"}
NEEDED = {"section", "option", "value"}


def looks_like_csv(text: str) -> bool:
    """Whether the first line that is not blank is a header row."""
    return _form(text) is not None


def rows_of(path: Path, text: str) -> tuple[list[Row], list[Fault]]:
    """The rows of a text that looks like CSV, and those that name no option to take.

    Raises:
        InputError: it is broken; says the line.
    """
    form = _form(text)
    assert form is not None
    delimiter, columns = form
    rows: list[Row] = []
    faults: list[Fault] = []
    for line, cells in _records(path, text, delimiter):
        found = {name: cells[index] if index < len(cells) else "" for name, index in columns.items()}
        section, option = found["section"].strip(), found["option"].strip()
        if found.get("action", "").strip().lower() in ("delete", "remove"):
            faults.append(Fault(Place(path, line), section, option, "the row takes it away; it is left out"))
        elif section:
            rows.append(Row(section, option, found["value"], line))
        else:
            faults.append(Fault(Place(path, line), "", option, "the row names no section; it is left out"))
    return rows, faults


def _form(text: str) -> tuple[str, Mapping[str, int]] | None:
    """The delimiter, and the place of each column; None where there is no header row."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    for delimiter in DELIMITERS:
        try:
            cells = next(csv.reader([first], delimiter=delimiter))
        except csv.Error:
            continue
        columns: dict[str, int] = {}
        for index, cell in enumerate(cells):
            name = COLUMNS.get(re.sub(r"[\W_]", "", cell).lower())
            if name:
                columns.setdefault(name, index)
        if columns.keys() >= NEEDED:
            return delimiter, columns
    return None


def _records(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each record below the header row that is not empty, with the line it starts on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header_seen, line = False, 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if header_seen:
                    yield line, cells
                header_seen = True
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{path}:{line}: broken CSV: {error}") from None
