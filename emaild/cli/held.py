"""`emaild inbox --held` and `--again`: the mails that our own code could not take."""

from __future__ import annotations

import argparse
import os
import sys

from emaild.cli.output import json_line, moment, plain_lines, table
from emaild.clock import SystemClock
from emaild.documents.times import iso
from emaild.errors import OperatorError, StoreFailed
from emaild.jobs.intake import HEADER, Intake
from emaild.jobs.looking import Looking
from emaild.settings.load import Settings
from emaild.store import Store
from emaild.store.held import HeldMail

ALL = "all"


def show_held(store: Store, arguments: argparse.Namespace) -> None:
    """The list; with an id one mail and its traceback."""
    kept = store.held
    found = [kept.get(arguments.id)] if arguments.id else list(kept.all())[: arguments.limit]
    if arguments.json:
        for mail in found:
            json_line(held_json(mail) | ({"traceback": mail.traceback} if arguments.id or arguments.full else {}))
    elif arguments.id:
        for mail in found:
            table(("", ""), [(name, value) for name, value in held_json(mail).items() if value], "")
            print(f"\n{plain_lines(mail.traceback)}")
    else:
        rows = ((mail.id, moment(mail.at), mail.mailbox, mail.how, mail.error) for mail in found)
        table(("ID", "HELD", "MAILBOX", "HOW", "ERROR"), rows, "no mail is held")


def held_json(mail: HeldMail) -> dict[str, object]:
    """A held mail as programs see it, without its traceback."""
    return {
        "id": mail.id,
        "held": iso(mail.at),
        "mailbox": mail.mailbox,
        "account": mail.account,
        "key": mail.key.removesuffix(HEADER),
        "how": mail.how.value,
        "error": mail.error,
    }


def try_again(store: Store, settings: Settings, name: str) -> int:
    """Process a held mail once more, or `all` of them. Prints the ids of the interactions. Returns the exit code."""
    mails = list(store.held.all()) if name.lower() == ALL else [store.held.get(name)]
    stay = 0
    for mail in mails:
        try:
            _one_again(store, settings, mail)
        except StoreFailed:
            raise
        except Exception as error:  # noqa: BLE001  (what it did before it may do again)
            stay += 1
            reason = str(error) if isinstance(error, OperatorError) else store.held.get(mail.id).error
            print(f"emaild: mail {mail.id} stays held: {reason}", file=sys.stderr)
    return os.EX_DATAERR if stay else os.EX_OK


def _one_again(store: Store, settings: Settings, mail: HeldMail) -> None:
    section = settings.mailboxes.get(mail.mailbox)
    if section is None:
        raise OperatorError(f"the conf files have no section {mail.mailbox} by which to read it")
    intake = Intake(section, lambda: settings, store=store, looking=Looking(), clock=SystemClock())
    understood = intake.again(mail)
    if understood is None:
        return
    for entry in understood.interactions:
        print(entry.id)
    if understood.duplicate_of is not None:
        print(f"emaild: mail {mail.id} is {understood.duplicate_of} again", file=sys.stderr)
