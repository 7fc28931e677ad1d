"""`--retry`, `--hold` and `--cancel` of `emaild outbox` and `history`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from emaild.cli.choosing import narrowing
from emaild.cli.output import json_line
from emaild.log import events
from emaild.message import OutboundState
from emaild.settings.routes import COMMAND_LINE
from emaild.store import Store
from emaild.store.outbox import Outbox
from emaild.store.outbox_entries import Choice, OutboxEntry


@dataclass(frozen=True, kw_only=True)
class Action:
    """What a person may want of mails: of one, of all that fit; `done` is how it is told."""

    help: str
    done: str
    one: Callable[[Outbox, str, datetime], OutboxEntry]
    many: Callable[[Outbox, Choice, datetime], Iterator[OutboxEntry]]
    event: Callable[..., None]


ACTIONS = {
    "retry": Action(
        help="send now, or again to those who did not get it",
        done="sent as soon as it can be",
        one=Outbox.retry,
        many=Outbox.retry_all,
        event=events.outbound_retried,
    ),
    "hold": Action(
        help="do not send until --retry lets it go",
        done="held",
        one=Outbox.hold,
        many=Outbox.hold_all,
        event=events.outbound_held,
    ),
    "cancel": Action(
        help="send it no more",
        done="cancelled",
        one=Outbox.cancel,
        many=Outbox.cancel_all,
        event=events.outbound_cancelled,
    ),
}


def change(store: Store, action: Action, choice: Choice, name: str | None, *, json: bool) -> int:
    """Do it to the mail of that name, else to all that are chosen; tell how many. Returns the exit code."""
    now = datetime.now(UTC)
    if name:
        entry = action.one(store.outbox, name.upper(), now)
        action.event(section=entry.way_out, outbound=entry.id, client=COMMAND_LINE)
        _told(1, 0, action, json=json)
        return os.EX_OK
    count = 0
    try:
        for _ in action.many(store.outbox, choice, now):
            count += 1
    except BaseException:
        print(f"emaild: it ended early; {_mails(count)} or more {_be(count)} {action.done}", file=sys.stderr)
        raise
    finally:
        events.outbound_many_changed(to=action.done, mails=count, filters=narrowing(choice), client=COMMAND_LINE)
    _told(count, _being_sent(store, choice), action, json=json)
    return os.EX_OK


def _told(count: int, busy: int, action: Action, *, json: bool) -> None:
    if json:
        json_line({"changed": count, "being_sent": busy})
        return
    print(f"{_mails(count)} {_be(count)} {action.done}")
    if busy:
        print(f"{_mails(busy)} {_be(busy)} being sent at this moment, and left alone")


def _mails(count: int) -> str:
    return "1 mail" if count == 1 else f"{count or 'no'} mails"


def _be(count: int) -> str:
    return "is" if count == 1 else "are"


def _being_sent(store: Store, choice: Choice) -> int:
    """How many of those that are chosen cannot be changed just now."""
    sending = OutboundState.SENDING
    if choice.done or (choice.states and sending not in choice.states):
        return 0
    return sum(1 for _ in store.outbox.newest(replace(choice, states=(sending,))))
