"""The outbox: mails on their way out, and the history of those that are done.

QUEUED -> SENDING (leased) -> QUEUED again | SENT | PARTLY_SENT | FAILED | EXPIRED. A lease lasts as long as its daemon
renews it; what a dead daemon held is sent again under the same Message-ID. A person may make QUEUED CANCELLED, and all
but SENT and SENDING QUEUED again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from emaild.errors import NotFound
from emaild.message import Outbound, OutboundState, Receipt, RecipientState
from emaild.store import raw
from emaild.store.engine import Database
from emaild.store.known import remember_outbound
from emaild.store.outbound_states import abandoned, cancel, conclude, due, send_again, summary
from emaild.store.schema import attempt, outbox, recipient

WAITING_STATES = (OutboundState.QUEUED.value, OutboundState.SENDING.value)
PAGE = 200


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One try."""

    number: int
    at: datetime
    way_out: str
    outcome: str


@dataclass(frozen=True, kw_only=True)
class OutboxEntry:
    """A mail in the outbox or the history, as it is shown."""

    id: str
    state: OutboundState
    created: datetime
    way_out: str
    sender: str
    message_id: str
    raw_digest: str
    recipients: tuple[Receipt, ...]
    attempts: int
    next_attempt: datetime | None
    finished: datetime | None
    diagnosis: str


class Outbox:
    """The outbound half of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, mail: Outbound, now: datetime) -> None:
        """Take a mail in; when this returns it will be sent, whatever happens to this process."""
        with self._database.write() as connection:
            queue(connection, mail, now)

    # Sending

    def has_due(self, way_out: str, now: datetime) -> bool:
        """Whether a mail may be sent that way now."""
        with self._database.read() as connection:
            return connection.execute(due(way_out, now)).first() is not None

    def lease(self, way_out: str, now: datetime, seconds: float) -> tuple[Outbound, datetime] | None:
        """The mail that is due for longest, now ours for that many seconds, and when it came into the outbox.

        Its `recipients` are those still waiting. None where nothing is due.
        """
        if not self.has_due(way_out, now):  # looking takes no lock for which a writer waits
            return None
        with self._database.write() as connection:
            name = connection.execute(due(way_out, now)).scalar_one_or_none()
            if name is None:
                return None
            until = now.timestamp() + seconds
            values = {"state": OutboundState.SENDING.value, "lease_until": until}
            connection.execute(update(outbox).where(outbox.c.id == name).values(values))
            row = connection.execute(select(outbox).where(outbox.c.id == name)).one()
            waiting = (recipient.c.outbox_id == name, recipient.c.state == RecipientState.WAITING.value)
            addresses = connection.scalars(select(recipient.c.address).where(*waiting).order_by(recipient.c.position))
            mail = Outbound(
                id=row.id,
                way_out=row.way_out,
                sender=row.sender,
                recipients=tuple(addresses),
                message_id=row.message_id,
                raw=raw.get(connection, row.raw_digest),
                attempts=row.attempts,
                notify=tuple(row.notify.split(",")) if row.notify else (),
            )
        return mail, _when(row.created)

    def renew(self, names: Sequence[str], until: datetime) -> None:
        """Keep the leases of mails that are still being sent."""
        with self._database.write() as connection:
            chosen = (outbox.c.id.in_(names), outbox.c.state == OutboundState.SENDING.value)
            connection.execute(update(outbox).where(*chosen).values(lease_until=until.timestamp()))

    def record(
        self, mail: Outbound, receipts: Sequence[Receipt], now: datetime, retry_at: datetime | None
    ) -> OutboundState:
        """What became of a try, in one commit. Recipients still waiting are tried again at *retry_at*; None: given up.

        Returns:
            the state the mail has now.
        """
        outcome = summary(receipts)
        with self._database.write() as connection:
            for receipt in receipts:
                chosen = (recipient.c.outbox_id == mail.id, recipient.c.address == receipt.address)
                values = {"state": receipt.state.value, "code": receipt.code, "text": receipt.text}
                connection.execute(update(recipient).where(*chosen).values(values))
            connection.execute(
                insert(attempt).values(
                    outbox_id=mail.id,
                    number=mail.attempts + 1,
                    at=now.timestamp(),
                    way_out=mail.way_out,
                    outcome=outcome,
                )
            )
            return conclude(connection, mail.id, outcome, now, retry_at, attempts=mail.attempts + 1)

    def release(self, name: str, diagnosis: str, retry_at: datetime) -> None:
        """Give a leased mail back unsent: the way out did not work, which is no fault of the mail's."""
        with self._database.write() as connection:
            values = {
                "state": OutboundState.QUEUED.value,
                "lease_until": None,
                "next_attempt": retry_at.timestamp(),
                "diagnosis": diagnosis,
            }
            connection.execute(update(outbox).where(outbox.c.id == name).values(values))

    def hurry(self, way_out: str, now: datetime) -> None:
        """What waits for its next try by that way out is due now."""
        waiting = (outbox.c.way_out == way_out, outbox.c.state == OutboundState.QUEUED.value)
        with self._database.write() as connection:
            later = (*waiting, outbox.c.next_attempt > now.timestamp())
            connection.execute(update(outbox).where(*later).values(next_attempt=now.timestamp()))

    def resume(self) -> int:
        """Queue anew what a daemon held that is no more; to be called by the only daemon, before it sends."""
        with self._database.write() as connection:
            held = outbox.c.state == OutboundState.SENDING.value
            values = {"state": OutboundState.QUEUED.value, "lease_until": None}
            return connection.execute(update(outbox).where(held).values(values)).rowcount

    def expire(self, way_out: str, created_before: datetime, now: datetime) -> list[OutboxEntry]:
        """Give up what waits for longer, be it under a lease that ran out; returns what was given up."""
        with self._database.write() as connection:
            query = select(outbox.c.id, outbox.c.diagnosis, outbox.c.attempts).where(
                outbox.c.way_out == way_out,
                or_(outbox.c.state == OutboundState.QUEUED.value, abandoned(now)),
                outbox.c.created < created_before.timestamp(),
            )
            old = connection.execute(query.limit(PAGE)).all()
            for row in old:
                reason = row.diagnosis or "it was not sent in time"
                conclude(connection, row.id, reason, now, None, attempts=row.attempts)
            return [_entry(connection, _one(connection, row.id)) for row in old]

    # What a person asks for

    def retry(self, name: str, now: datetime) -> OutboxEntry:
        """Send it now, to those who did not get it; one that was done with has its whole message-lifetime again.

        Raises:
            NotFound: there is none with that id.
            Conflict: it is being sent, or was sent to all.
        """
        with self._database.write() as connection:
            row = _one(connection, name)
            send_again(connection, row.id, OutboundState(row.state), now)
            return _entry(connection, _one(connection, row.id))

    def cancel(self, name: str, now: datetime) -> OutboxEntry:
        """Send it no more, to nobody who did not get it yet.

        Raises:
            NotFound: there is none with that id.
            Conflict: it does not wait.
        """
        with self._database.write() as connection:
            row = _one(connection, name)
            cancel(connection, row.id, OutboundState(row.state), now)
            return _entry(connection, _one(connection, row.id))

    # Looking at it

    def chosen(
        self, *, history: bool | None, state: OutboundState | None, way_out: str, after: str, most: int
    ) -> list[OutboxEntry]:
        """At most that many with an id above *after*, in the order of their ids.

        *history*: those that are done with, or (False) those that are not; None: both. None and empty mean any.
        """
        query = select(outbox).where(outbox.c.id > after)
        if history is not None:
            query = query.where(outbox.c.finished.is_not(None) if history else outbox.c.finished.is_(None))
        if state is not None:
            query = query.where(outbox.c.state == state.value)
        if way_out:
            query = query.where(outbox.c.way_out == way_out)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(outbox.c.id).limit(most)).all()
            return [_entry(connection, row) for row in rows]

    def all(self, *, history: bool, limit: int | None = None) -> Iterator[OutboxEntry]:
        """The outbox, or the history; the newest first, read a page at a time."""
        chosen = outbox.c.state.not_in(WAITING_STATES) if history else outbox.c.state.in_(WAITING_STATES)
        query = select(outbox).where(chosen).order_by(outbox.c.id.desc())
        last: str | None = None
        while limit is None or limit > 0:
            page = query.limit(min(limit or PAGE, PAGE))
            with self._database.read() as connection:
                rows = connection.execute(page if last is None else page.where(outbox.c.id < last)).all()
                entries = [_entry(connection, row) for row in rows]
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
            entry = _entry(connection, _one(connection, name.upper()))
            rows = connection.execute(
                select(attempt).where(attempt.c.outbox_id == entry.id).order_by(attempt.c.number)
            ).all()
        return entry, tuple(
            Attempt(number=row.number, at=_when(row.at), way_out=row.way_out, outcome=row.outcome) for row in rows
        )

    def raw(self, entry: OutboxEntry) -> bytes:
        """The mail as it is sent."""
        with self._database.read() as connection:
            return raw.get(connection, entry.raw_digest)

    def prune(self, before: datetime, most: int) -> int:
        """Remove at most that many mails that were done earlier. Returns how many went."""
        with self._database.write() as connection:
            query = select(outbox.c.id, outbox.c.raw_digest).where(outbox.c.finished < before.timestamp())
            old = connection.execute(query.limit(most)).all()
            if old:
                connection.execute(delete(outbox).where(outbox.c.id.in_([row.id for row in old])))
                raw.drop_unused(connection, {row.raw_digest for row in old})
        return len(old)


def queue(connection: Connection, mail: Outbound, now: datetime) -> None:
    """As `Outbox.add` does, in somebody's commit."""
    name = raw.digest(mail.raw)
    raw.put(connection, name, mail.raw)
    connection.execute(
        insert(outbox).values(
            id=mail.id,
            created=now.timestamp(),
            way_out=mail.way_out,
            sender=mail.sender,
            message_id=mail.message_id,
            raw_digest=name,
            state=OutboundState.QUEUED.value,
            attempts=0,
            next_attempt=now.timestamp(),
            diagnosis="",
            notify=",".join(mail.notify) or None,
        )
    )
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
    connection.execute(insert(recipient), rows)
    remember_outbound(connection, mail, now)


def _one(connection: Connection, name: str) -> Row[Any]:
    row = connection.execute(select(outbox).where(outbox.c.id == name)).one_or_none()
    if row is None:
        raise NotFound(f"no mail {name} in outbox or history; 'emaild outbox' and 'emaild history' list them")
    return row


def _entry(connection: Connection, row: Row[Any]) -> OutboxEntry:
    query = select(recipient).where(recipient.c.outbox_id == row.id).order_by(recipient.c.position)
    receipts = tuple(
        Receipt(address=one.address, state=RecipientState(one.state), code=one.code, text=one.text)
        for one in connection.execute(query)
    )
    return OutboxEntry(
        id=row.id,
        state=OutboundState(row.state),
        created=_when(row.created),
        way_out=row.way_out,
        sender=row.sender,
        message_id=row.message_id,
        raw_digest=row.raw_digest,
        recipients=receipts,
        attempts=row.attempts,
        next_attempt=None if row.next_attempt is None else _when(row.next_attempt),
        finished=None if row.finished is None else _when(row.finished),
        diagnosis=row.diagnosis,
    )


def _when(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
