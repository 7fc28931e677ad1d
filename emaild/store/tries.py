"""What came of tries: what is kept of each, and the state that follows for its mail."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, select, update

from emaild.message import Delivery, OutboundState, RecipientState
from emaild.store.late import Notice, keep_notice
from emaild.store.leases import RECIPIENTS, ROWS, Leased, give_back
from emaild.store.outbound_states import state_of, summary
from emaild.store.prepared import Found, Prepared, listed
from emaild.store.schema import attempt, outbox, recipient

ANSWER = Prepared(
    update(recipient)
    .where(recipient.c.outbox_id == bindparam("name"), recipient.c.position == bindparam("place"))
    .values(state=bindparam("new"), code=bindparam("said"), text=bindparam("words"), cause=bindparam("means"))
)
INSERT_ATTEMPT = Prepared(
    insert(attempt),
    "outbox_id", "number", "at", "way_out", "outcome", "seconds", "server", "tls", "answers", "cause",
)  # fmt: skip
CONCLUDED = ("state", "attempts", "lease_until", "next_attempt", "finished", "diagnosis", "cause")
CONCLUDE = Prepared(
    update(outbox)
    .where(outbox.c.id == bindparam("name"))
    .values({name: bindparam(f"new_{name}") for name in CONCLUDED})
)


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What came of a try, which began `at` and took `seconds`.

    Recipients that still wait are tried again at `retry_at`; None: they are given up. `cause` is the diagnosis's key,
    `worst` that of whoever fares worst of all the mail's recipients, `causes` those of who did not get it, by address;
    `notice` is what tells its sender's queue who never gets it.
    """

    leased: Leased
    at: datetime
    seconds: float
    delivery: Delivery
    retry_at: datetime | None
    cause: str = ""
    worst: str = ""
    causes: Mapping[str, str] = field(default_factory=dict)
    notice: Notice | None = None


@dataclass(frozen=True, kw_only=True)
class Unsent:
    """A try that did not reach the mail, for the way out itself failed: `why`, in one line.

    `step` is what `why` begins with: what failed, without the server's words, which may differ each time.
    """

    leased: Leased
    at: datetime
    seconds: float
    why: str
    retry_at: datetime
    step: str = ""
    cause: str = ""


def apart(tries: Sequence[Tried]) -> list[list[Tried]]:
    """In that order, so that no mail is twice in one list."""
    lists: list[list[Tried]] = [[]]
    names: set[str] = set()
    for one in tries:
        if one.leased.mail.id in names:
            lists.append([])
            names = set()
        lists[-1].append(one)
        names.add(one.leased.mail.id)
    return lists


def record(connection: Connection, tries: Sequence[Tried], now: datetime) -> list[OutboundState]:
    """What became of tries, of no mail twice. Returns the state that each mail has now."""
    names = [one.leased.mail.id for one in tries]
    rows = {row.id: row for row in ROWS.execute(connection, listed(names))}
    there = [one for one in tries if one.leased.mail.id in rows]
    if there:
        INSERT_ATTEMPT.execute_all(connection, [_attempt(one, rows[one.leased.mail.id]) for one in there])
    ours = [one for one in there if _ours(one, rows[one.leased.mail.id])]
    states = _write_receipts(connection, ours)
    for one in ours:
        keep_notice(connection, one.notice)
    changes: list[dict[str, object]] = []
    found = [_conclude(connection, one, rows.get(one.leased.mail.id), states, now, changes) for one in tries]
    if changes:
        CONCLUDE.execute_all(connection, changes)
    return found


def _ours(tried: Tried, row: Found) -> bool:
    """Whether nobody leased the mail after us, or ended it. That our lease ran out meanwhile does not matter then."""
    waits = row.state == OutboundState.SENDING.value or row.next_attempt is not None
    return waits and bool(row.lease == tried.leased.number)


def _write_receipts(connection: Connection, tries: Sequence[Tried]) -> dict[str, set[str]]:
    """Returns the states that each mail's recipients have then."""
    said = {(one.leased.mail.id, got.address): got for one in tries for got in one.delivery.receipts}
    causes = {one.leased.mail.id: one.causes for one in tries}
    states: dict[str, set[str]] = {one.leased.mail.id: set() for one in tries}
    changes = []
    for row in RECIPIENTS.execute(connection, listed(states)):
        got = said.get((row.outbox_id, row.address)) if row.state == RecipientState.WAITING.value else None
        states[row.outbox_id].add(got.state.value if got else row.state)
        if got:
            new = {"new": got.state.value, "said": got.code, "words": got.text}
            new["means"] = causes[row.outbox_id].get(row.address, "")
            changes.append({"name": row.outbox_id, "place": row.position, **new})
    if changes:
        ANSWER.execute_all(connection, changes)
    return states


def recipient_states(connection: Connection, names: Sequence[str]) -> dict[str, set[str]]:
    """The states that the recipients of each mail have."""
    states: dict[str, set[str]] = {name: set() for name in names}
    query = select(recipient.c.outbox_id, recipient.c.state).where(recipient.c.outbox_id.in_(names)).distinct()
    for name, state in connection.execute(query):
        states[name].add(state)
    return states


def give_up(connection: Connection, name: str) -> None:
    """A mail's recipients that still wait never get it."""
    waiting = (recipient.c.outbox_id == name, recipient.c.state == RecipientState.WAITING.value)
    connection.execute(update(recipient).where(*waiting).values(state=RecipientState.FAILED.value))


def _attempt(tried: Tried, row: Found) -> dict[str, object]:
    return {
        "outbox_id": row.id,
        "number": row.attempts + 1,
        "at": tried.at.timestamp(),
        "way_out": tried.leased.mail.way_out,
        "outcome": summary(tried.delivery.receipts),
        "seconds": tried.seconds,
        "server": tried.delivery.server,
        "tls": tried.delivery.tls,
        "answers": json.dumps([[one.address, one.state.value, one.code, one.text] for one in tried.delivery.receipts]),
        "cause": tried.cause,
    }


def _conclude(
    connection: Connection,
    tried: Tried,
    row: Found | None,
    states: dict[str, set[str]],
    now: datetime,
    changes: list[dict[str, object]],
) -> OutboundState:
    """The state that follows; *changes* gets what CONCLUDE is to write.

    Of a mail that is somebody else's by now only the try is kept.
    """
    name = tried.leased.mail.id
    if row is None:
        return OutboundState.FAILED  # pruned; nobody asks for it any more
    if name not in states:
        connection.execute(update(outbox).where(outbox.c.id == name).values(attempts=row.attempts + 1))
        return OutboundState(row.state)
    waits = RecipientState.WAITING.value in states[name]
    if waits and tried.retry_at is None:
        give_up(connection, name)
        states = {name: states[name] - {RecipientState.WAITING.value} | {RecipientState.FAILED.value}}
    state = state_of(states[name], expired=waits)
    deferred = state is OutboundState.DEFERRED and tried.retry_at is not None
    sent = state is OutboundState.SENT
    changes.append(
        {
            "name": name,
            "new_state": state.value,
            "new_attempts": row.attempts + 1,
            "new_lease_until": None,
            "new_next_attempt": tried.retry_at.timestamp() if deferred and tried.retry_at else None,
            "new_finished": None if deferred else now.timestamp(),
            "new_diagnosis": "" if sent else summary((*tried.leased.failed, *tried.delivery.receipts)),
            "new_cause": "" if sent else tried.worst,
        }
    )
    return state


def release(connection: Connection, unsent: Unsent) -> None:
    """Give a leased mail back. Failures of one step in a row are one try."""
    name = unsent.leased.mail.id
    ours = (outbox.c.id == name, outbox.c.lease == unsent.leased.number)
    row = connection.execute(select(outbox).where(*ours)).one_or_none()
    if row is None or row.state != OutboundState.SENDING.value:
        return
    values: dict[str, object] = {
        "state": OutboundState.DEFERRED.value,
        "lease_until": None,
        "next_attempt": unsent.retry_at.timestamp(),
        "diagnosis": unsent.why,
        "cause": unsent.cause,
    }
    step = unsent.step or unsent.why
    same = (
        attempt.c.outbox_id == name,
        attempt.c.number == row.attempts,
        attempt.c.way_out == unsent.leased.mail.way_out,
        attempt.c.answers.is_(None),
        attempt.c.cause == unsent.cause,
        func.substr(attempt.c.outcome, 1, len(step)) == step,
    )
    again = {
        "times": attempt.c.times + 1,
        "last": unsent.at.timestamp(),
        "seconds": unsent.seconds,
        "outcome": unsent.why,
    }
    if not connection.execute(update(attempt).where(*same).values(again)).rowcount:
        values["attempts"] = row.attempts + 1
        connection.execute(
            insert(attempt).values(
                outbox_id=name,
                number=row.attempts + 1,
                at=unsent.at.timestamp(),
                way_out=unsent.leased.mail.way_out,
                outcome=unsent.why,
                seconds=unsent.seconds,
                cause=unsent.cause,
            )
        )
    connection.execute(update(outbox).where(*ours).values(values))


def cut_off(connection: Connection, now: datetime, why: str, lease: float) -> int:
    """Queue anew what is leased by a daemon that is no more; *why* is kept as a try. Returns how many there were.

    It is told as of the moment when the lease of *lease* seconds was taken, or was renewed last.
    """
    leased = outbox.c.lease_until.is_not(None)
    rows = connection.execute(select(outbox).where(leased, outbox.c.state == OutboundState.SENDING.value)).all()
    if rows:
        tries = [
            {
                "outbox_id": row.id,
                "number": row.attempts + 1,
                "at": min(row.lease_until - lease, now.timestamp()),
                "way_out": row.way_out,
                "outcome": why,
            }
            for row in rows
        ]
        connection.execute(insert(attempt), tries)
        names = [row.id for row in rows]
        connection.execute(update(outbox).where(outbox.c.id.in_(names)).values(attempts=outbox.c.attempts + 1))
    return give_back(connection, leased, now)
