"""What a person wants of mails out, from the command line or by a program: send again, hold, cancel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from emaild.errors import StoreFailed
from emaild.log import events
from emaild.message import OutboundState
from emaild.store import Store
from emaild.store.outbox import Outbox
from emaild.store.outbox_entries import Choice, OutboxEntry


@dataclass(frozen=True, kw_only=True)
class Action:
    """What may be wanted: of one mail, of all that fit; `help` is for its option, `done` how it is told after it."""

    help: str
    done: str
    one: Callable[[Outbox, str, datetime], OutboxEntry]
    many: Callable[[Outbox, Choice, datetime], Iterator[OutboxEntry]]
    event: Callable[..., None]


ACTIONS = {
    "retry": Action(
        help="send now, or again to those who did not get it",
        done="due now",
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


@dataclass(frozen=True)
class Changed:
    """A mail that was changed; *woken*: its way out rested, for it failed, and is tried at once now."""

    entry: OutboxEntry
    woken: bool


def change_one(store: Store, action: str, name: str, now: datetime, *, client: str) -> Changed:
    """Do it to the mail of that name, and log that *client* wanted it. `retry` wakes its way out, too.

    Raises:
        NotFound, WrongState: as `Outbox` has it.
    """
    wanted = ACTIONS[action]
    entry = wanted.one(store.outbox, name, now)
    wanted.event(section=entry.way_out, outbound=entry.id, client=client)
    return Changed(entry, woken=bool(_wake(store, action, {entry.way_out})))


def _wake(store: Store, action: str, ways: set[str]) -> set[str]:
    """Which of these rested, and are tried at once for that action."""
    if action == "retry" and ways:
        with suppress(StoreFailed):  # what was wanted of the mails is done; the way is tried when its rest is over
            return store.ways_out.wake(ways)
    return set()


class ChangeAll:
    """Do it to all mails that are chosen. `count` says of how many it is known that it is done.

    `ways` are their ways out, `woken` those of them that rested, for they failed, and are tried at once now.
    """

    def __init__(self, store: Store, action: str, choice: Choice, *, client: str) -> None:
        self._store = store
        self._action = action
        self._choice = choice
        self._client = client
        self.count = 0
        self.ways: set[str] = set()
        self.woken: set[str] = set()

    def run(self, now: datetime) -> None:
        """A page is a commit; one event tells of all, also where it ends early."""
        try:
            for entry in ACTIONS[self._action].many(self._store.outbox, self._choice, now):
                self.count += 1
                self.ways.add(entry.way_out)
            self.woken = _wake(self._store, self._action, self.ways)
        finally:
            filters = [f"{name}={value}" for name, value in filters_of(self._choice).items()]
            events.outbound_many_changed(action=self._action, mails=self.count, filters=filters, client=self._client)

    def being_sent(self) -> int:
        """How many of the chosen cannot be changed just now."""
        choice, sending = self._choice, OutboundState.SENDING
        if choice.done or (choice.states and sending not in choice.states):
            return 0
        return sum(1 for _ in self._store.outbox.newest(replace(choice, states=(sending,))))


def filters_of(choice: Choice) -> dict[str, str]:
    """The filters that are given, as a person would write them; `done` is none."""
    given = {name: value for name, value in vars(choice).items() if name != "done" and value not in ("", (), None)}
    return {name: ",".join(value) if isinstance(value, tuple) else str(value) for name, value in given.items()}
