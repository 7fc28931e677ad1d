"""Tables for people, one JSON object a line for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # rich would end the process with 1


def console() -> Console:
    """Standard output: as wide as the terminal, unbroken in a pipe."""
    return _Console(width=None if sys.stdout.isatty() else 240, highlight=False, soft_wrap=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print a table, or *empty* where it has no rows. What mails say is printed as it is, never as markup."""
    made = Table(box=None, pad_edge=False, header_style="bold", show_header=any(columns))
    for column in columns:
        made.add_column(column, overflow="fold")
    count = 0
    for row in rows:
        made.add_row(*(Text(_plain(cell)) for cell in row))
        count += 1
    if count:
        console().print(made)
    else:
        print(empty)


def json_line(value: object) -> None:
    """Print one object."""
    print(json.dumps(value, ensure_ascii=False, default=str))


def moment(when: datetime | None) -> str:
    """A time for people: local, to the second."""
    return when.astimezone().strftime("%Y-%m-%d %H:%M:%S") if when else ""


def _plain(cell: object) -> str:
    """Without the control characters that could play with a terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in str(cell))
