"""`emaild ways` and `mailboxes`: how each section fares, as the running daemon wrote it down a second ago."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from emaild.cli.output import json_line, moment, table, wide
from emaild.cli.registry import Add
from emaild.cli.state import opened, settings_of
from emaild.documents.mailbox import mailbox_json
from emaild.documents.times import iso
from emaild.documents.way_out import ways_json
from emaild.store.ways_out import WayOutStatus

COLUMNS = {
    "name": "NAME", "state": "STATE", "queued": "QUEUED", "deferred": "DEFERRED", "held": "HOLD", "sending": "SENDING",
    "oldest": "OLDEST", "last_sent": "LAST SENT", "last_error": "LAST ERROR", "next_try": "NEXT TRY",
}  # fmt: skip
NARROW = ("name", "state", "queued", "deferred", "last_error", "next_try")


def register(add: Add) -> None:
    """The commands of this module."""
    for name, does, help_text in (
        ("ways", _ways, "the state of each way out: what waits for it, last mail, last error, next try"),
        ("mailboxes", _mailboxes, "the state of each mailbox: last poll, last mail, last error, next due"),
    ):
        add(name, does, help_text).add_argument("--json", action="store_true", help="one object a line")


def _ways(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments.conf)
    states = {name: WayOutStatus(name=name, state="waiting") for name in settings.ways_out}  # set up a moment ago
    with opened(settings, must_exist=True) as store:
        rows = ways_json({**states, **store.ways_out.all()}, store.figures.outbox(), iso if arguments.json else moment)
    shown = tuple(COLUMNS) if wide() else NARROW
    columns = [COLUMNS[name] for name in shown]
    return _print(arguments, columns, rows, [[row[name] for name in shown] for row in rows], "no ways out yet")


def _mailboxes(arguments: argparse.Namespace) -> int:
    with opened(settings_of(arguments.conf), must_exist=True) as store:
        states = store.mailboxes.all().values()
    show = iso if arguments.json else moment
    rows: list[dict[str, object]] = [{**mailbox_json(one, show)} for one in states]
    columns = ("NAME", "STATE", "LAST POLL", "LAST MAIL", "LAST ERROR", "NEXT DUE")
    return _print(arguments, columns, rows, [list(row.values()) for row in rows], "no mailboxes yet")


def _print(
    arguments: argparse.Namespace,
    columns: Sequence[str],
    rows: Sequence[dict[str, object]],
    cells: Sequence[Sequence[object]],
    empty: str,
) -> int:
    if arguments.json:
        for row in rows:
            json_line(row)
    else:
        table(columns, [["" if cell is None else cell for cell in row] for row in cells], empty)
    return os.EX_OK
