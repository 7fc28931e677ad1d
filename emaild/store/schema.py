"""The tables of the store, and how an older store becomes one of today.

A migration is never changed once it was released; a new one is appended, and `TABLES` is kept equal to what they make
(held by a test).
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

TABLES = MetaData()

version = Table("schema_version", TABLES, Column("version", Integer, primary_key=True))

raw = Table(
    "raw",
    TABLES,
    Column("digest", String(64), primary_key=True),  # SHA-256 of the bytes, in hex
    Column("size", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

interaction = Table(
    "interaction",
    TABLES,
    Column("id", String(16), primary_key=True),
    Column("type", String(16), nullable=False),
    Column("subtype", String(40), nullable=False),
    Column("mailbox", String(255), nullable=False),
    Column("received", Float, nullable=False),  # seconds since 1970, UTC, as are all times here
    Column("queue", String(255), nullable=False),
    Column("state", String(16), nullable=False),
    Column("thread_id", String(16), nullable=False),
    Column("parent_id", String(16)),
    Column("message_id", Text),
    Column("raw_digest", String(64), ForeignKey("raw.digest"), nullable=False),
    Column("facts", JSON, nullable=False),
    Index("interaction_received", "received"),
    Index("interaction_message_id", "message_id"),
    Index("interaction_raw", "raw_digest"),
)

# What was fetched, or is never to be: one row a mail and mailbox, kept for good.
seen = Table(
    "seen",
    TABLES,
    Column("account", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("digest", String(64)),  # None: an old mail that is not taken
    Column("settled", Boolean, nullable=False),  # what after-fetch asks for is done on the server
    Index("seen_digest", "account", "digest"),
    Index("seen_unsettled", "account", "settled"),
)

cursor = Table(
    "cursor",
    TABLES,
    Column("account", Text, primary_key=True),
    Column("cursor", Text, nullable=False),
)

# What `emaild mailboxes` shows; written by the daemon, of no weight for what it does.
mailbox_status = Table(
    "mailbox_status",
    TABLES,
    Column("name", Text, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("last_poll", Float),
    Column("last_mail", Float),
    Column("last_error", Text),
    Column("next_due", Float),
)

outbox = Table(
    "outbox",
    TABLES,
    Column("id", String(16), primary_key=True),
    Column("created", Float, nullable=False),
    Column("way_out", String(255), nullable=False),
    Column("sender", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("raw_digest", String(64), ForeignKey("raw.digest"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt", Float),
    Column("lease_until", Float),
    Column("finished", Float),
    Column("diagnosis", Text, nullable=False),
    Index("outbox_due", "way_out", "state", "next_attempt"),
    Index("outbox_finished", "finished"),
    Index("outbox_raw", "raw_digest"),
)

recipient = Table(
    "recipient",
    TABLES,
    Column("outbox_id", String(16), ForeignKey("outbox.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("address", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("code", String(16), nullable=False),
    Column("text", Text, nullable=False),
)

attempt = Table(
    "attempt",
    TABLES,
    Column("outbox_id", String(16), ForeignKey("outbox.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("way_out", String(255), nullable=False),
    Column("outcome", Text, nullable=False),
)


def _first(connection: Connection) -> None:
    """Version 1: everything above."""
    TABLES.create_all(connection)


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (_first,)
"""The n-th brings a store from version n-1 to n."""

CURRENT = len(MIGRATIONS)
