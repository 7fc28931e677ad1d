"""How each way out fares, as `emaild ways` shows it while the daemon runs elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import Connection, delete, insert, select, update

from emaild.store.engine import Database
from emaild.store.outbox_entries import when
from emaild.store.schema import way_out_status

FAILING = "failing"
NOTHING: Mapping[str, WayOutStatus] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class WayOutStatus:
    """One way out. `state` is ok, failing, limited, waiting (not tried yet) or resting (enable-client = false).

    limited: as many mails went in this minute as may. `next_try` is when a way that fails is tried again, or when the
    minute of one that is limited is over. `last_error` stays after it worked again.
    """

    name: str
    state: str
    last_sent: datetime | None = None
    last_error: str | None = None
    next_try: datetime | None = None


class WaysOut:
    """The states of all ways out, by section name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def wake(self, names: Collection[str]) -> set[str]:
        """Have those of these ways tried at once that fail and rest: their `next_try` goes. Returns which they are."""
        resting = (way_out_status.c.name.in_(names), way_out_status.c.next_try.is_not(None))
        failing = way_out_status.c.state == FAILING
        query = select(way_out_status.c.name).where(*resting, failing)
        with self._database.read() as connection:  # as a rule none rests, and looking takes no lock
            if connection.execute(query.limit(1)).first() is None:
                return set()
        with self._database.write() as connection:
            found = set(connection.scalars(query))
            connection.execute(update(way_out_status).where(way_out_status.c.name.in_(found)).values(next_try=None))
        return found

    def to_wake(self, reported: Mapping[str, WayOutStatus]) -> set[str]:
        """The ways that are to be tried at once since these states were *reported*."""
        with self._database.read() as connection:
            return _to_wake(connection, reported)

    def report(self, states: Iterable[WayOutStatus], before: Mapping[str, WayOutStatus] = NOTHING) -> set[str]:
        """These are all that there are; *before* is what was reported last. Returns as `to_wake`."""
        rows = [
            {
                "name": one.name,
                "state": one.state,
                "last_sent": one.last_sent and one.last_sent.timestamp(),
                "last_error": one.last_error,
                "next_try": one.next_try and one.next_try.timestamp(),
            }
            for one in states
        ]
        with self._database.write() as connection:
            woken = _to_wake(connection, before)
            connection.execute(delete(way_out_status))
            if rows:
                connection.execute(insert(way_out_status), rows)
        return woken

    def all(self) -> Mapping[str, WayOutStatus]:
        """What was reported last."""
        with self._database.read() as connection:
            rows = connection.execute(select(way_out_status).order_by(way_out_status.c.name)).all()
        return {
            row.name: WayOutStatus(
                name=row.name,
                state=row.state,
                last_sent=None if row.last_sent is None else when(row.last_sent),
                last_error=row.last_error,
                next_try=None if row.next_try is None else when(row.next_try),
            )
            for row in rows
        }


def _to_wake(connection: Connection, reported: Mapping[str, WayOutStatus]) -> set[str]:
    rested = {name for name, one in reported.items() if one.state == FAILING and one.next_try}
    asked = (way_out_status.c.name.in_(rested), way_out_status.c.next_try.is_(None))
    return set(connection.scalars(select(way_out_status.c.name).where(*asked))) if rested else set()
