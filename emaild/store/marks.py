"""Marks: which mails our code looks at just now, so that a mail that ends the process is found after the next start.

A mark is on the disk before the look, and is void once its mails are in the store: storing them needs no further write.
The mark of a batch may stand in the commit that stores the batch before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from emaild.store.engine import Database
from emaild.store.prepared import Prepared
from emaild.store.schema import mark, seen

UPSERT = upsert(mark)
SET = Prepared(
    UPSERT.on_conflict_do_update(
        index_elements=["account"], set_={name: UPSERT.excluded[name] for name in ("keys", "alone")}
    )
)


class Marks:
    """One mark an account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, account: str, keys: Sequence[str], *, alone: bool = False) -> None:
        """These mails are looked at from now on; *alone*: a single one, while no other is looked at anywhere."""
        with self._database.write() as connection:
            set_mark(connection, account, keys, alone=alone)

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
                set_mark(connection, account, ())
                connection.execute(update(mark).where(mark.c.account == account).values(suspects=found))
        return found


def _stored(connection: Connection, account: str, keys: Iterable[str]) -> frozenset[str]:
    query = select(seen.c.key).where(seen.c.account == account, seen.c.key.in_(keys))
    return frozenset(connection.scalars(query))


def set_mark(connection: Connection, account: str, keys: Sequence[str], *, alone: bool = False) -> None:
    """As `Marks.begin`, in somebody's commit."""
    SET.execute(connection, {"account": account, "keys": json.dumps(list(keys)), "alone": alone, "suspects": "{}"})
