"""How each mailbox fares, as `emaild mailboxes` shows it while the daemon runs elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, delete, select
from sqlalchemy.dialects.sqlite import insert

from emaild.store.engine import Database
from emaild.store.schema import mailbox_status


@dataclass(frozen=True, kw_only=True)
class MailboxStatus:
    """One mailbox: `state` is ok, failing, waiting (not read yet) or resting (enable-client = false)."""

    name: str
    state: str
    last_poll: datetime | None = None
    last_mail: datetime | None = None
    last_error: str | None = None
    next_due: datetime | None = None


class Mailboxes:
    """The states of all mailboxes, by section name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def report(self, states: Iterable[MailboxStatus], configured: Iterable[str] | None = None) -> None:
        """Write these states, and, given which mailboxes are *configured*, forget all others."""
        rows = [{field.name: _number(getattr(state, field.name)) for field in fields(state)} for state in states]
        upsert = insert(mailbox_status)
        upsert = upsert.on_conflict_do_update(index_elements=["name"], set_=dict(upsert.excluded))
        with self._database.write() as connection:
            if configured is not None:
                connection.execute(delete(mailbox_status).where(mailbox_status.c.name.not_in(list(configured))))
            if rows:
                connection.execute(upsert, rows)

    def all(self) -> Mapping[str, MailboxStatus]:
        """What was reported last."""
        with self._database.read() as connection:
            rows = connection.execute(select(mailbox_status).order_by(mailbox_status.c.name)).all()
        return {row.name: _status(row) for row in rows}


def _number(value: object) -> object:
    return value.timestamp() if isinstance(value, datetime) else value


def _status(row: Row[Any]) -> MailboxStatus:
    def when(seconds: float | None) -> datetime | None:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

    return MailboxStatus(
        name=row.name,
        state=row.state,
        last_poll=when(row.last_poll),
        last_mail=when(row.last_mail),
        last_error=row.last_error,
        next_due=when(row.next_due),
    )
