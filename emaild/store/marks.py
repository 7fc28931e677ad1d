"""Marks: which mails our code looks at just now, so that a mail that ends the process is found after the next start.

A mark is on the disk before the look, and is void once its mails are in the store: storing them needs no further write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert as upsert

from emaild.store.engine import Database
from emaild.store.schema import mark, seen


class Marks:
    """One mark an account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, account: str, keys: Sequence[str], *, alone: bool = False) -> None:
        """These mails are looked at from now on; *alone*: a single one, while no other is looked at anywhere."""
        with self._database.write() as connection:
            _set(connection, account, {"keys": list(keys), "alone": alone})

    def clear(self, account: str) -> None:
        """Nothing is looked at any more."""
        self.begin(account, ())

    def suspects(self, account: str) -> Mapping[str, int]:
        """To be called before the first look after a start: the mails that may have ended the process.

        Returns:
            by key how often the process ended while that mail was looked at alone.
        """
        with self._database.read() as connection:
            row = connection.execute(select(mark).where(mark.c.account == account)).mappings().one_or_none()
            if row is None:
                return {}
            counts = {**dict.fromkeys(row["keys"], 0), **row["suspects"]}
            stored = _stored(connection, account, counts)
        found = {key: count for key, count in counts.items() if key not in stored}
        under_way = found.keys() & row["keys"]
        if under_way:  # else the mark is void, and stays as it is
            if row["alone"]:
                found |= {key: found[key] + 1 for key in under_way}
            with self._database.write() as connection:
                _set(connection, account, {"keys": [], "alone": False, "suspects": found})
        return found


def _stored(connection: Connection, account: str, keys: Iterable[str]) -> frozenset[str]:
    query = select(seen.c.key).where(seen.c.account == account, seen.c.key.in_(keys))
    return frozenset(connection.scalars(query))


def _set(connection: Connection, account: str, values: dict[str, object]) -> None:
    row = upsert(mark).values({"account": account, "alone": False, "suspects": {}} | values)
    connection.execute(row.on_conflict_do_update(index_elements=["account"], set_=values))
