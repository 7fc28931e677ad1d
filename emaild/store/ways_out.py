"""How each way out fares, as `emaild ways` shows it while the daemon runs elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select

from emaild.store.engine import Database
from emaild.store.outbox_entries import when
from emaild.store.schema import way_out_status


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

    def report(self, states: Iterable[WayOutStatus]) -> None:
        """These are all that there are."""
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
            connection.execute(delete(way_out_status))
            if rows:
                connection.execute(insert(way_out_status), rows)

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
