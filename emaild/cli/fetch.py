"""`emaild fetch`: the running daemon looks into mailboxes at once."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from emaild.cli.output import json_line, table
from emaild.cli.registry import Add
from emaild.cli.state import become_owner, no_daemon, settings_of
from emaild.cli.times import patience
from emaild.errors import StateUnusable, UsageError
from emaild.jobs.asked import Fetched
from emaild.jobs.fetches import Asking
from emaild.settings.load import Settings

PAUSE = 0.1  # seconds between two looks at what the daemon says
NO_MORE = Fetched(error="the daemon ended before it was told", temporary=True)
TOO_LONG = Fetched(error="it is not at its end yet; 'emaild mailboxes' shows how it goes on", temporary=True)


def register(add: Add) -> None:
    """The command of this module."""
    made = add("fetch", _fetch, "have the running daemon look into mailboxes at once, and say what came")
    made.add_argument("sections", nargs="*", metavar="SECTION", help="[pop-client...] sections; none: all")
    made.add_argument("--no-wait", action="store_true", help="ask for it, and do not wait for the end")
    made.add_argument(
        "--within",
        type=patience("1s", "1d"),
        default="10m",
        metavar="TIME",
        help="how long to wait for the end (default: 10m)",
    )
    made.add_argument("--json", action="store_true", help="one object a line, each when that mailbox was looked into")


def _fetch(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments.conf)
    names = _wanted(settings, arguments.sections)
    directory = settings.emaild.state_directory
    become_owner(directory)
    if no_daemon(settings):
        raise StateUnusable(f"no daemon runs on {directory}, and only a daemon takes mail; 'emaild run' starts one")
    try:
        asking = Asking(directory, names, wait=not arguments.no_wait)
    except OSError as error:
        raise StateUnusable(f"{directory}: {error.strerror}; run this as the user that emaild runs as") from error
    if arguments.no_wait:
        return os.EX_OK
    found: dict[str, Fetched] = {}
    with asking:
        for name, one in _told(asking, settings, names, arguments.within):
            found[name] = one
            if arguments.json:
                json_line({"section": name, **asdict(one)})
    if not arguments.json:
        rows = [(name, found[name].taken, found[name].left, found[name].error) for name in names]
        table(("MAILBOX", "TAKEN", "LEFT", "ERROR"), rows, "no mailbox is read")
    return _exit_code(list(found.values()))


def _wanted(settings: Settings, given: Sequence[str]) -> list[str]:
    """The sections meant, by their own names.

    Raises:
        UsageError: one is not there, or not read.
    """
    read = settings.read_mailboxes()
    if not given:
        return list(read)
    known = {name.lower(): name for name in settings.mailboxes}
    wanted: dict[str, None] = {}
    for text in given:
        name = known.get(text.lower())
        if name is None:
            there = ", ".join(known.values()) or "none"
            raise UsageError(f"there is no [pop-client...] section {text}; those that are there: {there}")
        if name not in read:
            raise UsageError(f"[{name}] is not read: its enable-client is false")
        wanted[name] = None
    return list(wanted)


def _told(asking: Asking, settings: Settings, names: Sequence[str], within: float) -> Iterator[tuple[str, Fetched]]:
    """What came of each, in the order in which they ended."""
    missing = dict.fromkeys(names)
    end = time.monotonic() + within
    while missing:
        ended = bool(no_daemon(settings))  # before what it wrote last is read
        for name, found in asking.told():
            if name in missing:
                del missing[name]
                yield name, found
        if not missing:
            return
        if ended or time.monotonic() > end:
            yield from ((name, NO_MORE if ended else TOO_LONG) for name in missing)
            return
        time.sleep(PAUSE)


def _exit_code(found: Sequence[Fetched]) -> int:
    """As of the other commands: 75 where it may pass by itself, 69 where a person must act."""
    if any(one.error and not one.temporary for one in found):
        return os.EX_UNAVAILABLE
    return os.EX_TEMPFAIL if any(one.error for one in found) else os.EX_OK
