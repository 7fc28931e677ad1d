"""Held mails: those that our own code could not take. They are kept as they came, until they are tried again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from emaild.errors import NotFound
from emaild.message import Inbound, Understood
from emaild.store import raw
from emaild.store.engine import Database
from emaild.store.schema import held, seen
from emaild.store.taking import put


class How(StrEnum):
    """What a mail did to us."""

    RAISED = "raised"
    ENDED = "ended the process"


@dataclass(frozen=True, kw_only=True)
class HeldMail:
    """A mail that is held. `traceback` is empty of one that ended the process: there was nobody left to write it."""

    id: str
    account: str
    mailbox: str
    key: str
    raw_digest: str
    at: datetime
    how: How
    traceback: str

    @property
    def error(self) -> str:
        """The last line of the traceback."""
        return self.traceback.rstrip().rpartition("\n")[2]


class Held:
    """The quarantine of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hold(self, mail: HeldMail, inbound: Inbound, *, settled: bool) -> bool:
        """Keep the mail and that its key was taken, in one commit; *settled*: the server need not be told.

        Returns:
            False: it was taken meanwhile, or the same bytes had come to the account before under another key.
        """
        with self._database.write() as connection:
            taken = select(seen.c.key).where(seen.c.account == mail.account)
            if connection.execute(taken.where(seen.c.key == mail.key)).first() is not None:
                return False
            known = connection.execute(taken.where(seen.c.digest == mail.raw_digest).limit(1)).first() is not None
            if not known:
                raw.put(connection, mail.raw_digest, inbound.raw)
                connection.execute(insert(held).values(_values(mail)))
            connection.execute(
                insert(seen).values(account=mail.account, key=mail.key, digest=mail.raw_digest, settled=settled)
            )
        return not known

    def all(self) -> Iterator[HeldMail]:
        """The oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(select(held).order_by(held.c.at, held.c.id)).all()
        yield from map(_mail, rows)

    def get(self, name: str) -> HeldMail:
        """One held mail.

        Raises:
            NotFound: there is none with that id.
        """
        with self._database.read() as connection:
            row = connection.execute(select(held).where(held.c.id == name.upper())).one_or_none()
        if row is None:
            raise NotFound(f"no held mail {name}; 'emaild inbox --held' lists those that are there")
        return _mail(row)

    def raw(self, mail: HeldMail) -> bytes:
        """The mail byte for byte as its server gave it."""
        with self._database.read() as connection:
            return raw.get(connection, mail.raw_digest)

    def failed_again(self, mail: HeldMail) -> None:
        """It stays, with the traceback of now."""
        with self._database.write() as connection:
            connection.execute(update(held).where(held.c.id == mail.id).values(_values(mail)))

    def release(self, mail: HeldMail, body: bytes, understood: Understood, *, submitted: bool = True) -> bool:
        """What the mail became after all, stored with *body* as its bytes; it is held no more. All in one commit.

        *submitted* is as in `Interactions.keep`.

        Returns:
            False: somebody was quicker, and nothing is stored.
        """
        with self._database.write() as connection:
            if not connection.execute(delete(held).where(held.c.id == mail.id)).rowcount:
                return False
            put(connection, mail.account, body, understood, submitted=submitted)
            raw.drop_unused(connection, {mail.raw_digest})
        return True


def _values(mail: HeldMail) -> dict[str, object]:
    return {
        "id": mail.id,
        "account": mail.account,
        "mailbox": mail.mailbox,
        "key": mail.key,
        "raw_digest": mail.raw_digest,
        "at": mail.at.timestamp(),
        "how": mail.how.value,
        "traceback": mail.traceback,
    }


def _mail(row: Row[Any]) -> HeldMail:
    return HeldMail(
        id=row.id,
        account=row.account,
        mailbox=row.mailbox,
        key=row.key,
        raw_digest=row.raw_digest,
        at=datetime.fromtimestamp(row.at, UTC),
        how=How(row.how),
        traceback=row.traceback,
    )
