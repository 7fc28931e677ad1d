"""Mails byte for byte, each once, found by the digest of its bytes."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, bindparam, delete, exists, select
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


def get(connection: Connection, name: str) -> bytes:
    """The bytes of that name.

    Raises:
        NotFound: they are not kept any more.
    """
    for row in GET.execute(connection, {"name": name}):
        return bytes(row.body)
    raise NotFound(f"no mail {name} in the store")


def drop_unused(connection: Connection, names: set[str]) -> None:
    """Remove those bytes that nothing points to any more."""
    used = exists().where(interaction.c.raw_digest == raw.c.digest)
    waiting = exists().where(outbox.c.raw_digest == raw.c.digest)
    apart = exists().where(held.c.raw_digest == raw.c.digest)
    connection.execute(delete(raw).where(raw.c.digest.in_(names), ~used, ~waiting, ~apart))
