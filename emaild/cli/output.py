"""Tables for people, one JSON object a line for programs. What mails and servers say never plays with a terminal."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

WIDE = 120  # columns; a table for people leaves out what it can below that
IN_A_PIPE = 240
UNBROKEN = ("ID", "STATE", "NAME", "RECEIVED", "HELD", "NEXT TRY", "FINISHED", "LAST POLL", "LAST MAIL", "LAST SENT")
NOT_IN_JSON = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""What json.dumps leaves as it is, and a terminal or a reader of lines does not."""


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # rich would end the process with 1


def console() -> Console:
    """Standard output: as wide as the terminal, unbroken in a pipe."""
    return _Console(width=None if sys.stdout.isatty() else IN_A_PIPE, highlight=False, soft_wrap=False)


def wide() -> bool:
    """Whether there is room for everything."""
    return console().width >= WIDE


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print a table, or *empty* where it has no rows. What mails say is printed as it is, never as markup."""
    made = as_table(columns, rows)
    if made.row_count:
        console().print(made)
    else:
        print(empty)


def as_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table; ids, states and times stay in one line each."""
    made = Table(box=None, pad_edge=False, header_style="bold", show_header=any(columns))
    for column in columns:
        made.add_column(column, overflow="fold", no_wrap=column in UNBROKEN)
    for row in rows:
        made.add_row(*(Text(plain(cell)) for cell in row))
    return made


def paragraph(text: str, indent: int = 0) -> None:
    """Print a text in lines as long as the terminal has room, each of them indented; empty, an empty line."""
    console().print(Padding(Text(plain(text), overflow="fold"), (0, 0, 0, indent), expand=False))


def json_line(value: object) -> None:
    """Print one object."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    print(NOT_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def moment(when: datetime | None) -> str:
    """A time for people: local, to the second."""
    return when.astimezone().strftime("%Y-%m-%d %H:%M:%S") if when else ""


def plain(cell: object) -> str:
    """In one line, without the control characters that could play with a terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in str(cell))


def plain_lines(text: str) -> str:
    """The same of a text of several lines; tabs stay."""
    return "\n".join("\t".join(plain(part) for part in line.split("\t")) for line in re.split("\r?\n", text))


def short(text: str, most: int) -> str:
    """At most that many characters of a text."""
    return text if len(text) <= most else text[: most - 1] + "…"
