"""What the webhook's receiver is still to be told, in the order of each thread.

The first of a thread has the time of its next try, the others wait until it is gone: so what is due is found by one
look into an index, however many wait.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from emaild.store.engine import Database
from emaild.store.numbers import last_number
from emaild.store.schema import cursor, interaction, push

ACCOUNT = "webhook"  # the cursor's name; those of mailboxes have a colon
BEHIND = 1e18  # seconds: not before the thread's first is gone
PAGE = 500


@dataclass(frozen=True, kw_only=True)
class Push:
    """An interaction that is to be told; `at` is since when, `attempts` how often it was tried in vain."""

    id: str
    thread_id: str
    at: datetime
    attempts: int


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a look for new interactions found. `began`: the number from which on it counts, at the first look."""

    began: int | None = None
    more: bool = False


class Pushes:
    """The webhook's part of the store. One job of one process works on it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, wanted: Callable[[str], bool], now: datetime) -> Taken:
        """Remember new interactions in *wanted* queues, and that they were looked at, in one commit.

        The first time nothing is taken: it begins with what comes from then on.
        """
        with self._database.read() as connection:  # looking takes no lock for which a writer waits
            before, last = _position(connection), last_number(connection)
        if before is not None and before >= last:
            return Taken()
        with self._database.write() as connection:
            if before is None:
                last = last_number(connection)
                _move(connection, last)
                return Taken(began=last)
            columns = interaction.c
            query = select(columns.id, columns.number, columns.thread_id, columns.queue)
            rows = connection.execute(query.where(columns.number > before).order_by(columns.number).limit(PAGE)).all()
            for row in rows:
                if wanted(row.queue):
                    _add(connection, row.id, row.number, row.thread_id, now.timestamp())
            _move(connection, rows[-1].number if rows else last)  # the newest may be removed already
        return Taken(more=len(rows) == PAGE)

    def due(self, now: datetime, most: int) -> list[Push]:
        """At most that many that may be told now, one of each thread, those that are due for longest first."""
        query = select(push).where(push.c.next_attempt <= now.timestamp())
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(push.c.next_attempt, push.c.number).limit(most)).all()
        return [
            Push(
                id=row.interaction_id,
                thread_id=row.thread_id,
                at=datetime.fromtimestamp(row.at, UTC),
                attempts=row.attempts,
            )
            for row in rows
        ]

    def done(self, one: Push, now: datetime) -> None:
        """It was told, or given up; the next of its thread is due. In one commit."""
        with self._database.write() as connection:
            connection.execute(delete(push).where(push.c.interaction_id == one.id))
            first = select(func.min(push.c.number)).where(push.c.thread_id == one.thread_id).scalar_subquery()
            following = (push.c.thread_id == one.thread_id, push.c.number == first, push.c.next_attempt == BEHIND)
            connection.execute(update(push).where(*following).values(next_attempt=now.timestamp()))

    def failed(self, one: Push, retry_at: datetime) -> None:
        """It was tried in vain."""
        values = {"attempts": one.attempts + 1, "next_attempt": retry_at.timestamp()}
        with self._database.write() as connection:
            connection.execute(update(push).where(push.c.interaction_id == one.id).values(values))

    def mend(self, now: datetime) -> None:
        """Make those due whose thread's first was removed from the store with its interaction."""
        first = select(push.c.thread_id, func.min(push.c.number).label("number")).group_by(push.c.thread_id).subquery()
        is_first = (push.c.thread_id == first.c.thread_id) & (push.c.number == first.c.number)
        stuck = select(push.c.interaction_id).join(first, is_first).where(push.c.next_attempt == BEHIND)
        with self._database.read() as connection:
            if connection.execute(stuck.limit(1)).first() is None:
                return
        with self._database.write() as connection:
            names = list(connection.scalars(stuck.limit(PAGE)))
            connection.execute(
                update(push).where(push.c.interaction_id.in_(names)).values(next_attempt=now.timestamp())
            )

    def waiting(self) -> tuple[int, datetime | None]:
        """How many wait, and since when the oldest does; reads them all."""
        with self._database.read() as connection:
            count, oldest = connection.execute(select(func.count(), func.min(push.c.at)).select_from(push)).one()
        return count, None if oldest is None else datetime.fromtimestamp(oldest, UTC)


def _add(connection: Connection, name: str, number: int, thread_id: str, now: float) -> None:
    ahead = connection.execute(select(push.c.number).where(push.c.thread_id == thread_id).limit(1)).first()
    connection.execute(
        insert(push).values(
            interaction_id=name,
            number=number,
            thread_id=thread_id,
            at=now,
            attempts=0,
            next_attempt=now if ahead is None else BEHIND,
        )
    )


def _position(connection: Connection) -> int | None:
    """The number up to which interactions were looked at; None: it never was."""
    found = connection.execute(select(cursor.c.cursor).where(cursor.c.account == ACCOUNT)).scalar_one_or_none()
    return None if found is None else int(found)


def _move(connection: Connection, position: int) -> None:
    row = upsert(cursor).values(account=ACCOUNT, cursor=str(position))
    connection.execute(row.on_conflict_do_update(index_elements=["account"], set_={"cursor": str(position)}))
