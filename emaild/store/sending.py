"""The daemon's side of the outbox: leases, what came of each try, and what is given up.

A lease lasts as long as its daemon renews it; what a dead daemon held is sent again under the same Message-ID.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from emaild.errors import LeaseLost
from emaild.message import OutboundState
from emaild.store.engine import Database
from emaild.store.late import WAITS, Notice, keep_notice
from emaild.store.leases import (
    DUE,
    FIND_DUE,
    Leased,
    asked_of_due,
    chosen_to_lease,
    give_back,
    lease,
)
from emaild.store.outbound_states import state_of
from emaild.store.outbox_entries import OutboxEntry, entries_of, when
from emaild.store.schema import attempt, outbox
from emaild.store.tries import Tried, Unsent, apart, cut_off, give_up, recipient_states, record, release

PAGE = 200
OVERDUE = "it was not sent in time"
ENDED = "the daemon ended while it had this mail in hand; whether it was sent is not known"


class Sending:
    """Safe in any number of threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Leases

    def has_due(self, way_out: str, now: datetime) -> bool:
        """Whether a mail may be sent that way now."""
        with self._database.read() as connection:
            return any(FIND_DUE.execute(connection, asked_of_due(way_out, now, kind, 1)) for kind in (True, False))

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
            return lease(connection, chosen_to_lease(connection, way_out, now, most, ration, past), until)

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

    def resume(self, now: datetime, *, lease: float) -> int:
        """Queue anew what a daemon held that is no more; to be called by the only daemon, before it sends.

        *lease* is for how many seconds that one leased. The log of each mail says that a try may have been cut off.
        """
        with self._database.write() as connection:
            return cut_off(connection, now, ENDED, lease)

    def take_back(self, now: datetime) -> int:
        """Queue anew what is leased by a daemon that does not renew. Returns how many there were."""
        over = outbox.c.lease_until < now.timestamp()
        with self._database.read() as connection:
            if connection.execute(select(outbox.c.id).where(over).limit(1)).first() is None:
                return 0
        with self._database.write() as connection:
            return give_back(connection, over, now)

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
            return _recorded(connection, tries, now)

    def record_and_lease(
        self, tries: Sequence[Tried], way_out: str, now: datetime, until: datetime, *, most: int
    ) -> tuple[list[OutboundState], list[Leased]]:
        """`record`, and in the same commit `lease` without a ration."""
        with self._database.write() as connection:
            states = _recorded(connection, tries, now)
            return states, lease(connection, chosen_to_lease(connection, way_out, now, most), until)

    def release(self, unsent: Sequence[Unsent]) -> None:
        """Give leased mails back: the way out did not work, which is no fault of theirs."""
        with self._database.write() as connection:
            for one in unsent:
                release(connection, one)

    def give_back(self, leases: Sequence[Leased], now: datetime) -> None:
        """Mails that were leased and not tried."""
        with self._database.write() as connection:
            for one in leases:
                give_back(connection, (outbox.c.id == one.mail.id) & (outbox.c.lease == one.number), now)

    # What is held back, moved, given up

    def tries_since(self, way_out: str, since: datetime, most: int) -> list[datetime]:
        """When that way out was asked to take a mail since then, the first first; the last *most* of these times."""
        counted = (attempt.c.way_out == way_out, attempt.c.at >= since.timestamp(), attempt.c.answers.is_not(None))
        query = select(attempt.c.at).where(*counted).order_by(attempt.c.at.desc()).limit(most)
        with self._database.read() as connection:
            return [when(at) for at in reversed(connection.scalars(query).all())]

    def defer(self, way_out: str, now: datetime, until: datetime, *, why: str, past: int | None, most: int) -> int:
        """Hold back mails that are due and nobody waits for, unless they were *past* times. Returns how many.

        The *most* that are due for longest are looked at.
        """
        head = DUE.params(asked_of_due(way_out, now, False, most)).subquery()
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
                give_up(connection, row.id)
                states = recipient_states(connection, [row.id])[row.id]
                values = {
                    "state": state_of(states, expired=True).value,
                    "next_attempt": None,
                    "finished": now.timestamp(),
                    "diagnosis": row.diagnosis or OVERDUE,
                }
                connection.execute(update(outbox).where(outbox.c.id == row.id).values(values))
            rows = connection.execute(select(outbox).where(outbox.c.id.in_([row.id for row in old]))).all()
            return entries_of(connection, rows)


def _recorded(connection: Connection, tries: Sequence[Tried], now: datetime) -> list[OutboundState]:
    return [state for some in apart(tries) for state in record(connection, some, now)]
