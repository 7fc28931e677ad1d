"""Leases of mails that are due: whoever holds one may send the mail, and nobody else.

Each has a number that grows, so that whoever holds an older one learns it before a server has the mail twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Boolean, ColumnElement, Connection, Row, Select, bindparam, select, update

from emaild.message import Outbound, OutboundState, RecipientState
from emaild.store.outbox_entries import mail_of, when
from emaild.store.schema import outbox, raw, recipient

LOOKED_AT = 500  # due mails among which those are looked for that were held back often enough
MOST_BYTES = 8 * 1024 * 1024  # of the mails of one lease, unless its first is larger


# What every mail needs is asked by statements that are made once, for that takes longer than what they do.


def _due() -> Select[Any]:
    """Id, deferrals and size of the mails that may be sent, the one that is due for longest first."""
    here = (outbox.c.way_out == bindparam("way"), outbox.c.interactive.is_(bindparam("kind", type_=Boolean)))
    waits = (outbox.c.next_attempt.is_not(None), outbox.c.next_attempt <= bindparam("now"))
    query = select(outbox.c.id, outbox.c.deferrals, raw.c.size).join(raw, raw.c.digest == outbox.c.raw_digest)
    return query.where(*here, *waits).order_by(outbox.c.next_attempt, outbox.c.id).limit(bindparam("most"))


NAMES: BindParameter[Any] = bindparam("names", expanding=True)
DUE = _due()
LEASE = (
    update(outbox)
    .where(outbox.c.id.in_(NAMES))
    .values(
        state=OutboundState.SENDING.value,
        lease_until=bindparam("until"),
        lease=outbox.c.lease + 1,
        next_attempt=None,
    )
)
ROWS = select(outbox).where(outbox.c.id.in_(NAMES))
RECIPIENTS = (
    select(recipient).where(recipient.c.outbox_id.in_(NAMES)).order_by(recipient.c.outbox_id, recipient.c.position)
)


@dataclass(frozen=True, kw_only=True)
class Leased:
    """A mail that is ours to send: to the recipients that still wait. `created` is when it came into the outbox."""

    mail: Outbound
    created: datetime
    number: int


def asked_of_due(way_out: str, now: datetime, interactive: bool, most: int) -> dict[str, object]:
    """What DUE asks for."""
    return {"way": way_out, "now": now.timestamp(), "kind": interactive, "most": most}


def chosen_to_lease(
    connection: Connection, way_out: str, now: datetime, most: int, ration: int | None, past: int | None
) -> list[Row[Any]]:
    """The rows of DUE that are leased next; see `Sending.lease`."""
    rows = list(connection.execute(DUE, asked_of_due(way_out, now, True, most)))
    left = most - len(rows)
    looked_at = left if ration is None or past is None else LOOKED_AT
    due = connection.execute(DUE, asked_of_due(way_out, now, False, looked_at)).all()
    if ration is None:
        return rows + list(due)
    free = max(0, min(left, ration - len(rows)))  # those that somebody waits for count, too
    rows += due[:free]
    if past is not None:
        rows += [row for row in due[free:] if row.deferrals >= past][: left - free]
    return rows


def within_bytes(rows: Sequence[Row[Any]]) -> list[str]:
    """As many as may be in memory together; one in any case."""
    names: list[str] = []
    total = 0
    for row in rows:
        total += row.size
        if names and total > MOST_BYTES:
            break
        names.append(row.id)
    return names


def leases_of(connection: Connection, names: Sequence[str]) -> list[Leased]:
    """The mails of these names, which are leased."""
    waiting: dict[str, list[str]] = defaultdict(list)
    for one in connection.execute(RECIPIENTS, {"names": names}):
        if one.state == RecipientState.WAITING.value:
            waiting[one.outbox_id].append(one.address)
    rows = {row.id: row for row in connection.execute(ROWS, {"names": names})}
    return [
        Leased(mail=mail_of(connection, row, waiting[row.id]), created=when(row.created), number=row.lease)
        for row in map(rows.__getitem__, names)
    ]


def give_back(connection: Connection, which: ColumnElement[bool], now: datetime) -> int:
    """Queue anew what is leased, of those. Returns how many there were."""
    sending = outbox.c.state == OutboundState.SENDING.value
    values = {"state": OutboundState.QUEUED.value, "lease_until": None, "next_attempt": now.timestamp()}
    return connection.execute(update(outbox).where(which, sending).values(values)).rowcount
