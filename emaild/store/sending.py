"""The daemon's side of the outbox: leases, what came of each try, and what is given up.

A lease lasts as long as its daemon renews it; what a dead daemon held is sent again under the same Message-ID. Each
lease has a number that grows, so that whoever holds an older one learns it before a server has the mail twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    func,
    insert,
    select,
    update,
)

from emaild.errors import LeaseLost
from emaild.message import Delivery, Outbound, OutboundState, RecipientState
from emaild.store.engine import Database
from emaild.store.late import WAITS, Notice, keep_notice
from emaild.store.outbound_states import state_of, summary
from emaild.store.outbox_entries import OutboxEntry, entries_of, mail_of, when
from emaild.store.schema import attempt, outbox, raw, recipient

PAGE = 200
LOOKED_AT = 500  # due mails among which those are looked for that were held back often enough
MOST_BYTES = 8 * 1024 * 1024  # of the mails of one lease, unless its first is larger
OVERDUE = "it was not sent in time"


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
ANSWER = (
    update(recipient)
    .where(recipient.c.outbox_id == bindparam("name"), recipient.c.position == bindparam("place"))
    .values(state=bindparam("new"), code=bindparam("said"), text=bindparam("words"))
)
INSERT_ATTEMPT = insert(attempt)
CONCLUDED = ("state", "attempts", "lease_until", "next_attempt", "finished", "diagnosis", "cause")
CONCLUDE = (
    update(outbox)
    .where(outbox.c.id == bindparam("name"))
    .values({name: bindparam(f"new_{name}") for name in CONCLUDED})
)


@dataclass(frozen=True, kw_only=True)
class Leased:
    """A mail that is ours to send: to the recipients that still wait. `created` is when it came into the outbox."""

    mail: Outbound
    created: datetime
    number: int


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What came of a try, which began `at` and took `seconds`.

    Recipients that still wait are tried again at `retry_at`; None: they are given up. `cause` is the diagnosis's key,
    `notice` what tells its sender's queue who never gets it.
    """

    leased: Leased
    at: datetime
    seconds: float
    delivery: Delivery
    retry_at: datetime | None
    cause: str = ""
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


class Sending:
    """Safe in any number of threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Leases

    def has_due(self, way_out: str, now: datetime) -> bool:
        """Whether a mail may be sent that way now."""
        with self._database.read() as connection:
            return any(connection.execute(DUE, _which(way_out, now, kind, 1)).first() for kind in (True, False))

    def lease(
        self,
        way_out: str,
        now: datetime,
        until: datetime,
        *,
        most: int,
        ration: int | None = None,
        past: int | None = None,
    ) -> list[Leased]:
        """The mails that are due for longest, at most that many, ours until then; first those that somebody waits for.

        Of the others there are at most *ration*, but for those that were held back *past* times or more.
        """
        if not self.has_due(way_out, now):  # looking takes no lock for which a writer waits
            return []
        with self._database.write() as connection:
            names = _within_bytes(_chosen(connection, way_out, now, most, ration, past))
            connection.execute(LEASE, {"names": names, "until": until.timestamp()})
            return _leased(connection, names)

    def renew(self, leases: Sequence[Leased], until: datetime) -> set[str]:
        """Keep those that are still ours; returns the ids of these mails."""
        names = [one.mail.id for one in leases]
        sending = (outbox.c.id.in_(names), outbox.c.state == OutboundState.SENDING.value)
        with self._database.write() as connection:
            numbers = {
                row.id: row.lease for row in connection.execute(select(outbox.c.id, outbox.c.lease).where(*sending))
            }
            kept = {one.mail.id for one in leases if numbers.get(one.mail.id) == one.number}
            connection.execute(update(outbox).where(outbox.c.id.in_(kept)).values(lease_until=until.timestamp()))
        return kept

    def keep(self, leased: Leased, until: datetime) -> None:
        """Renew one lease.

        Raises:
            LeaseLost: it is not ours any more.
        """
        name = leased.mail.id
        ours = (outbox.c.id == name, outbox.c.lease == leased.number, outbox.c.state == OutboundState.SENDING.value)
        with self._database.write() as connection:
            kept = connection.execute(update(outbox).where(*ours).values(lease_until=until.timestamp())).rowcount
        if not kept:
            raise LeaseLost(f"somebody else sends the mail {name} by now")

    def resume(self, now: datetime) -> int:
        """Queue anew what a daemon held that is no more; to be called by the only daemon, before it sends."""
        with self._database.write() as connection:
            return _give_back(connection, outbox.c.lease_until.is_not(None), now)

    def take_back(self, now: datetime) -> int:
        """Queue anew what is leased by a daemon that does not renew. Returns how many there were."""
        over = outbox.c.lease_until < now.timestamp()
        with self._database.read() as connection:
            if connection.execute(select(outbox.c.id).where(over).limit(1)).first() is None:
                return 0
        with self._database.write() as connection:
            return _give_back(connection, over, now)

    def hurry(self, way_out: str, now: datetime) -> None:
        """What waits for its next try by that way out is due now."""
        moment = now.timestamp()
        later = (outbox.c.way_out == way_out, outbox.c.next_attempt.is_not(None), outbox.c.next_attempt > moment)
        with self._database.write() as connection:
            connection.execute(update(outbox).where(*later).values(next_attempt=moment))

    # What came of it

    def record(self, tries: Sequence[Tried], now: datetime) -> list[OutboundState]:
        """What became of tries, in one commit. Returns the state that each mail has now."""
        with self._database.write() as connection:
            return [state for some in _apart(tries) for state in _record(connection, some, now)]

    def release(self, unsent: Sequence[Unsent]) -> None:
        """Give leased mails back: the way out did not work, which is no fault of theirs."""
        with self._database.write() as connection:
            for one in unsent:
                _release(connection, one)

    def give_back(self, leases: Sequence[Leased], now: datetime) -> None:
        """Mails that were leased and not tried."""
        with self._database.write() as connection:
            for one in leases:
                _give_back(connection, (outbox.c.id == one.mail.id) & (outbox.c.lease == one.number), now)

    # What is held back, moved, given up

    def tries_since(self, way_out: str, since: datetime) -> int:
        """How many mails that way out was asked to take since then."""
        counted = (attempt.c.way_out == way_out, attempt.c.at >= since.timestamp(), attempt.c.answers.is_not(None))
        with self._database.read() as connection:
            return connection.execute(select(func.count()).select_from(attempt).where(*counted)).scalar_one()

    def defer(self, way_out: str, now: datetime, until: datetime, *, why: str, past: int | None, most: int) -> int:
        """Hold back mails that are due and nobody waits for, unless they were *past* times. Returns how many.

        The *most* that are due for longest are looked at.
        """
        head = DUE.params(_which(way_out, now, False, most)).subquery()
        chosen = select(head.c.id)
        if past is not None:
            chosen = chosen.where(head.c.deferrals < past)
        with self._database.read() as connection:
            if connection.execute(chosen.limit(1)).first() is None:
                return 0
        values = {
            "state": OutboundState.DEFERRED.value,
            "deferrals": outbox.c.deferrals + 1,
            "next_attempt": until.timestamp(),
            "diagnosis": why,
            "cause": "",
        }
        with self._database.write() as connection:
            return connection.execute(update(outbox).where(outbox.c.id.in_(chosen)).values(values)).rowcount

    def reroute(self, way_out: str, to: str, now: datetime, *, why: str, most: int) -> list[str]:
        """Give at most that many waiting mails to another way out, due now. Returns their ids."""
        query = select(outbox.c.id).where(outbox.c.way_out == way_out, outbox.c.next_attempt.is_not(None))
        query = query.order_by(outbox.c.next_attempt, outbox.c.id)
        names: list[str] = []
        with self._database.write() as connection:
            for kind in (True, False):
                names += connection.scalars(query.where(outbox.c.interactive.is_(kind)).limit(most - len(names)))
            values = {"way_out": to, "next_attempt": now.timestamp(), "diagnosis": why, "cause": ""}
            connection.execute(update(outbox).where(outbox.c.id.in_(names)).values(values))
        return names

    def expire(
        self,
        way_out: str,
        created_before: datetime,
        now: datetime,
        notices: Mapping[tuple[str, int], Notice | None] | None = None,
    ) -> list[OutboxEntry]:
        """Give up what waits for longer; returns what was given up.

        Where there are *notices*, by id and attempts, nothing else is given up, and nothing that was tried meanwhile.
        """
        query = select(outbox.c.id, outbox.c.attempts, outbox.c.diagnosis).where(
            outbox.c.way_out == way_out,
            outbox.c.finished.is_(None),
            outbox.c.created < created_before.timestamp(),
            outbox.c.state.in_(WAITS),
        )
        if notices is not None:
            query = query.where(outbox.c.id.in_([name for name, _ in notices]))
        with self._database.read() as connection:
            if connection.execute(query.limit(1)).first() is None:
                return []
        with self._database.write() as connection:
            old = connection.execute(query.limit(PAGE)).all()
            if notices is not None:
                old = [row for row in old if (row.id, row.attempts) in notices]
            for row in old:
                keep_notice(connection, notices[row.id, row.attempts] if notices else None)
                _give_up(connection, row.id)
                states = _recipient_states(connection, [row.id])[row.id]
                values = {
                    "state": state_of(states, expired=True).value,
                    "next_attempt": None,
                    "finished": now.timestamp(),
                    "diagnosis": row.diagnosis or OVERDUE,
                }
                connection.execute(update(outbox).where(outbox.c.id == row.id).values(values))
            rows = connection.execute(select(outbox).where(outbox.c.id.in_([row.id for row in old]))).all()
            return entries_of(connection, rows)


def _which(way_out: str, now: datetime, interactive: bool, most: int) -> dict[str, object]:
    """What DUE asks for."""
    return {"way": way_out, "now": now.timestamp(), "kind": interactive, "most": most}


def _chosen(
    connection: Connection, way_out: str, now: datetime, most: int, ration: int | None, past: int | None
) -> list[Row[Any]]:
    rows = list(connection.execute(DUE, _which(way_out, now, True, most)))
    left = most - len(rows)
    looked_at = left if ration is None or past is None else LOOKED_AT
    due = connection.execute(DUE, _which(way_out, now, False, looked_at)).all()
    if ration is None:
        return rows + list(due)
    free = max(0, min(left, ration - len(rows)))  # those that somebody waits for count, too
    rows += due[:free]
    if past is not None:
        rows += [row for row in due[free:] if row.deferrals >= past][: left - free]
    return rows


def _within_bytes(rows: Sequence[Row[Any]]) -> list[str]:
    """As many as may be in memory together; one in any case."""
    names: list[str] = []
    total = 0
    for row in rows:
        total += row.size
        if names and total > MOST_BYTES:
            break
        names.append(row.id)
    return names


def _leased(connection: Connection, names: Sequence[str]) -> list[Leased]:
    waiting: dict[str, list[str]] = defaultdict(list)
    for one in connection.execute(RECIPIENTS, {"names": names}):
        if one.state == RecipientState.WAITING.value:
            waiting[one.outbox_id].append(one.address)
    rows = {row.id: row for row in connection.execute(ROWS, {"names": names})}
    return [
        Leased(mail=mail_of(connection, row, waiting[row.id]), created=when(row.created), number=row.lease)
        for row in map(rows.__getitem__, names)
    ]


def _give_back(connection: Connection, which: ColumnElement[bool], now: datetime) -> int:
    sending = outbox.c.state == OutboundState.SENDING.value
    values = {"state": OutboundState.QUEUED.value, "lease_until": None, "next_attempt": now.timestamp()}
    return connection.execute(update(outbox).where(which, sending).values(values)).rowcount


def _apart(tries: Sequence[Tried]) -> list[list[Tried]]:
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


def _record(connection: Connection, tries: Sequence[Tried], now: datetime) -> list[OutboundState]:
    names = [one.leased.mail.id for one in tries]
    rows = {row.id: row for row in connection.execute(ROWS, {"names": names})}
    there = [one for one in tries if one.leased.mail.id in rows]
    if there:
        connection.execute(INSERT_ATTEMPT, [_attempt(one, rows[one.leased.mail.id]) for one in there])
    ours = [one for one in there if _ours(one, rows[one.leased.mail.id])]
    states = _write_receipts(connection, ours)
    for one in ours:
        keep_notice(connection, one.notice)
    changes: list[dict[str, object]] = []
    found = [_conclude(connection, one, rows.get(one.leased.mail.id), states, now, changes) for one in tries]
    if changes:
        connection.execute(CONCLUDE, changes)
    return found


def _ours(tried: Tried, row: Row[Any]) -> bool:
    """Whether nobody leased the mail after us, or ended it. That our lease ran out meanwhile does not matter then."""
    waits = row.state == OutboundState.SENDING.value or row.next_attempt is not None
    return waits and bool(row.lease == tried.leased.number)


def _write_receipts(connection: Connection, tries: Sequence[Tried]) -> dict[str, set[str]]:
    """Returns the states that each mail's recipients have then."""
    said = {(one.leased.mail.id, got.address): got for one in tries for got in one.delivery.receipts}
    states: dict[str, set[str]] = {one.leased.mail.id: set() for one in tries}
    changes = []
    for row in connection.execute(RECIPIENTS, {"names": list(states)}):
        got = said.get((row.outbox_id, row.address)) if row.state == RecipientState.WAITING.value else None
        states[row.outbox_id].add(got.state.value if got else row.state)
        if got:
            new = {"new": got.state.value, "said": got.code, "words": got.text}
            changes.append({"name": row.outbox_id, "place": row.position, **new})
    if changes:
        connection.execute(ANSWER, changes)
    return states


def _recipient_states(connection: Connection, names: Sequence[str]) -> dict[str, set[str]]:
    states: dict[str, set[str]] = {name: set() for name in names}
    query = select(recipient.c.outbox_id, recipient.c.state).where(recipient.c.outbox_id.in_(names)).distinct()
    for name, state in connection.execute(query):
        states[name].add(state)
    return states


def _give_up(connection: Connection, name: str) -> None:
    waiting = (recipient.c.outbox_id == name, recipient.c.state == RecipientState.WAITING.value)
    connection.execute(update(recipient).where(*waiting).values(state=RecipientState.FAILED.value))


def _attempt(tried: Tried, row: Row[Any]) -> dict[str, object]:
    return {
        "outbox_id": row.id,
        "number": row.attempts + 1,
        "at": tried.at.timestamp(),
        "way_out": tried.leased.mail.way_out,
        "outcome": summary(tried.delivery.receipts),
        "seconds": tried.seconds,
        "server": tried.delivery.server,
        "tls": tried.delivery.tls,
        "answers": [[one.address, one.state.value, one.code, one.text] for one in tried.delivery.receipts],
        "cause": tried.cause,
    }


def _conclude(
    connection: Connection,
    tried: Tried,
    row: Row[Any] | None,
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
        _give_up(connection, name)
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
            "new_diagnosis": "" if sent else summary(tried.delivery.receipts),
            "new_cause": "" if sent else tried.cause,
        }
    )
    return state


def _release(connection: Connection, unsent: Unsent) -> None:
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
