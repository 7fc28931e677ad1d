"""The states of a mail on its way out: what a person may do in which, and which follows from its recipients' states."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, update

from emaild.errors import WrongState
from emaild.message import OutboundState, Receipt, RecipientState
from emaild.store.schema import outbox, recipient

WAIT = (OutboundState.QUEUED, OutboundState.DEFERRED, OutboundState.HELD)
AGAIN = (OutboundState.FAILED, OutboundState.EXPIRED, OutboundState.CANCELLED, OutboundState.PARTLY_SENT)
CANCELLED, HELD = "cancelled", "held by a person"
BUSY = "the mail {} is being sent at this moment; try it again when that is done"
MOST_TOLD = 5


def state_of(recipients: Collection[str], *, expired: bool) -> OutboundState:
    """What follows from the recipients' states; *expired*: the last of them were given up, for time was over."""
    if RecipientState.WAITING.value in recipients:
        return OutboundState.DEFERRED
    if RecipientState.SENT.value not in recipients:
        return OutboundState.EXPIRED if expired else OutboundState.FAILED
    return OutboundState.SENT if len(set(recipients)) == 1 else OutboundState.PARTLY_SENT


def send_again(connection: Connection, row: Row[Any], now: datetime) -> None:
    """A mail is due now. One that was done with gets its whole message-lifetime again.

    Raises:
        WrongState: it is being sent, or was sent to all.
    """
    state = OutboundState(row.state)
    values: dict[str, object] = {
        "state": OutboundState.QUEUED.value if row.attempts == 0 else OutboundState.DEFERRED.value,
        "next_attempt": now.timestamp(),
        "deferrals": 0,
        "diagnosis": "" if row.diagnosis in (CANCELLED, HELD) else row.diagnosis,
    }
    if state in AGAIN:
        failed = (recipient.c.outbox_id == row.id, recipient.c.state == RecipientState.FAILED.value)
        connection.execute(update(recipient).where(*failed).values(state=RecipientState.WAITING.value))
        values |= {"state": OutboundState.QUEUED.value, "created": now.timestamp(), "finished": None}
        values |= {"delay_told": False, "came": row.created if row.came is None else row.came}
    elif state is OutboundState.SENDING:
        raise WrongState(BUSY.format(row.id))
    elif state not in WAIT:
        raise WrongState(f"the mail {row.id} is {state}; there is nothing to be sent again")
    connection.execute(update(outbox).where(outbox.c.id == row.id).values(values))


def hold(connection: Connection, row: Row[Any], now: datetime) -> None:
    """A mail waits until a person lets it go.

    Raises:
        WrongState: it does not wait: it is being sent, held already, or done with.
    """
    _must_wait(row, "held")
    if row.state == OutboundState.HELD.value:
        raise WrongState(f"the mail {row.id} is held already")
    values = {"state": OutboundState.HELD.value, "next_attempt": None, "diagnosis": row.diagnosis or HELD}
    connection.execute(update(outbox).where(outbox.c.id == row.id).values(values))


def cancel(connection: Connection, row: Row[Any], now: datetime) -> None:
    """A mail is not sent any more, to nobody who did not get it yet.

    Raises:
        WrongState: it does not wait: it is being sent, or done with.
    """
    _must_wait(row, "cancelled")
    waiting = (recipient.c.outbox_id == row.id, recipient.c.state == RecipientState.WAITING.value)
    given_up = {"state": RecipientState.FAILED.value, "code": "", "text": CANCELLED, "cause": ""}
    connection.execute(update(recipient).where(*waiting).values(given_up))
    values = {
        "state": OutboundState.CANCELLED.value,
        "next_attempt": None,
        "finished": now.timestamp(),
        "diagnosis": CANCELLED,
        "cause": "",
    }
    connection.execute(update(outbox).where(outbox.c.id == row.id).values(values))


def _must_wait(row: Row[Any], done: str) -> None:
    if row.state == OutboundState.SENDING.value:
        raise WrongState(BUSY.format(row.id))
    if OutboundState(row.state) not in WAIT:
        raise WrongState(f"the mail {row.id} is {row.state}; only one that waits can be {done}")


def summary(receipts: Sequence[Receipt]) -> str:
    """One line about a try: what was refused, else how many were sent."""
    bad = [receipt for receipt in receipts if receipt.state is not RecipientState.SENT]
    if not bad:
        return f"sent to {len(receipts)}"
    more = f"; and {len(bad) - MOST_TOLD} more" if len(bad) > MOST_TOLD else ""
    return "; ".join(" ".join(filter(None, (f"{one.address}:", one.code, one.text))) for one in bad[:MOST_TOLD]) + more
