"""Leases of mails that are due: whoever holds one may send the mail, and nobody else.

Each has a number that grows, so that whoever holds an older one learns it before a server has the mail twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Connection, Select, bindparam, func, select, update

from emaild.message import Outbound, OutboundState, Receipt, RecipientState
from emaild.store.outbox_entries import mail_of, when
from emaild.store.prepared import Found, Prepared, among, listed
from emaild.store.schema import attempt, outbox, raw, recipient

LOOKED_AT = 500  # due mails among which those are looked for that were held back often enough
MOST_BYTES = 8 * 1024 * 1024  # of the mails of one lease; the one with which they are as many is the last


def _due() -> Select[Any]:
    """Id, deferrals and size of the mails that may be sent, the one that is due for longest first."""
    here = (outbox.c.way_out == bindparam("way"), outbox.c.interactive.is_(bindparam("kind", type_=Boolean)))
    waits = (outbox.c.next_attempt.is_not(None), outbox.c.next_attempt <= bindparam("now"))
    query = select(outbox.c.id, outbox.c.deferrals, raw.c.size).join(raw, raw.c.digest == outbox.c.raw_digest)
    return query.where(*here, *waits).order_by(outbox.c.next_attempt, outbox.c.id).limit(bindparam("most"))


DUE = _due()
FIND_DUE = Prepared(DUE)
LEASE = Prepared(
    update(outbox)
    .where(among(outbox.c.id))
    .values(
        state=OutboundState.SENDING.value,
        lease_until=bindparam("until"),
        lease=outbox.c.lease + 1,
        next_attempt=None,
    )
)
ROWS = Prepared(select(outbox).where(among(outbox.c.id)))
RECIPIENTS = Prepared(
    select(recipient).where(among(recipient.c.outbox_id)).order_by(recipient.c.outbox_id, recipient.c.position)
)
ANSWERS = Prepared(
    select(attempt.c.outbox_id, func.count().label("times"), func.min(attempt.c.at).label("first"))
    .join(outbox, outbox.c.id == attempt.c.outbox_id)
    .where(among(attempt.c.outbox_id), attempt.c.answers.is_not(None), attempt.c.at >= outbox.c.created)
    .group_by(attempt.c.outbox_id)
)


@dataclass(frozen=True, kw_only=True)
class Leased:
    """A mail that is ours to send: to the recipients that still wait. `created` is when it came into the outbox.

    `failed` are those who will never get it. `answered` is how often servers answered for the mail since it came into
    the outbox, `first_answer` when that was tried first.
    """

    mail: Outbound
    created: datetime
    number: int
    failed: tuple[Receipt, ...] = ()
    answered: int = 0
    first_answer: datetime | None = None


def asked_of_due(way_out: str, now: datetime, interactive: bool, most: int) -> dict[str, object]:
    """What DUE asks for."""
    return {"way": way_out, "now": now.timestamp(), "kind": interactive, "most": most}


def chosen_to_lease(
    connection: Connection,
    way_out: str,
    now: datetime,
    most: int,
    ration: int | None = None,
    past: int | None = None,
) -> list[Found]:
    """The rows of DUE that are leased next; see `Sending.lease`."""
    rows = FIND_DUE.execute(connection, asked_of_due(way_out, now, True, most))
    left = most - len(rows)
    looked_at = left if ration is None or past is None else LOOKED_AT
    due = FIND_DUE.execute(connection, asked_of_due(way_out, now, False, looked_at))
    if ration is None:
        return rows + due
    free = max(0, min(left, ration - len(rows)))  # those that somebody waits for count, too
    rows += due[:free]
    if past is not None:
        rows += [row for row in due[free:] if row.deferrals >= past][: left - free]
    return rows


def lease(connection: Connection, rows: Sequence[Found], until: datetime) -> list[Leased]:
    """Lease these rows of DUE until then, as many as may be in memory together."""
    names = _within_bytes(rows)
    if not names:
        return []
    LEASE.execute(connection, {**listed(names), "until": until.timestamp()})
    return leases_of(connection, names)


def _within_bytes(rows: Sequence[Found]) -> list[str]:
    names: list[str] = []
    total = 0
    for row in rows:
        names.append(row.id)
        total += row.size
        if total >= MOST_BYTES:
            break
    return names


def is_all(leased: Sequence[Leased], most: int) -> bool:
    """Whether nothing else was due, where *most* were asked for and no ration stood in the way."""
    return len(leased) < most and sum(len(one.mail.raw) for one in leased) < MOST_BYTES


def leases_of(connection: Connection, names: Sequence[str]) -> list[Leased]:
    """The mails of these names, which are leased."""
    waiting: dict[str, list[str]] = defaultdict(list)
    failed: dict[str, list[Receipt]] = defaultdict(list)
    for one in RECIPIENTS.execute(connection, listed(names)):
        if one.state == RecipientState.WAITING.value:
            waiting[one.outbox_id].append(one.address)
        elif one.state == RecipientState.FAILED.value:
            failed[one.outbox_id].append(
                Receipt(address=one.address, state=RecipientState.FAILED, code=one.code, text=one.text)
            )
    rows = {row.id: row for row in ROWS.execute(connection, listed(names))}
    tried = [name for name, row in rows.items() if row.attempts]
    answers = {row.outbox_id: row for row in ANSWERS.execute(connection, listed(tried))} if tried else {}
    return [
        Leased(
            mail=mail_of(connection, row, waiting[row.id]),
            created=when(row.created),
            number=row.lease,
            failed=tuple(failed[row.id]),
            answered=answers[row.id].times if row.id in answers else 0,
            first_answer=when(answers[row.id].first) if row.id in answers else None,
        )
        for row in map(rows.__getitem__, names)
    ]


def give_back(connection: Connection, which: ColumnElement[bool], now: datetime) -> int:
    """Queue anew what is leased, of those. Returns how many there were."""
    sending = outbox.c.state == OutboundState.SENDING.value
    values = {"state": OutboundState.QUEUED.value, "lease_until": None, "next_attempt": now.timestamp()}
    return connection.execute(update(outbox).where(which, sending).values(values)).rowcount
