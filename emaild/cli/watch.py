"""`--watch`: a list that is drawn anew on a terminal; in a pipe what changed, a line each."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import ConsoleDimensions, Group, RenderableType
from rich.live import Live
from rich.text import Text

from emaild.cli.output import as_lines, console, json_line, moment, plain

SECONDS = 2.0
MOST = 1000  # rows that a pipe is told changes of
HEAD = 2  # lines of a screen above the table


@dataclass(frozen=True)
class Row:
    """One row: *entry* shows whether it changed; *document* is for programs, *cells* are for people."""

    name: str
    entry: object
    document: dict[str, object]
    cells: tuple[object, ...]


@dataclass(frozen=True)
class Watched:
    """What is looked at: `find` gives the newest rows, at most that many; `now` what became of one that is not found
    any more, None where it is gone."""

    columns: tuple[str, ...]
    find: Callable[[int], list[Row]]
    now: Callable[[str], Row | None]


def seconds(text: str) -> float:
    """For argparse: how long to wait between two looks."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0.1 <= found <= 3600:
        raise argparse.ArgumentTypeError(f"expected seconds from 0.1 to 3600, found {text!r}")
    return found


def add_watch(parser: argparse.ArgumentParser) -> None:
    """The option, for a command."""
    parser.add_argument(
        "--watch",
        nargs="?",
        type=seconds,
        const=SECONDS,
        metavar="SECONDS",
        help="look again and again, until Ctrl-C; in a pipe, tell what changed",
    )


def watch(watched: Watched, every: float, limit: int | None, *, json: bool) -> int:
    """Go on until Ctrl-C. Returns the exit code."""
    try:
        if sys.stdout.isatty() and not json:
            _draw(watched, every, limit)
        else:
            _tell(watched, every, limit or MOST, json=json)
    except KeyboardInterrupt:
        return os.EX_OK
    return os.EX_OK


def _draw(watched: Watched, every: float, limit: int | None) -> None:
    screen = console()
    with Live(console=screen, screen=True, auto_refresh=False) as live:
        while True:
            live.update(_picture(watched, screen.size, limit), refresh=True)
            time.sleep(every)


def _picture(watched: Watched, size: ConsoleDimensions, limit: int | None) -> RenderableType:
    """As many lines as the screen has, of which a row may take several."""
    room = max(2, size.height - HEAD - 1)
    most = min(room, limit or room)
    rows = watched.find(most + 1)
    lines = as_lines(watched.columns, [row.cells for row in rows[:most]], size.width)
    more = ", and more" if len(rows) > most or len(lines) > room else ""
    now = moment(datetime.now().astimezone())
    ends = "Ctrl-C ends this"
    head = Text(f"{now}: {min(len(rows), most)}{more}; {ends}\n", style="dim")
    return Group(head, *(Text(line, style="" if number else "bold") for number, line in enumerate(lines[:room])))


def _tell(watched: Watched, every: float, most: int, *, json: bool) -> None:
    told: dict[str, object] = {}
    while True:
        found = {row.name: row for row in watched.find(most)}
        gone = [watched.now(name) for name in told if name not in found] if len(found) < most else []
        for row in [*gone, *reversed(found.values())]:
            if row is not None and told.get(row.name) != row.entry:
                json_line(row.document) if json else _line(row.cells)
        sys.stdout.flush()
        told = {name: row.entry for name, row in found.items()}
        time.sleep(every)


def _line(cells: Sequence[object]) -> None:
    print("  ".join(plain(cell) for cell in cells if cell not in ("", None)))
