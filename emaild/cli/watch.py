"""`--watch`: a list that is drawn anew on a terminal; in a pipe what changed, a line each."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from emaild.cli.output import as_table, console, json_line, moment, plain

SECONDS = 2.0
MOST = 1000  # rows that a pipe is told changes of
HEAD = 4  # lines of a screen that hold no row


@dataclass(frozen=True)
class Row:
    """One row: *document* for programs, and to see whether it changed; *cells* for people."""

    name: str
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
            room = max(1, screen.size.height - HEAD)
            live.update(_picture(watched, min(room, limit or room)), refresh=True)
            time.sleep(every)


def _picture(watched: Watched, most: int) -> RenderableType:
    rows = watched.find(most + 1)
    more = ", and more" if len(rows) > most else ""
    now = moment(datetime.now().astimezone())
    head = Text(f"{now}: {min(len(rows), most)}{more}; Ctrl-C ends this\n", style="dim")
    return Group(head, as_table(watched.columns, [row.cells for row in rows[:most]]))


def _tell(watched: Watched, every: float, most: int, *, json: bool) -> None:
    told: dict[str, dict[str, object]] = {}
    while True:
        found = {row.name: row for row in watched.find(most)}
        gone = [watched.now(name) for name in told if name not in found] if len(found) < most else []
        for row in [*gone, *reversed(found.values())]:
            if row is not None and told.get(row.name) != row.document:
                json_line(row.document) if json else _line(row.cells)
        sys.stdout.flush()
        told = {name: row.document for name, row in found.items()}
        time.sleep(every)


def _line(cells: Sequence[object]) -> None:
    print("  ".join(plain(cell) for cell in cells if cell not in ("", None)))
