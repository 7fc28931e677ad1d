"""`emaild outbox` and `history`: the mails out, one with its log, and what a person wants of them."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from functools import partial

from emaild.cli.choosing import DONE_STATES, add_choice, choice_of, count
from emaild.cli.in_the_way import in_the_way, ways_of
from emaild.cli.outbox_changes import change
from emaild.cli.outbox_list import OutboxList
from emaild.cli.outbox_story import Told, tell
from emaild.cli.output import json_line
from emaild.cli.registry import Add
from emaild.cli.state import no_daemon, opened, settings_of, warn_of_no_daemon, words_only
from emaild.cli.watch import add_watch, watch
from emaild.documents.outbox import logged_json
from emaild.errors import UsageError
from emaild.jobs.outbox_changes import ACTIONS, filters_of
from emaild.message import OutboundState
from emaild.settings.load import Settings
from emaild.store import Store
from emaild.store.outbox_entries import Choice

EMPTY = {
    True: "nothing was sent yet",
    False: "the outbox is empty",
    None: "the outbox is empty, and nothing was sent yet",
}


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
    settings = settings_of(arguments.conf)
    words_only(settings)
    choice = replace(choice, way_out=_spelled(choice.way_out, settings))
    with opened(settings, must_exist=True) as store:
        _check_way(store, choice.way_out, settings)
        if arguments.action:
            hindrance = partial(in_the_way, store=store, settings=settings)
            code = change(store, arguments.action, choice, arguments.id, hindrance, json=arguments.json)
            warn_of_no_daemon(settings)
            return code
        if arguments.id:
            _one(store, arguments, settings)
        elif arguments.watch:
            return watch(
                OutboxList(store, choice, settings).watched(), arguments.watch, arguments.limit, json=arguments.json
            )
        else:
            OutboxList(store, choice, settings).show(
                arguments.limit, "no mail fits" if filters_of(choice) else EMPTY[done], json=arguments.json
            )
            if not history:
                warn_of_no_daemon(settings)
    return os.EX_OK


def _spelled(way: str, settings: Settings) -> str:
    """As the conf files do; names match without regard to case. A way that is no more there is as it was given."""
    return next((name for name in settings.ways_out if name.lower() == way.lower()), way)


def _check_way(store: Store, way: str, settings: Settings) -> None:
    """A name that neither the conf files know nor any mail is a typing error."""
    if way and way not in settings.ways_out and not any(store.outbox.newest(Choice(way_out=way), 1)):
        raise UsageError(f"there is no way out {way}; there are: {', '.join(settings.ways_out) or 'none'}")


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


def _one(store: Store, arguments: argparse.Namespace, settings: Settings) -> None:
    entry, attempts = store.outbox.get(arguments.id)
    raw, ways = store.outbox.raw(entry), ways_of(store, settings)
    if arguments.json:
        json_line(logged_json(entry, attempts, raw, ways))
    else:
        way, stopped = ways.get(entry.way_out), no_daemon(settings)
        tell(Told(entry=entry, attempts=attempts, raw=raw, way=way, no_daemon=stopped))
