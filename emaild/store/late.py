"""Mails that wait for too long, and the notices of that which come in as mails of our own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, select, update

from emaild.message import Inbound, OutboundState, Understood
from emaild.store import raw
from emaild.store.engine import Database
from emaild.store.outbox_entries import OutboxEntry, entries_of
from emaild.store.schema import outbox
from emaild.store.taking import put

WAITS = (OutboundState.QUEUED.value, OutboundState.DEFERRED.value)


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What a mail of ours became that says what came of another; *account* is where it is said to come from.

    *submitted*: programs see it at once; else it waits for the rules.
    """

    account: str
    inbound: Inbound
    understood: Understood
    submitted: bool


@dataclass(frozen=True, kw_only=True)
class Late:
    """A mail that waits for too long, and its bytes."""

    entry: OutboxEntry
    raw: bytes


def keep_notice(connection: Connection, notice: Notice | None) -> None:
    """In the commit of what it tells, so that neither is without the other."""
    if notice is not None:
        put(connection, notice.account, notice.inbound.raw, notice.understood, submitted=notice.submitted)


class LateMails:
    """Safe in any number of threads. What is *late* came before a time into the outbox, and is not being sent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, way_out: str, created_before: datetime, most: int) -> list[Late]:
        """At most that many of a way out that are late."""
        return self._read(_late(way_out, created_before).limit(most))

    def untold(self, way_out: str, created_before: datetime, most: int) -> list[Late]:
        """At most that many that are late, and of which that was not told."""
        return self._read(_late(way_out, created_before).where(outbox.c.delay_told.is_(False)).limit(most))

    def tell(self, notices: Mapping[str, Notice | None]) -> set[str]:
        """Say of mails, by their ids, that they are late; once of each. Returns of which it was said now."""
        told = set()
        with self._database.write() as connection:
            for name, notice in notices.items():
                late = (outbox.c.id == name, outbox.c.state.in_(WAITS), outbox.c.delay_told.is_(False))
                if connection.execute(update(outbox).where(*late).values(delay_told=True)).rowcount:
                    keep_notice(connection, notice)
                    told.add(name)
        return told

    def _read(self, query: Select[tuple[object, ...]]) -> list[Late]:
        with self._database.read() as connection:
            entries = entries_of(connection, connection.execute(query).all())
            return [Late(entry=entry, raw=raw.get(connection, entry.raw_digest)) for entry in entries]


def _late(way_out: str, created_before: datetime) -> Select[tuple[object, ...]]:
    here = (outbox.c.way_out == way_out, outbox.c.finished.is_(None))
    return select(outbox).where(*here, outbox.c.created < created_before.timestamp(), outbox.c.state.in_(WAITS))
