"""Mails byte for byte, each once, found by the digest of its bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, delete, exists, select
from sqlalchemy.dialects.sqlite import insert

from emaild.errors import NotFound
from emaild.store.prepared import Prepared
from emaild.store.schema import held, interaction, outbox, raw

PUT = Prepared(insert(raw).on_conflict_do_nothing())
GET = Prepared(select(raw.c.body).where(raw.c.digest == bindparam("name")))


def digest(body: bytes) -> str:
    """The name of these bytes in the store."""
    return hashlib.sha256(body).hexdigest()


def put(connection: Connection, name: str, body: bytes) -> None:
    """Keep the bytes; they may be there already."""
    PUT.execute(connection, {"digest": name, "size": len(body), "body": body})


def put_all(connection: Connection, mails: Iterable[tuple[str, bytes]]) -> None:
    """The same for several, by their names."""
    PUT.execute_all(connection, [{"digest": name, "size": len(body), "body": body} for name, body in mails])


def get(connection: Connection, name: str) -> bytes:
    """The bytes of that name.

    Raises:
        NotFound: they are not kept any more.
    """
    for row in GET.execute(connection, {"name": name}):
        return bytes(row.body)
    raise NotFound(f"no mail {name} in the store")


def drop(connection: Connection, table: Table, rows: Sequence[Row[Any, Any]]) -> None:
    """Remove rows of a table, by their `id`, and those bytes of their `raw_digest` that nothing points to then."""
    if rows:
        connection.execute(delete(table).where(table.c.id.in_([row.id for row in rows])))
        drop_unused(connection, {row.raw_digest for row in rows})


def drop_unused(connection: Connection, names: set[str]) -> None:
    """Remove those bytes that nothing points to any more."""
    used = exists().where(interaction.c.raw_digest == raw.c.digest)
    waiting = exists().where(outbox.c.raw_digest == raw.c.digest)
    apart = exists().where(held.c.raw_digest == raw.c.digest)
    connection.execute(delete(raw).where(raw.c.digest.in_(names), ~used, ~waiting, ~apart))
