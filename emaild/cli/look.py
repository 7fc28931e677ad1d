"""`emaild inbox`, `outbox`, `history`, `mailboxes`: what is in the store."""

from __future__ import annotations

import argparse
import os
from functools import partial

from emaild.cli.held import show_held, try_again
from emaild.cli.output import json_line, moment, table
from emaild.cli.registry import Add
from emaild.cli.state import opened, settings_of
from emaild.documents.interaction import stored_json
from emaild.documents.mailbox import mailbox_json
from emaild.documents.outbox import log_json, outbound_json
from emaild.documents.times import iso
from emaild.errors import UsageError
from emaild.jobs.texts import with_texts
from emaild.message import INBOUND, OUTBOUND, Interaction
from emaild.settings.load import Settings
from emaild.store import Store
from emaild.store.outbox_entries import Choice, OutboxEntry


def register(add: Add) -> None:
    """The commands of this module."""
    for name, does, help_text in (
        ("inbox", _inbox, "the interactions, the newest first; with an id, one of them"),
        ("outbox", partial(_outbound, history=False), "the mails that wait to be sent; with an id, one and its log"),
        ("history", partial(_outbound, history=True), "the mails that are done with; with an id, one and its log"),
    ):
        made = add(name, does, help_text)
        made.add_argument("id", nargs="?", metavar="ID")
        made.add_argument("--json", action="store_true", help="one object a line")
        made.add_argument("--limit", type=_count, metavar="N", help="the newest N only")
        if name == "inbox":
            made.add_argument("--full", action="store_true", help="with the texts")
            made.add_argument("--outbound", action="store_true", help="mails out that are interactions, in their stead")
            made.add_argument("--raw", action="store_true", help="with an id: the mail itself, byte for byte")
            made.add_argument(
                "--held", action="store_true", help="the mails that emaild itself failed on; with an id, why"
            )
            made.add_argument("--again", metavar="ID", help="process a held mail once more, or 'all' of them")
    made = add("mailboxes", _mailboxes, "the state of each mailbox: last poll, last mail, last error, next due")
    made.add_argument("--json", action="store_true", help="one object a line")


def _count(text: str) -> int:
    if not text.isdigit() or text == "0":
        raise argparse.ArgumentTypeError(f"expected a number from 1, found {text!r}")
    return int(text)


def _inbox(arguments: argparse.Namespace) -> int:
    if arguments.raw and not arguments.id:
        raise UsageError("--raw prints one mail: it needs an id")
    if arguments.again and (arguments.id or arguments.held):
        raise UsageError("--again has its own id; leave the others out")
    settings = settings_of(arguments.conf)
    with opened(settings, must_exist=True) as store:
        if arguments.again:
            return try_again(store, settings, arguments.again)
        if arguments.raw:
            _write(_raw(store, arguments))
        elif arguments.held:
            show_held(store, arguments)
        else:
            _interactions(store, settings, arguments)
    return os.EX_OK


def _raw(store: Store, arguments: argparse.Namespace) -> bytes:
    if arguments.held:
        return store.held.raw(store.held.get(arguments.id))
    return store.interactions.raw(store.interactions.get(arguments.id))


def _write(raw: bytes) -> None:
    with os.fdopen(os.dup(1), "wb") as out:
        out.write(raw)


def _interactions(store: Store, settings: Settings, arguments: argparse.Namespace) -> None:
    kept = store.interactions
    found = (
        [kept.get(arguments.id)]
        if arguments.id
        else kept.all(arguments.limit, OUTBOUND if arguments.outbound else INBOUND)
    )
    if arguments.json:
        for entry in found:
            read = with_texts(store, settings, entry) if arguments.full else entry
            json_line(stored_json(read, full=arguments.full))
    elif arguments.id:
        for entry in found:
            _print_interaction(with_texts(store, settings, entry))
    else:
        rows = (
            (e.id, moment(e.received), e.mailbox, e.subtype, e.queue, e.facts.sender, e.facts.subject) for e in found
        )
        table(("ID", "RECEIVED", "MAILBOX", "SUBTYPE", "QUEUE", "FROM", "SUBJECT"), rows, "no interactions yet")


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
    print(entry.facts.text or entry.facts.html)


def _outbound(arguments: argparse.Namespace, *, history: bool) -> int:
    with opened(settings_of(arguments.conf), must_exist=True) as store:
        if arguments.id:
            _one_outbound(store, arguments)
            return os.EX_OK
        found = store.outbox.newest(Choice(done=history), arguments.limit)
        if arguments.json:
            for entry in found:
                json_line(outbound_json(entry))
            return os.EX_OK
        rows = (
            (e.id, e.state, e.way_out, _recipients(e), e.attempts, moment(e.next_attempt or e.finished), e.diagnosis)
            for e in found
        )
        when = "FINISHED" if history else "NEXT ATTEMPT"
        empty = "nothing was sent yet" if history else "the outbox is empty"
        table(("ID", "STATE", "WAY OUT", "RECIPIENTS", "ATTEMPTS", when, "DIAGNOSIS"), rows, empty)
    return os.EX_OK


def _recipients(entry: OutboxEntry) -> str:
    return ", ".join(one.address for one in entry.recipients)


def _one_outbound(store: Store, arguments: argparse.Namespace) -> None:
    entry, attempts = store.outbox.get(arguments.id)
    shown = outbound_json(entry)
    shown["log"] = log_json(attempts)
    if arguments.json:
        json_line(shown)
        return
    facts_of_mail = [(name, value) for name, value in shown.items() if name not in ("recipients", "log")]
    table(("", ""), [(name, value) for name, value in facts_of_mail if value not in (None, "")], "")
    print()
    table(
        ("RECIPIENT", "STATE", "ANSWER"),
        [(one.address, one.state, f"{one.code} {one.text}".strip()) for one in entry.recipients],
        "",
    )
    print()
    tries = [(one.number, moment(one.at), one.way_out, one.outcome) for one in attempts]
    table(("TRY", "AT", "WAY OUT", "OUTCOME"), tries, "not tried yet")


def _mailboxes(arguments: argparse.Namespace) -> int:
    with opened(settings_of(arguments.conf), must_exist=True) as store:
        states = store.mailboxes.all().values()
    show = iso if arguments.json else moment
    rows = [mailbox_json(one, show) for one in states]
    if arguments.json:
        for row in rows:
            json_line(row)
    else:
        columns = ("NAME", "STATE", "LAST POLL", "LAST MAIL", "LAST ERROR", "NEXT DUE")
        table(columns, [["" if cell is None else cell for cell in row.values()] for row in rows], "no mailboxes yet")
    return os.EX_OK
