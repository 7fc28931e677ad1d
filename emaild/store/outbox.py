"""The outbox: mails on their way out, and the history of those that are done, as people and programs see it.

QUEUED -> SENDING (leased) -> DEFERRED | SENT | PARTLY_SENT | FAILED | EXPIRED; DEFERRED -> SENDING again. A person may
make what waits HELD or CANCELLED, and all but SENT and SENDING QUEUED again. `Sending` is the daemon's side of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from emaild.errors import WrongState
from emaild.message import Outbound, OutboundState, RecipientState
from emaild.store import raw, schema
from emaild.store.engine import Database
from emaild.store.known import remember_outbound
from emaild.store.outbound_states import cancel, hold, send_again
from emaild.store.outbox_entries import Attempt, Choice, OutboxEntry, attempts_of, entries_of, row_of
from emaild.store.prepared import Prepared
from emaild.store.schema import outbox, recipient

PAGE = 200
INSERT = Prepared(
    insert(outbox),
    "id", "created", "way_out", "sender", "message_id", "raw_digest", "state", "attempts", "next_attempt", "diagnosis",
    "notify", "interactive",
)  # fmt: skip
INSERT_RECIPIENTS = Prepared(insert(recipient), "outbox_id", "position", "address", "state", "code", "text")

Asked = Callable[[Connection, Row[Any], datetime], None]
"""What a person wants of a mail; raises WrongState where its state forbids it."""


class Outbox:
    """The outbound half of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, mail: Outbound, now: datetime) -> None:
        """Take a mail in; when this returns it will be sent, whatever happens to this process."""
        with self._database.write() as connection:
            queue(connection, mail, now)
        self._database.bell.ring([mail.way_out])

    # What a person asks for

    def retry(self, name: str, now: datetime) -> OutboxEntry:
        """Send it now, to those who did not get it; one that was done with has its whole message-lifetime again.

        Raises:
            NotFound: there is none with that id.
            WrongState: it is being sent, or was sent to all.
        """
        return self._change(send_again, name, now)

    def hold(self, name: str, now: datetime) -> OutboxEntry:
        """Do not send it until somebody lets it go with `retry`; it does not expire meanwhile.

        Raises:
            NotFound: there is none with that id.
            WrongState: it does not wait, or is held already.
        """
        return self._change(hold, name, now)

    def cancel(self, name: str, now: datetime) -> OutboxEntry:
        """Send it no more, to nobody who did not get it yet.

        Raises:
            NotFound: there is none with that id.
            WrongState: it does not wait.
        """
        return self._change(cancel, name, now)

    def retry_all(self, choice: Choice, now: datetime) -> Iterator[OutboxEntry]:
        """`retry` of all that fit and can be, but what was cancelled unless that is named; a page is a commit."""
        named = OutboundState.CANCELLED in choice.states
        return self._change_all(send_again if named else _send_again_unless_cancelled, choice, now)

    def hold_all(self, choice: Choice, now: datetime) -> Iterator[OutboxEntry]:
        """`hold` of all that fit and can be; a page is a commit."""
        return self._change_all(hold, choice, now)

    def cancel_all(self, choice: Choice, now: datetime) -> Iterator[OutboxEntry]:
        """`cancel` of all that fit and can be; a page is a commit."""
        return self._change_all(cancel, choice, now)

    def _change(self, asked: Asked, name: str, now: datetime) -> OutboxEntry:
        with self._database.write() as connection:
            asked(connection, row_of(connection, name), now)
            return entries_of(connection, [row_of(connection, name)])[0]

    def _change_all(self, asked: Asked, choice: Choice, now: datetime) -> Iterator[OutboxEntry]:
        """In the order of ids, so that each is looked at once."""
        last = ""
        while True:
            query = select(outbox).where(outbox.c.id > last, *choice.terms()).order_by(outbox.c.id).limit(PAGE)
            with self._database.write() as connection:
                rows = connection.execute(query).all()
                changed = [row for row in rows if _possible(asked, connection, row, now)]
                now_there = select(outbox).where(outbox.c.id.in_([row.id for row in changed])).order_by(outbox.c.id)
                entries = entries_of(connection, connection.execute(now_there).all())
            yield from entries
            if not rows:
                return
            last = rows[-1].id

    # Looking at it

    def chosen(self, choice: Choice, *, after: str, most: int) -> list[OutboxEntry]:
        """At most that many with an id above *after*, in the order of their ids."""
        query = select(outbox).where(outbox.c.id > after, *choice.terms()).order_by(outbox.c.id).limit(most)
        with self._database.read() as connection:
            return entries_of(connection, connection.execute(query).all())

    def newest(self, choice: Choice, limit: int | None = None) -> Iterator[OutboxEntry]:
        """The newest first, read a page at a time; at most *limit*."""
        query = select(outbox).where(*choice.terms()).order_by(outbox.c.id.desc())
        last: str | None = None
        while limit is None or limit > 0:
            page = query.limit(min(limit or PAGE, PAGE))
            with self._database.read() as connection:
                rows = connection.execute(page if last is None else page.where(outbox.c.id < last)).all()
                entries = entries_of(connection, rows)
            yield from entries
            if not rows:
                return
            last = rows[-1].id
            limit = None if limit is None else limit - len(rows)

    def get(self, name: str) -> tuple[OutboxEntry, tuple[Attempt, ...]]:
        """One mail and its tries.

        Raises:
            NotFound: there is none with that id.
        """
        with self._database.read() as connection:
            entry = entries_of(connection, [row_of(connection, name.upper())])[0]
            return entry, attempts_of(connection, entry.id)

    def raw(self, entry: OutboxEntry) -> bytes:
        """The mail as it is sent."""
        with self._database.read() as connection:
            return raw.get(connection, entry.raw_digest)

    def beginnings(self, entries: Iterable[OutboxEntry], most: int) -> dict[str, bytes]:
        """At most that many bytes of each mail, by its digest."""
        query = select(schema.raw.c.digest, func.substr(schema.raw.c.body, 1, most))
        with self._database.read() as connection:
            found = connection.execute(query.where(schema.raw.c.digest.in_({one.raw_digest for one in entries})))
            return {name: bytes(body) for name, body in found}

    def prune(self, before: datetime, most: int) -> int:
        """Remove at most that many mails that were done earlier. Returns how many went."""
        with self._database.write() as connection:
            query = select(outbox.c.id, outbox.c.raw_digest).where(outbox.c.finished < before.timestamp())
            old = connection.execute(query.limit(most)).all()
            raw.drop(connection, outbox, old)
        return len(old)


def queue(connection: Connection, mail: Outbound, now: datetime) -> None:
    """As `Outbox.add` does, in somebody's commit."""
    name = raw.digest(mail.raw)
    raw.put(connection, name, mail.raw)
    row = {
        "id": mail.id,
        "created": now.timestamp(),
        "way_out": mail.way_out,
        "sender": mail.sender,
        "message_id": mail.message_id,
        "raw_digest": name,
        "state": OutboundState.QUEUED.value,
        "attempts": 0,
        "next_attempt": now.timestamp(),
        "diagnosis": "",
        "notify": ",".join(mail.notify) or None,
        "interactive": mail.interactive,
    }
    INSERT.execute(connection, row)
    rows = [
        {
            "outbox_id": mail.id,
            "position": position,
            "address": address,
            "state": RecipientState.WAITING.value,
            "code": "",
            "text": "",
        }
        for position, address in enumerate(mail.recipients)
    ]
    INSERT_RECIPIENTS.execute_all(connection, rows)
    remember_outbound(connection, mail, now)


def _send_again_unless_cancelled(connection: Connection, row: Row[Any], now: datetime) -> None:
    if row.state == OutboundState.CANCELLED.value:
        raise WrongState(f"the mail {row.id} was cancelled")
    send_again(connection, row, now)


def _possible(asked: Asked, connection: Connection, row: Row[Any], now: datetime) -> bool:
    try:
        asked(connection, row, now)
    except WrongState:
        return False
    return True
