"""Tables for people, one JSON object a line for programs. What mails and servers say never plays with a terminal."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Console
from rich.text import Text

from emaild.cli.layout import hanging, in_columns

WIDE = 120  # columns; a table for people leaves out what it can below that
NOT_IN_JSON = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""What json.dumps leaves as it is, and a terminal or a reader of lines does not."""


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # rich would end the process with 1


def console() -> Console:
    """Standard output, with bold and colours where it is a terminal."""
    return _Console(highlight=False)


def room() -> int | None:
    """How many columns there are; None: standard output is no terminal, and a line has no end."""
    return console().width if sys.stdout.isatty() else None


def wide() -> bool:
    """Whether there is room for everything."""
    return (room() or WIDE) >= WIDE


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print a table, or *empty* where it has no rows; without headings two columns of names and values.

    What mails say is printed as it is, never as markup.
    """
    if not any(columns):
        facts((str(name), str(value)) for name, value in rows)
    elif lines := as_lines(columns, rows, room()):
        console().print(Text(lines[0], style="bold"), soft_wrap=True)
        for line in lines[1:]:
            print(line)
    else:
        print(empty)


def as_lines(columns: Sequence[str], rows: Iterable[Sequence[object]], most: int | None) -> list[str]:
    """The lines of a table, its heading first; none where it has no rows."""
    shown = [["" if cell is None else plain(cell) for cell in row] for row in rows]
    return in_columns(columns, shown, most) if shown else []


def facts(pairs: Iterable[tuple[str, str]]) -> None:
    """Print names, and beside them values, each in as many lines as it takes."""
    shown = [(plain(name), value) for name, value in pairs]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        beside(f"{name:<{width}}  ", value)


def paragraph(text: str, indent: int = 0) -> None:
    """Print a text in lines as long as the terminal has room, each of them indented."""
    beside(" " * indent, text)


def beside(head: str, text: str) -> None:
    """Print a text to the right of *head*."""
    for line in hanging(head, plain(text), room()):
        print(line)


def json_line(value: object) -> None:
    """Print one object."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    print(NOT_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def moment(when: datetime | None) -> str:
    """A time for people: local, to the second."""
    return when.astimezone().strftime("%Y-%m-%d %H:%M:%S") if when else ""


def brief(when: datetime | None, now: datetime) -> str:
    """The same for a narrow terminal: of this day (that of *now*) the time alone."""
    if when is None:
        return ""
    there, here = when.astimezone(), now.astimezone()
    if there.date() == here.date():
        return there.strftime("%H:%M:%S")
    return there.strftime("%m-%d %H:%M" if there.year == here.year else "%Y-%m-%d")


def duration(seconds: float) -> str:
    """Milliseconds below ten seconds."""
    return f"{seconds * 1000:.0f} ms" if seconds < 10 else f"{seconds:.0f} s"


def plain(cell: object) -> str:
    """In one line, without the control characters that could play with a terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in str(cell))


def plain_lines(text: str) -> str:
    """The same of a text of several lines; tabs stay."""
    return "\n".join("\t".join(plain(part) for part in line.split("\t")) for line in re.split("\r?\n", text))


def short(text: str, most: int) -> str:
    """At most that many characters of a text."""
    return text if len(text) <= most else text[: most - 1] + "…"
