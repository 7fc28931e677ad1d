"""`emaild inbox`: the interactions, and the mails that emaild itself failed on."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable

from emaild.cli.choosing import add_span, count, one_of
from emaild.cli.held import show_held, try_again
from emaild.cli.output import json_line, moment, plain_lines, short, table, wide
from emaild.cli.registry import Add
from emaild.cli.state import opened, settings_of
from emaild.cli.watch import Row, Watched, add_watch, watch
from emaild.documents.interaction import stored_json
from emaild.errors import NotFound, UsageError
from emaild.jobs.texts import with_texts
from emaild.message import INBOUND, OUTBOUND, Interaction, InteractionState, Subtype
from emaild.settings.load import Settings
from emaild.store import Store
from emaild.store.inbox_choice import InboxChoice

MOST_SUBJECT = 60  # characters of a subject on a narrow terminal
ANY = InboxChoice()


def register(add: Add) -> None:
    """The command of this module."""
    made = add("inbox", _inbox, "the interactions, the newest first; with an id, one of them")
    made.add_argument("id", nargs="?", metavar="ID")
    _add_filters(made)
    made.add_argument("--limit", type=count, metavar="N", help="the newest N only")
    made.add_argument("--json", action="store_true", help="one object a line")
    made.add_argument("--full", action="store_true", help="with the texts")
    made.add_argument("--outbound", action="store_true", help="mails out that are interactions, in their stead")
    made.add_argument("--raw", action="store_true", help="with an id: the mail itself, byte for byte")
    made.add_argument("--held", action="store_true", help="the mails that emaild itself failed on; with an id, why")
    made.add_argument("--again", metavar="ID", help="process a held mail once more, or 'all' of them")
    add_watch(made)


def _add_filters(made: argparse.ArgumentParser) -> None:
    made.add_argument("--mailbox", default="", metavar="SECTION", help="that came from it")
    made.add_argument("--queue", default="", metavar="NAME", help="that lie in it")
    states = [state.value for state in InteractionState]
    made.add_argument("--state", **one_of(states), help=f"{', '.join(states)}; may be repeated")  # type: ignore[arg-type]
    made.add_argument("--subtype", default="", choices=["", *Subtype], metavar="SUBTYPE", help="as InboundNDR")
    made.add_argument("--from", dest="sender", default="", metavar="ADDRESS", help="an address, or @domain")
    made.add_argument("--to", dest="recipient", default="", metavar="ADDRESS", help="in To or Cc; or @domain")
    made.add_argument("--subject", default="", metavar="WORDS", help="that the subject holds")
    add_span(made, "that came")


def _choice(arguments: argparse.Namespace) -> InboxChoice:
    return InboxChoice(
        mailbox=arguments.mailbox,
        queue=arguments.queue,
        states=tuple(dict.fromkeys(map(InteractionState, arguments.state))),
        subtype=arguments.subtype,
        sender=arguments.sender,
        recipient=arguments.recipient,
        subject=arguments.subject,
        since=arguments.since,
        until=arguments.until,
    )


def _inbox(arguments: argparse.Namespace) -> int:
    choice = _choice(arguments)
    _check(arguments, choice)
    settings = settings_of(arguments.conf)
    with opened(settings, must_exist=True) as store:
        if arguments.again:
            return try_again(store, settings, arguments.again)
        if arguments.raw:
            _write(_raw(store, arguments))
        elif arguments.held:
            show_held(store, arguments)
        elif arguments.id:
            _one(store, settings, arguments)
        elif arguments.watch:
            return watch(_watched(store, choice, arguments), arguments.watch, arguments.limit, json=arguments.json)
        else:
            _list(store, settings, choice, arguments)
    return os.EX_OK


def _check(arguments: argparse.Namespace, choice: InboxChoice) -> None:
    if arguments.raw and not arguments.id:
        raise UsageError("--raw prints one mail: it needs an id")
    if arguments.again and (arguments.id or arguments.held):
        raise UsageError("--again has its own id; leave the others out")
    if (arguments.id or arguments.held or arguments.again) and (choice != ANY or arguments.watch):
        raise UsageError("filters and --watch are for lists of interactions; leave them out")


def _raw(store: Store, arguments: argparse.Namespace) -> bytes:
    if arguments.held:
        return store.held.raw(store.held.get(arguments.id))
    return store.interactions.raw(store.interactions.get(arguments.id))


def _write(raw: bytes) -> None:
    with os.fdopen(os.dup(1), "wb") as out:
        out.write(raw)


def _type(arguments: argparse.Namespace) -> str:
    return OUTBOUND if arguments.outbound else INBOUND


def _one(store: Store, settings: Settings, arguments: argparse.Namespace) -> None:
    entry = store.interactions.get(arguments.id)
    if arguments.json:
        _json_lines(store, settings, [entry], full=arguments.full)
    else:
        _print_interaction(with_texts(store, settings, entry))


def _list(store: Store, settings: Settings, choice: InboxChoice, arguments: argparse.Namespace) -> None:
    found = store.interactions.all(arguments.limit, _type(arguments), choice)
    if arguments.json:
        _json_lines(store, settings, found, full=arguments.full)
    else:
        table(_columns(), map(_cells, found), "no interactions yet" if choice == ANY else "no interaction fits")


def _json_lines(store: Store, settings: Settings, found: Iterable[Interaction], *, full: bool) -> None:
    for entry in found:
        json_line(stored_json(with_texts(store, settings, entry) if full else entry, full=full))


def _watched(store: Store, choice: InboxChoice, arguments: argparse.Namespace) -> Watched:
    def row(entry: Interaction) -> Row:
        return Row(entry.id, entry, stored_json(entry, full=False), _cells(entry))

    def now(name: str) -> Row | None:
        try:
            return row(store.interactions.get(name))
        except NotFound:
            return None

    return Watched(
        _columns(), lambda most: [row(one) for one in store.interactions.all(most, _type(arguments), choice)], now
    )


def _columns() -> tuple[str, ...]:
    where = ("MAILBOX", "SUBTYPE", "QUEUE") if wide() else ("QUEUE",)
    return ("ID", "RECEIVED", *where, "STATE", "FROM", "SUBJECT")


def _cells(entry: Interaction) -> tuple[object, ...]:
    roomy = wide()
    where = (entry.mailbox, entry.subtype, entry.queue) if roomy else (entry.queue,)
    subject = entry.facts.subject if roomy else short(entry.facts.subject, MOST_SUBJECT)
    return (entry.id, moment(entry.received), *where, entry.state, entry.facts.sender, subject)


def _print_interaction(entry: Interaction) -> None:
    shown = stored_json(entry, full=False) | {"report": entry.facts.report and entry.facts.report.kind.value}
    shown["received"], shown["date"] = moment(entry.received), moment(entry.facts.date)
    shown["attachments"] = ", ".join(f"{part.name} ({part.size} bytes)" for part in entry.facts.attachments)
    for name in ("reply_to", "to", "cc", "references"):
        shown[name] = ", ".join(getattr(entry.facts, name))
    data = shown.pop("user_data")
    table(("", ""), [(name, value) for name, value in shown.items() if value], "")
    if isinstance(data, dict):
        print()
        table(("ATTACHED DATA", ""), list(data.items()), "")
    print()
    print(plain_lines(entry.facts.text or entry.facts.html))
