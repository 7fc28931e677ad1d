"""Rows and texts in lines, for a terminal of some columns or for a pipe, which has no end to its right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

GAP = 2
BELOW = 4  # columns by which a last cell is indented that stands below its row
LEAST = 12  # columns of a cell that is cut, and of a text that is wrapped
UNBROKEN = ("ID", "STATE", "NAME", "RECEIVED", "HELD", "NEXT TRY", "FINISHED", "LAST POLL", "LAST MAIL", "LAST SENT")
MEASURE = Console(width=80)  # rich wants one to wrap by, and looks at the width it is given


def in_columns(columns: Sequence[str], rows: Sequence[Sequence[str]], room: int | None) -> list[str]:
    """A heading, and a line for each row. *room* is how many columns the terminal has, None in a pipe.

    Where they do not fit the last cell stands below its row, whole, and of the others the widest are cut.
    """
    widths = [max(map(cell_len, cells)) for cells in zip(columns, *rows, strict=True)]
    if room is None or sum(widths) + GAP * (len(widths) - 1) <= room:
        return [_line(row, widths) for row in (columns, *rows)]
    widths = _narrowed(columns[:-1], widths[:-1], room)
    lines = [_line(columns[:-1], widths)]
    for row in rows:
        lines.append(_line(row[:-1], widths))
        lines += hanging(" " * BELOW, row[-1], room) if row[-1] else ()
    return lines


def _narrowed(columns: Sequence[str], widths: Sequence[int], room: int) -> list[int]:
    narrow = list(widths)
    free = [place for place, name in enumerate(columns) if name not in UNBROKEN]
    while sum(narrow) + GAP * (len(narrow) - 1) > room:
        widest = max(free, key=lambda place: narrow[place], default=None)
        if widest is None or narrow[widest] <= LEAST:
            break
        following = max((narrow[place] for place in free if narrow[place] < narrow[widest]), default=LEAST)
        excess = sum(narrow) + GAP * (len(narrow) - 1) - room
        narrow[widest] = max(narrow[widest] - excess, min(following, narrow[widest] - 1), LEAST)
    return narrow


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    fitted = [
        set_cell_size(cell if cell_len(cell) <= width else set_cell_size(cell, width - 1) + "…", width)
        for cell, width in zip(cells, widths, strict=True)
    ]
    return (" " * GAP).join(fitted).rstrip()


def hanging(head: str, text: str, room: int | None) -> Iterator[str]:
    """The lines of a text, of which the first begins with *head*, the others with as many blanks."""
    if room is None or cell_len(head) + cell_len(text) <= room:
        yield (head + text).rstrip()
        return
    indent = cell_len(head)
    wrapped = Text(text).wrap(MEASURE, max(LEAST, room - indent), overflow="fold")
    for number, line in enumerate(wrapped):
        yield ((" " * indent if number else head) + line.plain).rstrip()
