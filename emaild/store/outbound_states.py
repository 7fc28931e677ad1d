"""The states of a mail on its way out: which mail is due, and which state follows from its recipients' states."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, or_, select, update

from emaild.errors import Conflict
from emaild.message import OutboundState, Receipt, RecipientState
from emaild.store.schema import outbox, recipient

AGAIN = (OutboundState.FAILED, OutboundState.EXPIRED, OutboundState.CANCELLED, OutboundState.PARTLY_SENT)
CANCELLED = "cancelled"


def due(way_out: str, now: datetime) -> Select[tuple[str]]:
    """The id of the mail that is due for longest: waiting, or leased by a daemon that does not renew."""
    moment = now.timestamp()
    waits = (outbox.c.state == OutboundState.QUEUED.value) & (outbox.c.next_attempt <= moment)
    query = select(outbox.c.id).where(outbox.c.way_out == way_out, or_(waits, abandoned(now)))
    return query.order_by(outbox.c.next_attempt, outbox.c.id).limit(1)


def abandoned(now: datetime) -> ColumnElement[bool]:
    """Being sent by nobody: the lease was not renewed."""
    return (outbox.c.state == OutboundState.SENDING.value) & (outbox.c.lease_until < now.timestamp())


def conclude(
    connection: Connection,
    name: str,
    outcome: str,
    now: datetime,
    retry_at: datetime | None,
    *,
    attempts: int,
) -> OutboundState:
    """The state that follows from the recipients' states."""
    waiting = (recipient.c.outbox_id == name, recipient.c.state == RecipientState.WAITING.value)
    expired = False
    if retry_at is None:
        given_up = update(recipient).where(*waiting).values(state=RecipientState.FAILED.value)
        expired = connection.execute(given_up).rowcount > 0
    states = set(connection.scalars(select(recipient.c.state).where(recipient.c.outbox_id == name)))
    if RecipientState.WAITING.value in states:
        state = OutboundState.QUEUED
    elif states == {RecipientState.SENT.value}:
        state = OutboundState.SENT
    elif RecipientState.SENT.value in states:
        state = OutboundState.PARTLY_SENT
    else:
        state = OutboundState.EXPIRED if expired else OutboundState.FAILED
    queued = state is OutboundState.QUEUED
    values = {
        "state": state.value,
        "attempts": attempts,
        "lease_until": None,
        "next_attempt": retry_at.timestamp() if queued and retry_at else None,
        "finished": None if queued else now.timestamp(),
        "diagnosis": "" if state is OutboundState.SENT else outcome,
    }
    connection.execute(update(outbox).where(outbox.c.id == name).values(values))
    return state


def send_again(connection: Connection, name: str, state: OutboundState, now: datetime) -> None:
    """A mail of that state is due now. One that was done with gets its whole message-lifetime again.

    Raises:
        Conflict: it is being sent, or was sent to all.
    """
    values: dict[str, object] = {"next_attempt": now.timestamp()}
    if state in AGAIN:
        failed = (recipient.c.outbox_id == name, recipient.c.state == RecipientState.FAILED.value)
        connection.execute(update(recipient).where(*failed).values(state=RecipientState.WAITING.value))
        values |= {"state": OutboundState.QUEUED.value, "created": now.timestamp(), "finished": None}
    elif state is not OutboundState.QUEUED:
        raise Conflict(f"the mail {name} is {state}; there is nothing to be sent again")
    connection.execute(update(outbox).where(outbox.c.id == name).values(values))


def cancel(connection: Connection, name: str, state: OutboundState, now: datetime) -> None:
    """A mail of that state is not sent any more, to nobody who did not get it yet.

    Raises:
        Conflict: it does not wait: it is being sent, or done with.
    """
    if state is not OutboundState.QUEUED:
        raise Conflict(f"the mail {name} is {state}; only one that is QUEUED can be cancelled")
    waiting = (recipient.c.outbox_id == name, recipient.c.state == RecipientState.WAITING.value)
    given_up = {"state": RecipientState.FAILED.value, "code": "", "text": CANCELLED}
    connection.execute(update(recipient).where(*waiting).values(given_up))
    values = {
        "state": OutboundState.CANCELLED.value,
        "next_attempt": None,
        "finished": now.timestamp(),
        "diagnosis": CANCELLED,
    }
    connection.execute(update(outbox).where(outbox.c.id == name).values(values))


def summary(receipts: Sequence[Receipt]) -> str:
    """One line about a try: what was refused, else how many were sent."""
    bad = [receipt for receipt in receipts if receipt.state is not RecipientState.SENT]
    if not bad:
        return f"sent to {len(receipts)}"
    return "; ".join(f"{receipt.address}: {receipt.code} {receipt.text}".strip() for receipt in bad[:5]) + (
        f"; and {len(bad) - 5} more" if len(bad) > 5 else ""
    )
