"""`emaild ways` and `mailboxes`: how each section fares, as the running daemon wrote it down a second ago."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from emaild.cli.output import brief, json_line, moment, room, table, wide
from emaild.cli.registry import Add
from emaild.cli.state import no_daemon, opened, settings_of, warn_of_no_daemon
from emaild.documents.mailbox import mailbox_json
from emaild.documents.times import iso
from emaild.documents.way_out import STOPPED, ways_json
from emaild.settings.load import Settings
from emaild.store.ways_out import WayOutStatus

WAYS = {
    "name": "NAME", "state": "STATE", "queued": "QUEUED", "deferred": "DEFERRED", "held": "HELD", "sending": "SENDING",
    "oldest": "OLDEST", "last_sent": "LAST SENT", "next_try": "NEXT TRY", "last_error": "LAST ERROR",
}  # fmt: skip
MAILBOXES = {
    "name": "NAME", "state": "STATE", "last_poll": "LAST POLL", "last_mail": "LAST MAIL", "next_due": "NEXT DUE",
    "last_error": "LAST ERROR",
}  # fmt: skip
ONLY_WIDE = ("sending", "oldest")
QUIET = ("ok", "limited", "waiting", STOPPED)  # states in which an error is one of the past


def register(add: Add) -> None:
    """The commands of this module."""
    for name, does, help_text in (
        ("ways", _ways, "the state of each way out: what waits for it, last mail, next try, last error"),
        ("mailboxes", _mailboxes, "the state of each mailbox: last poll, last mail, next due, last error"),
    ):
        add(name, does, help_text).add_argument("--json", action="store_true", help="one object a line")


def _ways(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments.conf)
    states = {name: WayOutStatus(name=name, state="waiting") for name in settings.ways_out}  # set up a moment ago
    with opened(settings, must_exist=True) as store:
        runs = not no_daemon(settings)
        states, waiting = {**states, **store.ways_out.all()}, store.figures.outbox()
        rows = ways_json(states, waiting, iso if arguments.json else _moment, running=runs)
    return _print(arguments, settings, WAYS, rows, "no ways out yet")


def _mailboxes(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments.conf)
    with opened(settings, must_exist=True) as store:
        states = list(store.mailboxes.all().values())
        if no_daemon(settings):
            states = [replace(one, state=STOPPED, next_due=None) for one in states]
    rows: list[dict[str, object]] = [{**mailbox_json(one, iso if arguments.json else _moment)} for one in states]
    for row in rows:
        box = settings.mailboxes.get(str(row["name"]))
        if not arguments.json and box is not None and box.by_hand and row["state"] not in (STOPPED, "resting"):
            row["next_due"] = "by hand"
    return _print(arguments, settings, MAILBOXES, rows, "no mailboxes yet")


def _moment(when: datetime | None) -> str:
    return brief(when, datetime.now(UTC)) if room() else moment(when)


def _print(
    arguments: argparse.Namespace,
    settings: Settings,
    columns: dict[str, str],
    rows: Sequence[dict[str, object]],
    empty: str,
) -> int:
    if arguments.json:
        for row in rows:
            json_line(row)
    else:
        shown = [name for name in columns if wide() or name not in ONLY_WIDE]
        told = [row | {"last_error": None} if row["state"] in QUIET else row for row in rows]
        table([columns[name] for name in shown], [[row[name] for name in shown] for row in told], empty)
    warn_of_no_daemon(settings)
    return os.EX_OK
