"""The order in which interactions are given to programs: whole numbers, each in the commit that shows it to them."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects.sqlite import insert as upsert

from emaild.store.prepared import Prepared
from emaild.store.schema import counter

INTERACTION = "interaction"
NUMBERED = "numbered"  # in `info` of a connection: its transaction gave some
LAST = Prepared(select(counter.c.value).where(counter.c.name == bindparam("name")))
UPSERT = upsert(counter)
SET = Prepared(UPSERT.on_conflict_do_update(index_elements=["name"], set_={"value": UPSERT.excluded.value}))


def next_numbers(connection: Connection, count: int) -> Iterator[int]:
    """That many numbers, above all that were ever given."""
    last = last_number(connection) + count
    SET.execute(connection, {"name": INTERACTION, "value": last})
    connection.info[NUMBERED] = True
    return iter(range(last - count + 1, last + 1))


def last_number(connection: Connection) -> int:
    """The last number given; 0 before the first."""
    rows = LAST.execute(connection, {"name": INTERACTION})
    return int(rows[0].value) if rows else 0
