"""Mails on their way out as they are shown, and which of them somebody means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, exists, func, or_, select

from emaild.errors import NotFound
from emaild.message import Outbound, OutboundState, Receipt, RecipientState
from emaild.store import raw
from emaild.store.prepared import Found
from emaild.store.schema import attempt, outbox, recipient

WAITING_STATES = (OutboundState.QUEUED, OutboundState.DEFERRED, OutboundState.HELD, OutboundState.SENDING)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A try, or `times` of them from `at` to `last` by which the way out failed in the same manner.

    `seconds` is how long the (last) one took, None where that was not measured. `answers` are the server's for each
    recipient; none where the way itself failed. `server`, `tls` as in `Delivery`; `cause` is the diagnosis's key.
    """

    number: int
    at: datetime
    way_out: str
    outcome: str
    times: int = 1
    last: datetime | None = None
    seconds: float | None = None
    server: str = ""
    tls: str = ""
    answers: tuple[Receipt, ...] = ()
    cause: str = ""


@dataclass(frozen=True, kw_only=True)
class OutboxEntry:
    """A mail in the outbox or the history, as it is shown. `cause` is the key of what is diagnosed.

    It came into the outbox at `came`; its message-lifetime counts from `created`, when a person had it sent anew.
    `tries` counts each of them; `attempts` those alike as one, as the log keeps them.
    """

    id: str
    state: OutboundState
    came: datetime
    created: datetime
    way_out: str
    sender: str
    message_id: str
    raw_digest: str
    recipients: tuple[Receipt, ...]
    attempts: int
    tries: int
    next_attempt: datetime | None
    finished: datetime | None
    diagnosis: str
    cause: str
    interactive: bool
    deferrals: int

    @property
    def done(self) -> bool:
        """Whether it is in the history."""
        return self.finished is not None


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which mails are meant: those that fit all that is given; empty and None fit any.

    `done`: those in the history, or (False) in the outbox. `sender`, `recipient`: a whole address, or @domain, in any
    case. `cause`: what keeps it from one of its recipients, or all. `words`: what the diagnosis holds. `since` and
    `until` are when it came into the outbox.
    """

    done: bool | None = None
    states: tuple[OutboundState, ...] = ()
    way_out: str = ""
    sender: str = ""
    recipient: str = ""
    cause: str = ""
    words: str = ""
    message_id: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def terms(self) -> list[ColumnElement[bool]]:
        """What a row of the outbox must fulfil.

        Mails are listed in the order of their ids. The indexes that keep it are those of `finished` and of one state;
        what is written as an expression uses none, for SQLite would take another and sort the whole outbox.
        """
        columns = outbox.c
        is_open = self.done is False or (bool(self.states) and {*self.states} <= {*WAITING_STATES})
        caused = exists().where(recipient.c.outbox_id == columns.id, recipient.c.cause == self.cause)
        came = func.coalesce(columns.came, columns.created)
        to = exists().where(recipient.c.outbox_id == columns.id, _is_address(recipient.c.address, self.recipient))
        states = [state.value for state in self.states]
        terms: list[tuple[bool, ColumnElement[bool]]] = [
            (is_open, columns.finished.is_(None)),
            (self.done is True, columns.finished.is_not(None)),
            (len(states) == 1, columns.state == "".join(states)),
            (len(states) > 1, columns.state.concat("").in_(states)),
            (bool(self.way_out), columns.way_out == self.way_out),
            (bool(self.cause), or_(columns.cause == self.cause, caused)),
            (bool(self.message_id), columns.message_id.in_([self.message_id, f"<{self.message_id}>"])),
            (bool(self.words), columns.diagnosis.contains(self.words, autoescape=True)),
            (bool(self.sender), _is_address(columns.sender, self.sender)),
            (bool(self.recipient), to),
        ]
        terms += [(True, came >= self.since.timestamp())] if self.since else []
        terms += [(True, came < self.until.timestamp())] if self.until else []
        return [term for wanted, term in terms if wanted]


def _is_address(column: ColumnElement[str], wanted: str) -> ColumnElement[bool]:
    lowered = func.lower(column)
    if wanted.startswith("@"):
        return lowered.endswith(wanted.lower(), autoescape=True)
    return or_(column == wanted, lowered == wanted.lower())


def row_of(connection: Connection, name: str) -> Row[Any]:
    """The mail with that id.

    Raises:
        NotFound: there is none.
    """
    row = connection.execute(select(outbox).where(outbox.c.id == name)).one_or_none()
    if row is None:
        raise NotFound(f"no mail {name} in outbox or history; 'emaild outbox' and 'emaild history' list them")
    return row


def entries_of(connection: Connection, rows: Sequence[Row[Any]]) -> list[OutboxEntry]:
    """Those rows of the outbox with their recipients."""
    receipts: dict[str, list[Receipt]] = {row.id: [] for row in rows}
    tries = select(attempt.c.outbox_id, func.sum(attempt.c.times)).where(attempt.c.outbox_id.in_(receipts))
    counts = {row[0]: int(row[1]) for row in connection.execute(tries.group_by(attempt.c.outbox_id))}
    query = select(recipient).where(recipient.c.outbox_id.in_(receipts))
    for one in connection.execute(query.order_by(recipient.c.outbox_id, recipient.c.position)):
        receipt = Receipt(address=one.address, state=RecipientState(one.state), code=one.code, text=one.text)
        receipts[one.outbox_id].append(receipt)
    return [_entry(row, receipts[row.id], counts.get(row.id, 0)) for row in rows]


def _entry(row: Row[Any], receipts: Sequence[Receipt], tries: int) -> OutboxEntry:
    return OutboxEntry(
        id=row.id,
        state=OutboundState(row.state),
        came=when(row.created if row.came is None else row.came),
        created=when(row.created),
        way_out=row.way_out,
        sender=row.sender,
        message_id=row.message_id,
        raw_digest=row.raw_digest,
        recipients=tuple(receipts),
        attempts=row.attempts,
        tries=tries,
        next_attempt=None if row.next_attempt is None else when(row.next_attempt),
        finished=None if row.finished is None else when(row.finished),
        diagnosis=row.diagnosis,
        cause=row.cause,
        interactive=row.interactive,
        deferrals=row.deferrals,
    )


def attempts_of(connection: Connection, name: str) -> tuple[Attempt, ...]:
    """What was tried for the mail with that id, in order."""
    rows = connection.execute(select(attempt).where(attempt.c.outbox_id == name).order_by(attempt.c.number))
    return tuple(
        Attempt(
            number=row.number,
            at=when(row.at),
            way_out=row.way_out,
            outcome=row.outcome,
            times=row.times,
            last=None if row.last is None else when(row.last),
            seconds=row.seconds,
            server=row.server,
            tls=row.tls,
            answers=tuple(
                Receipt(address=address, state=RecipientState(state), code=code, text=text)
                for address, state, code, text in row.answers or ()
            ),
            cause=row.cause,
        )
        for row in rows
    )


def mail_of(connection: Connection, row: Found, recipients: Sequence[str]) -> Outbound:
    """A row of the outbox as a sink takes it."""
    return Outbound(
        id=row.id,
        way_out=row.way_out,
        sender=row.sender,
        recipients=tuple(recipients),
        message_id=row.message_id,
        raw=raw.get(connection, row.raw_digest),
        attempts=row.attempts,
        notify=tuple(row.notify.split(",")) if row.notify else (),
        interactive=bool(row.interactive),
    )


def when(seconds: float) -> datetime:
    """A time as the store keeps it."""
    return datetime.fromtimestamp(seconds, UTC)
