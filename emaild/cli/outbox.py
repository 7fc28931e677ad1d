"""`emaild outbox` and `history`: the mails out, one with its log, and what a person wants of them."""

from __future__ import annotations

import argparse
import os
from functools import partial

from emaild.cli.choosing import DONE_STATES, add_choice, choice_of, count
from emaild.cli.outbox_changes import change
from emaild.cli.outbox_story import tell
from emaild.cli.output import json_line, moment, short, table, wide
from emaild.cli.registry import Add
from emaild.cli.state import opened, settings_of
from emaild.cli.watch import Row, Watched, add_watch, watch
from emaild.documents.outbox import logged_json, outbound_json
from emaild.errors import NotFound, UsageError
from emaild.jobs.outbox_changes import ACTIONS, filters_of
from emaild.message import OutboundState
from emaild.store import Store
from emaild.store.outbox_entries import Choice, OutboxEntry

MOST_WHY = 60  # characters of a diagnosis on a narrow terminal


def register(add: Add) -> None:
    """The commands of this module."""
    outbox = add(
        "outbox",
        partial(_outbound, history=False),
        "the mails that wait to be sent; with an id, one and its log; send again, hold, cancel",
    )
    _add_arguments(outbox, tuple(OutboundState))
    outbox.add_argument("--history", action="store_true", help="those that are done with, too")
    _add_action(outbox, *ACTIONS)
    history = add(
        "history",
        partial(_outbound, history=True),
        "the mails that are done with; with an id, one and its log; send again",
    )
    _add_arguments(history, DONE_STATES)
    _add_action(history, "retry")


def _add_arguments(made: argparse.ArgumentParser, states: tuple[OutboundState, ...]) -> None:
    made.add_argument("id", nargs="?", metavar="ID")
    add_choice(made, states)
    made.add_argument("--limit", type=count, metavar="N", help="the newest N only")
    made.add_argument("--json", action="store_true", help="one object a line")
    add_watch(made)


def _add_action(made: argparse.ArgumentParser, *names: str) -> None:
    group = made.add_mutually_exclusive_group()
    for name in names:
        does = f"{ACTIONS[name].help} (with an id or filters)"
        group.add_argument(f"--{name}", dest="action", action="store_const", const=name, help=does)
    made.add_argument("--all", action="store_true", help="with one of these, and no filter: all there are")


def _outbound(arguments: argparse.Namespace, *, history: bool) -> int:
    done = None if getattr(arguments, "history", False) else history
    choice = choice_of(arguments, done=done)
    _check(arguments, choice)
    with opened(settings_of(arguments.conf), must_exist=True) as store:
        if arguments.action:
            return change(store, arguments.action, choice, arguments.id, json=arguments.json)
        if arguments.id:
            _one(store, arguments)
        elif arguments.watch:
            return watch(_watched(store, choice, history), arguments.watch, arguments.limit, json=arguments.json)
        else:
            _list(store, choice, arguments, history=history)
    return os.EX_OK


def _check(arguments: argparse.Namespace, choice: Choice) -> None:
    filters = filters_of(choice)
    if arguments.id and (filters or arguments.all or arguments.limit or arguments.watch):
        raise UsageError("an id names one mail: leave filters, --all, --limit and --watch out")
    if arguments.all and (filters or not arguments.action):
        raise UsageError("--all is for --retry, --hold or --cancel without filters")
    if arguments.action and (arguments.limit or arguments.watch):
        raise UsageError(f"--{arguments.action} is done once, to all that fit: leave --limit and --watch out")
    if arguments.action and not (arguments.id or filters or arguments.all):
        raise UsageError(f"--{arguments.action} needs an id, a filter, or --all")


def _list(store: Store, choice: Choice, arguments: argparse.Namespace, *, history: bool) -> None:
    found = store.outbox.newest(choice, arguments.limit)
    if arguments.json:
        for entry in found:
            json_line(outbound_json(entry))
        return
    empty = "no mail fits" if filters_of(choice) else "nothing was sent yet" if history else "the outbox is empty"
    table(_columns(history), (_cells(entry) for entry in found), empty)


def _watched(store: Store, choice: Choice, history: bool) -> Watched:
    def row(entry: OutboxEntry) -> Row:
        return Row(entry.id, outbound_json(entry), _cells(entry))

    def now(name: str) -> Row | None:
        try:
            return row(store.outbox.get(name)[0])
        except NotFound:
            return None

    return Watched(_columns(history), lambda most: [row(one) for one in store.outbox.newest(choice, most)], now)


def _columns(history: bool) -> tuple[str, ...]:
    when = "FINISHED" if history else "NEXT TRY"
    way = ("WAY OUT",) if wide() else ()
    return ("ID", "STATE", *way, "RECIPIENTS", "TRIES", when, "DIAGNOSIS")


def _cells(entry: OutboxEntry) -> tuple[object, ...]:
    roomy = wide()
    way = (entry.way_out,) if roomy else ()
    why = entry.diagnosis if roomy else short(entry.diagnosis, MOST_WHY)
    when = moment(entry.next_attempt or entry.finished)
    return (entry.id, entry.state, *way, _recipients(entry), entry.attempts, when, why)


def _recipients(entry: OutboxEntry) -> str:
    first, *others = [one.address for one in entry.recipients]
    return f"{first} and {len(others)} more" if others else first


def _one(store: Store, arguments: argparse.Namespace) -> None:
    entry, attempts = store.outbox.get(arguments.id)
    raw = store.outbox.raw(entry)
    if arguments.json:
        json_line(logged_json(entry, attempts, raw))
    else:
        tell(store, entry, attempts, raw)
